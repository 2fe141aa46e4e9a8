"""Rows of a CSV or JSON document, each value with the place that an error names: file, line and field.

One reader for everything that planners hand over: interval rows, forecasts, schedules. No row is returned before all were read:
a bad row imports nothing. CSV has a header, and comma, semicolon or tab between its cells. JSON is a list of objects, one
object per line, or an object with such a list, like the response of ``/v1/intervals``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Final

import msgspec

from stream_app.errors import InputError

from . import icalendar, import_files
from .escaping import unmarked
from .mapping import ColumnMap
from .row import RowValues, TableRow, shown

ROWS: Final = "rows"
_SEPARATORS: Final = ",;\t"
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "zcat"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstdcat"),
    b"PK": ("zip", "unzip -p"),
}
_PARQUET: Final = b"PAR1"
_SHORT: Final = 8


def read(
    name: str,
    content: bytes,
    known: Collection[str],
    needed: Collection[str],
    *,
    lists: Collection[str] = (ROWS,),
    shared: Collection[str] = (),
    mapping: ColumnMap | None = None,
) -> list[TableRow]:
    """Read the rows of a document.

    Unknown fields are ignored, unless their name is close to a known one.

    Args:
        name: the file's name, for messages.
        content: its bytes, UTF-8.
        known: the fields with a meaning.
        needed: those of them that a header must have.
        lists: if an object has several lists, the first of these has the rows.
        shared: texts that may occur once, beside the list of rows, for all of them.
        mapping: where the file has the fields, if it names them differently.

    Raises:
        InputError: one line that begins with ``file:line``.
    """
    if content.startswith(_PARQUET):
        raise InputError(f"{name}:1: Parquet files are not supported; export the rows with --format csv")
    for magic, (packed, tool) in _PACKED.items():
        if content.startswith(magic):
            raise InputError(f"{name}:1: this is a {packed} file; unpack it first: {tool} {name}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}:{_line(content, error.start)}: expected UTF-8 text") from None
    head = text.lstrip()[:1]
    if not head:
        raise InputError(f"{name}:1: the file is empty")
    if text.lstrip().startswith(icalendar.BEGIN):
        rows = list(icalendar.events(name, text))
    elif head == "{":
        rows = list(_object(name, text, lists, shared))
    else:
        rows = list(_array(name, text) if head == "[" else _csv(name, text, () if mapping else needed))
    if not rows:
        raise InputError(f"{name}:1: the file has no rows")
    if mapping:
        rows = mapping.applied(name, rows, needed)
    else:
        _check_names(name, rows, known)
    return [TableRow(name, line, values) for line, values in rows]


def _check_names(name: str, rows: list[tuple[int, RowValues]], known: Collection[str]) -> None:
    strange: dict[str, str] = {}
    ours = frozenset(known)
    for line, values in rows:
        for field in values.keys() - ours:
            if field not in strange:
                strange[field] = _close(field, known)
            close = strange[field]
            if close and close not in values:
                raise InputError(f"{name}:{line}: {field}: unknown field; did you mean {close!r}?")


def _close(field: str, known: Collection[str]) -> str:
    """Return the field that was perhaps meant: in short names one wrong letter, or two swapped, weigh more."""
    cutoff = 0.85 if len(field) > _SHORT else 0.82
    return next(iter(get_close_matches(field.casefold(), known, n=1, cutoff=cutoff)), "")


def _line(content: bytes, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1


NumberedRows = Iterator[tuple[int, RowValues]]


def _csv(name: str, text: str, needed: Collection[str]) -> NumberedRows:
    first = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=first.count), strict=True
    )
    header: list[str] | None = None
    line = 1
    try:
        for cells in reader:
            if any(cells):
                if header is None:
                    header = _header(name, line, cells, needed)
                elif len(cells) != len(header):
                    raise InputError(f"{name}:{line}: expected {len(header)} cells, got {len(cells)}")
                else:
                    yield line, {f: unmarked(cell.strip()) for f, cell in zip(header, cells, strict=True)}
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{name}:{line}: {error}") from None


def _header(name: str, line: int, cells: list[str], needed: Collection[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    for field in header:
        if field and header.count(field) > 1:
            raise InputError(f"{name}:{line}: {field}: two columns have this name")
    if refused := import_files.refusal(header, needed):
        raise InputError(f"{name}:{line}: {refused}")
    for field in needed:
        if field not in header:
            near = get_close_matches(field, header, n=1)
            hint = f"; is it {near[0]!r}? (--map '{field}={near[0]}')" if near else ""
            raise InputError(f"{name}:{line}: {field}: the column is missing{hint}")
    return header


def _object(name: str, text: str, named: Collection[str], shared: Collection[str]) -> NumberedRows:
    """Read an object with a list of rows, or one row per line."""
    try:
        document = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        yield from _lines(name, text)
        return
    lists = {field: raw for field, raw in document.items() if bytes(raw).lstrip()[:1] == b"["}
    for field in named:
        if field in lists:
            lists = {field: lists[field]}
    if not lists or "start" in document:  # a file of one row
        yield from _lines(name, " ".join(text.split("\n")))
        return
    if len(lists) != 1:
        raise InputError(f"{name}:1: expected an object with one list of rows, got one with {len(lists)}")
    if bytes(document.get("next", msgspec.Raw(b"null"))).strip() != b"null":
        raise InputError(f"{name}:1: next: this is one of several pages; put all rows into one file")
    ((field, rows),) = lists.items()
    beside = {of: msgspec.json.decode(document[of]) for of in shared if of in document}
    at = text.encode().index(f'"{field}"'.encode())
    for line, values in _elements(name, bytes(rows), text.encode(), at):
        yield line, {**beside, **values}


def _array(name: str, text: str) -> NumberedRows:
    content = text.encode()
    yield from _elements(name, content, content, 0)


def _elements(name: str, array: bytes, content: bytes, at: int) -> NumberedRows:
    """Read the rows of a JSON list, which is somewhere after ``at``."""
    try:
        parts = msgspec.json.decode(array, type=list[msgspec.Raw])
    except msgspec.DecodeError as error:
        place = str(error).rpartition("byte ")[2].rstrip(")")  # it names a byte, or the input ended
        line = _line(content, int(place) if place.isdigit() else len(content.rstrip()))
        raise InputError(f"{name}:{line}: expected a JSON list of rows: {error}") from None
    line, counted = 1, 0
    for part in parts:
        raw = bytes(part)
        at = content.index(raw, at)
        line += content.count(b"\n", counted, at)
        counted = at
        at += len(raw)
        yield line, _row(name, line, raw)


def _lines(name: str, text: str) -> NumberedRows:
    for line, part in enumerate(text.split("\n"), 1):
        if part.strip():
            yield line, _row(name, line, part.encode())


def _row(name: str, line: int, raw: bytes) -> RowValues:
    try:
        values = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise InputError(f"{name}:{line}: expected a JSON object: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"{name}:{line}: expected an object for each row, got {shown(values)}")
    return values
