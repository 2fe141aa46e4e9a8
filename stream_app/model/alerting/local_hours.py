"""Weekly hours by a zone's local clock, in the terms of an evaluator that knows only UTC: spans of the week, and offsets.

Unlike a queue's calendar they have no dates, so that Prometheus and Grafana can evaluate them by themselves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.model.durations import MINUTE
from stream_app.model.targets.calendars import WEEKDAYS, Hours
from stream_app.model.targets.hours import DAY_MINUTES

DAY_S: Final = 86_400
MONDAY_S: Final = -3 * DAY_S
"""1969-12-29, the last Monday before the epoch, in seconds."""
FIRST_YEAR, LAST_YEAR = 2024, 2035
"""Clock changes of these years are known to the evaluators; outside of them, the nearest offset holds."""


class LocalHours(Struct, frozen=True):
    """Hours of the week by a local clock.

    Attributes:
        hours: as people write them, checked: weekdays with periods, and a zone.
    """

    hours: Hours

    @property
    def zone(self) -> str:
        """The IANA zone of the clock."""
        return self.hours.zone or "UTC"

    @property
    def by_period(self) -> dict[tuple[int, int], list[int]]:
        """Minutes of a day, from and until → the weekdays on which they hold, Monday is 0."""
        found: dict[tuple[int, int], list[int]] = {}
        for day, name in enumerate(WEEKDAYS):
            for period in self.hours.hours.get(name, ()):
                start, end = (_minutes(part) for part in period.split("-"))
                found.setdefault((start, end), []).append(day)
        return found

    def holds(self, at: int) -> bool:
        """Return whether a moment, ms, is within the hours."""
        base, changes = offsets(self.zone)
        offset = base + sum(by for change, by in changes if at >= change * 1000)
        days, second = divmod(at // 1000 + offset - MONDAY_S, DAY_S)
        return any(
            start <= second // 60 < end and days % 7 in on for (start, end), on in self.by_period.items()
        )

    @property
    def longest(self) -> int:
        """The longest time for which they hold without a break, in minutes; a week if they always hold."""
        on = [False] * (7 * DAY_MINUTES)
        for (start, end), days in self.by_period.items():
            for day in days:
                on[day * DAY_MINUTES + start : day * DAY_MINUTES + end] = [True] * (end - start)
        longest = run = 0
        for minute in (*on, *on):
            run = run + 1 if minute else 0
            longest = max(longest, run)
        return min(longest, len(on))

    def edges(self, start: int, end: int) -> Iterator[int]:
        """Yield the moments in ``(start, end)``, ms, at which it begins or ceases to hold."""
        first = start // MINUTE * MINUTE
        for before, after in pairwise(range(first, end, MINUTE)):
            if after > start and self.holds(before) != self.holds(after):
                yield after


def _minutes(text: str) -> int:
    hour, _, minute = text.partition(":")
    return int(hour) * 60 + int(minute)


@lru_cache(maxsize=64)
def offsets(zone: str) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Return how far a zone's clock is ahead of UTC.

    Returns:
        Seconds at first; and the changes from ``FIRST_YEAR`` to ``LAST_YEAR``: Unix time in seconds, seconds added then.
    """
    tz = ZoneInfo(zone)

    def ahead(at: int) -> int:
        offset = datetime.fromtimestamp(at, tz=UTC).astimezone(tz).utcoffset()
        return round(offset.total_seconds()) if offset else 0

    first, last = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (FIRST_YEAR, LAST_YEAR + 1))
    changes: list[tuple[int, int]] = []
    for low, high in pairwise(range(first, last + 1, DAY_S)):
        before, after = ahead(low), ahead(high)
        if before == after:
            continue
        seconds = range(low, high + 1)
        change = seconds[bisect_left(seconds, True, key=lambda at: ahead(at) != before)]
        changes.append((change, after - before))
    return ahead(first), tuple(changes)
