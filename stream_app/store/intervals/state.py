"""The state of the publisher of interval rows, as it is stored, and of one of its rounds."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from stream_app.model.ports import Partition

CellField = bytes
"""Queue and channel, as their numbers: ``Q.C``."""
DayKey = tuple[int, CellField]
StoredRowKey = tuple[int, CellField]
"""(start of the interval, place)"""
NumberedAmounts = list[tuple[int, CellField, list[int]]]
"""Day, place and intervals of rows that got revisions."""


class Change(NamedTuple):
    """An interval row of a partition that changed in the commit ``mark`` and was not published since."""

    partition: Partition
    start: int
    place: CellField
    mark: int


class Lease(NamedTuple):
    """Result of asking for the lease to publish.

    Attributes:
        epoch: number of leases so far; 0 if another worker has it.
        writes: number of writes so far.
        now: Redis's clock, ms.
        gap: whether another worker published since the last request, or the store was rolled back.
    """

    epoch: int
    writes: int
    now: int
    gap: bool


class PublisherState(Struct):
    """The state from which a publisher continues.

    Attributes:
        writes: number of writes; if the store's differs, another worker wrote, or the store was rolled back.
        revision: the last revision given.
        final: rows that end by then are final; 0 before the first.
        announced: rows up to this revision have been sent to the topic.
        seen: place → the first and the last interval in which anything was counted.
        spans: partition → from when to when it was read.
        over: (number of a recording's partition, place) → the last interval in which it has that queue.
    """

    writes: int = 0
    revision: int = 0
    final: int = 0
    announced: int = 0
    seen: dict[CellField, tuple[int, int]] = {}
    spans: dict[str, tuple[int, int]] = {}
    over: dict[tuple[int, CellField], int] = {}


class WriteResult(Struct):
    """What a write stores besides the days: the keys whose state has changed, and the rows that were numbered."""

    seen: set[CellField] = set()
    spans: set[str] = set()
    over: set[tuple[int, CellField]] = set()
    numbered: NumberedAmounts = []


class RoundState(Struct):
    """Outcome of a round.

    Attributes:
        leading: whether this worker publishes.
        rows: how many rows got a revision.
        untold: why rows were not sent to the topic, if they were not.
        at: time of the round, ms by Redis's clock.
    """

    leading: bool = False
    rows: int = 0
    untold: str = ""
    at: int = 0
