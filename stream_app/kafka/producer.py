"""A producer that fills whole batches itself, many times faster than one ``send`` per record."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from stream_app.errors import StreamAppError

PARTITIONS: Final = 4
COPIES: Final = 3
"""Replicas of each partition, where there are that many brokers."""
BATCH_BYTES: Final = 256 * 1024
STOP_S: Final = 3.0
Compression = Literal["none", "lz4"]


class Record(NamedTuple):
    """A record for Kafka: its key, its time in milliseconds, its bytes."""

    key: str
    at: int
    value: bytes


class Topic:
    """A Kafka topic to write to, and an async context manager."""

    def __init__(self, connection: Mapping[str, Any], topic: str, compression: Compression = "lz4") -> None:
        """Set it up, without connecting; ``connection`` holds arguments of aiokafka's clients."""
        self._connection = connection
        self._topic = topic
        self._compression = None if compression == "none" else compression
        self._producer: AIOKafkaProducer = None

    async def __aenter__(self) -> Self:
        """Connect, and create the topic if it is missing and that is allowed.

        Raises:
            StreamAppError: no broker answers, or the topic does not exist.
        """
        refusal = ""
        self._producer = AIOKafkaProducer(
            **self._connection,
            acks="all",
            enable_idempotence=True,
            compression_type=self._compression,
            max_batch_size=BATCH_BYTES,
            max_request_size=16 * BATCH_BYTES,
            request_timeout_ms=15_000,
        )
        try:
            await self._producer.start()
            refusal = await self._create()
            partitions = await self._producer.partitions_for(self._topic)
        except KafkaError as error:
            await self._stop()
            where = f"Kafka at {self._connection['bootstrap_servers']}, topic {self._topic}"
            raise StreamAppError(f"{where}: {refusal or error}") from None
        count = len(partitions)
        ids = sorted(partitions)

        @lru_cache(maxsize=200_000)  # hashing is slow, and a contact's events come one after the other
        def partition_of(record_key: str) -> int:
            return int(ids[(murmur2(record_key.encode()) & 0x7FFF_FFFF) % count])

        self._partition_of = partition_of
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect, after a moment for what is in flight."""
        await self._stop()

    async def send(self, records: Iterable[Record]) -> None:
        """Write records, and return once the brokers have them.

        Raises:
            StreamAppError: the brokers refuse them.
        """
        batches: dict[int, BatchBuilder] = defaultdict(self._producer.create_batch)
        under_way: list[asyncio.Future[Any]] = []
        try:
            for key, at, value in records:
                partition = self._partition_of(key)
                record = {"timestamp": at, "key": key.encode(), "value": value}
                if batches[partition].append(**record) is None:
                    under_way.append(await self._send(batches.pop(partition), partition))
                    batches[partition].append(**record)
            for partition, batch in batches.items():
                under_way.append(await self._send(batch, partition))
            await asyncio.gather(*under_way)
        except KafkaError as error:
            raise StreamAppError(f"Kafka, topic {self._topic}: {error}") from None

    async def _send(self, batch: BatchBuilder, partition: int) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self._producer.send_batch(batch, self._topic, partition=partition)
        return future

    async def _create(self) -> str:
        """Create the topic, and return why it could not be; it may exist already.

        Its broker stamps records: by the events' times, retention would delete an older recording before it was read.
        """
        cluster = self._producer.client.cluster
        if cluster.controller is None:  # a mock cluster has none; its topics create themselves
            return "no broker controls the cluster"
        admin = AIOKafkaAdminClient(**self._connection)
        copies = min(COPIES, len(cluster.brokers()))
        try:
            await admin.start()
            topic = NewTopic(
                self._topic, PARTITIONS, copies, topic_configs={"message.timestamp.type": "LogAppendTime"}
            )
            answer = await admin.create_topics([topic])
        except KafkaError as error:
            return str(error)
        finally:
            await admin.close()
        (_, code, *message) = answer.topic_errors[0]
        return " ".join([for_code(code).__name__, *filter(None, message)]) if code else ""

    async def _stop(self) -> None:
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(self._producer.stop(), STOP_S)
