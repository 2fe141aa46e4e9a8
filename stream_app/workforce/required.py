"""The smallest number of agents with which a queue meets its goals, and how many people to schedule for it."""

from __future__ import annotations

from math import ceil, floor, inf, sqrt
from typing import Literal

from msgspec import Struct

from . import erlang, erlang_a
from .outcome import POLICIES, Performance, idle

Model = Literal["erlang-a", "erlang-c"]
Goal = Literal["service_level", "asa", "abandonment", "occupancy"]
_SAME = 1e-9
"""3.0000000000000004 people are three."""


class Demand(Struct, frozen=True):
    """The demand of a queue in an interval.

    Attributes:
        load: in Erlang: contacts per second times ``handle_s``.
        handle_s: mean handle time in seconds.
        patience_s: mean patience in seconds; infinite: no abandonment, which is Erlang C.
    """

    load: float
    handle_s: float
    patience_s: float = inf

    @classmethod
    def of(cls, offered: float, minutes: float, handle_s: float, patience_s: float = inf) -> Demand:
        """Compute the demand from the contacts offered in ``minutes`` minutes."""
        return cls(offered * handle_s / (60 * minutes), handle_s, patience_s)


class Goals(Struct, frozen=True):
    """The goals of a queue; ``None`` is no goal.

    Attributes:
        within_s: T in seconds; within is ≤ T.
        service_level: at least this share, by ``policy``.
        policy: the service level's named formula.
        short_s: the short-abandon threshold; at most T.
        asa_s: mean wait of the answered, at most this many seconds.
        abandonment: at most this share abandons later than ``short_s``, of the offered less the short ones.
        occupancy: agents are busy for at most this share of their time.
    """

    within_s: float
    service_level: float | None = 0.8
    policy: str = "answered_of_offered"
    short_s: float = 0.0
    asa_s: float | None = None
    abandonment: float | None = None
    occupancy: float | None = None

    def __post_init__(self) -> None:
        """Refuse goals that no number of agents reaches; ValueError names the one."""
        if self.policy not in POLICIES:
            raise ValueError(
                f"policy: unknown service-level policy {self.policy!r}; use one of {', '.join(POLICIES)}"
            )
        if not 0 <= self.short_s <= self.within_s < inf:
            raise ValueError(
                f"within_s: expected at least short_s, both finite and non-negative; "
                f"got {self.within_s} s, short_s {self.short_s} s"
            )
        if self.service_level is not None and not 0 <= self.service_level < 1:
            raise ValueError(f"service_level: expected at least 0 and less than 1, got {self.service_level}")
        for name, most in (("asa_s", inf), ("abandonment", 1), ("occupancy", 1)):
            value = getattr(self, name)
            if value is not None and not 0 < value <= most:
                raise ValueError(f"{name}: expected more than 0 and at most {most}, got {value}")

    def met(self, reached: Performance) -> bool:
        """Return whether the goals are met. A value that is undefined because nobody is answered does not meet its goal."""
        return self.missed(reached) is None

    def missed(self, reached: Performance) -> Goal | None:
        """Return the first goal that is not met; ``None``: all are."""
        if reached.outcome is None:
            return None
        if self.service_level is not None:
            level = reached.service_level(self.policy)
            if level is None or level < self.service_level:
                return "service_level"
        if self.asa_s is not None and (reached.asa_s is None or reached.asa_s > self.asa_s):
            return "asa"
        if self.abandonment is not None and (abandonment(reached) or 0.0) > self.abandonment:
            return "abandonment"
        if self.occupancy is not None and (reached.occupancy or 0.0) > self.occupancy + _SAME:
            return "occupancy"
        return None

    def least(self, load: float) -> int:
        """Return a number of agents below which the goals can't be met, whatever the model."""
        least = 1.0
        if self.abandonment is not None and not self.short_s:
            least = load * (1 - self.abandonment)  # n agents answer at most n/A of all
        return max(1, ceil(least - _SAME))


def abandonment(reached: Performance) -> float | None:
    """Return the share that abandons after the short threshold, of the offered less the short ones, like the KPI."""
    if reached.outcome is None:
        return None
    of = 1 - reached.outcome.short
    return (reached.outcome.early + reached.outcome.lost) / of if of > 0 else None


def reach(agents: int, demand: Demand, goals: Goals) -> Performance:
    """Compute what ``agents`` agents achieve: Erlang A, or C with endless patience."""
    return erlang_a.reach(
        agents,
        demand.load,
        demand.handle_s,
        goals.within_s,
        patience_s=demand.patience_s,
        short_s=goals.short_s,
    )


def required(demand: Demand, goals: Goals, spare: float | None = None) -> int:
    """Return the smallest number of agents that meets the goals: it does, and one fewer does not."""
    return best(demand, goals, spare).agents


def binding(fewer: int, demand: Demand, goals: Goals) -> Goal | None:
    """Return the goal that ``fewer`` agents miss; ``None``: nobody would be left, or the queue would grow for ever."""
    if fewer < (erlang.fewest(demand.load) if demand.patience_s == inf else 1):
        return None
    return goals.missed(reach(fewer, demand, goals))


def best(demand: Demand, goals: Goals, spare: float | None = None) -> Performance:
    """Compute what the smallest number of agents that meets the goals achieves.

    More agents never make it worse, so there is only one such number. The search begins at A + ``spare`` sqrt(A), the
    square-root rule (Halfin and Whitt 1981), and doubles its steps until the goal lies between two numbers. Where it begins
    changes only the time it takes; beginning at A rounded, and only going up, would be one too many at times.

    Args:
        demand: the demand; nobody is needed without load, and at least one with any.
        goals: the goals.
        spare: the factor of the square-root rule, e.g. that of the interval before.
    """
    if demand.load == 0:
        return idle(0)
    endless = demand.patience_s == inf
    low = max(goals.least(demand.load), erlang.fewest(demand.load) if endless else 1) - 1
    guess = demand.load + (0.8 if spare is None else spare) * sqrt(demand.load)
    if goals.occupancy is not None:
        guess = max(guess, demand.load / goals.occupancy)
    high = max(low + 1, ceil(guess - _SAME))
    found = reach(high, demand, goals)
    step = 1
    if goals.met(found):
        while high - step > low:
            fewer = reach(high - step, demand, goals)
            if not goals.met(fewer):
                break
            high, found = high - step, fewer
            step *= 2
        low = max(low, high - step)
    else:
        while not goals.met(found):
            low = high
            high += step
            step *= 2
            found = reach(high, demand, goals)
    while high - low > 1:
        middle = (low + high) // 2
        fewer = reach(middle, demand, goals)
        if goals.met(fewer):
            high, found = middle, fewer
        else:
            low = middle
    return found


def to_schedule(agents: int, shrinkage: float) -> int:
    """Return how many must be scheduled so that ``agents`` are at work: agents / (1 - shrinkage), rounded up.

    Args:
        agents: at work at the same time.
        shrinkage: share of the scheduled time that is not work on contacts: breaks, training, illness. At least 0, less than 1.

    Raises:
        ValueError: shrinkage outside of its range.
    """
    return ceil(agents / at_work(shrinkage) - _SAME)


def present(scheduled: float, shrinkage: float) -> int:
    """Return how many of the scheduled people are at work: whole people, rounded down."""
    return floor(scheduled * at_work(shrinkage) + _SAME)


def at_work(shrinkage: float) -> float:
    """Return the share of scheduled time that is work on contacts."""
    if not 0 <= shrinkage < 1:
        raise ValueError(f"shrinkage: expected at least 0 and less than 1, got {shrinkage}")
    return 1 - shrinkage
