"""The ledger's tables as the SQL of numbers sees them: moments are whole milliseconds, in either engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from stream_app.ledger.columns import TABLES

Engine = Literal["duckdb", "clickhouse"]
_MILLISECONDS: Final[dict[Engine, str]] = {"duckdb": "epoch_ms", "clickhouse": "toUnixTimestamp64Milli"}
SESSION: Final[dict[Engine, str]] = {
    "duckdb": "set timezone = 'UTC'; set parquet_metadata_cache = true",
    "clickhouse": "set join_use_nulls = 1, prefer_column_name_to_alias = 1, session_timezone = 'UTC'",
}
"""What a session begins with: times are UTC; what an outer join does not find is NULL, and a name is a column's, as in
standard SQL."""


def view(engine: Engine, table: str, source: str) -> str:
    """Return the statement that makes a table of the ledger visible; ``…_time`` are its moments as they are stored.

    Files are only skipped by these: the engines look for bounds of columns, not of what is computed from them.

    Args:
        engine: which of them it is for.
        table: its name.
        source: where its rows are, as the engine's ``from`` takes it, with the columns of ``ledger.columns``.
    """
    moments = {
        column.name: f"{column.name.removesuffix('at')}time"
        for column in TABLES[table].columns
        if column.kind == "moment"
    }
    stored = ", ".join(f'"{name}" as {time}' for name, time in moments.items())
    whole = ", ".join(f'{_MILLISECONDS[engine]}({time}) as "{name}"' for name, time in moments.items())
    return (
        f"create view {table} as select * replace ({whole}) from (select *, {stored} from {source}) as stored"
    )


def views(engine: Engine, sources: Mapping[str, str]) -> list[str]:
    """Return the statements for all tables: name → where its rows are."""
    return [view(engine, table, source) for table, source in sources.items()]
