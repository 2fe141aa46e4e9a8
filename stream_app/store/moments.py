"""A partition at one commit: its open visits, what its outbox holds and, if wanted, its counters, all of the same position.

Nothing is locked, and no commit waits. What is read piece by piece is brought to one commit by the partition's log, whose
entries hold the very values that commits wrote. They are absolute, so it does no harm that some were read before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from stream_app.errors import StoreUnavailableError
from stream_app.model.fold.cells import Cell, unpack_cell
from stream_app.model.fold.visit import REMEMBERED, Visit
from stream_app.model.ports import Partition
from stream_app.model.presence import Spell
from stream_app.model.windows import KEPT

from . import keys
from .client import connect, faults
from .codec import unframe, unframe_cells, unpack_agent, unpack_visits
from .outbox import OutboxEntry, entry_of

SCAN: Final = 2_000
BUCKETS: Final = 32
"""Buckets, or entries, read in one round trip."""
TRIES: Final = 5
"""How often a partition is read until nothing in between went another way: a claim, a rollback, a log that was cut."""

Field = bytes
"""``queue number.channel number``, as in ``keys``."""
BucketKey = tuple[int, int, Field]
"""Resolution, start, field."""


class PartitionMoment(Struct, frozen=True):
    """A partition as of one commit.

    Attributes:
        partition: which one.
        token: of the claim under which it was made.
        seq: the commit's number; 0: none yet.
        begun: the first offset that was counted: since a rebuild those before it are not, whatever the ledger has of them.
        position: the first offset that it does not include; ``None``: nothing was read yet.
        time: partition time, ms.
        topic_id: the topic's id; empty if unknown.
        out: where the next outbox entry begins; ``None``: nothing was ever noted.
        noted: the position up to which commits were noted; another one than ``position`` where the worker keeps no ledger.
        visits: contact → its open visits, packed.
        agents: agent → what was told of the agent, packed.
        entries: the outbox, in order.
        cells: bucket → cell, where they were wanted.
    """

    partition: Partition
    token: bytes
    seq: int
    begun: int
    position: int | None
    time: int
    topic_id: str
    out: int | None
    noted: int | None
    visits: dict[str, bytes]
    agents: dict[str, bytes]
    entries: list[OutboxEntry]
    cells: dict[BucketKey, bytes]

    def open_visits(self) -> Iterator[tuple[str, Visit]]:
        """Yield contacts and their visits; what is only remembered of one that is over is left out."""
        for contact, packed in self.visits.items():
            for visit in unpack_visits(packed):
                if visit.state < REMEMBERED:
                    yield contact, visit

    def current_spells(self) -> Iterator[tuple[str, Spell]]:
        """Yield agents and their current spells."""
        for agent, packed in self.agents.items():
            yield agent, unpack_agent(packed).current()

    def buckets(self) -> Iterator[tuple[BucketKey, Cell]]:
        """Yield the counters."""
        for key, packed in self.cells.items():
            yield key, unpack_cell(packed)


class Moments:
    """Reads partitions, each at one commit.

    Every method raises ``StoreUnavailableError`` where Redis does not answer, and ``QuarantinedError`` for a key of a foreign
    type.
    """

    def __init__(self, url: str) -> None:
        """Set it up; it connects with the first command. Open visits of the latest read are kept for the next one."""
        self._client: Any = connect(url)
        self._known: dict[Partition, PartitionMoment] = {}

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def partitions(self) -> list[Partition]:
        """Return all partitions of topics that were ever counted, in order."""
        async with faults():
            found = sorted(Partition.parse(p.decode()) for p in await self._client.smembers(keys.PARTITIONS))
        return [partition for partition in found if partition.is_live]

    async def names(self) -> dict[str, dict[str, int]]:
        """Return the names of each kind, ``queue``, ``channel`` and ``counter``, with their numbers."""
        async with faults():
            return {
                kind: {
                    name.decode(): int(n)
                    for name, n in (await self._client.hgetall(keys.names(kind))).items()
                }
                for kind in ("queue", "channel", "counter")
            }

    async def read(
        self,
        partition: Partition,
        *,
        since: int | None = None,
        moved: Callable[[], None] = lambda: None,
    ) -> PartitionMoment:
        """Read a partition.

        Args:
            partition: which one.
            since: if given, counters too: of buckets that begin at or after it, ms.
            moved: called from time to time, for a bar.

        Raises:
            StoreUnavailableError: it went another way each time that it was read; retry later.
        """
        async with faults():
            for _ in range(TRIES):
                found = await self._read(partition, since, moved)
                if found is not None:
                    self._known[partition] = replace(found, entries=[], cells={})
                    return found
                self._known.pop(partition, None)
        raise StoreUnavailableError(f"{partition} changes too fast to be read at one commit; try again")

    async def _read(
        self, partition: Partition, since: int | None, moved: Callable[[], None]
    ) -> PartitionMoment | None:
        """Read it once; ``None`` if it can't be brought to one commit."""
        before = await self._meta(partition)
        known = self._known.get(partition)
        if known is not None and (known.token != before.token or known.seq > before.seq):
            known = None  # it went another way
        visits = dict(known.visits) if known else await self._whole(keys.visits(partition))
        agents = dict(known.agents) if known else await self._whole(keys.agents(partition))
        cells = (
            {} if since is None else {key: cell async for key, cell in self._cells(partition, since, moved)}
        )
        meta = await self._meta(partition)
        if meta.token != before.token or meta.seq < before.seq:
            return None
        first = known.seq if known else before.seq
        log = await self._client.xrange(keys.log(partition), f"({first}-0", f"{meta.seq}-0")
        if [_seq(number) for number, _ in log] != [*range(first + 1, meta.seq + 1)]:
            return None
        for _, fields in log:
            if b"cells" in fields:  # a claim has none
                _follow(fields, visits, agents)
                _follow_cells(fields, cells, since)
        entries = [entry async for entry in self._entries(partition, meta.seq)]
        after = await self._meta(partition)
        if after.token != meta.token or after.seq < meta.seq:
            return None
        return PartitionMoment(
            partition,
            meta.token,
            meta.seq,
            meta.begun,
            meta.position,
            meta.time,
            meta.topic_id,
            meta.out,
            meta.noted,
            visits,
            agents,
            entries,
            cells,
        )

    async def _meta(self, partition: Partition) -> _Meta:
        found = await self._client.hgetall(keys.meta(partition))

        def number(name: bytes) -> int | None:
            return int(found[name]) if found.get(name) else None

        return _Meta(
            found.get(b"token", b""),
            number(b"seq") or 0,
            number(b"begun") or 0,
            number(b"position"),
            number(b"time") or 0,
            found.get(b"topic", b"").decode(),
            (number(b"out") or 0) if b"out" in found else None,
            (number(b"noted") or 0) if b"noted" in found else None,
        )

    async def _whole(self, key: str) -> dict[str, bytes]:
        """Return a hash, by name."""
        return {name.decode(): value async for name, value in self._client.hscan_iter(key, count=SCAN)}

    async def _cells(
        self, partition: Partition, since: int, moved: Callable[[], None]
    ) -> AsyncIterator[tuple[BucketKey, bytes]]:
        for resolution in KEPT:
            starts = await self._client.zrangebyscore(keys.index(partition, resolution), since, "+inf")
            for at in range(0, len(starts), BUCKETS):
                some = [int(start) for start in starts[at : at + BUCKETS]]
                pipe = self._client.pipeline(transaction=False)
                for start in some:
                    pipe.hgetall(keys.cells(partition, resolution, start))
                for start, found in zip(some, await pipe.execute(), strict=True):
                    for field, packed in found.items():
                        yield (resolution, start, field), packed
                moved()

    async def _entries(self, partition: Partition, last: int) -> AsyncIterator[OutboxEntry]:
        first = "-"
        while True:
            found = await self._client.xrange(keys.outbox(partition), first, f"{last}-0", count=BUCKETS)
            for number, fields in found:
                yield entry_of(number, fields)
            if len(found) < BUCKETS:
                return
            first = f"({found[-1][0].decode()}"


class _Meta(Struct, frozen=True):
    token: bytes
    seq: int
    begun: int
    position: int | None
    time: int
    topic_id: str
    out: int | None
    noted: int | None


def _seq(number: bytes) -> int:
    return int(number.partition(b"-")[0])


def _follow(fields: dict[bytes, bytes], visits: dict[str, bytes], agents: dict[str, bytes]) -> None:
    """Bring who was read one commit further."""
    for known, told, gone in ((visits, b"visits", b"closed"), (agents, b"agents", b"forgotten")):
        changed = unframe(fields.get(told, b""))  # a former version knows no agents
        for name, packed in zip(changed[::2], changed[1::2], strict=True):
            known[name.decode()] = packed
        for name in unframe(fields.get(gone, b"")):
            known.pop(name.decode(), None)


def _follow_cells(fields: dict[bytes, bytes], cells: dict[BucketKey, bytes], since: int | None) -> None:
    """Bring the counters one commit further."""
    if since is None:
        return
    for resolution, start, pairs in unframe_cells(fields[b"cells"]):
        if resolution in KEPT and start >= since:
            cells.update({(resolution, start, f): c for f, c in zip(pairs[::2], pairs[1::2], strict=True)})
