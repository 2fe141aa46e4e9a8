"""Kafka → batches: a service that owns the consumer.

A partition is read only once it is *ready*: claimed in the store, and sought to the stored position. The fetcher may start
from Kafka's committed offset before that, so records are requested by partition, never for "all" (which is what an empty list
means to the library). Exceptions in a rebalance listener would be swallowed, so claims run in their own tasks and are retried.
One batch of a partition is in flight at a time, and only `_poll` starts one; while all partitions are busy or the store is
unavailable, membership of the group is kept by polling with everything paused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from mode import Service

from stream_app.errors import (
    FencedError,
    LaterEditionError,
    LostDataError,
    OtherTopicError,
    PassedOverError,
    QuarantinedError,
    StoreUnavailableError,
    StuckError,
)
from stream_app.model.ports import Partition

from .batch import Batch, Read, Slices
from .begin import beginning
from .broker import Broker
from .fetched import take_batches
from .flights import Flights
from .heartbeat import Heartbeat
from .log import Log
from .partition import BACKOFF_S, GoneError, Owned

_log = structlog.get_logger(__name__)

POLL_MS: Final = 200
SLICE: Final = 2_000
"""Records read and folded in one go: about twenty milliseconds."""
PAUSE_S: Final = 0.02
BEAT_S: Final = 1.0
FENCED_S: Final = 3.0
LEAVE_S: Final = 2.0
KEEP_MEMBERSHIP_S: Final = 30.0
STALLED_S: Final = 10.0
STUCK_S: Final = 90.0
"""Longer than any request to Kafka or Redis can take."""

Own = Callable[[Partition], Owned]
Put = Callable[[Batch], Awaitable[Any]]


class Consumer(Service):
    """Reads the partitions of the topic that the group assigns to this worker."""

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
        targets_version: Callable[[], Awaitable[int]],
        lag: Callable[[Partition, int], None],
        ahead: Callable[[int], None],
        **kwargs: Any,
    ) -> None:
        """Wire it up.

        Args:
            consumer: not started, ``enable_auto_commit=False``, ``auto_offset_reset="none"``.
            topic: what to read.
            own: creates the handle of a partition.
            put: hands a batch to the agent.
            owner: this process's name in heartbeats.
            batch_records: the most records of one commit.
            on_lost: ``fail`` on, or ``accept``, the loss of records and counters that can't be recovered.
            targets_version: the version that a claim would pin now.
            lag: called with the number of records that each partition is behind.
            ahead: called with the ms by which this machine's clock is ahead of the store's.
            kwargs: what the host passes to its services.
        """
        super().__init__(**kwargs)
        self._consumer = consumer
        self._log = Log(consumer)
        self._broker = Broker(consumer)
        self._topic = topic
        self._own = own
        self._put = put
        self._batch_records = batch_records
        self._accept_lost = on_lost == "accept"
        self._lag = lag
        self.owned: dict[TopicPartition, Owned] = {}
        self._claims: dict[TopicPartition, asyncio.Task[None]] = {}
        self._flights = Flights(self._claim_again, self.crash, lambda: self.should_stop)
        self._polled = self._watched = time.monotonic()
        self._heartbeat = Heartbeat(
            consumer,
            self._broker,
            self.owned,
            self._claim_again,
            owner=owner,
            targets_version=targets_version,
            lag=lag,
            ahead=ahead,
        )

    async def on_start(self) -> None:
        """Join the group."""
        self._consumer.subscribe([self._topic], listener=_Listener(self))
        await self._consumer.start()
        take_batches(self._consumer)

    async def on_stop(self) -> None:
        """Finish what is in flight, then leave the group at once."""
        for task in self._claims.values():
            task.cancel()
        await self._flights.drain()
        for owned in self.owned.values():
            owned.gone = True
        await self._heartbeat.mirror()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._consumer.stop(), LEAVE_S)

    # Ownership ------------------------------------------------------------------------------------------

    def revoked(self) -> None:
        """Stop reading: a rebalance begins. What is in flight may still be stored, or is refused by the fence."""
        for task in self._claims.values():
            task.cancel()
        self._claims.clear()
        for owned in self.owned.values():
            owned.ready = False

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Claim new partitions and seek those that stayed: the rebalance is over."""
        now = set(partitions)
        for tp in self.owned.keys() - now:
            self.owned.pop(tp).gone = True
            self._lag(Partition(tp.topic, tp.partition), 0)
        for tp in sorted(now):
            if tp not in self.owned:
                self.owned[tp] = self._own(Partition(tp.topic, tp.partition))
            self._start_claim(tp)

    def _claim_again(self, tp: TopicPartition, owned: Owned, because: Exception | None = None) -> None:
        """Claim a partition again, unless a rebalance has taken it away meanwhile: then its new owner claims it."""
        if self.owned.get(tp) is owned and not owned.gone:
            # The worker that fenced us owns it now, unless the group's next heartbeat says otherwise.
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
                    await self._take_over(tp, owned)
                except (StoreUnavailableError, KafkaError) as error:
                    _log.warning("claim_delayed", partition=str(owned.partition), error=str(error))
                    owned.progressed()
                    await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
                    attempt += 1
                else:
                    owned.ready = True
                    self._flights.landed.set()
                    return
        except (IllegalStateError, GoneError):  # revoked meanwhile; the listener decides
            _log.info("claim_dropped", partition=str(owned.partition))
        except (LostDataError, LaterEditionError, QuarantinedError) as error:
            _log.error("stopping", partition=str(owned.partition), error=str(error))
            await self.crash(error)
        except Exception as error:  # noqa: BLE001 - a task that dies unseen would leave the partition unread
            await self.crash(error)

    async def _take_over(self, tp: TopicPartition, owned: Owned) -> None:
        """Claim the partition if it is not claimed, and seek to where it is to be read from."""
        topic_id = await self._broker.topic_id(tp.topic)
        if owned.claim is None:
            await owned.take_over(topic_id)
        elif not owned.is_of(topic_id):
            raise OtherTopicError(owned.partition, owned.claim.topic_id, topic_id)
        self._log.seek(tp, await beginning(self._consumer, tp, owned, accept_lost=self._accept_lost))

    # Reading --------------------------------------------------------------------------------------------

    @Service.task
    async def _poll(self) -> None:
        while not self.should_stop:
            free = {tp: owned for tp, owned in self.owned.items() if owned.ready and owned.idle.is_set()}
            for tp, owned in free.items():
                if owned.passed > owned.next_offset:
                    self._flights.start(tp, owned, partial(self._pass_over, tp, owned), "gap")
            free = {tp: owned for tp, owned in free.items() if owned.idle.is_set()}
            if free:
                self._polled = time.monotonic()
                await self._read(free)
            else:
                await self._wait()

    async def _read(self, free: Mapping[TopicPartition, Owned]) -> None:
        """Wait for records of free partitions, and start a batch for each."""
        try:
            found = await self._log.read(
                *free, timeout_ms=POLL_MS, max_records=min(SLICE, self._batch_records)
            )
        except (IllegalStateError, KafkaError) as error:
            # Retention overtook us, or a rebalance took one of them away meanwhile, or assigned it again.
            _log.warning("reading_failed", error=f"{type(error).__name__}: {error}")
            for tp, owned in free.items():
                self._claim_again(tp, owned)
            await asyncio.sleep(PAUSE_S)  # the error may come without any wait: do not spin
            return
        for owned in free.values():
            owned.progressed()
        for tp, read in found.items():
            owned = free[tp]
            if owned.gone or not owned.may_be_read() or self.should_stop:
                self._log.put_back(tp, read)
            else:
                self._flights.start(tp, owned, partial(self._fly, tp, owned, read), "batch")

    async def _fly(self, tp: TopicPartition, owned: Owned, read: Read) -> None:
        """See one batch through: the agent folds it, and the store confirms it."""
        batch = Batch(owned, self._slices(tp, owned, read))
        await self._put(batch)
        await batch.done

    async def _pass_over(self, tp: TopicPartition, owned: Owned) -> None:
        """Skip offsets that the consumer passed at the end of what was read, if they hold no record.

        Otherwise the lag would never reach 0.
        """
        start, end = owned.next_offset, owned.passed
        owned.passed = 0
        found = await self._broker.look(tp, start, end)
        await owned.skip_to(found.end, found.kind)
        if found.record is not None:
            raise PassedOverError(start, found.record)

    async def _slices(self, tp: TopicPartition, owned: Owned, read: Read) -> Slices:
        """Yield the slices of a batch: what a poll found, then whatever else can be read without waiting."""
        left = self._batch_records
        while True:
            yield read
            left -= len(read.records)
            await asyncio.sleep(0)  # heartbeats share this loop
            if left <= 0 or not owned.may_be_read() or self.should_stop:
                return
            try:
                found = await self._log.read(tp, timeout_ms=0, max_records=min(SLICE, left))
            except (IllegalStateError, KafkaError) as error:
                # What comes next no longer follows what is counted; `Owned.fold` notices and refuses it.
                _log.warning("reading_failed", partition=str(owned.partition), error=str(error))
                return
            if tp not in found:
                return
            read = found[tp]
            if not owned.may_be_read():
                self._log.put_back(tp, read)
                return

    async def _wait(self) -> None:
        """Wait until a partition is free, and stay a member of the group meanwhile."""
        self._flights.landed.clear()
        try:
            await asyncio.wait_for(self._flights.landed.wait(), POLL_MS / 1000)
        except TimeoutError:
            if time.monotonic() - self._polled > KEEP_MEMBERSHIP_S:
                await self._keep_membership()

    async def _keep_membership(self) -> None:
        self._polled = time.monotonic()
        mine = self._consumer.assignment()
        if mine:
            self._consumer.pause(*mine)
            with suppress(IllegalStateError, KafkaError):  # the next read meets it again
                for tp, read in (await self._log.read(*mine, timeout_ms=0, max_records=1)).items():
                    self._log.put_back(tp, read)
            # What a rebalance took away meanwhile, or assigned again, is no longer paused.
            self._consumer.resume(*mine & self._consumer.assignment())

    @Service.task
    async def _beat(self) -> None:
        while not self.should_stop:
            await self.sleep(BEAT_S)
            await self._heartbeat.round()
            self._watch()

    def _watch(self) -> None:
        """Crash where a partition makes no progress for no known reason: the supervisor restarts the worker."""
        now = time.monotonic()
        stalled, self._watched = now - self._watched > STALLED_S, now
        for owned in self.owned.values():
            if stalled:  # the whole process stood still: nothing could progress
                owned.progressed()
            elif now - owned.progressed_at > STUCK_S:
                raise StuckError(f"{owned.partition}: no progress for {STUCK_S:.0f} s, for no known reason")


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """Only notes what happened: the library would swallow an exception raised here."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        del revoked
        self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumer.assigned(assigned)
