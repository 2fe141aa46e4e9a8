"""One queue and channel → its forecast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
from msgspec import Struct

from stream_app.errors import StreamAppError

from . import handling, intraday
from .calendar import LEFT_OUT
from .decomposition import Past
from .grid import Array, Grid
from .history import SeriesKey
from .intraday import Today
from .points import ForecastDay, Point
from .spread import LEAST_WEEKS, LEVELS, Spread, estimate, origins

NEEDED_WEEKS: Final = LEAST_WEEKS + 2
"""Four weeks to learn the profile from, two to learn the errors."""
NEEDED_DAYS: Final = 7 * (NEEDED_WEEKS - 1) + 1
"""Consecutive days that span this many weeks."""


class TooLittleError(StreamAppError):
    """The history is too short for a forecast; the message says what is needed and what was found."""


class QueueForecast(Struct, frozen=True):
    """The forecast of one queue and channel; ``estimated`` as in ``handling``."""

    queue: str
    channel: str
    points: list[Point]
    days: list[ForecastDay]
    today: Today | None
    estimated: float | None = None


def needed(grid: Grid, key: SeriesKey) -> None:
    """Refuse a history that is too short.

    Raises:
        TooLittleError: too few weeks with rows that are not left out, or no contact at all.
    """
    if grid.weeks() < NEEDED_WEEKS:
        raise _too_little(grid, key)
    if not np.nansum(grid.offered):
        last = grid.day(grid.days - 1)
        raise TooLittleError(f"{key[0]} {key[1]}: no contact was offered from {grid.first} to {last}")


def more_days(grid: Grid) -> int | None:
    """Return how many more days of rows this history needs for a forecast; ``None``: no contact was ever offered."""
    if not np.nansum(grid.offered):
        return None
    for more in range(7 * NEEDED_WEEKS + 1):
        longer = replace(grid, offered=np.vstack((grid.offered, np.zeros((more, grid.offered.shape[1])))))
        if longer.weeks() >= NEEDED_WEEKS and origins(Past(longer, 7), longer.days, 7):
            return more
    return 7 * NEEDED_WEEKS


def _too_little(grid: Grid, key: SeriesKey) -> TooLittleError:
    there = f"{grid.weeks()} ({grid.first} to {grid.day(grid.days - 1)})"
    return TooLittleError(f"{key[0]} {key[1]}: a forecast needs {NEEDED_WEEKS} weeks of rows, found {there}")


def forecast(grid: Grid, key: SeriesKey, weeks: int) -> QueueForecast:
    """Forecast what follows the last row: the rest of its day, and ``weeks`` weeks.

    Raises:
        TooLittleError: see ``needed``.
    """
    needed(grid, key)
    past = Past(grid, 7 * weeks + 1)
    begin = _begin(past)
    days = 7 * weeks + (begin < grid.days)
    if not origins(past, begin, days):  # six weeks, the last of which has barely begun, or with gaps
        raise _too_little(grid, key)
    spread, found = estimate(past, begin, days)
    kinds = grid.kinds_from(begin, days)
    expected = past.before(begin).ahead(kinds, spread.pull)
    today = None
    if begin < grid.days:
        today = intraday.look(expected[0], grid.offered[begin], found, spread)
        expected[0] *= today.factor
    aht, estimated = handling.profile(grid), handling.estimated(grid)
    points, sums = [], []
    for n in range(days):
        week, of_today = n // 7, today if n == 0 else None
        kind = max(int(kinds[n]), 0)
        said = np.isfinite(expected[n]) | (kinds[n] == LEFT_OUT)
        times = [at for at in _times(grid, begin + n) if said[at[1]]]
        if not times:
            continue
        slots = [slot for _, slot in times]
        level = spread.level[week] * (1 - of_today.weight if of_today else 1)
        own = replace(spread, level=np.full(week + 1, level))
        day = _DayAhead(
            key,
            grid.minutes,
            times,
            own,
            week,
            expected[n, slots],
            aht[kind, slots],
            estimated,
            of_today is not None,
        )
        made = day.points()
        points += made
        sums.append(day.summary(made))
    return QueueForecast(*key, points, sums, today, estimated)


def _begin(past: Past) -> int:
    """Return the first day that is not over: that of the last row, if more contacts are expected on it."""
    grid = past.grid
    last = grid.days - 1
    rest = [slot for _, slot in _times(grid, last)]
    kind = grid.kinds_from(last, 1)
    if (
        rest
        and grid.weeks(last) >= LEAST_WEEKS
        and np.nansum(past.before(last).ahead(kind, 0.0)[0, rest]) > 0
    ):
        return last
    return grid.days


def _times(grid: Grid, day: int) -> Iterator[tuple[datetime, int]]:
    """Yield start and slot of a day's intervals after the last row, for times of week that were ever observed.

    A day that was marked as open or closed, unlike its weekday, has the times of all days.
    """
    date_ = grid.day(day)
    as_usual = grid.calendar.kind(date_) in {LEFT_OUT, date_.weekday()}
    rows = grid.offered[grid.kinds == date_.weekday()] if as_usual else grid.offered
    observed = np.isfinite(rows).any(axis=0)
    for start, slot in grid.calendar.intervals(grid.day(day), grid.minutes):
        if start >= grid.end and observed[slot]:
            yield start.astimezone(grid.calendar.zone), slot


@dataclass(frozen=True)
class _DayAhead:
    """A future day: its intervals as local start and slot, with expected contacts and handle time of each."""

    key: SeriesKey
    minutes: int
    times: list[tuple[datetime, int]]
    spread: Spread
    week: int
    expected: Array
    aht: Array
    estimated: float | None
    today: bool

    def points(self) -> list[Point]:
        """Return one point per interval."""
        variance = self.spread.variance(self.expected, np.full(len(self.expected), self.week))
        (low_80, high_80), (low_95, high_95) = (
            self.spread.bounds(self.expected, variance, percent) for percent in LEVELS
        )
        return [
            Point(
                start=start,
                minutes=self.minutes,
                queue=self.key[0],
                channel=self.key[1],
                offered=_float(self.expected[n], 3),
                low_80=_int(low_80[n]),
                high_80=_int(high_80[n]),
                low_95=_int(low_95[n]),
                high_95=_int(high_95[n]),
                aht_s=_float(self.aht[n] + 0 * self.expected[n], 1),
                today=self.today,
                aht_estimated=None if self.estimated is None else round(self.estimated, 4),
            )
            for n, (start, _) in enumerate(self.times)
        ]

    def summary(self, points: list[Point]) -> ForecastDay:
        """Return the totals of the day."""
        day = self.times[0][0].date()
        known = self.expected[np.isfinite(self.expected)]
        if not len(known):
            return ForecastDay(day, *self.key, None, None, None, None, None, None, self.today)
        total = np.array([known.sum()])
        low, high = self.spread.bounds(total, np.array([self.spread.day_variance(known, self.week)]), 80)
        top = max(points, key=lambda point: point.offered or 0.0)
        timed = [
            (point.offered, point.aht_s) for point in points if point.aht_s is not None and point.offered
        ]
        contacts = sum(offered for offered, _ in timed)
        return ForecastDay(
            day=day,
            queue=self.key[0],
            channel=self.key[1],
            offered=_float(total[0], 1),
            low_80=_int(low[0]),
            high_80=_int(high[0]),
            busiest=top.start if top.offered else None,
            busiest_offered=top.offered or None,
            aht_s=_float(sum(offered * aht for offered, aht in timed) / contacts, 1) if contacts else None,
            today=self.today,
        )


def _float(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def _int(value: float) -> int | None:
    return int(value) if np.isfinite(value) else None
