"""A compacted topic that one process writes at a time.

It writes in transactions under one name, so that a former writer that wakes up can't write any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from stream_app.errors import StreamAppError

from .producer import COPIES

_log = structlog.get_logger(__name__)

REQUEST_MS: Final = 15_000


class TopicRecord(NamedTuple):
    """A record to write.

    Attributes:
        key: which record it replaces.
        value: ``None``: there is none any more.
        at: its time, ms; ``None``: now.
        partition: where; modulo the topic's partitions.
    """

    key: bytes
    value: bytes | None
    at: int | None = None
    partition: int = 0


class FencedTopic:
    """Writes records to the topic; connects when there is something to write."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        topic: str,
        writer: str,
        *,
        like: str = "",
        config: Mapping[str, str] | None = None,
    ) -> None:
        """Set it up, without connecting.

        Args:
            connection: arguments of aiokafka's clients.
            topic: its name; it is created where it is missing, if that is allowed.
            writer: the transactional id: of all producers with it, only the latest may write.
            like: the topic that has as many partitions as a new one gets; empty: one partition.
            config: settings of a new topic besides its compaction.
        """
        self._connection = connection
        self.name = topic
        self._writer = writer
        self._like = like
        self._config = {"cleanup.policy": "compact", **(config or {})}
        self._partitions = 1
        self._producer: AIOKafkaProducer | None = None

    async def write(self, records: Iterable[TopicRecord], confirm: Callable[[], Awaitable[None]]) -> None:
        """Write records, all or none, and return once the brokers have them.

        Args:
            records: what to write.
            confirm: raises if somebody else writes by now. Called after connecting, which takes the topic away from everybody
                else: whoever slept since it read what it writes would write it over something newer.

        Raises:
            StreamAppError: the brokers refuse them, or another process has taken over.
        """
        try:
            producer = self._producer
            if producer is None:
                producer = await self._connect()
                await confirm()
            async with producer.transaction():
                sent = []
                for record in records:
                    future = await producer.send(
                        self.name,
                        record.value,
                        key=record.key,
                        partition=record.partition % self._partitions,
                        timestamp_ms=record.at,
                    )
                    future.add_done_callback(_looked_at)
                    sent.append(future)
                await asyncio.gather(*sent)
        except KafkaError as error:
            await self.close()  # its state is unknown: begin afresh next time
            raise StreamAppError(f"Kafka, topic {self.name}: {type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await producer.stop()
            except KafkaError as error:
                _log.debug("topic_not_closed", topic=self.name, error=str(error))

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
        self._partitions = len(await producer.partitions_for(self.name)) or 1
        return producer

    async def _create(self, producer: AIOKafkaProducer) -> None:
        """Create the topic; where that is not allowed, it may exist already."""
        cluster = producer.client.cluster
        if cluster.controller is None:  # a mock cluster has none; its topics create themselves
            return
        admin = AIOKafkaAdminClient(**self._connection)
        try:
            await admin.start()
            if self.name in await admin.list_topics():
                return
            partitions = len(await producer.partitions_for(self._like)) if self._like else 1
            copies = min(COPIES, len(cluster.brokers()))
            answer = await admin.create_topics(
                [NewTopic(self.name, partitions, copies, topic_configs=self._config)]
            )
        finally:
            await admin.close()
        (_, code, *_rest) = answer.topic_errors[0]
        if code and for_code(code) is not TopicAlreadyExistsError:
            _log.warning("topic_not_made", topic=self.name, error=for_code(code).__name__)


def _looked_at(sent: asyncio.Future[Any]) -> None:
    """Retrieve a failed record's error, which the transaction raises as well, so that asyncio does not log it."""
    if not sent.cancelled():
        sent.exception()
