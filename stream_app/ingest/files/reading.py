"""One file of records, from its path to its records."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

from stream_app.errors import BadSettingsError
from stream_app.ingest.batch import BY_BROKER, KEPT_BYTES, MAX_EVENT_BYTES
from stream_app.ingest.dialects import FileFormat, Headers, clock_of, file_format, has_tables, is_header
from stream_app.model.ports import FILE, Partition
from stream_app.tables.mapping import ColumnMap

from . import tables
from .call_lists import CallLines, columns_of, is_call_list
from .compression import Input
from .lines import Raw, split
from .local_stamps import with_offsets
from .refusal import DamagedError, FileError, RefusedLine
from .unfolding import elements, is_folded, is_named_list, unfold

SLICE: Final = 2_000
"""Records delivered at a time, so that they are folded while they are in the processor's cache."""
STDIN: Final = Path("-")
_PACKED: Final = re.compile(r"\.(gz|zst|zstd)$")


class Layout(Struct, frozen=True):
    """The format of a file's lines.

    Attributes:
        dialect: the platform that wrote the records.
        format: as set by the user; ``None``: derived from the dialect and the first line.
        columns: where a table has the fields, if it names them differently.
        limit: a longer line or row is not read.
        zone: of times without an offset in a table of our own events, or in a list of contacts unless ``columns`` says it; a
            dialect knows its own.
        calls: whether every file is a list of contacts; otherwise its columns tell.
        needs_outcome: whether a list of contacts must say which of them were answered.
    """

    dialect: str = "canonical"
    format: FileFormat | None = None
    columns: ColumnMap | None = None
    limit: int = MAX_EVENT_BYTES
    zone: str | None = None
    calls: bool = False
    needs_outcome: bool = True

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            BadSettingsError: one line that names the option.
        """
        if self.columns and self.format not in (None, "csv"):
            raise BadSettingsError(f"--map: only works with --format csv, got --format {self.format}")
        if self.dialect != "canonical" and self.columns:
            raise BadSettingsError(f"--map: needs the canonical dialect, got {self.dialect}")
        if self.format == "csv" and not (self.dialect == "canonical" or has_tables(self.dialect)):
            raise BadSettingsError(f"--dialect: {self.dialect} has no tables; CSV needs another dialect")

    def lists_calls(self, first: bytes) -> bool:
        """Return whether a file that begins with this line is a list of contacts."""
        if self.dialect != "canonical" or self.format not in (None, "csv"):
            return False
        mapped = self.columns.fields if self.columns else set()
        return self.calls or is_call_list(mapped) or is_call_list({*columns_of(first), *mapped})

    def of(self, first: bytes) -> FileFormat:
        """Return the format of a file that begins with this line."""
        if self.format is not None:
            return self.format
        if self.lists_calls(first):
            return "ndjson" if first.lstrip()[:1] in (b"{", b"[") else "csv"
        if self.columns or (self.dialect == "canonical" and tables.is_header(first)):
            return "csv"
        if has_tables(self.dialect) and is_header(self.dialect, tables.cells_of(first)):
            return "csv"
        return file_format(self.dialect)

    def may_be_json(self, first: bytes) -> bool:
        """Return whether a file that begins with this line may consist of JSON objects over several lines."""
        # A queue log has no line that begins with a bracket; its rows in a database may be exported like this.
        return self.of(first) == "ndjson" or (self.format is None and self.of(first) == "queue_log")


class FileRecord(Struct, gc=False):
    """A record of a file, in the form that ``ingest.batch`` reads.

    Attributes:
        offset: number of the record, from 0; empty lines do not count.
        value: its bytes as they are; the row as JSON where the file is a table.
        number: number of its line, from 1.
        cut: whether it ends with the file, without a line ending: it may be incomplete.
        timestamp: always missing; the events' own times count.
        timestamp_type: that of a broker, because the file's writer had one clock.
        headers: always empty.
    """

    offset: int
    value: bytes | None
    number: int
    cut: bool = False
    timestamp: int = -1
    timestamp_type: int = BY_BROKER
    headers: Headers = ()


class RecordFile:
    """A file of records, and a context manager in which it is open.

    Attributes:
        name: as the user wrote it.
        mark: digest of the first record (and of the header, if it is a table): the same for the same file, however it is
            compressed, also once it has grown; 0 if it is empty.
        limit: longer lines are not read.
        first: the first line.
        begins: the first stamp, ms, where several files were put in order.
        calls: its rows, if it is a list of contacts.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.name = "stdin" if path == STDIN else str(path)
        self.mark = 0
        self.first = b""
        self.begins: int | None = None
        self.calls: CallLines | None = None
        self.limit = layout.limit
        self._path = path
        self._layout = layout
        self._stack = ExitStack()
        self._input: Input | None = None
        self._number = 0
        self._values: Iterator[tables.JsonValue] = iter(())

    @property
    def taken(self) -> int:
        """Bytes read from disk so far."""
        return self._input.taken if self._input else 0

    @property
    def known_size(self) -> int | None:
        """Its size on disk in bytes, opened or not; ``None`` for a pipe."""
        try:
            return self._path.stat().st_size if self._path != STDIN and self._path.is_file() else None
        except OSError:
            return None

    @property
    def partition(self) -> Partition:
        """The partition under which its position is stored: its name without the compression's suffix, and its mark."""
        name = _PACKED.sub("", self._path.name) if self._path != STDIN else "stdin"
        return Partition(FILE + re.sub(r"[^\w.-]", "_", name)[:200], self.mark)

    def __enter__(self) -> Self:
        """Open the file and read its beginning.

        Raises:
            FileError: it can't be read, or not in the expected format.
        """
        try:
            self._number = 0
            stdin = self._path == STDIN
            file = os.fdopen(0, "rb", closefd=False) if stdin else self._path.open("rb")
            self._stack.enter_context(file)
            self._input = Input(file)
            self._begin(split(self._input.chunks(), self._layout.limit + 2))
        except (OSError, DamagedError) as error:
            self._stack.close()
            raise self._failed(error) from None
        except FileError:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self.calls is not None:
            self.calls.release()
        self._stack.close()

    def _failed(self, error: Exception) -> FileError:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return FileError(f"{self.name}:{self._number + 1}: {said}")

    def _begin(self, raws: Iterator[Raw]) -> None:
        raws = self._numbered(raws)
        head, raws = _head(raws)
        if head and is_folded(head[0][1]) and self._layout.may_be_json(head[0][1]):
            if len(head) > 1 and has_tables(self._layout.dialect) and is_named_list(head[0][1], head[1][1]):
                next(raws), next(raws)
            head, raws = _head(unfold(raws, self._layout.limit + 2))
        if not head:
            self._values = self._lines(raws)
            return
        self.first = head[0][1]
        if self._layout.lists_calls(self.first):
            self._begin_calls(head[0], raws)
            return
        marked = head[:1]
        if self._layout.of(self.first) == "csv":
            made = tables.Table if self._layout.dialect == "canonical" else tables.RowTable
            table = made(self.name, head[0], self._layout.columns or ColumnMap(), self._layout.limit)
            next(raws)
            marked = head
            self._values = table.values(raws)
            if self._layout.dialect == "canonical" and self._layout.zone is not None:
                self._values = with_offsets(self._values, clock_of(self._layout.zone))
        else:
            self._values = self._lines(raws)
        digest = blake2b(b"\n".join(value for _, value, _, _ in marked), digest_size=4).digest()
        self.mark = int.from_bytes(digest) or 1

    def _begin_calls(self, head: Raw, raws: Iterator[Raw]) -> None:
        layout = self._layout
        zone = layout.zone or (layout.columns.zone if layout.columns else None)
        self.calls = CallLines(
            self.name,
            head,
            raws,
            columns=layout.columns,
            zone=zone,
            limit=layout.limit,
            needs_outcome=layout.needs_outcome,
        )
        self._values = self.calls.values()
        digest = blake2b(head[1] + self.calls.oldest, digest_size=4).digest()
        self.mark = int.from_bytes(digest) or 1

    def _numbered(self, raws: Iterator[Raw]) -> Iterator[Raw]:
        """Pass lines on, and remember the number of the last one that is whole."""
        for raw in raws:
            self._number = raw[0]
            yield raw

    def _lines(self, raws: Iterable[Raw]) -> Iterator[tables.JsonValue]:
        limit = self._layout.limit
        for number, value, length, ended in raws:
            if length > limit:
                detail = f"the line has {length} bytes; the limit is {limit}"
                yield number, RefusedLine.of(value[:KEPT_BYTES], "too_large", detail), not ended
            elif value[:1] == b"[" and (found := elements(value)) != [value]:
                for each in found:
                    yield number, each, not ended
            elif value and not value.isspace():
                yield number, value, not ended

    def slices(self, most: int = SLICE) -> Iterator[list[FileRecord]]:
        """Yield all records in order, in slices of 1 to ``most``.

        Raises:
            FileError: the file is damaged; all records before the damage have been delivered.
        """
        out: list[FileRecord] = []
        problem: Exception | None = None
        try:
            for offset, (number, value, cut) in enumerate(self._values):
                out.append(FileRecord(offset, value, number, cut))
                if len(out) >= most:
                    yield out
                    out = []
        except (OSError, DamagedError) as error:
            problem = error
        if out:
            yield out
        if problem:
            raise self._failed(problem)


def _head(raws: Iterator[Raw]) -> tuple[list[Raw], Iterator[Raw]]:
    """Return the first two lines that are not empty (or fewer), and all lines from the first of them on."""
    head: list[Raw] = []
    try:
        for raw in raws:
            if raw[1] and not raw[1].isspace():
                head.append(raw)
                if len(head) == 2:
                    break
    except (OSError, DamagedError) as error:
        if not head:
            raise
        return head, chain(head, map(_raise, (error,)))
    return head, chain(head, raws)


def _raise(error: Exception) -> Raw:
    raise error


def readable(paths: Iterable[Path]) -> None:
    """Check that all files can be opened, before the first one is read.

    Raises:
        FileError: one line that names the file.
    """
    for path in paths:
        try:
            if path != STDIN and not path.is_fifo():  # a pipe's writer would see it closed
                path.open("rb").close()
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from None
