"""A partition that this worker owns: its claim, its fold, and whether its records may be read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from uuid import uuid4

import structlog

from stream_app.errors import (
    FencedError,
    LostDataError,
    PassedOverError,
    PositionMismatchError,
    RenumberedError,
    StoreUnavailableError,
    StreamAppError,
)
from stream_app.failpoints import Failpoints
from stream_app.model.fold.deltas import Gap, Result
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.fold.tally import Tally
from stream_app.model.ports import Claim, Commit, DeadLetter, Partition, Store
from stream_app.telemetry import Telemetry

from .batch import KafkaRecord, Slices, commit_of, fold_slice
from .dialects import Decode, afresh, tells_messages

_log = structlog.get_logger(__name__)

BACKOFF_S: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class DeadLetterLimitError(LostDataError):
    """Only dead letters for a long stretch: a deployment upstream is broken; do not drain the topic."""


class GoneError(StreamAppError):
    """The partition was taken away before it could be claimed."""


class Owned:
    """A partition from its assignment to its revocation.

    Attributes:
        ready: claimed and sought: its records may be read.
        progressed_at: monotonic time of the last progress.
        idle: set while none of its batches is in flight.
        begin: where its records began when it was sought; counted from here if nothing is stored yet.
        read_at: timestamp of the last record applied, ms.
        passed: the consumer's position, if it is past what is counted; whether there are records between, only the log knows.
        gap: why some of its offsets hold no record, once that was looked up.
        unexplained: the first offsets without a record (from, to) and how many there are in all, until they are looked up.
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
        admit: Callable[[Owned], Awaitable[None]] | None = None,
        hears_messages: bool | None = None,
        keeps_ledger: bool = False,
    ) -> None:
        """Wire it up.

        ``admit`` returns once the partition may be claimed; ``hears_messages``: whether its events include the messages of
        written contacts, by default as the decoder's platform does; ``keeps_ledger``: whether rows of the ledger are noted.
        """
        self.partition = partition
        self.ready = False
        self.idle = asyncio.Event()
        self.idle.set()
        self.gone = False
        self.begin = 0
        self.read_at = 0
        self.passed = 0
        self.gap: Gap | None = None
        self.unexplained: tuple[int, int, int] | None = None
        self.known: int | None = None
        self.claim: Claim | None = None
        self._fold: Fold | None = None
        self._store = store
        self._decode = decode
        self._telemetry = telemetry
        self._failpoints = failpoints
        self._max_bytes = max_bytes
        self._max_dead = max_dead_in_a_row
        self._admit = admit
        self._hears = tells_messages(decode) if hears_messages is None else hears_messages
        self._keeps_ledger = keeps_ledger
        self._dead_in_a_row = 0
        self._claiming = asyncio.Lock()
        self.progressed_at = time.monotonic()

    @property
    def position(self) -> int | None:
        """The next offset to read, as stored."""
        return self.claim.position if self.claim else None

    @property
    def next_offset(self) -> int:
        """The offset at which its next record is expected; everything before it is accounted for."""
        return self.begin if self.position is None else self.position

    def may_be_read(self) -> bool:
        """Return whether it is ready; that may change at every await."""
        return self.ready

    def progressed(self) -> None:
        """Record progress, or that the reason for the lack of it is known."""
        self.progressed_at = time.monotonic()

    def is_of(self, topic_id: str | None) -> bool:
        """Return whether the topic is still the one whose records are counted here, as far as is known."""
        counted = self.claim.topic_id if self.claim else None
        return not counted or not topic_id or counted == topic_id

    async def take_over(self, topic_id: str | None = None) -> None:
        """Claim the partition, and restore the memory that the former owner left.

        Raises:
            OtherTopicError: that memory belongs to another topic.
            LaterEditionError: it is that of a worker that counts otherwise.
            StoreUnavailableError: retry.
            QuarantinedError: a person must look into it.
            LostDataError: its contacts are now counted elsewhere.
            GoneError: it is no longer ours.
        """
        if self._admit is not None:
            await self._admit(self)
            if self.gone:  # taken away while it waited, and the cancellation was swallowed
                raise GoneError(str(self.partition))
        # A cancelled task may still be claiming: the client swallows cancellations.
        async with self._claiming:
            if self.claim is None:
                await self._take_over(topic_id)

    async def _take_over(self, topic_id: str | None) -> None:
        claim = await self._store.claim(self.partition, uuid4().hex[:12], self.known, topic_id)
        if self.known is not None and (claim.position or 0) < self.known:
            self._telemetry.rollbacks.inc()
            _log.error(
                "store_rolled_back", partition=str(self.partition), stored=claim.position, known=self.known
            )
        if claim.position is not None:
            # Not only what we wrote: a rollback before our first commit must be noticed too.
            self.known = claim.position
        self.claim = claim
        self._fold = Fold(
            claim.targets,
            Tally(claim.numbers),
            claim.memory,
            tells_messages=self._hears,
            noted=Noted(on=self._keeps_ledger),
        )
        self._decode = afresh(self._decode, self._fold.state.time or None)
        self._dead_in_a_row = 0
        _log.info(
            "claimed",
            partition=str(self.partition),
            position=claim.position,
            open_visits=len(claim.memory.open),
            settings=claim.version,
        )

    async def fold(self, slices: Slices) -> None:
        """Fold records to the end of their batch, and have the store apply all of them as one commit.

        Raises:
            FencedError, PositionMismatchError, RenumberedError, QuarantinedError: the memory of this partition is worthless.
            DeadLetterLimitError: nothing of this batch was stored.
            PassedOverError: likewise; the offsets that were not read may hold records.
        """
        claim, fold = self.claim, self._fold
        assert claim is not None and fold is not None  # noqa: S101, PT018 - ready means claimed
        start = end = self.next_offset
        read_at = 0
        dead: list[DeadLetter] = []
        async for since, found in slices:
            if since > end:
                raise PassedOverError(end, found[0].offset)
            records = found
            if records[0].offset < end:
                records = [r for r in records if r.offset >= end]  # counted before
            if records:
                missing = records[-1].offset + 1 - end - len(records)
                if missing:
                    self._explain_later(records, end, missing)
                end = fold_slice(
                    fold, records, end, decode=self._decode, dead=dead, max_bytes=self._max_bytes
                )
                read_at = records[-1].timestamp
            self.progressed()
        if end == start:
            return
        commit = commit_of(fold, claim.position, end, dead, start)
        self._count_dead(commit)
        await self._apply(claim, commit)
        self.read_at = read_at

    async def skip_to(self, position: int, kind: Gap) -> None:
        """Count the offsets up to a position as a gap: the log has shown that they hold no record."""
        claim, fold = self.claim, self._fold
        assert claim is not None and fold is not None  # noqa: S101, PT018 - ready means claimed
        missing = position - self.next_offset
        if missing <= 0:
            return
        fold.count(Result.GAP, missing)
        await self._apply(claim, commit_of(fold, claim.position, position, [], self.next_offset))
        self._telemetry.gaps.labels(kind).inc(missing)

    def _explain_later(self, records: Sequence[KafkaRecord], expected: int, missing: int) -> None:
        """Note offsets between records that are known to hold none, for a reason not yet known."""
        if self.gap is not None:
            self._telemetry.gaps.labels(self.gap).inc(missing)
        elif self.unexplained is not None:
            start, end, others = self.unexplained
            self.unexplained = (start, end, others + missing)
        else:
            for record in records:
                if record.offset > expected:
                    self.unexplained = (expected, record.offset, missing)
                    return
                expected += 1

    def explain(self, kind: Gap) -> None:
        """Take the reason that the log showed; later gaps in this partition are counted under it too."""
        if self.unexplained is not None:
            self._telemetry.gaps.labels(kind).inc(self.unexplained[2])
        self.gap, self.unexplained = kind, None

    async def _apply(self, claim: Claim, commit: Commit) -> None:
        """Have the store apply a commit, and retry until it is confirmed or refused.

        Only under the claim from whose memory it was folded: a newer claim has its own memory.
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
            except FencedError:
                self._telemetry.fenced.inc()
                raise
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
                f"{commit.dead[-1].reason}); stopped before offset {commit.start}. Fix the producer, or raise "
                "STREAM_APP_MAX_DEAD_IN_A_ROW"
            )


MUST_CLAIM_AGAIN = (FencedError, PositionMismatchError, PassedOverError, RenumberedError)
