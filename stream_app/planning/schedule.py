"""The imported schedule, in the form that plans need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from stream_app.workforce.schedules import Shift, by_queue, coverage, pieces


class Schedules(Protocol):
    """The source of the schedule."""

    async def version(self) -> int:
        """Return the version in force; 0: none."""
        ...

    async def current(self) -> tuple[int, bytes]:
        """Return the version and its document: JSON, a list of shifts."""
        ...


class CurrentSchedule:
    """The schedule in force, read again when its version changes."""

    def __init__(self, schedules: Schedules) -> None:
        """Take the source; it is read on the first request."""
        self._schedules = schedules
        self._known: tuple[int, Mapping[tuple[str, str], list[Shift]]] = (0, {})

    async def version(self) -> int:
        """Return the version in force; 0: none.

        Raises:
            StoreUnavailableError: no answer.
        """
        return await self._schedules.version()

    async def shifts(
        self, place: tuple[str, str], begin: int, end: int, zone: ZoneInfo
    ) -> tuple[int | None, list[Shift] | None, tuple[float, float] | None]:
        """Return the version, a queue's shifts within ``[begin, end)`` (ms), and what the schedule covers, in seconds.

        Both are ``None`` where the schedule covers nothing of this time.

        Raises:
            StoreUnavailableError: no answer.
        """
        if await self._schedules.version() != self._known[0]:
            version, document = await self._schedules.current()
            self._known = version, by_queue(msgspec.json.decode(document, type=list[Shift]))
        version, known = self._known
        theirs = known.get(place, [])
        covers = coverage(theirs, zone).get(place)
        if covers is None or not (covers[0] * 1000 < end and covers[1] * 1000 > begin):
            return version or None, None, None
        here = [shift for shift in theirs if shift.start * 1000 < end and shift.end * 1000 > begin]
        return version or None, here, covers


def people(shifts: Sequence[Shift], start: int, length: int) -> float:
    """Return the people scheduled, mean over ``length`` from ``start`` on; both in ms."""
    begin, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (start, start + length))
    return sum(share * n for share, n in pieces(shifts, begin, end))
