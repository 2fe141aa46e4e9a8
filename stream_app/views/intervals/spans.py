"""Half hours, hours and days by the clock of a time zone, made from 15-minute intervals of UTC. Pure.

The clock defines an interval: consecutive 15-minute intervals of the same local half hour, hour or date, and of the same
offset from UTC. So a day has 23, 24 or 25 hours, a time that the clock shows twice is two intervals, and where clocks change
by half an hour there is an hour of 30 minutes. ``docs/semantics.md`` is the specification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.model.durations import DAY, MINUTE
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.model.intervals.row import EVER, together

INTERVALS: Final[dict[str, int]] = {"15m": 15, "30m": 30, "1h": 60, "1d": 1440}
"""The intervals that may be asked for, and their usual length in minutes."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Span(Struct, frozen=True):
    """An interval of a zone's clock: from ``start`` until before ``end``, milliseconds since the epoch."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """Its actual length."""
        return (self.end - self.start) // MINUTE


def moment(at: int, zone: ZoneInfo) -> datetime:
    """Return milliseconds since the epoch as the zone's clock shows them."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone)


def milliseconds(at: datetime) -> int:
    """Return a time as milliseconds since the epoch; it must have an offset."""
    return (at - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=65_536)
def _offset(at: int, zone: ZoneInfo) -> int:
    """Return how far the zone's clock is ahead of UTC, ms."""
    offset = moment(at, zone).utcoffset()
    return 0 if offset is None else offset // _MILLISECOND


class ZoneClock:
    """Intervals of one length by one zone's clock."""

    def __init__(self, interval: str, zone: ZoneInfo) -> None:
        """Take the interval, one of ``INTERVALS``, and the zone."""
        self.interval = interval
        self.zone = zone
        self._size = INTERVALS[interval] * MINUTE
        self._by_date = self._size == DAY

    def _name(self, at: int) -> tuple[int, int]:
        """Return what the 15-minute intervals of one interval have in common: the floor on the clock, and the offset."""
        if self._size == INTERVAL_MS:
            return at, 0
        offset = _offset(at, self.zone)
        local = at + offset
        return local - local % self._size, 0 if self._by_date else offset

    def _end(self, start: int) -> int:
        """Return where the interval ends that begins at ``start``."""
        name = self._name(start)
        local = start + _offset(start, self.zone)
        # By the clock at its beginning; the clock at its end differs only on days on which clocks change.
        end = start + (self._size - local % self._size if self._size > INTERVAL_MS else INTERVAL_MS)
        if (
            end % INTERVAL_MS == 0
            and self._name(end) != name
            and _offset(end - INTERVAL_MS, self.zone) == _offset(start, self.zone)
        ):
            return end
        end = start + INTERVAL_MS
        while self._name(end) == name:
            end += INTERVAL_MS
        return end

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the intervals that begin in ``[start, end)``, ms, in chronological order."""
        at = -(-start // INTERVAL_MS) * INTERVAL_MS
        if self._size > INTERVAL_MS:
            while self._name(at) == self._name(at - INTERVAL_MS):  # it began before
                at += INTERVAL_MS
        while at < end:
            span = Span(at, self._end(at))
            yield span
            at = span.end

    def first_of(self, day: date) -> int:
        """Return the first moment of a date, which is not always 00:00: clocks may skip it, or show it twice."""
        at = milliseconds(datetime(day.year, day.month, day.day, tzinfo=self.zone))
        while moment(at, self.zone).date() < day:
            at += INTERVAL_MS
        while moment(at - 1, self.zone).date() >= day:
            at -= INTERVAL_MS
        return at


def derive(
    rows: Iterable[IntervalRow], spans: Sequence[Span], now: int = EVER
) -> Iterator[tuple[Span, IntervalRow]]:
    """Yield longer intervals from 15-minute rows, made one by one as they are asked for, ordered by queue, channel and time.

    Intervals without any row are left out: a missing row is not a zero row.

    Args:
        rows: 15-minute rows ordered by queue, channel and time, none outside the spans.
        spans: consecutive, in chronological order.
        now: ms; intervals that begin later are not missing.
    """
    for _, of_queue in groupby(rows, key=lambda row: (row.queue, row.channel)):
        at = 0
        parts: list[IntervalRow] = []
        for row in of_queue:
            if row.start >= spans[at].end:
                if parts:
                    yield spans[at], _one(parts, spans[at], now)
                    parts = []
                while row.start >= spans[at].end:
                    at += 1
            parts.append(row)
        if parts:
            yield spans[at], _one(parts, spans[at], now)


def _one(parts: list[IntervalRow], span: Span, now: int) -> IntervalRow:
    first = parts[0]
    if len(parts) == 1 and first.minutes == span.minutes:
        return first
    return together(parts, span.start, span.minutes, now)
