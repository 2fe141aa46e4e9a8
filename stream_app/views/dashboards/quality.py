"""*Quality and customers*: speed never without what it can ruin."""

from collections.abc import Iterator

from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.views import places

from . import shell
from .kpis import over_time, tile, together
from .panels import Panel, row

FAST_AND_GOOD = ("handle_time", "average_response", "transfer", "handled")
"""Numbers of speed whose pairs are of quality: the first panels of the dashboard."""
_TILES = ("csat", "nps", "ces", "quality_score", "compliance", "sentiment", "at_risk", "survey_response")


def dashboard() -> str:
    """Satisfaction, effort, reviews and moods, each beside what it is to be read with."""
    return shell.dashboard(
        places.QUALITY,
        "What customers, reviewers and machines think of the work, beside the speed at which it is done.",
        list(_panels()),
        since="now-7d",
        refresh="1m",
    )


def _panels() -> Iterator[Panel]:
    yield row("Today, over the chosen queues")
    yield from (tile(BY_NAME[name], 3) for name in _TILES)
    for name in FAST_AND_GOOD:
        kpi = BY_NAME[name]
        yield row(f"{kpi.title}, and what it can ruin")
        yield from together(kpi)
    yield row("Every number of quality, with its target")
    yield from (over_time(kpi) for kpi in KPIS if kpi.tier == "quality")
