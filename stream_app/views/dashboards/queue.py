"""*Queue in depth*: why one queue is as it is."""

from collections.abc import Iterator

from stream_app.model.kpis import BY_NAME, HEADLINES, KPIS
from stream_app.model.measures import Volume
from stream_app.views import naming, places

from . import shell
from .common import volume
from .kpis import over_time, percentiles, tile
from .panels import Panel, bars, heatmap, override, query, row
from .queries import CHOSEN, QUEUES


def dashboard() -> str:
    """Waits and their distribution, what became of contacts, and every operational KPI."""
    return shell.dashboard(
        places.QUEUE,
        "One queue: how long people wait, when they give up, what becomes of them, and how the work is done.",
        list(_panels()),
        one_queue=True,
    )


def _panels() -> Iterator[Panel]:
    yield row("Now")
    yield from (tile(kpi, 4) for kpi in HEADLINES)
    yield row("Waiting")
    yield _waits()
    yield _given_up()
    yield from (percentiles(kpi) for kpi in KPIS if kpi.spread)
    yield row("What becomes of contacts")
    yield _funnel()
    yield volume()
    operational = [kpi for kpi in KPIS if kpi.tier == "operational"]
    yield row("Every operational number, with its target")
    yield from (over_time(kpi) for kpi in operational if not isinstance(kpi.measure, Volume))
    volumes = [over_time(kpi, 6) for kpi in operational if isinstance(kpi.measure, Volume)]
    yield row("How many, today", collapsed=volumes)


def _waited(outcome: str, function: str = "") -> str:
    """Today's contacts of the queue with an outcome, by the longest that they waited: a cumulative histogram."""
    series = f'{naming.WAITED}_bucket{{{CHOSEN},{naming.OUTCOME}="{outcome}"}}'
    by = f"{QUEUES}, {naming.LE}"
    if not function:
        return f"sum by ({naming.LE}) (max by ({by}) ({series}))"
    # Not rate(): midnight and an abandonment that is taken back make the day's counts fall, which is no restart.
    return f"sum by ({naming.LE}) (clamp_min(max by ({by}) ({function}({series}[5m])), 0))"


def _waits() -> Panel:
    return heatmap(
        "waits",
        "How long answered contacts waited",
        [query("A", _waited("answered", "delta"), "{{le}}", form="heatmap")],
        size=(12, 9),
        unit="s",
        description="Each column is five minutes, each row a range of waits from half of the answer target to four times; "
        "the darker, the more contacts.",
        interval="5m",
    )


def _given_up() -> Panel:
    lost, served = _waited("abandoned"), _waited("answered")
    return bars(
        "abandonment by wait",
        "Gave up, of those who waited no longer than",
        [query("A", f"{lost} / ({lost} + {served} > 0)", "{{le}} s", now=True)],
        size=(12, 9),
        unit="percentunit",
        decimals=1,
        most=1,
        description="Today: of the contacts that were answered or given up within so many seconds, the share that gave up. "
        "Where it rises is what people put up with.",
        overrides=[override("byName", "+Inf s", displayName="however long")],
    )


def _funnel() -> Panel:
    today = f'{{{CHOSEN},{naming.WINDOW}="today"}}'
    steps = ("offered", "answered", "handled", "left", "callbacks", "refused", "transferred")
    return bars(
        "funnel",
        "From offered to handled, today",
        [
            query(
                name.upper(),
                f"sum(max by ({QUEUES}) ({naming.value(BY_NAME[name])}{today}))",
                BY_NAME[name].title,
                now=True,
            )
            for name in steps
        ],
        size=(12, 8),
        unit="short",
        decimals=0,
        description="Contacts of today. What was offered and neither answered nor left gave up, or still waits; what was "
        "answered and not handled is being worked on.",
    )
