"""Which interval rows plans are made from, packed as a process takes them."""

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
from stream_app.model.interval_rows import IntervalRow
from stream_app.model.ports import Intervals
from stream_app.model.targets import Targets
from stream_app.views.plan.planner import BusyError

WEEKS: Final = 26
"""So much of the past is learned from: a week counts half after twelve."""
DAY_MS: Final = 86_400_000
PIECE_MS: Final = 7 * DAY_MS
"""Read at once: whoever else uses the event loop waits for no more."""


LEAST_DAYS: Final = 35
"""A forecast rests on rows at least so old."""


class Packed(NamedTuple):
    """A row that is learned from: start in ms, contacts, contacts handled, ms of handling."""

    start: int
    minutes: int
    offered: int
    handled: int
    handle_ms: int


def within_outage(row: IntervalRow, targets: Targets) -> bool:
    """Whether nothing may be learned from a row, because something was down: the settings' ``outages``."""
    return targets.outage(row.queue, row.channel, row.start, row.end) is not None


def learned(row: IntervalRow, targets: Targets) -> bool:
    """Whether a row is learned from: complete, and not of an outage."""
    return row.final and not row.missing and not within_outage(row, targets)


@contextmanager
def in_words() -> Iterator[None]:
    """A store that does not answer, as planners say it."""
    try:
        yield
    except (StoreUnavailableError, QuarantinedError) as error:
        raise BusyError(f"the store is away: {error}") from None


def _of_outages_within(begin: int, end: int, place: tuple[str, str], targets: Targets) -> Targets:
    """The settings without the outages of other times: a row need not be compared with each of them."""
    near = tuple(outage for outage in targets.outages if outage.overlaps(*place, begin, end))
    return structs.replace(targets, outages=near)


async def reaches_back(intervals: Intervals, place: tuple[str, str], end: int) -> bool:
    """Whether there may be enough for a forecast before ``end`` (ms): asked by a look, without a process that computes.

    Raises:
        StoreUnavailableError: no answer.
    """
    begin = end - LEAST_DAYS * DAY_MS - 2 * PIECE_MS
    return bool(await intervals.rows(begin, end - LEAST_DAYS * DAY_MS, {place[0]}, {place[1]}))


async def history(intervals: Intervals, place: tuple[str, str], end: int, targets: Targets) -> bytes:
    """What is learned of a queue and channel before ``end`` (ms), packed, oldest first.

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
                rows.extend((row.start, row.minutes, row.offered, row.handled, row.handle_ms))
        begin = upto
        await asyncio.sleep(0)
    return rows.tobytes()


def unpacked(rows: bytes) -> Iterator[Packed]:
    """The inverse."""
    numbers = array("q")
    numbers.frombytes(rows)
    width = len(Packed._fields)
    return (Packed(*numbers[n : n + width]) for n in range(0, len(numbers), width))


def at(moment: int, zone: ZoneInfo) -> datetime:
    """Milliseconds since the epoch as local time."""
    return datetime.fromtimestamp(moment // 1000, UTC).astimezone(zone)


def midnight(day: date, zone: ZoneInfo) -> int:
    """When a local day begins, in ms."""
    return round(datetime.combine(day, time(), zone).timestamp()) * 1000


def day_of(moment: int, zone: ZoneInfo) -> date:
    """The local date of a moment."""
    return at(moment, zone).date()


def bounds(day: date, days: int, zone: ZoneInfo) -> tuple[int, int]:
    """Begin, and end (exclusive), of so many local days."""
    return midnight(day, zone), midnight(day + timedelta(days=days), zone)
