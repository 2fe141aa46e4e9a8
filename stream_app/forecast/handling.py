"""Average handle time by time of week."""

from __future__ import annotations

from typing import Final

import numpy as np

from .calendar import CLOSED
from .grid import Array, Grid

WEEKS: Final = 12
ENOUGH: Final = 30
"""Handled contacts needed for a mean; with fewer, more distant times are included."""
_CUT: Final = 0.05


def profile(grid: Grid) -> Array:
    """Return the average handle time of the last weeks, kinds (8) x slots, seconds; NaN: nothing handled, or no times recorded.

    The mean over handled contacts within an hour on either side on days of this kind; where these are fewer than
    ``ENOUGH``, on all days; otherwise at all times. Robust: an interval's average is clipped to the 5 % and 95 % quantiles
    over contacts. So a telephone left off the hook does not count as normal.
    """
    recent = max(0, grid.days - 7 * WEEKS)
    handled = np.nan_to_num(grid.handled[recent:])
    seconds = np.where(handled > 0, np.nan_to_num(grid.handle_s[recent:]), 0.0)
    result = np.full((CLOSED + 1, handled.shape[1]), np.nan)
    if not handled.any():
        return result
    average = np.divide(seconds, handled, out=np.zeros_like(seconds), where=handled > 0)
    low, high = _cuts(average[handled > 0], handled[handled > 0])
    seconds = handled * np.clip(average, low, high)
    kinds = grid.kinds[recent:]
    every_n, every_s = _around(handled.sum(0)), _around(seconds.sum(0))
    for kind in range(CLOSED + 1):
        n, s = _around(handled[kinds == kind].sum(0)), _around(seconds[kinds == kind].sum(0))
        for more_n, more_s in ((every_n, every_s), (handled.sum(), seconds.sum())):
            few = n < ENOUGH
            n, s = np.where(few, more_n, n), np.where(few, more_s, s)
        result[kind] = s / n
    return result


def estimated(grid: Grid) -> float | None:
    """Return the share of the handle time of the last weeks that was estimated from replies; ``None``: not recorded."""
    recent = max(0, grid.days - 7 * WEEKS)
    seconds, part = grid.handle_s[recent:], grid.estimated_s[recent:]
    known = np.isfinite(seconds) & np.isfinite(part)
    total = float(seconds[known].sum())
    return min(1.0, float(part[known].sum()) / total) if total > 0 else None


def _cuts(values: Array, weights: Array) -> tuple[float, float]:
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    low, high = (int(np.searchsorted(share, q)) for q in (_CUT, 1 - _CUT))
    return float(values[order][low]), float(values[order][min(high, len(order) - 1)])


def _around(sums: Array) -> Array:
    """Return sums over an hour before and an hour after each slot, within the day."""
    reach = len(sums) // 24
    padded = np.concatenate((np.zeros(reach), sums, np.zeros(reach)))
    return np.convolve(padded, np.ones(2 * reach + 1), mode="valid")
