"""Interval rows as Parquet, with pyarrow, which is an optional extra."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO, Final, get_args, get_type_hints

from stream_app.errors import StreamAppError, how_to_install

from .wire import IntervalsRow as Row

GROUP: Final = 5_000
"""Rows per row group."""
MISSING: Final = f"parquet needs pyarrow: {how_to_install('parquet')}"
_TIMES: Final = ("start", "revised_at")


class ParquetMissingError(StreamAppError):
    """The library that writes Parquet is not installed."""


def library() -> Any:
    """Import the library.

    Raises:
        ParquetMissingError: it is not installed; one line says how to install it.
    """
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra, and slow to load
    except ModuleNotFoundError:
        raise ParquetMissingError(MISSING) from None
    return pyarrow


def schema(zone: str) -> Any:
    """Return the columns: those of JSON. ``start`` is in UTC; the zone in which intervals begin is in the metadata."""
    arrow = library()
    kinds = {int: arrow.int64(), float: arrow.float64(), bool: arrow.bool_(), str: arrow.string()}
    moment = arrow.timestamp("ms", tz="UTC")
    fields = []
    for name, hint in get_type_hints(Row).items():
        kind, *rest = get_args(hint) or (hint,)  # the first of ``int | None``
        fields.append(arrow.field(name, moment if name in _TIMES else kinds[kind], nullable=bool(rest)))
    return arrow.schema(fields, metadata={"zone": zone})


def write(rows: Iterable[Row], zone: str, into: BinaryIO) -> None:
    """Write a file, ``GROUP`` rows at a time.

    Raises:
        ParquetMissingError: see ``library``.
    """
    arrow = library()
    columns = schema(zone)
    each = iter(rows)
    with arrow.parquet.ParquetWriter(into, columns, compression="zstd") as writer:
        while group := list(islice(each, GROUP)):
            writer.write_table(
                arrow.table({name: _column(group, name) for name in columns.names}, schema=columns)
            )


def to_bytes(rows: Iterable[Row], zone: str) -> bytes:
    """Write a file in memory."""
    into = BytesIO()
    write(rows, zone, into)
    return into.getvalue()


def _column(rows: list[Row], name: str) -> list[Any]:
    values = [getattr(row, name) for row in rows]
    if name in _TIMES:
        return [None if value is None else datetime.fromisoformat(value) for value in values]
    return values
