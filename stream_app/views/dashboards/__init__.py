"""Grafana's dashboards, rendered from the catalogue: one module each.

``panels`` has the building blocks, ``queries`` the PromQL, ``kpis`` the panels of a KPI, ``shell`` the frame around them.
"""

from collections.abc import Callable
from typing import Final

from stream_app.views import links

from . import business, live, people, pipeline, planning, quality, queue, resolution

DASHBOARDS: Final[dict[str, Callable[[], str]]] = {
    links.LIVE: live.dashboard,
    links.QUEUE: queue.dashboard,
    links.QUALITY: quality.dashboard,
    links.BUSINESS: business.dashboard,
    links.RESOLUTION: resolution.dashboard,
    links.PEOPLE: people.dashboard,
    links.PLANNING: planning.dashboard,
    links.PIPELINE: pipeline.dashboard,
}
"""uid → the function that renders the file."""
