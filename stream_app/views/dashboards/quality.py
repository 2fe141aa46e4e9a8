"""*Quality and customers*: speed, always next to what it can ruin."""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.views import links

from . import shell
from .common import age, trust
from .kpis import history, over_time, tile
from .layout import filled
from .look import Panel
from .panels import row

SPEED: Final = ("handle_time", "csat", "transfer", "average_response", "first_response", "handled")
"""KPIs of speed, and the KPIs of quality that they can ruin: the first charts of the dashboard."""
_REVIEWS: Final = (
    "quality_score",
    "quality_score_automatic",
    "review_share",
    "compliance",
    "compliance_automatic",
)
_TILES: Final = (
    "nps",
    "ces",
    "survey_response",
    "nps_response",
    "ces_response",
    "quality_score",
    "compliance",
    "sentiment",
)


def dashboard() -> str:
    """Draw satisfaction, effort, reviews and sentiment, each once, with the KPIs of speed first."""
    return shell.dashboard(
        links.QUALITY,
        "What customers, reviewers and machines think of the work, next to its speed.",
        list(_panels()),
        since="now-7d",
        refresh="1m",
    )


def _panels() -> Iterator[Panel]:
    yield row("Today: who is at risk, are customers satisfied, and is it true?")
    yield tile(BY_NAME["at_risk"], 6)
    yield tile(BY_NAME["csat"], 6)
    yield age(8)
    yield trust(4)
    yield from filled([tile(BY_NAME[name], 4) for name in _TILES], 6)
    yield row("Speed, and what it can ruin")
    yield from filled([_chart(name) for name in SPEED], 3)
    yield row("Reviews")
    yield from filled([_chart(name) for name in _REVIEWS], 3)
    drawn = {*SPEED, *_REVIEWS}
    yield row("Customers")
    yield from filled([over_time(kpi) for kpi in KPIS if kpi.tier == "quality" and kpi.name not in drawn], 3)


def _chart(name: str) -> Panel:
    kpi = BY_NAME[name]
    return over_time(kpi) if kpi.tier == "quality" else history(kpi)
