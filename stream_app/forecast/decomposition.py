"""A queue's past → what a week looks like, and how busy each day was beside it; ahead: the same week, at the level to expect.

Offered contacts of day d and slot s are taken as ``level[d] x profile[kind of d][s]`` plus noise: the multiplicative model of
call-centre practice (Brown et al., JASA 100, 2005; Ibrahim et al., Int. J. Forecasting 32, 2016). Given the one, the other is
a ratio of sums, the maximum-likelihood answer for Poisson counts, so missing slots need no filling, and a night of few
contacts is not fitted to its noise. Levels are forecast by exponential smoothing with a damped trend (Hyndman et al.,
2008) from statsforecast.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from .calendar import CLOSED, LEFT_OUT
from .grid import Array, Grid

HALF_LIFE_WEEKS: Final = 12.0
"""A week so long ago counts half in the profile."""
MEAN_DAYS: Final = 56
"""Days whose mean level is the other opinion about the level to come."""
LEAST_SHARE: Final = 0.2
"""A day that promises less than this share of a usual day says too little about the level."""
AROUND_DAYS: Final = 7
"""Days before and after a day that say what is usual."""
JUMP: Final = 0.2  # of the logarithm: 22 %
JUMP_ERRORS: Final = 8.0
SURE: Final = 10.0
"""So many contacts must have been expected where none came, before a time counts as closed."""
_ROUNDS: Final = 6
_LEAST_LEVEL: Final = 1e-3


@dataclass(frozen=True)
class Decomposition:
    """The past before one day.

    Attributes:
        profile: kinds (8) x slots, contacts an interval at level 1; 0: closed for sure; NaN: never seen, so nothing is said.
        levels: by day; days that say nothing have what lies between their neighbours'.
        trend: by day ahead, the level by exponential smoothing.
        mean: the mean level of the last ``MEAN_DAYS``, or of those since it shifted.
    """

    profile: Array
    levels: Array
    trend: Array
    mean: float

    def ahead(self, kinds: Array, pull: float) -> Array:
        """Days x slots of expected contacts.

        Args:
            kinds: of the days ahead, the first is the first after the past.
            pull: 0: the level is that of the smoothing; 1: the mean of the last weeks; between: in between, geometrically.
        """
        log = (1 - pull) * np.log(self.trend[: len(kinds)]) + pull * np.log(self.mean)
        expected = np.exp(log)[:, None] * self.profile[np.maximum(kinds, 0)]
        expected[kinds == LEFT_OUT] = np.nan
        return np.asarray(expected)


class Past:
    """A grid, asked for what was known before a day. Answers are kept: a back-test asks for the same days often."""

    def __init__(self, grid: Grid, ahead: int) -> None:
        """``ahead``: days that levels are forecast for."""
        self.grid = grid
        self._ahead = ahead
        self.before = lru_cache(maxsize=128)(self._before)

    def _before(self, day: int) -> Decomposition:
        """What days 0 … day - 1 say."""
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
    """Where no contact was ever seen: closed (0), or open with few contacts, or never observed (NaN)."""
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
    """Contacts an interval within an hour before or after, the side with fewer, and that carefully: two standard errors less.

    Right beside a gap somebody called, so that a few calls there say little: nights have gaps everywhere.
    """
    hour = max(1, len(seen) // 24)
    rates = []
    for side in (slice(max(0, begin - hour), begin), slice(end, end + hour)):
        if observed := float(seen[side].sum()):
            contacts = float(came[side].sum())
            rates.append(max(0.0, contacts - 2 * contacts**0.5) / observed)
    return min(rates, default=usual)


def _runs(flags: Array) -> list[tuple[int, int]]:
    """Begin and end of every run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    return [(int(begin), int(end)) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def _tame(log_levels: Array) -> Array:
    """A day of more than twice, or less than half, what is usual around it counts as usual: an outage that nobody marked."""
    padded = np.pad(log_levels, AROUND_DAYS, mode="reflect" if len(log_levels) > AROUND_DAYS else "edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND_DAYS + 1), axis=1)
    return np.where(np.abs(log_levels - usual) > np.log(2), usual, log_levels)


def _since_shift(log_levels: Array) -> Array:
    """What is comparable with today: all, or the days since the level jumped.

    A jump splits the days, at least a week on either side, into two means that differ by ``JUMP`` and by ``JUMP_ERRORS``
    standard errors; the split with the largest difference in standard errors counts.
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
    if np.ptp(log_levels) < 1e-9:  # nothing moves, and smoothing would divide by that
        return np.full(ahead, float(np.exp(log_levels[-1])))
    from statsforecast.models import AutoETS  # noqa: PLC0415 - takes seconds to load

    model = AutoETS(season_length=1, model="AZN", damped=True)
    found = np.asarray(model.forecast(log_levels, h=ahead)["mean"], dtype=float)
    seen = log_levels[-MEAN_DAYS:]
    return np.exp(np.clip(found, seen.min() - np.log(1.5), seen.max() + np.log(1.5)))  # no trend runs away
