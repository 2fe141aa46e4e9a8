"""A queue's history → the profile of its week and the level of each day; ahead: the same profile at the expected level.

Offered contacts of day d and slot s are modelled as ``level[d] x profile[kind of d][s]`` plus noise: the multiplicative model
of call-centre practice (Brown et al., JASA 100, 2005; Ibrahim et al., Int. J. Forecasting 32, 2016). Given one, the other is a
ratio of sums, the maximum-likelihood estimate for Poisson counts, so missing slots need no imputation, and a night of few
contacts is not fitted to its noise. Levels are forecast by exponential smoothing with a damped trend (Hyndman et al., 2008)
from statsforecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from .calendar import CLOSED, LEFT_OUT
from .grid import Array, Grid

HALF_LIFE_WEEKS: Final = 12.0
"""The age at which a week counts half in the profile."""
MEAN_DAYS: Final = 56
"""Days whose mean level is the alternative estimate of the level ahead."""
LEAST_SHARE: Final = 0.2
"""A day with less than this share of a usual day's expected contacts is no evidence of the level."""
AROUND_DAYS: Final = 7
"""Days before and after a day that define what is usual."""
JUMP: Final = 0.2  # of the logarithm: 22 %
JUMP_ERRORS: Final = 8.0
SURE: Final = 10.0
"""The expected contacts that must be absent before a time counts as closed."""
_ROUNDS: Final = 6
_LEAST_LEVEL: Final = 1e-3


@dataclass(frozen=True)
class Decomposition:
    """The model of the history before one day.

    Attributes:
        profile: kinds (8) x slots, contacts per interval at level 1; 0: surely closed; NaN: never seen, hence not forecast.
        levels: by day; days without evidence are interpolated.
        trend: by day ahead, the level by exponential smoothing.
        mean: the mean level of the last ``MEAN_DAYS``, or since it last shifted.
    """

    profile: Array
    levels: Array
    trend: Array
    mean: float

    def ahead(self, kinds: Array, pull: float) -> Array:
        """Return expected contacts, days x slots.

        Args:
            kinds: of the days ahead, the first is the first after the past.
            pull: 0: the level is the smoothed one; 1: the mean of the last weeks; otherwise their weighted geometric mean.
        """
        log = (1 - pull) * np.log(self.trend[: len(kinds)]) + pull * np.log(self.mean)
        expected = np.exp(log)[:, None] * self.profile[np.maximum(kinds, 0)]
        expected[kinds == LEFT_OUT] = np.nan
        return np.asarray(expected)


class Past:
    """A grid, queried for what was known before a day. Results are cached: a back-test queries the same days often."""

    def __init__(self, grid: Grid, ahead: int) -> None:
        """Take the grid; ``ahead`` is the number of days that levels are forecast for."""
        self.grid = grid
        self._ahead = ahead
        self.before = lru_cache(maxsize=128)(self._before)

    def _before(self, day: int) -> Decomposition:
        """Fit the model to days 0 … day - 1."""
        offered, kinds = self.grid.offered[:day], self.grid.kinds[:day]
        weights = 0.5 ** ((day - 1 - np.arange(day)) / 7 / HALF_LIFE_WEEKS)
        profile, levels = _alternate(offered, kinds, weights)
        log = _tame(np.log(np.maximum(levels, _LEAST_LEVEL)))
        return Decomposition(
            profile=_fill(profile, offered, kinds),
            levels=levels,
            trend=_trend(log, self._ahead),
            mean=float(np.exp(_since_shift(log[-MEAN_DAYS:]).mean())),
        )


def _alternate(offered: Array, kinds: Array, weights: Array) -> tuple[Array, Array]:
    seen = np.isfinite(offered)
    counts = np.where(seen, offered, 0.0)
    levels = np.ones(len(offered))
    profile = np.zeros((CLOSED + 1, offered.shape[1]))
    for _ in range(_ROUNDS):
        for kind in range(CLOSED):
            of = kinds == kind
            exposure = (weights[of] * levels[of])[:, None] * seen[of]
            profile[kind] = _ratio((weights[of, None] * counts[of]).sum(0), exposure.sum(0))
        promised = (profile[np.maximum(kinds, 0)] * seen).sum(1)
        if not (promised > 0).any():
            break
        told = promised > LEAST_SHARE * np.median(promised[promised > 0])
        levels = np.interp(
            np.arange(len(levels)), np.flatnonzero(told), _ratio(counts.sum(1), promised)[told]
        )
        levels = levels / max(float(np.average(levels, weights=weights)), _LEAST_LEVEL)
    return profile, levels


