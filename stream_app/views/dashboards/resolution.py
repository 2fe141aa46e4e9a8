"""*Resolution and loyalty*: whether customers' matters are settled, how often they must come again, and whether they stay."""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.ledger_people import PEOPLE_ENTRIES
from stream_app.views import links, naming

from . import shell
from .common import TRUST_HEIGHT, age, trust
from .layout import filled
from .ledger_panels import LATE, LEDGER, SOON, over_time, parts, tile, together
from .look import AMBER, GREEN, Panel, steps
from .panels import query, row, stat, timeseries

_FCR: Final = LEDGER["first_contact_resolution"]
LONG: Final = 50
"""Letters of a title that a third of the page has room for."""
_OF_BOTS: Final = ("ai_involved", "ai_resolved", "ai_handed_over")
_CLASSES: Final = {
    "Satisfaction in classes": ("csat_satisfied", "csat_neutral", "csat_dissatisfied"),
    "Promoters, passives, detractors": ("nps_promoters", "nps_passives", "nps_detractors"),
}
_TOGETHER: Final = {name for names in (_OF_BOTS, *_CLASSES.values()) for name in names}
_ROWS: Final = {
    "Is one contact enough?": ("journeys", "touches"),
    "Cases": ("resolved_cases", "begun_cases", "unresolved_cases"),
    "Customers": ("customers", "churn_by_resolution"),
    "Cost and sales": ("work", "sales"),
    "Reviews and training": ("criteria", "trainings"),
}
"""Heading → the families whose KPIs are below it; all others come last."""


def dashboard() -> str:
    """Draw what needs more than one contact, or more than today."""
    return shell.dashboard(
        links.RESOLUTION,
        "Whether one contact was enough, how long cases take, who comes again, who leaves, and what a bot settles.",
        list(_panels()),
        variables=(naming.QUEUE, naming.CHANNEL, naming.SITE),
        since="now-28d",
        refresh="1m",
    )


def _panels() -> Iterator[Panel]:
    yield row("Lately: was one contact enough, and do customers stay?")
    yield tile(_FCR, 8, SOON, _FCR.policies[0])
    yield tile(LEDGER["unresolved"], 6, SOON)
    yield age(6)
    yield trust(4)
    yield tile(_FCR, 9, LATE, _FCR.policies[0], settled=True)
    yield tile(LEDGER["retention"], 5, LATE)
    yield tile(LEDGER["churn"], 5, LATE)
    yield _age(5)
    drawn: set[str] = {
        *_TOGETHER,
        *(kpi.name for kpi in PEOPLE_ENTRIES),
    }  # these have a dashboard of their own
    for title, families in _ROWS.items():
        some = [kpi for kpi in FROM_LEDGER if _family(kpi) in families and kpi.name not in drawn]
        drawn |= {kpi.name for kpi in some}
        yield row(title)
        yield from _spread([panel for kpi in some for panel in _of(kpi)])
    yield row("Bots beside people")
    bots = [LEDGER[name] for name in _OF_BOTS]
    yield together("ai: together", f"Bots: involved, resolved, handed off, {SOON}", bots, 24)
    yield from filled([over_time(kpi) for kpi in bots], 3)
    yield row("What customers say")
    for title, names in _CLASSES.items():
        yield together(f"classes: {title}", f"{title}, {SOON}", [LEDGER[name] for name in names])
    yield from filled([over_time(LEDGER[name]) for names in _CLASSES.values() for name in names], 3)
    if others := [kpi for kpi in FROM_LEDGER if kpi.name not in drawn]:
        yield row("More from the ledger")
        yield from _spread([panel for kpi in others for panel in _of(kpi)])
    yield row("How complete is it?")
    yield _unknown()


def _spread(panels: list[Panel]) -> list[Panel]:
    """Spread panels over lines, as many to each as leave room for their titles."""
    return filled(panels, 2 if max(len(panel["title"]) for panel in panels) > LONG else 3)


def _family(kpi: FromLedger) -> str:
    return next(iter(kpi.measures.values())).family


def _of(kpi: FromLedger) -> Iterator[Panel]:
    for policy in kpi.policies or ("",):
        yield over_time(kpi, policy=policy)
    if naming.parts_of(kpi):
        yield parts(kpi)


def _age(width: int) -> Panel:
    return stat(
        "ledger: age",
        "Age of KPIs of the ledger",
        f"min({naming.LEDGER_AGE})",
        size=(width, TRUST_HEIGHT),
        description="How far behind real time KPIs of the ledger are, as of the last scrape. They are refreshed within "
        "15 s of an event, if a refresh takes no longer than 5 s, and else every half minute. Amber beyond a minute.",
        unit="suffix:s",
        decimals=0,
        steps=steps(GREEN, (60, AMBER)),
    )


def _unknown() -> Panel:
    return timeseries(
        "ledger: unknown",
        "Time of which contacts are missing",
        [query("A", f"max by ({naming.WINDOW}) ({naming.LEDGER_UNKNOWN})", "{{window}}")],
        size=(24, 6),
        description="How much of each window the ledger has no contacts of: it began later, rows were lost, or they are kept "
        "no longer. Numbers are of the contacts that are known.",
        none="Not known. It needs the ledger (STREAM_APP_LEDGER).",
        unit="dthms",
        room=60,
    )
