"""What commits would do to a partition's outbox, and what the ledger holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet
from redis.asyncio import Redis

from stream_app.failpoints import Failpoints
from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.manifest import Manifest
from stream_app.ledger.manifests import Manifests
from stream_app.ledger.partition_writer import PartitionWriter
from stream_app.ledger.storage import Storage
from stream_app.model.facts import Answered, Fact, Handled, Offered, Replied
from stream_app.model.fold.visit import CLOSED, QUEUED, Visit, VisitNotes
from stream_app.model.ledger import Happening, StoredRow, VisitRow, join_rows, pack_row
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.outbox import Outboxes

P0 = Partition("calls", 0)
T0 = 1_795_334_400_000  # 2026-11-22, 08:00 UTC
MINUTE = 60_000


def visit_row(offset: int, n: int = 0, *, contact: str = "", at: int = T0, **more: Any) -> VisitRow:
    """A visit that was answered after 7 s."""
    counted: list[Fact] = [
        Offered(at),
        Answered(at + 7_000, at, 7_000, True),
        Handled(at + 99_000, 80_000, 5_000, 7_000, True),
    ]
    visit = Visit(
        "sales",
        "voice",
        CLOSED,
        at,
        at + 99_000,
        20_000,
        5_000,
        b"",
        QUEUED,
        agent="ann",
        notes=VisitNotes(1, pack_row(counted), **more),
    )
    return VisitRow(offset, n, contact or f"c{offset}", visit)


def reply_row(offset: int, n: int = 0, *, at: int = T0, sign: int = 1) -> Happening:
    """A reply after a minute."""
    facts = pack_row([Replied(at, 60_000, 60_000)])
    return Happening(
        offset,
        n,
        "reply",
        sign,
        f"c{offset}",
        "mail",
        "email",
        at - MINUTE,
        "ann",
        None,
        None,
        None,
        None,
        None,
        facts,
    )


class Commits:
    """Writes a partition's outbox as commits do, and remembers what Redis has counted.

    Attributes:
        counted: offset and n → the version that it was counted by, in the history that Redis has.
        lost: offsets from and to of entries that went because the outbox was full; their rows are not in ``counted``.
    """

    def __init__(self, client: Redis, partition: Partition = P0, topic_id: str = "t1") -> None:
        self.client, self.partition, self.topic_id = client, partition, topic_id
        self.seq = self.position = self.out = 0
        self.time = T0
        self.counted: dict[tuple[int, int], int] = {}
        self.lost: tuple[tuple[int, int], ...] = ()

    async def commit(self, rows: Iterable[StoredRow], records: int = 10, version: int = 1) -> bool:
        """Go on by some records, with rows whose offsets are from the position on; return whether it had any rows."""
        packed = [*rows]
        self.seq += 1
        self.position += records
        if not packed:
            return False
        blob = join_rows([pack_row(row) for row in packed])
        entry: dict[Any, Any] = {
            "topic": self.topic_id,
            "from": self.out,
            "to": self.position,
            "time": self.time,
            "version": version,
            "rows": blob,
        }
        await self.client.sadd(keys.PARTITIONS, str(self.partition))
        await self.client.xadd(keys.outbox(self.partition), entry, id=f"{self.seq}-0")
        await self.client.hincrby(keys.meta(self.partition), "out_bytes", len(blob))
        await self.client.hset(
            keys.meta(self.partition), mapping={"out": self.position, "time": self.time, "seq": self.seq}
        )
        self.out = self.position
        self.counted |= {(row.offset, row.n): version for row in packed}
        return True

    async def visits(self, n: int = 3, version: int = 1) -> None:
        """Commit some visits."""
        await self.commit([visit_row(self.position + i) for i in range(n)], version=version)

    async def lose_oldest(self) -> None:
        """Do as a commit does that finds the outbox full."""
        entries: Any = await self.client.xrange(keys.outbox(self.partition), count=1)
        ((number, fields),) = entries
        await self.client.xdel(keys.outbox(self.partition), number)
        await self.client.hincrby(keys.meta(self.partition), "out_bytes", -len(fields[b"rows"]))
        begin, end = int(fields[b"from"] or 0), int(fields[b"to"])
        self.counted = {key: row for key, row in self.counted.items() if not begin <= key[0] < end}
        self.lost = (*self.lost, (begin, end))


class Clock:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> int:
        return self.now


def writer(
    outboxes: Outboxes,
    storage: Storage,
    clock: Clock,
    failpoints: Failpoints | None = None,
    *,
    partition: Partition = P0,
    days: Mapping[str, int] | None = None,
) -> PartitionWriter:
    """A writer as the process has it."""
    return PartitionWriter(
        partition,
        outboxes,
        storage,
        TABLES,
        Exploder,
        clock=clock,
        failpoints=failpoints or Failpoints(),
        days=days or {"": 400},
    )


async def newest(storage: Storage, partition: Partition = P0) -> Manifest:
    """The truth."""
    return await Manifests(storage, partition).newest()


async def rows_of(
    storage: Storage, folder: Path, table: str, partition: Partition = P0
) -> list[dict[str, Any]]:
    """All valid rows of a table, in order."""
    found: list[dict[str, Any]] = []
    for file in (await newest(storage, partition)).files:
        if file.table == table:
            rows = pyarrow.parquet.read_table(
                await storage.fetch(file.name, folder), partitioning=None
            ).to_pylist()
            offsets = [row["offset"] for row in rows]
            assert (file.rows, file.first, file.last) == (len(rows), min(offsets), max(offsets))
            found += rows
    return sorted(found, key=lambda row: (row["offset"], row["n"]))


async def identities(
    storage: Storage, folder: Path, partition: Partition = P0
) -> list[tuple[tuple[int, int], int]]:
    """Offset, n and version of every valid row of every table, in order; twice what is there twice."""
    found = [row for table in TABLES for row in await rows_of(storage, folder, table, partition)]
    return sorted(((row["offset"], row["n"]), row["version"]) for row in found)


class KilledError(BaseException):
    """The writer was killed here: nothing of it goes on."""


class KillAt(Failpoints):
    """Kills the writer at a place, once; at none by default.

    Attributes:
        place: its name.
        killed: how often.
    """

    def __init__(self, place: str = "") -> None:
        super().__init__()
        self.place = place
        self.killed = 0

    async def hit(self, name: str) -> None:
        if name == self.place:
            self.place, self.killed = "", self.killed + 1
            raise KilledError


PLACES = ("before_files", "before_manifest", "before_removal", "after_removal")
"""The failpoints of a step."""
