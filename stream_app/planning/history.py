"""Selects the interval rows that plans are made from, and packs them for the planning process."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import structs

from stream_app.errors import QuarantinedError, StoreUnavailableError
from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.views.plan.planner import BusyError

WEEKS: Final = 26
"""How much of the past is learned from: the weight of a week halves after twelve."""
PIECE_MS: Final = 7 * DAY
"""Read at once: other users of the event loop wait no longer than this."""


LEAST_DAYS: Final = 35
"""A forecast needs rows at least this old."""


class Packed(NamedTuple):
    """A row that is learned from: start in ms, contacts, contacts handled, ms of handling, those of them estimated."""

    start: int
    minutes: int
    offered: int
    handled: int
    handle_ms: int
    estimated_ms: int


def within_outage(row: IntervalRow, targets: Targets) -> bool:
    """Return whether a row must not be learned from, because the targets record an outage in it."""
    return targets.outage(row.queue, row.channel, row.start, row.end) is not None


def learned(row: IntervalRow, targets: Targets) -> bool:
    """Return whether a row is learned from: complete, and outside of outages."""
    return row.final and not row.missing and not within_outage(row, targets)


@contextmanager
def in_words() -> Iterator[None]:
    """Turn a store that does not answer into the planner's error."""
    try:
        yield
    except (StoreUnavailableError, QuarantinedError) as error:
        raise BusyError(f"the store is unavailable: {error}") from None


def _of_outages_within(begin: int, end: int, place: tuple[str, str], targets: Targets) -> Targets:
    """Return the targets without the outages of other times: a row need not be compared with each of them."""
    near = tuple(outage for outage in targets.outages if outage.overlaps(*place, begin, end))
    return structs.replace(targets, outages=near)


async def reaches_back(intervals: Intervals, place: tuple[str, str], end: int) -> bool:
    """Return whether there may be enough for a forecast before ``end`` (ms): a look-up that needs no other process.

    Raises:
        StoreUnavailableError: no answer.
    """
    begin = end - LEAST_DAYS * DAY - 2 * PIECE_MS
    return bool(await intervals.rows(begin, end - LEAST_DAYS * DAY, {place[0]}, {place[1]}))


async def history(intervals: Intervals, place: tuple[str, str], end: int, targets: Targets) -> bytes:
    """Return the rows to learn from of a queue and channel before ``end`` (ms), packed, oldest first.

    Raises:
        StoreUnavailableError: no answer.
    """
    rows = array("q")
    begin = end - WEEKS * PIECE_MS
    while begin < end:
        upto = min(begin + PIECE_MS, end)
        near = _of_outages_within(begin, upto, place, targets)
        for row in await intervals.rows(begin, upto, {place[0]}, {place[1]}):
            if learned(row, near):
                of_work = (row.handled, row.handle_ms, row.estimated_ms)
                rows.extend((row.start, row.minutes, row.for_people, *of_work))
        begin = upto
        await asyncio.sleep(0)
    return rows.tobytes()


def unpacked(rows: bytes) -> Iterator[Packed]:
    """Unpack what ``history`` packed."""
    numbers = array("q")
    numbers.frombytes(rows)
    width = len(Packed._fields)
    return (Packed(*numbers[n : n + width]) for n in range(0, len(numbers), width))


def at(moment: int, zone: ZoneInfo) -> datetime:
    """Convert milliseconds since the epoch to local time."""
    return datetime.fromtimestamp(moment // 1000, UTC).astimezone(zone)


def midnight(day: date, zone: ZoneInfo) -> int:
    """Return when a local day begins, in ms."""
    return round(datetime.combine(day, time(), zone).timestamp()) * 1000


def day_of(moment: int, zone: ZoneInfo) -> date:
    """Return the local date of a moment."""
    return at(moment, zone).date()


def bounds(day: date, days: int, zone: ZoneInfo) -> tuple[int, int]:
    """Return begin and end (exclusive) of ``days`` local days."""
    return midnight(day, zone), midnight(day + timedelta(days=days), zone)
