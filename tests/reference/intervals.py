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
COUNTED_WITHIN_MS, WRITTEN_WITHIN_MS = 31 * DAY, 186 * DAY


class Over(NamedTuple):
    """How a wait that began at `queued_at` ended, `at` by the clock of the one who told, after which wait."""

    outcome: str
    queued_at: int
    at: int
    wait: int
    why: dict[str, int]

    written: bool

    @property
    def counts(self) -> bool:
        """Whether that end came soon enough for a row to take it."""
        return self.at - self.queued_at <= (WRITTEN_WITHIN_MS if self.written else COUNTED_WITHIN_MS)


class Stay:
    """A visit that was offered, and what became of its wait; `over` is None while it waits or a bot has it."""

    def __init__(self, visit: Visit) -> None:
        self.place, self.started = visit.place, visit.started
        self.is_bots = False
        self.over: Over | None = None
        self.told: list[Over] = []  # every end of a wait, those included that were taken back
        self.wait_for_people(visit)

    def wait_for_people(self, visit: Visit) -> None:
        self.queued_at, self.target, self.short = visit.queued_at, visit.target, visit.short
        self.is_bots = False

    def amounts(self) -> dict[str, int]:
        """What its wait for people is in the row of the quarter in which it began, `longest_wait_ms` aside."""
        over = self.over
        if self.is_bots:
            return {}
        if over is None or not over.counts:
            return {"waiting": 1}
        amounts = {over.outcome: 1}
        if over.outcome != "lost":
            demand = not over.why.get("left_not_demand")
            amounts[f"{over.outcome}_in_target"] = int(over.wait <= self.target and demand)
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


class Intervals:
    """Remembers every visit that was offered, every refused contact, and all work that was done."""

    def __init__(self) -> None:
        self._stays: dict[Visit, Stay] = {}
        self._done: list[tuple[Key, int, dict[str, int]]] = []

    def offered(self, visit: Visit) -> None:
        self._stays[visit] = Stay(visit)

    def to_bot(self, visit: Visit) -> None:
        """From the beginning it was the bot's."""
        self._stays[visit].is_bots = True

    def from_bot(self, visit: Visit) -> None:
        """Its wait for people begins."""
        self._stays[visit].wait_for_people(visit)

    def over(
        self, visit: Visit, outcome: str, at: int, wait: int = 0, why: dict[str, int] | None = None
    ) -> None:
        stay = self._stays[visit]
        stay.over = Over(outcome, stay.queued_at, at, wait, why or {}, visit.written)
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
            rows[_quarter(stay.started), *stay.place]["offered"] += 1
            for name, n in stay.amounts().items():
                rows[_quarter(stay.queued_at), *stay.place][name] += n
            for over in stay.told:
                if over.outcome != "lost" and over.counts:
                    row = rows[_quarter(over.queued_at), *stay.place]
                    row["longest_wait_ms"] = max(row["longest_wait_ms"], over.wait)
        for place, at, amounts in self._done:
            for name, n in amounts.items():
                rows[_quarter(at), *place][name] += n
        found = {cell: {name: n for name, n in row.items() if n} for cell, row in rows.items()}
        return {cell: row for cell, row in found.items() if row}

    def backlog(self, start: int, queue: str, channel: str) -> tuple[int, int]:
        """`backlog_start` and `backlog_max` of the row of that quarter: who was queued less whose wait was over.

        Who is with a bot, or was until the end, waits for nobody.
        """
        places = (stay for stay in self._stays.values() if stay.place == (queue, channel))
        here = [stay for stay in places if not stay.is_bots]
        queued = sorted(stay.queued_at for stay in here)
        over = sorted(stay.over.at for stay in here if stay.over)
        moments = range(start, start + QUARTER + 1, MINUTE)
        depths = [bisect_left(queued, moment) - bisect_left(over, moment) for moment in moments]
        return depths[0], max(depths)


def _quarter(at: int) -> int:
    return at // QUARTER * QUARTER
