"""The store's contract, between whoever folds and whoever keeps.

The Redis store and its in-memory double both keep it, and one test suite checks it on both.

A worker **claims** a partition and gets a handle with which it alone may **apply** commits. A commit moves the position from
where the worker knows it to be, together with everything that follows from the records in between, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from .deltas import Deltas, Memory
from .interval_rows import IntervalRow
from .targets import Targets

FILE: Final = "file:"
"""What the topic of a file that was folded like a partition begins with; Kafka's topics know no colon."""


class Partition(NamedTuple):
    """A Kafka partition, or a recorded file."""

    topic: str
    number: int

    @property
    def is_live(self) -> bool:
        """Whether somebody reads on, so that its age means something."""
        return not self.topic.startswith(FILE)

    def __str__(self) -> str:
        return f"{self.topic}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Partition:
        """The inverse of ``str``."""
        topic, _, number = text.rpartition(".")
        return cls(topic, int(number))


class DeadLetter(Struct, frozen=True):
    """A record that could not become events.

    Attributes:
        offset: where it stands in its partition.
        reason: one of a small closed set.
        detail: what exactly, for a person; never a part of the value.
        value: its first bytes, so that it can be looked at.
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
        batch: names this very attempt, so that a repeated request after a lost reply is recognised.
        deltas: what the records between change.
        dead: those that were no events.
    """

    start: int | None
    end: int
    batch: str
    deltas: Deltas
    dead: list[DeadLetter] = []


class Beat(Struct, kw_only=True):
    """What an owner says of a partition every second, outside of the exact part.

    Attributes:
        at: wall clock of the owner, ms.
        owner: which process.
        position: next offset to read.
        end: the log end that the owner saw.
        read_at: timestamp of the last record applied, ms; 0 before the first.
    """

    at: int
    owner: str
    position: int
    end: int
    read_at: int


class Claim(Protocol):
    """A partition in the hands of one worker.

    Attributes:
        position: next offset to read; ``None`` where nothing was ever applied.
        memory: what the fold remembers, as of that position.
        targets: the settings pinned by this claim.
        version: their version.
        numbers: counter and sketch numbers.
    """

    partition: Partition
    position: int | None
    memory: Memory
    targets: Targets
    version: int
    numbers: dict[str, int]

    async def apply(self, commit: Commit) -> None:
        """Store a commit; once and only once, however often it is asked for.

        Raises:
            FencedError: someone claimed the partition since.
            PositionMismatchError: the stored position is not ``commit.start``.
            QuarantinedError: a key has a foreign type; nothing was written.
            StoreUnavailableError: no answer; the same commit may and must be asked for again.
        """

    async def beat(self, beat: Beat) -> None:
        """Say that the owner lives, and see that the store is where this claim left it.

        Raises:
            FencedError: someone claimed the partition since; nothing was said.
            PositionMismatchError: it was rolled back. Not while a commit is under way: that one will tell.
            StoreUnavailableError: no answer; the next beat will do.
        """


class Store(Protocol):
    """Where counters live."""

    async def claim(self, partition: Partition, token: str, known: int | None = None) -> Claim:
        """Take a partition over.

        Args:
            partition: which.
            token: a fresh name for this ownership; its writes are refused once another token claims.
            known: the position this worker saw last: if the store is behind it, a rollback is recorded.

        Raises:
            StoreUnavailableError: no answer; ask again.
            QuarantinedError: a key has a foreign type.
        """

    async def settings_version(self) -> int:
        """The version that a claim would pin now; 0 before the first ``config apply``."""

    async def apply_settings(self, targets: Targets) -> int:
        """Store a document as the next version (the same one again keeps its version). Gives the version."""

    async def close(self) -> None:
        """Let go of connections."""


class Intervals(Protocol):
    """Where interval rows are read: quarters of an hour, merged over partitions.

    ``queues`` and ``channels`` choose rows by name; ``None`` is all of them.

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
        """Rows that begin in ``[start, end)``, ms, open ones too, in the order of queue, channel and time."""

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        """Final rows that changed after a revision, in the order of their revisions, at most so many of them."""

    async def newest(self) -> int:
        """The largest revision that was ever given; 0 before the first."""

    async def state(self) -> str:
        """A short text that is another one whenever any row has changed."""
