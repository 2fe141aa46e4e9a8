"""How good a forecast would have been: made again as of a week ago, two weeks ago, …, from what was known then.

The baseline is seasonal-naive: each interval is what the same interval was a week before, on a day of the same kind, the
last that was observed before the origin. Errors are the weighted absolute percentage error, ``Σ |offered - forecast| / Σ
offered`` (Kolassa and Schütz, Foresight 6, 2007): a plain percentage error would be dominated by the quietest night.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec import Struct

from .ahead import NEEDED_WEEKS, TooLittleError
from .calendar import CLOSED
from .decomposition import Past
from .grid import Array, Grid
from .history import SeriesKey
from .spread import LEVELS, estimate, origins

ORIGINS: Final = 8


class Horizon(Struct, frozen=True):
    """The errors of one week ahead.

    Attributes:
        queue: and ``channel``: the series.
        week: 1 is the first after the origin; ``None``: all of them.
        origins: the number of forecasts compared.
        intervals: the number of intervals compared.
        offered: contacts offered in these.
        wape: of the forecast; ``None``: no contact was offered.
        naive_wape: of the baseline.
        ratio: wape over the baseline's: below 1 is better.
        held_80: share of intervals that ended within the 80 % prediction interval, closed times not counted.
        held_95: the same for 95 %.
    """

    queue: str
    channel: str
    week: int | None
    origins: int
    intervals: int
    offered: float
    wape: float | None
    naive_wape: float | None
    ratio: float | None
    held_80: float | None
    held_95: float | None


class _Tally:
    """Sums over origins."""

    def __init__(self) -> None:
        self.origins = self.intervals = self.open = 0
        self.offered = self.missed = self.naive_missed = 0.0
        self.held = dict.fromkeys(LEVELS, 0)

    def add(self, other: _Tally) -> None:
        self.origins = max(self.origins, other.origins)
        self.intervals += other.intervals
        self.open += other.open
        self.offered += other.offered
        self.missed += other.missed
        self.naive_missed += other.naive_missed
        self.held = {percent: n + other.held[percent] for percent, n in self.held.items()}

    def horizon(self, key: SeriesKey, week: int | None) -> Horizon:
        held = {percent: n / self.open if self.open else None for percent, n in self.held.items()}
        return Horizon(
            *key,
            week=week,
            origins=self.origins,
            intervals=self.intervals,
            offered=self.offered,
            wape=self.missed / self.offered if self.offered else None,
            naive_wape=self.naive_missed / self.offered if self.offered else None,
            ratio=self.missed / self.naive_missed if self.naive_missed else None,
            held_80=held[80],
            held_95=held[95],
        )


def backtest(grid: Grid, key: SeriesKey, weeks: int) -> list[Horizon]:
    """Compare on a rolling origin: one line per week ahead, and one for all.

    Args:
        grid: the history.
        key: queue and channel.
        weeks: how far ahead.

    Raises:
        TooLittleError: no origin has enough history before it and a week after it.
    """
    past = Past(grid, 7 * weeks)
    enough = (
        day for day in _starts(grid) if grid.weeks(day) >= NEEDED_WEEKS and origins(past, day, 7 * weeks)
    )
    starts = list(enough)[:ORIGINS]
    if not starts:
        raise TooLittleError(
            f"{key[0]} {key[1]}: a back-test needs {NEEDED_WEEKS + 1} weeks of rows, found {grid.weeks()}"
        )
    tallies = [_Tally() for _ in range(weeks)]
    for start in starts:
        for week, tally in zip(_compare(past, start, weeks), tallies, strict=False):
            tally.add(week)
            tally.origins += 1
    total = _Tally()
    for tally in tallies:
        total.add(tally)
    lines = [tally.horizon(key, n) for n, tally in enumerate(tallies, 1) if tally.intervals]
    return [*lines, total.horizon(key, None)]


def _starts(grid: Grid) -> Iterator[int]:
    """Yield origins, newest first, each with a whole week after it."""
    yield from range(grid.days - 7, 0, -7)


def _compare(past: Past, start: int, weeks: int) -> Iterator[_Tally]:
    grid = past.grid
    days = min(7 * weeks, grid.days - start)
    spread, _ = estimate(past, start, 7 * weeks)
    kinds = grid.kinds_from(start, days)
    expected = past.before(start).ahead(kinds, spread.pull)
    naive = seasonal_naive(grid, start)[np.maximum(kinds, 0)]
    offered = grid.offered[start : start + days]
    week = np.broadcast_to((np.arange(days) // 7)[:, None], expected.shape)
    variance = spread.variance(expected, week)
    bounds = {percent: spread.bounds(expected, variance, percent) for percent in LEVELS}
    both = np.isfinite(expected) & np.isfinite(naive) & np.isfinite(offered)
    for n in range(days // 7):
        of = both & (week == n)
        is_open = of & (expected > 0)
        tally = _Tally()
        tally.intervals, tally.open = int(of.sum()), int(is_open.sum())
        tally.offered = float(offered[of].sum())
        tally.missed = float(np.abs(offered - expected)[of].sum())
        tally.naive_missed = float(np.abs(offered - naive)[of].sum())
        for percent, (low, high) in bounds.items():
            tally.held[percent] = int(((offered >= low) & (offered <= high))[is_open].sum())
        yield tally


def seasonal_naive(grid: Grid, day: int) -> Array:
    """Return the last observation before a day, kinds (8) x slots; NaN: never observed."""
    last = np.full((CLOSED + 1, grid.offered.shape[1]), np.nan)
    for kind, counts in zip(grid.kinds[:day], grid.offered[:day], strict=True):
        if kind >= 0:
            last[kind] = np.where(np.isfinite(counts), counts, last[kind])
    last[CLOSED] = 0.0
    return last
