"""Kafka → batches. A service that owns the consumer, and the only place that knows aiokafka.

A partition is read only once it is *ready*: claimed in the store, and sought to the position that the store knows. The fetcher
may start from Kafka's committed offset before that, so records are asked for by partition, never for "all" (which is what an
empty list means to the library). Exceptions in a rebalance listener would be swallowed, so claims run in tasks of their own
and are tried again. One batch of a partition is under way at a time; while all are busy or the store is away, the group is
kept by polling with everything paused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from mode import Service

from stream_app.errors import FencedError, LostDataError, QuarantinedError, StoreUnavailableError, StuckError
from stream_app.model.ports import Partition

from .batch import Batch, Slices
from .heartbeat import Heartbeat
from .partition import BACKOFF_S, MUST_CLAIM_AGAIN, Owned

_log = structlog.get_logger(__name__)

POLL_MS: Final = 200
SLICE: Final = 2_000
"""Records read and folded at a stretch: about twenty milliseconds."""
PAUSE_S: Final = 0.02
BEAT_S: Final = 1.0
FENCED_S: Final = 3.0
KEEP_MEMBERSHIP_S: Final = 30.0
DRAIN_S: Final = 5.0
STALLED_S: Final = 10.0
STUCK_S: Final = 90.0
"""Longer than any request to Kafka or Redis may take."""

Own = Callable[[Partition], Owned]
Put = Callable[[Batch], Awaitable[Any]]


class Consumer(Service):
    """Reads the topic's partitions that the group gives us."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        topic: str,
        own: Own,
        put: Put,
        *,
        owner: str,
        batch_records: int,
        on_lost: str,
        settings_version: Callable[[], Awaitable[int]],
        lag: Callable[[Partition, int], None],
        **kwargs: Any,
    ) -> None:
        """Wire it up.

        Args:
            consumer: not started, ``enable_auto_commit=False``, ``auto_offset_reset="none"``.
            topic: what to read.
            own: makes the handle of a partition.
            put: hands a batch to the agent.
            owner: this process's name in heartbeats.
            batch_records: at most so many records of one commit.
            on_lost: ``fail`` or ``accept`` records and counters that can't be had back.
            settings_version: the version that a claim would pin now.
            lag: told how far behind each partition is.
            kwargs: what the host hands to its services.
        """
        super().__init__(**kwargs)
        self._consumer = consumer
        self._topic = topic
        self._own = own
        self._put = put
        self._batch_records = batch_records
        self._accept_lost = on_lost == "accept"
        self._lag = lag
        self.owned: dict[TopicPartition, Owned] = {}
        self._claims: dict[TopicPartition, asyncio.Task[None]] = {}
        self._flights: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._polled = self._watched = time.monotonic()
        self._heartbeat = Heartbeat(
            consumer, self.owned, self._claim_again, owner=owner, settings_version=settings_version, lag=lag
        )

    async def on_start(self) -> None:
        """Join the group."""
        self._consumer.subscribe([self._topic], listener=_Listener(self))
        await self._consumer.start()

    async def on_stop(self) -> None:
        """Finish what is under way, leave the group at once."""
        for task in self._claims.values():
            task.cancel()
        if self._flights:
            await asyncio.wait(self._flights, timeout=DRAIN_S)
        for owned in self.owned.values():
            owned.gone = True
        await self._heartbeat.mirror()
        await self._consumer.stop()

    # Ownership ------------------------------------------------------------------------------------------

    def revoked(self) -> None:
        """A rebalance begins: nothing new is read. What is under way may still be stored, or is refused by the fence."""
        for task in self._claims.values():
            task.cancel()
        self._claims.clear()
        for owned in self.owned.values():
            owned.ready = False

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """It is over: claim what is new, seek what stayed."""
        now = set(partitions)
        for tp in self.owned.keys() - now:
            self.owned.pop(tp).gone = True
            self._lag(Partition(tp.topic, tp.partition), 0)
        for tp in sorted(now):
            if tp not in self.owned:
                self.owned[tp] = self._own(Partition(tp.topic, tp.partition))
            self._start_claim(tp)

    def _claim_again(self, tp: TopicPartition, owned: Owned, because: Exception | None = None) -> None:
        """Unless a rebalance took the partition meanwhile: then whoever has it claims it."""
        if self.owned.get(tp) is owned and not owned.gone:
            # Whoever fenced us owns it now, unless the group says otherwise after its next heartbeat.
            self._start_claim(tp, delay_s=FENCED_S if isinstance(because, FencedError) else 0.0)

    def _start_claim(self, tp: TopicPartition, *, delay_s: float = 0.0) -> None:
        owned = self.owned[tp]
        owned.ready = False
        if (former := self._claims.get(tp)) is not None:
            former.cancel()
        self._claims[tp] = asyncio.create_task(
            self._claim(tp, owned, delay_s), name=f"claim {tp.topic}.{tp.partition}"
        )

    async def _claim(self, tp: TopicPartition, owned: Owned, delay_s: float) -> None:
        try:
            await asyncio.sleep(delay_s)
            attempt = 0
            while not owned.gone:
                try:
                    await owned.idle.wait()
                    if owned.claim is None:
                        await owned.take_over()
                    await self._seek(tp, owned)
                except (StoreUnavailableError, KafkaError) as error:
                    _log.warning("claim_delayed", partition=str(owned.partition), error=str(error))
                    owned.progressed()
                    await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
                    attempt += 1
                else:
                    owned.ready = True
                    self._wake.set()
                    return
        except IllegalStateError:  # revoked meanwhile; the listener has the last word
            _log.info("claim_dropped", partition=str(owned.partition))
        except (LostDataError, QuarantinedError) as error:
            _log.error("stopping", partition=str(owned.partition), error=str(error))
            await self.crash(error)
        except Exception as error:  # noqa: BLE001 - a task that dies unseen would leave the partition unread
            await self.crash(error)

    async def _seek(self, tp: TopicPartition, owned: Owned) -> None:
        """Go to the stored position, if Kafka still has what comes after it."""
        begin = (await self._consumer.beginning_offsets([tp]))[tp]
        end = (await self._consumer.end_offsets([tp]))[tp]
        position = owned.position
        if position is None:
            read = max(await self._consumer.committed(tp) or 0, owned.known or 0)
            if read > begin and not self._accept_lost:
                raise LostDataError(
                    f"{owned.partition}: the group has read up to {read}, but the store knows nothing of it: it was "
                    "wiped, or this is another one. `stream-app rebuild` counts again from what the topic still has"
                )
            owned.begin = begin
            self._consumer.seek(tp, begin)
            return
        if position > end:
            raise LostDataError(
                f"{owned.partition}: the store is at {position}, the topic ends at {end}: it was made anew. "
                "`stream-app rebuild` starts over"
            )
        if position < begin:
            if not self._accept_lost:
                raise LostDataError(
                    f"{owned.partition}: {begin - position} records ({position} to {begin - 1}) were deleted by the topic's "
                    "retention before they were read. STREAM_APP_ON_LOST=accept counts them as a gap and goes on"
                )
            _log.error("records_lost", partition=str(owned.partition), records=begin - position)
            await owned.skip_to(begin)
            position = begin
        self._consumer.seek(tp, position)

    # Reading --------------------------------------------------------------------------------------------

    @Service.task
    async def _poll(self) -> None:
        while not self.should_stop:
            free = {tp: owned for tp, owned in self.owned.items() if owned.ready and owned.idle.is_set()}
            if not free:
                await self._wait()
                continue
            self._polled = time.monotonic()
            try:
                found = await self._consumer.getmany(
                    *free, timeout_ms=POLL_MS, max_records=min(SLICE, self._batch_records)
                )
            except OffsetOutOfRangeError as error:
                _log.warning("out_of_range", error=str(error))
                for tp, owned in free.items():
                    self._claim_again(tp, owned)
                await asyncio.sleep(PAUSE_S)
                continue
            except (IllegalStateError, NoOffsetForPartitionError):
                # A rebalance took one of them away meanwhile, or gave it anew: a claim is on its way to say where to begin.
                await asyncio.sleep(PAUSE_S)  # raised without waiting for anything, it must not spin
                continue
            for owned in free.values():
                owned.progressed()
            for tp, records in found.items():
                owned = free[tp]
                if owned.gone or not owned.ready:
                    continue
                owned.idle.clear()
                flight = asyncio.create_task(
                    self._fly(tp, owned, records), name=f"batch {tp.topic}.{tp.partition}"
                )
                self._flights.add(flight)
                flight.add_done_callback(self._flights.discard)

    async def _fly(self, tp: TopicPartition, owned: Owned, records: list[Any]) -> None:
        """See one batch to its end: the agent folds it and the store says yes, or the partition is claimed again."""
        try:
            batch = Batch(owned, self._slices(tp, owned, records))
            await self._put(batch)
            await batch.done
        except MUST_CLAIM_AGAIN as error:
            _log.warning("claim_lost", partition=str(owned.partition), error=str(error))
            owned.claim = None
            owned.idle.set()
            self._claim_again(tp, owned, error)
        except StoreUnavailableError:
            _log.warning(
                "batch_dropped", partition=str(owned.partition)
            )  # only after the partition went away
        except asyncio.CancelledError:
            owned.claim = None  # its memory may be ahead of what was stored
            if self.should_stop:
                raise
            _log.warning("batch_cancelled", partition=str(owned.partition))
            owned.idle.set()
            self._claim_again(tp, owned)
        except Exception as error:  # noqa: BLE001 - nothing may vanish in a task
            # Its records were read and not counted: nobody may take them for a gap while we stop.
            owned.ready, owned.claim = False, None
            _log.error("stopping", partition=str(owned.partition), error=str(error))
            await self.crash(error)
        finally:
            owned.progressed()
            owned.idle.set()
            self._wake.set()

    async def _slices(self, tp: TopicPartition, owned: Owned, records: list[Any]) -> Slices:
        """A batch: what a poll found, and then, while it is folded, what else is there without waiting."""
        left = self._batch_records
        while records:
            yield records
            left -= len(records)
            await asyncio.sleep(0)  # heartbeats share this loop
            if left <= 0 or not owned.ready or self.should_stop:
                return
            try:
                found = await self._consumer.getmany(tp, timeout_ms=0, max_records=min(SLICE, left))
            except KafkaError:  # whoever polls next will meet it again
                return
            # What a rebalance left meanwhile is read again, after its seek.
            records = found.get(tp, []) if owned.ready else []

    async def _wait(self) -> None:
        """Nothing to ask for now; stay a member of the group all the same."""
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_MS / 1000)
        except TimeoutError:
            if time.monotonic() - self._polled > KEEP_MEMBERSHIP_S:
                await self._keep_membership()

    async def _keep_membership(self) -> None:
        self._polled = time.monotonic()
        mine = self._consumer.assignment()
        if mine:
            self._consumer.pause(*mine)
            await self._consumer.getmany(*mine, timeout_ms=0)
            # What a rebalance took away meanwhile, or gave anew, is not paused any more.
            self._consumer.resume(*mine & self._consumer.assignment())

    @Service.task
    async def _beat(self) -> None:
        while not self.should_stop:
            await self.sleep(BEAT_S)
            await self._heartbeat.round()
            self._watch()

    def _watch(self) -> None:
        """A worker that can't make progress, and does not know why, ends: whoever started it starts it again."""
        now = time.monotonic()
        stalled, self._watched = now - self._watched > STALLED_S, now
        for owned in self.owned.values():
            if stalled:  # the whole process stood still: nobody could progress
                owned.progressed()
            elif now - owned.progressed_at > STUCK_S:
                raise StuckError(f"{owned.partition}: no progress for {STUCK_S:.0f} s, and no reason known")


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """Only takes notes: an exception in here would be swallowed by the library."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        del revoked
        self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumer.assigned(assigned)
