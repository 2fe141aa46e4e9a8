"""The ledger's tables as the SQL of numbers sees them: moments are whole milliseconds, in either engine.

Whom a row is about is a number, too: to sort a million persons by their ids takes three times as long, and more memory than a
query has. Of ten million persons, any two have the same 64 bits with a chance of 3 in a million.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from stream_app.ledger.columns import TABLES

Engine = Literal["duckdb", "clickhouse"]
_MILLISECONDS: Final[dict[Engine, str]] = {"duckdb": "epoch_ms", "clickhouse": "toUnixTimestamp64Milli"}
_KEYS: Final = {
    "person": ("coalesce(customer, contact_id)", ("customer", "contact_id")),
    "customer_key": ("customer", ("customer",)),
    "case_key": ('"case"', ("case",)),
    "contact_key": ("contact_id", ("contact_id",)),
}
"""Name of a key → the id that it is made of, and the columns that a table needs for it."""
_HASHED: Final[dict[Engine, str]] = {"duckdb": "hash", "clickhouse": "cityHash64"}
SESSION: Final[dict[Engine, str]] = {
    "duckdb": "set timezone = 'UTC'",
    "clickhouse": "set join_use_nulls = 1, prefer_column_name_to_alias = 1, session_timezone = 'UTC'",
}
"""What a session begins with: times are UTC; what an outer join does not find is NULL, and a name is a column's, as in
standard SQL."""


def view(engine: Engine, table: str, source: str, name: str | None = None) -> str:
    """Return the statement that makes a table of the ledger visible; ``…_time`` are its moments as they are stored.

    Files are only skipped by these: the engines look for bounds of columns, not of what is computed from them.

    Args:
        engine: which of them it is for.
        table: its name.
        source: where its rows are, as the engine's ``from`` takes it, with the columns of ``ledger.columns``.
        name: that of the view, if it is another one.
    """
    names = {column.name for column in TABLES[table].columns}
    moments = {
        column.name: f"{column.name.removesuffix('at')}time"
        for column in TABLES[table].columns
        if column.kind == "moment"
    }
    added = [f'"{name}" as {time}' for name, time in moments.items()]
    added += [
        f"case when {id_} is not null then {_HASHED[engine]}({id_}) end as {key}"
        for key, (id_, needed) in _KEYS.items()
        if names.issuperset(needed)
    ]
    whole = ", ".join(f'{_MILLISECONDS[engine]}({time}) as "{name}"' for name, time in moments.items())
    return (
        f"create view {name or table} as select * replace ({whole}) "
        f"from (select *, {', '.join(added)} from {source}) as stored"
    )


def views(engine: Engine, sources: Mapping[str, str]) -> list[str]:
    """Return the statements for all tables: name → where its rows are."""
    return [view(engine, table, source) for table, source in sources.items()]
