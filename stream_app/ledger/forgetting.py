"""Blanking of ids in what the ledger has: the rows stay, and are nobody's any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from msgspec import Struct

from stream_app.errors import StreamAppError
from stream_app.model.ports import Partition

from . import places
from .forgetting_open import UnfiledContacts
from .forgotten import add_forgotten
from .libraries import library
from .manifest import Manifest, RowsFile, next_of, sent_again, swap
from .manifests import Manifests
from .parquet_files import FileKey, knows, put_rows, read_rows, rewrite
from .storage import Storage
from .tables import PERSONAL, LedgerTable

PersonalIds = Mapping[str, set[str]]
"""Column → ids."""


class ForgetResult(Struct):
    """What was forgotten.

    Attributes:
        rows: rows that were blanked.
        files: files that were written again.
        open: contacts whose visits are not over, and were blanked.
    """

    rows: int = 0
    files: int = 0
    open: int = 0


class _Run(Struct):
    """What one run knows: where to look, what to forget, where copies go, and what was done."""

    partitions: list[Partition]
    known: dict[str, set[str]]
    folder: Path
    result: ForgetResult


class Forgetter:
    """Forgets ids in all partitions of a ledger, while writers go on."""

    def __init__(
        self,
        storage: Storage,
        tables: Mapping[str, LedgerTable],
        clock: Callable[[], int],
        open_contacts: UnfiledContacts | None = None,
    ) -> None:
        """Wire it up; without ``open_contacts``, only files are looked at."""
        self._storage, self._tables, self._clock = storage, tables, clock
        self._open = open_contacts

    async def forget(self, ids: PersonalIds, partitions: Iterable[Partition] = ()) -> ForgetResult:
        """Forget ids: those of a customer with all contacts and cases that the ledger knows as theirs.

        The list of forgotten ids comes first. A manifest is then added to each partition, also where nothing was found: a
        writer that has read the former list, and has not added its own by then, starts again and reads this one. Whoever was
        killed in the middle does it again.

        What waits in outboxes is filed before, so that what belongs to them is known, and after, so that nothing waits.

        Args:
            ids: what to forget.
            partitions: those that may not be in the ledger yet.

        Raises:
            LedgerUnavailableError: the storage can't do it now; do it again.
            StreamAppError: a file was written by a later version.
        """
        stored = places.partitions([file.name for file in await self._storage.files("manifests")])
        with TemporaryDirectory(
            prefix="ledger-", dir=self._storage.scratch(), ignore_cleanup_errors=True
        ) as name:
            known = {column: set(ids.get(column, ())) for column in PERSONAL}
            run = _Run(sorted({*stored, *partitions}), known, Path(name), ForgetResult())
            await self._learn(run, ids)
            await self._forget(run)
            if self._open is not None:
                for partition in run.partitions:
                    await self._forget_open(run, self._open, partition)
                    await self._open.file(partition)
        return run.result

    async def _learn(self, run: _Run, ids: PersonalIds) -> None:
        """Find what belongs to whom."""
        for partition in run.partitions:
            if self._open is not None:
                await self._open.file(partition)
                await self._open.learn(partition, ids, run.known)
            newest = await Manifests(self._storage, partition).newest()
            for file in newest.files:
                path = await self._storage.fetch(file.name, run.folder)
                await asyncio.to_thread(_learn, path, self._tables[file.table], ids, run.known)

    async def _forget(self, run: _Run) -> None:
        """List ids, and blank them in all files."""
        listed = await add_forgotten(self._storage, run.known)
        for partition in run.partitions:
            while not await self._blank(run, partition, listed.number):
                pass

    async def _forget_open(self, run: _Run, contacts: UnfiledContacts, partition: Partition) -> None:
        """Blank open visits; what is learnt from them is listed before anything that tells it is gone."""
        again = True
        while again:
            before = sum(map(len, run.known.values()))
            blanked, again = await contacts.blank(partition, run.known)
            run.result.open += blanked
            if sum(map(len, run.known.values())) > before:
                await self._forget(run)

    async def _blank(self, run: _Run, partition: Partition, number: int) -> bool:
        """Blank what one partition has, and return whether that was possible before another writer came."""
        chain = Manifests(self._storage, partition)
        newest = base = await chain.newest()
        rows, replaced, offsets = 0, [], dict[str, set[int]]()
        for file in newest.files:
            written = await self._rewritten(partition, file, run.known, run.folder)
            if written is not None:
                rows += len(written[0])
                offsets.setdefault(file.topic_id, set()).update(written[0])
                replaced.append(file.name)
                base = swap(base, {file.name}, [written[1]], self._clock())
        gone = frozenset(replaced)
        following: Manifest = next_of(
            base,
            writer=uuid4().hex,
            at=self._clock(),
            forgotten=max(number, base.forgotten),
            dropped=tuple(one for one in base.dropped if one.name not in gone),
            sent=sent_again(base.sent, offsets),
        )
        if not await chain.add(following):
            return False
        await self._storage.delete(replaced)  # at once: who reads them now may fail, and asks again
        run.result.rows += rows
        run.result.files += len(replaced)
        return True

    async def _rewritten(
        self, partition: Partition, file: RowsFile, ids: PersonalIds, folder: Path
    ) -> tuple[list[int], RowsFile] | None:
        """Return the offsets of the rows of a file that were blanked, and what replaces it; ``None`` where there are none."""
        table, key = self._tables[file.table], FileKey(file.table, file.day, file.topic_id)
        path = await self._storage.fetch(file.name, folder)
        rows = await asyncio.to_thread(
            lambda: [
                offset
                for some in read_rows(path, table)
                for offset in some["offset"].filter(_hits(some, table, ids)[0]).to_pylist()
            ]
        )
        if not rows:
            return None
        if not await asyncio.to_thread(knows, path, table):
            raise StreamAppError(
                f"ledger: {file.name} was written by a later version; run its `stream-app forget`"
            )
        blanked = await asyncio.to_thread(lambda: rewrite(key, table, [_blanked(path, table, ids)], folder))
        assert blanked is not None  # noqa: S101 - it has rows
        return rows, await put_rows(self._storage, partition, blanked)


def _hits(rows: Any, table: LedgerTable, ids: PersonalIds) -> tuple[Any, int]:
    """Return which rows have one of the ids, and how many these are."""
    arrow, compute = library("pyarrow"), library("pyarrow.compute")
    hit = arrow.array([False] * rows.num_rows)
    for column in table.personal:
        wanted = arrow.array(sorted(ids[column]), type=arrow.string())
        hit = compute.or_(hit, compute.is_in(rows[column], value_set=wanted))
    return hit, compute.sum(hit).as_py() or 0


def _blanked(path: Path, table: LedgerTable, ids: PersonalIds) -> Iterator[Any]:
    arrow, compute = library("pyarrow"), library("pyarrow.compute")
    for rows in read_rows(path, table):
        hit, n = _hits(rows, table, ids)
        blank = rows
        for column in table.personal if n else ():
            place = rows.schema.get_field_index(column)
            values = compute.if_else(hit, arrow.scalar(None, arrow.string()), rows[column])
            blank = blank.set_column(place, rows.schema.field(place), values)
        yield blank


def _learn(path: Path, table: LedgerTable, ids: PersonalIds, known: dict[str, set[str]]) -> None:
    """Add the contacts and cases of customers, and the contacts of cases, that are in a file."""
    compute = library("pyarrow.compute")
    of = {"customer": ("contact_id", "case"), "case": ("contact_id",)}
    for rows in read_rows(path, table):
        for column, others in of.items():
            if column not in table.personal or not ids.get(column):
                continue
            hit, n = _hits(rows, table, {**{one: set() for one in PERSONAL}, column: ids[column]})
            for other in others if n else ():
                if other in table.personal:
                    known[other] |= {*compute.unique(rows[other].filter(hit)).to_pylist()} - {None}
