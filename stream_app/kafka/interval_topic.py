"""The topic of interval rows: every final row and every revision, for programs that read Kafka.

Compacted and in one partition, so in the order of revisions: reading it to its end yields the current table. Written in
transactions under one name, so a former publisher that wakes up can't write any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from stream_app.errors import StreamAppError
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.intervals.counting import NUMBERS

from .fenced_topic import FencedTopic, TopicRecord

EncodeRow = Callable[[IntervalRow], tuple[bytes, bytes]]
"""A row → the record's key and value."""


class IntervalTopic:
    """Writes rows to the topic; connects when there is something to write."""

    def __init__(self, connection: Mapping[str, Any], topic: str, writer: str, encode: EncodeRow) -> None:
        """Set it up, without connecting; see ``FencedTopic``, and ``encode`` turns rows into records."""
        self._topic = FencedTopic(connection, topic, writer)
        self._encode = encode

    async def write(self, rows: Iterable[IntervalRow], confirm: Callable[[], Awaitable[None]]) -> None:
        """Write rows, all or none; see ``FencedTopic.write``."""
        await self._topic.write(
            (TopicRecord(*self._encode(row), at=row.revision // NUMBERS) for row in rows), confirm
        )

    async def close(self) -> None:
        """Disconnect."""
        await self._topic.close()


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
