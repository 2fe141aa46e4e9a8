"""What was counted in a time, contact by contact, and what that adds up to, by SQL over the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from msgspec import Struct

from stream_app.model.durations import DAY, HOUR
from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import SHIFT, Cell
from stream_app.model.fold.visit import WAITING, Visit
from stream_app.model.kpis.counters import decided
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Choice, Revenue
from stream_app.model.kpis.sums import Counter, Family
from stream_app.model.targets import QueueTargets, Targets
from stream_app.model.why import WhyQuery

from .columns import TABLES, fact_column
from .sql import source_of

MOST: Final = 100_000
"""Rows of sums, at most: queues times channels times counters."""
LONGEST_DAY: Final = DAY + 2 * HOUR


class Queries(Protocol):
    """What answers SQL over the ledger's tables."""

    async def rows(self, sql: str, parameters: Sequence[Any] = (), *, most: int) -> list[tuple[Any, ...]]:
        """Return a query's rows, at most so many."""
        ...


class OpenVisit(Struct, frozen=True):
    """A visit that is not over.

    Attributes:
        contact: whose; for nobody's eyes.
        shown: the same, ``None`` if it is forgotten.
        visit: as it is.
    """

    contact: str
    shown: str | None
    visit: Visit

    @property
    def place(self) -> QueueChannel:
        """The queue and channel."""
        return self.visit.queue, self.visit.channel


class CountedSpan(Struct, frozen=True):
    """A time of which a temporary table has what was counted.

    Attributes:
        table: its name.
        numbers: counter → its number in cells.
        cells: place → what was counted there.
        rules: place → its targets.
        start: the earliest of all places' beginnings, ms.
        end: exclusive.
        same: whether all places' times begin then.
    """

    table: str
    numbers: Mapping[str, int]
    cells: Mapping[QueueChannel, Cell]
    rules: Mapping[QueueChannel, QueueTargets]
    start: int
    end: int
    same: bool

    def cell(self, counted: Iterable[tuple[str, int]]) -> Cell:
        """Return what counters counted as a cell."""
        found: Cell = {}
        for counter, n in counted:
            name, _, member = counter.partition(".")
            number = self.numbers[name]
            found[(number << SHIFT) + int(member) if member else number] = n
        return found


def parts_of(kpi: Kpi, policy: str | None = None) -> list[Counter | Family]:
    """Return what is stored for a KPI, under one policy or any."""
    measure = kpi.measure
    if isinstance(measure, Choice) and policy is not None:
        measure = measure.options[policy]
    found: dict[str, Counter | Family] = {counter.name: counter for counter in measure.counters}
    if isinstance(measure, Revenue):
        found[measure.amounts.name] = measure.amounts
    return [*found.values()]


async def count_span(
    queries: Queries,
    open_: Sequence[OpenVisit],
    query: WhyQuery,
    targets: Targets,
    *,
    kpi: Kpi,
    window: str | None,
    table: str = "counted",
) -> CountedSpan:
    """Make the table of what counted for a KPI in a window, or the query's range.

    Args:
        queries: ask the ledger.
        open_: visits that are not over: those that wait past their target count as decided.
        query: which places, and when.
        targets: in force.
        kpi: the KPI.
        window: ``None``: the query's range.
        table: its name.
    """
    policy = query.policy
    if policy is None and query.queue is not None and query.channel is not None:
        policy = targets.rule(query.queue, query.channel).policy
    parts = parts_of(kpi, policy)
    wide, end = span_for_all(query, window, targets)
    for name, counted in _by_table(parts).items():
        await queries.rows(*_picked(f"{table}_{name}", name, counted, query, (wide, end)), most=1)
    sql, values = _counted(parts, table, wide, end)
    await queries.rows(f"CREATE TEMPORARY TABLE {table} AS {sql}", values, most=1)
    if decided in parts:
        await _insert_overdue(queries, open_, query, (wide, end), table)
    places = await queries.rows(f"SELECT DISTINCT queue, channel FROM {table}", most=MOST)
    found = {(queue, channel): targets.rule(queue, channel) for queue, channel in places}
    starts = {place: query.span(window, rule.zone)[0] for place, rule in found.items()}
    for start in {one for one in starts.values() if one > wide}:
        some = [place for place, one in starts.items() if one == start]
        where = " OR ".join(["(queue = ? AND channel = ?)"] * len(some))
        await queries.rows(
            f"DELETE FROM {table} WHERE moment < ? AND ({where})",
            [start, *(part for place in some for part in place)],
            most=1,
        )
    numbers = {part.name: n for n, part in enumerate(parts, 1)}
    begin = min(starts.values(), default=wide)
    span = CountedSpan(table, numbers, {}, found, begin, end, len({*starts.values()}) <= 1)
    cells: dict[QueueChannel, dict[str, int]] = {}
    for queue, channel, counter, n in await queries.rows(
        f"SELECT queue, channel, counter, CAST(sum(n) AS BIGINT) FROM {table} GROUP BY queue, channel, counter",
        most=MOST,
    ):
        cells.setdefault((queue, channel), {})[counter] = n
    made = {place: span.cell(sums.items()) for place, sums in sorted(cells.items())}
    return CountedSpan(table, numbers, made, found, begin, end, span.same)