def _ratio(sums: Array, of: Array) -> Array:
    return np.divide(sums, of, out=np.zeros_like(sums), where=of > 0)


def _fill(profile: Array, offered: Array, kinds: Array) -> Array:
    """Fill slots without any contact: closed (0), or open with few contacts, or never observed (NaN)."""
    filled = profile.copy()
    open_ = profile[:CLOSED][profile[:CLOSED] > 0]
    usual = float(open_.mean()) if len(open_) else 0.0
    for kind in range(CLOSED):
        of = offered[kinds == kind]
        seen, came = np.isfinite(of).sum(0), np.nansum(of, axis=0)
        for begin, end in _runs(profile[kind] == 0):
            watched = float(seen[begin:end].sum())
            if watched * _beside(seen, came, begin, end, usual) < SURE:
                filled[kind, begin:end] = 0.5 / (watched + 1)
        filled[kind, seen == 0] = np.nan
    filled[CLOSED] = 0.0
    return filled


def _beside(seen: Array, came: Array, begin: int, end: int, usual: float) -> float:
    """Return contacts per interval in the adjacent hour with fewer of them, less two standard errors.

    Gaps are adjacent to calls by definition, so a few calls there are weak evidence: nights have gaps everywhere.
    """
    hour = max(1, len(seen) // 24)
    rates = []
    for side in (slice(max(0, begin - hour), begin), slice(end, end + hour)):
        if observed := float(seen[side].sum()):
            contacts = float(came[side].sum())
            rates.append(max(0.0, contacts - 2 * contacts**0.5) / observed)
    return min(rates, default=usual)


def _runs(flags: Array) -> list[tuple[int, int]]:
    """Return begin and end of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _tame(log_levels: Array) -> Array:
    """Replace days above twice, or below half, the level around them by that level: probably an unmarked outage."""
    padded = np.pad(log_levels, AROUND_DAYS, mode="reflect" if len(log_levels) > AROUND_DAYS else "edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND_DAYS + 1), axis=1)
    return np.where(np.abs(log_levels - usual) > np.log(2), usual, log_levels)


def _since_shift(log_levels: Array) -> Array:
    """Return the levels comparable with today: all, or those since the level jumped.

    A jump splits the days, at least a week on either side, into two means that differ by ``JUMP`` and by ``JUMP_ERRORS``
    standard errors; the split with the largest difference in standard errors is used.
    """
    best, since = JUMP_ERRORS, 0
    for split in range(7, len(log_levels) - 6):
        old, new = log_levels[:split], log_levels[split:]
        step = abs(float(new.mean() - old.mean()))
        within = float(np.sqrt(((old - old.mean()) ** 2).sum() + ((new - new.mean()) ** 2).sum())) / np.sqrt(
            len(log_levels) - 2
        )
        errors = step / max(within * np.sqrt(1 / len(old) + 1 / len(new)), 1e-9)
        if step > JUMP and errors > best:
            best, since = errors, split
    return log_levels[since:]


def _trend(log_levels: Array, ahead: int) -> Array:
    if np.ptp(log_levels) < 1e-9:  # constant: smoothing would divide by zero
        return np.full(ahead, float(np.exp(log_levels[-1])))
    from statsforecast.models import AutoETS  # noqa: PLC0415 - takes seconds to load

    model = AutoETS(season_length=1, model="AZN", damped=True)
    found = np.asarray(model.forecast(log_levels, h=ahead)["mean"], dtype=float)
    seen = log_levels[-MEAN_DAYS:]
    return np.exp(np.clip(found, seen.min() - np.log(1.5), seen.max() + np.log(1.5)))  # bounds the trend
