"""The worker's own metrics, on an explicit registry."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from . import __version__
from .errors import REASONS
from .model.deltas import Deltas, Result


class Telemetry:
    """What a worker says of itself. Counts since its start; the exact accounts stand in the store."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        Info("stream_app_build", "Which program this is.", registry=registry).info({"version": __version__})
        self.events = Counter(
            "stream_app_events", "Records by what became of them.", ["result"], registry=registry
        )
        self.lag = Gauge("stream_app_lag_events", "Records not read yet.", ["partition"], registry=registry)
        self.apply_seconds = Histogram(
            "stream_app_apply_seconds",
            "Time until the store had said yes to a commit.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self.fenced = Counter(
            "stream_app_fenced", "Commits refused because someone else claimed.", registry=registry
        )
        self.dead_letters = Counter(
            "stream_app_dead_letters", "Records that are no events.", ["reason"], registry=registry
        )
        self.late = Counter(
            "stream_app_late_events", "Events counted although they came late.", registry=registry
        )
        self.rollbacks = Counter(
            "stream_app_rollbacks", "Times that the store was found behind.", registry=registry
        )
        self.published_rows = Counter(
            "stream_app_interval_rows_published",
            "Final interval rows, and changes of such.",
            registry=registry,
        )
        self.published_at = Gauge(
            "stream_app_interval_rows_published_timestamp_seconds",
            "When this worker published interval rows last; 0 while another one does.",
            registry=registry,
        )
        self.names_full = Gauge(
            "stream_app_names_full", "1 once a registry of names takes no more.", ["kind"], registry=registry
        )
        for result in Result:
            self.events.labels(result.value)
        for reason in REASONS:  # increase() does not see what a series begins with
            self.dead_letters.labels(reason)

    def published(self, rows: int, at: float) -> None:
        """A round of publishing is over; ``at`` is 0 where another worker does it."""
        self.published_rows.inc(rows)
        self.published_at.set(at)

    def applied(self, deltas: Deltas) -> None:
        """A commit was stored."""
        for result, n in deltas.results.items():
            self.events.labels(result).inc(n)
        for (result, reason), n in deltas.reasons.items():
            if result == Result.DEAD_LETTER:
                self.dead_letters.labels(reason).inc(n)
        if deltas.late:
            self.late.inc(deltas.late)
