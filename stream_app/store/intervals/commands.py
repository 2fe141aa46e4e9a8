"""Where interval rows are published: one packed value for each queue, channel and day, and one sequence of revisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from stream_app.errors import FencedError
from stream_app.model.intervals import DAY, Amounts, quarter_of_day
from stream_app.model.ports import Partition
from stream_app.model.published import Day
from stream_app.store import keys
from stream_app.store.client import connect, faults, script
from stream_app.store.codec import frame, pack_day, unpack_amounts, unpack_day
from stream_app.store.names import Names

KEPT_DAYS: Final = 400
ASKED: Final = 2_000
"""So many commands go in one round trip."""
_LOOK: Final = 50
"""So many days are asked about at once for the one that comes before or after."""

Place = bytes
"""Queue and channel, as their numbers: ``Q.C``."""
DayKey = tuple[int, Place]
RowKey = tuple[int, Place]
"""(start of the quarter, place)"""
Numbered = list[tuple[int, Place, list[int]]]
"""Day, place and quarters of rows that got revisions."""


class Change(NamedTuple):
    """An interval row of a partition that was not published since it changed, by the commit ``mark``."""

    partition: Partition
    start: int
    place: Place
    mark: int


class Progress(NamedTuple):
    """How far a partition was read.

    Attributes:
        number: of the partition.
        seq: its last commit.
        time: partition time.
        read_to: everything up to this moment was read.
        beat_at: when its owner said so.
    """

    partition: Partition
    number: int
    seq: int
    time: int
    read_to: int
    beat_at: int


class Lease(NamedTuple):
    """Who publishes.

    Attributes:
        epoch: how many did before; 0: somebody else does.
        writes: how many writes there were.
        now: Redis's clock, ms.
    """

    epoch: int
    writes: int
    now: int


class State(Struct):
    """What whoever publishes goes on from.

    Attributes:
        writes: how many there were; another number than the store's means that somebody else wrote, or that it was rolled back.
        revision: the last number given.
        final: rows that end by then are final; 0 before the first.
        announced: rows up to this revision have gone to whoever is told of them.
        seen: place → the first and the last quarter in which anything was counted.
        spans: partition → from when to when it was read.
        over: (a recording's partition by its number, place) → the last quarter in which it tells of that queue.
    """

    writes: int = 0
    revision: int = 0
    final: int = 0
    announced: int = 0
    seen: dict[Place, tuple[int, int]] = {}
    spans: dict[str, tuple[int, int]] = {}
    over: dict[tuple[int, Place], int] = {}


class Published:
    """The published rows in Redis, for the one who publishes."""

    def __init__(self, url: str, kept_days: int = KEPT_DAYS) -> None:
        """Connects with the first command."""
        self.client = connect(url)
        self._kept_days = kept_days
        self._meta = keys.published("meta")
        self._numbers = Names(self.client, "partition")
        self._lease = script(self.client, "lease")
        self._publish = script(self.client, "publish")
        self._published = script(self.client, "published")
        self._partitions: dict[Partition, int] = {}

    async def close(self) -> None:
        """Let go of the connection."""
        await self.client.aclose()

    async def lease(self, token: str, ms: int) -> Lease:
        """Become or stay the one who publishes, for so long.

        Raises:
            StoreUnavailableError: no answer.
            QuarantinedError: a key has a foreign type.
        """
        async with faults():
            return Lease(*map(int, await self._lease(keys=[self._meta], args=[token, ms])))

    async def restore(self) -> State:
        """What the former one left."""
        await self._numbers.reload()  # a store that was wiped numbers partitions anew
        async with faults():
            writes, revision, final, announced = await self.client.hmget(
                self._meta, "state", "revision", "final", "announced"
            )
            seen = await self.client.hgetall(keys.published("seen"))
            spans = await self.client.hgetall(keys.published("spans"))
            over = await self.client.hgetall(keys.published("over"))
        return State(
            writes=int(writes or 0),
            revision=int(revision or 0),
            final=int(final or 0),
            announced=int(announced or 0),
            seen={place: _two(text) for place, text in seen.items()},
            spans={name.decode(): _two(text) for name, text in spans.items()},
            over={
                (int(n), place): int(v)
                for (n, _, place), v in ((k.partition(b":"), v) for k, v in over.items())
            },
        )

    async def progress(self) -> list[Progress]:
        """How far every partition was read."""
        async with faults():
            found = [Partition.parse(p.decode()) for p in await self.client.smembers(keys.PARTITIONS)]
            pipe = self.client.pipeline(transaction=False)
            for partition in found:
                pipe.hmget(keys.meta(partition), "seq", "time")
                pipe.hmget(keys.beat(partition), "at", "position", "end")
            replies = await pipe.execute()
        numbers = await self._numbers.learn(str(partition) for partition in found)
        self._partitions = {partition: numbers[str(partition)] for partition in found}
        out = []
        for partition, meta, beat in zip(found, replies[::2], replies[1::2], strict=True):
            seq, time = (int(value or 0) for value in meta)
            at, position, end = (int(value or 0) for value in beat)
            read_to = at if at and position >= end else time
            out.append(Progress(partition, self._partitions[partition], seq, time, read_to, at))
        return out

    def number(self, partition: Partition) -> int:
        """The number of a partition of which ``progress`` has told."""
        return self._partitions[partition]

    async def changes(self, progress: Iterable[Progress], limit: int) -> list[Change]:
        """Rows of these partitions that are to be published and changed by the time of ``progress``: the first of them."""
        asked = list(progress)
        async with faults():
            pipe = self.client.pipeline(transaction=False)
            for one in asked:
                key = keys.changed(one.partition)
                pipe.zrangebyscore(key, "-inf", one.seq, start=0, num=limit, withscores=True)
            replies = await pipe.execute()
        out = []
        for one, found in zip(asked, replies, strict=True):
            for member, mark in found:
                start, _, place = member.partition(b":")
                out.append(Change(one.partition, int(start), place, int(mark)))
        return out

    async def acknowledge(self, changes: Iterable[Change]) -> None:
        """These are published, as they were when they were asked for."""
        by_partition: dict[Partition, list[Any]] = {}
        for change in changes:
            member = b"%d:%s" % (change.start, change.place)
            by_partition.setdefault(change.partition, []).extend((member, change.mark))
        async with faults():
            for partition, args in by_partition.items():
                for at in range(0, len(args), 2_000):
                    await self._published(keys=[keys.changed(partition)], args=args[at : at + 2_000])

    async def counted(
        self, rows: Collection[RowKey], spans: Mapping[str, tuple[int, int]]
    ) -> dict[RowKey, dict[int, Amounts]]:
        """What each partition, by its number, has counted for these; ``spans`` say who may have."""
        days: dict[DayKey, list[int]] = {}
        for start, place in rows:
            days.setdefault((start // DAY, place), []).append(start)
        asked = [
            (number, partition, key)
            for partition, number in self._partitions.items()
            for begin, end in (spans.get(str(partition), (0, 0)),)
            for key in days
            if begin // DAY <= key[0] <= end // DAY
        ]
        replies: list[Any] = []
        for at in range(0, len(asked), ASKED):
            async with faults():
                pipe = self.client.pipeline(transaction=False)
                for _, partition, key in asked[at : at + ASKED]:
                    quarters = [quarter_of_day(start) for start in days[key]]
                    pipe.hmget(keys.rows(partition, *key), quarters)
                replies += await pipe.execute()
        out: dict[RowKey, dict[int, Amounts]] = {(start, place): {} for start, place in rows}
        for (number, _, key), values in zip(asked, replies, strict=True):
            for start, packed in zip(days[key], values, strict=True):
                if packed:
                    out[start, key[1]][number] = unpack_amounts(packed)
        return out

    async def days(self, wanted: Collection[DayKey]) -> dict[DayKey, Day]:
        """The days that exist of these."""
        order = list(wanted)
        async with faults():
            pipe = self.client.pipeline(transaction=False)
            for day, place in order:
                pipe.hget(keys.published(f"day:{day}"), place)
            replies = await pipe.execute()
        return {key: unpack_day(packed) for key, packed in zip(order, replies, strict=True) if packed}

    async def day_numbers(self) -> list[int]:
        """The days that exist, in order."""
        async with faults():
            return [int(number) for number in await self.client.zrange(keys.published("days"), 0, -1)]

    async def first_with(self, numbers: Sequence[int], place: Place) -> int | None:
        """The first of these days that a queue and channel has."""
        for at in range(0, len(numbers), _LOOK):
            chunk = numbers[at : at + _LOOK]
            async with faults():
                pipe = self.client.pipeline(transaction=False)
                for number in chunk:
                    pipe.hexists(keys.published(f"day:{number}"), place)
                found = await pipe.execute()
            for number, exists in zip(chunk, found, strict=True):
                if exists:
                    return number
        return None

    async def write(self, token: str, state: State, days: Mapping[DayKey, Day], told: Told) -> None:
        """Publish days, and what follows from them, at once.

        Raises:
            FencedError: somebody else publishes by now, or the store was rolled back; nothing was written.
            StoreUnavailableError: no answer: whether it was written is not known; restore the state, and do it again.
            QuarantinedError: a key has a foreign type; nothing was written.
        """
        blob: list[bytes] = []
        for (day, place), content in days.items():
            blob += (b"%d" % day, place, pack_day(content))
        seen = [part for place in told.seen for part in (place, _text(state.seen[place]))]
        spans = [part for name in told.spans for part in (name.encode(), _text(state.spans[name]))]
        over = [
            part
            for number, place in told.over
            for part in (b"%d:%s" % (number, place), b"%d" % state.over[number, place])
        ]
        oldest = state.final // DAY - self._kept_days if state.final else 0
        async with faults():
            writes = await self._publish(
                keys=[self._meta],
                args=[
                    keys.PUBLISHED,
                    token,
                    state.revision,
                    state.final,
                    frame(blob),
                    msgspec.msgpack.encode(told.numbered) if told.numbered else b"",
                    frame(seen),
                    frame(spans),
                    oldest,
                    frame(over),
                    state.writes,
                ],
            )
        if not writes:
            raise FencedError("interval rows: somebody else publishes them, or the store was rolled back")
        state.writes = int(writes)

    async def settling(self, partition: Partition, before: int, limit: int) -> list[DayKey]:
        """Some of the days before this one of which a partition still keeps its own rows."""
        async with faults():
            found = await self.client.zrangebyscore(
                keys.row_days(partition), "-inf", f"({before}", start=0, num=limit
            )
        pairs = (member.partition(b":") for member in found)
        return [(int(day), place) for day, _, place in pairs]

    async def rows_of(self, partition: Partition, key: DayKey) -> tuple[dict[int, Amounts], bool]:
        """All that a partition has counted of a day; and whether it is the only one that keeps rows of it."""
        others = [other for other in self._partitions if other != partition]
        async with faults():
            pipe = self.client.pipeline(transaction=False)
            pipe.hgetall(keys.rows(partition, *key))
            for other in others:
                pipe.exists(keys.rows(other, *key))
            rows, *exist = await pipe.execute()
        return {int(quarter): unpack_amounts(packed) for quarter, packed in rows.items()}, not any(exist)

    async def let_go(self, partition: Partition, key: DayKey) -> None:
        """A partition's own rows of a day are a part of what is published: it need not keep them."""
        async with faults():
            pipe = self.client.pipeline(transaction=True)
            pipe.unlink(keys.rows(partition, *key))
            pipe.zrem(keys.row_days(partition), b"%d:%s" % key)
            await pipe.execute()

    async def announced(self, revision: int) -> None:
        """Whoever is told of rows has been told up to here."""
        async with faults():
            await self.client.hset(self._meta, "announced", revision)


class Told(Struct):
    """What a write says beside the days: of which keys the state has changed, and rows that were numbered."""

    seen: set[Place] = set()
    spans: set[str] = set()
    over: set[tuple[int, Place]] = set()
    numbered: Numbered = []


def _two(text: bytes) -> tuple[int, int]:
    first, _, last = text.partition(b" ")
    return int(first), int(last)


def _text(pair: tuple[int, int]) -> bytes:
    return b"%d %d" % pair
