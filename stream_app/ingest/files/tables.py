"""CSV with a header: rows become JSON, canonical events by a mapping from fields to columns, or a platform's own rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec import inspect

from stream_app.model.events import TYPES
from stream_app.tables.mapping import ColumnMap

from .lines import Raw
from .refusal import FROM_WINDOWS, FileError, RefusedLine

JsonValue = tuple[int, bytes, bool]
"""A record: the number of its first line, its value, and whether the file may have been truncated after it."""

_DELIMITERS: Final = ",;\t|"
_REQUIRED: Final = frozenset({"id", "type", "at"})
_NULLS: Final = frozenset({"", "NULL", "\\N"})
"""How database clients write that a column has no value."""
_WHOLE: Final = re.compile(r"[+-]?\d{1,30}")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def is_header(line: bytes) -> bool:
    """Return whether a first line is a header with the columns that every event needs."""
    return {*cells_of(line)} >= _REQUIRED


def cells_of(line: bytes) -> list[str]:
    """Return a line's cells; none if it can't be one of a table."""
    try:
        return _cells(line.decode())
    except (UnicodeDecodeError, csv.Error):
        return []


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _cells(header: str) -> list[str]:
    return [
        cell.strip() for cell in next(csv.reader([header], delimiter=_delimiter(header), strict=True), [])
    ]


@cache
def event_fields() -> frozenset[str]:
    """Return the fields of all events."""
    return frozenset(_kinds())


@cache
def _kinds() -> Mapping[str, frozenset[type]]:
    """Return field → the types that its values may have, over all event types."""
    plain = {
        inspect.IntType: int,
        inspect.FloatType: float,
        inspect.BoolType: bool,
        inspect.DateTimeType: datetime,
    }
    found: dict[str, set[type]] = {"type": {str}}
    for event in TYPES.values():
        info = inspect.type_info(event)
        assert isinstance(info, inspect.StructType)  # noqa: S101 - every event is one
        for field in info.fields:
            kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
            known = {plain.get(type(kind), str) for kind in kinds if not isinstance(kind, inspect.NoneType)}
            found.setdefault(field.encode_name, set()).update(known)
    return {name: frozenset(kinds) for name, kinds in found.items()}


def _typed(field: str, text: str) -> str | float | bool:
    """Convert a cell to its field's type; what does not look like it stays text, and the decoder refuses it."""
    kinds = _kinds()[field]
    if str in kinds:
        return text
    if bool in kinds:
        return _TRUTH.get(text.lower(), text)
    if int in kinds and _WHOLE.fullmatch(text):
        return int(text)
    if float in kinds:
        try:
            number = float(text)
        except ValueError:
            return text
        return number if isfinite(number) else text
    return text


