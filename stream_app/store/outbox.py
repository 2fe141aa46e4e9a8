"""The outboxes: what commits found, until the ledger holds it. An entry per commit, its id is the commit's number.

| field | holds |
|---|---|
| ``topic`` | the topic's id; empty if unknown |
| ``from``, ``to`` | the offsets that it covers, the second one excluded; an empty ``from``: from the very beginning |
| ``time`` | partition time after it, ms |
| ``version`` | of the targets by which it was counted |
| ``rows`` | the rows: a MessagePack array, or 0xC1 and that array compressed by LZ4, which halves it at 0.3 µs a visit |
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from hashlib import sha1
from typing import Any, Final

import cramjam
from msgspec import Struct

from stream_app.model.ledger import join_rows
from stream_app.model.ports import Partition

from . import keys
from .client import connect, faults, script

FIELDS: Final = (b"topic", b"from", b"to", b"time", b"version", b"rows")
PAGE: Final = 512 * 1024
"""Bytes of rows in one reply, about: they take many times as much when they are unpacked."""
MOST: Final = 500
"""Entries in one reply."""
REMOVED: Final = 500
"""Entries that one script removes, which nothing else in Redis can interrupt."""
DIGEST: Final = 8
SMALL: Final = 1_000
"""Bytes of rows below which compressing gains little."""
_COMPRESSED: Final = b"\xc1"
"""No MessagePack begins like this."""


class OutboxEntry(Struct, frozen=True):
    """What one commit found.

    Attributes:
        id: the entry's id in the stream.
        topic_id: see above, like the next five.
        begin: ``None``: from the very beginning.
        end: the first offset after it.
        time: partition time, ms.
        version: of the targets.
        rows: packed; never compressed.
        digest: tells it from any other entry, also from one with the same id after a rollback of Redis.
    """

    id: bytes
    topic_id: str
    begin: int | None
    end: int
    time: int
    version: int
    rows: bytes
    digest: bytes


class OutboxStanding(Struct, frozen=True):
    """How much there is in an outbox.

    Attributes:
        entries: how many.
        size: bytes of rows.
        oldest: partition time of the first entry, ms; 0 if there is none.
        time: partition time now.
        begun: the first offset that was counted.
    """

    entries: int
    size: int
    oldest: int
    time: int
    begun: int = 0

    @property
    def lag_ms(self) -> int:
        """For how long the first entry has been there, by partition time."""
        return max(0, self.time - self.oldest) if self.entries else 0


class Outboxes:
    """The outboxes of all partitions, as the writer of the ledger uses them.

    Every method raises ``StoreUnavailableError`` where Redis does not answer, and ``QuarantinedError`` for a key of a foreign
    type.
    """

    def __init__(self, url: str) -> None:
        """Set it up; it connects with the first command."""
        self._client = connect(url)
        self._lease = script(self._client, "lease")
        self._unbox = script(self._client, "unbox")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def partitions(self) -> list[Partition]:
        """Return all partitions that were ever counted, in order."""
        async with faults():
            return sorted(Partition.parse(p.decode()) for p in await self._client.smembers(keys.PARTITIONS))

    async def lease(self, partition: Partition, token: str, ms: int) -> bool:
        """Become or stay the one who writes a partition's ledger for a time, and return whether that was possible.

        It only saves work: the manifests decide who has written.
        """
        async with faults():
            epoch, *_ = await self._lease(keys=[keys.writer(partition)], args=[token, ms])
        return bool(epoch)

    async def release(self, partition: Partition, token: str) -> None:
        """Let another writer take over at once."""
        async with faults():
            if await self._client.hget(keys.writer(partition), "token") == token.encode():
                await self._client.hset(keys.writer(partition), "until", 0)

    async def standing(self, partition: Partition) -> OutboxStanding:
        """Return how much there is in a partition's outbox."""
        async with faults():
            pipe = self._client.pipeline(transaction=True)
            pipe.xlen(keys.outbox(partition))
            pipe.xrange(keys.outbox(partition), count=1)
            pipe.hmget(keys.meta(partition), "out_bytes", "time", "begun")
            entries, first, (size, time, begun) = await pipe.execute()
        oldest = int(first[0][1].get(b"time") or 0) if first else 0
        return OutboxStanding(entries, int(size or 0), oldest, int(time or 0), int(begun or 0))

    async def pages(self, partition: Partition) -> AsyncIterator[list[OutboxEntry]]:
        """Yield the entries of a partition's outbox in order, some at a time, until there are no more."""
        first, count = b"-", 1
        while True:
            async with faults():
                found = await self._client.xrange(keys.outbox(partition), first, b"+", count=count)
            if not found:
                return
            entries = [entry_of(number, fields) for number, fields in found]
            yield entries
            first = b"(" + entries[-1].id
            each = max(1, sum(len(entry.rows) for entry in entries) // len(entries))
            count = min(MOST, 4 * count, max(1, PAGE // each))

    async def latest(self, partition: Partition) -> int:
        """Return the number of a partition's latest commit, which an entry has if it has one."""
        async with faults():
            return int(await self._client.hget(keys.meta(partition), "seq") or 0)

    async def waits(self, partition: Partition, latest: int) -> bool:
        """Return whether an entry of a commit up to this one is still there."""
        async with faults():
            first = await self._client.xrange(keys.outbox(partition), count=1)
        return bool(first) and int(first[0][0].partition(b"-")[0]) <= latest

    async def remove(self, partition: Partition, entries: Iterable[tuple[bytes, bytes]]) -> int:
        """Remove the first entries, by id and digest, up to the first one that is another by now; return how many.

        Args:
            partition: whose.
            entries: consecutive ones, as they were read.
        """
        pairs: Sequence[Any] = [part for number, digest in entries for part in (number, digest.hex())]
        removed = 0
        for at in range(0, len(pairs), 2 * REMOVED):
            async with faults():
                removed += await self._unbox(
                    keys=[keys.outbox(partition), keys.meta(partition)], args=pairs[at : at + 2 * REMOVED]
                )
        return removed


def stored_rows(packed: list[bytes]) -> bytes:
    """Return packed rows as an entry has them."""
    rows = join_rows(packed)
    return rows if len(rows) < SMALL else _COMPRESSED + bytes(cramjam.lz4.compress_block(rows))


def plain_rows(stored: bytes) -> bytes:
    """Undo ``stored_rows``, up to ``join_rows``; entries of former versions are not compressed."""
    return bytes(cramjam.lz4.decompress_block(stored[1:])) if stored[:1] == _COMPRESSED else stored


def entry_of(number: bytes, fields: dict[bytes, bytes]) -> OutboxEntry:
    """Decode an entry of the stream, by its id."""
    parts = [number, *(fields.get(name, b"") for name in FIELDS), b""]
    _, topic_id, begin, end, time, version, rows, _ = parts
    return OutboxEntry(
        id=number,
        topic_id=topic_id.decode(),
        begin=int(begin) if begin else None,
        end=int(end),
        time=int(time or 0),
        version=int(version or 0),
        rows=plain_rows(rows),
        digest=sha1(b"\0".join(parts), usedforsecurity=False).digest()[:DIGEST],
    )
