"""Interval rows: what schedulers read, in quarters of an hour of UTC; every other interval is a sum of these.

Waits count in the quarter in which the contact was queued (its cohort), handling and refusals in the one in which they happen,
so that in every row answered + abandoned + left + lost + waiting = offered. ``docs/semantics.md`` is the specification.

A row that is still counted is a plain ``dict[int, int]``, place → amount, which a partition keeps and readers add up over
partitions. The places are stored: add, never renumber.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from . import facts as f
from .kpis import counters as c
from .measures import Counter

QUARTER: Final = 900_000
MINUTE: Final = 60_000
DAY: Final = 86_400_000
QUARTERS: Final = DAY // QUARTER
"""Quarters of an hour in a day of UTC."""
NUMBERS: Final = 1_000
"""Revisions that there are in a millisecond: they are microseconds since the epoch, or a little more."""
LONGEST_COUNTED: Final = 31 * DAY
"""An outcome that comes later than this after the visit was queued changes no row: rows are closed at some time."""

SETTLED_AFTER: Final = LONGEST_COUNTED + 2 * DAY + QUARTER
"""A partition counts nothing any more in rows this far behind its time: an outcome is at most so late, an event two days."""

FIELDS: Final = (
    "offered", "answered", "answered_in_target", "abandoned", "abandoned_in_target", "abandoned_short", "left",
    "left_in_target", "lost", "refused", "handled", "talk_ms", "hold_ms", "wrap_ms", "wait_ms", "abandon_wait_ms",
    "longest_wait_ms",
)  # fmt: skip
"""Places 0, 1, … of what is counted."""
PLACES: Final = {name: place for place, name in enumerate(FIELDS)}
LONGEST: Final = PLACES["longest_wait_ms"]
"""The one that is no sum but the largest."""
FLOW: Final = len(FIELDS)
"""From here on, for each minute of the quarter: who came less who went."""
MINUTES: Final = QUARTER // MINUTE

Amounts = dict[int, int]
RowKey = tuple[int, str, str]
"""(start of the quarter, queue, channel)"""
Rows = dict[RowKey, Amounts]


def quarter(at: int) -> int:
    """The start of the quarter of an hour that holds a moment."""
    return at - at % QUARTER


def quarter_of_day(start: int) -> int:
    """Which quarter of its day of UTC begins at a moment: 0 to 95."""
    return start % DAY // QUARTER


def add_amounts(row: Amounts, more: Mapping[int, int]) -> None:
    """Merge what was counted elsewhere, or later, into a row."""
    for place, n in more.items():
        if place == LONGEST:
            if n > row.get(place, 0):
                row[place] = n
        else:
            row[place] = row.get(place, 0) + n


def compact(amounts: Mapping[int, int]) -> list[int]:
    """Amounts as a list by place, without zeros at the end."""
    last = max((place for place, n in amounts.items() if n), default=-1)
    return [amounts.get(place, 0) for place in range(last + 1)]


def spread(counted: list[int]) -> Amounts:
    """The inverse of ``compact``."""
    return {place: n for place, n in enumerate(counted) if n}


def flow(amounts: Mapping[int, int]) -> int:
    """Who came in a quarter less who went."""
    return sum(n for place, n in amounts.items() if FLOW <= place < FLOW + MINUTES)


# --- facts → rows ---

_ANSWERED, _ABANDONED, _LEFT, _LOST = (PLACES[n] for n in ("answered", "abandoned", "left", "lost"))
_ANSWERED_IN, _ABANDONED_IN, _LEFT_IN = (PLACES[f"{n}_in_target"] for n in ("answered", "abandoned", "left"))
_SHORT, _WAIT, _ABANDON_WAIT = (PLACES[n] for n in ("abandoned_short", "wait_ms", "abandon_wait_ms"))


_Counts = list[int]  # by place; in the hot path a list is half as dear as a dict


def _answered(row: _Counts, fact: f.Answered) -> None:
    row[_ANSWERED] += 1
    if fact.in_target:
        row[_ANSWERED_IN] += 1
    wait = fact.wait
    row[_WAIT] += wait
    if wait > row[LONGEST]:  # noqa: PLR1730 - nor is a call of max() cheap
        row[LONGEST] = wait


def _abandoned(row: _Counts, fact: f.Abandoned) -> None:
    row[_ABANDONED] += 1
    row[_ABANDONED_IN] += fact.in_target
    row[_SHORT] += fact.short
    row[_ABANDON_WAIT] += fact.wait
    row[LONGEST] = max(row[LONGEST], fact.wait)


def _left(row: _Counts, fact: f.Left) -> None:
    row[_LEFT] += 1
    row[_LEFT_IN] += fact.in_target
    row[LONGEST] = max(row[LONGEST], fact.wait)


def _lost(row: _Counts, _fact: f.Lost) -> None:
    row[_LOST] += 1


_OUTCOMES: Final[dict[type[f.WaitOver], Callable[..., None]]] = {
    f.Answered: _answered,
    f.Abandoned: _abandoned,
    f.Left: _left,
    f.Lost: _lost,
}


class Cohorts:
    """Adds the ends of waits up, each to the contacts that were queued in the same quarter."""

    def __init__(self) -> None:
        self._rows: dict[RowKey, _Counts] = {}

    def add(self, fact: f.WaitOver) -> None:
        """Count the end of a wait."""
        queued_at = fact.queued_at
        if fact.at - queued_at > LONGEST_COUNTED:
            return
        key = (queued_at - queued_at % QUARTER, fact.queue, fact.channel)
        try:
            row = self._rows[key]
        except KeyError:
            row = self._rows[key] = [0] * len(FIELDS)
        _OUTCOMES[type(fact)](row, fact)

    def take_back(self, other: Cohorts) -> None:
        """Subtract what turned out not to be. Whoever gave up and came back did wait that long: the longest stays."""
        taken, other._rows = other._rows, {}
        for key, counts in taken.items():
            row = self._rows.setdefault(key, [0] * len(FIELDS))
            longest = max(row[LONGEST], counts[LONGEST])
            row[:] = [n - less for n, less in zip(row, counts, strict=True)]
            row[LONGEST] = longest

    def take(self) -> Rows:
        """Hand over what was added since the last call."""
        rows, self._rows = self._rows, {}
        return {key: {place: n for place, n in enumerate(counts) if n} for key, counts in rows.items()}


_BY_TIME: Final = (
    (PLACES["offered"], c.offered),
    (PLACES["refused"], c.refused),
    (PLACES["handled"], c.handled),
    (PLACES["talk_ms"], c.talk_ms),
    (PLACES["hold_ms"], c.hold_ms),
    (PLACES["wrap_ms"], c.wrap_ms),
)
GONE: Final = (c.answered, c.abandoned, c.left, c.lost)
"""How a visit stops waiting: offered less these wait."""


class ByTime:
    """Reads off the 10-second cells what counts in the quarter in which it happened, and the depth of the queue."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        """``numbers`` maps each counter to its key in a cell."""

        def number(counter: Counter) -> int:
            return numbers[counter.name]

        self._sums = [(number(counter), place) for place, counter in _BY_TIME]
        self._came = number(c.offered)
        self._gone = [number(counter) for counter in GONE]

    def add(self, rows: Rows, cells: Mapping[tuple[int, str, str], Mapping[int, int]]) -> None:
        """Add what cells hold to the rows of their quarters."""
        for (start, queue, channel), cell in cells.items():
            began = start - start % QUARTER
            key = (began, queue, channel)
            found: Amounts = {}
            for number, place in self._sums:
                if n := cell.get(number):
                    found[place] = n
            flow = cell.get(self._came, 0) - sum(cell.get(number, 0) for number in self._gone)
            if flow:
                found[FLOW + (start - began) // MINUTE] = flow
            if found:
                row = rows.get(key)
                if row is None:
                    rows[key] = found
                else:
                    add_amounts(row, found)
