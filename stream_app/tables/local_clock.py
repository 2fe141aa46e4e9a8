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

    def __init__(
        self, zone: ZoneInfo, last: datetime | None = None, jitter: timedelta | None = _JITTER
    ) -> None:
        """Begin with a source.

        Args:
            zone: the clock's.
            last: how far the source was read before.
            jitter: so much may stamps be out of order; ``None``: they are in no order, and nothing follows from it.
        """
        self._jitter = jitter
        self.zone = zone
        self.last = last
        self.was_local = False

    def at(self, stamp: datetime) -> datetime:
        """Return the time of a stamp. Where it has two, the one that does not run backwards: the first, if that is unknown.

        A stamp that does not exist, in spring, is read with the offset that was in force before.
        """
        self.was_local = True
        first, second = self.both(stamp)
        found = second if second > first and self._is_second(first, second) else first
        if self.last is None or found > self.last:
            self.last = found
        return found

    def both(self, stamp: datetime) -> tuple[datetime, datetime]:
        """Return the two times of a stamp, which are the same except where the clocks go back."""
        first, second = (stamp.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return first, second

    def _is_second(self, first: datetime, second: datetime) -> bool:
        if self._jitter is None or self.last is None or self.last >= second + _RECENT:
            return False
        if first + self._jitter < self.last:
            return True
        offset = second.astimezone(self.zone).utcoffset()
        return self.last > first and self.last.astimezone(self.zone).utcoffset() == offset
