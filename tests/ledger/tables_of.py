"""The ledger's tables as a fold's rows and open visits make them, for either engine, and what the reference says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import duckdb

from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.kpis import FAMILIES, LedgerQuestion
from stream_app.ledger.kpis.relations import SESSION, views
from stream_app.model.fold.noted import Noted
from stream_app.model.fold.visit import REMEMBERED
from stream_app.model.ledger import VisitRow, join_rows, pack_row
from stream_app.model.ports import Partition
from stream_app.store.codec import unpack_agent, unpack_visits
from stream_app.store.outbox import OutboxEntry
from tests.model.kept import Kept
from tests.reference import from_cases, from_ledger
from tests.reference.history import History
from tests.reference.stays import Dimensions, Found, Group, grouped, segments

Stretch = tuple[str, str, int, int]
"""Queue, channel, opens, closes (ms)."""
Owner = tuple[str, str | None, str | None]
"""Queue, partner, business unit."""
Sums = dict[Group, dict[str, int]]


REFERRED = tuple(name for name in FAMILIES if name not in {"agent_time", "shared_work"})
"""What the reference tells of these streams; what agents do is counted second by second in ``test_agents_time``."""


def tables_of(kept: Kept) -> dict[str, Any]:
    """Each table's rows, as columns: what is over, and the visits that are open."""
    packed = list(kept.ledger)
    for contact, visits in sorted(kept.visits.items()):
        for visit in unpack_visits(visits):
            if visit.state < REMEMBERED:
                packed.append(pack_row(VisitRow(2**40, len(packed), contact, visit)))
    noted = Noted(on=True)
    noted.offset = 2**41
    for agent, presence in sorted(kept.agents.items()):
        noted.spell(agent, unpack_agent(presence).current())
    packed += noted.take()
    entry = OutboxEntry(b"1-0", "t", 0, 2**40, kept.time, 1, join_rows(packed), b"")
    rows = Exploder(Partition("calls", 0))(entry)
    return {name: table.batch(rows.get(name, [])) for name, table in TABLES.items()}


class LedgerTables:
    """Tables in DuckDB."""

    def __init__(
        self, tables: Mapping[str, Any], hours: Sequence[Stretch] = (), owners: Sequence[Owner] = ()
    ) -> None:
        self._database = duckdb.connect(config={"threads": 1})
        for name, table in tables.items():
            self._database.register(f"rows_of_{name}", table)
        self._database.execute(SESSION["duckdb"])
        for statement in views("duckdb", {name: f"rows_of_{name}" for name in tables}):
            self._database.execute(statement)
        self._database.execute(
            "create table open_hours (queue text, channel text, opens_at bigint, closes_at bigint)"
        )
        self._database.execute("create table queue_owners (queue text, partner text, unit text)")
        if owners:
            self._database.executemany("insert into queue_owners values (?, ?, ?)", owners)
        if hours:
            self._database.executemany("insert into open_hours values (?, ?, ?, ?)", hours)

    def ask(
        self,
        family: str,
        question: LedgerQuestion,
        groups: Sequence[str] = (),
        made: Mapping[str, str] | None = None,
    ) -> Sums:
        """The sums of each group."""
        return by_group(self.rows(FAMILIES[family].sql(question, groups, made)), family, groups)

    async def run(self, sql: str, since: int, until: int) -> int | None:
        """The only number of a result; all is there, whatever is left out elsewhere."""
        assert since <= until
        found = self.rows(sql)
        return None if not found or found[0][0] is None else int(found[0][0])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._database.execute(sql).fetchall()
        return found


def by_group(rows: Iterable[Sequence[Any]], family: str, groups: Sequence[str]) -> Sums:
    names, n = FAMILIES[family].sums, len(groups)
    return {tuple(row[:n]): dict(zip(names, map(int, row[n:]), strict=True)) for row in rows}


def business(hours: Sequence[Stretch], where: Dimensions, start: int, end: int) -> int:
    """The part of [start, end) within the hours of a queue and channel; all of it where they have none."""
    mine = [
        (a, b)
        for queue, channel, a, b in hours
        if (queue, channel) == (where.get("queue"), where.get("channel"))
    ]
    if not mine:
        return end - start
    return sum(max(0, min(b, end) - max(a, start)) for a, b in mine)


def referred(
    history: History,
    family: str,
    ask: LedgerQuestion,
    groups: Sequence[str],
    hours: Sequence[Stretch] = (),
    *,
    owners: Sequence[Owner] = (),
) -> Sums:
    """What the reference says."""
    found = _found(history, family, ask, hours)
    of_queue = {queue: (partner, unit) for queue, partner, unit in owners}
    for where, _ in found:
        where["partner"], where["unit"] = of_queue.get(where.get("queue") or "", (None, None))
    return grouped(groups, found, segments(history))


_OF_WINDOW: dict[str, Callable[[History, int, int], Found]] = {
    "begun_cases": from_cases.begun_sums,
    "customers": from_ledger.customer_sums,
    "work": from_ledger.work_sums,
    "sales": from_ledger.sale_sums,
    "criteria": from_ledger.criterion_sums,
    "trainings": from_ledger.training_sums,
}


def _found(history: History, family: str, ask: LedgerQuestion, hours: Sequence[Stretch]) -> Found:
    window = ask.start, ask.end
    match family:
        case "journeys" | "touches":
            found = from_ledger.journey_sums(
                history, *window, ask.known, repeat_ms=ask.repeat_ms, per_channel=ask.per_channel
            )
            if family == "touches":
                found = [(where, counted) for where, counted in found if counted["replied"]]
        case "churn_by_resolution":
            found = from_ledger.churn_sums(
                history, *window, ask.known, repeat_ms=ask.repeat_ms, per_channel=ask.per_channel
            )
        case "resolved_cases":
            found = from_cases.resolved_sums(
                history,
                *window,
                ask.known,
                lambda where, start, end: business(hours, where, start, end),
                repeat_ms=ask.repeat_ms,
            )
        case "unresolved_cases":
            found = from_cases.unresolved_sums(history, ask.end)
        case "bots":
            found = from_ledger.bot_sums(history, *window, ask.known, return_ms=ask.return_ms)
        case "opinions":
            found = from_ledger.opinion_sums(history, *window, ask.known)
        case _:
            found = _OF_WINDOW[family](history, *window)
    names = FAMILIES[family].sums
    return [(where, {name: counted[name] for name in names}) for where, counted in found]


def line_of(n: int, at: int, kind: str, **fields: Any) -> bytes:
    """An event as a record's value."""
    return json.dumps({"id": f"e{n}", "type": kind, "at": at, **fields}).encode()
