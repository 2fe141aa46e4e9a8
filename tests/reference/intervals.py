"""Rows of quarters of an hour, worked out at the end from all that was ever offered: nothing is kept up to date here."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from .counters import DAY, MINUTE

if TYPE_CHECKING:
    from .counters import Cell, Key
    from .visits import Visit

QUARTER = 15 * MINUTE
COUNTED_WITHIN_MS = 31 * DAY


class Over(NamedTuple):
    """How a wait ended, `at` by the clock of the one who told, after which wait."""

    outcome: str
    at: int
    wait: int
    why: dict[str, int]


class Stay:
    """A visit that was offered, and what became of its wait; `over` is None while it waits."""

    def __init__(self, visit: Visit) -> None:
        self.place, self.queued_at = visit.place, visit.queued_at
        self.target, self.short = visit.target, visit.short
        self.over: Over | None = None
        self.told: list[Over] = []  # every end of the wait, those included that were taken back

    def counts(self, over: Over) -> bool:
        """Whether that end came soon enough for a row to take it."""
        return over.at - self.queued_at <= COUNTED_WITHIN_MS

    def amounts(self) -> dict[str, int]:
        """What this visit is in the row of the quarter in which it was queued, `longest_wait_ms` aside."""
        over = self.over
        if over is None or not self.counts(over):
            return {"offered": 1, "waiting": 1}
        amounts = {"offered": 1, over.outcome: 1}
        if over.outcome != "lost":
            amounts[f"{over.outcome}_in_target"] = int(over.wait <= self.target)
        if over.outcome == "answered":
            amounts["wait_ms"] = over.wait
        if over.outcome == "left":
            amounts |= {"left_wait_ms": over.wait} | over.why
        if over.outcome == "abandoned":
            amounts |= {
                "abandoned_short": int(self.short > 0 and over.wait <= self.short),
                "abandon_wait_ms": over.wait,
            }
        return amounts

    def longest(self) -> int:
        return max((o.wait for o in self.told if o.outcome != "lost" and self.counts(o)), default=0)


class Intervals:
    """Remembers every visit that was offered, every refused contact, and all work that was done."""

    def __init__(self) -> None:
        self._stays: dict[Visit, Stay] = {}
        self._done: list[tuple[Key, int, dict[str, int]]] = []

    def offered(self, visit: Visit) -> None:
        self._stays[visit] = Stay(visit)

    def over(
        self, visit: Visit, outcome: str, at: int, wait: int = 0, why: dict[str, int] | None = None
    ) -> None:
        stay = self._stays[visit]
        stay.over = Over(outcome, at, wait, why or {})
        stay.told.append(stay.over)

    def waits_again(self, visit: Visit) -> None:
        self._stays[visit].over = None

    def done(self, place: Key, at: int, amounts: dict[str, int]) -> None:
        """What belongs to the quarter in which it happened."""
        self._done.append((place, at, amounts))

    def rows(self) -> dict[Cell, dict[str, int]]:
        """(start of the quarter, queue, channel) -> what its row holds, without zeros and without the backlog."""
        rows: dict[Cell, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for stay in self._stays.values():
            row = rows[stay.queued_at // QUARTER * QUARTER, *stay.place]
            for name, n in stay.amounts().items():
                row[name] += n
            row["longest_wait_ms"] = max(row["longest_wait_ms"], stay.longest())
        for place, at, amounts in self._done:
            for name, n in amounts.items():
                rows[at // QUARTER * QUARTER, *place][name] += n
        return {cell: {name: n for name, n in row.items() if n} for cell, row in rows.items()}

    def backlog(self, start: int, queue: str, channel: str) -> tuple[int, int]:
        """`backlog_start` and `backlog_max` of the row of that quarter: who was queued less whose wait was over."""
        here = [stay for stay in self._stays.values() if stay.place == (queue, channel)]
        queued = sorted(stay.queued_at for stay in here)
        over = sorted(stay.over.at for stay in here if stay.over)
        moments = range(start, start + QUARTER + 1, MINUTE)
        depths = [bisect_left(queued, moment) - bisect_left(over, moment) for moment in moments]
        return depths[0], max(depths)
