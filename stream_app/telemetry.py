"""The worker's own metrics, on an explicit registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from . import __version__
from .errors import REASONS
from .model.fold.arrays import COMPILED
from .model.fold.deltas import Deltas, Gap, Result


class Telemetry:
    """A worker's metrics about itself. They count from its start; the exact counts are in the store."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        Info("stream_app_build", "The version of this program.", registry=registry).info(
            {"version": __version__, "fold": "compiled" if COMPILED else "python"}
        )
        self.events = Counter("stream_app_events", "Records by result.", ["result"], registry=registry)
        self.lag = Gauge("stream_app_lag_events", "Records not read yet.", ["partition"], registry=registry)
        self.clock_ahead = Gauge(
            "stream_app_clock_skew_seconds",
            "Seconds by which this machine's clock is ahead of the clock of Redis.",
            registry=registry,
        )
        self.apply_seconds = Histogram(
            "stream_app_apply_seconds",
            "Time until the store confirmed a commit.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self.fenced = Counter(
            "stream_app_fenced",
            "Commits refused because another worker claimed the partition.",
            registry=registry,
        )
        self.dead_letters = Counter(
            "stream_app_dead_letters",
            "Records that could not be read as events.",
            ["reason"],
            registry=registry,
        )
        self.gaps = Counter(
            "stream_app_gaps", "Offsets that hold no record, by reason.", ["kind"], registry=registry
        )
        self.late = Counter(
            "stream_app_late_events", "Events that came late and were counted.", registry=registry
        )
        self.ids_dropped = Counter(
            "stream_app_ids_dropped_early",
            "Event ids forgotten before their time because there were too many: their repetitions would count again.",
            registry=registry,
        )
        self.rollbacks = Counter(
            "stream_app_rollbacks", "Times that the store was found to have lost commits.", registry=registry
        )
        self.published_rows = Counter(
            "stream_app_interval_rows_published",
            "Final interval rows published, and changes to them.",
            registry=registry,
        )
        self.published_at = Gauge(
            "stream_app_interval_rows_published_timestamp_seconds",
            "When this worker last published interval rows; 0 while another one does.",
            registry=registry,
        )
        self.untold = Gauge(
            "stream_app_interval_topic_failing",
            "1 while this worker can't write published rows to their topic; 0 in workers that don't publish.",
            registry=registry,
        )
        self.started_at = Gauge(
            "stream_app_started_timestamp_seconds", "When this worker started.", registry=registry
        )
        self.held = Gauge(
            "stream_app_partitions_held",
            "Partitions that wait until open contacts have been moved to them.",
            registry=registry,
        )
        self.names_full = Gauge(
            "stream_app_names_full", "1 once a registry of names is full.", ["kind"], registry=registry
        )
        for result in Result:
            self.events.labels(result.value)
        for kind in Gap:
            self.gaps.labels(kind.value)
        for reason in REASONS:  # increase() does not see a series' first value, so each begins at 0
            self.dead_letters.labels(reason)

    def published(self, rows: int, at: float, *, untold: bool = False) -> None:
        """Record a finished round of publishing.

        Args:
            rows: how many got a revision.
            at: when, in seconds; 0 where another worker publishes.
            untold: whether rows could not be written to their topic.
        """
        self.published_rows.inc(rows)
        self.published_at.set(at)
        self.untold.set(untold)

    def applied(self, deltas: Deltas) -> None:
        """Count a commit that was stored."""
        for result, n in deltas.results.items():
            self.events.labels(result).inc(n)
        for (result, reason), n in deltas.reasons.items():
            if result == Result.DEAD_LETTER:
                self.dead_letters.labels(reason).inc(n)
        if deltas.late:
            self.late.inc(deltas.late)
        if deltas.early:
            self.ids_dropped.inc(deltas.early)
