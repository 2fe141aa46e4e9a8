"""How far partitions were read, and what follows: what is final, and whose changes may be published."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from stream_app.model.intervals import DAY, quarter
from stream_app.model.ports import Partition

from .published import Progress

DEAD_AFTER: Final = DAY
"""A partition of another topic whose owner was not heard of for so long holds nobody up any more."""


def final_to(progress: Iterable[Progress], expected: Collection[Partition], now: int, grace_ms: int) -> int:
    """Rows that end by then may be final; 0 if that can't be told.

    Args:
        progress: of all partitions that were ever claimed.
        expected: those that must have been read, whether anybody has claimed them or not.
        now: Redis's clock: a worker's that is ahead makes nothing of the future final.
        grace_ms: for what comes a little late.
    """
    live = [one for one in progress if one.partition.is_live]
    if not {one.partition for one in live}.issuperset(expected):
        return 0
    held = [
        one for one in live if not expected or one.partition in expected or one.beat_at > now - DEAD_AFTER
    ]
    least = min((one.read_to for one in held), default=0)
    return quarter(min(least, now) - grace_ms) if least > 0 else 0


def to_publish(progress: Iterable[Progress], expected: Collection[Partition], final: int) -> list[Progress]:
    """Live partitions whose changes may be published.

    One that is counted anew, from before what is final, says nothing of final rows until it is there again.
    """
    return [
        one
        for one in progress
        if one.partition.is_live and (one.read_to >= final or (expected and one.partition not in expected))
    ]
