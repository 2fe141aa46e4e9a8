"""Where everything is entered that counts: live counters, and interval rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .history import History

if TYPE_CHECKING:
    from .counters import Counters, Key
    from .intervals import Intervals
    from .rules import Policy
    from .visits import Visit


class Books:
    """The counters and the rows, and the settings by which time counts as business time."""

    def __init__(self, counters: Counters, intervals: Intervals, policy: Policy) -> None:
        self.counters, self.intervals, self.policy = counters, intervals, policy
        self.history = History()

    def live(self, place: Key, at: int, **amounts: int) -> None:
        """Add the amounts in the buckets that hold `at`."""
        self.counters.add(place, at, amounts)

    def in_row(self, place: Key, at: int, **amounts: int) -> None:
        """Add the amounts to the interval row in which `at` lies."""
        self.intervals.done(place, at, amounts)

    def both(self, visit: Visit, at: int, **amounts: int) -> None:
        """Add the amounts in the buckets that hold `at`, and to the interval row in which it lies."""
        self.live(visit.place, at, **amounts)
        self.intervals.done(visit.place, at, amounts)

    def open(self, visit: Visit, at: int, duration: int) -> int:
        """The part of the `duration` before `at` within business hours."""
        return self.policy.of(visit.place).open(at - duration, at)
