"""The writer of one partition's ledger: from its outbox into files, and a manifest that makes them valid."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

import structlog

from stream_app.errors import StreamAppError
from stream_app.failpoints import Failpoints
from stream_app.model.ports import Partition
from stream_app.store.outbox import Outboxes, OutboxStanding

from . import manifest as m
from .forgotten import load_forgotten
from .local_files import local_faults
from .manifest import Manifest, RowsFile
from .manifests import Manifests
from .merging import of_past_days, to_join
from .parquet_files import (
    FileKey,
    FinishedFile,
    OpenFiles,
    before,
    day_of,
    knows,
    put_rows,
    read_rows,
    rewrite,
)
from .sending import PartitionSender
from .storage import LedgerUnavailableError, Storage
from .sweeping import sweep
from .tables import LedgerTable
from .taking import UNREADABLE, Explode, TakenEntries

_log = structlog.get_logger(__name__)

FULL: Final = 16 * 1024 * 1024
"""Bytes in the outbox that are filed at once, long before it is full."""
ENTRIES: Final = 50_000
"""Entries of one step: their digests are in the manifest."""


class PartitionWriter:
    """Writes one partition's ledger, step by step; another process may do the same at any time.

    Attributes:
        held: the newest manifest, as far as is known; ``None`` before it was read.
        standing: the outbox as it was seen last.
        unsent: why the topic lacks rows; empty: it does not, or there is none.
    """

    def __init__(
        self,
        partition: Partition,
        outboxes: Outboxes,
        storage: Storage,
        tables: Mapping[str, LedgerTable],
        explode: Callable[[Partition], Explode],
        *,
        clock: Callable[[], int],
        failpoints: Failpoints,
        days: Mapping[str, int],
        every_ms: int = 60_000,
        sender: PartitionSender | None = None,
    ) -> None:
        """Wire it up.

        Args:
            partition: whose ledger.
            outboxes: where its rows come from.
            storage: where they go.
            tables: name → table.
            explode: makes the tables' rows of an entry.
            clock: the wall clock, ms.
            failpoints: where tests end this process.
            days: table → days that are kept; those of the others by the name ``""``.
            every_ms: the least time between two steps that file rows, unless the outbox fills up.
            sender: sends them to a topic; ``None``: there is none.
        """
        self.partition = partition
        self.held: Manifest | None = None
        self.standing = OutboxStanding(0, 0, 0, 0)
        self._outboxes, self._storage = outboxes, storage
        self._manifests = Manifests(storage, partition)
        self._tables, self._explode = tables, explode(partition)
        self._clock, self._failpoints, self._days, self._every_ms = clock, failpoints, days, every_ms
        self._sender, self.unsent = sender, ""
        self._behind = False  # whether a step left entries behind

    async def round(self, *, sends: bool = True) -> int:
        """Take what is due from the outbox, and return the number of rows that were added.

        Args:
            sends: whether to send what the topic lacks, too.

        Raises:
            StoreUnavailableError: Redis does not answer. Whatever was done, the next round finds out.
            LedgerUnavailableError: the storage does not; likewise.
        """
        held, self.held = self.held, None  # unless all goes well, nothing is known any more
        self.standing = await self._outboxes.standing(self.partition)
        if held is None or (self._sender is not None and self._sender.looks(held)):
            held = await self._manifests.newest()
        if self.standing.entries and await self._remove_taken(held):
            self.standing = await self._outboxes.standing(self.partition)
        due = self._due(held)
        sender = self._sender if sends else None
        if not due and (sender is None or not sender.lacks(held)):
            self.held = held
            return 0
        with local_faults(self._storage.scratch()):
            folder = TemporaryDirectory(
                prefix="ledger-", dir=self._storage.scratch(), ignore_cleanup_errors=True
            )
        with folder:
            rows = 0
            if due:
                rows = await self._file(held, Path(folder.name))
            else:
                self.held = held
            if sender is not None and self.held is not None:
                await self._send(sender, self.held, Path(folder.name))
            return rows

    async def close(self) -> None:
        """Disconnect from the topic."""
        if self._sender is not None:
            await self._sender.close()

    async def _send(self, sender: PartitionSender, held: Manifest, folder: Path) -> None:
        """Send what the topic lacks; what goes wrong there keeps no rows from being filed."""
        try:
            self.held = await sender.send(held, folder)
            self.unsent = ""
        except StreamAppError as error:
            self.unsent = str(error)

    async def sweep(self) -> int:
        """Delete files that nobody needs any more; see ``sweeping.sweep``."""
        self.held = None
        return await sweep(self._storage, self.partition, self._tables, self._clock(), self._failpoints)

    def _due(self, held: Manifest) -> bool:
        """Return whether rows are to be filed now."""
        since = self._clock() - held.filed_at
        early = 0 <= since < self._every_ms and self.standing.size < FULL and not self._behind
        return self.standing.entries > 0 and not early

    async def _remove_taken(self, held: Manifest) -> int:
        """Remove from the outbox what the manifest holds: its writer may have been killed before it did; return how many."""
        taken, found = held.digests, list[tuple[bytes, bytes]]()
        if not taken:
            return 0
        async for entries in self._outboxes.pages(self.partition):
            same = [*takewhile(lambda entry: entry.digest in taken, entries)]
            found += [(entry.id, entry.digest) for entry in same]
            if len(same) < len(entries):
                break
        return await self._outboxes.remove(self.partition, found)

    async def _file(self, held: Manifest, folder: Path) -> int:
        """Take one step: files, then the manifest, then the outbox."""
        await self._failpoints.hit("before_files")
        forgotten = await load_forgotten(self._storage)
        files = OpenFiles(self._tables, folder)
        skips = self.standing.size >= FULL
        taking = TakenEntries(held, files, self._tables, forgotten, begun=self.standing.begun, skips=skips)
        await self._take(taking)
        if not taking.ids:
            if taking.unreadable:
                raise StreamAppError(UNREADABLE)
            return 0  # it was emptied meanwhile
        base, now = held, self._clock()
        if taking.cut:
            base = await self._cut(base, *taking.cut, folder, now)
            if self._sender is not None:
                self._sender.cut(*taking.cut)
        base = await self._add(base, await asyncio.to_thread(taking.finish), folder, now)
        base = await self._join_past_day(base, day_of(taking.time), folder, now)
        base = m.without_expired(base, lambda table: self._oldest(table, taking.time), now)
        following = m.next_of(
            base,
            writer=uuid4().hex,
            at=now,
            filed_at=now,
            time=taking.time,
            topic_id=taking.topic_id,
            ends={**base.ends, **taking.ends},
            holes=(*base.holes, *taking.holes),
            taken=taking.digests,
            forgotten=held.forgotten if held.number else forgotten.number,
            sent=base.sent if self._sender is None else self._sender.sent(base, held.number),
        )
        await self._failpoints.hit("before_manifest")
        if not await self._manifests.add(following):
            _log.info("ledger_race_lost", partition=str(self.partition), number=following.number)
            return 0
        await self._failpoints.hit("before_removal")
        self._report(taking)
        await self._outboxes.remove(self.partition, taking.ids)
        await self._failpoints.hit("after_removal")
        if self._sender is not None:
            await self._sender.follow(held.number, following)
        self.held, self.standing = following, await self._outboxes.standing(self.partition)
        return taking.rows

    async def _take(self, taking: TakenEntries) -> None:
        """Read the outbox page by page; what came since this round began is for the next one."""
        most = min(ENTRIES, self.standing.entries)
        async for entries in self._outboxes.pages(self.partition):
            if not await asyncio.to_thread(taking.take, entries, self._explode) or len(taking.ids) >= most:
                break
        self._behind = len(taking.ids) < self.standing.entries

    async def _cut(self, base: Manifest, topic_id: str, offset: int, folder: Path, now: int) -> Manifest:
        """Remove the rows from an offset on."""
        for file in m.straddling(base, topic_id, offset):
            table, key = self._tables[file.table], _key(file)
            path = await self._storage.fetch(file.name, folder)
            if not await asyncio.to_thread(knows, path, table):
                raise StreamAppError(
                    f"ledger: {file.name} was written by a later version of stream-app; upgrade it"
                )

            def kept(
                path: Path = path, table: LedgerTable = table, key: FileKey = key
            ) -> FinishedFile | None:
                return rewrite(key, table, [before(read_rows(path, table), offset)], folder)

            shortened = await asyncio.to_thread(kept)
            base = m.swap(base, {file.name}, [await self._put(shortened)] if shortened else [], now)
        return m.cut(base, topic_id, offset, now)

    async def _add(
        self, base: Manifest, finished: Collection[tuple[FileKey, FinishedFile]], folder: Path, now: int
    ) -> Manifest:
        """Add files, each joined with the last ones of its table and day as far as that keeps them few."""
        for key, file in finished:
            same = [one for one in base.files if _key(one) == key]
            joining = same[len(same) - to_join([one.rows for one in same], file.described.rows) :]
            joined = await self._join(key, joining, folder, file) if joining else None
            if joined is None:
                base = m.add(base, [await self._put(file)])
            else:
                base = m.swap(base, {one.name for one in joining}, [await self._put(joined)], now)
        return base

    async def _join_past_day(self, base: Manifest, today: str, folder: Path, now: int) -> Manifest:
        """Make one file of a table's day that is over, if there is one that has several."""
        files = of_past_days(base.files, today)
        joined = await self._join(_key(files[0]), files, folder) if files else None
        if joined is None:
            return base
        return m.swap(base, {one.name for one in files}, [await self._put(joined)], now)

    async def _join(
        self, key: FileKey, files: Collection[RowsFile], folder: Path, new: FinishedFile | None = None
    ) -> FinishedFile | None:
        """Write files, and then a new one, into one; ``None`` where that can't be done: it is not needed, only better."""
        table = self._tables[key.table]
        try:
            paths = [await self._storage.fetch(one.name, folder) for one in files]

            def joined() -> FinishedFile | None:
                if not all(knows(path, table) for path in paths):
                    return None
                sources = [*paths, *([new.path] if new else [])]
                return rewrite(key, table, [read_rows(path, table) for path in sources], folder)

            return await asyncio.to_thread(joined)
        except LedgerUnavailableError as error:
            _log.warning("ledger_not_joined", partition=str(self.partition), error=str(error))
            return None

    async def _put(self, file: FinishedFile) -> RowsFile:
        return await put_rows(self._storage, self.partition, file)

    def _oldest(self, table: str, time: int) -> str:
        """Return the oldest day of a table that is kept."""
        days = self._days.get(table, self._days[""])
        return day_of(max(0, time - days * 86_400_000))

    def _report(self, taking: TakenEntries) -> None:
        name = str(self.partition)
        if taking.cut:
            _log.warning("ledger_cut", partition=name, offset=taking.cut[1])
        for hole in taking.holes:
            _log.error(
                "ledger_hole",
                partition=name,
                begin=hole.begin,
                end=hole.end,
                since=hole.since,
                until=hole.until,
            )


def _key(file: RowsFile) -> FileKey:
    return FileKey(file.table, file.day, file.topic_id)
