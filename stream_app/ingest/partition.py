"""One partition in this worker's hands: its claim, its fold, and whether its records may be read."""

from __future__ import annotations

import asyncio
import time
from typing import Final
from uuid import uuid4

import structlog

from stream_app.errors import (
    FencedError,
    LostDataError,
    PositionMismatchError,
    StoreUnavailableError,
)
from stream_app.failpoints import Failpoints
from stream_app.model.deltas import Result
from stream_app.model.fold import Fold
from stream_app.model.ports import Claim, Commit, DeadLetter, Partition, Store
from stream_app.model.tally import Tally
from stream_app.telemetry import Telemetry

from .batch import Slices, commit_of, fold_slice
from .dialects import Decode

_log = structlog.get_logger(__name__)

BACKOFF_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class DeadLetterLimitError(LostDataError):
    """Nothing but dead letters for a long stretch: a deployment upstream is broken; do not drain the topic."""


class Owned:
    """A partition from its assignment to its revocation.

    Attributes:
        ready: claimed and sought: its records may be asked for.
        progressed_at: monotonic time of the last sign of life.
        idle: no batch of it is on its way.
        begin: where its records began when it was sought; counted from here if nothing is stored yet.
        read_at: timestamp of the last record applied, ms.
    """

    def __init__(
        self,
        partition: Partition,
        store: Store,
        decode: Decode,
        telemetry: Telemetry,
        failpoints: Failpoints,
        *,
        max_bytes: int,
        max_dead_in_a_row: int,
    ) -> None:
        self.partition = partition
        self.ready = False
        self.idle = asyncio.Event()
        self.idle.set()
        self.gone = False
        self.begin = 0
        self.read_at = 0
        self.known: int | None = None
        self.claim: Claim | None = None
        self._fold: Fold | None = None
        self._store = store
        self._decode = decode
        self._telemetry = telemetry
        self._failpoints = failpoints
        self._max_bytes = max_bytes
        self._max_dead = max_dead_in_a_row
        self._dead_in_a_row = 0
        self._claiming = asyncio.Lock()
        self.progressed_at = time.monotonic()

    @property
    def position(self) -> int | None:
        """The next offset to read, as the store has it."""
        return self.claim.position if self.claim else None

    @property
    def next_offset(self) -> int:
        """Where its next record is expected; before that, all is accounted for."""
        return self.begin if self.position is None else self.position

    def progressed(self) -> None:
        """Something moved, or the reason why nothing does is known."""
        self.progressed_at = time.monotonic()

    async def take_over(self) -> None:
        """Claim the partition and remember what the former owner left.

        Raises:
            StoreUnavailableError: ask again.
            QuarantinedError: a human must look.
        """
        async with (
            self._claiming
        ):  # a task that was cancelled may still be at it: the client swallows cancellations
            if self.claim is None:
                await self._take_over()

    async def _take_over(self) -> None:
        claim = await self._store.claim(self.partition, uuid4().hex[:12], self.known)
        if self.known is not None and (claim.position or 0) < self.known:
            self._telemetry.rollbacks.inc()
            _log.error(
                "store_rolled_back", partition=str(self.partition), stored=claim.position, known=self.known
            )
        self.claim = claim
        self._fold = Fold(claim.targets, Tally(claim.numbers), claim.memory)
        self._dead_in_a_row = 0
        _log.info(
            "claimed",
            partition=str(self.partition),
            position=claim.position,
            open_visits=len(claim.memory.open),
            settings=claim.version,
        )

    async def fold(self, slices: Slices) -> None:
        """Fold records to the end of their batch and have the store say yes to all of them at once.

        Raises:
            FencedError, PositionMismatchError, QuarantinedError: the memory of this partition is worthless.
            DeadLetterLimitError: nothing of this batch was stored.
        """
        claim, fold = self.claim, self._fold
        assert claim is not None and fold is not None  # noqa: S101, PT018 - ready means claimed
        start = end = self.next_offset
        read_at = 0
        dead: list[DeadLetter] = []
        async for records in slices:
            if records[0].offset < end:
                records = [r for r in records if r.offset >= end]  # noqa: PLW2901 - counted before
            if records:
                end = fold_slice(
                    fold, records, end, decode=self._decode, dead=dead, max_bytes=self._max_bytes
                )
                read_at = records[-1].timestamp
            self.progressed()
        if end == start:
            return
        commit = commit_of(fold, claim.position, end, dead)
        self._count_dead(commit)
        await self._apply(claim, commit)
        self.read_at = read_at

    async def skip_to(self, position: int) -> None:
        """Account for offsets that hold no record (transaction markers, compaction) at the end of what was read."""
        claim, fold = self.claim, self._fold
        assert claim is not None and fold is not None  # noqa: S101, PT018 - ready means claimed
        if position <= self.next_offset:
            return
        fold.count(Result.GAP, position - self.next_offset)
        await self._apply(claim, commit_of(fold, claim.position, position, []))

    async def _apply(self, claim: Claim, commit: Commit) -> None:
        """Have the store apply a commit, as often as it takes to hear yes or no.

        Under the claim whose memory it was folded from, and no other: a newer one has a memory of its own.
        """
        attempt = 0
        while True:
            await self._failpoints.hit("before_apply")
            try:
                with self._telemetry.apply_seconds.time():
                    await claim.apply(commit)
            except StoreUnavailableError as error:
                if attempt == 0:
                    _log.warning("store_unavailable", partition=str(self.partition), error=str(error))
                if self.gone:
                    raise
                self.progressed()
                await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
                attempt += 1
            else:
                break
        await self._failpoints.hit("after_apply")
        self.known = commit.end
        self._telemetry.applied(commit.deltas)

    def _count_dead(self, commit: Commit) -> None:
        results = commit.deltas.results
        dead = results.get(Result.DEAD_LETTER, 0)
        alive = sum(n for result, n in results.items() if result not in (Result.DEAD_LETTER, Result.GAP))
        self._dead_in_a_row = 0 if alive else self._dead_in_a_row + dead
        if self._max_dead and self._dead_in_a_row >= self._max_dead:
            raise DeadLetterLimitError(
                f"{self.partition}: {self._dead_in_a_row} records in a row are dead letters (last reason: "
                f"{commit.dead[-1].reason}); stopped before offset {commit.start}. Mend the producer, or raise "
                "STREAM_APP_MAX_DEAD_IN_A_ROW"
            )


MUST_CLAIM_AGAIN = (FencedError, PositionMismatchError)
