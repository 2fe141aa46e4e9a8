"""Composition root: builds objects from settings and owns the order in which they start and stop."""

from __future__ import annotations

import gc
import os
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from prometheus_client import start_http_server

from .failpoints import Failpoints
from .ingest import dialects
from .ingest.host import Worker, add_agent, make_app
from .ingest.kafka import Consumer
from .ingest.partition import Owned
from .interval_topic import IntervalTopic, record_of
from .kafka import security
from .model.ports import Partition
from .publishing import Publishing
from .settings import Settings
from .store.reader import wall_ms
from .store.redis import RedisStore
from .store.rows.published import Published
from .store.rows.publisher import Publisher
from .store.rows.reader import IntervalReader
from .telemetry import Telemetry

_log = structlog.get_logger(__name__)

METRICS_PORTS = 32
"""Workers on one machine take the next free port after the configured one."""


def run_worker(settings: Settings) -> None:
    """Fold until told to stop. Does not return: the host exits, with 0 after SIGTERM or SIGINT."""
    tune_collector()
    decode = dialects.load(settings.dialect)
    with tempfile.TemporaryDirectory(prefix="stream-app-") as datadir:
        app = make_app(settings.group, datadir)
        telemetry = Telemetry()
        failpoints = Failpoints.from_environment()
        store = RedisStore(settings.redis_url.get_secret_value(), queue_cap=settings.queue_cap)
        for kind, names in (("queue", store.queues), ("channel", store.channels)):
            telemetry.names_full.labels(kind).set_function(partial(getattr, names, "full"))
        put = add_agent(app)

        def own(partition: Partition) -> Owned:
            return Owned(
                partition,
                store,
                decode,
                telemetry,
                failpoints,
                max_bytes=settings.max_event_bytes,
                max_dead_in_a_row=settings.max_dead_in_a_row,
            )

        consumers: list[AIOKafkaConsumer] = []

        def expected() -> set[Partition]:
            """All partitions that the topic has, as far as is known."""
            known = consumers[-1].partitions_for_topic(settings.topic) or () if consumers else ()
            return {Partition(settings.topic, number) for number in known}

        @app.service
        class Kafka(Consumer):
            """Made by the host inside its loop."""

            def __init__(self, **kwargs: Any) -> None:
                consumers.append(_consumer(settings))
                super().__init__(
                    consumers[-1],
                    settings.topic,
                    own,
                    put,
                    owner=f"{socket.gethostname()}:{os.getpid()}",
                    batch_records=settings.batch_records,
                    on_lost=settings.on_lost,
                    settings_version=store.settings_version,
                    lag=lambda partition, n: telemetry.lag.labels(str(partition)).set(n),
                    **kwargs,
                )

            async def on_stop(self) -> None:
                await super().on_stop()
                await store.close()

        @app.service
        class Intervals(Publishing):
            """Made by the host inside its loop."""

            def __init__(self, **kwargs: Any) -> None:
                topic = _interval_topic(settings)
                super().__init__(_publisher(settings, topic, expected), topic, telemetry, **kwargs)

        del Kafka, Intervals
        app.flow_control.resume()  # nobody else does: Faust's own Kafka client is off
        serve_metrics(settings, telemetry)
        gc.freeze()
        Worker(app).execute_from_commandline()


def _interval_topic(settings: Settings) -> IntervalTopic | None:
    """Where rows go beside Redis, if anywhere."""
    if not settings.intervals_topic:
        return None
    writer = f"{settings.group}-{settings.intervals_topic}"
    return IntervalTopic(security(settings), settings.intervals_topic, writer, record_of)


def _publisher(
    settings: Settings, topic: IntervalTopic | None, expected: Callable[[], set[Partition]]
) -> Publisher:
    url = settings.redis_url.get_secret_value()
    return Publisher(
        Published(url, settings.intervals_days),
        wall_ms,
        grace_ms=settings.intervals_grace_s * 1000,
        expected=expected,
        reader=IntervalReader(url),
        tell=topic.write if topic else None,
    )


def tune_collector() -> None:
    """Let the collector run rarely: events make no cycles, and scanning them costs a fifth of the speed."""
    gc.set_threshold(400_000, 50, 100)


def _consumer(settings: Settings) -> AIOKafkaConsumer:
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


def serve_metrics(settings: Settings, telemetry: Telemetry) -> int:
    """Offer the worker's own metrics; gives the port, 0 if it is off or none is free."""
    if settings.metrics_port == 0:
        return 0
    for port in range(settings.metrics_port, settings.metrics_port + METRICS_PORTS):
        try:
            start_http_server(port, addr=settings.metrics_host, registry=telemetry.registry)
        except OSError:
            continue
        _log.info("metrics", url=f"http://{settings.metrics_host}:{port}/metrics")
        return port
    _log.warning("no_free_metrics_port", first=settings.metrics_port)
    return 0
