"""Buckets and windows. Starts are inclusive, ends exclusive; times are milliseconds since the epoch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

BASE: Final = 10_000
"""Facts are tallied into buckets of 10 s; coarser ones are sums of these."""
TOTAL: Final = 0
"""The resolution of what is kept for ever: one bucket, which starts at 0."""

KEPT: Final[dict[int, int]] = {
    10_000: 20 * 60_000,
    60_000: 2 * 3_600_000,
    900_000: 2 * 86_400_000,
}
"""Resolution → how long a bucket is kept, counted from its start in partition time."""
RESOLUTIONS: Final = tuple(KEPT)


class Window(Struct, frozen=True):
    """A rolling window, or the running day (``span`` is ``None``)."""

    name: str
    resolution: int
    span: int | None

    def start(self, now: int, zone: str) -> int:
        """Return the start of its first bucket: the window is every bucket from there to the one that holds ``now``."""
        if self.span is None:
            return midnight(now, zone)
        return now // self.resolution * self.resolution - self.span + self.resolution


WINDOWS: Final[dict[str, Window]] = {
    w.name: w
    for w in (
        Window("5m", 10_000, 300_000),
        Window("15m", 10_000, 900_000),
        Window("30m", 60_000, 1_800_000),
        Window("1h", 60_000, 3_600_000),
        Window("today", 900_000, None),
    )
}


def midnight(now: int, zone: str) -> int:
    """Return the start of the day that holds ``now``, by the local clock of ``zone``.

    Days of 23 and 25 hours come out right; where midnight itself is skipped, the day starts when the clock moves on.
    """
    local = datetime.fromtimestamp(now / 1000, tz=_zone(zone))
    return _midnight(local.date().toordinal(), zone)


@lru_cache(maxsize=1024)
def _midnight(day: int, zone: str) -> int:
    start = datetime.fromordinal(day).replace(tzinfo=_zone(zone))
    # Through UTC and back: a local time that does not exist is moved past the gap.
    return (start.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
