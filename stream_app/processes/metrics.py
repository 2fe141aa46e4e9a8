"""A process's own metrics over HTTP."""

from __future__ import annotations

from typing import Final

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from stream_app.settings import Settings

_log = structlog.get_logger(__name__)

METRICS_PORTS: Final = 32
"""Processes on one machine take the next free port after the configured one."""


def serve_metrics(settings: Settings, registry: CollectorRegistry) -> int:
    """Serve the metrics of a registry, and return the port; 0 if they are off or no port is free."""
    if settings.metrics_port == 0:
        return 0
    for port in range(settings.metrics_port, settings.metrics_port + METRICS_PORTS):
        try:
            start_http_server(port, addr=settings.metrics_host, registry=registry)
        except OSError:
            continue
        _log.info("metrics", url=f"http://{settings.metrics_host}:{port}/metrics")
        return port
    _log.warning("no_free_metrics_port", first=settings.metrics_port)
    return 0
