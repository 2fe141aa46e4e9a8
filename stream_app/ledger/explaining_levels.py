"""Why a value of now is what it is: the open visits that make it, and the KPIs that a derived one is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from stream_app.model.events import QueueChannel
from stream_app.model.fold.visit import CONVERSING, HELD, OVER, WAITING, WITH_BOT, WRITTEN, Visit
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import Derived, Level, LevelRead, Value
from stream_app.model.live.formulas import formula
from stream_app.model.targets import QueueTargets, Targets
from stream_app.model.targets.conversations import is_written
from stream_app.model.why import Which, Why, WhyContact, WhyPart, WhyQuery

from .spans import OpenVisit, Queries, count_span

Since = Callable[[Visit, QueueTargets], int | None]
"""Since when a visit is what is asked for, ms; ``None``: it is not."""


def _talks(visit: Visit) -> bool:
    return bool(visit.seen & WRITTEN) and visit.state in CONVERSING


def _at_risk(visit: Visit, rule: QueueTargets) -> int | None:
    risky = visit.predicted and visit.state not in OVER and visit.predicted < round(rule.risk_below * 1000)
    return visit.queued_at if risky else None


def _is_owed(visit: Visit) -> bool:
    return _talks(visit) and (visit.state == WAITING or visit.clock > 0)


_SINCE: Final[dict[LevelRead, Since]] = {
    "count": lambda visit, _: visit.queued_at if visit.state == WAITING else None,
    "oldest": lambda visit, _: visit.queued_at if visit.state == WAITING else None,
    "at_risk": _at_risk,
    "awaiting": lambda visit, _: (visit.clock or visit.queued_at) if _is_owed(visit) else None,
    "oldest_awaiting": lambda visit, _: visit.clock if _talks(visit) and visit.clock else None,
    "open": lambda visit, _: visit.started if _talks(visit) else None,
    "pending": lambda visit, _: visit.since if _talks(visit) and visit.state == HELD else None,
    "with_bot": lambda visit, _: visit.queued_at if visit.state == WITH_BOT else None,
    "oldest_by_bot": lambda visit, _: visit.clock if visit.state == WITH_BOT and visit.clock else None,
}
_BY_WALL: Final = frozenset({"oldest_by_bot"})
_OLDEST: Final = frozenset({"oldest", "oldest_awaiting", "oldest_by_bot"})


def explain_level(open_: Sequence[OpenVisit], query: WhyQuery, targets: Targets) -> Why:
    """Explain a level: each visit adds one, or the one that began first its age."""
    kpi, measure = query.kpi, query.kpi.measure
    assert isinstance(measure, Level)  # noqa: S101 - the caller looked
    rules: dict[QueueChannel, QueueTargets] = {}
    found: list[WhyContact] = []
    for one in open_:
        if not query.has(*one.place):
            continue
        rule = rules.setdefault(one.place, targets.rule(*one.place))
        since = _SINCE[measure.read](one.visit, rule)
        if since is not None:
            aging = measure.read in _OLDEST
            adds = _age(since, rule, query.now, measure.read) if aging else 1
            counted = {"age_ms" if aging else str(measure): adds}
            found.append(
                WhyContact(one.shown, *one.place, one.visit.agent, since, True, adds, 0, counted)
            )  # fmt: skip
    found.sort(key=lambda one: (one.at, one.queue, one.channel, one.contact_id or ""))
    if measure.read in _OLDEST and found:  # it is the age of one visit; that of the others adds nothing
        oldest = max(range(len(found)), key=lambda n: found[n].numerator)
        found = [one if n == oldest else replace(one, numerator=0) for n, one in enumerate(found)]
    number = sum(one.numerator for one in found)
    has_none = measure.is_written and query.channel is not None and not is_written(query.channel)
    listed = [one for one in found if _is_listed(one, query.which)]
    return Why(
        value=Value(None if has_none else number / kpi.unit.parts, 0),
        start=query.now,
        end=query.now,
        formulas={"": str(measure)},
        numerator=None if has_none else number,
        contacts=listed[query.skip : query.skip + query.limit],
        total=len(listed),
    )


def _is_listed(one: WhyContact, which: Which) -> bool:
    if which in {"met", "missed"}:
        return (which == "met") == bool(one.numerator)
    return which == "all"


def _age(since: int, rule: QueueTargets, now: int, read: LevelRead) -> int:
    """Return how long that is by the promised clock, ms; a bot's by the wall clock."""
    if read not in _BY_WALL and rule.by_business_hours and rule.calendar is not None:
        return rule.calendar.within(since, now)
    return max(0, now - since)


async def explain_derived(
    queries: Queries, open_: Sequence[OpenVisit], query: WhyQuery, targets: Targets
) -> Why:
    """Explain what follows from other KPIs: those of each queue and channel, and what they make there."""
    kpi, measure = query.kpi, query.kpi.measure
    assert isinstance(measure, Derived)  # noqa: S101 - the caller looked
    values: dict[QueueChannel, dict[str, Value]] = {}
    for name, window in measure.of:
        if window is not None:
            found = await _windowed(queries, open_, query, targets, name=name, window=window)
            for place, each in found.items():
                values.setdefault(place, {})[name] = each
    for one in open_:
        if query.has(*one.place):
            values.setdefault(one.place, {})
    parts = [_part(place, of, open_, query, targets) for place, of in sorted(values.items())]
    known = [part.value for part in parts if part.value is not None]
    together = sum(known) if kpi.adds else max(known, default=0.0)
    value = together if len(known) == len(parts) else None
    start = min((query.span(window, "UTC")[0] for _, window in measure.of if window), default=query.now)
    return Why(
        value=Value(value, 0), start=start, end=query.now, formulas={"": str(measure)}, parts=parts
    )  # fmt: skip


async def _windowed(
    queries: Queries,
    open_: Sequence[OpenVisit],
    query: WhyQuery,
    targets: Targets,
    *,
    name: str,
    window: str,
) -> dict[QueueChannel, Value]:
    other = BY_NAME[name]
    span = await count_span(queries, open_, query, targets, kpi=other, window=window, table=f"of_{name}")
    found = {}
    for place, cell in span.cells.items():
        rule = span.rules[place]
        made = formula(other, rule.policy, span.numbers)
        if made is not None:
            found[place] = replace(made.of(cell, 0, rule), percentiles=None)
    return found


def _part(
    place: QueueChannel,
    found: Mapping[str, Value],
    open_: Sequence[OpenVisit],
    query: WhyQuery,
    targets: Targets,
) -> WhyPart:
    measure = query.kpi.measure
    assert isinstance(measure, Derived)  # noqa: S101 - the caller looked
    of: dict[str, tuple[str | None, Value]] = {}
    for name, window in measure.of:
        if window is None:
            mine = replace(query, kpi=BY_NAME[name], queue=place[0], channel=place[1])
            of[name] = (None, explain_level(open_, mine, targets).value)
        else:
            of[name] = (window, found.get(name, Value(None, 0)))
    made = measure.how(*(one.value if window is None else one for window, one in of.values()))
    return WhyPart(*place, made, of)
