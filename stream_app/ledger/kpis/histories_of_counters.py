"""KPIs of counters by day and week: what the ledger's contacts counted, added up again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from stream_app.ledger.columns import fact_column
from stream_app.ledger.explaining_intervals import place_formula
from stream_app.ledger.querying import TooLargeQueryError
from stream_app.ledger.reading import OpenedLedger
from stream_app.ledger.spans import MOST, moment, parts_of
from stream_app.ledger.sql import source_of
from stream_app.ledger.whys import open_visits
from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import SHIFT, Cell
from stream_app.model.fold.visit import WAITING
from stream_app.model.kpis.counters import decided
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.sums import Counter, Family
from stream_app.model.ledger_numbers import HistoryPoint, HistoryQuery
from stream_app.model.live.formulas import Formula, Terms, added
from stream_app.model.targets import Targets

from .query import period_of
from .windows import PLACE


async def points_of_counters(
    ledger: OpenedLedger, query: HistoryQuery, kpi: Kpi, targets: Targets
) -> list[HistoryPoint]:
    """Add counters up by period, queue, channel and group, and let each place's own formula make terms of them.

    Raises:
        TooLargeQueryError: there are more sums than anybody should ask for at once.
    """
    parts = parts_of(kpi, query.policy)
    numbers = {part.name: n for n, part in enumerate(parts, 1)}
    cells: dict[tuple[int, str | None], dict[QueueChannel, Cell]] = {}
    for part in parts:
        for period, queue, channel, name, member, n in await _counted(ledger, query, part):
            if n and _wanted(query, queue, channel):
                number = numbers[part.name]
                cell = cells.setdefault((period, name), {}).setdefault((queue or "", channel or ""), {})
                key = number if member is None else (number << SHIFT) + member
                cell[key] = cell.get(key, 0) + n
    if decided in parts:
        for period, name, place in _overdue(ledger, query):
            cell = cells.setdefault((period, name), {}).setdefault(place, {})
            cell[numbers[decided.name]] = cell.get(numbers[decided.name], 0) + 1
    made = _Counted(query, kpi, targets, numbers)

    def points() -> list[HistoryPoint]:
        return [
            made.point(period, name, found)
            for (period, name), found in sorted(cells.items(), key=lambda one: (one[0][0], one[0][1] or "~"))
        ]

    return await asyncio.to_thread(points)


async def _counted(
    ledger: OpenedLedger, query: HistoryQuery, part: Counter | Family
) -> list[tuple[Any, ...]]:
    """Return period, queue, channel, group, member and what was counted there."""
    source = source_of(part)
    group = "NULL" if query.group is None else query.group
    member = "NULL"
    if isinstance(part, Family):
        member = f"CAST({fact_column(part.fact, part.by)} AS BIGINT)"
    sql = (
        f"SELECT {period_of(f'epoch_ms({source.at})', query.periods)} AS period, queue, channel, {group} AS name, "
        f"{member} AS member, CAST(sum({source.amount}) AS BIGINT) AS n FROM {source.table} "
        f"WHERE {source.where} AND {source.at} >= ? AND {source.at} < ? GROUP BY 1, 2, 3, 4, 5"
    )
    span = moment(query.periods[0][0]), moment(query.periods[-1][1])
    found = await ledger.queries.rows(sql, span, most=MOST + 1)
    if len(found) > MOST:
        raise TooLargeQueryError(f"the ledger was asked for too much: more than {MOST:,} sums; ask for less")
    return found


def _wanted(query: HistoryQuery, queue: str | None, channel: str | None) -> bool:
    return (query.queues is None or queue in query.queues) and (
        query.channels is None or channel in query.channels
    )


def _overdue(ledger: OpenedLedger, query: HistoryQuery) -> Iterator[tuple[int, str | None, QueueChannel]]:
    """Yield the contacts that wait, and were decided because their target passed; as readers of counters add them."""
    for one in open_visits(ledger):
        due, place = one.visit.due, one.place
        if one.visit.state != WAITING or due > query.now or not _wanted(query, *place):
            continue
        for n, (start, end) in enumerate(query.periods):
            if start <= due < end:
                yield n, _group_of_visit(one.visit, place, query.group), place


def _group_of_visit(visit: Any, place: QueueChannel, group: str | None) -> str | None:
    if group is None:
        return None
    if group in PLACE:
        return place[PLACE.index(group)]
    found: str | None = getattr(visit if group == "agent" else visit.notes, group, None)
    return found


class _Counted(Struct, frozen=True):
    """Makes values of what counters counted."""

    query: HistoryQuery
    kpi: Kpi
    targets: Targets
    numbers: Mapping[str, int]

    def point(self, period: int, name: str | None, cells: Mapping[QueueChannel, Cell]) -> HistoryPoint:
        """Return the value of some places together, each by its own formula."""
        terms: list[Terms] = []
        policies = set[str]()
        made: Formula | None = None
        for place, cell in sorted(cells.items()):
            rule = self.targets.rule(*place)
            found = place_formula(self.kpi, cell, rule, self.numbers, self.query.policy)
            made = found.formula
            policies.add(found.policy)
            terms.append(made.terms(cell, 0, rule))
        assert made is not None  # noqa: S101 - there is a cell
        value = made.value(added(terms), {})
        return HistoryPoint(period, name, _one(policies), value.value, value.samples, amounts=value.amounts)


def _one(names: Iterable[str]) -> str:
    """Return the only name; of several none."""
    found = {*names}
    return found.pop() if len(found) == 1 else ""
