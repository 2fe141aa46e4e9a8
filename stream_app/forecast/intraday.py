"""Reforecast of today: the contacts so far correct the expectation for the rest of the day.

If a day has brought ``g`` times what was expected of it so far, the rest is expected to bring ``1 + w·(g - 1)`` times what was
expected before. The weight w is the one with the smallest error on the days of the rolling origin at the same time of day:
least squares of the rest's ratio on the ratio so far, clipped to 0 … 1. With too few such days it is the credibility weight
(Bühlmann 1967): the level's variance over that of the ratio.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from msgspec import Struct

from .grid import Array
from .spread import Misses, Spread

DAYS: Final = 10


class Today(Struct, frozen=True):
    """The state of a day under way.

    Attributes:
        offered: contacts so far, in slots that were forecast and observed.
        expected: the forecast for the same slots, as of before the day.
        weight: w, 0 … 1.
        factor: the correction for the rest of the day.
    """

    offered: float
    expected: float
    weight: float
    factor: float


def look(expected: Array, offered: Array, found: Misses, spread: Spread) -> Today:
    """Compare the beginning of a day with its forecast.

    Args:
        expected: by slot, as of before the day.
        offered: by slot; NaN: missing, or still to come.
        found: the rolling origin before the day.
        spread: measured on it.
    """
    known = np.isfinite(expected) & np.isfinite(offered)
    came, thought = float(offered[known].sum()), float(expected[known].sum())
    if thought <= 0:
        return Today(came, thought, 0.0, 1.0)
    cut = int(np.flatnonzero(known)[-1]) + 1
    weight = _learned(found, cut)
    if weight is None:
        noise = (spread.noise * thought + spread.shape * float((expected[known] ** 2).sum())) / thought**2
        weight = float(spread.level[0]) / (float(spread.level[0]) + noise)
    return Today(came, thought, weight, 1 + weight * (came / thought - 1))


def _learned(found: Misses, cut: int) -> float | None:
    """Return the weight with the smallest error, or ``None`` if there are too few days."""
    near = found.week == 0
    expected, offered = found.expected[near], found.offered[near]
    known = np.isfinite(expected) & np.isfinite(offered)
    expected, offered = np.where(known, expected, 0.0), np.where(known, offered, 0.0)
    thought, rest = expected[:, :cut].sum(1), expected[:, cut:].sum(1)
    told = (thought >= 1) & (rest >= 1)
    if told.sum() < DAYS:
        return None
    x = offered[:, :cut].sum(1)[told] / thought[told] - 1
    y = offered[:, cut:].sum(1)[told] / rest[told] - 1
    size = rest[told] * thought[told]  # ratios of more contacts are more certain
    square = float((size * x * x).sum())
    return float(np.clip((size * x * y).sum() / square, 0, 1)) if square > 0 else None
