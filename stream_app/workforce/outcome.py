"""The outcome of a queue's contacts in its steady state, and its named service levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct


class OutcomeShares(Struct, frozen=True):
    """Shares of the offered contacts; they add up to one.

    Attributes:
        met: answered within T.
        late: answered after T.
        short: abandoned within the short threshold, which is at most T.
        early: abandoned after that, within T.
        lost: abandoned after T.
    """

    met: float
    late: float
    short: float = 0.0
    early: float = 0.0
    lost: float = 0.0

    def service_level(self, policy: str) -> float | None:
        """Return the service level by the policy of that name; ``None`` where its denominator is empty."""
        met, of = POLICIES[policy](self)
        return min(1.0, met / of) if of > 0 else None


POLICIES: Final[Mapping[str, Callable[[OutcomeShares], tuple[float, float]]]] = {
    "answered_of_offered": lambda o: (o.met, 1.0),
    "without_short_abandons": lambda o: (o.met, 1.0 - o.short),
    "answered_or_abandoned": lambda o: (o.met, 1.0),
    "answered_or_abandoned_late": lambda o: (o.met, o.met + o.late + o.lost),
    "answered_only": lambda o: (o.met, o.met + o.late),
    "ignoring_early_abandons": lambda o: (o.met, o.met + o.late + o.lost),
    "abandons_count_as_met": lambda o: (o.met + o.short + o.early, 1.0),
    "answered_or_abandoned_without_short": lambda o: (o.met, 1.0 - o.short),
    "removed_within": lambda o: (o.met + o.short + o.early, 1.0),
}
"""Name → numerator and denominator. In a steady state all offered are answered or abandon, so some of them agree."""


class Performance(Struct, frozen=True):
    """What a number of agents achieves in a steady state. Without contacts all but ``agents`` is ``None``, occupancy is 0.

    Attributes:
        agents: how many contacts can be handled at once.
        load: offered, in Erlang.
        waits: share of the offered that is not answered at once.
        outcome: the outcome of the offered.
        abandonment: share of the offered that abandons, short or not.
        asa_s: mean wait of the answered, in seconds; ``None`` if the queue grows without bound, or nobody is answered.
        wait_s: mean wait of all, answered or not, in seconds.
        occupancy: share of the agents' time that is handling; ``None`` without agents.
    """

    agents: int
    load: float
    waits: float | None
    outcome: OutcomeShares | None
    abandonment: float | None
    asa_s: float | None
    wait_s: float | None
    occupancy: float | None

    def service_level(self, policy: str) -> float | None:
        """Return the service level by the policy of that name; ``None`` without contacts."""
        return None if self.outcome is None else self.outcome.service_level(policy)


def idle(agents: int) -> Performance:
    """Return the performance without any contacts: there is nothing to measure."""
    return Performance(agents, 0.0, None, None, None, None, None, 0.0 if agents else None)
