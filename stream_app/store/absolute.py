"""What a commit makes of cells and interval rows: absolute values, from what is stored and what is added.

The owner of a partition remembers those that it touched last, and reads any other one before it adds to it.
"""

from __future__ import annotations

from typing import Any

from stream_app.model.durations import DAY
from stream_app.model.fold.cells import Cell, add_into, roll_up
from stream_app.model.fold.deltas import Deltas
from stream_app.model.intervals.counting import add_amounts, interval_of_day
from stream_app.model.ports import Partition
from stream_app.model.targets.conversations import is_written
from stream_app.model.windows import KEPT

from . import keys
from .client import faults
from .codec import unpack_amounts, unpack_cell
from .names import Names, NumberedName, in_use
from .remembered import Remembered

_Place = tuple[int, int, bytes]  # resolution, bucket start, field
_Row = tuple[int, bytes]  # interval's start, field


class Absolute:
    """The cells and interval rows of a partition.

    Attributes:
        used: the names that the latest commit uses, with their numbers.
        written: of its fields, those of written channels.
    """

    def __init__(self, client: Any, partition: Partition, queues: Names, channels: Names) -> None:
        self._client = client
        self._partition = partition
        self._queues = queues
        self._channels = channels
        self._cells: Remembered[_Place] = Remembered(self._read_cells, add_into)
        self._rows: Remembered[_Row] = Remembered(self._read_rows, add_amounts)
        self.used: list[NumberedName] = []
        self.written: set[bytes] = set()

    async def after(self, deltas: Deltas) -> tuple[dict[_Place, Cell], dict[_Row, Cell]]:
        """Return the new values of every cell and interval row that a commit with these changes touches."""
        time = deltas.time
        places = {(queue, channel) for _, queue, channel in (*deltas.cells, *deltas.rows)}
        queues = await self._queues.learn(queue for queue, _ in places)
        channels = await self._channels.learn(channel for _, channel in places)
        names = {
            (queue, channel): b"%d.%d" % (queues.get(queue, 0), channels.get(channel, 0))
            for queue, channel in places
        }
        self.written = {at for (_, name), at in names.items() if is_written(name) or at.endswith(b".0")}
        rolled = roll_up(deltas.cells, lambda resolution, start: start < time - KEPT[resolution])
        cells = [  # queues past the cap share a name, and so a place
            ((resolution, start, names[queue, channel]), amounts)
            for (resolution, (start, queue, channel)), amounts in rolled.items()
        ]
        rows = [
            ((start, names[queue, channel]), amounts)
            for (start, queue, channel), amounts in deltas.rows.items()
        ]
        self.used = [*in_use(b"2", queues, places, 0), *in_use(b"4", channels, places, 1)]
        await self._cells.load(place for place, _ in cells)
        await self._rows.load(place for place, _ in rows)
        return self._cells.add(cells), self._rows.add(rows)  # both or neither: nothing can fail in between

    async def _read_cells(self, places: set[_Place]) -> dict[_Place, Cell]:
        buckets: dict[tuple[int, int], list[bytes]] = {}
        for resolution, start, name in places:
            buckets.setdefault((resolution, start), []).append(name)
        async with faults():
            pipe = self._client.pipeline(transaction=False)
            for (resolution, start), names in buckets.items():
                pipe.hmget(keys.cells(self._partition, resolution, start), names)
            found = await pipe.execute()
        return {
            (resolution, start, name): unpack_cell(packed) if packed else {}
            for ((resolution, start), names), values in zip(buckets.items(), found, strict=True)
            for name, packed in zip(names, values, strict=True)
        }

    async def _read_rows(self, places: set[_Row]) -> dict[_Row, Cell]:
        days: dict[tuple[int, bytes], list[int]] = {}
        for start, name in places:
            days.setdefault((start // DAY, name), []).append(start)
        async with faults():
            pipe = self._client.pipeline(transaction=False)
            for (day, name), starts in days.items():
                pipe.hmget(
                    keys.rows(self._partition, day, name), [interval_of_day(start) for start in starts]
                )
            found = await pipe.execute()
        return {
            (start, name): unpack_amounts(packed) if packed else {}
            for ((_, name), starts), values in zip(days.items(), found, strict=True)
            for start, packed in zip(starts, values, strict=True)
        }
