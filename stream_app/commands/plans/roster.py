"""The imported roster, as plans need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from stream_app.workforce.schedules import Shift, by_queue, pieces

from .rows import day_of, midnight


class Rosters(Protocol):
    """Where the roster is read."""

    async def version(self) -> int:
        """The version in force; 0: none."""
        ...

    async def current(self) -> tuple[int, bytes]:
        """The version and its document: JSON, a list of stretches."""
        ...


class Roster:
    """The version in force, read when there is another one."""

    def __init__(self, rosters: Rosters) -> None:
        """Reads with the first question."""
        self._rosters = rosters
        self._known: tuple[int, Mapping[tuple[str, str], list[Shift]]] = (0, {})

    async def version(self) -> int:
        """Which one is in force; 0: none.

        Raises:
            StoreUnavailableError: no answer.
        """
        return await self._rosters.version()

    async def shifts(
        self, place: tuple[str, str], begin: int, end: int, zone: ZoneInfo
    ) -> tuple[int | None, list[Shift] | None]:
        """The version, and a queue's stretches within ``[begin, end)`` (ms); ``None``: it says nothing of them.

        Raises:
            StoreUnavailableError: no answer.
        """
        if await self._rosters.version() != self._known[0]:
            version, document = await self._rosters.current()
            self._known = version, by_queue(msgspec.json.decode(document, type=list[Shift]))
        version, shifts = self._known
        return version or None, scheduled_for(shifts.get(place, ()), begin, end, zone)


def scheduled_for(shifts: Sequence[Shift], begin: int, end: int, zone: ZoneInfo) -> list[Shift] | None:
    """The stretches that reach into ``[begin, end)`` (ms); ``None``: the roster says nothing of this time.

    It speaks for all days from its first to its last: a day between on which nobody is scheduled has nobody.
    """
    if not shifts:
        return None
    first = day_of(round(min(shift.start for shift in shifts) * 1000), zone)
    last = day_of(round(max(shift.end for shift in shifts) * 1000) - 1, zone)
    if not midnight(first, zone) <= begin < midnight(last + timedelta(days=1), zone):
        return None
    return [shift for shift in shifts if shift.start * 1000 < end and shift.end * 1000 > begin]


def people(shifts: Sequence[Shift], start: int, length: int) -> float:
    """People on the roster, mean over ``length`` from ``start`` on; both in ms."""
    begin, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (start, start + length))
    return sum(share * n for share, n in pieces(shifts, begin, end))
