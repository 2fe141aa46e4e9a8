"""Redis commands for published interval rows: one packed value per queue, channel and day; one sequence of revisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from stream_app.errors import FencedError
from stream_app.model.durations import DAY
from stream_app.model.intervals.counting import Amounts, interval_of_day, settles_with
from stream_app.model.intervals.day import PublishedDay
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.client import connect, faults, script
from stream_app.store.codec import frame, pack_day, unpack_amounts, unpack_day
from stream_app.store.names import Names, written_places
from stream_app.store.topics import look_up

from .progress import ReadProgress
from .state import CellField, Change, DayKey, Lease, PublisherState, StoredRowKey, WriteResult

KEPT_DAYS: Final = 400
ASKED: Final = 2_000
"""Commands in one round trip."""
_LOOK: Final = 50
"""Days that are checked at once in the search for the one before or after."""


class IntervalStore:
    """The published rows in Redis, as the publisher uses them."""

    def __init__(self, url: str, kept_days: int = KEPT_DAYS) -> None:
        """Set it up; it connects with the first command."""
        self.client = connect(url)
        self._kept_days = kept_days
        self._meta = keys.published("meta")
        self._numbers = Names(self.client, "partition")
        self._lease = script(self.client, "lease")
        self._publish = script(self.client, "publish")
        self._published = script(self.client, "published")
        self._settled = script(self.client, "settled")
        self._partitions: dict[Partition, int] = {}
        self._confirmed: set[tuple[str, int]] = set()  # partitions and numbers that a write was stored under
        self._mark = 0

    async def close(self) -> None:
        """Close the connection."""
        await self.client.aclose()

    async def lease(self, token: str, ms: int) -> Lease:
        """Become or stay the publisher for a time.

        Raises:
            StoreUnavailableError: no answer.
            QuarantinedError: a key has a foreign type.
        """
        async with faults():
            epoch, writes, now, mark = map(int, await self._lease(keys=[self._meta], args=[token, ms]))
        gap, self._mark = mark != self._mark + 1, mark
        return Lease(epoch, writes, now, gap)

    async def _marked(self, pipe: Any) -> list[Any]:
        """Read, and set a mark in the same step: what was read is in the store as long as the mark is.

        Raises:
            FencedError: the store was rolled back to before an earlier read, or another worker publishes.
        """
        pipe.hincrby(self._meta, "marks", 1)
        replies: list[Any] = await pipe.execute()
        mark = int(replies.pop())
        gap, self._mark = mark != self._mark + 1, mark
        _refuse(gap)
        return replies

    async def restore(self) -> PublisherState:
        """Return the state that the former publisher left."""
        self._confirmed.clear()
        await self._numbers.reload()  # a store that was wiped numbers partitions anew
        async with faults():
            writes, revision, final, announced = await self.client.hmget(
                self._meta, "state", "revision", "final", "announced"
            )
            seen = await self.client.hgetall(keys.published("seen"))
            spans = await self.client.hgetall(keys.published("spans"))
            over = await self.client.hgetall(keys.published("over"))
        return PublisherState(
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

    async def progress(self) -> list[ReadProgress]:
        """Return how far every partition was read."""
        async with faults():
            found = [Partition.parse(p.decode()) for p in await self.client.smembers(keys.PARTITIONS)]
            pipe = self.client.pipeline(transaction=False)
            for partition in found:
                pipe.hmget(keys.meta(partition), "seq", "time")
                pipe.hmget(keys.beat(partition), "at", "position", "end")
            replies = await pipe.execute()
        topics = await look_up(self.client, {partition.topic for partition in found if partition.is_live})
        numbers = await self._numbers.learn(str(partition) for partition in found)
        self._partitions = {partition: numbers[str(partition)] for partition in found}
        out = []
        for partition, meta, beat in zip(found, replies[::2], replies[1::2], strict=True):
            seq, time = (int(value or 0) for value in meta)
            at, position, end = (int(value or 0) for value in beat)
            read_to = at if at and position >= end else time
            retired = partition.topic in topics and topics[partition.topic].moved != ""
            out.append(ReadProgress(partition, self._partitions[partition], seq, time, read_to, at, retired))
        return out

    def number(self, partition: Partition) -> int:
        """Return the number of a partition that ``progress`` has returned."""
        return self._partitions[partition]

    async def changes(self, progress: Iterable[ReadProgress], limit: int) -> list[Change]:
        """Return the first rows of these partitions that changed by the time of ``progress`` and are not yet published."""
        asked = list(progress)
        async with faults():
            pipe = self.client.pipeline(transaction=True)
            for one in asked:
                key = keys.changed(one.partition)
                pipe.zrangebyscore(key, "-inf", one.seq, start=0, num=limit, withscores=True)
            replies = await self._marked(pipe)
        out = []
        for one, found in zip(asked, replies, strict=True):
            for member, mark in found:
                start, _, place = member.partition(b":")
                out.append(Change(one.partition, int(start), place, int(mark)))
        return out

    async def acknowledge(self, token: str, state: PublisherState, changes: Iterable[Change]) -> None:
        """Remove changes that the last write published from the outbox, unless they have changed again.

        Raises:
            FencedError: another worker publishes by now, or the store was rolled back; they will be published again.
        """
        by_partition: dict[Partition, list[Any]] = {}
        for change in changes:
            member = b"%d:%s" % (change.start, change.place)
            by_partition.setdefault(change.partition, []).extend((member, change.mark))
        async with faults():
            for partition, args in by_partition.items():
                for at in range(0, len(args), 2_000):
                    done = await self._published(
                        keys=[keys.changed(partition), self._meta],
                        args=[token, state.writes, *args[at : at + 2_000]],
                    )
                    _refuse(done < 0)

    async def counted(
        self, rows: Collection[StoredRowKey], spans: Mapping[str, tuple[int, int]]
    ) -> dict[StoredRowKey, dict[int, Amounts]]:
        """Return what each partition, by its number, has counted for these rows; ``spans`` show which may have any."""
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
                pipe = self.client.pipeline(transaction=True)
                for _, partition, key in asked[at : at + ASKED]:
                    intervals = [interval_of_day(start) for start in days[key]]
                    pipe.hmget(keys.rows(partition, *key), intervals)
                replies += await self._marked(pipe)
        out: dict[StoredRowKey, dict[int, Amounts]] = {(start, place): {} for start, place in rows}
        for (number, _, key), values in zip(asked, replies, strict=True):
            for start, packed in zip(days[key], values, strict=True):
                if packed:
                    out[start, key[1]][number] = unpack_amounts(packed)
        return out

    async def days(self, wanted: Collection[DayKey]) -> dict[DayKey, PublishedDay]:
        """Return those of these days that exist."""
        order = list(wanted)
        async with faults():
            pipe = self.client.pipeline(transaction=False)
            for day, place in order:
                pipe.hget(keys.published(f"day:{day}"), place)
            replies = await pipe.execute()
        return {key: unpack_day(packed) for key, packed in zip(order, replies, strict=True) if packed}

    async def day_numbers(self) -> list[int]:
        """Return the days that exist, in order."""
        async with faults():
            return [int(number) for number in await self.client.zrange(keys.published("days"), 0, -1)]

    async def first_with(self, numbers: Sequence[int], place: CellField) -> int | None:
        """Return the first of these days that has rows of a queue and channel."""
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

    async def write(
        self, token: str, state: PublisherState, days: Mapping[DayKey, PublishedDay], told: WriteResult
    ) -> None:
        """Publish days and the state that goes with them, in one step.

        Raises:
            FencedError: another worker publishes by now, or the store was rolled back; nothing was written.
            StoreUnavailableError: no answer, so it is not known whether it was written; restore the state, and retry.
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
        used = {(str(partition), number) for partition, number in self._partitions.items()}
        new = [part for name, number in used - self._confirmed for part in (name.encode(), b"%d" % number)]
        async with faults():
            writes = await self._publish(
                keys=[self._meta, *self._numbers.keys[:1]],
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
                    self._mark,
                    frame(new),
                ],
            )
        _refuse(not writes)
        self._confirmed |= used
        state.writes = int(writes)

    async def settling(self, partition: Partition, before: int, limit: int) -> list[DayKey]:
        """Return some of the days before this one for which a partition still keeps its own rows."""
        async with faults():
            found = await self.client.zrangebyscore(
                keys.row_days(partition), "-inf", f"({before}", start=0, num=limit
            )
        if not found:
            return []
        written = await written_places(self.client)
        due, later = [], {}
        for member in found:
            day, _, place = member.partition(b":")
            settles = settles_with(int(day), written=written(place))
            if settles < before:
                due.append((int(day), place))
            else:  # a former version's, which knew no such channels
                later[member] = settles
        if later:
            async with faults():
                await self.client.zadd(keys.row_days(partition), later)
        return due

    async def rows_of(self, partition: Partition, key: DayKey) -> tuple[dict[int, Amounts], bool]:
        """Return all that a partition has counted of a day, and whether no other one keeps rows of it."""
        others = [other for other in self._partitions if other != partition]
        async with faults():
            pipe = self.client.pipeline(transaction=True)
            pipe.hgetall(keys.rows(partition, *key))
            for other in others:
                pipe.exists(keys.rows(other, *key))
            rows, *exist = await self._marked(pipe)
        return {int(interval): unpack_amounts(packed) for interval, packed in rows.items()}, not any(exist)

    async def let_go(self, token: str, state: PublisherState, partition: Partition, key: DayKey) -> None:
        """Delete a partition's own rows of a day that are now part of the published ones.

        Raises:
            FencedError: another worker publishes by now, or the store was rolled back; they are kept.
        """
        async with faults():
            done = await self._settled(
                keys=[keys.rows(partition, *key), keys.row_days(partition), self._meta],
                args=[token, state.writes, b"%d:%s" % key],
            )
        _refuse(done < 0)

    async def announced(self, revision: int) -> None:
        """Record the last revision that was sent to the topic."""
        async with faults():
            await self.client.hset(self._meta, "announced", revision)


def _refuse(refused: bool) -> None:
    if refused:
        raise FencedError("interval rows: another worker publishes them now, or the store was rolled back")


def _two(text: bytes) -> tuple[int, int]:
    first, _, last = text.partition(b" ")
    return int(first), int(last)


def _text(pair: tuple[int, int]) -> bytes:
    return b"%d %d" % pair
