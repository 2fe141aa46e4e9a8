"""Parquet files of rows: written group by group, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

from msgspec.structs import replace

from stream_app.model.ports import Partition

from . import places
from .libraries import library
from .local_files import local_faults
from .manifest import RowsFile
from .storage import Storage
from .tables import LedgerTable

GROUP: Final = 20_000
"""Rows per row group: what is in memory of each file that is being written."""
BATCH: Final = 5_000
"""Rows that are read at a time."""


class FileKey(NamedTuple):
    """What all rows of a file share.

    Attributes:
        table: its name.
        day: see ``RowsFile``.
        topic_id: likewise.
    """

    table: str
    day: str
    topic_id: str


class FinishedFile(NamedTuple):
    """A complete file that has no name in the ledger yet.

    Attributes:
        path: where it is.
        described: what a manifest says of it; the name is still empty.
    """

    path: Path
    described: RowsFile


def day_of(time: int) -> str:
    """Return the UTC day of a time, ms."""
    return datetime.fromtimestamp(time / 1000, UTC).date().isoformat()


class OpenFile:
    """A file that is being written in a folder."""

    def __init__(self, key: FileKey, table: LedgerTable, folder: Path) -> None:
        self._key, self._table = key, table
        self._path = folder / f"{uuid4().hex}.parquet"
        self._writer: Any = None
        self._waiting: list[Any] = []
        self._rows = self._unwritten = 0
        self._offsets: list[int] = []
        self._times: list[int] = []

    def write(self, rows: Any) -> None:
        """Add a pyarrow table with the columns of ``LedgerTable.schema``."""
        if not rows.num_rows:
            return
        compute = library("pyarrow.compute")
        offsets, times = (
            compute.min_max(rows["offset"]),
            compute.min_max(rows[self._table.time].cast("int64")),
        )
        self._offsets = _range(self._offsets, offsets)
        self._times = _range(self._times, times)
        self._rows += rows.num_rows
        self._waiting.append(rows)
        self._unwritten += rows.num_rows
        if self._unwritten >= GROUP:
            self._flush()

    def finish(self) -> FinishedFile | None:
        """Complete the file; ``None`` where it has no rows."""
        if not self._rows:
            return None
        self._flush()
        with local_faults(self._path):
            self._writer.close()
            size = self._path.stat().st_size
        (first, last), (since, until) = self._offsets, self._times or (0, 0)
        described = RowsFile("", *self._key, first, last, self._rows, size, since, until, self._table.digest)
        return FinishedFile(self._path, described)

    def _flush(self) -> None:
        arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
        with local_faults(self._path):
            if self._writer is None:
                self._writer = parquet.ParquetWriter(
                    self._path, self._table.schema, compression="zstd", **self._table.encodings
                )
            if self._waiting:
                # Columns of little pieces are one column, so that a dictionary serves all of them.
                rows = arrow.concat_tables(self._waiting).combine_chunks()
                self._writer.write_table(rows, row_group_size=GROUP)
        self._waiting, self._unwritten = [], 0


def read_rows(path: Path, table: LedgerTable) -> Iterator[Any]:
    """Yield the rows of a file, some at a time, with the columns of today: those that it lacks are NULL."""
    arrow, parquet = library("pyarrow"), library("pyarrow.parquet")
    with local_faults(path), parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=BATCH):
            columns = [
                batch[field.name].cast(field.type)
                if field.name in batch.schema.names
                else arrow.nulls(len(batch), field.type)
                for field in table.schema
            ]
            yield arrow.Table.from_arrays(columns, schema=table.schema)


def knows(path: Path, table: LedgerTable) -> bool:
    """Return whether a file has only columns that we know: a later version's would lose the others."""
    parquet = library("pyarrow.parquet")
    with local_faults(path):
        return {*parquet.read_schema(path).names} <= {*table.schema.names}


def rewrite(
    key: FileKey, table: LedgerTable, sources: Iterable[Iterable[Any]], folder: Path
) -> FinishedFile | None:
    """Write the rows of several sources, such as ``read_rows``, into one file; ``None`` if there are none."""
    into = OpenFile(key, table, folder)
    for source in sources:
        for rows in source:
            into.write(rows)
    return into.finish()


def before(rows: Iterable[Any], offset: int) -> Iterator[Any]:
    """Yield only the rows with offsets below this one."""
    compute = library("pyarrow.compute")
    for some in rows:
        yield some.filter(compute.less(some["offset"], offset))


async def put_rows(storage: Storage, partition: Partition, file: FinishedFile) -> RowsFile:
    """Give a finished file a name that nobody else uses, and return what a manifest says of it."""
    described = file.described
    folder = f"{places.rows(described.table, partition)}/day={described.day}"
    name = f"{folder}/{described.first}-{described.last}-{uuid4().hex}.parquet"
    await storage.put(name, file.path)
    return replace(described, name=name)


class OpenFiles(dict[FileKey, OpenFile]):
    """The files of one step, each opened with its first rows."""

    def __init__(self, tables: Mapping[str, LedgerTable], folder: Path) -> None:
        super().__init__()
        self._tables, self._folder = tables, folder

    def __missing__(self, key: FileKey) -> OpenFile:
        self[key] = OpenFile(key, self._tables[key.table], self._folder)
        return self[key]


def _range(known: list[int], found: Any) -> list[int]:
    values = [*known, *(end for end in (found["min"].as_py(), found["max"].as_py()) if end is not None)]
    return [min(values), max(values)] if values else []
