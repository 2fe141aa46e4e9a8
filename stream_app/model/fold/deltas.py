"""What the fold remembers and what it reports: results, memory and deltas. Plain data."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from stream_app.model.intervals.counting import Rows
from stream_app.model.presence import Presence

from .cells import Cell, CellKey
from .clock import Agreement
from .seen import SeenIds
from .visit import Visits


class Result(StrEnum):
    """The result of a record. Every offset has exactly one."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"
    ILLEGAL = "illegal"
    DEAD_LETTER = "dead_letter"
    UNKNOWN_TYPE = "unknown_type"
    GAP = "gap"
    IGNORED = "ignored"


APPLIED: Final = Result.APPLIED


class Gap(StrEnum):
    """The reasons why offsets hold no record."""

    TRANSACTION = "transaction"
    """Markers that end transactions, or records of one that was aborted."""
    COMPACTION = "compaction"
    """There is nothing at that offset."""
    DELETED = "deleted"
    """Retention removed them before they were read, and the process is configured to go on."""


class Memory(Struct):
    """What the fold remembers of a partition; a claim restores it from the store.

    Attributes:
        time: partition time in milliseconds; 0 before the first event.
        open: contact → its open visits, oldest first.
        recent: the event ids that were seen of late.
        lasting: day of partition time → hashes of ids that recur, added in it.
        agreement: how far partition time is agreed on; ``None`` where that was not remembered.
        agents: agent → what was told of the agent.
    """

    time: int = 0
    open: dict[str, Visits] = field(default_factory=dict)
    recent: SeenIds = field(default_factory=SeenIds)
    agreement: Agreement | None = None
    lasting: dict[int, list[bytes]] = field(default_factory=dict)
    agents: dict[str, Presence] = field(default_factory=dict)


class Deltas(Struct):
    """The changes by a range of records.

    Attributes:
        time: partition time after it.
        cells: 10-second cells → what to add.
        rows: interval rows → what to add.
        visits: contact → its open visits now; empty where it had some before and none now.
        recent: hour, named by its first minute → hashes added.
        forgotten: hashes of this minute and all before are dropped, before those of ``recent`` are added; -1: none.
        lasting: day → hashes of ids that recur, added.
        outlived: the hashes of this day and all before are dropped, before those of ``lasting`` are added; -1: none.
        early: how many hashes were dropped because there were too many.
        agents: agent → what was told of the agent; ``None``: forgotten.
        ledger: rows of the ledger, packed; ``None`` where nothing is noted.
        results: result → records.
        reasons: (result, reason) → records, for dead letters and illegal events.
        late: records applied although they arrived late.
        agreement: how far partition time is agreed on after it.
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
    agreement: Agreement = field(default_factory=Agreement)
    lasting: dict[int, list[bytes]] = field(default_factory=dict)
    outlived: int = -1
    early: int = 0
    ledger: list[bytes] | None = None
    agents: dict[str, Presence | None] = field(default_factory=dict)
