"""*Business and sites*: revenue and cost, and how each site performs."""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit
from stream_app.views import links, naming

from . import shell
from .common import age, trust
from .kpis import about, over_time, tile
from .layout import filled
from .look import DECIMALS, ROOM, Panel, override, to_queue
from .panels import query, row, table, timeseries
from .queries import QUEUES, by_queue, rolled_up

BY_SITE: Final = (
    "service_level",
    "abandonment",
    "handle_time",
    "csat",
    "backlog",
    "offered",
    "quality_score",
    "compliance",
    "conversion",
)
"""The KPIs by which sites, partners and business units are compared."""
_HOW: Final = "Sites and units are set in the targets, `[queues.NAME]` with `site`, `partner`, `unit`: stream-app config apply."


def dashboard() -> str:
    """Draw sales, money, and the same KPIs by site, including those of outsourcing partners."""
    return shell.dashboard(
        links.BUSINESS,
        "What contacts earn and cost, and how sites, partners and business units perform against their targets.",
        list(_panels()),
        since="now-7d",
        refresh="1m",
    )


def _panels() -> Iterator[Panel]:
    yield row("Today: how much came, does it sell, and is it true?")
    yield tile(BY_NAME["offered"], 6)
    yield tile(BY_NAME["conversion"], 6)
    yield age(8)
    yield trust(4)
    yield row("What contacts earn and cost")
    yield from filled([over_time(kpi) for kpi in KPIS if kpi.tier == "business"], 3)
    for label, title in ((naming.SITE, "By site"), (naming.UNIT, "By business unit")):
        yield row(title)
        yield from filled([compared(BY_NAME[name], label) for name in BY_SITE], 3)
    yield row("Where queues are handled")
    yield _sites()


def compared(kpi: Kpi, label: str, partners: str = "", own: str = "", how: str = _HOW) -> Panel:
    """Draw a line for each site or business unit.

    Args:
        kpi: which.
        label: ``site`` or ``unit``.
        partners: the selector of partners' queues, if only these are compared.
        own: that of the others, which are one line beside them.
        how: how to get it.
    """
    queries = [query("A", rolled_up(kpi, label, partners), f"{{{{{label}}}}}")]
    if own:
        queries.append(query("O", rolled_up(kpi, naming.PARTNER, own), "own sites"))
    beside = " All sites that are no partner's are one line, own sites." if own else ""
    return timeseries(
        f"{kpi.name} by {label}{' of partners' if partners else ''}",
        f"{kpi.title}, partners" if partners else f"{kpi.title} by {label}",
        queries,
        size=(8, 8),
        description=f"{about(kpi)} Queues without a {label} are one line, no {label}.{beside} {how}",
        none=f"Not known. {how}",
        unit=kpi.unit.grafana,
        room=ROOM.get(kpi.unit),
        least=None if kpi.unit in {Unit.POINTS, Unit.SCORE} else 0,
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
        {
            naming.QUEUE: "Queue",
            naming.CHANNEL: "Channel",
            naming.SITE: "Site",
            naming.UNIT: "Unit",
            naming.PARTNER: "Partner",
            "Value": level.title,
        },
        none=f"Not known: no queue has a service level in this window. {_HOW}",
        size=(24, 8),
        unit=level.unit.grafana,
        decimals=DECIMALS[level.unit],
        description="Where each queue is handled, whether by a partner, for which business unit, and its service level. "
        f"{_HOW}",
        overrides=[
            override("byName", "Queue", links=to_queue(fields=True)),
        ],
    )
