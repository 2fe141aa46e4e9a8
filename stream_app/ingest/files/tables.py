"""CSV with a header: rows become JSON, canonical events by a mapping from fields to columns, or a platform's own rows."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from stream_app.errors import BadSettingsError
from stream_app.model.events import TYPES

from .lines import Raw
from .refusal import FileError, RefusedLine

JsonValue = tuple[int, bytes, bool]
"""A record: the number of its first line, its value, and whether the file may have been truncated after it."""

_DELIMITERS: Final = ",;\t|"
_REQUIRED: Final = frozenset({"id", "type", "at"})
_NULLS: Final = frozenset({"", "NULL", "\\N"})
"""How database clients write that a column has no value."""
_WHOLE: Final = re.compile(r"[+-]?\d{1,30}")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse_columns(maps: Sequence[str]) -> dict[str, str]:
    """Parse ``--map`` options into canonical field → column, or ``=constant``.

    Args:
        maps: each ``field=column``, ``field==constant``, or the path of a TOML file of such pairs; later ones win.

    Raises:
        BadSettingsError: one line that says what is wrong.
    """
    columns: dict[str, str] = {}
    for text in maps:
        field, is_pair, column = text.partition("=")
        pairs = {field.strip(): column} if is_pair else _pairs(Path(text))
        for name, value in pairs.items():
            if name not in _kinds():
                close = get_close_matches(name, _kinds(), n=1)
                guess = f"; did you mean {close[0]!r}?" if close else ""
                raise BadSettingsError(f"--map: unknown event field {name!r}{guess}")
            if not isinstance(value, str) or not value:
                raise BadSettingsError(f"--map: {name} has no column; use {name}=COLUMN or {name}==VALUE")
        columns |= pairs
    return columns


def _pairs(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettingsError(
            f"--map: {file}: {error}; use FIELD=COLUMN, or the path of a TOML file of such pairs"
        ) from None


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
    """Rows of one file."""

    def __init__(self, name: str, header: Raw, columns: Mapping[str, str], limit: int) -> None:
        """Match the header with the mapping; columns named like a field need no entry, others are not read.

        Raises:
            FileError: the header lacks a column, or has it twice.
        """
        self._limit = limit
        number, line, length, _ = header
        try:
            text = line.decode()
            self._header = _cells(text)
        except (UnicodeDecodeError, csv.Error) as error:
            raise FileError(
                f"{name}:{number}: expected the header of a CSV file, got a line that can't be read ({error})"
            ) from None
        if length > len(line):
            raise FileError(f"{name}:{number}: the header has {length} bytes; the limit is {limit}")
        self._delimiter = _delimiter(text)
        self._columns(f"{name}:{number}", columns)

    def _columns(self, where: str, columns: Mapping[str, str]) -> None:
        self._constants = {f: _typed(f, c[1:].strip()) for f, c in columns.items() if c.startswith("=")}
        wanted = {field: field for field in _kinds() if field in self._header and field not in columns}
        wanted |= {f: c.strip() for f, c in columns.items() if not c.startswith("=")}
        for column in wanted.values():
            if (times := self._header.count(column)) != 1:
                there = ", ".join(map(repr, self._header))
                wrong = (
                    f"lacks the column {column!r}"
                    if not times
                    else f"has the column {column!r} {times} times"
                )
                raise FileError(f"{where}: the header {wrong}; its columns are {there}")
        self._places = [(field, self._header.index(column)) for field, column in wanted.items()]

    def values(self, raws: Iterator[Raw]) -> Iterator[JsonValue]:
        """Yield the rows after the header as JSON; empty rows are skipped."""
        feed = _Feed(raws, self._limit)
        reader = csv.reader(feed, delimiter=self._delimiter, strict=True)
        while True:
            feed.begin()
            try:
                row = next(reader)
                value = self._value(row, feed.start) if any(map(str.strip, row)) else None
            except StopIteration:
                return
            except _TooLargeError:
                detail = (
                    f"the row has more than {self._limit} bytes{feed.extent()}; is a closing quote missing?"
                )
                value = RefusedLine.of(feed.start, "too_large", detail)
            except csv.Error as error:
                value = RefusedLine.of(feed.start, "invalid", f"malformed CSV{feed.extent()}: {error}")
            if value is not None:
                yield feed.first, value, not feed.ended

    def _value(self, row: list[str], start: bytes) -> bytes:
        try:
            "".join(row).encode()
        except UnicodeEncodeError:
            return RefusedLine.of(start, "bad_utf8", "a cell is not UTF-8")
        if any(cell.strip() for cell in row[len(self._header) :]):
            return RefusedLine.of(
                start, "invalid", f"the row has {len(row)} cells, but the header has {len(self._header)}"
            )
        return msgspec.json.encode(self._record(row))

    def _record(self, row: list[str]) -> dict[str, Any]:
        event = dict(self._constants)
        for field, place in self._places:
            if place < len(row) and (text := row[place].strip()):
                event[field] = _typed(field, text)
        return event


class RowTable(Table):
    """Rows of a platform's own table, as a database client writes them: all columns, as text, by their names."""

    def _columns(self, where: str, columns: Mapping[str, str]) -> None:  # noqa: ARG002 - these tables need no mapping
        names = [cell.lower() for cell in self._header]
        if twice := [name for name in names if name and names.count(name) > 1]:
            raise FileError(f"{where}: the header has the column {twice[0]!r} {names.count(twice[0])} times")

    def _record(self, row: list[str]) -> dict[str, Any]:
        cells = zip(self._header, row, strict=False)
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
