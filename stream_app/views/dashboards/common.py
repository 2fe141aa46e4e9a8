"""Panels of several dashboards that are not about one KPI."""

from typing import Final

from stream_app.model.kpis import TOTALS
from stream_app.views import naming
from stream_app.views.alerts.expressions import STALE_AFTER_S

from .look import AMBER, GREEN, RED, Panel, named, steps
from .panels import query, stat, timeseries
from .queries import an_hour

MAX_AGE_S: Final = 4.0
"""The age beyond which ``serve`` reports the numbers as stale, unless ``STREAM_APP_MAX_AGE_S`` is another."""
TRUST_HEIGHT: Final = 5
NOT_KNOWN: Final = "None, or not known while the numbers are not trusted"


def age(width: int = 8) -> Panel:
    """Show how far behind real time the numbers may be: amber when they are stale, red when alerts are silent."""
    return stat(
        "now: age of the data",
        "Age of the data",
        f"min({naming.DATA_AGE})",
        large=True,
        size=(width, TRUST_HEIGHT),
        description="How far behind real time the numbers may be, as of the last scrape. A quiet night is fresh, a dead "
        f"worker is not. Amber beyond {MAX_AGE_S:g} s: stale, so all live numbers are dashes. Red beyond {STALE_AFTER_S} s: "
        "alerts on KPIs are silent, and somebody is paged. A dash: nobody reports an age.",
        unit="suffix:s",  # `s` would make 930.0 ms of 0.9 s, and hide the limits in minutes
        decimals=1,
        steps=steps(GREEN, (MAX_AGE_S, AMBER), (STALE_AFTER_S, RED)),
    )


def trust(width: int = 4, purpose: str = "now: trust") -> Panel:
    """Show whether the numbers can be trusted: the limit of age that is set counts, and every partition."""
    return stat(
        purpose,
        "Numbers",
        f"max({naming.READY})",
        large=True,
        size=(width, TRUST_HEIGHT),
        description="Whether a replica of serve vouches for its numbers: fresh, complete, and Redis within reach. If not, "
        "every live number is a dash, and /readyz and the dashboard Pipeline health give the reason.",
        unit="none",
        steps=steps(RED, (1, GREEN)),
        mappings=[named({"0": ("not trusted", RED), "1": ("trusted", GREEN)})],
    )


def volume(width: int = 12) -> Panel:
    """Show how many contacts were offered, answered, abandoned and handled."""
    return timeseries(
        "volume",
        "Contacts per hour",
        [query(total.upper(), an_hour(total), total.replace("_", " ")) for total in TOTALS],
        size=(width, 8),
        description="At the rate of the last five minutes, over the chosen queues.",
        none=f"{NOT_KNOWN}.",
        room=5,
        unit="locale",
    )
