"""Rows of an answer as Parquet, with pyarrow, which is an optional extra."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO, Final, Literal, get_args, get_origin, get_type_hints

from stream_app.errors import StreamAppError, how_to_install

GROUP: Final = 5_000
"""Rows per row group."""
MISSING: Final = f"parquet needs pyarrow: {how_to_install('parquet')}"


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


def columns(row: type, times: Collection[str], metadata: Mapping[str, str]) -> Any:
    """Return the columns: the fields of a row's type, those of JSON. Times are in UTC.

    Args:
        row: the type.
        times: its fields that are times as text.
        metadata: of the file.
    """
    arrow = library()
    kinds = {int: arrow.int64(), float: arrow.float64(), bool: arrow.bool_(), str: arrow.string()}
    moment = arrow.timestamp("ms", tz="UTC")
    fields = []
    for name, hint in get_type_hints(row).items():
        # The first of ``int | None``; what is one of some texts is a text.
        kind, *rest = (str,) if get_origin(hint) is Literal else get_args(hint) or (hint,)
        fields.append(arrow.field(name, moment if name in times else kinds[kind], nullable=bool(rest)))
    return arrow.schema(fields, metadata=metadata)


def write(rows: Iterable[Any], schema: Any, times: Collection[str], into: BinaryIO) -> None:
    """Write a file, ``GROUP`` rows at a time.

    Raises:
        ParquetMissingError: see ``library``.
    """
    arrow = library()
    each = iter(rows)
    with arrow.parquet.ParquetWriter(into, schema, compression="zstd") as writer:
        while group := list(islice(each, GROUP)):
            made = {name: _column(group, name, times) for name in schema.names}
            writer.write_table(arrow.table(made, schema=schema))


def to_bytes(rows: Iterable[Any], schema: Any, times: Collection[str]) -> bytes:
    """Write a file in memory."""
    into = BytesIO()
    write(rows, schema, times, into)
    return into.getvalue()


def _column(rows: list[Any], name: str, times: Collection[str]) -> list[Any]:
    values = [getattr(row, name) for row in rows]
    if name in times:
        return [None if value is None else datetime.fromisoformat(value) for value in values]
    return values
