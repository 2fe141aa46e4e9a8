"""Panels that more than one dashboard has, of no KPI."""

from stream_app.model.kpis import TOTALS
from stream_app.views import naming
from stream_app.views.alerts.expressions import STALE_AFTER_S

from .panels import AMBER, GREEN, RED, Panel, query, stat, timeseries
from .queries import an_hour


def age(purpose: str, size: tuple[int, int]) -> Panel:
    """How far behind the truth the numbers may be, and beyond which age they are called stale."""
    return stat(
        purpose,
        "Age of the data",
        [query("A", f"max({naming.DATA_AGE})", "age"), query("L", f"max({naming.MAX_AGE})", "stale beyond")],
        trend=True,
        size=size,
        description="How far behind the truth it may be. A quiet night is fresh, a dead worker is not.",
        unit="s",
        decimals=0,
        steps={
            "mode": "absolute",
            "steps": [
                {"color": GREEN, "value": None},
                {"color": AMBER, "value": 10},
                {"color": RED, "value": STALE_AFTER_S},
            ],
        },
    )


def volume() -> Panel:
    """How many came, were answered, gave up and were handled."""
    return timeseries(
        "volume",
        "Contacts an hour",
        [query(total.upper(), an_hour(total), total.replace("_", " ")) for total in TOTALS],
        size=(12, 8),
        description="At the rate of the last five minutes, over the chosen queues.",
        unit="short",
    )
