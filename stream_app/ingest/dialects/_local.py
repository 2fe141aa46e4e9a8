"""Times without an offset: local times of one zone, and which of the two hours where the clocks go back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_JITTER: Final = timedelta(seconds=2)
"""Rows written by several threads may be so much out of order."""
_RECENT: Final = timedelta(hours=3)
"""What came longer after the doubled hour says nothing about it."""


class LocalClock:
    """The clock that wrote the stamps of one source, in their order.

    Attributes:
        last: the latest time, as far as it is known.
        was_local: whether a stamp without an offset was read since this was last reset.
    """

    def __init__(self, zone: ZoneInfo, last: datetime | None = None) -> None:
        self.zone = zone
        self.last = last
        self.was_local = False

    def at(self, stamp: datetime) -> datetime:
        """Return the time of a stamp. Where it has two, the one that does not run backwards: the first, if that is unknown.

        A stamp that does not exist, in spring, is read with the offset that was in force before.
        """
        self.was_local = True
        first = stamp.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
        second = stamp.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        found = first
        if second > first and self.last is not None and first + _JITTER < self.last < second + _RECENT:
            found = second
        if self.last is None or found > self.last:
            self.last = found
        return found
