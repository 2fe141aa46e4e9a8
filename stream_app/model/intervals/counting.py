"""Interval rows: what planners read, in 15-minute intervals of UTC; every longer interval is a sum of these.

Waits count in the interval in which the contact was queued (its cohort), handling and refusals in the one in which they
happen, so that in every row answered + abandoned + left + lost + waiting = offered. ``docs/semantics.md`` is the specification.

A row that is still counted is a plain ``dict[int, int]``: number of a column → amount. A partition keeps it, and readers add
up over partitions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from stream_app.model import facts as f
from stream_app.model.durations import DAY, MINUTE
from stream_app.model.kpis import counters as c
from stream_app.model.kpis.sums import Counter
from stream_app.model.reasons import LEFT_COUNTERS
from stream_app.model.targets.conversations import is_written

from .columns import COLUMNS, FLOW, INTERVAL_MS, LARGEST, LONGEST, MINUTES, PLACES, WIDTH

INTERVALS_A_DAY: Final = DAY // INTERVAL_MS
NUMBERS: Final = 1_000
"""Revisions in a millisecond: they are microseconds since the epoch, or a little more."""
LONGEST_COUNTED: Final = 31 * DAY
"""An outcome later than this after the visit was queued changes no row, because rows are closed eventually."""
LONGEST_WRITTEN: Final = 186 * DAY
"""The same in written channels, whose contacts may be open for half a year."""
SETTLED_AFTER: Final = LONGEST_COUNTED + 2 * DAY + INTERVAL_MS
"""Rows this far behind a partition's time never change again: an outcome may be that late, and an event two days."""

Amounts = dict[int, int]
RowKey = tuple[int, str, str]
"""(start of the interval, queue, channel)"""
Rows = dict[RowKey, Amounts]


def interval_start(at: int) -> int:
    """Return the start of the 15-minute interval that holds a moment."""
    return at - at % INTERVAL_MS


def longest_counted(channel: str) -> int:
    """Return how long after a contact was queued its outcome still changes its row."""
    return LONGEST_WRITTEN if is_written(channel) else LONGEST_COUNTED


def settles_with(day: int, *, written: bool) -> int:
    """Return the day of a spoken channel whose rows settle when those of a day do."""
    return day + (LONGEST_WRITTEN - LONGEST_COUNTED) // DAY if written else day


def interval_of_day(start: int) -> int:
    """Return the number of an interval in its day of UTC, 0 to 95, by its start."""
    return start % DAY // INTERVAL_MS


def add_amounts(row: Amounts, more: Mapping[int, int]) -> None:
    """Merge what was counted elsewhere, or later, into a row."""
    for place, n in more.items():
        if place in LARGEST:
            if n > row.get(place, 0):
                row[place] = n
        else:
            row[place] = row.get(place, 0) + n


def compact(amounts: Mapping[int, int]) -> list[int]:
    """Return amounts as a list by number of the column, without zeros at the end."""
    last = max((place for place, n in amounts.items() if n), default=-1)
    return [amounts.get(place, 0) for place in range(last + 1)]


def spread(counted: list[int]) -> Amounts:
    """Undo ``compact``."""
    return {place: n for place, n in enumerate(counted) if n}


def flow(amounts: Mapping[int, int]) -> int:
    """Return contacts that came in an interval less contacts that went."""
    return sum(n for place, n in amounts.items() if FLOW <= place < FLOW + MINUTES)


# --- facts → rows ---

_ANSWERED, _ABANDONED, _LEFT, _LOST = (PLACES[n] for n in ("answered", "abandoned", "left", "lost"))
_ANSWERED_IN, _ABANDONED_IN, _LEFT_IN = (PLACES[f"{n}_in_target"] for n in ("answered", "abandoned", "left"))
_SHORT, _WAIT, _ABANDON_WAIT = (PLACES[n] for n in ("abandoned_short", "wait_ms", "abandon_wait_ms"))

_LEFT_WAIT = PLACES["left_wait_ms"]
_NOT_DEMAND = PLACES["left_not_demand"]
_LEFT_BY: Final = {by: PLACES[counter] for by, counter in LEFT_COUNTERS.items()}

_Counts = list[int]  # by place; a list costs half as much as a dict here


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
    row[_LEFT_WAIT] += fact.wait
    row[_NOT_DEMAND] += not fact.demand
    if fact.reason != "other":
        row[_LEFT_BY[fact.reason]] += 1
    row[LONGEST] = max(row[LONGEST], fact.wait)


def _lost(row: _Counts, _fact: f.Lost) -> None:
    row[_LOST] += 1


OUTCOMES: Final[dict[type[f.WaitOver], Callable[..., None]]] = {
    f.Answered: _answered,
    f.Abandoned: _abandoned,
    f.Left: _left,
    f.Lost: _lost,
}


class Cohorts:
    """Adds the ends of waits up, each to the contacts that were queued in the same interval."""

    def __init__(self) -> None:
        self._rows: dict[RowKey, _Counts] = {}

    def add(self, fact: f.WaitOver, queue: str, channel: str) -> None:
        """Count the end of a wait in a queue and channel."""
        queued_at = fact.queued_at
        if fact.at - queued_at > LONGEST_COUNTED and fact.at - queued_at > longest_counted(channel):
            return
        key = (queued_at - queued_at % INTERVAL_MS, queue, channel)
        try:
            row = self._rows[key]
        except KeyError:
            row = self._rows[key] = [0] * WIDTH
        OUTCOMES[type(fact)](row, fact)

    def take_back(self, other: Cohorts) -> None:
        """Subtract what turned out not to be. Whoever gave up and came back did wait that long: the longest stays."""
        taken, other._rows = other._rows, {}
        for key, counts in taken.items():
            row = self._rows.setdefault(key, [0] * WIDTH)
            longest = max(row[LONGEST], counts[LONGEST])
            row[:] = [n - less for n, less in zip(row, counts, strict=True)]
            row[LONGEST] = longest

    def take(self) -> Rows:
        """Hand over what was added since the last call."""
        rows, self._rows = self._rows, {}
        return {key: {place: n for place, n in enumerate(counts) if n} for key, counts in rows.items()}


_BY_TIME: Final = [(column.number, column.counter) for column in COLUMNS.values() if column.counter]
IN_QUEUE: Final = c.offered - c.to_bot + c.from_bot - c.answered - c.abandoned - c.left - c.lost
"""Who waits for a person: those offered, but for a bot's, and those handed over, less those whose wait is over."""


class ByTime:
    """Reads off the 10-second cells what counts in the interval in which it happened, and the depth of the queue."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        """``numbers`` maps each counter to its key in a cell."""

        def number(counter: Counter) -> int:
            return numbers[counter.name]

        self._places = {number(counter): place for place, counter in _BY_TIME}
        self._flow = [(sign, number(counter)) for sign, counter in IN_QUEUE.terms]

    def add(self, rows: Rows, cells: Mapping[tuple[int, str, str], Mapping[int, int]]) -> None:
        """Add what cells hold to the rows of their intervals."""
        places = self._places
        for (start, queue, channel), cell in cells.items():
            began = start - start % INTERVAL_MS
            key = (began, queue, channel)
            found: Amounts = {places[number]: n for number, n in cell.items() if number in places and n}
            flow = sum([sign * cell[number] for sign, number in self._flow if number in cell])
            if flow:
                found[FLOW + (start - began) // MINUTE] = flow
            if found:
                row = rows.get(key)
                if row is None:
                    rows[key] = found
                else:
                    add_amounts(row, found)
