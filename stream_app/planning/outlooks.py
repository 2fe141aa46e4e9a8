"""Plans of several days → totals and gaps, as the HTTP interface sends them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from stream_app.model.events import QueueChannel
from stream_app.model.targets import QueueTargets
from stream_app.views.plan import wire
from stream_app.workforce.plan import PlanLine, is_open
from stream_app.workforce.totals import PlanTotal, Shortfall, gaps, totals
from stream_app.workforce.volumes import Volume

from .answers import Piece, basis_of, rounded
from .history import at
from .jobs import Staffed, StaffFound

_WEEK: Final = 7


def refused(place: QueueChannel, zone: ZoneInfo, why: str) -> wire.QueueOutlook:
    """Build the answer for a queue without a plan."""
    return wire.QueueOutlook(*place, zone.key, why, None, False, [], [], [], None)


def of_queue(
    place: QueueChannel,
    parts: Sequence[Piece],
    found: StaffFound,
    rule: QueueTargets,
    *,
    zone: ZoneInfo,
    version: int | None,
) -> wire.QueueOutlook:
    """Build the answer for one queue and channel."""
    staffed = {line.start: line for line in found.lines}
    lines = [_line(place, piece, staffed.get(piece.start), rule, zone) for piece in parts]
    # An interval that was left out of the forecast, but is closed anyway, is no hole.
    covered = bool(lines) and all(line.scheduled is not None for line in lines if line.required is not None)
    return wire.QueueOutlook(
        *place,
        zone.key,
        None if lines else "no actuals and no forecast for these days",
        version,
        covered,
        [_total(one, None) for one in totals(lines, "day", zone)],
        [_total(one, rule.full_time_h) for one in totals(lines, "week", zone)],
        [_run(gap, zone) for gap in gaps(lines)],
        basis_of(parts, rule) if lines else None,
    )


def _line(
    place: QueueChannel, piece: Piece, staffed: Staffed | None, rule: QueueTargets, zone: ZoneInfo
) -> PlanLine:
    start = at(piece.start, zone)
    volume = piece.volume or Volume(start, piece.minutes, *place, 0.0, 0.0, 0.0, 0.0, 0.0)
    if staffed is None:
        if is_open(rule, volume):
            return PlanLine(volume, "", rule.policy)
        return PlanLine(volume, "", rule.policy, required=0, to_schedule=0, open=False)
    return PlanLine(
        volume,
        staffed.model,
        rule.policy,
        required=staffed.required,
        to_schedule=staffed.to_schedule,
        scheduled=staffed.scheduled,
        open=staffed.open,
    )


def _total(one: PlanTotal, full_time_h: float | None) -> wire.WorkloadTotal:
    whole_week = full_time_h is not None and one.days == _WEEK
    return wire.WorkloadTotal(
        first=one.first.isoformat(),
        days=one.days,
        offered=round(one.offered, 1),
        offered_closed=round(one.offered_closed, 1),
        without_plan=one.without_plan,
        hours=rounded(one.hours, 2),
        peak=one.peak,
        peak_at=one.peak_at.isoformat() if one.peak_at else None,
        fte=rounded(one.fte(full_time_h), 1) if full_time_h and whole_week else None,
        scheduled_hours=rounded(one.scheduled_hours, 2),
        short_hours=rounded(one.short_hours, 2),
        short_intervals=one.short_intervals,
    )


def _run(gap: Shortfall, zone: ZoneInfo) -> wire.UnderstaffedRun:
    return wire.UnderstaffedRun(
        gap.start.astimezone(zone).isoformat(),
        gap.end.astimezone(zone).isoformat(),
        round(gap.short, 2),
        gap.worst_at.astimezone(zone).isoformat(),
        round(gap.short_hours, 2),
    )
