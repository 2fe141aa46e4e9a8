"""What SQL sees of an opened ledger: tables without the files that can't matter, because only to open a file takes long."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from stream_app.ledger.parquet_files import day_of
from stream_app.ledger.querying import LedgerQueries
from stream_app.ledger.reading import ReadRange
from stream_app.model.ledger_numbers import TimeRange

from .query import LedgerFamily
from .relations import view

TABLES: Final = (
    "visits",
    "replies",
    "cases",
    "customers",
    "opinions",
    "criteria",
    "trainings",
    "spells",
    "stretches",
)
"""What families read."""
NARROWED: Final = ("visits", "replies")
"""Of these, files are left out in which all is over too early; what is known of a customer or a case stays true."""
EVER: Final = 1 << 62


class Sight:
    """Makes tables visible, as ``relations`` has them; each range of files has a schema of its own."""

    def __init__(self) -> None:
        self._views = set[tuple[str, str]]()
        self._schemas = set[str]()

    async def look(
        self, queries: LedgerQueries, tables: Collection[str], since: int, until: int = EVER
    ) -> None:
        """Let SQL see tables, and no others.

        Args:
            queries: always the same.
            tables: of ``TABLES``.
            since: rows that were over before need not be there, ms.
            until: visits that began later need not be there, ms.
        """
        schema = f"since_{day_of(since)}_until_{until}".replace("-", "_")
        if schema not in self._schemas:
            await queries.rows(f"CREATE SCHEMA {schema}", most=1)
            self._schemas.add(schema)
        for table in tables:
            if (schema, table) not in self._views:
                fits = ReadRange(TABLES, since, until + 1).has
                source = queries.source(table, fits) if table in NARROWED else queries.source(table)
                await queries.rows(view("duckdb", table, f"({source})", f"{schema}.{table}"), most=1)
                self._views.add((schema, table))
        await queries.rows(f"USE {schema}", most=1)


def too_much(queries: LedgerQueries, family: LedgerFamily, span: TimeRange) -> str:
    """Return why a family is not refreshed over a time; empty: it is."""
    near = ReadRange(TABLES, span[0], EVER)
    visits = queries.rows_of("visits", near.has) if family.most else 0
    if visits <= family.most:
        return ""
    return (
        f"there are {visits:,} visits near this window, and over more than {family.most:,} it is computed for who asks: "
        "choose a group"
    )
