"""The beginning of a table, as it is: its header and some of its rows."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Final

from msgspec import Struct

from stream_app.tables.mapping import ColumnMap

from .call_lists import objects_of
from .compression import Input
from .lines import Raw, split
from .refusal import DamagedError, FileError, RefusedLine
from .tables import Table
from .unfolding import is_folded, unfold

_ROWS: Final = 2_000
_LINES: Final = 20
"""Lines among which the header is sought that others precede."""


class FirstRows(Struct, frozen=True):
    """The header of a table and cells of its first rows.

    Attributes:
        header: the columns' names.
        rows: in the header's order.
    """

    header: list[str]
    rows: list[list[str]]


def look(path: Path, limit: int) -> FirstRows:
    """Read the beginning of a CSV file with a header, or of a list of JSON objects.

    Raises:
        FileError: it can't be read, or is not a table.
    """
    try:
        with path.open("rb") as file:
            raws = split(Input(file).chunks(), limit + 2)
            lines = [raw for raw in islice(raws, _ROWS * 3) if raw[1] and not raw[1].isspace()]
    except DamagedError as error:
        raise FileError(f"{path}:1: {str(error).replace('| stream-app replay -', '> list.csv')}") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None
    if not lines:
        raise FileError(f"{path}:1: the file is empty")
    if lines[0][1].lstrip()[:1] in (b"{", b"["):
        return _of_objects(lines, limit)
    table = Table(str(path), lines[0], ColumnMap(), limit)
    _check_first(path, lines, table)
    if {"minutes", "offered"} <= {*table.header}:
        raise FileError(
            f"{path}:1: these are interval rows, not contacts: forecast and staffing read them as they are"
        )
    found = [row for _, row, _ in table.rows(iter(lines[1:])) if not isinstance(row, RefusedLine)]
    return FirstRows(table.header, found[:_ROWS])


def _check_first(path: Path, lines: list[Raw], table: Table) -> None:
    """Raise FileError if a title precedes the header, as in reports."""
    counts = [max(value.count(mark) for mark in b",;\t|") + 1 for _, value, _, _ in lines[:_LINES]]
    most = max(counts)
    if len(table.header) < 2 < most:
        number = lines[counts.index(most)][0]
        raise FileError(
            f"{path}:1: expected a header, got a line of one cell; the header may be line {number}: "
            f"tail -n +{number} FILE > list.csv"
        )


def _of_objects(lines: list[Raw], limit: int) -> FirstRows:
    raws = iter(lines)
    if is_folded(lines[0][1]):
        raws = unfold(raws, limit + 2)
    objects = [found for _, value, _, _ in raws for found in objects_of(value)][:_ROWS]
    header = [*dict.fromkeys(key for found in objects for key in found)]
    return FirstRows(header, [[found.get(name, "") for name in header] for found in objects])
