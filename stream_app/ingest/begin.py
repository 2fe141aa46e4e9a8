"""Where to read a partition from: compares what the store has counted with what the topic still holds."""

from __future__ import annotations

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_app.errors import LostDataError
from stream_app.model.fold.deltas import Gap

from .partition import Owned

_log = structlog.get_logger(__name__)


async def beginning(
    consumer: AIOKafkaConsumer, tp: TopicPartition, owned: Owned, *, accept_lost: bool
) -> int:
    """Return the offset to go on from, for a partition that has been claimed.

    Args:
        consumer: the consumer to which the partition is assigned.
        tp: the partition as the consumer knows it.
        owned: the same partition as this worker owns it.
        accept_lost: count records that retention deleted before they were read as a gap, and go on.

    Raises:
        LostDataError: going on would skip records, or mix counts of different logs.
        KafkaError, StoreUnavailableError: retry.
    """
    begin = (await consumer.beginning_offsets([tp]))[tp]
    end = (await consumer.end_offsets([tp]))[tp]
    position = owned.position
    if position is None:
        read = max(await consumer.committed(tp) or 0, owned.known or 0)
        if read > begin and not accept_lost:
            raise LostDataError(
                f"{owned.partition}: the consumer group has read up to offset {read}, but the store has no counts of this "
                "partition: it was wiped, or is another store. `stream-app rebuild` counts again what the topic still holds"
            )
        owned.begin = begin
        return int(begin)
    if position > end:
        raise LostDataError(
            f"{owned.partition}: counted up to offset {position}, but the topic ends at {end}: it was created again. "
            "`stream-app rebuild` discards the counters and counts what the topic holds"
        )
    if position >= begin:
        return position
    if not accept_lost:
        raise LostDataError(
            f"{owned.partition}: {begin - position} records (offsets {position} to {begin - 1}) were deleted by the topic's "
            "retention before they were read. Set STREAM_APP_ON_LOST=accept to count them as a gap and go on"
        )
    _log.error("records_lost", partition=str(owned.partition), records=begin - position)
    await owned.skip_to(begin, Gap.DELETED)
    return int(begin)
