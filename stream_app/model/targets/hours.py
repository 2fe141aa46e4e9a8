"""Business hours: when a team works, by its local clock. Moments are milliseconds since the epoch, ends exclusive.

A calendar computes in business time what plain subtraction computes in calendar time. Where clocks change, three rules hold:
a queue is open while the local clock shows a time within its hours, so an hour that occurs twice counts twice; a time that the
clock skips is read by the offset before the gap (as in RFC 5545, 3.3.5), so that an opening at 02:30 happens at 03:30 that day;
and hours that would thus end before they begin are empty.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from stream_app.model.durations import DAY, HOUR, MINUTE

DAY_MINUTES: Final = 24 * 60

Period = tuple[int, int]
"""Minutes of a local day: from, until; 24:00 is 1440."""
Opening = tuple[int, int]
"""Moments: from, until."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
_AHEAD: Final = 16 * HOUR
"""No zone is further from UTC than this."""
_BLOCK: Final = 32 * DAY
_BLOCKS_KEPT: Final = 64
LATEST: Final = 7_258_118_400_000
"""2200-01-01: no opening is searched for after it."""


class Calendar:
    """Weekly opening hours of one zone, with the dates on which they do not hold.

    Days are laid out in blocks, once each, and a bounded number of blocks is kept: a query costs two look-ups.
    """

    def __init__(
        self,
        zone: str,
        weekly: Mapping[int, Sequence[Period]],
        *,
        special: Mapping[date, Sequence[Period]] | None = None,
        breaks: Mapping[date, Sequence[Period]] | None = None,
        holidays: Iterable[date] = (),
    ) -> None:
        """Take the hours, each day's in order and without overlap.

        Args:
            zone: IANA name.
            weekly: by weekday, Monday is 0; a missing day is closed. Across midnight: until 24:00, and on from 0:00.
            special: hours of a date, instead of its weekday's.
            breaks: closed within a date's hours, whichever those are.
            holidays: closed all day.

        Raises:
            ValueError: no weekday has hours, periods are out of order, or the zone does not exist.
        """
        self.zone = zone
        self._tz = ZoneInfo(zone)
        self._weekly = [joined(weekly.get(day, ())) for day in range(7)]
        if not any(self._weekly):
            raise ValueError("at least one weekday needs hours")
        self._dates = {day.toordinal(): joined(periods) for day, periods in (special or {}).items()}
        self._dates |= {day.toordinal(): () for day in holidays}
        self._breaks = {day.toordinal(): joined(periods) for day, periods in (breaks or {}).items()}
        self._blocks: dict[int, _Block] = {}

    def within(self, a: int, b: int) -> int:
        """Return how much of [a, b) is business time, in milliseconds; 0 where a ≥ b."""
        if a >= b:
            return 0
        n, last = a // _BLOCK, b // _BLOCK
        block = self._blocks.get(n) or self._lay_out(n)
        found = -block.until(a)
        while n < last:
            found += block.total
            n += 1
            block = self._blocks.get(n) or self._lay_out(n)
        return found + block.until(b)

    def after(self, at: int, business_ms: int) -> int:
        """Return the first moment at which ``business_ms`` of business time have passed since ``at``; for 0 the next opening.

        Raises:
            ValueError: the time is negative.
            OverflowError: that would be after 2200.
        """
        if business_ms < 0:
            raise ValueError(f"expected non-negative business time, got {business_ms} ms")
        if business_ms == 0:
            return self.next_opening(at)
        n = at // _BLOCK
        block = self._blocks.get(n) or self._lay_out(n)
        left = business_ms + block.until(at)
        while left > block.total:
            left -= block.total
            n += 1
            if n * _BLOCK > LATEST:
                raise OverflowError(f"{business_ms} ms of business time after {at} end after the year 2200")
            block = self._blocks.get(n) or self._lay_out(n)
        i = bisect_left(block.before, left) - 1
        return block.starts[i] + left - block.before[i]

    def hours_of(self, day: date) -> tuple[Period, ...]:
        """Return the hours of a local date, breaks included; empty: closed all day."""
        return self._dates.get(day.toordinal(), self.usual(day.weekday()))

    def usual(self, weekday: int) -> tuple[Period, ...]:
        """Return the hours of a weekday, Monday is 0; empty: closed."""
        return self._weekly[weekday]

    def exceptions(self) -> tuple[date, ...]:
        """Return the dates with other hours than their weekday's: holidays and special days."""
        return tuple(date.fromordinal(n) for n in sorted(self._dates))

    def is_open(self, at: int) -> bool:
        """Return whether ``at`` is business time."""
        n = at // _BLOCK
        block = self._blocks.get(n) or self._lay_out(n)
        i = bisect_right(block.starts, at) - 1
        return i >= 0 and at < block.ends[i]

    def next_opening(self, at: int) -> int:
        """Return ``at`` itself if it is open, otherwise the next moment that is.

        Raises:
            OverflowError: there is none before 2200.
        """
        n = at // _BLOCK
        while n * _BLOCK <= LATEST:
            block = self._blocks.get(n) or self._lay_out(n)
            i = bisect_right(block.starts, at)
            if i and at < block.ends[i - 1]:
                return at
            if i < len(block.starts):
                return block.starts[i]
            n += 1
        raise OverflowError(f"nothing opens between {at} and the year 2200")

    def periods(self, at: int) -> Iterator[Opening]:
        """Yield the spans of business time from ``at`` on, the first of them cut there; adjacent ones are joined."""
        begun: Opening | None = None
        n = at // _BLOCK
        while n * _BLOCK <= LATEST:
            block = self._blocks.get(n) or self._lay_out(n)
            for start, end in zip(block.starts, block.ends, strict=True):
                if end <= at:
                    continue
                if begun is not None and begun[1] == start:
                    begun = (begun[0], end)
                    continue
                if begun is not None:
                    yield begun
                begun = (max(start, at), end)
            # A span that touches the edge may continue in the next block.
            if begun is not None and begun[1] < (n + 1) * _BLOCK:
                yield begun
                begun = None
            n += 1
        if begun is not None:
            yield begun

    def _lay_out(self, n: int) -> _Block:
        low, high = n * _BLOCK, (n + 1) * _BLOCK
        days = range((low - _AHEAD) // DAY, (high + _AHEAD) // DAY + 1)
        spans = sorted(span for day in days for span in self._day(day + _EPOCH))
        while len(self._blocks) >= _BLOCKS_KEPT:
            del self._blocks[next(iter(self._blocks))]
        block = self._blocks[n] = _Block((max(start, low), min(end, high)) for start, end in spans)
        return block

    def _day(self, day: int) -> list[Opening]:
        """Return the business time of a local date, identified by its ordinal."""
        periods = self._dates.get(day)
        if periods is None:
            periods = self._weekly[(day - 1) % 7]
        spans = self._moments(day, periods)
        if day in self._breaks:
            for closed in self._moments(day, self._breaks[day]):
                spans = [part for span in spans for part in _without(span, closed)]
        return spans

    def _moments(self, day: int, periods: Sequence[Period]) -> list[Opening]:
        """Return when the local clock shows these periods of a local date."""
        midnight = (day - _EPOCH) * DAY
        # No zone changes its offset twice within these two days: what differs at the ends changes once between.
        early, late = midnight - _AHEAD, midnight + DAY + _AHEAD
        before, after = self._offset(early), self._offset(late)
        if before == after:
            return [(midnight + a * MINUTE - before, midnight + b * MINUTE - before) for a, b in periods]
        change = self._change(early, late, before)
        found = []
        for a, b in periods:
            start, end = midnight + a * MINUTE, midnight + b * MINUTE
            skipped = change + before <= start < change + after
            found.append((start - before, min(end - before, change)))
            found.append((start - before if skipped else max(start - after, change), end - after))
        return sorted(span for span in found if span[0] < span[1])

    def _offset(self, at: int) -> int:
        """Return the zone's offset from UTC, in milliseconds."""
        offset = datetime.fromtimestamp(at / 1000, tz=UTC).astimezone(self._tz).utcoffset()
        return round(offset.total_seconds() * 1000) if offset else 0

    def _change(self, early: int, late: int, before: int) -> int:
        """Return the second at which the offset stops being ``before``."""
        low, high = early // 1000, late // 1000
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle * 1000) == before:
                low = middle
            else:
                high = middle
        return high * 1000


