"""KPIs by day and week, for as long as the ledger is kept: its own, and those whose counters it has, too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic
from typing import Final

from msgspec.structs import replace

from stream_app.ledger.querying import FailedQueryError, TooLargeQueryError, TooSlowQueryError
from stream_app.ledger.reading import LedgerReader, OpenedLedger, ReadRange
from stream_app.ledger.spans import parts_of
from stream_app.ledger.sql import source_of
from stream_app.model.durations import DAY, HOUR
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.measures import Derived, IntervalsMet, Level
from stream_app.model.ledger_numbers import (
    FamilySums,
    HistoryPoint,
    HistoryQuery,
    KpiHistory,
    SumsKey,
    TimeRange,
    chosen,
)
from stream_app.model.ledger_values import values
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules
from stream_app.model.why import NotExplainedError

from . import FAMILIES, GROUPS
from .asking import range_of
from .histories_of_counters import points_of_counters
from .query import LedgerQuestion
from .windows import PLACE, AskedNumbers, told, unknown_in

TOGETHER: Final = 31 * DAY + HOUR
"""The longest time that is asked for at once."""
BUDGET_S: Final = 10.0
"""After this long nothing further is begun: the rest is another question."""
COUNTED_GROUPS: Final = ("queue", "channel", "site", "team", "agent")
"""By what KPIs of counters can be split: every table of the ledger has these columns."""


async def found_history(reader: LedgerReader, query: HistoryQuery, targets: Targets) -> KpiHistory:
    """Answer a question.

    Args:
        reader: of the ledger.
        query: what is asked.
        targets: in force.

    Raises:
        NotExplainedError: the ledger can't tell that KPI, or not by that group.
        TooSlowQueryError: not even the first period can be answered in time.
    """
    check(query)
    kpi, span = query.kpi, (query.periods[0][0], query.periods[-1][1])
    if isinstance(kpi, FromLedger):
        question = LedgerQuestion(start=span[0], end=span[1], known=max(span[1], query.now))
        wanted = range_of([question], [FAMILIES[name] for name in kpi.families])
    else:
        tables = {"visits", *(source_of(part).table for part in parts_of(kpi, query.policy))}
        wanted = ReadRange(tuple(sorted(tables)), *span)
    async with reader.opened(lambda _: wanted) as ledger:
        known = told(ledger) if query.known is None else query.known
        if isinstance(kpi, FromLedger):
            points, done = await _of_ledger(ledger, replace(query, known=known), kpi, targets)
        else:
            points, done = await points_of_counters(ledger, query, kpi, targets), len(query.periods)
        unknown = [unknown_in(ledger, period) for period in query.periods[:done]]
    return KpiHistory(points, unknown, done, known)


def check(query: HistoryQuery) -> None:
    """Refuse what has no history.

    Raises:
        NotExplainedError: what is wrong, and what would fit.
    """
    kpi = query.kpi
    if isinstance(kpi, FromLedger):
        families = [FAMILIES[name] for name in sorted(kpi.families)]
        allowed = [name for name in families[0].groups if all(name in one.groups for one in families)]
        allowed = [name for name in allowed if name in GROUPS or name in kpi.also_by]
        policies: Sequence[str] = [*kpi.measures]
    else:
        if isinstance(kpi.measure, Level | Derived | IntervalsMet):
            raise NotExplainedError(
                "kpi", f"{kpi.name} is a value of now, or of intervals: the ledger has no history of it"
            )
        allowed = [*COUNTED_GROUPS]
        policies = [*getattr(kpi.measure, "options", {})]
    if query.group is not None and query.group not in allowed:
        raise NotExplainedError("group", f"{kpi.name} can't be split by {query.group}", tuple(allowed))
    if query.policy is not None and query.policy not in policies:
        raise NotExplainedError("policy", f"{kpi.name} has no policy {query.policy}", tuple(policies))
    if isinstance(kpi, FromLedger) and not kpi.placed and (query.queues or query.channels):
        who = "customers" if kpi.customers else "agents"
        raise NotExplainedError(
            "queue", f"{kpi.name} is about {who}, who belong to no queue", ("all of them",)
        )


async def _of_ledger(
    ledger: OpenedLedger, query: HistoryQuery, kpi: FromLedger, targets: Targets
) -> tuple[list[HistoryPoint], int]:
    """Ask for a month after the other, as long as there is time."""
    asked = AskedNumbers(ledger, targets, query.now, query.known, families=kpi.families)
    rules = LedgerRules.of(targets)
    await asked.begin()
    begun, points, done = monotonic(), list[HistoryPoint](), 0
    for some in _together(query.periods):
        if done and monotonic() - begun > BUDGET_S:
            break
        begins = {name: _begun(name, some, query.now) for name in sorted(kpi.families)}
        try:
            found = {
                name: await asked.periods(name, begins[name], query.group, until=begun + BUDGET_S)
                for name in sorted(kpi.families)
            }
        except (TooSlowQueryError, TooLargeQueryError, FailedQueryError):
            if not done:
                raise
            break
        answered = min(
            len(some) if len(one) == len(begins[name]) else len(one) for name, one in found.items()
        )
        points += await asyncio.to_thread(_points_of, found, answered, done, query, kpi=kpi, rules=rules)
        done += answered
        if answered < len(some):
            break
    return points, done


def _begun(family: str, periods: Sequence[TimeRange], now: int) -> Sequence[TimeRange]:
    """Return what a family is asked of periods: what is so at the end of one that is not over is so by now."""
    if FAMILIES[family].sampled:
        return periods
    return [(start, min(end, now)) for start, end in periods if start < now]


def _points_of(
    found: Mapping[str, Sequence[FamilySums]],
    answered: int,
    first: int,
    query: HistoryQuery,
    *,
    kpi: FromLedger,
    rules: LedgerRules,
) -> list[HistoryPoint]:
    """Return the points of the periods that all families answered, in a thread."""
    points: list[HistoryPoint] = []
    for n in range(answered):
        of_period = {
            name: _by_group(by_period[n], query) for name, by_period in found.items() if n < len(by_period)
        }
        points += _points(first + n, query, kpi, rules, of_period)
    return points


def _together(periods: Sequence[TimeRange]) -> Iterator[Sequence[TimeRange]]:
    """Yield periods that are asked for at once: about a month, which is known to be fast."""
    first = 0
    for n, (_, end) in enumerate(periods):
        if n > first and end - periods[first][0] > TOGETHER:
            yield periods[first:n]
            first = n
    yield periods[first:]


def _by_group(
    found: FamilySums, query: HistoryQuery
) -> dict[str | None, list[tuple[SumsKey, Mapping[str, int]]]]:
    rows: dict[str | None, list[tuple[SumsKey, Mapping[str, int]]]] = {}
    for key, sums in chosen(found, query.queues, query.channels):
        rows.setdefault(group_of(key, query.group), []).append((key, sums))
    return rows


def _points(
    n: int,
    query: HistoryQuery,
    kpi: FromLedger,
    rules: LedgerRules,
    rows: Mapping[str, Mapping[str | None, Sequence[tuple[SumsKey, Mapping[str, int]]]]],
) -> Iterator[HistoryPoint]:
    names = {name for by_group in rows.values() for name in by_group}
    for name in sorted(names, key=lambda one: (one is None, one or "")):
        mine = {family: by_group.get(name, ()) for family, by_group in rows.items()}
        for policy, value in values(kpi, mine, rules).items():
            if query.policy in {None, policy}:
                yield HistoryPoint(
                    n,
                    name,
                    policy,
                    value.value,
                    value.samples,
                    value.settled_value,
                    value.settled_samples,
                    value.parts,
                    value.amounts,
                )


def group_of(key: SumsKey, group: str | None) -> str | None:
    """Return the name of the group to which a row belongs."""
    if group is None:
        return None
    return key[PLACE.index(group)] if group in PLACE else key.name
