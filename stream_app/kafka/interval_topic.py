"""The topic of interval rows: every final row and every revision, for programs that read Kafka.

Compacted and in one partition, so in the order of revisions: reading it to its end yields the current table. Written in
transactions under one name, so a former publisher that wakes up can't write any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from stream_app.errors import StreamAppError
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.intervals.counting import NUMBERS

from .producer import COPIES

_log = structlog.get_logger(__name__)

REQUEST_MS: Final = 15_000
EncodeRow = Callable[[IntervalRow], tuple[bytes, bytes]]
"""A row → the record's key and value."""


class IntervalTopic:
    """Writes rows to the topic; connects when there is something to write."""

    def __init__(self, connection: Mapping[str, Any], topic: str, writer: str, encode: EncodeRow) -> None:
        """Set it up, without connecting.

        Args:
            connection: arguments of aiokafka's clients.
            topic: its name; it is created where it is missing, if that is allowed.
            writer: the transactional id: of all producers with it, only the latest may write.
            encode: turns rows into records.
        """
        self._connection = connection
        self._topic = topic
        self._writer = writer
        self._encode = encode
        self._producer: AIOKafkaProducer | None = None

    async def write(self, rows: Iterable[IntervalRow], confirm: Callable[[], Awaitable[None]]) -> None:
        """Write rows, all or none, and return once the brokers have them.

        Args:
            rows: what to write.
            confirm: raises if somebody else writes by now. Called after connecting, which takes the topic away from everybody
                else: whoever slept since it read the rows would write them over newer ones.

        Raises:
            StreamAppError: the brokers refuse them, or another publisher has taken over.
        """
        try:
            producer = self._producer
            if producer is None:
                producer = await self._connect()
                await confirm()
            async with producer.transaction():
                sent = []
                for row in rows:
                    key, value = self._encode(row)
                    future = await producer.send(
                        self._topic, value, key=key, partition=0, timestamp_ms=row.revision // NUMBERS
                    )
                    future.add_done_callback(_looked_at)
                    sent.append(future)
                await asyncio.gather(*sent)
        except KafkaError as error:
            await self.close()  # its state is unknown: begin afresh next time
            raise StreamAppError(f"Kafka, topic {self._topic}: {type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await producer.stop()
            except KafkaError as error:
                _log.debug("interval_topic_not_closed", error=str(error))

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._connection,
            transactional_id=self._writer,
            acks="all",
            compression_type="lz4",
            request_timeout_ms=REQUEST_MS,
        )
        self._producer = producer
        await producer.start()
        await self._create(producer)
        return producer

    async def _create(self, producer: AIOKafkaProducer) -> None:
        """Create the topic; where that is not allowed, it may exist already."""
        cluster = producer.client.cluster
        if cluster.controller is None:  # a mock cluster has none; its topics create themselves
            return
        admin = AIOKafkaAdminClient(**self._connection)
        try:
            await admin.start()
            copies = min(COPIES, len(cluster.brokers()))
            answer = await admin.create_topics(
                [NewTopic(self._topic, 1, copies, topic_configs={"cleanup.policy": "compact"})]
            )
        finally:
            await admin.close()
        (_, code, *_rest) = answer.topic_errors[0]
        if code and for_code(code) is not TopicAlreadyExistsError:
            _log.warning("interval_topic_not_made", topic=self._topic, error=for_code(code).__name__)


def _looked_at(sent: asyncio.Future[Any]) -> None:
    """Retrieve a failed record's error, which the transaction raises as well, so that asyncio does not log it."""
    if not sent.cancelled():
        sent.exception()


def record_of(row: IntervalRow) -> tuple[bytes, bytes]:
    """Return key and value: ``["queue","channel","start"]``; the row as JSON, ``start`` in UTC, durations in milliseconds."""
    start = datetime.fromtimestamp(row.start / 1000, UTC).isoformat()
    key = msgspec.json.encode([row.queue, row.channel, start])
    return key, msgspec.json.encode({**msgspec.structs.asdict(row), "start": start, "waiting": row.waiting})


class _Value(IntervalRow, frozen=True):
    """A record's value: ``start`` as text."""

    start: str  # type: ignore[assignment] # for people and other programs


_values = msgspec.json.Decoder(_Value)


def row_from(value: bytes) -> IntervalRow:
    """Decode the value that ``record_of`` returns.

    Raises:
        ValueError: it is not an interval row.
    """
    told = _values.decode(value)
    start = datetime.fromisoformat(told.start)
    fields = msgspec.structs.asdict(told) | {"start": int(start.timestamp()) * 1000}
    return IntervalRow(**fields)


async def read_table(
    connection: Mapping[str, Any],
    topic: str,
    wanted: Callable[[IntervalRow], bool],
    told: Callable[[int, int], None] = lambda _read, _all: None,
) -> list[IntervalRow]:
    """Read the table that the topic holds: the last revision of each row.

    Args:
        connection: arguments of aiokafka's clients.
        topic: its name.
        wanted: whether to keep a row.
        told: called with the number of records read so far, and of all.

    Returns:
        Rows in the order of queue, channel and time.

    Raises:
        StreamAppError: no broker answers, the topic does not exist, or a record is not a row.
    """
    table: dict[tuple[str, str, int], IntervalRow] = {}
    consumer: AIOKafkaConsumer | None = None
    try:
        consumer = AIOKafkaConsumer(
            topic,
            check_crcs=not await _is_mock(connection),
            **connection,
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        await consumer.start()
        places = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())]
        if not places:
            raise StreamAppError(
                f"topic {topic} does not exist; set STREAM_APP_INTERVALS_TOPIC to the topic of interval rows"
            )
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        total = sum(ends.values()) - sum(begins.values())
        while left := sum([max(0, ends[place] - await consumer.position(place)) for place in places]):
            told(total - left, total)
            for records in (await consumer.getmany(timeout_ms=500, max_records=5_000)).values():
                for record in records:
                    _take(table, record, topic, wanted)
        told(total, total)
    except KafkaConnectionError:
        where = connection["bootstrap_servers"]
        raise StreamAppError(f"no Kafka broker answers at {where} (KAFKA_BOOTSTRAP_SERVERS)") from None
    except KafkaError as error:
        raise StreamAppError(f"Kafka, topic {topic}: {type(error).__name__}: {error}") from None
    finally:
        if consumer is not None:
            await consumer.stop()  # even if it never connected
    return [table[key] for key in sorted(table)]


async def _is_mock(connection: Mapping[str, Any]) -> bool:
    """Return whether it is the demo's broker: it has no controller, and its transaction markers have wrong checksums."""
    client = AIOKafkaClient(**connection)
    try:
        await client.bootstrap()
        return client.cluster.controller is None
    finally:
        await client.close()


def _take(
    table: dict[tuple[str, str, int], IntervalRow],
    record: Any,
    topic: str,
    wanted: Callable[[IntervalRow], bool],
) -> None:
    if record.value is None:
        return
    try:
        row = row_from(record.value)
    except ValueError as error:
        raise StreamAppError(
            f"topic {topic}, partition {record.partition}, offset {record.offset}: invalid interval row: {error}"
        ) from None
    if wanted(row):  # the last record of a row is the one that compaction keeps
        table[row.queue, row.channel, row.start] = row
