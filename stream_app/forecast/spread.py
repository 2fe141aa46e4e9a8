"""How wrong the forecast was on a rolling origin → how wide its intervals are.

Counts around an expected value m, k weeks ahead, vary as ``noise·m + (shape + level[k])·m²``: contacts that come at random
(noise 1 is Poisson), a profile that fits imperfectly, a day that is busier than thought. Intervals are quantiles of the
negative binomial distribution with this mean and variance: whole numbers, never negative, and never of width 0 where
somebody may call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from .decomposition import Past
from .grid import Array

ORIGINS: Final = 8
LEAST_WEEKS: Final = 4
"""An origin has at least so many weeks before it."""
PULLS: Final = (0.0, 0.25, 0.5)
LEVELS: Final = (80, 95)
"""Per cent of the intervals."""
_NORMAL: Final = {80: 1.2815515655446004, 95: 1.959963984540054}
_ENOUGH: Final = 200
"""Observations that a correction of the width needs."""


@dataclass(frozen=True)
class Misses:
    """Forecast beside truth on a rolling origin: days x slots, days of all origins one after the other.

    Attributes:
        expected: NaN where nothing was said or nothing is known.
        offered: the same.
        week: by day, its horizon: 0 is the first week after the origin.
        origin: by day, the day before which it was forecast.
    """

    expected: Array
    offered: Array
    week: Array
    origin: Array


@dataclass(frozen=True)
class Spread:
    """See the module.

    Attributes:
        pull: how far levels are drawn towards the mean of the last weeks: what missed least.
        noise: of counts, 1 is Poisson.
        shape: squared relative error of the profile.
        level: by horizon in weeks, squared relative error of a day's level.
        width: by ``LEVELS``, what past intervals had to be wider by to hold what they promise.
    """

    pull: float
    noise: float
    shape: float
    level: Array
    width: dict[int, float]

    def variance(self, expected: Array, week: Array) -> Array:
        """Of the count in one slot."""
        return np.asarray(self.noise * expected + (self.shape + self.level[week]) * expected**2)

    def day_variance(self, expected: Array, week: int) -> float:
        """Of the sum over a day's slots: noise and shape are each slot's own, the level is the day's."""
        return float(
            self.noise * expected.sum()
            + self.shape * (expected**2).sum()
            + self.level[week] * expected.sum() ** 2
        )

    def bounds(self, expected: Array, variance: Array, percent: int) -> tuple[Array, Array]:
        """Low and high, whole contacts, both within the interval."""
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
    """Days before which a forecast can be made and compared: each a week earlier, newest first."""
    starts = [day - 7 * k for k in range(1, ORIGINS + max(1, ahead // 7))]
    return [start for start in starts if start >= 7 * LEAST_WEEKS and past.grid.weeks(start) >= LEAST_WEEKS]


def misses(past: Past, day: int, ahead: int, pull: float) -> Misses:
    """What forecasts made before ``day`` said, beside what came before ``day``."""
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
    """Choose the pull, and measure the spread, by what was known before ``day``."""
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
    own = noise * promised + shape * (expected**2).sum(1)  # of the day's sum, without its level
    level = np.zeros(weeks)
    for week in range(weeks):
        of = told & (found.week == week)
        if of.any():
            # A ratio of sums: quiet days, whose squares are mostly noise, weigh little.
            level[week] = max(
                0.0, float(((came - promised) ** 2 - own)[of].sum() / (promised[of] ** 2).sum())
            )
        elif week:
            level[week] = level[week - 1] * (week + 1) / week  # a level that wanders
    level = np.maximum.accumulate(level)
    spread = Spread(pull, noise, shape, level, dict.fromkeys(LEVELS, 1.0))
    spread = replace(spread, width=_widths(spread, found, known))
    # Days after one origin share its luck, so it is origins that count: the variance of what comes next, known from n of them.
    n = np.array([max(2, len(set(found.origin[found.week == week]))) for week in range(weeks)])
    return replace(spread, level=np.maximum.accumulate(level * (n + 1) / (n - 1)))


def _within_days(expected: Array, offered: Array, known: Array) -> tuple[float, float]:
    """Noise and shape from days scaled to their own sum: ``squared error / m = noise + shape·m``, by weighted least squares."""
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
    """Where counts are large enough to have a scale: how many standard deviations really hold 80 and 95 %."""
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
