"""Quarters of an hour of UTC made into half hours, hours and days by the clock of a time zone. Pure.

An interval is what the clock says: consecutive quarters of the same local half hour, hour or date, and of the same offset from
UTC. So a day has 23, 24 or 25 hours, what stands twice on the clock is two intervals, and where clocks change by half an hour
there is an hour of 30 minutes. ``docs/semantics.md`` is the specification.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.model.interval_rows import EVER, IntervalRow, together
from stream_app.model.intervals import MINUTE, QUARTER

INTERVALS: Final[dict[str, int]] = {"15m": 15, "30m": 30, "1h": 60, "1d": 1440}
"""What may be asked for, and how many minutes that usually is."""
DAY: Final = 86_400_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Span(Struct, frozen=True):
    """An interval of a zone's clock: from ``start`` until before ``end``, milliseconds since the epoch."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """Its true length."""
        return (self.end - self.start) // MINUTE


def moment(at: int, zone: ZoneInfo) -> datetime:
    """Milliseconds since the epoch as the zone's clock shows them."""
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone)


def milliseconds(at: datetime) -> int:
    """The inverse; the time must have an offset."""
    return (at - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=65_536)
def _offset(at: int, zone: ZoneInfo) -> int:
    """By how much the zone's clock is ahead of UTC, ms."""
    offset = moment(at, zone).utcoffset()
    return 0 if offset is None else offset // _MILLISECOND


class Clock:
    """One interval by one zone's clock."""

    def __init__(self, interval: str, zone: ZoneInfo) -> None:
        """``interval`` is one of ``INTERVALS``."""
        self.interval = interval
        self.zone = zone
        self._size = INTERVALS[interval] * MINUTE
        self._by_date = self._size == DAY

    def _name(self, at: int) -> tuple[int, int]:
        """What the quarters of one interval have in common: the floor on the clock, and the offset."""
        if self._size == QUARTER:
            return at, 0
        offset = _offset(at, self.zone)
        local = at + offset
        return local - local % self._size, 0 if self._by_date else offset

    def _end(self, start: int) -> int:
        """Where the interval ends that begins with a quarter."""
        name = self._name(start)
        local = start + _offset(start, self.zone)
        # By the clock of its beginning; that of its end is the same but on days on which clocks change.
        end = start + (self._size - local % self._size if self._size > QUARTER else QUARTER)
        if (
            end % QUARTER == 0
            and self._name(end) != name
            and _offset(end - QUARTER, self.zone) == _offset(start, self.zone)
        ):
            return end
        end = start + QUARTER
        while self._name(end) == name:
            end += QUARTER
        return end

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """The intervals that begin in ``[start, end)``, ms, in the order of time."""
        at = -(-start // QUARTER) * QUARTER
        if self._size > QUARTER:
            while self._name(at) == self._name(at - QUARTER):  # it began before
                at += QUARTER
        while at < end:
            span = Span(at, self._end(at))
            yield span
            at = span.end

    def first_of(self, day: date) -> int:
        """The first moment of a date, which is not always 00:00: clocks may skip it, or show it twice."""
        at = milliseconds(datetime(day.year, day.month, day.day, tzinfo=self.zone))
        while moment(at, self.zone).date() < day:
            at += QUARTER
        while moment(at - 1, self.zone).date() >= day:
            at -= QUARTER
        return at


def derive(
    rows: Iterable[IntervalRow], spans: Sequence[Span], now: int = EVER
) -> Iterator[tuple[Span, IntervalRow]]:
    """Intervals of quarters, made one by one as they are asked for, in the order of queue, channel and time.

    An interval of which nothing is known is not among them: it is no interval in which nobody came.

    Args:
        rows: quarters in the order of queue, channel and time, none outside of the spans.
        spans: one behind the other, in the order of time.
        now: ms; quarters that begin later are not missing.
    """
    for _, of_queue in groupby(rows, key=lambda row: (row.queue, row.channel)):
        at = 0
        quarters: list[IntervalRow] = []
        for row in of_queue:
            if row.start >= spans[at].end:
                if quarters:
                    yield spans[at], _one(quarters, spans[at], now)
                    quarters = []
                while row.start >= spans[at].end:
                    at += 1
            quarters.append(row)
        if quarters:
            yield spans[at], _one(quarters, spans[at], now)


def _one(quarters: list[IntervalRow], span: Span, now: int) -> IntervalRow:
    first = quarters[0]
    if len(quarters) == 1 and first.minutes == span.minutes:
        return first
    return together(quarters, span.start, span.minutes, now)
