"""*Live queues*: what a supervisor needs in ten seconds."""

from collections.abc import Iterator
from typing import Any

from stream_app.model.kpi import Kpi
from stream_app.model.kpis import BY_NAME, HEADLINES
from stream_app.views import naming, places

from . import shell
from .common import age, volume
from .kpis import over_time, percentiles, tile
from .panels import GREEN, RED, Override, Panel, bars, override, query, row, table
from .queries import by_queue, each, margin

_DEPTH = f"/d/{places.QUEUE}?var-queue=${{__data.fields.queue}}&var-channel=${{__data.fields.channel}}&${{__url_time_range}}"


def dashboard() -> str:
    """Six numbers, every queue against its own targets, who waits, and how it came about."""
    return shell.dashboard(
        places.LIVE, "What happens in the queues now, beside what was agreed.", list(_panels())
    )


def _panels() -> Iterator[Panel]:
    yield row("Now, over the chosen queues")
    yield from (tile(kpi, 3 if kpi.is_level else 4) for kpi in HEADLINES)
    yield age("now: age of the data", (2, 5))
    yield row("Queue by queue: value, and margin to the queue's own target")
    yield _table()
    yield row("Who waits")
    yield _bars(BY_NAME["oldest_waiting"])
    yield _bars(BY_NAME["backlog"])
    yield _bars(BY_NAME["at_risk"])
    yield row("How it came about")
    yield volume()
    yield from (over_time(kpi) for kpi in HEADLINES)
    yield from (percentiles(kpi) for kpi in HEADLINES if kpi.spread)


def _table() -> Panel:
    judged = [kpi for kpi in HEADLINES if kpi.target is not None]
    queries = [query(kpi.name, by_queue(kpi), form="table") for kpi in HEADLINES]
    queries += [query(_margin(kpi), margin(kpi), form="table") for kpi in judged]
    titles = {kpi.name: kpi.title for kpi in HEADLINES} | {_margin(kpi): _against(kpi) for kpi in judged}
    queries.append(query("open", each(naming.OPEN), form="table"))
    titles["open"] = "Open"
    order = ["queue", "channel", "Value #open"]
    for kpi in HEADLINES:
        order += [f"Value #{kpi.name}"] + ([f"Value #{_margin(kpi)}"] if kpi in judged else [])
    return table(
        "queue by queue",
        "Queues",
        queries,
        [
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": {name: n for n, name in enumerate(order)},
                    "renameByName": {f"Value #{ref}": title for ref, title in titles.items()},
                },
            },
        ],
        size=(24, 10),
        description="Every chosen queue and channel. A dash is no data: nothing happened to be judged. "
        "Green is on the right side of the queue's own target, red is a miss.",
        unit="short",
        least=None,
        overrides=[
            *(_column(kpi) for kpi in HEADLINES),
            *(_margin_column(kpi) for kpi in judged),
            override(
                "byName",
                "Open",
                mappings=[
                    {
                        "type": "value",
                        "options": {"0": {"text": "closed", "index": 0}, "1": {"text": "open", "index": 1}},
                    }
                ],
            ),
            override("byName", "queue", links=[{"title": "In depth", "url": _DEPTH, "targetBlank": False}]),
        ],
    )


def _margin(kpi: Kpi) -> str:
    return f"{kpi.name}_margin"


def _against(kpi: Kpi) -> str:
    return f"{kpi.title}: to target"


def _column(kpi: Kpi) -> Override:
    return override("byName", kpi.title, unit=kpi.unit.grafana, decimals=1 if kpi.unit.is_ratio else 0)


def _margin_column(kpi: Kpi) -> Override:
    """Green from 0 up, whichever way the KPI is better: the margin is on the right side of the target."""
    colours: dict[str, Any] = {
        "mode": "absolute",
        "steps": [{"color": RED, "value": None}, {"color": GREEN, "value": 0}],
    }
    return override(
        "byName",
        _against(kpi),
        unit=kpi.unit.grafana,
        decimals=1 if kpi.unit.is_ratio else 0,
        thresholds=colours,
        custom__cellOptions={"type": "color-background", "mode": "basic"},
    )


def _bars(kpi: Kpi) -> Panel:
    return bars(
        f"who waits: {kpi.name}",
        f"{kpi.title}, the ten worst",
        [query("A", f"topk(10, {by_queue(kpi)} > 0)", "{{queue}} {{channel}}", now=True)],
        size=(8, 8),
        description=f"{kpi.doc} {kpi.misleads}",
        unit=kpi.unit.grafana,
        decimals=0,
    )
