"""What the fold remembers, and what it says: results, memory and deltas. Plain data."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from .intervals import Rows
from .tally import Cell, CellKey
from .visit import Visits


class Result(StrEnum):
    """What became of a record. Every offset has exactly one."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"
    ILLEGAL = "illegal"
    DEAD_LETTER = "dead_letter"
    UNKNOWN_TYPE = "unknown_type"
    GAP = "gap"
    IGNORED = "ignored"


APPLIED: Final = Result.APPLIED


class Memory(Struct):
    """What the fold remembers of a partition; a claim restores it from the store.

    Attributes:
        time: partition time in milliseconds; 0 before the first event.
        open: contact → its open visits, oldest first.
        recent: hash of an event id → the minute of partition time in which it was added; oldest first.
    """

    time: int = 0
    open: dict[str, Visits] = field(default_factory=dict)
    recent: dict[bytes, int] = field(default_factory=dict)


class Deltas(Struct):
    """What a stretch of records changes.

    Attributes:
        time: partition time after it.
        cells: 10-second cells → what to add.
        rows: interval rows → what to add.
        visits: contact → its open visits now; empty where it had some before and has none any more.
        recent: minute → hashes added.
        forgotten: hashes of this minute and all before are dropped, before those of ``recent`` are added; -1: none.
        results: result → records.
        reasons: (result, reason) → records, for dead letters and illegal events.
        late: records applied although they came late.
    """

    time: int
    cells: dict[CellKey, Cell]
    rows: Rows
    visits: dict[str, Visits]
    recent: dict[int, list[bytes]]
    forgotten: int
    results: dict[str, int]
    reasons: dict[tuple[str, str], int]
    late: int
