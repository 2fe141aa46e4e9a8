"""Where a number is drawn: the ids by which alerts, bookmarks and dashboards link to each other."""

from typing import Final, Literal
from zlib import crc32

from stream_app.model.kpi import Kpi

LIVE: Final = "live-queues"
QUEUE: Final = "queue-in-depth"
QUALITY: Final = "quality-and-customers"
BUSINESS: Final = "business-and-sites"
PLANNING: Final = "planning"
PIPELINE: Final = "pipeline-health"
TITLES: Final = {
    LIVE: "Live queues",
    QUEUE: "Queue in depth",
    QUALITY: "Quality and customers",
    BUSINESS: "Business and sites",
    PLANNING: "Planning",
    PIPELINE: "Pipeline health",
}
"""uid of a dashboard, which is also the name of its file → what people call it."""

_HOME: Final[dict[Literal["operational", "quality", "business"], str]] = {
    "operational": QUEUE,
    "quality": QUALITY,
    "business": BUSINESS,
}


def panel_id(purpose: str) -> int:
    """The same purpose has the same id whatever else is on the dashboard: alerts and bookmarks link to it."""
    return crc32(purpose.encode()) % 1_000_000 + 1


def home(kpi: Kpi) -> str:
    """The dashboard on which a KPI is drawn over time, with its target."""
    return _HOME[kpi.tier]


def over_time(kpi: Kpi) -> tuple[str, int]:
    """Its dashboard and panel."""
    return home(kpi), panel_id(f"over time: {kpi.name}")


def pipeline(subject: str) -> tuple[str, int]:
    """The panel about a part of the pipeline."""
    return PIPELINE, panel_id(f"pipeline: {subject}")
