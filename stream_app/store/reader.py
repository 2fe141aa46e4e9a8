"""The reader: a mirror of what the owners committed, kept up to date by following their logs.

A partition is loaded once, cell by cell and visit by visit; then the reader follows the partition's log, whose entries are the
very values that the commits wrote. They are absolute, so reading one twice is harmless, and loading needs no lock: whatever
changed meanwhile is in the log. After a gap, a new owner or a rollback the partition is loaded again; what did not change costs
nothing then, and the board shows no hole. Cost grows with change, never with history.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog

from stream_app.errors import QuarantinedError, StoreUnavailableError
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.live.board import Board
from stream_app.model.ports import FILE, Partition
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT, TOTAL

from . import keys
from .client import connect, end_if_cancelled, entries_of, faults
from .clock import RedisClock
from .codec import unframe, unframe_cells, unpack_agent, unpack_visits
from .health import PartitionHealth, age_of
from .memory_use import MemoryMeter
from .queue_channels import RETIRING, QueueChannels
from .topics import Keyed, look_up

__all__ = ["PartitionHealth", "Reader"]

BLOCK_MS: Final = 400
POLL_MS: Final = 1_000
ENTRIES: Final = 64
SCAN: Final = 2_000
BUCKETS: Final = 32
"""Buckets read in one round trip."""
SET_BACK_MS: Final = 1_000
"""If the clock steps back further, everything is loaded again: buckets may have been dropped too early."""
_FIRST_WAIT_S: Final = 0.1
_LAST_WAIT_S: Final = 2.0
_PER_PARTITION: Final = 4  # replies of a poll

_log = structlog.get_logger(__name__)


class Reader:
    """Mirrors a store into a board.

    Attributes:
        board: the mirror; call ``advance`` before reading it.
        targets: the targets in force.
        targets_version: their version; 0 where none was ever applied, -1 before that is known.
        health: partition → what is known of it.
        topics: topic → the number of partitions by which its contacts are counted.
        connected: whether the store answers.
        loaded: whether it ever did, so that the board holds what was there, however long ago.
        problem: why it does not answer.
        memory: how full the store is.
        clock: the store's clock.
        still: a lock for long reads: no commit is mirrored while it is held.
        queue_channels: the names that the store has.
        changed: set whenever the board, the targets or the health changed; its reader clears it.
    """

    def __init__(self, url: str, clock: RedisClock | None = None) -> None:
        """Set it up; it connects in ``run``. ``clock`` is for tests."""
        self.clock = clock or RedisClock()
        self.board = Board(self.clock.now(), NUMBERS)
        self.targets = Targets()
        self.health: dict[str, PartitionHealth] = {}
        self.topics: dict[str, Keyed] = {}
        self.connected = self.loaded = False
        self.problem: str | None = None
        self.changed = asyncio.Event()
        self.still = asyncio.Lock()
        self._client: Any = connect(url)  # its stubs leave open whether replies are decoded
        self.memory = MemoryMeter(self._client, self.clock.ticks)
        self._seen_at = self.clock.now()
        self.targets_version = -1
        self._identity: bytes | None = None
        self._retired = 0
        self.queue_channels = QueueChannels(self._client, self._renumber)

    @property
    def ready(self) -> bool:
        """Connected, and every known partition loaded."""
        return self.connected and bool(self.health) and all(h.seq for h in self.health.values())

    def reasons(self) -> list[str]:
        """Return why it is not ready, for people."""
        if not self.connected:
            return [f"Redis is unavailable: {self.problem}" if self.problem else "Redis has not answered yet"]
        if not self.health:
            return ["no worker has claimed a partition yet"]
        now = self.clock.now()
        doubted = [
            f"partition {name}: {reason}"
            for name, health in self.health.items()
            if (reason := health.doubt(now))
        ]
        held = (keyed.problem(topic) for topic, keyed in self.topics.items())
        return [*doubted, *filter(None, held)]

    def age_s(self) -> float | None:
        """See ``age_of``."""
        return age_of(self.health, self.clock.now())

    async def run(self) -> None:
        """Follow the store until cancelled; retry while it is unavailable."""
        wait = _FIRST_WAIT_S
        while True:
            end_if_cancelled()
            try:
                await self._follow()
            except (StoreUnavailableError, QuarantinedError) as error:
                if self.connected:
                    wait = _FIRST_WAIT_S
                if self.connected or self.problem is None:
                    _log.warning("store_unavailable", error=str(error))
                self.connected, self.problem = False, str(error)
                for health in self.health.values():
                    health.seq = 0  # it may come back as another store: load everything again
                self.changed.set()
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LAST_WAIT_S)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _follow(self) -> None:
        polled = float("-inf")
        while True:
            async with faults():
                if self.clock.ticks() - polled >= POLL_MS:
                    polled = self.clock.ticks()
                    await self._poll()
                end_if_cancelled()
                streams = {
                    keys.log(Partition.parse(p)): f"{h.seq}-0" for p, h in self.health.items() if h.seq
                }
                if not streams:
                    await asyncio.sleep(_FIRST_WAIT_S)
                    polled = float("-inf")
                    continue
                found = await self._client.xread(streams, count=ENTRIES, block=BLOCK_MS)
                for partition, entries in entries_of(found):
                    for entry_id, fields in entries:
                        if not await self._entry(partition, entry_id, fields):
                            break
                        await asyncio.sleep(0)  # readers of the board need not wait for all of them

    async def _poll(self) -> None:
        """Read what the log does not contain: new partitions, heartbeats, targets, a rollback of the store."""
        members = sorted(p.decode() for p in await self._ask_time_and_members())
        now = self.clock.now()
        if now < self._seen_at - SET_BACK_MS:
            for health in self.health.values():
                health.unload()
        self._seen_at = now
        for gone in self.health.keys() - members:  # wiped
            self._forget(gone)
        await self._recognise()
        live = {partition.topic for partition in map(Partition.parse, members) if partition.is_live}
        self.topics = await look_up(self._client, sorted(live))
        pipe = self._client.pipeline(transaction=False)
        for text in members:
            partition = Partition.parse(text)
            pipe.hgetall(keys.meta(partition))
            pipe.hgetall(keys.beat(partition))
            pipe.hgetall(keys.results(partition))
            pipe.type(keys.log(partition))
        for kind in RETIRING:
            pipe.scard(keys.retired(kind))
        replies = await pipe.execute(raise_on_error=False)
        self._recall(replies[-len(RETIRING) :])
        for n, text in enumerate(members):
            health = self.health.setdefault(text, PartitionHealth())
            health.retired = self.topics.get(Partition.parse(text).topic, Keyed()).moved != ""
            try:
                async with faults():
                    mine = replies[n * _PER_PARTITION : (n + 1) * _PER_PARTITION]
                    await self._take(text, health, mine, now)
                health.problem = None
            except QuarantinedError as error:  # a person must look into it; the other partitions go on
                if not health.problem:
                    _log.error("partition_unreadable", partition=text, error=str(error))
                health.seq, health.problem = 0, str(error)
        version = int(await self._client.get(keys.SETTINGS) or 0)
        if version != self.targets_version:
            document = await self._client.get(keys.settings(version)) if version else None
            self.targets = Targets.from_json(document) if document else Targets()
            self.targets_version = version
        await self.memory.measure()
        self.connected, self.loaded, self.problem = True, True, None
        self.changed.set()

    async def _ask_time_and_members(self) -> Any:
        """Return the partitions, and read the store's clock in the same round trip."""
        pipe = self._client.pipeline(transaction=False).time().smembers(keys.PARTITIONS)
        asked = self.clock.ticks()
        time, members = await pipe.execute(raise_on_error=False)
        if isinstance(members, Exception):
            raise members
        self.clock.answered(time, asked)
        return members

    async def _recognise(self) -> None:
        """Check that it is the same store as before: one that was wiped holds nothing of what was counted."""
        identity = await self._client.get(keys.IDENTITY)
        if identity != self._identity and self._identity is not None:
            for text, health in self.health.items():
                self.board.forget(text)
                health.seq = 0
            self.board.restart_totals()
        self._identity = identity

    def _recall(self, retired: list[Any]) -> None:
        """Have everything loaded again once names were retired, which leaves them out; one that returns is in the log."""
        now = sum(n for n in retired if isinstance(n, int))
        if now > self._retired:
            for health in self.health.values():
                health.seq = 0
        self._retired = now

    async def _take(self, text: str, health: PartitionHealth, replies: list[Any], now: int) -> None:
        """Take in one partition's replies of a poll."""
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        meta, beat, results, log = replies
        if log not in {b"stream", b"none"}:
            raise QuarantinedError(f"{keys.log(Partition.parse(text))} is a {log.decode()}, not a stream")
        health.rollbacks = int(meta.get(b"rollbacks", 0))
        health.beaten(beat, now)
        health.results = {k.decode(): int(v) for k, v in results.items()}
        seq = int(meta.get(b"seq", 0))
        if not health.seq or meta.get(b"token") != health.token or seq < health.seq:
            await self._load(Partition.parse(text), health)
        else:
            health.stored(seq, now)

    async def _entry(self, text: str, entry_id: bytes, fields: dict[bytes, bytes]) -> bool:
        """Mirror one commit; return ``False`` if the partition was loaded again instead."""
        health = self.health[text]
        seq = int(entry_id.partition(b"-")[0])
        if seq != health.seq + 1 or fields.get(b"token") != health.token:  # a claim has no token
            await self._load(Partition.parse(text), health)
            return False
        await self._mirror(text, fields)
        health.seq = seq
        health.position = int(fields[b"to"])
        health.mirrored()
        self.changed.set()
        return True

    async def _mirror(self, text: str, fields: dict[bytes, bytes]) -> None:
        buckets = [*unframe_cells(fields[b"cells"])]
        await self.queue_channels.know(field for _, _, pairs in buckets for field in pairs[::2])
        visits = unframe(fields[b"visits"])
        closed = unframe(fields[b"closed"])
        agents, forgotten = (unframe(fields.get(name, b"")) for name in (b"agents", b"forgotten"))
        async with self.still:  # no awaits from here on: others wait for the lock
            for resolution, start, pairs in buckets:
                cells = [(self.queue_channels.of(f), v) for f, v in zip(pairs[::2], pairs[1::2], strict=True)]
                self.board.put_cells(text, resolution, start, cells)
            for contact, packed in zip(visits[::2], visits[1::2], strict=True):
                self._put_visits(text, contact, packed)
            for contact in closed:
                self.board.put_visits(text, contact.decode(), ())
            for agent, packed in zip(agents[::2], agents[1::2], strict=True):
                self._put_agent(text, agent, packed)
            for agent in forgotten:
                self.board.put_agent(text, agent.decode(), None)

    async def _put_cells(
        self, text: str, resolution: int, start: int, cells: Iterable[tuple[bytes, bytes]]
    ) -> None:
        pairs = list(cells)
        await self.queue_channels.know(field for field, _ in pairs)
        self.board.put_cells(text, resolution, start, [(self.queue_channels.of(f), v) for f, v in pairs])

    def _put_visits(self, text: str, contact: bytes, packed: bytes) -> None:
        if text.startswith(FILE):  # a recording: who waits at its end does not wait now
            return
        visits = unpack_visits(packed)
        for visit in visits:
            visit.queue, visit.channel = self.queue_channels.shown(visit.queue, visit.channel)
        self.board.put_visits(text, contact.decode(), visits)

    def _put_agent(self, text: str, agent: bytes, packed: bytes) -> None:
        if not text.startswith(FILE):  # a recording: who was there at its end is not there now
            self.board.put_agent(text, agent.decode(), unpack_agent(packed))

    async def _load(self, partition: Partition, health: PartitionHealth) -> None:
        """Load a partition as it is now; what changes meanwhile is in the log."""
        text, now = str(partition), self.clock.now()
        health.wanted = None
        meta = await self._client.hgetall(keys.meta(partition))
        await self.queue_channels.learn()
        async with self.still:
            self.board.advance(self.clock.now())
            self.board.mark(text)
        for resolution, kept in (*KEPT.items(), (TOTAL, 0)):
            starts = [0]
            if resolution != TOTAL:
                index = keys.index(partition, resolution)
                starts = [int(s) for s in await self._client.zrangebyscore(index, now - kept, "+inf")]
            for at in range(0, len(starts), BUCKETS):
                await self._load_buckets(partition, resolution, starts[at : at + BUCKETS])
        for key, put in ((keys.visits, self._put_visits), (keys.agents, self._put_agent)):
            cursor: int | None = None
            while cursor != 0:
                cursor, page = await self._client.hscan(key(partition), cursor or 0, count=SCAN)
                for name, packed in page.items():
                    put(text, name, packed)
        self.board.sweep(text)
        health.seq, health.epoch = int(meta.get(b"seq", 0)), int(meta.get(b"epoch", 0))
        health.token = meta.get(b"token", b"")
        health.position = int(meta.get(b"position", 0) or 0)
        if health.seq:
            health.stored(health.seq, now)
        self.changed.set()

    async def _load_buckets(self, partition: Partition, resolution: int, starts: list[int]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for start in starts:
            pipe.hgetall(keys.cells(partition, resolution, start))
        for start, cells in zip(starts, await pipe.execute(), strict=True):
            fields = cells.keys()
            if resolution == TOTAL:  # retired names have nothing else, and would be shown for ever
                fields = {field for field in fields if not self.queue_channels.is_retired(field)}
            await self._put_cells(str(partition), resolution, start, [(f, cells[f]) for f in fields])
            await asyncio.sleep(0)

    def _renumber(self, numbers: Mapping[str, int]) -> None:
        if any(numbers.get(name, number) != number for name, number in self.board.numbers.items()):
            for text in self.health:
                self.board.forget(text)
        self.board.renumber(numbers)

    def _forget(self, text: str) -> None:
        self.board.forget(text)
        del self.health[text]
        if not self.health:
            self.queue_channels.forget()
