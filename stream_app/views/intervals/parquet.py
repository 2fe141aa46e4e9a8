"""Interval rows as Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO, Final

from stream_app.views import parquet
from stream_app.views.parquet import GROUP, MISSING, ParquetMissingError, library

from .wire import IntervalsRow as Row

__all__ = ["GROUP", "MISSING", "ParquetMissingError", "library", "schema", "to_bytes", "write"]

_TIMES: Final = ("start", "revised_at")


def schema(zone: str) -> Any:
    """Return the columns: those of JSON. ``start`` is in UTC; the zone in which intervals begin is in the metadata."""
    return parquet.columns(Row, _TIMES, {"zone": zone})


def write(rows: Iterable[Row], zone: str, into: BinaryIO) -> None:
    """Write a file; see ``views.parquet``."""
    parquet.write(rows, schema(zone), _TIMES, into)


def to_bytes(rows: Iterable[Row], zone: str) -> bytes:
    """Write a file in memory."""
    return parquet.to_bytes(rows, schema(zone), _TIMES)
