"""Heartbeat: what a worker reports about its partitions every second, apart from the exact counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from stream_app.errors import StoreUnavailableError
from stream_app.model.ports import Beat, Partition

from .broker import Broker
from .hearing import Hearing
from .partition import MUST_CLAIM_AGAIN, Owned

_log = structlog.get_logger(__name__)

MIRROR_S: Final = 5.0
ASK_S: Final = 2.0
"""How long Kafka may take to answer queries that counting does not need."""


class Heartbeat:
    """Reports on the partitions in ``owned``, and has them claimed again where that is needed."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        broker: Broker,
        owned: Mapping[TopicPartition, Owned],
        claim_again: Callable[[TopicPartition, Owned, Exception | None], None],
        *,
        owner: str,
        targets_version: Callable[[], Awaitable[int]],
        lag: Callable[[Partition, int], None],
        ahead: Callable[[int], None],
    ) -> None:
        """Take the arguments of ``Consumer``, see there."""
        self._consumer = consumer
        self._broker = broker
        self._owned = owned
        self._claim_again = claim_again
        self._owner = owner
        self._settings_version = targets_version
        self._lag = lag
        self._ahead = ahead
        self._hearing: dict[TopicPartition, Hearing] = {}
        self._mirrored: dict[TopicPartition, int] = {}
        self._mirrored_at = time.monotonic()

    async def round(self) -> None:
        """Do what is due every second."""
        for gone in self._hearing.keys() - self._owned.keys():
            del self._hearing[gone]
        for tp, owned in list(self._owned.items()):
            if owned.ready and owned.claim is not None:
                await self._beat(tp, owned)
                await self._explain(tp, owned)
        await self._follow_targets()
        if time.monotonic() - self._mirrored_at >= MIRROR_S:
            await self.mirror()
            await self._same_topic()

    async def _beat(self, tp: TopicPartition, owned: Owned) -> None:
        claim = owned.claim
        try:
            end, heard = self._consumer.highwater(tp), self._consumer.last_poll_timestamp(tp)
            if claim is None or end is None or heard is None:
                return
            if owned.idle.is_set():
                owned.passed = await self._consumer.position(tp)
            position = owned.next_offset
            self._lag(owned.partition, max(0, end - position))
            hearing = self._hearing.setdefault(tp, Hearing())
            ahead = await claim.beat(
                Beat(
                    heard_ago=hearing.ago(heard),
                    clock=hearing.wall(),
                    owner=self._owner,
                    position=position,
                    end=end,
                    read_at=owned.read_at,
                    waits=hearing.waits(position, end),
                )
            )
            self._ahead(ahead)
        except MUST_CLAIM_AGAIN as error:
            # The store was rolled back, or another worker claimed: without a record to store nothing else would notice.
            _log.warning("claim_lost", partition=str(owned.partition), error=str(error))
            if owned.idle.is_set() and owned.claim is claim:
                owned.claim = None
                self._claim_again(tp, owned, error)
        except (StoreUnavailableError, KafkaError, IllegalStateError, AssertionError) as error:
            # The library asserts where the partition was taken away meanwhile.
            _log.debug("beat_missed", partition=str(owned.partition), error=str(error))

    async def _explain(self, tp: TopicPartition, owned: Owned) -> None:
        """Look up in the log why offsets between records hold none."""
        if owned.unexplained is None:
            return
        start, end, _ = owned.unexplained
        with suppress(KafkaError, TimeoutError):  # the next round tries again
            found = await asyncio.wait_for(self._broker.look(tp, start, end), ASK_S)
            if found.record is None:
                owned.explain(found.kind)
            else:
                _log.error("record_not_counted", partition=str(owned.partition), offset=found.record)

    async def _same_topic(self) -> None:
        """Check that the topic is the same: a recreated one may outgrow the consumer's position before it reads again."""
        for topic in {tp.topic for tp in self._owned}:
            with suppress(KafkaError, TimeoutError):
                topic_id = await asyncio.wait_for(self._broker.topic_id(topic), ASK_S)
                for tp, owned in list(self._owned.items()):
                    if tp.topic == topic and owned.ready and not owned.is_of(topic_id):
                        self._claim_again(tp, owned, None)  # which reports it and stops the worker

    async def _follow_targets(self) -> None:
        """Claim again once another version of the targets was applied, which pins it at a known position."""
        try:
            version = await self._settings_version()
        except StoreUnavailableError:
            return
        for tp, owned in list(self._owned.items()):
            if owned.ready and owned.claim is not None and owned.claim.version != version:
                _log.info("targets_changed", partition=str(owned.partition), version=version)
                owned.ready = False
                await owned.idle.wait()
                owned.claim = None
                self._claim_again(tp, owned, None)

    async def mirror(self) -> None:
        """Commit the positions to Kafka, for lag tools and people; nothing depends on it."""
        self._mirrored_at = time.monotonic()
        offsets = {
            tp: owned.position
            for tp, owned in self._owned.items()
            if owned.position is not None and self._mirrored.get(tp) != owned.position
        }
        if not offsets:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(offsets), ASK_S)
            self._mirrored |= offsets
        except (CommitFailedError, KafkaError, IllegalStateError, TimeoutError) as error:
            _log.debug("mirror_failed", error=str(error))
