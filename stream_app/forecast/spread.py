"""How wrong forecasts were on a rolling origin → how wide the prediction intervals are.

Counts around an expected value m, k weeks ahead, vary as ``noise·m + (shape + level[k])·m²``: random arrivals (noise 1 is
Poisson), a profile that fits imperfectly, a day that is busier than expected. Prediction intervals are quantiles of the
negative binomial distribution with this mean and variance: whole numbers, never negative, and never of width 0 while the
queue is open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from .decomposition import Past
from .grid import Array

ORIGINS: Final = 8
LEAST_WEEKS: Final = 4
"""The fewest weeks before an origin."""
PULLS: Final = (0.0, 0.25, 0.5)
LEVELS: Final = (80, 95)
"""Per cent of the prediction intervals."""
_NORMAL: Final = {80: 1.2815515655446004, 95: 1.959963984540054}
_ENOUGH: Final = 200
"""Observations needed for a correction of the width."""


@dataclass(frozen=True)
class Misses:
    """Forecast and actual on a rolling origin: days x slots, days of all origins one after the other.

    Attributes:
        expected: NaN where nothing was forecast or nothing is known.
        offered: the same.
        week: by day, its horizon: 0 is the first week after the origin.
        origin: by day, the day as of which it was forecast.
    """

    expected: Array
    offered: Array
    week: Array
    origin: Array


@dataclass(frozen=True)
class Spread:
    """The spread of counts around the forecast; see the module.

    Attributes:
        pull: how far levels are drawn towards the mean of the last weeks: the value with the smallest error.
        noise: of counts, 1 is Poisson.
        shape: squared relative error of the profile.
        level: by horizon in weeks, squared relative error of a day's level.
        width: by ``LEVELS``, the factor by which past intervals would have had to be wider to reach their nominal coverage.
    """

    pull: float
    noise: float
    shape: float
    level: Array
    width: dict[int, float]

    def variance(self, expected: Array, week: Array) -> Array:
        """Return the variance of the count in one slot."""
        return np.asarray(self.noise * expected + (self.shape + self.level[week]) * expected**2)

    def day_variance(self, expected: Array, week: int) -> float:
        """Return the variance of a day's sum: noise and shape are each slot's own, the level is the day's."""
        return float(
            self.noise * expected.sum()
            + self.shape * (expected**2).sum()
            + self.level[week] * expected.sum() ** 2
        )

    def bounds(self, expected: Array, variance: Array, percent: int) -> tuple[Array, Array]:
        """Return low and high, whole contacts, both within the interval."""
        tail = (1 - percent / 100) / 2
        spread = variance * self.width[percent] ** 2
        low, high = (_quantile(q, expected, spread) for q in (tail, 1 - tail))
        return low, np.where(expected > 0, np.maximum(high, 1.0), high)


def _quantile(q: float, mean: Array, variance: Array) -> Array:
    from scipy.stats import nbinom, poisson  # noqa: PLC0415 - takes a second to load

    safe = np.where(mean > 0, mean, 1.0)
    extra = np.where(mean > 0, variance, 0.0) - safe
    wide = extra > 1e-6 * safe
    size = safe**2 / np.where(wide, extra, 1.0)
    found = np.where(wide, nbinom.ppf(q, size, size / (size + safe)), poisson.ppf(q, safe))
    return np.asarray(np.where(mean > 0, found, np.where(np.isnan(mean), np.nan, 0.0)))


