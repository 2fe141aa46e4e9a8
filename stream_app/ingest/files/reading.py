"""One file, from its path to records."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Final, Literal, Self

from msgspec import Struct

from stream_app.errors import BadSettingsError
from stream_app.ingest.batch import KEPT_BYTES, MAX_EVENT_BYTES
from stream_app.ingest.dialects import Headers
from stream_app.model.ports import FILE, Partition

from . import tables
from .compression import Input
from .lines import Raw, split
from .refusal import DamagedError, FileError, Refused

Format = Literal["ndjson", "csv", "queue_log"]
SLICE: Final = 2_000
"""Records handed over at a time, so that they are folded while they are in the processor's cache."""
STDIN: Final = Path("-")
_PACKED: Final = re.compile(r"\.(gz|zst|zstd)$")


class Layout(Struct, frozen=True):
    """What the lines are.

    Attributes:
        dialect: whose records.
        format: as said by the user; ``None``: it follows from the dialect and the first line.
        columns: canonical field → column of a table; see ``tables.parse_columns``.
        limit: a longer line or row is not read.
    """

    dialect: str = "canonical"
    format: Format | None = None
    columns: Mapping[str, str] = {}
    limit: int = MAX_EVENT_BYTES

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            BadSettingsError: one line that names the option.
        """
        if self.columns and self.format not in (None, "csv"):
            raise BadSettingsError(f"--map: is for csv, not for {self.format}")
        if self.dialect != "canonical" and (self.columns or self.format == "csv"):
            raise BadSettingsError(
                f"--dialect: csv is mapped to our own vocabulary; {self.dialect} has no tables"
            )

    def of(self, first: bytes) -> Format:
        """The format of a file that begins with this line."""
        if self.format is not None:
            return self.format
        if self.columns or (self.dialect == "canonical" and tables.is_header(first)):
            return "csv"
        return "queue_log" if self.dialect == "asterisk" else "ndjson"


class Line(Struct, gc=False):
    """A record of a file, as ``ingest.batch`` takes it.

    Attributes:
        offset: number of the record, from 0; empty lines are no records.
        value: its bytes as they are, or, of a table, the row as JSON.
        number: of its line, from 1.
        cut: it ends with the file: perhaps more was to come.
        timestamp: none; its events' own count.
        headers: none.
    """

    offset: int
    value: bytes | None
    number: int
    cut: bool = False
    timestamp: int = -1
    headers: Headers = ()


class RecordFile:
    """A file of records; a context in which it is open.

    Attributes:
        name: as the user wrote it.
        mark: stands for the first record (of a table: and the header): the same file has the same, whatever it is packed with,
            also when it has grown; 0 if it is empty.
        limit: longer lines are not read.
        first: the first line.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.name = "stdin" if path == STDIN else str(path)
        self.mark = 0
        self.first = b""
        self.limit = layout.limit
        self._path = path
        self._layout = layout
        self._stack = ExitStack()
        self._input: Input | None = None
        self._number = 0
        self._values: Iterator[tables.Value] = iter(())

    @property
    def taken(self) -> int:
        """Bytes read from disk so far."""
        return self._input.taken if self._input else 0

    @property
    def known_size(self) -> int | None:
        """Its bytes on disk, opened or not; ``None`` for a pipe."""
        try:
            return self._path.stat().st_size if self._path != STDIN and self._path.is_file() else None
        except OSError:
            return None

    @property
    def partition(self) -> Partition:
        """Under which its position is stored: its name without what packed it, and its mark."""
        name = _PACKED.sub("", self._path.name) if self._path != STDIN else "stdin"
        return Partition(FILE + re.sub(r"[^\w.-]", "_", name)[:200], self.mark)

    def __enter__(self) -> Self:
        """Open it and look at its beginning.

        Raises:
            FileError: it can't be read, or not as what it should be.
        """
        try:
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
        """Close it."""
        self._stack.close()

    def _failed(self, error: Exception) -> FileError:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return FileError(f"{self.name}:{self._number + 1}: {said}")

    def _begin(self, raws: Iterator[Raw]) -> None:
        raws = self._numbered(raws)
        head, raws = _head(raws)
        if not head:
            self._values = self._lines(raws)
            return
        self.first = head[0][1]
        marked = head[:1]
        if self._layout.of(self.first) == "csv":
            table = tables.Table(self.name, head[0], self._layout.columns, self._layout.limit)
            next(raws)
            marked = head
            self._values = table.values(raws)
        else:
            self._values = self._lines(raws)
        digest = blake2b(b"\n".join(value for _, value, _, _ in marked), digest_size=4).digest()
        self.mark = int.from_bytes(digest) or 1

    def _numbered(self, raws: Iterator[Raw]) -> Iterator[Raw]:
        """Remember which line is the last that is whole."""
        for raw in raws:
            self._number = raw[0]
            yield raw

    def _lines(self, raws: Iterable[Raw]) -> Iterator[tables.Value]:
        limit = self._layout.limit
        for number, value, length, ended in raws:
            if length > limit:
                detail = f"{length} bytes, at most {limit} are read"
                yield number, Refused.of(value[:KEPT_BYTES], "too_large", detail), not ended
            elif value and not value.isspace():
                yield number, value, not ended

    def slices(self, most: int = SLICE) -> Iterator[list[Line]]:
        """All records in order, at most so many at a time; no slice is empty.

        Raises:
            FileError: the file breaks off; all before that has been given.
        """
        out: list[Line] = []
        problem: Exception | None = None
        try:
            for offset, (number, value, cut) in enumerate(self._values):
                out.append(Line(offset, value, number, cut))
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
    """The first two lines that are not empty, if there are so many, and all from the first of these on."""
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
    """See that all of them can be opened, before anything is done with the first.

    Raises:
        FileError: one line that names the file.
    """
    for path in paths:
        try:
            if path != STDIN and not path.is_fifo():  # who writes into a pipe would see it closed
                path.open("rb").close()
        except OSError as error:
            raise FileError(f"{path}: {error.strerror}") from None
