"""A ledger in memory: its tables as SQL asks them, made of what a fold noted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

import duckdb
from msgspec.structs import replace

from stream_app.ledger.columns import TABLES
from stream_app.ledger.explaining import explain
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.spans import OpenVisit
from stream_app.model.fold.cells import pack_cell, roll_up
from stream_app.model.fold.visit import REMEMBERED, Visits
from stream_app.model.ledger import VisitRow, join_rows, pack_row
from stream_app.model.live.board import Board
from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.model.why import LedgerWhyQuery, Why, WhyQuery
from stream_app.store.outbox import OutboxEntry
from tests.model.kept import Kept, Line, folded


class AskedLedger:
    """Answers SQL over rows that were noted, and visits that are open."""

    def __init__(self, noted: Sequence[bytes], open_: Iterable[tuple[str, Visits]] = ()) -> None:
        visits = [(contact, visit) for contact, some in open_ for visit in some if visit.state < REMEMBERED]
        unfinished = [pack_row(VisitRow(2**40 + n, 0, *one)) for n, one in enumerate(visits)]
        self.open = [OpenVisit(contact, contact, visit) for contact, visit in visits]
        self.connection: Any = duckdb.connect(":memory:")
        over, not_over = (
            Exploder(Partition("calls", 0))(OutboxEntry(b"1-0", "t", 0, 1, 0, 1, join_rows(rows), b""))
            for rows in ([*noted], unfinished)
        )
        for name, table in TABLES.items():
            self.connection.register(f"{name}_over", table.batch(over.get(name, [])))
            self.connection.register(f"{name}_open", table.batch(not_over.get(name, [])))
            self.connection.execute(
                f"CREATE VIEW {name} AS SELECT *, 'over' AS state FROM {name}_over "
                f"UNION ALL SELECT *, 'open' AS state FROM {name}_open"
            )

    def again(self) -> None:
        """Forget what a question made."""
        found = self.connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
        for (name,) in found:
            self.connection.execute(f"DROP TABLE {name}")

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


def ledger_of(lines: list[Line], targets: Targets) -> tuple[Kept, AskedLedger]:
    kept = folded(lines, targets=targets)
    return kept, AskedLedger(kept.ledger, kept.memory(Random(1)).open.items())


def board_of(kept: Kept, now: int) -> Board:
    board = Board(now)
    for (resolution, (start, queue, channel)), cell in roll_up(kept.added, lambda *_: False).items():
        board.put_cells("t.0", resolution, start, [((queue, channel), pack_cell(cell))])
    for contact, visits in kept.memory(Random(1)).open.items():
        board.put_visits("t.0", contact, visits)
    board.advance(now)
    return board


class AskedWhys:
    """Explains numbers by such a ledger; see ``model.why.Explainer``."""

    def __init__(self, ledger: AskedLedger, unknown: Sequence[tuple[int, int]] = ()) -> None:
        self._ledger, self._unknown = ledger, [*unknown]

    async def why(self, query: WhyQuery | LedgerWhyQuery, targets: Targets) -> Why:
        assert isinstance(query, WhyQuery), "its tables are those of live KPIs"
        self._ledger.again()
        found = await explain(self._ledger, self._ledger.open, query, targets)
        return replace(found, unknown=self._unknown)
