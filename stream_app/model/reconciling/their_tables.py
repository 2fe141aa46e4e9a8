"""Rows of another program's table by interval, and the times that its clock may mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from .conventions import CellAmounts, Conventions

DAY_MINUTES: Final = 1440
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_STEP: Final = 15
_WITH_SUMMER: Final = (
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Halifax",
    "America/St_Johns",
    "America/Santiago",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Pacific/Auckland",
)
"""A zone for each pair of offset and dates at which clocks change in many places."""


class TheirInterval(Struct, frozen=True):
    """One row: an interval of a queue.

    Attributes:
        line: in the file; 0 for one that is not there.
        channel: empty if the table has none.
        wall: its start, as its clock reads.
        clock: the zone of that clock, as far as we were told.
        minutes: its length; days may have 23 or 25 hours.
        second: it is the second one of a time that occurs twice.
        cells: what it counts.
    """

    line: int
    queue: str
    channel: str
    wall: datetime
    clock: str
    minutes: int
    cells: CellAmounts
    second: bool = False


def spans(row: TheirInterval, how: Conventions) -> tuple[tuple[int, int], ...]:
    """Return the times of a row, from and to, ms: none where its clock skips it."""
    return _spans(row.wall, row.minutes, row.second, how.clock or row.clock, how.doubled == "together")


@lru_cache(maxsize=200_000)
def _spans(
    wall: datetime, minutes: int, second: bool, clock: str, together: bool
) -> tuple[tuple[int, int], ...]:
    if minutes >= DAY_MINUTES:
        return ((instant(wall, clock), instant(wall + timedelta(minutes=minutes), clock)),)
    first, again = instant(wall, clock), instant(wall, clock, fold=1)
    length = minutes * 60_000
    if again < first or (second and (again == first or together)):
        return ()
    if second:
        return ((again, again + length),)
    if together and again > first:
        return ((first, first + length), (again, again + length))
    return ((first, first + length),)


def instant(wall: datetime, clock: str, *, fold: int = 0) -> int:
    """Return the time at which a clock reads so, ms."""
    return (wall.replace(tzinfo=zone(clock), fold=fold).astimezone(UTC) - _EPOCH) // _MILLISECOND


def reading(at: int, clock: str) -> datetime:
    """Return what a clock reads at a time."""
    return (_EPOCH + at * _MILLISECOND).astimezone(zone(clock)).replace(tzinfo=None)


@lru_cache(maxsize=256)
def zone(clock: str) -> ZoneInfo:
    """Return a zone; see ``clocks``."""
    return ZoneInfo(clock)


def clocks() -> tuple[str, ...]:
    """Return the clocks that a table may mean: whole hours all year, then zones with a summer time, then other offsets."""
    hours = ("UTC", *(f"Etc/GMT{sign}{n}" for n in range(1, 13) for sign in "-+"), "Etc/GMT-13", "Etc/GMT-14")
    odd = ("Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Kabul", "Asia/Yangon", "Australia/Darwin")
    return (*hours, *_WITH_SUMMER, *odd)


def completed(rows: Sequence[TheirInterval]) -> list[TheirInterval]:
    """Return the rows, and for each that the table lacks between its first and its last one a row of zeros."""
    found = [*rows]
    there = {(row.queue, row.channel, row.wall, row.second) for row in rows}
    first, last = min(row.wall for row in rows), max(row.wall for row in rows)
    columns = dict.fromkeys(column for row in rows for column in row.cells)
    shortest = min(row.minutes for row in rows)
    if any(row.minutes != shortest for row in rows):  # months, for example
        return found
    places = dict.fromkeys((row.queue, row.channel, row.clock) for row in rows)
    for queue, channel, clock in places:
        for wall in _walls(first, last, shortest):
            twice = shortest < DAY_MINUTES and instant(wall, clock, fold=1) > instant(wall, clock)
            for second in (False, True) if twice else (False,):
                if (queue, channel, wall, second) not in there:
                    cells = dict.fromkeys(columns, 0)
                    found.append(TheirInterval(0, queue, channel, wall, clock, shortest, cells, second))
    return found


def _walls(first: datetime, last: datetime, minutes: int) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += timedelta(minutes=minutes)


def range_of(rows: Iterable[TheirInterval]) -> tuple[int, int]:
    """Return from when to when contacts may be in rows, whatever their clock is."""
    times = [
        (instant(row.wall, row.clock), instant(row.wall + timedelta(minutes=row.minutes), row.clock))
        for row in rows
    ]
    day = DAY_MINUTES * 60_000
    return min(start for start, _ in times) - day, max(end for _, end in times) + day


def is_aligned(row: TheirInterval) -> bool:
    """Return whether a row begins and ends with an interval of 15 minutes."""
    return row.wall.minute % _STEP == 0 and not row.wall.second and row.minutes % _STEP == 0
