"""A ledger in memory: its tables as SQL asks them, made of what a fold noted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import duckdb

from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.model.fold.visit import REMEMBERED, Visits
from stream_app.model.ledger import VisitRow, join_rows, pack_row
from stream_app.model.ports import Partition
from stream_app.store.outbox import OutboxEntry


class AskedLedger:
    """Answers SQL over rows that were noted, and visits that are open."""

    def __init__(self, noted: Sequence[bytes], open_: Iterable[tuple[str, Visits]] = ()) -> None:
        visits = [(contact, visit) for contact, some in open_ for visit in some if visit.state < REMEMBERED]
        unfinished = [pack_row(VisitRow(2**40 + n, 0, *one)) for n, one in enumerate(visits)]
        entry = OutboxEntry(b"1-0", "t", 0, 1, 0, 1, join_rows([*noted, *unfinished]), b"")
        tables = Exploder(Partition("calls", 0))(entry)
        self.connection: Any = duckdb.connect(":memory:")
        for name, table in TABLES.items():
            self.connection.register(name, table.batch(tables.get(name, [])))

    async def rows(self, sql: str, parameters: Sequence[Any] = (), *, most: int) -> list[tuple[Any, ...]]:
        """As ``LedgerQueries`` does."""
        await asyncio.sleep(0)
        found: list[tuple[Any, ...]] = self.connection.execute(sql, list(parameters)).fetchmany(most)
        return found

    def batches(
        self, sql: str, parameters: Sequence[Any] = (), size: int = 1_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """As ``LedgerQueries`` does."""
        result = self.connection.execute(sql, list(parameters))
        while some := result.fetchmany(size):
            yield some
