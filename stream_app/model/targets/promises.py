"""What was promised in a queue and channel: how long a wait may be by its clock, and the KPI targets by that clock.

A mean wait exists by the clock on the wall and by business hours. Only one of them was promised: a mail of Friday evening
that is answered on Monday morning has waited for three days, and for forty minutes. So the target is that of the mean by
the queue's own clock, and the other one is shown without being held against anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from stream_app.model.durations import DAY
from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER

from .hours import Calendar
from .queue_targets import QueueTargets

PROMISED_WITHIN: Final = 366 * DAY
"""A calendar that would let a target end later than that is none: the target runs by the wall clock."""
_TWINS: Final = {kpi.name: kpi.twin for kpi in KPIS if kpi.twin}
_OF_LEDGER: Final = {kpi.name: kpi.target for kpi in FROM_LEDGER if kpi.target is not None}
_DEFAULTS: Final = tuple(kpi for kpi in BY_NAME.values() if kpi.targets)

KpiTargets = Mapping[str, float]


def promised_wait(calendar: Calendar, start: int, target: int) -> int | None:
    """Return how many ms after ``start`` a target of business time ends, by the wall clock; ``None``: not within 366 days."""
    try:
        took = calendar.after(start, target) - start
    except OverflowError:
        return None
    return took if took <= PROMISED_WITHIN else None


def promise(targets: QueueTargets, start: int, priority: str | int | None) -> tuple[int, int]:
    """Return how long a wait that begins then may be, and the short-abandon threshold, in milliseconds by the wall clock."""
    answer, short = targets.answer_target, targets.short_abandon
    if priority is not None and (own := targets.priorities.get(str(priority))):
        answer, short = own.answer_target, own.short_abandon
    if targets.by_business_hours and targets.calendar is not None:
        by_wall = promised_wait(targets.calendar, start, answer)
        answer = answer if by_wall is None else by_wall
        if short and (by_wall := promised_wait(targets.calendar, start, short)) is not None:
            short = by_wall
    return answer, min(short, answer)


def promised(
    channel: str, preset: Iterable[KpiTargets], own: Iterable[KpiTargets], *, by_business_hours: bool
) -> dict[str, float]:
    """Return KPI → target.

    By business hours, what a level says of a mean is said of its twin, unless the level says another thing of that.

    Args:
        channel: the channel, for the defaults.
        preset: the targets of the preset's levels, the most general first.
        own: those of the centre's levels.
        by_business_hours: whether the queue's waits are promised by business hours.
    """
    defaults = {kpi.name: target for kpi in _DEFAULTS if (target := kpi.default_target(channel)) is not None}
    preset, own = ([_counted(level) for level in levels] for levels in (preset, own))
    out: dict[str, float] = {}
    for level in (defaults, *preset, *own):
        if by_business_hours:
            out |= {twin: level[name] for name, twin in _TWINS.items() if name in level}
        out |= level
    if by_business_hours:
        return {name: target for name, target in out.items() if name not in _TWINS}
    wanted = {name for level in own for name in level}
    return {name: target for name, target in out.items() if name in wanted or name not in _TWINS.values()}


def ledger_targets(levels: Iterable[KpiTargets]) -> dict[str, float]:
    """Return the targets of KPIs of the ledger: the defaults, and what levels say, the most general first."""
    out = dict(_OF_LEDGER)
    for level in levels:
        out |= {name: target for name, target in level.items() if name not in BY_NAME}
    return out


def _counted(level: KpiTargets) -> KpiTargets:
    return {name: target for name, target in level.items() if name in BY_NAME}