def span_for_all(query: WhyQuery, window: str | None, targets: Targets) -> tuple[int, int]:
    """Return a time that holds the window of every place that is asked for: days begin by each queue's own clock."""
    if query.queue is not None and query.channel is not None:
        return query.span(window, targets.rule(query.queue, query.channel).zone)
    start, end = query.span(window, "UTC")
    return (min(start, query.now - LONGEST_DAY) if window == "today" else start), end


def _by_table(parts: Iterable[Counter | Family]) -> dict[str, list[Counter | Family]]:
    found: dict[str, list[Counter | Family]] = {}
    for part in parts:
        found.setdefault(source_of(part).table, []).append(part)
    return found


def _picked(
    name: str, table: str, parts: Sequence[Counter | Family], query: WhyQuery, span: tuple[int, int]
) -> tuple[str, list[Any]]:
    """Return a statement that keeps the rows in which something counted: files are read once, whatever is counted of them."""
    fields = {column for part in parts for column in _columns(part)}
    who = "coalesce(contact_id, concat(partition, '.', \"offset\", '.', n))"  # a forgotten one is still one contact
    shown = "CASE WHEN state = 'open' THEN NULL ELSE version END AS version, state = 'open' AS is_open"
    sign = ["sign"] if any(column.name == "sign" for column in TABLES[table].columns) else []
    times = sorted({source_of(part).at for part in parts})
    where = " OR ".join(f"({at} >= ? AND {at} < ?)" for at in times)
    values: list[Any] = [moment(at) for _ in times for at in span]
    # Nothing happens before it begins; an engine need not look at whatever began later.
    where = f'({where}) AND "{TABLES[table].time}" < ?'
    values.append(moment(span[1]))
    for place, value in (("queue", query.queue), ("channel", query.channel)):
        if value is not None:
            where += f" AND {place} = ?"
            values.append(value)
    columns = ", ".join(
        (f"{who} AS contact", "contact_id", "queue", "channel", "agent", shown, *sign, *sorted(fields))
    )
    return f"CREATE TEMPORARY TABLE {name} AS SELECT {columns} FROM {table} WHERE {where}", values


def _columns(part: Counter | Family) -> list[str]:
    """Return the columns that a part is counted by."""
    names = ["at"]
    if isinstance(part, Family):
        names += [part.added, part.by]
    else:
        names += [*part.fields, *([part.where[0]] if part.where else [])]
    return [fact_column(part.fact, name) for name in names]


def _counted(parts: Iterable[Counter | Family], table: str, start: int, end: int) -> tuple[str, list[Any]]:
    """Return a query for what each part counted, row by row, and its parameters."""
    queries, values = [], list[Any]()
    for part in parts:
        source = source_of(part)
        where = f"{source.where} AND {source.at} >= ? AND {source.at} < ?"
        values += (moment(start), moment(end))
        counter = f"'{part.name}'"
        if isinstance(part, Family):
            counter = f"concat('{part.name}.', CAST({fact_column(part.fact, part.by)} AS VARCHAR))"
        queries.append(
            f"SELECT contact, contact_id, queue, channel, agent, epoch_ms({source.at}) AS moment, version, is_open, "
            f"{counter} AS counter, {source.amount} AS n FROM {table}_{source.table} WHERE {where}"
        )
    return " UNION ALL ".join(queries), values


async def _insert_overdue(
    queries: Queries, open_: Sequence[OpenVisit], query: WhyQuery, span: tuple[int, int], table: str
) -> None:
    """Add what readers add to the counters: visits that wait, and were decided because their target passed."""
    start, end = span
    found = [
        (one.contact, one.shown, *one.place, one.visit.agent, one.visit.due, None, True, decided.name, 1)
        for one in open_
        if one.visit.state == WAITING and query.has(*one.place) and start <= one.visit.due < end
        if one.visit.due <= query.now
    ]
    await insert(queries, table, found)


async def insert(queries: Queries, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows: a list for each column, since a parameter for each value takes five times as long."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        each = ", ".join(["unnest(?)"] * len(columns))
        await queries.rows(f"INSERT INTO {table} SELECT {each}", columns, most=1)


def moment(at: int) -> datetime:
    """Return a time as a parameter."""
    return datetime.fromtimestamp(at / 1000, UTC)
