"""The smallest number of agents with which a queue keeps its goals, and how many people that are on a roster."""

from __future__ import annotations

from math import ceil, floor, inf, sqrt
from typing import Literal

from msgspec import Struct

from . import erlang, erlang_a
from .outcome import POLICIES, Performance, idle

Model = Literal["erlang-a", "erlang-c"]
_SAME = 1e-9
"""3.0000000000000004 people are three."""


class Demand(Struct, frozen=True):
    """What comes to a queue in an interval.

    Attributes:
        load: in Erlang: contacts per second times ``handle_s``.
        handle_s: mean handle time in seconds.
        patience_s: mean patience in seconds; infinite: nobody gives up, which is Erlang C.
    """

    load: float
    handle_s: float
    patience_s: float = inf

    @classmethod
    def of(cls, offered: float, minutes: float, handle_s: float, patience_s: float = inf) -> Demand:
        """From the contacts offered in so many minutes."""
        return cls(offered * handle_s / (60 * minutes), handle_s, patience_s)


class Goals(Struct, frozen=True):
    """What must hold; ``None`` does not matter.

    Attributes:
        within_s: T in seconds; within is ≤ T.
        service_level: at least this share, by ``policy``.
        policy: the service level's named formula.
        short_s: who gives up within this is short; at most T.
        asa_s: mean wait of the answered, at most this many seconds.
        abandonment: at most this share gives up later than ``short_s``, of the offered less the short ones.
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
        """Refuse what no number of agents reaches; ValueError names it."""
        if self.policy not in POLICIES:
            raise ValueError(f"policy: no service level is called {self.policy!r}")
        if not 0 <= self.short_s <= self.within_s < inf:
            raise ValueError(
                f"within_s: {self.within_s} s must be 0 or more, and at least short_s ({self.short_s} s)"
            )
        if self.service_level is not None and not 0 <= self.service_level < 1:
            raise ValueError(f"service_level: {self.service_level} must be 0 or more, and less than 1")
        for name, most in (("asa_s", inf), ("abandonment", 1), ("occupancy", 1)):
            value = getattr(self, name)
            if value is not None and not 0 < value <= most:
                raise ValueError(f"{name}: {value} must be more than 0 and at most {most}")

    def met(self, reached: Performance) -> bool:
        """Whether this is good enough. What has no value because nobody is answered does not keep a goal."""
        if reached.outcome is None:
            return True
        if self.service_level is not None:
            level = reached.service_level(self.policy)
            if level is None or level < self.service_level:
                return False
        if self.asa_s is not None and (reached.asa_s is None or reached.asa_s > self.asa_s):
            return False
        if self.abandonment is not None and (abandonment(reached) or 0.0) > self.abandonment:
            return False
        return self.occupancy is None or (reached.occupancy or 0.0) <= self.occupancy + _SAME

    def least(self, load: float) -> int:
        """A number of agents below which the goals can't hold, whatever the model."""
        least = 1.0
        if self.abandonment is not None and not self.short_s:
            least = load * (1 - self.abandonment)  # n agents answer at most n/A of all
        return max(1, ceil(least - _SAME))


def abandonment(reached: Performance) -> float | None:
    """Who gives up after the short threshold, of the offered less the short ones, as the KPI has it."""
    if reached.outcome is None:
        return None
    of = 1 - reached.outcome.short
    return (reached.outcome.early + reached.outcome.lost) / of if of > 0 else None


def reach(agents: int, demand: Demand, goals: Goals) -> Performance:
    """What so many agents reach: Erlang A, or C where patience has no end."""
    return erlang_a.reach(
        agents,
        demand.load,
        demand.handle_s,
        goals.within_s,
        patience_s=demand.patience_s,
        short_s=goals.short_s,
    )


def required(demand: Demand, goals: Goals, spare: float | None = None) -> int:
    """The smallest number of agents that keeps the goals: it does, and one fewer does not."""
    return best(demand, goals, spare).agents


def best(demand: Demand, goals: Goals, spare: float | None = None) -> Performance:
    """What the smallest number of agents that keeps the goals reaches.

    More agents never make it worse, so there is only one such number. The search begins at A + ``spare`` sqrt(A), the
    square-root rule (Halfin and Whitt 1981), and doubles its steps until the goal lies between two numbers. Where it begins
    changes nothing but the time it takes; beginning at A rounded, and only going up, would be one too many at times.

    Args:
        demand: what comes; nobody is needed without load, and at least one with any.
        goals: what must hold.
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
    """How many must be on the roster, so that ``agents`` are at work: agents / (1 - shrinkage), rounded up.

    Args:
        agents: at work at the same time.
        shrinkage: share of the scheduled time that is not work on contacts: breaks, training, illness. At least 0, less than 1.

    Raises:
        ValueError: shrinkage outside of its range.
    """
    return ceil(agents / at_work(shrinkage) - _SAME)


def present(scheduled: float, shrinkage: float) -> int:
    """How many of those on the roster are at work: whole people, rounded down."""
    return floor(scheduled * at_work(shrinkage) + _SAME)


def at_work(shrinkage: float) -> float:
    """The share of scheduled time that is work on contacts."""
    if not 0 <= shrinkage < 1:
        raise ValueError(f"shrinkage: {shrinkage} must be 0 or more, and less than 1")
    return 1 - shrinkage
