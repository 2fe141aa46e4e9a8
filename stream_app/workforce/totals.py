"""Totals and gaps of a plan: by day and week the peak, the agent hours and FTE, and where too few are scheduled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any, Literal, TypeVar

from msgspec import Struct

from .plan import PlanLine

TotalsBy = Literal["day", "week"]
K = TypeVar("K", bound=tuple[Any, ...])
_SAME = 1e-9


class PlanTotal(Struct, frozen=True):
    """The total of a queue and channel over a local day, or over a week from Monday on.

    Attributes:
        queue: its name.
        channel: its channel.
        first: the first day of the period of which there are intervals.
        days: days of which there are intervals.
        offered: contacts.
        offered_closed: those of them outside of business hours, for whom nobody is planned.
        without_plan: intervals without a plan. With any, there are no totals of agents.
        hours: agent hours to schedule; ``None``: unknown.
        peak: the most agents to schedule at the same time; ``None``: unknown.
        peak_at: the first start at which these are needed; ``None``: never.
        scheduled_hours: agent hours scheduled; ``None``: no schedule.
        short_hours: agent hours by which the schedule is short; what is over elsewhere is not set off.
        short_intervals: intervals that are understaffed.
    """

    queue: str
    channel: str
    first: date
    days: int
    offered: float
    offered_closed: float
    without_plan: int
    hours: float | None
    peak: int | None
    peak_at: datetime | None
    scheduled_hours: float | None
    short_hours: float | None
    short_intervals: int | None

    def fte(self, full_time_h: float) -> float | None:
        """Return the full-time equivalents that a week of these hours takes, at ``full_time_h`` hours a week each."""
        return None if self.hours is None else self.hours / full_time_h


class Shortfall(Struct, frozen=True):
    """Consecutive intervals that are understaffed.

    Attributes:
        queue: its name.
        channel: its channel.
        start: of the first.
        end: of the last, exclusive.
        short: the most agents missing at the same time, on the schedule.
        short_hours: agent hours missing.
        worst_at: start of the interval in which most are missing.
    """

    queue: str
    channel: str
    start: datetime
    end: datetime
    short: float
    short_hours: float
    worst_at: datetime


def totals(lines: Iterable[PlanLine], period: TotalsBy, zone: tzinfo | None = None) -> list[PlanTotal]:
    """Return the totals by queue, channel and period, in this order.

    Args:
        lines: a plan.
        period: local days, or weeks that begin on Monday.
        zone: of the days; ``None``: each interval's own offset.
    """

    def key(line: PlanLine) -> tuple[str, str, date]:
        day = _local(line, zone).date()
        first = day - timedelta(days=day.weekday()) if period == "week" else day
        return line.volume.queue, line.volume.channel, first

    return [_total(queue, channel, list(of), zone) for (queue, channel, _), of in _grouped(lines, key)]


def whole(lines: Iterable[PlanLine], zone: tzinfo | None = None) -> list[PlanTotal]:
    """Return one total for each queue and channel."""

    def key(line: PlanLine) -> tuple[str, str]:
        return line.volume.queue, line.volume.channel

    return [_total(queue, channel, list(of), zone) for (queue, channel), of in _grouped(lines, key)]


def gaps(lines: Iterable[PlanLine]) -> list[Shortfall]:
    """Return where too few are scheduled, by queue and channel, then by time."""
    found: list[Shortfall] = []
    run: list[PlanLine] = []
    for line in sorted(
        lines, key=lambda one: (one.volume.queue, one.volume.channel, one.volume.start.timestamp())
    ):
        short = line.gap is not None and line.gap < -_SAME
        if run and not (short and _follows(run[-1], line)):
            found.append(_gap(run))
            run = []
        if short:
            run.append(line)
    return [*found, _gap(run)] if run else found


def _grouped(
    lines: Iterable[PlanLine], key: Callable[[PlanLine], K]
) -> Iterable[tuple[K, Iterable[PlanLine]]]:
    return groupby(sorted(lines, key=lambda line: (key(line), line.volume.start.timestamp())), key=key)


def _total(queue: str, channel: str, lines: Sequence[PlanLine], zone: tzinfo | None) -> PlanTotal:
    days = sorted({_local(line, zone).date() for line in lines})
    holes = sum(line.to_schedule is None for line in lines)
    scheduled = [(line.scheduled, _hours(line)) for line in lines if line.scheduled is not None]
    short = [(-line.gap, _hours(line)) for line in lines if line.gap is not None and line.gap < -_SAME]
    needed = [(line.to_schedule or 0, line) for line in lines]
    peak, at = max(needed, key=lambda one: one[0])
    return PlanTotal(
        queue=queue,
        channel=channel,
        first=days[0],
        days=len(days),
        offered=sum(line.volume.offered for line in lines),
        offered_closed=sum(line.volume.offered for line in lines if not line.open),
        without_plan=holes,
        hours=None if holes else sum(count * _hours(line) for count, line in needed),
        peak=None if holes else peak,
        peak_at=None if holes or not peak else _local(at, zone),
        scheduled_hours=sum(n * h for n, h in scheduled) if scheduled else None,
        short_hours=sum(n * h for n, h in short) if scheduled and not holes else None,
        short_intervals=len(short) if scheduled and not holes else None,
    )


def _gap(lines: Sequence[PlanLine]) -> Shortfall:
    short = [(-(line.gap or 0.0), line) for line in lines]
    most, worst = max(short, key=lambda one: one[0])
    first, last = lines[0].volume, lines[-1].volume
    hours = sum(n * _hours(line) for n, line in short)
    return Shortfall(first.queue, first.channel, first.start, last.end, most, hours, worst.volume.start)


def _follows(before: PlanLine, line: PlanLine) -> bool:
    one, other = before.volume, line.volume
    same = (one.queue, one.channel) == (other.queue, other.channel)
    return same and one.end.timestamp() == other.start.timestamp()


def _local(line: PlanLine, zone: tzinfo | None) -> datetime:
    return line.volume.start if zone is None else line.volume.start.astimezone(zone)


def _hours(line: PlanLine) -> float:
    return line.volume.minutes / 60
