"""Reading of published interval rows; see ``model.ports.Intervals``."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec

from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.intervals.day import rows_of
from stream_app.store import keys
from stream_app.store.client import connect, faults
from stream_app.store.codec import unpack_day
from stream_app.store.names import OTHER

DAYS: Final = 16
"""Days read in one round trip."""
ENTRIES: Final = 16
_Names = dict[bytes, tuple[str, str]]
_numbered = msgspec.msgpack.Decoder(list[tuple[int, bytes, list[int]]])


class IntervalReader:
    """Reads published rows."""

    def __init__(self, url: str) -> None:
        """Set it up; it connects with the first command."""
        self._client = connect(url)
        self._names: dict[str, dict[int, str]] = {}

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def state(self) -> str:
        """See ``Intervals.state``."""
        async with faults():
            epoch, state = await self._client.hmget(keys.published("meta"), "epoch", "state")
            identity = await self._client.get(keys.IDENTITY)
        return f"{(identity or b'').decode()}.{int(epoch or 0)}.{int(state or 0)}"

    async def newest(self) -> int:
        """See ``Intervals.newest``."""
        async with faults():
            return int(await self._client.hget(keys.published("meta"), "revision") or 0)

    async def stretch(self) -> tuple[int, int]:
        """Return the start of the first day with rows and the end of the last, ms; ``(0, 0)`` if there are none."""
        async with faults():
            pipe = self._client.pipeline(transaction=False)
            pipe.zrange(keys.published("days"), 0, 0)
            pipe.zrange(keys.published("days"), -1, -1)
            first, last = await pipe.execute()
        return (int(first[0]) * DAY, (int(last[0]) + 1) * DAY) if first else (0, 0)

    async def rows(
        self,
        start: int,
        end: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """See ``Intervals.rows``."""
        async with faults():
            found = await self._client.zrangebyscore(keys.published("days"), start // DAY, (end - 1) // DAY)
        numbers = [int(day) for day in found]
        places = await self._places(queues, channels)
        out: list[IntervalRow] = []
        for at in range(0, len(numbers), DAYS):
            chunk = numbers[at : at + DAYS]
            for number, place, packed in await self._read(chunk, None if _all(queues, channels) else places):
                queue, channel = places.get(place) or await self._place(place)
                day_rows = rows_of(number, unpack_day(packed), queue, channel)
                out += [row for row in day_rows if start <= row.start < end]
                await asyncio.sleep(0)
        out.sort(key=lambda row: (row.queue, row.channel, row.start))
        return out

    async def _read(self, numbers: Iterable[int], places: _Names | None) -> list[tuple[int, bytes, bytes]]:
        """Read packed days of these places, or of all."""
        order = list(numbers)
        wanted = list(places or ())
        async with faults():
            pipe = self._client.pipeline(transaction=False)
            for number in order:
                if places is None:
                    pipe.hgetall(keys.published(f"day:{number}"))
                elif wanted:
                    pipe.hmget(keys.published(f"day:{number}"), wanted)
            replies: list[Any] = await pipe.execute()
        out = []
        for number, reply in zip(order, replies, strict=False):
            pairs = reply.items() if places is None else zip(wanted, reply, strict=True)
            out += [(number, place, packed) for place, packed in pairs if packed]
        return out

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """See ``Intervals.since``."""
        places = await self._places(queues, channels)
        out: list[IntervalRow] = []
        while len(out) < limit:
            async with faults():
                entries = await self._client.xrange(
                    keys.published("log"), f"{revision + 1}-0", "+", count=ENTRIES
                )
            if not entries:
                break
            wanted: dict[int, _Names] = {}
            rows, last = 0, revision
            for entry, fields in entries:  # as many as are needed
                if rows >= limit - len(out):
                    break
                last = int(entry.partition(b"-")[0])
                for number, place, intervals in _numbered.decode(fields[b"rows"]):
                    if place not in places and _all(queues, channels):
                        places[place] = await self._place(place)
                    if place in places:
                        wanted.setdefault(number, {})[place] = places[place]
                        rows += len(intervals)
            out += await self._revised(wanted, (revision, last))
            revision = last
        return out[:limit]

    async def _revised(self, wanted: dict[int, _Names], revised: tuple[int, int]) -> list[IntervalRow]:
        """Return rows of some days whose latest revision is in a range, by revision."""
        out: list[IntervalRow] = []
        for number, chosen in wanted.items():
            for _, place, packed in await self._read([number], chosen):
                out += rows_of(number, unpack_day(packed), *chosen[place], revised)
                await asyncio.sleep(0)
        out.sort(key=lambda row: row.revision)
        return out

    # --- names ---

    async def names(self) -> tuple[Collection[str], Collection[str]]:
        """Return all queues and channels that were ever counted."""
        await self._learn()
        return set(self._names["queue"].values()), set(self._names["channel"].values())

    async def _learn(self) -> None:
        async with faults():
            for kind in ("queue", "channel"):
                found = await self._client.hgetall(keys.names(kind))
                self._names[kind] = {0: OTHER} | {int(n): name.decode() for name, n in found.items()}

    async def _places(self, queues: Collection[str] | None, channels: Collection[str] | None) -> _Names:
        """Return the places that these names can mean; none where all are wanted, because they would be too many."""
        await self._learn()
        if _all(queues, channels):
            return {}
        return {
            b"%d.%d" % (q, c): (queue, channel)
            for q, queue in self._names["queue"].items()
            if queues is None or queue in queues
            for c, channel in self._names["channel"].items()
            if channels is None or channel in channels
        }

    async def _place(self, place: bytes) -> tuple[str, str]:
        """Return the names of a place that is newer than the known names."""
        queue, _, channel = place.partition(b".")
        if int(queue) not in self._names["queue"] or int(channel) not in self._names["channel"]:
            await self._learn()
        return self._names["queue"].get(int(queue), OTHER), self._names["channel"].get(int(channel), OTHER)


def _all(queues: Collection[str] | None, channels: Collection[str] | None) -> bool:
    return queues is None and channels is None
