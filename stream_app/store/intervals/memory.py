"""Interval rows in memory, from files or from a topic. They pass the suite that the reader of Redis passes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator

from stream_app.model.events import QueueChannel
from stream_app.model.intervals.columns import IntervalRow


class MemoryIntervals:
    """The port ``Intervals``. Rows without revisions are as good as those with: nothing ever changes after them."""

    def __init__(self, rows: Iterable[IntervalRow] = (), places: Iterable[QueueChannel] = ()) -> None:
        """Keep rows; ``places`` are queues and channels that are known besides, whose rows are not here."""
        self._rows: dict[QueueChannel, list[IntervalRow]] = {}
        self._known = {*places}
        self._changes = 0
        for row in rows:
            self.put(row)

    def put(self, row: IntervalRow) -> None:
        """Add a row, or let it take the place of the one that was there."""
        self._changes += 1
        place = row.queue, row.channel
        self._known.add(place)
        mine = self._rows.setdefault(place, [])
        at = bisect_left(mine, row.start, key=_start)
        if at < len(mine) and mine[at].start == row.start:
            mine[at] = row
        else:
            mine.insert(at, row)

    def every(self) -> Iterator[IntervalRow]:
        """Yield all rows in the order of queue, channel and time."""
        for place in sorted(self._rows):
            yield from self._rows[place]

    async def names(self) -> tuple[Collection[str], Collection[str]]:
        """Return the queues and the channels that there are."""
        return {queue for queue, _ in self._known}, {channel for _, channel in self._known}

    async def stretch(self) -> tuple[int, int]:
        """Return the beginning of the first row and the end of the last, ms; without rows the same twice."""
        some = self._rows.values()
        return min((rows[0].start for rows in some), default=0), max(
            (rows[-1].end for rows in some), default=0
        )

    async def rows(
        self,
        start: int,
        end: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """See ``Intervals.rows``."""
        found: list[IntervalRow] = []
        for place in sorted(self._rows):
            if _wanted(place, queues, channels):
                rows = self._rows[place]
                found += rows[bisect_left(rows, start, key=_start) : bisect_left(rows, end, key=_start)]
        return found

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """See ``Intervals.since``."""
        found = [
            row
            for row in self.every()
            if row.final and row.revision > revision and _wanted((row.queue, row.channel), queues, channels)
        ]
        return sorted(found, key=lambda row: row.revision)[:limit]

    async def newest(self) -> int:
        """See ``Intervals.newest``."""
        return max((row.revision for row in self.every()), default=0)

    async def state(self) -> str:
        """See ``Intervals.state``."""
        return f"memory {self._changes}"


def _start(row: IntervalRow) -> int:
    return row.start


def _wanted(place: QueueChannel, queues: Collection[str] | None, channels: Collection[str] | None) -> bool:
    return (queues is None or place[0] in queues) and (channels is None or place[1] in channels)
