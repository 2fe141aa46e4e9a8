"""The Redis store: claims and commits, exactly once.

The owner of a partition writes absolute values: it remembers the cells that it touched last, and reads any other cell before
it adds to it, so a late event is counted right even after an eviction or a restart. The fence makes that safe: a worker with a
stale cell no longer holds the token, and its commit is refused as a whole.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import uuid4

from stream_app.errors import (
    FencedError,
    LaterEditionError,
    OtherTopicError,
    PositionMismatchError,
    RenumberedError,
)
from stream_app.model.durations import DAY
from stream_app.model.edition import EDITION
from stream_app.model.fold.deltas import Memory
from stream_app.model.kpis import STORED
from stream_app.model.ports import Beat, Commit, Partition
from stream_app.model.presence import Presence
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT

from . import keys
from .absolute import Absolute
from .client import connect, faults, script
from .clock import RedisClock
from .codec import (
    DAYS_FROM,
    frame,
    frame_cells,
    frame_rows,
    numbered_ids,
    pack_agent,
    pack_clock,
    pack_visits,
    restore_ids,
    unpack_agent,
    unpack_clock,
    unpack_visits,
)
from .editions import FOR_FORMER, minutes_of
from .names import Names, NumberedName
from .outbox import stored_rows
from .versions import Versions

LOG_BYTES: Final = 2_000_000
"""Bytes of a partition's latest commits kept for readers to follow; a reader further behind loads the partition again."""
DEAD_KEPT: Final = 10_000
OUTBOX_BYTES: Final = 64 * 1024 * 1024
SCAN: Final = 2_000
HOURS_AT_ONCE: Final = 4
BYTES_AT_ONCE: Final = 400_000
"""Of how many hours event ids are read at once, and how many bytes of them are taken over before others have their turn."""
CONFIRMED_MS: Final = DAY
"""A name not used for this long by partition time, ms, is checked again: it is not retired sooner."""

_KEEP = frame(str(n).encode() for pair in KEPT.items() for n in pair)


class RedisStore:
    """Counters in Redis."""

    def __init__(
        self,
        url: str,
        *,
        queue_cap: int | None = None,
        edition: int = EDITION,
        outbox_bytes: int = OUTBOX_BYTES,
    ) -> None:
        """Set it up for commits by an edition of the specification; it connects with the first command.

        Args:
            url: of Redis.
            queue_cap: how many queues are counted apart.
            edition: that one.
            outbox_bytes: the most bytes of rows of the ledger that a partition keeps for its writer.
        """
        self.outbox_bytes = outbox_bytes
        self.client = connect(url)
        self.edition = edition
        self.apply_script = script(self.client, "apply")
        self.beat_script = script(self.client, "beat")
        self.clock = RedisClock()
        self._claim_script = script(self.client, "claim")
        self.queues = Names(self.client, "queue", queue_cap)
        self.channels = Names(self.client, "channel")
        self.counters = Names(self.client, "counter")
        self.registries = (*self.queues.keys, *self.channels.keys, *self.counters.keys)
        self.versions = Versions(self.client, keys.SETTINGS)

    async def claim(
        self, partition: Partition, token: str, known: int | None = None, topic_id: str | None = None
    ) -> RedisClaim:
        """See ``Store.claim``."""
        version = await self.targets_version()
        for names in (self.queues, self.channels, self.counters):
            await names.reload()
        numbers = await self.counters.learn(part.name for part in STORED)
        document = await self.versions.document(version)
        who = (token, version, "" if known is None else known, topic_id or "")
        async with faults():
            await self.client.set(keys.IDENTITY, uuid4().hex, nx=True)
            await self.client.sadd(keys.PARTITIONS, str(partition))
            epoch, position, _, seq, time, counted, clock = await self._claim_script(
                keys=[keys.meta(partition)],
                args=[keys.prefix(partition), *who, self.edition, FOR_FORMER],
            )
            if epoch < 0:
                raise LaterEditionError(partition, int(counted), self.edition)
            if not epoch:
                raise OtherTopicError(partition, counted.decode(), topic_id or "")
            claim = RedisClaim(self, partition, f"{epoch}:{token}", int(seq))
            claim.position = int(position) if position else None
            claim.memory.time = int(time)
            claim.memory.agreement = unpack_clock(clock, claim.position)
            await claim.restore()
        claim.version = version
        claim.topic_id = counted.decode() or None
        claim.targets = Targets.from_json(document) if document else Targets()
        claim.numbers = {part.name: numbers[part.name] for part in STORED}
        return claim

    async def targets_version(self) -> int:
        """See ``Store.targets_version``."""
        return await self.versions.current()

    async def current_targets(self) -> tuple[int, bytes]:
        """Return the version in force and its document as JSON; version 0 is the built-in defaults."""
        version = await self.targets_version()
        return version, await self.versions.find(version) or Targets().to_json()

    async def apply_targets(self, targets: Targets) -> int:
        """See ``Store.apply_targets``."""
        return await self.versions.apply(targets.to_json())

    async def close(self) -> None:
        """See ``Store.close``."""
        await self.client.aclose()


