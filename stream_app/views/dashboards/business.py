"""*Business and sites*: what it brings and costs, and who keeps which promise."""

from collections.abc import Iterator

from stream_app.model.kpi import Kpi
from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.model.measures import Unit
from stream_app.views import naming, places

from . import shell
from .kpis import about, limits, over_time, tile
from .panels import Panel, query, row, table, timeseries
from .queries import QUEUES, by_queue, rolled_up

BY_SITE = ("service_level", "abandonment", "handle_time", "csat", "backlog", "offered")
"""What sites, partners and business units are compared by."""


def dashboard() -> str:
    """Sales, money, and the same promises site by site, an outsourcing partner's own among them."""
    return shell.dashboard(
        places.BUSINESS,
        "What contacts bring and cost, and how sites, partners and business units keep what was agreed.",
        list(_panels()),
        since="now-7d",
        refresh="1m",
    )


def _panels() -> Iterator[Panel]:
    yield row("Business")
    business = [kpi for kpi in KPIS if kpi.tier == "business"]
    yield from (tile(kpi, 8) for kpi in business if kpi.unit is not Unit.AMOUNT)
    yield from (over_time(kpi) for kpi in business)
    for label, title in ((naming.SITE, "Site by site"), (naming.UNIT, "Business unit by business unit")):
        yield row(title)
        yield from (_compared(BY_NAME[name], label) for name in BY_SITE)
    yield row("Where queues are worked")
    yield _sites()


def _compared(kpi: Kpi, label: str) -> Panel:
    return timeseries(
        f"{kpi.name} by {label}",
        f"{kpi.title} by {label}",
        [query("A", rolled_up(kpi, label), f"{{{{{label}}}}}")],
        size=(8, 8),
        description=f"{about(kpi)} Queues without one are the unnamed line.",
        **limits(kpi),
    )


def _sites() -> Panel:
    entry = f'{naming.QUEUE_INFO}{{{naming.SITE}=~"$site"}}'
    info = f"max by ({QUEUES}, {naming.SITE}, {naming.PARTNER}, {naming.UNIT}) ({entry})"
    level = BY_NAME["service_level"]
    return table(
        "sites",
        "Queues, sites and partners",
        [
            query(
                "A",
                f"{by_queue(level)} * on ({QUEUES}) group_left (site, partner, unit) {info}",
                form="table",
            )
        ],
        [
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": {},
                    "renameByName": {"Value": level.title},
                },
            }
        ],
        size=(24, 8),
        unit=level.unit.grafana,
        decimals=1,
        description="Where each queue is worked, by a partner or not, for which business unit, and its service level.",
    )
