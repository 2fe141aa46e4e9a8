"""Queries to the broker that the consumer's interface lacks: what is at an offset, and which topic this is.

The consumer's position proves nothing: when a read fails half way, it also moves past records that were never delivered.
So the log itself is queried for whether offsets hold records.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final, NamedTuple
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)
from aiokafka.record.memory_records import MemoryRecords

from stream_app.model.fold.deltas import Gap

WAIT_MS: Final = 100
FETCH_BYTES: Final = 4 * 1024 * 1024
_NO_ID: Final = UUID(int=0)


class Stretch(NamedTuple):
    """What a stretch of the log holds.

    Attributes:
        end: the offset up to which the log was seen.
        record: the offset of the first record before ``end``, if there is one.
        kind: why there is no record, where there is none.
    """

    end: int
    record: int | None
    kind: Gap


class Broker:
    """Queries the broker over the consumer's own connection."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Take a consumer, which need not be started before the first query."""
        self._client = consumer._client  # noqa: SLF001 - our own client would be a second connection

    async def look(self, tp: TopicPartition, start: int, end: int) -> Stretch:
        """Read offsets from ``start`` on, to ``end`` or to the first record.

        Records of aborted transactions do not count as records: they never happened.

        Raises:
            KafkaError: no answer, or ``start`` is no longer in the log.
        """
        at, kind = start, Gap.COMPACTION
        while at < end:
            data, aborted = await self._fetch(tp, at)
            if not data:
                break
            if _has_transactions(data, at, end):
                kind = Gap.TRANSACTION
            records = PartitionRecords(
                tp, MemoryRecords(data), aborted, at, None, None, True, READ_COMMITTED
            )  # fmt: skip
            for record in records:
                if record.offset >= end:
                    return Stretch(end, None, kind)
                return Stretch(record.offset, record.offset, kind)
            if records.next_fetch_offset <= at:  # less than one batch: the answer was truncated
                break
            at = records.next_fetch_offset
        return Stretch(min(at, end), None, kind)

    async def _fetch(self, tp: TopicPartition, offset: int) -> tuple[bytes, list[tuple[int, int]]]:
        """Fetch batches from the one that holds ``offset`` on, and which of their transactions were aborted."""
        leader = self._client.cluster.leader_for_partition(tp)
        request = FetchRequest(
            WAIT_MS, 1, FETCH_BYTES, READ_COMMITTED, [(tp.topic, [(tp.partition, offset, FETCH_BYTES)])]
        )
        response = await self._client.send(leader, request)
        ((_, ((_, code, _, *rest),)),) = response.topics
        if code:
            raise for_code(code)(f"{tp}: offset {offset}")
        return rest[-1] or b"", rest[2 if response.API_VERSION >= 11 else -2] or []

    async def topic_id(self, topic: str) -> str | None:
        """Return the id of the topic that now has this name; ``None`` from a broker whose topics have no ids.

        Raises:
            KafkaError: no answer, or no such topic.
        """
        try:
            answer = await self._client.send(self._client.get_random_node(), _TopicRequest(topic))
        except NotImplementedError:  # before Kafka 3.1
            return None
        ((code, _, topic_id, *_),) = answer.topics
        if code:
            raise for_code(code)(topic)
        return None if topic_id == _NO_ID else str(topic_id)


def _has_transactions(data: bytes, start: int, end: int) -> bool:
    """Return whether there are a transaction's records or markers between two offsets."""
    batches = MemoryRecords(data)
    while batches.has_next():
        batch = batches.next_batch()
        if getattr(batch, "base_offset", end) >= end:  # before Kafka 0.11, batches had no transactions
            return False
        if batch.next_offset > start and (batch.is_control_batch or batch.is_transactional):
            return True
    return False


# --- Metadata, version 12: the oldest one that looks up a topic by name and returns its id ---


class _Uuid(AbstractType):  # type: ignore[misc]  # aiokafka is not typed
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_NAME: Final = CompactString("utf-8")


class _TopicResponse(Response):  # type: ignore[misc]  # aiokafka is not typed
    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), ("tags", TaggedFields)
            ),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _NAME),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _TopicRequestV12(RequestStruct):  # type: ignore[misc]  # same
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _TopicResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _NAME), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicRequest(Request[_TopicRequestV12]):  # type: ignore[misc]  # same
    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class([(_NO_ID, self._topic, {})], False, False, {})
