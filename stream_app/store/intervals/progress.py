"""How far partitions were read, and what follows: which rows are final, and whose changes may be published."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from stream_app.model.durations import DAY
from stream_app.model.intervals.counting import interval_start
from stream_app.model.ports import Partition

DEAD_AFTER: Final = DAY
"""A partition of another topic without a heartbeat for this long, ms, no longer holds rows back."""


class ReadProgress(NamedTuple):
    """How far a partition was read.

    Attributes:
        number: the partition's number in its registry.
        seq: sequence number of its last commit.
        time: partition time.
        read_to: everything up to this moment was read.
        beat_at: time of its owner's last heartbeat.
        retired: its contacts are now counted in another topic: nobody reads it.
    """

    partition: Partition
    number: int
    seq: int
    time: int
    read_to: int
    beat_at: int
    retired: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it is still being read."""
        return self.partition.is_live and not self.retired


def final_to(
    progress: Iterable[ReadProgress], expected: Collection[Partition], now: int, grace_ms: int
) -> int:
    """Return the time by which rows must end to be final; 0 if it is not known.

    Args:
        progress: that of all partitions that were ever claimed.
        expected: partitions that must have been read, whether claimed or not.
        now: Redis's clock, so that a worker's fast clock makes no future rows final.
        grace_ms: allowance for late events.
    """
    live = [one for one in progress if one.is_live]
    if not {one.partition for one in live}.issuperset(expected):
        return 0
    held = [
        one for one in live if not expected or one.partition in expected or one.beat_at > now - DEAD_AFTER
    ]
    least = min((one.read_to for one in held), default=0)
    return interval_start(min(least, now) - grace_ms) if least > 0 else 0


def to_publish(
    progress: Iterable[ReadProgress], expected: Collection[Partition], final: int
) -> list[ReadProgress]:
    """Select live partitions whose changes may be published.

    One that is being recounted from before the final rows must not change them until it has caught up; a retired one never
    catches up, and is not waited for.
    """
    return [
        one
        for one in progress
        if one.partition.is_live
        and (one.retired or one.read_to >= final or (expected and one.partition not in expected))
    ]
