"""How long contacts waited, by outcome: cumulative histograms of the running day.

Steps are multiples of a queue's answer target, so that they suit calls as well as email. The counts come from the sketches of
the store: a wait slightly longer than a step (by 4.4 % at most) may count within it.
"""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from typing import Final

from msgspec import Struct

from stream_app.model.fold.cells import SHIFT, Cell
from stream_app.model.kpis.counters import abandon_wait, response
from stream_app.model.sketch import bucket
from stream_app.model.targets import QueueTargets

SKETCHES: Final = {"answered": response.name, "abandoned": abandon_wait.name}
"""Outcome → the distribution of its waits; for answered contacts, the time to the first human response."""
STEPS: Final = (0.5, 1, 2, 4)
"""In answer targets."""


class WaitHistogram(Struct, frozen=True, gc=False):
    """The waits of one queue and channel, today.

    Attributes:
        upto: the longest wait of each step, in milliseconds; after these comes one without a bound.
        counts: outcome → contacts that waited no longer, step by step, and finally all of them.
    """

    queue: str
    channel: str
    upto: tuple[int, ...]
    counts: dict[str, tuple[int, ...]]


def waits(
    queue: str, channel: str, cell: Cell, rule: QueueTargets, numbers: Mapping[str, int]
) -> WaitHistogram:
    """Compute the histogram from the day's sums; ``numbers`` are those of the store's registry."""
    upto = tuple(round(rule.answer_target * step) for step in STEPS)
    ends = [bucket(bound) for bound in upto]
    counts: dict[str, tuple[int, ...]] = {}
    for outcome, sketch in SKETCHES.items():
        first = numbers.get(sketch, 0) << SHIFT
        found = [0] * (len(STEPS) + 1)
        if first:
            last = first + (1 << SHIFT)
            for key, n in cell.items():
                if first <= key < last:
                    found[bisect_left(ends, key - first)] += n
        counts[outcome] = tuple(accumulate(found))
    return WaitHistogram(queue, channel, upto, counts)
