"""Grafana's dashboards, rendered from the catalogue: one module each.

``panels`` has the building blocks, ``queries`` the PromQL, ``kpis`` the panels of a KPI, ``shell`` what is around them.
"""

from collections.abc import Callable
from typing import Final

from stream_app.views import places

from . import business, live, pipeline, planning, quality, queue

DASHBOARDS: Final[dict[str, Callable[[], str]]] = {
    places.LIVE: live.dashboard,
    places.QUEUE: queue.dashboard,
    places.QUALITY: quality.dashboard,
    places.BUSINESS: business.dashboard,
    places.PLANNING: planning.dashboard,
    places.PIPELINE: pipeline.dashboard,
}
"""uid → what renders the file."""
