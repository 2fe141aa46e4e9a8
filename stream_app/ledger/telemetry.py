"""The ledger writer's own metrics, on an explicit registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Info

from stream_app import __version__
from stream_app.store.outbox import OutboxStanding

from .manifest import Manifest


class LedgerTelemetry:
    """A writer's metrics. What it says of a partition is as of its latest round."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        Info("stream_app_build", "The version of this program.", registry=registry).info(
            {"version": __version__}
        )
        by_partition = ["partition"]
        self.lag_seconds = Gauge(
            "stream_app_ledger_lag_seconds",
            "For how long the oldest entry of the outbox has been there, by partition time.",
            by_partition,
            registry=registry,
        )
        self.lag_entries = Gauge(
            "stream_app_ledger_lag_entries",
            "Commits whose rows are not in the ledger yet.",
            by_partition,
            registry=registry,
        )
        self.outbox_bytes = Gauge(
            "stream_app_ledger_outbox_bytes",
            "Bytes of rows in the outbox.",
            by_partition,
            registry=registry,
        )
        self.files = Gauge("stream_app_ledger_files", "Files of the ledger.", by_partition, registry=registry)
        self.bytes = Gauge(
            "stream_app_ledger_bytes", "Bytes of these files.", by_partition, registry=registry
        )
        self.holes = Gauge(
            "stream_app_ledger_holes", "Stretches whose rows are lost.", by_partition, registry=registry
        )
        self.rows = Counter("stream_app_ledger_rows", "Rows added.", registry=registry)
        self.failures = Counter(
            "stream_app_ledger_failures", "Rounds that failed, and are tried again.", registry=registry
        )

    def partition(self, name: str, standing: OutboxStanding, held: Manifest | None) -> None:
        """Show how a partition is."""
        self.lag_seconds.labels(name).set(standing.lag_ms / 1000)
        self.lag_entries.labels(name).set(standing.entries)
        self.outbox_bytes.labels(name).set(standing.size)
        if held is not None:
            self.files.labels(name).set(len(held.files))
            self.bytes.labels(name).set(sum(file.size for file in held.files))
            lost = [hole for hole in held.holes if hole.since]  # that a ledger began later is no loss
            self.holes.labels(name).set(len(lost))

    def forget(self, name: str) -> None:
        """Remove what is said of a partition that another writer has now."""
        for gauge in (
            self.lag_seconds,
            self.lag_entries,
            self.outbox_bytes,
            self.files,
            self.bytes,
            self.holes,
        ):
            gauge.remove(name)
