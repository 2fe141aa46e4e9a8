"""How long numbers of a month take where the ledger holds ten million visits: a year of a very large centre."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import duckdb

from stream_app.ledger.columns import CASES, TABLES, VISITS
from stream_app.ledger.kpis import FAMILIES, LedgerQuestion
from stream_app.ledger.kpis.journeys import reach
from stream_app.ledger.kpis.relations import SESSION, views
from stream_app.ledger.tables import ColumnKind, LedgerTable

from .figures import Figure

N: Final = 10_000_000
DAY: Final = 86_400_000
START: Final = 1_767_225_600_000  # 2026-01-01
MONTH: Final = LedgerQuestion(start=START + 300 * DAY, end=START + 330 * DAY, known=START + 365 * DAY)
_TYPES: Final[dict[ColumnKind, str]] = {
    "text": "varchar",
    "integer": "bigint",
    "number": "double",
    "moment": "timestamptz",
    "yes_no": "boolean",
}
# Of ten visits, nine are handled, one of twelve is passed on; a customer comes four times a year, as chance has it.
_VISIT: Final = {
    "topic_id": "'t'",
    "partition": "i % 64",
    '"offset"': "i",
    "n": "0",
    "version": "1",
    "started_at": "epoch_ms(began)",
    "contact_id": "'c' || i",
    "queue": "'queue ' || (h // 60 % 40)",
    "channel": "case when h // 60 % 40 < 25 then 'voice' when h // 60 % 40 < 35 then 'chat' else 'email' end",
    "agent": "'agent ' || (h % 1500)",
    "team": "'team ' || (h % 60)",
    "customer": "'u' || (hash(i) % 2500000)",
    "outbound": "false",
    "offered_at": "epoch_ms(began)",
    "answered_at": "case when h % 10 > 0 then epoch_ms(began + 20000) end",
    "abandoned_at": "case when h % 10 = 0 then epoch_ms(began + 60000) end",
    "transferred_at": "case when h % 10 > 0 and h % 12 = 0 then epoch_ms(began + 320000) end",
    "handled_at": "case when h % 10 > 0 then epoch_ms(began + 360000) end",
    "handled_transferred": "h % 12 = 0",
    "handled_pending_ms": "0",
    "handled_talk_ms": "300000",
    "handled_hold_ms": "0",
    "handled_wrap_ms": "40000",
}
_CASE: Final = {
    "topic_id": "'t'",
    "partition": "i % 64",
    '"offset"': "i",
    "n": "1",
    "version": "1",
    '"at"': "epoch_ms(began + 360000)",
    "event": "case when h % 30 = 0 then 'escalated' when h % 30 = 1 then 'reopened' else 'resolved' end",
    "contact_id": "'c' || (i - case when h % 30 = 1 then 4000 else 0 end)",
    '"case"': "'k' || (i - case when h % 30 = 1 then 4000 else 0 end)",
    "queue": "'queue ' || (h // 60 % 40)",
    "channel": "'voice'",
}


def measure() -> list[Figure]:
    """Median of what takes longest: it looks through all contacts of a month, and what came before and after."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        _write(database, Path(folder))
        wall, cpu = _seconds(database)
    return [
        Figure("ledger_first_contact_month_seconds", round(wall, 3), "s"),
        Figure("ledger_first_contact_month_cpu_seconds", round(cpu, 3), "s"),
    ]


def _write(database: Any, folder: Path) -> None:
    """Write the tables, a file a day, and make them visible."""
    database.execute(SESSION["duckdb"])
    sources = {}
    for table, told, some in ((VISITS, _VISIT, 1), (CASES, _CASE, 5)):
        for day in range(365):
            begin, end = N * day // 365, N * (day + 1) // 365
            rows = (
                f"select i, hash(i, 7) % 1000003 as h, {START} + i * {365 * DAY} // {N} as began "
                f"from range({begin}, {end}) as r(i) where i % {some} = 0"
            )
            path = folder / f"{table.name}-{day:03}.parquet"
            database.execute(
                f"copy (select {_columns(table, told)} from ({rows})) to '{path}' (format parquet)"
            )
        sources[table.name] = f"'{folder}/{table.name}-*.parquet'"
    for name, table in TABLES.items():
        if name not in sources:
            database.execute(f"create table none_of_{name} as select {_columns(table, {})} limit 0")
            sources[name] = f"none_of_{name}"
    for statement in views("duckdb", sources):
        database.execute(statement)
    database.execute("create table open_hours (queue text, channel text, opens_at bigint, closes_at bigint)")


def _columns(table: LedgerTable, told: dict[str, str]) -> str:
    known = {name.strip('"'): text for name, text in told.items()}
    return ", ".join(
        f'cast({known.get(column.name, "null")} as {_TYPES[column.kind]}) as "{column.name}"'
        for column in table.columns
    )


def _seconds(database: Any, times: int = 5) -> tuple[float, float]:
    """Return wall and CPU time of a question, after the first one, which opens the files."""
    wall, cpu = [], []

    def number(sql: str) -> int | None:
        found: int | None = database.execute(sql).fetchone()[0]
        return found

    for _ in range(times + 1):
        begun, worked = time.perf_counter(), time.process_time()
        asked = reach(MONTH, number)
        rows = database.execute(FAMILIES["journeys"].sql(asked, ["queue"])).fetchall()
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - worked)
        if len(rows) != 40:
            raise RuntimeError(f"expected 40 queues, got {len(rows)}")
    return statistics.median(wall[1:]), statistics.median(cpu[1:])


if __name__ == "__main__":
    for figure in measure():
        print(figure)
