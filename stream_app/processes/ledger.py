"""The ``ledger`` process: the writer of the ledger, and its metrics."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import structlog

from stream_app.clocks import wall_ms
from stream_app.errors import BadSettingsError
from stream_app.failpoints import Failpoints
from stream_app.kafka.connection import security
from stream_app.kafka.row_topic import FencedRowTopic
from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.libraries import library
from stream_app.ledger.partition_writer import PartitionWriter
from stream_app.ledger.places import open_storage
from stream_app.ledger.sending import PartitionSender
from stream_app.ledger.storage import LedgerUnavailableError, Storage
from stream_app.ledger.telemetry import LedgerTelemetry
from stream_app.ledger.writer import LedgerWriter
from stream_app.model.ports import Partition
from stream_app.settings import Settings, days_by_table
from stream_app.store.client import refuse_cluster
from stream_app.store.outbox import Outboxes

from .metrics import serve_metrics

_log = structlog.get_logger(__name__)

CHECK_S = 5.0


def write_ledger(settings: Settings) -> None:
    """Write until SIGTERM or SIGINT.

    Raises:
        BadSettingsError: there is no ledger, or its storage can't be used by several writers.
        LedgerMissingError: a library of the extra is not installed.
    """
    library("pyarrow.parquet")
    if unknown := days_by_table(settings.ledger_days).keys() - {"", *TABLES}:
        raise BadSettingsError(
            f"STREAM_APP_LEDGER_DAYS: unknown table {min(unknown)!r}; use one of {', '.join(TABLES)}"
        )
    asyncio.run(_write(settings))


async def _write(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url = settings.redis_url.get_secret_value()
    storage, failpoints, telemetry = open_storage(settings), Failpoints.from_environment(), LedgerTelemetry()
    days = days_by_table(settings.ledger_days)
    await refuse_cluster(url)
    outboxes = Outboxes(url)

    def make(partition: Partition) -> PartitionWriter:
        return PartitionWriter(
            partition,
            outboxes,
            storage,
            TABLES,
            Exploder,
            clock=wall_ms,
            failpoints=failpoints,
            days=days,
            every_ms=settings.ledger_every_s * 1000,
            sender=sender(partition) if settings.ledger_topic else None,
        )

    def sender(partition: Partition) -> PartitionSender:
        name = settings.ledger_topic
        writer = f"{settings.group}-{name}-{partition}"
        topic = FencedRowTopic(security(settings), name, writer, partition.number, like=settings.topic)
        return PartitionSender(partition, storage, TABLES, topic, clock=wall_ms, failpoints=failpoints)

    serve_metrics(settings, telemetry.registry)
    try:
        await _usable(storage, stop)
        await LedgerWriter(outboxes, make, telemetry, wall_ms).run(stop)
    finally:
        await outboxes.close()


async def _usable(storage: Storage, stop: asyncio.Event) -> None:
    """Wait until the storage has shown that it never replaces a file.

    Raises:
        BadSettingsError: it does replace files.
    """
    problem = ""
    while not stop.is_set():
        try:
            await storage.check()
        except LedgerUnavailableError as error:
            if str(error) != problem:
                _log.warning("ledger_not_written", partition="all", error=str(error))
            problem = str(error)
        else:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_S):
                await stop.wait()
