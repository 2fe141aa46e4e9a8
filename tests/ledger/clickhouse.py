"""The ledger's tables in ClickHouse, which runs in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow.parquet
from chdb import session

from stream_app.ledger.kpis import FAMILIES, LedgerQuestion
from stream_app.ledger.kpis.relations import SESSION, views

from .tables_of import Owner, Stretch, Sums, by_group


class ClickHouseTables:
    """Tables in ClickHouse, read from Parquet."""

    def __init__(
        self,
        tables: Mapping[str, Any],
        folder: Path,
        hours: Sequence[Stretch] = (),
        owners: Sequence[Owner] = (),
    ) -> None:
        self._session = session.Session()
        sources = {}
        for name, table in tables.items():
            pyarrow.parquet.write_table(table, folder / f"{name}.parquet")
            sources[name] = f"file('{folder}/{name}.parquet', Parquet)"
        open_hours = "(queue String, channel String, opens_at Int64, closes_at Int64)"
        self._run("create database ledger engine = Atomic", "use ledger", SESSION["clickhouse"])
        self._run(*views("clickhouse", sources), f"create table open_hours {open_hours} engine = Memory")
        of_queues = "(queue String, partner Nullable(String), unit Nullable(String))"
        self._run(f"create table queue_owners {of_queues} engine = Memory")
        for owner in owners:
            said = ", ".join("NULL" if one is None else f"'{one}'" for one in owner)
            self._run(f"insert into queue_owners values ({said})")
        for queue, channel, opens, closes in hours:
            self._run(f"insert into open_hours values ('{queue}', '{channel}', {opens}, {closes})")

    def ask(self, family: str, question: LedgerQuestion, groups: Sequence[str] = ()) -> Sums:
        """The sums of each group."""
        found = str(self._session.query(FAMILIES[family].sql(question, groups), "JSONCompactEachRow"))
        return by_group([json.loads(line) for line in found.splitlines()], family, groups)

    def _run(self, *statements: str) -> None:
        for statement in statements:
            self._session.query(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
