"""Rows of one queue and channel → days x slots; what is missing stays missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

import numpy as np

from stream_app.errors import BadSettingsError

from .calendar import DAY, LEFT_OUT, SpecialDays
from .history import HistoryRow

Array: TypeAlias = np.ndarray


@dataclass(frozen=True)
class Grid:
    """The history of one queue and channel.

    Attributes:
        first: local date of day 0.
        minutes: length of a slot.
        calendar: zone and marked days.
        offered: days x slots, contacts per interval; NaN: missing or left out. A slot that happened twice has the mean of both.
        handled: the same, contacts.
        handle_s: the same, seconds.
        estimated_s: the part of these that was estimated from replies; NaN: not recorded.
        kinds: by day, 0 … 6, ``CLOSED`` or ``LEFT_OUT``.
        end: UTC, end of the last row.
    """

    first: date
    minutes: int
    calendar: SpecialDays
    offered: Array
    handled: Array
    handle_s: Array
    estimated_s: Array
    kinds: Array
    end: datetime

    @property
    def days(self) -> int:
        """The number of local days, first and last included."""
        return len(self.offered)

    def day(self, n: int) -> date:
        """Return the date of day ``n``, also of a future one."""
        return self.first + timedelta(days=n)

    def kinds_from(self, n: int, days: int) -> Array:
        """Return the kinds of ``days`` days from day ``n``, also of future ones."""
        return np.array([self.calendar.kind(self.day(n + k)) for k in range(days)], dtype=int)

    def recent(self, days: int) -> list[tuple[datetime, float | None]]:
        """Return start and contacts of the intervals of the last days, up to the last row; ``None``: missing."""
        found = []
        for n in range(max(0, self.days - days), self.days):
            for start, slot in self.calendar.intervals(self.day(n), self.minutes):
                if start < self.end:
                    offered = float(self.offered[n, slot])
                    found.append((start, offered if np.isfinite(offered) else None))
        return found

    def weeks(self, days: int | None = None) -> int:
        """Return the weeks (Monday to Sunday) with observations before day ``days``; never more than fit into the days."""
        seen = np.flatnonzero(np.isfinite(self.offered[:days]).any(axis=1))
        if not len(seen):
            return 0
        fit = -(-int(seen[-1] - seen[0] + 1) // 7)
        return min(fit, len({(n + self.first.weekday()) // 7 for n in seen}))


def build(rows: Sequence[HistoryRow], minutes: int, calendar: SpecialDays) -> Grid:
    """Arrange rows by local time.

    Rows shorter than a slot are added up; a slot of which a part is missing is missing.

    Args:
        rows: of one queue and channel, in chronological order, at least one.
        minutes: 15 or 30.
        calendar: zone and marked days.

    Raises:
        BadSettingsError: rows are longer than the interval, or straddle two by the local clock.
    """
    first = calendar.place(rows[0].start, minutes)[0]
    days = (calendar.place(rows[-1].start, minutes)[0] - first).days + 1
    slots = DAY // minutes
    sums = {name: np.zeros((days, slots)) for name in ("offered", "handled", "handle_s", "estimated_s")}
    covered, with_times, with_estimates = (np.zeros((days, slots)) for _ in range(3))
    for row in rows:
        _check(row, minutes, calendar)
        day, slot = calendar.place(row.start, minutes)
        at = (day - first).days, slot
        if calendar.is_left_out(row.start):
            continue
        covered[at] += row.minutes
        sums["offered"][at] += row.offered
        if row.handled is not None and row.handle_s is not None:
            with_times[at] += row.minutes
            sums["handled"][at] += row.handled
            sums["handle_s"][at] += row.handle_s
        if row.estimated_s is not None:
            with_estimates[at] += row.minutes
            sums["estimated_s"][at] += row.estimated_s
    kinds = np.array([calendar.kind(first + timedelta(days=n)) for n in range(days)], dtype=int)
    covered[kinds == LEFT_OUT] = with_times[kinds == LEFT_OUT] = 0
    last = rows[-1]
    return Grid(
        first=first,
        minutes=minutes,
        calendar=calendar,
        offered=_whole(sums["offered"], covered, minutes),
        handled=_whole(sums["handled"], with_times, minutes),
        handle_s=_whole(sums["handle_s"], with_times, minutes),
        estimated_s=_whole(sums["estimated_s"], with_estimates, minutes),
        kinds=kinds,
        end=last.start + timedelta(minutes=last.minutes),
    )


def _check(row: HistoryRow, minutes: int, calendar: SpecialDays) -> None:
    if minutes % row.minutes:
        raise BadSettingsError(
            f"--interval: rows of {row.minutes} minutes don't fit into intervals of {minutes}"
        )
    local = row.start.astimezone(calendar.zone)
    if local.minute % row.minutes:
        raise BadSettingsError(
            f"--tz: in {calendar.zone.key} the row of {row.start:%Y-%m-%dT%H:%MZ} begins at {local:%H:%M}, "
            f"which is not a multiple of {row.minutes} minutes"
        )


def _whole(sums: Array, covered: Array, minutes: int) -> Array:
    """Return sums per interval. Twice the minutes: the hour that clocks repeat. A part of an interval: missing."""
    times = covered // minutes
    complete = (covered > 0) & (covered % minutes == 0)
    return np.where(complete, sums / np.maximum(times, 1), np.nan)
