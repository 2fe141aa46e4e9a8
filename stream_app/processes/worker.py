"""The worker: builds its objects from settings and owns the order in which they start and stop."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer

from stream_app import __version__
from stream_app.clocks import wall_ms
from stream_app.failpoints import Failpoints
from stream_app.ingest import dialects
from stream_app.ingest.consumer import Consumer, Put
from stream_app.ingest.dialects import Decode
from stream_app.ingest.hold import Hold
from stream_app.ingest.host import Worker, add_agent, add_service, make_app
from stream_app.ingest.partition import Owned
from stream_app.kafka.connection import reachable, security
from stream_app.kafka.interval_topic import IntervalTopic, record_of
from stream_app.model.fold.arrays import COMPILED
from stream_app.model.ports import Partition
from stream_app.settings import Settings
from stream_app.store.client import refuse_cluster
from stream_app.store.intervals.commands import IntervalStore
from stream_app.store.intervals.publisher import Publisher
from stream_app.store.intervals.reader import IntervalReader
from stream_app.store.intervals.retiring import Retiring
from stream_app.store.redis import RedisStore
from stream_app.store.topics import Topics
from stream_app.telemetry import Telemetry

from .metrics import serve_metrics
from .publishing import Publishing

_log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> None:
    """Fold until stopped. Does not return: the host exits, with 0 after SIGTERM or SIGINT."""
    tune_collector()
    decode = dialects.load(settings.dialect, settings.source_zone)
    asyncio.run(refuse_cluster(settings.redis_url.get_secret_value()))
    with tempfile.TemporaryDirectory(prefix="stream-app-") as datadir:
        app = make_app(settings.group, datadir)
        parts = Parts(settings, decode, add_agent(app))
        add_service(app, parts.consumer)
        add_service(app, parts.publishing)
        app.flow_control.resume()  # Faust's own Kafka client, which would do it, is off
        serve_metrics(settings, parts.telemetry.registry)
        gc.freeze()
        _log.info("starting", version=__version__, fold="compiled" if COMPILED else "python")
        Worker(app).execute_from_commandline()


class Parts:
    """The parts of a worker. The host makes the services inside its loop, and they find each other through this object."""

    def __init__(self, settings: Settings, decode: Decode, put: Put) -> None:
        """Wire them up; ``put`` passes batches to the host."""
        self.telemetry = Telemetry()
        self.telemetry.started_at.set(wall_ms() / 1000)
        self._settings, self._decode, self._put = settings, decode, put
        self._failpoints = Failpoints.from_environment()
        self._store = RedisStore(
            settings.redis_url.get_secret_value(),
            queue_cap=settings.queue_cap,
            outbox_bytes=settings.outbox_bytes,
        )
        self._hold = Hold(Topics(self._store.client).found, self.expected)
        self._client: AIOKafkaConsumer | None = None
        self.telemetry.held.set_function(lambda: len(self._hold.held))
        for kind, names in (("queue", self._store.queues), ("channel", self._store.channels)):
            self.telemetry.names_full.labels(kind).set_function(partial(getattr, names, "full"))

    def expected(self) -> set[Partition]:
        """Return all partitions that the topic has, as far as is known."""
        topic = self._settings.topic
        known = self._client.partitions_for_topic(topic) if self._client else None
        return {Partition(topic, number) for number in known or ()}

    def consumer(self, **kwargs: Any) -> Consumer:
        """Make the service that reads and counts."""
        settings, telemetry = self._settings, self.telemetry
        self._client = _client(settings)
        return _Counting(
            self._client,
            settings.topic,
            self._own,
            self._put,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            batch_records=settings.batch_records,
            on_lost=settings.on_lost,
            targets_version=self._store.targets_version,
            lag=lambda partition, n: telemetry.lag.labels(str(partition)).set(n),
            ahead=lambda ms: telemetry.clock_ahead.set(ms / 1000),
            around_start=lambda: reachable(settings),
            after_stop=self._store.close,
            **kwargs,
        )

    def publishing(self, **kwargs: Any) -> Publishing:
        """Make the service that publishes interval rows."""
        topic = _interval_topic(self._settings)
        return Publishing(_publisher(self._settings, topic, self.expected), topic, self.telemetry, **kwargs)

    def _own(self, partition: Partition) -> Owned:
        return Owned(
            partition,
            self._store,
            self._decode,
            self.telemetry,
            self._failpoints,
            max_bytes=self._settings.max_event_bytes,
            max_dead_in_a_row=self._settings.max_dead_in_a_row,
            admit=self._hold.admit,
            keeps_ledger=bool(self._settings.ledger),
        )


class _Counting(Consumer):
    """A consumer that reports in one line why it can't start, and closes the store after the last commit."""

    def __init__(
        self,
        *args: Any,
        around_start: Callable[[], AbstractContextManager[None]],
        after_stop: Callable[[], Awaitable[None]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._around_start, self._after_stop = around_start, after_stop

    async def on_start(self) -> None:
        with self._around_start():
            await super().on_start()

    async def on_stop(self) -> None:
        await super().on_stop()
        await self._after_stop()


def _interval_topic(settings: Settings) -> IntervalTopic | None:
    """Return the topic that gets interval rows, if there is one."""
    if not settings.intervals_topic:
        return None
    writer = f"{settings.group}-{settings.intervals_topic}"
    return IntervalTopic(security(settings), settings.intervals_topic, writer, record_of)


def _publisher(
    settings: Settings, topic: IntervalTopic | None, expected: Callable[[], set[Partition]]
) -> Publisher:
    url = settings.redis_url.get_secret_value()
    store = IntervalStore(url, settings.intervals_days)
    return Publisher(
        store,
        wall_ms,
        grace_ms=settings.intervals_grace_s * 1000,
        expected=expected,
        reader=IntervalReader(url),
        retiring=Retiring(store.client, settings.queue_cap),
        tell=topic.write if topic else None,
    )


def tune_collector() -> None:
    """Run the garbage collector rarely: events make no cycles, and scanning them costs a fifth of the speed."""
    gc.set_threshold(400_000, 50, 100)


def _client(settings: Settings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **security(settings),
        group_id=settings.group,
        client_id=f"stream-app-{os.getpid()}",
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",  # an aborted transaction never happened
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=max(300, settings.session_timeout_ms // 4),
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=100,
        metadata_max_age_ms=30_000,
    )
