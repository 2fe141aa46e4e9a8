"""Interval rows that were counted from files, behind the port by which a store's are read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from itertools import groupby

from stream_app.model.interval_rows import IntervalRow


class Folded:
    """Rows in memory. They never change, and have no revisions."""

    def __init__(self, rows: Iterable[IntervalRow]) -> None:
        """``rows`` are in the order of queue, channel and time."""
        self._places = {
            place: list(of) for place, of in groupby(rows, key=lambda row: (row.queue, row.channel))
        }

    @property
    def stretch(self) -> tuple[int, int]:
        """From the beginning of the first row to the end of the last, ms."""
        every = self._places.values()
        return min((rows[0].start for rows in every), default=0), max(
            (rows[-1].end for rows in every), default=0
        )

    async def rows(
        self,
        start: int,
        end: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """As the port says."""
        found: list[IntervalRow] = []
        for (queue, channel), rows in self._places.items():
            if (queues is None or queue in queues) and (channels is None or channel in channels):
                first, last = (bisect_left(rows, at, key=lambda row: row.start) for at in (start, end))
                found += rows[first:last]
        return found

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """As the port says: nothing changes."""
        del revision, limit, queues, channels
        return []

    async def state(self) -> str:
        """As the port says."""
        return "folded"
