"""Percentiles that add up: exponential buckets of base 2 with scale 4.

The layout is that of OpenTelemetry's exponential histograms and of Prometheus' native ones (schema 4), so that the counts of
any windows, queues and partitions add up exactly. Bucket ``i`` holds durations ``d`` in milliseconds with
``2**((i-1)/16) < d <= 2**(i/16)``; the geometric middle is at most ``RELATIVE_ERROR`` away from any value in it.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import partial
from math import ceil
from typing import Final

SCALE: Final = 16
BUCKETS: Final = 512
"""Bucket 511 ends at 2**(511/16) ms, about 47 days; longer durations fall into it too."""
RELATIVE_ERROR: Final = 2 ** (1 / (2 * SCALE)) - 1

_BOUNDS: Final = [int(2 ** (i / SCALE)) for i in range(BUCKETS - 1)]
"""The longest whole duration of each bucket."""

bucket: Final[Callable[[int], int]] = partial(bisect_left, _BOUNDS)
"""The bucket of a duration in milliseconds, 0…511. Not a function, because it is called for every duration."""


def estimate(index: int) -> float:
    """Return the geometric middle of a bucket, in milliseconds."""
    return float(2 ** ((2 * index - 1) / (2 * SCALE)))


def quantile(q: float, counts: Mapping[int, int]) -> float | None:
    """Return the q-quantile in milliseconds; ``None`` where nothing was measured.

    Args:
        q: 0…1; the value of rank ``ceil(q * n)`` (nearest rank, counted from 1) is estimated.
        counts: bucket → count.
    """
    n = sum(counts.values())
    if n <= 0:
        return None
    rank = max(1, ceil(q * n))
    for index in sorted(counts):
        rank -= counts[index]
        if rank <= 0:
            break
    return estimate(index)
