"""Heartbeat: what a worker says of its partitions every second, outside of the exact part."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from stream_app.errors import StoreUnavailableError
from stream_app.model.ports import Beat, Partition

from .partition import MUST_CLAIM_AGAIN, Owned

_log = structlog.get_logger(__name__)

MIRROR_S: Final = 5.0


class Heartbeat:
    """Keeps the outside informed of the partitions in ``owned``."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        owned: Mapping[TopicPartition, Owned],
        claim_again: Callable[[TopicPartition, Owned, Exception | None], None],
        *,
        owner: str,
        settings_version: Callable[[], Awaitable[int]],
        lag: Callable[[Partition, int], None],
    ) -> None:
        """See ``Consumer``, whose arguments these are."""
        self._consumer = consumer
        self._owned = owned
        self._claim_again = claim_again
        self._owner = owner
        self._settings_version = settings_version
        self._lag = lag
        self._mirrored: dict[TopicPartition, int] = {}
        self._mirrored_at = time.monotonic()

    async def round(self) -> None:
        """One second's duties."""
        for tp, owned in list(self._owned.items()):
            if owned.ready and owned.claim is not None:
                await self._beat(tp, owned)
        await self._follow_settings()
        if time.monotonic() - self._mirrored_at >= MIRROR_S:
            await self.mirror()

    async def _beat(self, tp: TopicPartition, owned: Owned) -> None:
        claim = owned.claim
        try:
            end, heard = self._consumer.highwater(tp), self._consumer.last_poll_timestamp(tp)
            if claim is None or end is None or heard is None:
                return
            if owned.idle.is_set():
                await self._close_gap(tp, owned)
            position = owned.next_offset
            self._lag(owned.partition, max(0, end - position))
            # Not the clock but when the broker was heard of last: a worker cut off from Kafka must not look fresh.
            await claim.beat(
                Beat(at=heard, owner=self._owner, position=position, end=end, read_at=owned.read_at)
            )
        except MUST_CLAIM_AGAIN as error:
            # The store was rolled back, or someone else claimed: without a record to store nobody else would notice.
            _log.warning("claim_lost", partition=str(owned.partition), error=str(error))
            if owned.idle.is_set() and owned.claim is claim:
                owned.claim = None
                self._claim_again(tp, owned, error)
        except (StoreUnavailableError, KafkaError, IllegalStateError, AssertionError) as error:
            # The assertion is the library's: the partition was taken away meanwhile.
            _log.debug("beat_missed", partition=str(owned.partition), error=str(error))

    async def _close_gap(self, tp: TopicPartition, owned: Owned) -> None:
        """The consumer went past offsets without records: so do we, or the lag would never end."""
        reached = await self._consumer.position(tp)
        if owned.ready and owned.idle.is_set() and reached > owned.next_offset:
            owned.idle.clear()
            try:
                await owned.skip_to(reached)
            except MUST_CLAIM_AGAIN as error:
                owned.claim = None
                self._claim_again(tp, owned, error)
            finally:
                owned.idle.set()

    async def _follow_settings(self) -> None:
        """Another version of the settings was applied: claim anew, which pins it at a known position."""
        try:
            version = await self._settings_version()
        except StoreUnavailableError:
            return
        for tp, owned in list(self._owned.items()):
            if owned.ready and owned.claim is not None and owned.claim.version != version:
                _log.info("settings_changed", partition=str(owned.partition), version=version)
                owned.ready = False
                await owned.idle.wait()
                owned.claim = None
                self._claim_again(tp, owned, None)

    async def mirror(self) -> None:
        """Tell Kafka where we are, for lag tools and for human eyes; nothing depends on it."""
        self._mirrored_at = time.monotonic()
        offsets = {
            tp: owned.position
            for tp, owned in self._owned.items()
            if owned.position is not None and self._mirrored.get(tp) != owned.position
        }
        if not offsets:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(offsets), 2.0)
            self._mirrored |= offsets
        except (CommitFailedError, KafkaError, IllegalStateError, TimeoutError) as error:
            _log.debug("mirror_failed", error=str(error))