class RedisClaim:
    """A claimed partition; see ``Claim``."""

    def __init__(self, store: RedisStore, partition: Partition, token: str, seq: int) -> None:
        """Set it up; only ``RedisStore.claim`` does."""
        self.partition = partition
        self.position: int | None = None
        self.memory = Memory()
        self.targets = Targets()
        self.version = 0
        self.numbers: dict[str, int] = {}
        self.topic_id: str | None = None
        self._store = store
        self._token = token
        self._absolute = Absolute(store.client, partition, store.queues, store.channels)
        self._prepared: tuple[str, list[Any]] | None = None
        self._confirmed: dict[NumberedName, int] = {}  # when they were last used, by partition time
        self._used: list[NumberedName] = []
        self._pending = False
        self._log: deque[tuple[int, int]] = deque([(seq, 0)])
        self._log_bytes = 0

    async def restore(self) -> None:
        """Read back the fold's memory: open visits, agents and recent event ids, never the history of cells."""
        client, memory = self._store.client, self.memory
        async for contact, packed in client.hscan_iter(keys.visits(self.partition), count=SCAN):
            memory.open[contact.decode()] = unpack_visits(packed)
        async for agent, packed in client.hscan_iter(keys.agents(self.partition), count=SCAN):
            memory.agents[agent.decode()] = unpack_agent(packed)
        numbers = [*minutes_of(await client.zrange(keys.recent(self.partition), 0, -1))]
        for n in range(0, len(numbers), HOURS_AT_ONCE):
            some = numbers[n : n + HOURS_AT_ONCE]
            found = await client.mget([keys.recent(self.partition, number) for number in some])
            for number, marks in zip(some, found, strict=True):
                for at in range(0, len(marks or b""), BYTES_AT_ONCE):
                    restore_ids(memory, number, marks[at : at + BYTES_AT_ONCE])
                    await asyncio.sleep(0)

    async def apply(self, commit: Commit) -> None:
        """See ``Claim.apply``."""
        self._pending = True
        if self._prepared is None or self._prepared[0] != commit.batch:
            self._prepared = (commit.batch, await self._prepare(commit))
        args = self._prepared[1]
        async with faults():
            verdict, number = await self._store.apply_script(
                keys=[keys.meta(self.partition), *self._store.registries], args=args
            )
        if verdict == b"FENCED":
            raise FencedError(f"{self.partition}: claimed by another worker")
        if verdict == b"MISMATCH":
            raise PositionMismatchError(int(number or 0), commit.start or 0)
        if verdict == b"NAMES":
            registry, _, name = number.decode().partition(" ")
            raise RenumberedError(
                f"{self.partition}: the {registry.rpartition(':')[2]} {name!r} does not have the number that this worker "
                "knows, or was retired"
            )
        self._confirmed.update(dict.fromkeys(self._used, commit.deltas.time))
        # If it is sent again, it need only be recognised: it can't be applied twice, so its contents are dropped.
        self._prepared = (
            commit.batch,
            [
                *args[:2],
                "stored",
                *args[3:6],
                *[b""] * 7,
                *args[13:16],
                *[b""] * 4,
                *args[20:22],
                b"",
                *args[23:27],
                b"",
                b"",
            ],
        )
        self.position, self._pending = commit.end, False
        self._trim(int(number), sum(len(args[i]) for i in (6, 7, 8, 27, 28)))

    async def _prepare(self, commit: Commit) -> list[Any]:
        deltas = commit.deltas
        cells, rows = await self._absolute.after(deltas)
        self._used = self._absolute.used
        if (
            not self._confirmed
        ):  # the claim learnt the numbers of all counters; its first commit confirms them
            self._used += [(b"6", name, number) for name, number in self.numbers.items()]
        opened: list[bytes] = []
        closed: list[bytes] = []
        for contact, visits in deltas.visits.items():
            if visits:
                opened += (contact.encode(), pack_visits(visits))
            else:
                closed.append(contact.encode())
        agents, forgotten = _framed_agents(deltas.agents)
        results = [part for name, n in deltas.results.items() for part in (name.encode(), b"%d" % n)]
        for (result, reason), n in deltas.reasons.items():
            results += (f"{result}:{reason}".encode(), b"%d" % n)
        if deltas.late:
            results += (b"applied:late", b"%d" % deltas.late)
        return [
            keys.prefix(self.partition),
            self._token,
            "" if commit.start is None else commit.start,
            commit.end,
            commit.batch,
            deltas.time,
            frame_cells(cells),
            frame(opened),
            frame(closed),
            frame(numbered_ids(deltas)),
            b"%d" % deltas.forgotten if deltas.forgotten >= 0 else b"",
            frame(results),
            frame(
                part
                for letter in commit.dead
                for part in (
                    b"%d" % letter.offset,
                    letter.reason.encode(),
                    letter.detail.encode(),
                    letter.value,
                )
            ),
            _KEEP,
            self._oldest_to_keep(),
            DEAD_KEPT,
            frame_rows(rows, self._absolute.written),
            pack_clock(commit.end, deltas.agreement),
            frame(self._unconfirmed(commit)),
            b"%d" % (DAYS_FROM + deltas.outlived) if deltas.outlived >= 0 else b"",
            self._store.edition,
            FOR_FORMER,
            b"" if deltas.ledger is None else stored_rows(deltas.ledger),
            self.topic_id or "",
            self.version,
            self._store.outbox_bytes,
            commit.begin,
            agents,
            forgotten,
        ]

    def _unconfirmed(self, commit: Commit) -> Iterable[bytes]:
        """Yield names and numbers that the commit uses and that nothing stored under this claim has confirmed lately."""
        oldest = commit.deltas.time - CONFIRMED_MS
        for name in self._used:
            if self._confirmed.get(name, -1) < oldest:
                yield from (name[0], name[1].encode(), b"%d" % name[2])

    def _trim(self, seq: int, size: int) -> None:
        self._log.append((seq, size))
        self._log_bytes += size
        while self._log_bytes > LOG_BYTES and len(self._log) > 1:
            self._log_bytes -= self._log.popleft()[1]

    def _oldest_to_keep(self) -> int:
        return self._log[0][0]

    async def beat(self, beat: Beat) -> int:
        """See ``Claim.beat``."""
        position, calm, clock = self.position, not self._pending, self._store.clock
        asked = clock.ticks()
        args = (
            self._token,
            clock.at(asked) if clock.known else "",
            beat.clock,
            beat.heard_ago,
            "" if beat.waits is None else beat.waits,
        )
        fields = ("owner", beat.owner, "position", beat.position, "end", beat.end, "read_at", beat.read_at)
        async with faults():
            ours, stored, now = await self._store.beat_script(
                keys=[keys.meta(self.partition), keys.beat(self.partition)], args=[*args, *fields]
            )
        clock.heard(int(now), asked)
        if not ours:
            raise FencedError(f"{self.partition}: claimed by another worker")
        calm = calm and not self._pending and self.position == position
        if calm and stored != (b"" if position is None else b"%d" % position):
            raise PositionMismatchError(int(stored or 0), position or 0)
        return beat.clock - clock.at(asked)


def _framed_agents(changed: Mapping[str, Presence | None]) -> tuple[bytes, bytes]:
    """Return who changed, with what was told of them, and who is forgotten."""
    kept = [
        part
        for agent, one in changed.items()
        if one is not None
        for part in (agent.encode(), pack_agent(one))
    ]
    return frame(kept), frame(agent.encode() for agent, one in changed.items() if one is None)
