"""The store's contract, between the fold and the storage.

The Redis store and its in-memory double both fulfil it, and one test suite checks it on both.

A worker **claims** a partition and gets a handle with which it alone may **apply** commits. A commit moves the position from
where the worker believes it to be, together with everything that follows from the records in between, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from stream_app.model.intervals.columns import IntervalRow

from .fold.deltas import Deltas, Memory
from .targets import Targets

FILE: Final = "file:"
"""The prefix of the topic of a file that was folded like a partition; Kafka's topic names have no colon."""


class Partition(NamedTuple):
    """A Kafka partition, or a recorded file."""

    topic: str
    number: int

    @property
    def is_live(self) -> bool:
        """Whether it is still being read, so that its age means something."""
        return not self.topic.startswith(FILE)

    def __str__(self) -> str:
        return f"{self.topic}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Partition:
        """Parse the output of ``str``."""
        topic, _, number = text.rpartition(".")
        return cls(topic, int(number))


class DeadLetter(Struct, frozen=True):
    """A record that could not be read as events.

    Attributes:
        offset: its position in the partition.
        reason: one of a small closed set.
        detail: the exact cause, for a person; never a part of the value.
        value: its first bytes, for inspection.
    """

    offset: int
    reason: str
    detail: str
    value: bytes


class Commit(Struct):
    """One step of a partition.

    Attributes:
        start: the position that the worker believes the store to hold; ``None`` before the first step of all.
        end: the position after it: one more than the last offset that it covers.
        batch: names this very attempt, so that a request repeated after a lost reply is recognised.
        deltas: the changes by the records in between.
        dead: those that could not be read.
        begin: the first offset that it covers, where ``start`` does not say it.
    """

    start: int | None
    end: int
    batch: str
    deltas: Deltas
    dead: list[DeadLetter] = []
    begin: int = 0


class Beat(Struct, kw_only=True):
    """An owner's report on a partition every second, outside of the exact part.

    It reports how long ago things happened, not when: a process with a wrong clock still measures that correctly. The store
    stamps it by its own clock, the only one that all share.

    Attributes:
        heard_ago: how long ago the broker last responded, ms: a worker cut off from Kafka must not look fresh.
        clock: wall clock of the owner, ms; the store uses it only to measure how far it is off.
        owner: which process.
        position: next offset to read.
        end: the log end that the owner saw.
        read_at: timestamp of the last record applied, ms, by whichever clock stamped it; 0 before the first.
        waits: for how long the record at ``position`` is known to have been unread, ms; ``None`` if there is none.
    """

    heard_ago: int
    clock: int
    owner: str
    position: int
    end: int
    read_at: int
    waits: int | None = None


class StampedBeat(Struct, kw_only=True):
    """A heartbeat as it is stored; times are ms by the store's clock.

    Attributes:
        at: when the broker last responded.
        ahead: by how much the owner's wall clock was ahead.
        owner: as reported by the owner, like the next three.
        waits_since: when the record at ``position`` was first known to be there; 0 if there is none.
    """

    at: int
    ahead: int
    owner: str
    position: int
    end: int
    read_at: int
    waits_since: int


def stamped(beat: Beat, sent: int) -> StampedBeat:
    """Stamp a heartbeat that was sent at a moment of the store's clock."""
    return StampedBeat(
        at=sent - beat.heard_ago,
        ahead=beat.clock - sent,
        owner=beat.owner,
        position=beat.position,
        end=beat.end,
        read_at=beat.read_at,
        waits_since=0 if beat.waits is None else sent - beat.waits,
    )


class Claim(Protocol):
    """A partition in the hands of one worker.

    Attributes:
        position: next offset to read; ``None`` where nothing was ever applied.
        memory: the fold's memory as of that position.
        targets: the targets pinned by this claim.
        version: their version.
        numbers: counter and sketch numbers.
        topic_id: the id of the topic whose records are counted; ``None`` where Kafka did not provide one.
    """

    partition: Partition
    position: int | None
    memory: Memory
    targets: Targets
    version: int
    numbers: dict[str, int]
    topic_id: str | None

    async def apply(self, commit: Commit) -> None:
        """Store a commit exactly once, however often it is requested.

        Raises:
            FencedError: another claim took the partition since.
            PositionMismatchError: the stored position is not ``commit.start``.
            RenumberedError: the store's number of a name differs from this claim's; nothing was written.
            QuarantinedError: a key has a foreign type; nothing was written.
            StoreUnavailableError: no answer; the same commit may and must be requested again.
        """

    async def beat(self, beat: Beat) -> int:
        """Report that the owner is alive, and check that the store is where this claim left it.

        Returns by how many ms the owner's wall clock, as it is in ``beat``, is ahead of the store's.

        Raises:
            FencedError: another claim took the partition since; nothing was reported.
            PositionMismatchError: it was rolled back. Not while a commit is under way: that one will notice.
            StoreUnavailableError: no answer; the next beat will do.
        """


class Store(Protocol):
    """The storage of counters."""

    async def claim(
        self, partition: Partition, token: str, known: int | None = None, topic_id: str | None = None
    ) -> Claim:
        """Take over a partition.

        Args:
            partition: the partition.
            token: a fresh name for this ownership; its writes are refused once another token claims.
            known: the position this worker saw last: if the store is behind it, a rollback is recorded.
            topic_id: the id of the topic that has this name now, if Kafka provides one.

        Raises:
            OtherTopicError: the counts are those of another topic; its owner keeps the partition.
            LaterEditionError: a commit of a later edition of the specification was stored; its owner keeps the partition.
            StoreUnavailableError: no answer; ask again.
            QuarantinedError: a key has a foreign type.
        """

    async def targets_version(self) -> int:
        """Return the version that a claim would pin now; 0 before the first ``config apply``."""

    async def apply_targets(self, targets: Targets) -> int:
        """Store targets as the next version (unchanged targets keep their version). Returns the version."""

    async def close(self) -> None:
        """Close the connections."""


class Intervals(Protocol):
    """The source of interval rows: 15-minute intervals, merged over partitions.

    ``queues`` and ``channels`` select rows by name; ``None`` selects all.

    Raises:
        StoreUnavailableError: no answer; ask again.
    """

    async def rows(
        self,
        start: int,
        end: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """Return rows that begin in ``[start, end)``, ms, open ones included, ordered by queue, channel and time."""

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """Return at most ``limit`` final rows that changed after a revision, ordered by revision."""

    async def newest(self) -> int:
        """Return the largest revision ever assigned; 0 before the first."""

    async def state(self) -> str:
        """Return a short text that changes whenever any row changes."""
