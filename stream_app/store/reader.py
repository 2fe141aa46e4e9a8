"""The reader: a mirror of what the owners committed, kept up to date by following their logs.

A partition is loaded once, cell by cell and visit by visit, and then follows the partition's log, whose entries are the very
values that the commits wrote. They are absolute, so reading one twice is harmless, and the loading needs no lock: whatever
moved meanwhile stands in the log behind the place at which the loading began. A gap, a new owner or a step back loads the
partition anew. Cost grows with change, never with history.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog
from msgspec import Struct

from stream_app.errors import StoreUnavailableError
from stream_app.model.board import Board, Queue
from stream_app.model.ports import Partition
from stream_app.model.tally import NUMBERS
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT, TOTAL

from . import keys
from .client import connect, faults
from .codec import unframe, unpack_visits
from .names import OTHER

BLOCK_MS: Final = 400
POLL_S: Final = 1.0
ENTRIES: Final = 64
SCAN: Final = 2_000

_log = structlog.get_logger(__name__)


def wall_ms() -> int:
    """The wall clock, in milliseconds."""
    return time.time_ns() // 1_000_000


class Health(Struct):
    """What is known of a partition besides its counters.

    Attributes:
        seq: sequence number of the last commit mirrored; 0 before it was loaded.
        epoch: ownerships so far.
        position: next offset.
        end: log end that the owner saw last.
        beat_at: the owner's last heartbeat, ms.
        read_at: timestamp of the last record applied, ms.
        rollbacks: times that Redis was found behind.
        results: result → records.
    """

    seq: int = 0
    epoch: int = 0
    position: int = 0
    end: int = 0
    beat_at: int = 0
    read_at: int = 0
    rollbacks: int = 0
    results: dict[str, int] = {}

    def age_ms(self, now: int) -> int:
        """How far behind the truth this partition may be.

        Caught up: since the last heartbeat. Behind: since the last record that was applied.
        """
        if self.position >= self.end:
            return max(0, now - self.beat_at)
        return max(0, now - (min(self.read_at, self.beat_at) if self.read_at else self.beat_at))


class Reader:
    """Mirrors a store into a board."""

    def __init__(self, url: str, clock: Callable[[], int] = wall_ms) -> None:
        """Connects in ``run``."""
        self.board = Board(clock(), NUMBERS)
        self.targets = Targets()
        self.health: dict[str, Health] = {}
        self.connected = False
        self.changed = asyncio.Event()
        self._client = connect(url)
        self._clock = clock
        self._version = -1
        self._queues: dict[int, str] = {0: OTHER}
        self._channels: dict[int, str] = {0: OTHER}
        self._queue_names = {OTHER}
        self._channel_names = {OTHER}
        self._places: dict[bytes, Queue] = {}

    @property
    def ready(self) -> bool:
        """Connected, and every known partition loaded."""
        return self.connected and bool(self.health) and all(h.seq for h in self.health.values())

    def age_s(self) -> float | None:
        """Age of the oldest partition's data in seconds; ``None`` before anything was ever claimed."""
        if not self.health:
            return None
        now = self._clock()
        return max(h.age_ms(now) for h in self.health.values()) / 1000

    async def run(self) -> None:
        """Follow until cancelled; a store that is away is asked again."""
        wait = 0.1
        while True:
            try:
                await self._follow()
            except StoreUnavailableError as error:
                if self.connected:
                    _log.warning("store_unavailable", error=str(error))
                self.connected = False
                for health in self.health.values():
                    health.seq = 0  # it may come back as another one: load everything anew
                await asyncio.sleep(wait)
                wait = min(wait * 2, 2.0)
            else:
                wait = 0.1

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _follow(self) -> None:
        polled = 0.0
        while True:
            async with faults():
                if time.monotonic() - polled >= POLL_S:
                    polled = time.monotonic()
                    await self._poll()
                streams = {keys.log(Partition.parse(p)): f"{h.seq}-0" for p, h in self.health.items()}
                if not streams:
                    await asyncio.sleep(0.1)
                    polled = 0.0
                    continue
                found = await self._client.xread(streams, count=ENTRIES, block=BLOCK_MS)
                self.connected = True
                for partition, entries in _entries(found):
                    for entry_id, fields in entries:
                        if not await self._entry(partition, entry_id, fields):
                            break
                if found:
                    self.changed.set()

    async def _poll(self) -> None:
        """What the log does not tell: new partitions, heartbeats, settings, a store that stepped back."""
        members = {p.decode() for p in await self._client.smembers(keys.PARTITIONS)}
        if self.health.keys() - members:  # wiped
            for gone in self.health.keys() - members:
                self.board.forget(gone)
                del self.health[gone]
        for text in sorted(members):
            partition = Partition.parse(text)
            pipe = self._client.pipeline(transaction=False)
            pipe.hgetall(keys.meta(partition))
            pipe.hgetall(keys.beat(partition))
            pipe.hgetall(keys.results(partition))
            meta, beat, results = await pipe.execute()
            health = self.health.setdefault(text, Health())
            epoch, seq = int(meta.get(b"epoch", 0)), int(meta.get(b"seq", 0))
            health.rollbacks = int(meta.get(b"rollbacks", 0))
            health.end, health.beat_at, health.read_at = (int(beat.get(k, 0)) for k in (b"end", b"at", b"read_at"))
            health.position = int(meta.get(b"position", 0) or 0)
            health.results = {k.decode(): int(v) for k, v in results.items()}
            if not health.seq or epoch != health.epoch or seq < health.seq:
                await self._load(partition, health)
        version = int(await self._client.get(keys.SETTINGS) or 0)
        if version != self._version:
            document = await self._client.get(keys.settings(version)) if version else None
            self.targets = Targets.from_json(document) if document else Targets()
            self._version = version
        self.connected = True

    async def _entry(self, partition: str, entry_id: bytes, fields: dict[bytes, bytes]) -> bool:
        """Mirror one commit; ``False`` if the partition was loaded anew instead."""
        health = self.health[partition]
        seq = int(entry_id.partition(b"-")[0])
        if b"claim" in fields or seq != health.seq + 1:
            await self._load(Partition.parse(partition), health)
            return False
        await self._mirror(partition, fields)
        health.seq = seq
        health.position = int(fields[b"to"])
        return True

    async def _mirror(self, partition: str, fields: dict[bytes, bytes]) -> None:
        parts = unframe(fields[b"cells"])
        at = 0
        while at < len(parts):
            resolution, start, n = int(parts[at]), int(parts[at + 1]), int(parts[at + 2])
            pairs = parts[at + 3 : at + 3 + 2 * n]
            await self._know(pairs[::2])
            self.board.put_cells(
                partition, resolution, start, zip((self._places[f] for f in pairs[::2]), pairs[1::2], strict=True)
            )
            at += 3 + 2 * n
        visits = unframe(fields[b"visits"])
        for contact, packed in zip(visits[::2], visits[1::2], strict=True):
            self._put_visits(partition, contact, packed)
        for contact in unframe(fields[b"closed"]):
            self._put_visits(partition, contact, None)

    def _put_visits(self, partition: str, contact: bytes, packed: bytes | None) -> None:
        visits = unpack_visits(packed) if packed else []
        for visit in visits:  # what the registry did not take is shown where its counters went
            if visit.queue not in self._queue_names:
                visit.queue = OTHER
            if visit.channel not in self._channel_names:
                visit.channel = OTHER
        self.board.put_visits(partition, contact.decode(), visits)

    async def _load(self, partition: Partition, health: Health) -> None:
        """Load a partition as it is now; what moves meanwhile stands in the log."""
        text = str(partition)
        meta = await self._client.hgetall(keys.meta(partition))
        await self._learn()
        self.board.forget(text)
        now = self._clock()
        for resolution in (*KEPT, TOTAL):
            starts: Iterable[int] = (0,)
            if resolution != TOTAL:
                oldest = now - KEPT[resolution]
                starts = [int(s) for s in await self._client.zrangebyscore(keys.index(partition, resolution), oldest, "+inf")]
            for start in starts:
                found = await self._client.hgetall(keys.cells(partition, resolution, start))
                await self._know(found)
                self.board.put_cells(text, resolution, start, [(self._places[f], v) for f, v in found.items()])
        cursor: int | None = None
        while cursor != 0:
            cursor, page = await self._client.hscan(keys.visits(partition), cursor or 0, count=SCAN)
            for contact, packed in page.items():
                self._put_visits(text, contact, packed)
        health.seq, health.epoch = int(meta.get(b"seq", 0)), int(meta.get(b"epoch", 0))
        health.position = int(meta.get(b"position", 0) or 0)
        self.changed.set()

    async def _know(self, fields: Iterable[bytes]) -> None:
        """Make sure that every field of a bucket has a queue and a channel."""
        new = [field for field in fields if field not in self._places]
        if not new:
            return
        pairs = [tuple(int(n) for n in field.split(b".")) for field in new]
        if any(q not in self._queues or c not in self._channels for q, c in pairs):
            await self._learn()
        for field, (queue, channel) in zip(new, pairs, strict=True):
            self._places[field] = (self._queues.get(queue, OTHER), self._channels.get(channel, OTHER))

    async def _learn(self) -> None:
        for kind, known in (("queue", self._queues), ("channel", self._channels)):
            names = await self._client.hgetall(keys.names(kind))
            known |= {int(number): name.decode() for name, number in names.items()}
        self._queue_names, self._channel_names = set(self._queues.values()), set(self._channels.values())
        numbers = await self._client.hgetall(keys.names("counter"))
        self.board.numbers |= {name.decode(): int(number) for name, number in numbers.items()}


def _entries(found: Any) -> Iterable[tuple[str, list[tuple[bytes, dict[bytes, bytes]]]]]:
    """What XREAD gave, whichever protocol: (topic.partition, entries)."""
    pairs = found.items() if isinstance(found, dict) else found or ()
    for key, batches in pairs:
        entries = batches[0] if batches and isinstance(batches[0], list) else batches
        yield key.decode().partition("{")[2].partition("}")[0], entries
