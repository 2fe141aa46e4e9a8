"""Why a compliance is what it is, interval by interval; and the formula that a KPI has in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stream_app.model.fold.cells import Cell
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Choice, Cost, Either, Ratio, Revenue, WindowCount
from stream_app.model.kpis.sums import Sum
from stream_app.model.live import compliance
from stream_app.model.live.formulas import Formula, formula
from stream_app.model.live.running import INTERVAL_MS
from stream_app.model.targets import QueueTargets, Targets
from stream_app.model.why import Why, WhyInterval, WhyQuery

from .spans import MOST, OpenVisit, Queries, count_span


class PlaceFormula(NamedTuple):
    """A formula of one place: its sums, the text, and what makes the number."""

    policy: str
    text: str
    numerator: Sum
    denominator: Sum | None
    formula: Formula


def place_formula(
    kpi: Kpi, cell: Cell, rule: QueueTargets, numbers: Mapping[str, int], policy: str | None
) -> PlaceFormula:
    """Return the formula of a place."""
    measure, name = kpi.measure, ""
    if isinstance(measure, Choice):
        name = policy or rule.policy
        measure = measure.options[name]
    made = formula(kpi, name or rule.policy, numbers)
    assert made is not None  # noqa: S101 - all others are explained elsewhere
    match measure:
        case Either(first=first, other=other):
            found = first if Sum.of(first.denominator).value(_named(cell, numbers)) else other
            return PlaceFormula(name, str(found), Sum.of(found.numerator), Sum.of(found.denominator), made)
        case Ratio():
            return PlaceFormula(
                name, str(measure), Sum.of(measure.numerator), Sum.of(measure.denominator), made
            )
        case WindowCount(of=counter):
            return PlaceFormula(name, str(measure), Sum.of(counter), None, made)
        case Revenue(contacts=contacts):
            return PlaceFormula(name, str(measure), Sum(()), Sum.of(contacts), made)
        case Cost(time=time, contacts=contacts):
            return PlaceFormula(name, str(measure), time, Sum.of(contacts), made)
    raise AssertionError(f"{kpi.name} has no formula")


def _named(cell: Cell, numbers: Mapping[str, int]) -> dict[str, int]:
    return {name: cell.get(number, 0) for name, number in numbers.items()}


async def explain_intervals(
    queries: Queries, open_: Sequence[OpenVisit], query: WhyQuery, targets: Targets, other: Kpi
) -> Why:
    """Explain how many 15-minute intervals met another KPI's target: those that are over, and that had contacts."""
    span = await count_span(queries, open_, query, targets, kpi=other, window=query.window)
    rows = await queries.rows(
        f"SELECT queue, channel, moment - moment % {INTERVAL_MS} AS start, counter, CAST(sum(n) AS BIGINT) "
        f"FROM {span.table} GROUP BY 1, 2, 3, 4 ORDER BY start, queue, channel",
        most=MOST,
    )
    cells: dict[tuple[str, str, int], dict[str, int]] = {}
    for queue, channel, start, counter, n in rows:
        cells.setdefault((queue, channel, start), {})[counter] = n
    intervals: list[WhyInterval] = []
    for (queue, channel, start), counted in cells.items():
        rule = span.rules[queue, channel]
        cell, target = span.cell(counted.items()), rule.targets.get(other.name)
        over = span.start <= start and start + INTERVAL_MS <= min(span.end, query.now)
        if target is None or not over:
            continue
        made = place_formula(other, cell, rule, span.numbers, None).formula
        found = made.of(cell, 0, rule)
        if found.value is not None:
            reached = found.value >= target
            intervals.append(WhyInterval(queue, channel, start, found.value, found.samples, target, reached))
    met = sum(one.met for one in intervals)
    listed = [one for one in intervals if query.which == "all" or one.met is (query.which == "met")]
    listed = [] if query.which == "left_out" else listed
    return Why(
        value=compliance.value({"over": met, "under": len(intervals)}),
        start=span.start,
        end=span.end,
        formulas={"": str(query.kpi.measure)},
        numerator=met,
        denominator=len(intervals),
        intervals=listed[query.skip : query.skip + query.limit],
        total=len(listed),
    )