class Table:
    """Rows of one file.

    Attributes:
        header: the columns' names.
    """

    def __init__(self, name: str, header: Raw, columns: ColumnMap, limit: int) -> None:
        """Match the header with the mapping; columns named like a field need no entry, others are not read.

        Raises:
            FileError: the header lacks a column, or has it twice.
        """
        self._limit = limit
        number, line, length, _ = header
        try:
            text = line.decode()
            self.header = _cells(text)
        except UnicodeDecodeError:
            raise FileError(
                f"{name}:{number}: expected the header of a CSV file in UTF-8; {FROM_WINDOWS.format(file='FILE')}"
            ) from None
        except csv.Error as error:
            raise FileError(
                f"{name}:{number}: expected the header of a CSV file, got a line that can't be read ({error})"
            ) from None
        if length > len(line):
            raise FileError(f"{name}:{number}: the header has {length} bytes; the limit is {limit}")
        self._delimiter = _delimiter(text)
        self._columns(f"{name}:{number}", columns)

    def _columns(self, where: str, columns: ColumnMap) -> None:
        mapped = {*columns.columns, *columns.constants}
        self._constants = {field: _typed(field, text) for field, text in columns.constants.items()}
        if strange := sorted(mapped - _kinds().keys()):
            raise FileError(
                f"{where}: --map {strange[0]}: events have no such field; in a list of contacts, map queued, too"
            )
        wanted: dict[str, tuple[str, ...]] = {
            field: (field,) for field in _kinds() if field in self.header and field not in mapped
        }
        wanted.update(columns.columns)
        self._places = [
            (field, [self._place(where, name) for name in names]) for field, names in wanted.items()
        ]

    def _place(self, where: str, column: str) -> int:
        """Return which cell of a row has a column.

        Raises:
            FileError: the header lacks it, or has it twice.
        """
        times = self.header.count(column)
        if times == 1:
            return self.header.index(column)
        there = ", ".join(map(repr, self.header))
        wrong = f"has the column {column!r} {times} times" if times else f"lacks the column {column!r}"
        raise FileError(f"{where}: the header {wrong}; its columns are {there}")

    def values(self, raws: Iterator[Raw]) -> Iterator[JsonValue]:
        """Yield the rows after the header as JSON; empty rows are skipped."""
        for line, row, cut in self.rows(raws):
            value = row if isinstance(row, RefusedLine) else msgspec.json.encode(self._record(row))
            yield line, value, cut

    def rows(self, raws: Iterator[Raw]) -> Iterator[tuple[int, list[str] | RefusedLine, bool]]:
        """Yield the first line and the cells of each row after the header, and whether the file may end within it."""
        feed = _Feed(raws, self._limit)
        reader = csv.reader(feed, delimiter=self._delimiter, strict=True)
        while True:
            feed.begin()
            found: list[str] | RefusedLine | None
            try:
                row = next(reader)
                found = self._checked(row, feed.start) if any(map(str.strip, row)) else None
            except StopIteration:
                return
            except _TooLargeError:
                detail = (
                    f"the row has more than {self._limit} bytes{feed.extent()}; is a closing quote missing?"
                )
                found = RefusedLine.of(feed.start, "too_large", detail)
            except csv.Error as error:
                found = RefusedLine.of(feed.start, "invalid", f"malformed CSV{feed.extent()}: {error}")
            if found is not None:
                yield feed.first, found, not feed.ended

    def _checked(self, row: list[str], start: bytes) -> list[str] | RefusedLine:
        try:
            "".join(row).encode()
        except UnicodeEncodeError:
            return RefusedLine.of(start, "bad_utf8", "a cell is not UTF-8")
        if any(cell.strip() for cell in row[len(self.header) :]):
            return RefusedLine.of(
                start, "invalid", f"the row has {len(row)} cells, but the header has {len(self.header)}"
            )
        return row

    def _record(self, row: list[str]) -> dict[str, Any]:
        event = dict(self._constants)
        for field, places in self._places:
            texts = [row[place].strip() for place in places if place < len(row)]
            if text := " ".join(filter(None, texts)):
                event[field] = _typed(field, text)
        return event


class RowTable(Table):
    """Rows of a platform's own table, as a database client writes them: all columns, as text, by their names."""

    def _columns(self, where: str, columns: ColumnMap) -> None:  # noqa: ARG002 - these tables need no mapping
        names = [cell.lower() for cell in self.header]
        if twice := [name for name in names if name and names.count(name) > 1]:
            raise FileError(f"{where}: the header has the column {twice[0]!r} {names.count(twice[0])} times")

    def _record(self, row: list[str]) -> dict[str, Any]:
        cells = zip(self.header, row, strict=False)
        return {name: text for name, cell in cells if name and (text := cell.strip()) not in _NULLS}


class _TooLargeError(Exception):
    """A row longer than the limit."""


class _Feed:
    """Lines for ``csv``, which takes as many as a row has.

    Attributes:
        first, last: numbers of the row's first and last line.
        ended: whether the last one had a line ending.
        start: the first bytes of the row.
    """

    def __init__(self, raws: Iterator[Raw], limit: int) -> None:
        self._raws = raws
        self._limit = limit
        self.last = 0
        self.ended = True
        self.begin()

    def begin(self) -> None:
        """Begin a row with the next line."""
        self.first = 0
        self.start = b""
        self._size = 0

    def extent(self) -> str:
        """Return where the row is, if it spans several lines; else nothing."""
        return f" in lines {self.first} to {self.last}" if self.last > self.first else ""

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        self.last, value, length, self.ended = next(self._raws)
        self.first = self.first or self.last
        self.start = self.start or value[:512]
        self._size += length
        if self._size > self._limit:
            raise _TooLargeError
        return value.decode("utf-8", "surrogateescape") + "\n"
