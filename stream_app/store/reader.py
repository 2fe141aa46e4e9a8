"""The reader: a mirror of what the owners committed, kept up to date by following their logs.

A partition is loaded once, cell by cell and visit by visit, and then follows the partition's log, whose
entries are the very values that the commits wrote. They are absolute, so reading one twice is harmless, and
the loading needs no lock: whatever moved meanwhile stands in the log behind the place at which the loading
began. A gap, a new owner or a step back loads the partition anew; what did not change costs nothing then, and
the board shows no hole. Cost grows with change, never with history.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import structlog

from stream_app.errors import QuarantinedError, StoreUnavailableError
from stream_app.model.board import Board
from stream_app.model.ports import FILE, Partition
from stream_app.model.tally import NUMBERS
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT, TOTAL

from . import keys
from .client import connect, faults
from .codec import unframe, unpack_visits
from .health import Health
from .places import Places

__all__ = ["Health", "Reader", "wall_ms"]

BLOCK_MS: Final = 400
POLL_S: Final = 1.0
ENTRIES: Final = 64
SCAN: Final = 2_000
BUCKETS: Final = 32
"""How many buckets are asked for in one round trip."""
SET_BACK_MS: Final = 1_000
"""A wall clock that steps back further loads everything anew: buckets may have been dropped too early."""
_FIRST_WAIT_S: Final = 0.1
_LAST_WAIT_S: Final = 2.0
_PER_PARTITION: Final = 4  # replies of a poll

_log = structlog.get_logger(__name__)


def wall_ms() -> int:
    """The wall clock, in milliseconds."""
    return time.time_ns() // 1_000_000


class Reader:
    """Mirrors a store into a board.

    Attributes:
        board: the mirror; whoever looks at it calls ``advance`` first.
        targets: the settings in force.
        health: partition → what is known of it.
        connected: the store answers.
        problem: why it does not.
        changed: set whenever the board, the settings or the health changed; whoever looks clears it.
    """

    def __init__(self, url: str, clock: Callable[[], int] = wall_ms) -> None:
        """Connects in ``run``."""
        self.board = Board(clock(), NUMBERS)
        self.targets = Targets()
        self.health: dict[str, Health] = {}
        self.connected = False
        self.problem: str | None = None
        self.changed = asyncio.Event()
        self._client: Any = connect(url)  # its stubs leave open whether replies are decoded
        self._clock = clock
        self._seen_at = clock()
        self._version = -1
        self._identity: bytes | None = None
        self._places = Places(self._client, self._renumber)

    @property
    def ready(self) -> bool:
        """Connected, and every known partition loaded."""
        return self.connected and bool(self.health) and all(h.seq for h in self.health.values())

    def reasons(self) -> list[str]:
        """Why it is not ready, for people."""
        if not self.connected:
            return [f"Redis is away: {self.problem}" if self.problem else "Redis has not answered yet"]
        if not self.health:
            return ["no worker has claimed a partition yet"]
        return [
            f"partition {name}: {health.problem or 'is being loaded'}"
            for name, health in self.health.items()
            if not health.seq
        ]

    def age_s(self) -> float | None:
        """Age of the oldest partition's data in seconds.

        ``None`` where it can't be told: nothing was ever claimed, or an owner has not given a heartbeat yet. Files that
        were folded beside the topic have no owner, and no age.
        """
        now = self._clock()
        ages = [h.age_ms(now) for text, h in self.health.items() if Partition.parse(text).is_live]
        known = [age for age in ages if age is not None]
        return max(known) / 1000 if ages and len(known) == len(ages) else None

    async def run(self) -> None:
        """Follow until cancelled; a store that is away is asked again."""
        wait = _FIRST_WAIT_S
        while True:
            _end_if_cancelled()
            try:
                await self._follow()
            except (StoreUnavailableError, QuarantinedError) as error:
                if self.connected:
                    wait = _FIRST_WAIT_S
                if self.connected or self.problem is None:
                    _log.warning("store_unavailable", error=str(error))
                self.connected, self.problem = False, str(error)
                for health in self.health.values():
                    health.seq = 0  # it may come back as another one: load everything anew
                self.changed.set()
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LAST_WAIT_S)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _follow(self) -> None:
        polled = float("-inf")
        while True:
            async with faults():
                if time.monotonic() - polled >= POLL_S:
                    polled = time.monotonic()
                    await self._poll()
                _end_if_cancelled()
                streams = {
                    keys.log(Partition.parse(p)): f"{h.seq}-0" for p, h in self.health.items() if h.seq
                }
                if not streams:
                    await asyncio.sleep(_FIRST_WAIT_S)
                    polled = float("-inf")
                    continue
                found = await self._client.xread(streams, count=ENTRIES, block=BLOCK_MS)
                for partition, entries in _entries(found):
                    for entry_id, fields in entries:
                        if not await self._entry(partition, entry_id, fields):
                            break
                        await asyncio.sleep(0)  # whoever looks at the board need not wait for all of them

    async def _poll(self) -> None:
        """What the log does not tell: new partitions, heartbeats, settings, a store that stepped back."""
        now = self._clock()
        if now < self._seen_at - SET_BACK_MS:
            for health in self.health.values():
                health.seq = 0
        self._seen_at = now
        members = sorted(p.decode() for p in await self._client.smembers(keys.PARTITIONS))
        for gone in self.health.keys() - members:  # wiped
            self._forget(gone)
        await self._recognise()
        pipe = self._client.pipeline(transaction=False)
        for text in members:
            partition = Partition.parse(text)
            pipe.hgetall(keys.meta(partition))
            pipe.hgetall(keys.beat(partition))
            pipe.hgetall(keys.results(partition))
            pipe.type(keys.log(partition))
        replies = await pipe.execute(raise_on_error=False)
        for n, text in enumerate(members):
            health = self.health.setdefault(text, Health())
            try:
                async with faults():
                    await self._take(text, health, replies[n * _PER_PARTITION : (n + 1) * _PER_PARTITION])
                health.problem = None
            except QuarantinedError as error:  # a human must look; the other partitions go on
                if not health.problem:
                    _log.error("partition_unreadable", partition=text, error=str(error))
                health.seq, health.problem = 0, str(error)
        version = int(await self._client.get(keys.SETTINGS) or 0)
        if version != self._version:
            document = await self._client.get(keys.settings(version)) if version else None
            self.targets = Targets.from_json(document) if document else Targets()
            self._version = version
        self.connected, self.problem = True, None
        self.changed.set()

    async def _recognise(self) -> None:
        """Whether it is the same store as before: one that was wiped holds nothing of what was counted."""
        identity = await self._client.get(keys.IDENTITY)
        if identity != self._identity and self._identity is not None:
            for text, health in self.health.items():
                self.board.forget(text)
                health.seq = 0
            self.board.restart_totals()
        self._identity = identity

    async def _take(self, text: str, health: Health, replies: list[Any]) -> None:
        """One partition's part of a poll."""
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        meta, beat, results, log = replies
        if log not in {b"stream", b"none"}:
            raise QuarantinedError(f"{keys.log(Partition.parse(text))} is a {log.decode()}, not a stream")
        health.rollbacks = int(meta.get(b"rollbacks", 0))
        health.end, health.beat_at, health.read_at = (
            int(beat.get(k, 0)) for k in (b"end", b"at", b"read_at")
        )
        health.results = {k.decode(): int(v) for k, v in results.items()}
        seq = int(meta.get(b"seq", 0))
        if not health.seq or meta.get(b"token") != health.token or seq < health.seq:
            await self._load(Partition.parse(text), health)
        else:
            health.stored(seq, self._seen_at)

    async def _entry(self, text: str, entry_id: bytes, fields: dict[bytes, bytes]) -> bool:
        """Mirror one commit; ``False`` if the partition was loaded anew instead."""
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
        parts = unframe(fields[b"cells"])
        at = 0
        while at < len(parts):
            resolution, start, n = int(parts[at]), int(parts[at + 1]), int(parts[at + 2])
            pairs = parts[at + 3 : at + 3 + 2 * n]
            await self._put_cells(text, resolution, start, zip(pairs[::2], pairs[1::2], strict=True))
            at += 3 + 2 * n
        visits = unframe(fields[b"visits"])
        for contact, packed in zip(visits[::2], visits[1::2], strict=True):
            self._put_visits(text, contact, packed)
        for contact in unframe(fields[b"closed"]):
            self.board.put_visits(text, contact.decode(), ())

    async def _put_cells(
        self, text: str, resolution: int, start: int, cells: Iterable[tuple[bytes, bytes]]
    ) -> None:
        pairs = list(cells)
        await self._places.know(field for field, _ in pairs)
        self.board.put_cells(text, resolution, start, [(self._places.of(f), v) for f, v in pairs])

    def _put_visits(self, text: str, contact: bytes, packed: bytes) -> None:
        if text.startswith(FILE):  # a recording: whoever still waits at its end does not wait now
            return
        visits = unpack_visits(packed)
        for visit in visits:
            visit.queue, visit.channel = self._places.shown(visit.queue, visit.channel)
        self.board.put_visits(text, contact.decode(), visits)

    async def _load(self, partition: Partition, health: Health) -> None:
        """Load a partition as it is now; what moves meanwhile stands in the log."""
        text, now = str(partition), self._clock()
        health.wanted = None
        meta = await self._client.hgetall(keys.meta(partition))
        await self._places.learn()
        self.board.advance(now)
        self.board.mark(text)
        for resolution, kept in (*KEPT.items(), (TOTAL, 0)):
            starts = [0]
            if resolution != TOTAL:
                index = keys.index(partition, resolution)
                starts = [int(s) for s in await self._client.zrangebyscore(index, now - kept, "+inf")]
            for at in range(0, len(starts), BUCKETS):
                await self._load_buckets(partition, resolution, starts[at : at + BUCKETS])
        cursor: int | None = None
        while cursor != 0:
            cursor, page = await self._client.hscan(keys.visits(partition), cursor or 0, count=SCAN)
            for contact, packed in page.items():
                self._put_visits(text, contact, packed)
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
            await self._put_cells(str(partition), resolution, start, cells.items())
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
            self._places.forget()


def _end_if_cancelled() -> None:
    """The Redis client may swallow a cancellation that hits it in the middle of a command."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _entries(found: Any) -> Iterable[tuple[str, list[tuple[bytes, dict[bytes, bytes]]]]]:
    """What XREAD gave, whichever protocol: (topic.partition, entries)."""
    pairs = found.items() if isinstance(found, dict) else found or ()
    for key, batches in pairs:
        entries = batches[0] if batches and isinstance(batches[0], list) else batches
        yield key.decode().partition("{")[2].partition("}")[0], entries
