"""*Live queues*: what a supervisor needs at a glance."""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpis import BY_NAME, HEADLINES, KPIS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit
from stream_app.views import links, naming

from . import shell
from .common import NOT_KNOWN, age, trust, volume
from .kpis import about, history, least, missed, none, tile
from .layout import filled
from .look import (
    DECIMALS,
    GREEN,
    GREY,
    RED,
    TRANSPARENT,
    Override,
    Panel,
    named,
    no_value,
    override,
    steps,
    to_queue,
)
from .panels import bars, query, row, stat, table
from .queries import (
    ENOUGH,
    TRUSTED,
    by_queue,
    each,
    in_window,
    known,
    margin,
    off_target,
    promised,
    share,
    targets_differ,
    too_late,
)

_HEADS: Final = {
    "backlog": "Waiting",
    "oldest_waiting": "Wait",
    "service_level": "SL",
    "abandonment": "Aband.",
    "first_response": "Resp.",
    "handle_time": "AHT",
}
"""Headline KPI → the head of its column, in the order in which people ask: who waits, how long, and then how well."""
_LATE: Final = "Too late"
_NAME: Final = "${__field.labels.queue} ${__field.labels.channel}"


def dashboard() -> str:
    """Draw the six numbers, every queue against its own targets, who is waiting, and the history."""
    return shell.dashboard(
        links.LIVE, "What is happening in the queues now, against their targets.", list(_panels())
    )


def _panels() -> Iterator[Panel]:
    waiting, oldest = BY_NAME["backlog"], BY_NAME["oldest_waiting"]
    yield row("Now: who is waiting, for how long, which queues are off target, and is it true?")
    yield tile(waiting, 5)
    yield tile(oldest, 5)
    yield _off_target()
    yield age(6)
    yield trust(4)
    windowed = [kpi for kpi in HEADLINES if kpi not in (waiting, oldest)]
    yield from filled([tile(kpi, 6) for kpi in windowed], 4)
    yield row("Queue by queue, worst first")
    yield _table()
    yield row("Waiting and at risk")
    yield _waits(oldest)
    yield _bars(waiting, "waits")
    yield _bars(BY_NAME["at_risk"], "is at risk")
    yield row("History")
    others = [kpi for kpi in KPIS if links.is_watched(kpi) and not kpi.headline]
    yield from filled([*(history(kpi) for kpi in (oldest, waiting, *windowed, *others)), volume()])


def _off_target() -> Panel:
    return stat(
        "now: off target",
        "Off target",
        off_target(),
        size=(4, 5),
        description="Queues that let somebody wait longer than their target now, or miss their service level in the chosen "
        f"window with at least {ENOUGH} contacts. Which ones: the table below, worst first.",
        unit="locale",
        decimals=0,
        steps=steps(GREEN, (1, RED)),
    )


def _is_share(kpi: Kpi) -> bool:
    return targets_differ(kpi) and kpi.unit is Unit.SECONDS


def _head(kpi: Kpi) -> str:
    return _HEADS.get(kpi.name, kpi.title)


def _against(kpi: Kpi) -> str:
    return f"{_head(kpi)} {'÷' if _is_share(kpi) else '±'}"


def _margin(kpi: Kpi) -> str:
    return f"{kpi.name}_margin"