class _Block:
    """Business time of some weeks: spans, and the business time before each."""

    __slots__ = ("before", "ends", "starts", "total")

    def __init__(self, spans: Iterable[Opening]) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.before: list[int] = []
        self.total = 0
        for start, end in spans:
            if start < end:
                self.starts.append(start)
                self.ends.append(end)
                self.before.append(self.total)
                self.total += end - start

    def until(self, at: int) -> int:
        """Return how much of the block's business time lies before ``at``."""
        i = bisect_right(self.starts, at) - 1
        if i < 0:
            return 0
        if at < self.ends[i]:
            return self.before[i] + at - self.starts[i]
        return self.before[i] + self.ends[i] - self.starts[i]


def joined(periods: Sequence[Period]) -> tuple[Period, ...]:
    """Join periods that touch, so that no change of the clock opens a gap between them."""
    found: list[Period] = []
    for start, end in periods:
        if not 0 <= start < end <= DAY_MINUTES:
            raise ValueError(
                f"{clock(start)}-{clock(end)} must end after it begins; to cross midnight, write {clock(start)}-24:00 and "
                f"00:00-{clock(end)} on the next day"
            )
        if found and start < found[-1][1]:
            raise ValueError(
                f"{clock(start)}-{clock(end)} overlaps the period before it, which ends at {clock(found[-1][1])}"
            )
        if found and start == found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


def _without(span: Opening, closed: Opening) -> Iterator[Opening]:
    if span[0] < min(span[1], closed[0]):
        yield span[0], min(span[1], closed[0])
    if max(span[0], closed[1]) < span[1]:
        yield max(span[0], closed[1]), span[1]


def clock(minutes: int) -> str:
    """Format minutes of a day as a local time."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
