"""Where a number is drawn: the ids by which alerts, bookmarks and dashboards link to each other."""

from typing import Final, Literal
from zlib import crc32

from stream_app.model.kpis.kpi import Kpi

LIVE: Final = "live-queues"
QUEUE: Final = "queue-in-depth"
QUALITY: Final = "quality-and-customers"
BUSINESS: Final = "business-and-sites"
RESOLUTION: Final = "resolution-and-loyalty"
PEOPLE: Final = "people-and-partners"
PLANNING: Final = "planning"
PIPELINE: Final = "pipeline-health"
WALLBOARD: Final = "http://127.0.0.1:8080"
"""Where ``docker-compose.yml`` has the wallboard, as browsers reach it."""
WHY: Final = "/#why="
"""What follows that address where a number is explained; see ``static/wish.js``."""
TITLES: Final = {
    LIVE: "Live queues",
    QUEUE: "Queue in depth",
    QUALITY: "Quality and customers",
    BUSINESS: "Business and sites",
    RESOLUTION: "Resolution and loyalty",
    PEOPLE: "People and partners",
    PLANNING: "Planning",
    PIPELINE: "Pipeline health",
}
"""uid of a dashboard, which is also the name of its file → what people call it."""

_HOME: Final[dict[Literal["operational", "quality", "business"], str]] = {
    "operational": QUEUE,
    "quality": QUALITY,
    "business": BUSINESS,
}

_OF_PEOPLE: Final = {
    "there": "Agents there",
    "over_limit": "Over their limit",
    "next_wait": "Expected wait",
}


def panel_id(purpose: str) -> int:
    """Derive a panel's id from its purpose, whatever else is on the dashboard: alerts and bookmarks link to it."""
    return crc32(purpose.encode()) % 1_000_000 + 1


def home(kpi: Kpi) -> str:
    """Return the dashboard on which a KPI is drawn over time, in its own unit and with its target."""
    return _HOME[kpi.tier]


def is_watched(kpi: Kpi) -> bool:
    """Return whether *Live queues* draws it over time: people look at it first, or are notified of it."""
    return kpi.headline or (kpi.tier == "operational" and bool(kpi.alerts))


def over_time(kpi: Kpi) -> tuple[str, int]:
    """Return the dashboard and panel that draw it over time for every queue.

    Grafana puts the heart of an alert, of whichever queue, on the alert's panel, and links to it without choosing a queue: on a
    dashboard of one queue both would be of another.
    """
    return LIVE if is_watched(kpi) else home(kpi), panel_id(f"over time: {kpi.name}")


def people(subject: str) -> tuple[str, str]:
    """Return the purpose and title of a panel about agents by queue."""
    return f"people: {subject}", _OF_PEOPLE[subject]


def pipeline(subject: str) -> tuple[str, int]:
    """Return the dashboard and panel of a part of the pipeline."""
    return PIPELINE, panel_id(f"pipeline: {subject}")