def origins(past: Past, day: int, ahead: int) -> list[int]:
    """Return the days as of which a forecast can be made and compared: each a week earlier, newest first."""
    starts = [day - 7 * k for k in range(1, ORIGINS + max(1, ahead // 7))]
    return [start for start in starts if start >= 7 * LEAST_WEEKS and past.grid.weeks(start) >= LEAST_WEEKS]


def misses(past: Past, day: int, ahead: int, pull: float) -> Misses:
    """Return forecasts made before ``day`` and the actuals before ``day``."""
    expected, offered, weeks, starts = [], [], [], []
    for start in origins(past, day, ahead):
        days = min(ahead, day - start)
        kinds = past.grid.kinds_from(start, days)
        expected.append(past.before(start).ahead(kinds, pull))
        offered.append(past.grid.offered[start : start + days])
        weeks.append(np.arange(days) // 7)
        starts.append(np.full(days, start))
    return Misses(*(np.concatenate(parts) for parts in (expected, offered, weeks, starts)))


def estimate(past: Past, day: int, ahead: int) -> tuple[Spread, Misses]:
    """Choose the pull, and measure the spread, from what was known before ``day``."""
    tried = [(pull, misses(past, day, ahead, pull)) for pull in PULLS]
    pull, best = min(tried, key=lambda one: float(np.nansum(np.abs(one[1].expected - one[1].offered))))
    return _measure(pull, best, -(-ahead // 7)), best


def _measure(pull: float, found: Misses, weeks: int) -> Spread:
    known = np.isfinite(found.expected) & np.isfinite(found.offered) & (found.expected > 0)
    expected, offered = np.where(known, found.expected, 0.0), np.where(known, found.offered, 0.0)
    promised, came = expected.sum(1), offered.sum(1)
    told = promised > 0
    scale = np.divide(came, promised, out=np.ones_like(came), where=told)
    noise, shape = _within_days(expected * scale[:, None], offered, known & (came > 0)[:, None])
    own = noise * promised + shape * (expected**2).sum(1)  # variance of the day's sum, without its level
    level = np.zeros(weeks)
    for week in range(weeks):
        of = told & (found.week == week)
        if of.any():
            # A ratio of sums: quiet days, whose squares are mostly noise, weigh little.
            level[week] = max(
                0.0, float(((came - promised) ** 2 - own)[of].sum() / (promised[of] ** 2).sum())
            )
        elif week:
            level[week] = level[week - 1] * (week + 1) / week  # as for a random walk of the level
    level = np.maximum.accumulate(level)
    spread = Spread(pull, noise, shape, level, dict.fromkeys(LEVELS, 1.0))
    spread = replace(spread, width=_widths(spread, found, known))
    # Days after one origin share its error, so it is origins that count: the variance of the next value, estimated from n.
    n = np.array([max(2, len(set(found.origin[found.week == week]))) for week in range(weeks)])
    return replace(spread, level=np.maximum.accumulate(level * (n + 1) / (n - 1)))


def _within_days(expected: Array, offered: Array, known: Array) -> tuple[float, float]:
    """Estimate noise and shape from days scaled to their own sum: ``squared error / m = noise + shape·m``, weighted."""
    m, y = expected[known], offered[known]
    if len(m) < 10:
        return 1.0, 0.0
    loss = (y - m) ** 2 / m
    noise, shape = max(1.0, float(np.mean(loss))), 0.0
    for _ in range(10):
        weight = 1 / (noise + shape * m) ** 2
        a, b, c = weight.sum(), (weight * m).sum(), (weight * m * m).sum()
        u, v = (weight * loss).sum(), (weight * m * loss).sum()
        determinant = a * c - b * b
        shape = max(0.0, float((a * v - b * u) / determinant)) if determinant > 1e-9 * a * c else 0.0
        noise = max(0.5, float((u - shape * b) / a))
    return noise, shape


def _widths(spread: Spread, found: Misses, known: Array) -> dict[int, float]:
    """Measure, where counts are large enough, how many standard deviations really cover 80 and 95 %."""
    week = np.broadcast_to(found.week[:, None], known.shape)[known]
    m, y = found.expected[known], found.offered[known]
    large = m >= 5
    if large.sum() < _ENOUGH:
        return dict.fromkeys(LEVELS, 1.0)
    away = np.abs(y - m)[large] / np.sqrt(spread.variance(m, week)[large])
    return {
        percent: float(np.clip(np.quantile(away, percent / 100) / _NORMAL[percent], 0.7, 1.5))
        for percent in LEVELS
    }