def _table() -> Panel:
    ordered = sorted(
        HEADLINES, key=lambda kpi: [*_HEADS].index(kpi.name) if kpi.name in _HEADS else len(_HEADS)
    )
    judged = [kpi for kpi in ordered if kpi.target is not None]
    level = BY_NAME["service_level"]
    # Opening hours don't go stale: they keep the rows, whose other cells are dashes then.
    nothing = f"({TRUSTED}) unless on () {known(naming.OPEN)}"
    hours = f'{known(naming.OPEN)} or label_replace({nothing}, "{naming.QUEUE}", "none", "", "") - 2'
    queries = [
        query("open", hours, form="table"),
        query("late", too_late(), form="table"),
        query("contacts", each(naming.samples(level), in_window(level)), form="table"),
        *(query(kpi.name, promised(kpi, by_queue), form="table") for kpi in ordered),
        *(
            query(_margin(kpi), promised(kpi, share if _is_share(kpi) else margin), form="table")
            for kpi in judged
        ),
    ]
    heads = {naming.QUEUE: "Queue", naming.CHANNEL: "Channel", "Value #open": "Hours", "Value #late": _LATE}
    for kpi in ordered:
        if kpi is level:
            heads["Value #contacts"] = "Contacts"
        heads[f"Value #{kpi.name}"] = _head(kpi)
        if kpi in judged:
            heads[f"Value #{_margin(kpi)}"] = _against(kpi)
    return table(
        "queue by queue",
        "Queues",
        queries,
        heads,
        none="Not known: nobody reports queues. See Age of the data.",
        worst_first=_LATE,
        size=(24, 10),
        description="Every chosen queue and channel. Too late: contacts of the window that were not answered in time, beyond "
        "what the target allows; the table is sorted by it. ÷: share of the queue's own target, more than 100 % misses it. "
        "±: distance to the target, below 0 misses it. SL: service level. Resp.: first response, in business hours where these "
        "were promised. AHT: average handle time. A dash is no data: nothing to judge, or not trusted now.",
        unit="locale",
        decimals=0,
        least=None,
        overrides=[
            *(_column(kpi) for kpi in ordered),
            *(_margin_column(kpi) for kpi in judged),
            override(
                "byName",
                _LATE,
                thresholds=steps(GREEN, (0.5, RED)),
                custom__cellOptions={"type": "color-text"},
            ),
            override(
                "byName",
                "Hours",
                mappings=[
                    *no_value(),
                    named({"-1": ("—", GREY), "0": ("closed", GREY), "1": ("open", GREEN)}),
                ],
            ),
            override("byName", "Queue", links=to_queue(fields=True), custom__minWidth=110),
        ],
    )


def _column(kpi: Kpi) -> Override:
    return override("byName", _head(kpi), unit=kpi.unit.grafana, decimals=DECIMALS[kpi.unit])


def _margin_column(kpi: Kpi) -> Override:
    """Colour what is on the right side of the target green, and what is not there not at all."""
    right = steps(GREEN, (1, missed(kpi))) if _is_share(kpi) else steps(missed(kpi), (0, GREEN))
    ratio = kpi.unit.is_ratio or _is_share(kpi)
    return override(
        "byName",
        _against(kpi),
        unit="percentunit" if ratio else kpi.unit.grafana,
        decimals=0 if _is_share(kpi) else DECIMALS[kpi.unit],
        thresholds=right,
        mappings=no_value(TRANSPARENT),
        custom__cellOptions={"type": "color-background", "mode": "basic"},
    )


def _waits(kpi: Kpi) -> Panel:
    """Show the longest wait of each queue against its own target: hours for an email would hide minutes for a call."""
    return bars(
        f"who waits: {kpi.name}",
        f"{kpi.title}, share of target, ten worst",
        [query("A", f"topk(10, {share(kpi)} > 0)", now=True), _nobody(kpi, "waits")],
        name=_NAME,
        none=f"{NOT_KNOWN}.",
        size=(8, 8),
        description=f"{about(kpi)} Beyond 100 % somebody has waited longer than the queue's target. The table has the times.",
        unit="percentunit",
        decimals=0,
        steps=steps(GREEN, (1, RED)),
        links=to_queue(),
    )


def _bars(kpi: Kpi, does: str) -> Panel:
    return bars(
        f"who waits: {kpi.name}",
        f"{kpi.title}, ten largest",
        [query("A", f"topk(10, {by_queue(kpi)} > 0)", now=True), _nobody(kpi, does)],
        name=_NAME,
        none=none(kpi),
        size=(8, 8),
        description=about(kpi),
        unit=kpi.unit.grafana,
        decimals=DECIMALS[kpi.unit],
        least=least(kpi),
        links=to_queue(),
    )


def _nobody(kpi: Kpi, does: str) -> Panel:
    """Write a bar of 0, ``nobody waits``, where that is so, and nothing where it is not known."""
    none_of_them = f"0 * (({TRUSTED}) unless on () ({by_queue(kpi)} > 0))"
    queue = f'label_replace({none_of_them}, "{naming.QUEUE}", "nobody", "", "")'
    return query("N", f'label_replace({queue}, "{naming.CHANNEL}", "{does}", "", "")', now=True)
