"""The dashboard "Live queues" from the catalogue.

Roll-ups over queues are ``sum(value * samples) / sum(samples)``: a mean of ratios would let a queue with two
contacts weigh as much as one with two hundred. Channels are kept apart, because their targets are.
Percentiles don't add up, so those over all queues are exported ready.
"""

from collections.abc import Iterator
from typing import Any, Final

from stream_app.model.formulas import PERCENTILES
from stream_app.model.kpi import Kpi
from stream_app.model.kpis import HEADLINES, KPIS, TOTALS
from stream_app.model.measures import Unit, Volume

from . import naming
from .alerts import STALE_AFTER_S
from .panels import (
    AMBER,
    DASHBOARD_UID,
    GREEN,
    RED,
    Override,
    Panel,
    laid_out,
    override,
    query,
    row,
    stat,
    table,
    target_line,
    thresholds,
    timeseries,
)
from .text import GENERATED, to_json

TITLE: Final = "Live queues"

_CHOSEN = f'{naming.QUEUE}=~"$queue",{naming.CHANNEL}=~"$channel"'
_BY_CHANNEL = f"by ({naming.CHANNEL})"
_BY_QUEUE = f"by ({naming.QUEUE}, {naming.CHANNEL})"


def dashboard() -> str:
    """The dashboard as the file that Grafana provisions."""
    return to_json(
        {
            "uid": DASHBOARD_UID,
            "title": TITLE,
            "description": f"What happens in the queues now, beside what was agreed. {GENERATED}",
            "tags": ["contact-centre"],
            "schemaVersion": 37,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "10s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": list(_variables())},
            "annotations": {"list": []},
            "links": [],
            "panels": laid_out(list(_panels())),
        }
    )


def _variables() -> Iterator[Panel]:
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    series = naming.total("offered")
    for name in (naming.QUEUE, naming.CHANNEL):
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "definition": f"label_values({series}, {name})",
            "query": {"query": f"label_values({series}, {name})", "refId": f"{name}s"},
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "refresh": 2,
            "sort": 1,
        }
    usual = "30m"
    yield {
        "name": naming.WINDOW,
        "label": "Window",
        "type": "custom",
        "query": ",".join(naming.WINDOWS),
        "options": [{"text": w, "value": w, "selected": w == usual} for w in naming.WINDOWS],
        "current": {"selected": True, "text": usual, "value": usual},
        "includeAll": False,
        "multi": False,
    }


def _panels() -> Iterator[Panel]:
    yield row("Now, over the chosen queues")
    yield from (_tile(kpi, 24 // len(HEADLINES)) for kpi in HEADLINES)
    yield row("Queue by queue")
    yield _table()
    yield row("Over time, with the target")
    yield from (_over_time(kpi) for kpi in HEADLINES)
    yield from (_percentiles(kpi) for kpi in KPIS if kpi.spread)
    yield _volume()
    for tier in dict.fromkeys(kpi.tier for kpi in KPIS):
        others = [_over_time(kpi) for kpi in KPIS if kpi.tier == tier and not kpi.headline]
        yield row(f"More: {tier}", collapsed=others)
    yield row("Pipeline", collapsed=list(_pipeline()))


def selector(kpi: Kpi) -> str:
    """The chosen queues and channels, and the window where the KPI has one."""
    if kpi.is_level:
        return f"{{{_CHOSEN}}}"
    # Not every KPI has every window; where the chosen one is missing, its longest is shown.
    window = "$window" if set(naming.WINDOWS) <= set(kpi.windows) else kpi.windows[-1]
    return f'{{{_CHOSEN},{naming.WINDOW}="{window}"}}'


def rolled_up(kpi: Kpi) -> str:
    """PromQL: the KPI over the chosen queues, channel by channel."""
    chosen = selector(kpi)
    if kpi.is_level or isinstance(kpi.measure, Volume):
        # Replicas of `serve` say the same: a level must not be counted once for each.
        how = "max" if kpi.is_level and not kpi.adds else "sum"
        return f"{how} {_BY_CHANNEL} (max {_BY_QUEUE} ({naming.value(kpi)}{chosen}))"
    value, samples = f"{naming.value(kpi)}{chosen}", f"{naming.samples(kpi)}{chosen}"
    return f"sum {_BY_CHANNEL} ({value} * {samples}) / sum {_BY_CHANNEL} ({samples})"


def by_queue(kpi: Kpi) -> str:
    """PromQL: the KPI queue by queue, of money by currency; whichever replica of ``serve`` says it."""
    by = _BY_QUEUE.replace(")", f", {naming.CURRENCY})") if kpi.unit is Unit.AMOUNT else _BY_QUEUE
    return f"max {by} ({naming.value(kpi)}{selector(kpi)})"


def strictest_target(kpi: Kpi) -> str:
    """PromQL: of the chosen queues' targets in force, each channel's hardest to meet."""
    how = "max" if kpi.better == "higher" else "min"
    return f"{how} {_BY_CHANNEL} ({naming.target(kpi)}{{{_CHOSEN}}})"


def _about(kpi: Kpi) -> str:
    """The panel's description, from the dictionary."""
    parts = [kpi.doc, f"Better is {kpi.better}.", kpi.misleads]
    if kpi.target is not None:
        parts.append("Colours follow the default target; the dashed line is the target in force.")
    return " ".join(part for part in parts if part)


def _limits(kpi: Kpi) -> dict[str, Any]:
    """Unit, bounds and colours of a KPI's values."""
    ratio = kpi.unit.is_ratio
    signed = kpi.unit in {Unit.POINTS, Unit.SCORE}
    return {
        "unit": kpi.unit.grafana,
        "decimals": 1 if ratio else 0,
        "steps": thresholds(kpi.targets.get(""), kpi.better),
        "least": None if signed else 0,
        "most": 1 if ratio else None,
    }


def _by_channel(kpi: Kpi) -> list[Override]:
    """Channels whose default target is their own have their own colours."""
    return [
        override("byName", channel, thresholds=thresholds(target, kpi.better))
        for channel, target in kpi.targets.items()
        if channel
    ]


def _tile(kpi: Kpi, width: int) -> Panel:
    return stat(
        f"now: {kpi.name}",
        kpi.title,
        [query("A", rolled_up(kpi), "{{channel}}", now=True)],
        size=(width, 5),
        description=_about(kpi),
        overrides=_by_channel(kpi),
        **_limits(kpi),
    )


def _over_time(kpi: Kpi) -> Panel:
    legend = "{{queue}} {{channel}}" + (" {{currency}}" if kpi.unit is Unit.AMOUNT else "")
    queries = [query("A", by_queue(kpi), legend)]
    if kpi.target is not None:
        queries.append(query("T", strictest_target(kpi), "target {{channel}}"))
    return timeseries(
        f"over time: {kpi.name}",
        kpi.title,
        queries,
        size=(12, 8),
        description=_about(kpi),
        overrides=[target_line()] if kpi.target is not None else [],
        **_limits(kpi),
    )


def _percentiles(kpi: Kpi) -> Panel:
    chosen = f'{{{naming.WINDOW}="$window"}}'
    names = {quantile: naming.percentile_of_all(kpi, quantile) for quantile in PERCENTILES}
    queries = [
        query(quantile.upper(), f"max({name}{chosen})", f"{quantile} of all queues")
        for quantile, name in names.items()
    ]
    each = f"max {_BY_QUEUE} ({naming.percentile(kpi)}{selector(kpi)})"
    queries.append(query("Q", each, f"{naming.SHARE} {{{{queue}}}} {{{{channel}}}}"))
    return timeseries(
        f"percentiles: {kpi.name}",
        f"{kpi.title}, percentiles",
        queries,
        size=(12, 8),
        description=f"What the mean hides. {kpi.doc} Percentiles of all queues ignore the chosen ones.",
        unit=kpi.unit.grafana,
    )


def _table() -> Panel:
    return table(
        "queue by queue",
        "Queues",
        [query(kpi.name, by_queue(kpi), table=True) for kpi in HEADLINES],
        [
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": {},
                    "renameByName": {f"Value #{kpi.name}": kpi.title for kpi in HEADLINES},
                },
            },
        ],
        size=(24, 9),
        description="Every chosen queue and channel. A dash is no data: nothing happened to be judged.",
        unit="short",
        least=None,
        overrides=[_column(kpi) for kpi in HEADLINES],
    )


def _column(kpi: Kpi) -> Override:
    # One column holds every channel, so only a target that holds for all of them can colour it.
    same = len(kpi.targets) == 1
    properties: dict[str, Any] = {"unit": kpi.unit.grafana, "decimals": 1 if kpi.unit.is_ratio else 0}
    if same:
        properties |= {
            "thresholds": thresholds(kpi.targets[""], kpi.better),
            "custom__cellOptions": {"type": "color-text"},
        }
    return override("byName", kpi.title, **properties)


def _volume() -> Panel:
    return timeseries(
        "volume",
        "Contacts an hour",
        [
            query(total.upper(), f"sum(max {_BY_QUEUE} ({rate})) * 3600", total.replace("_", " "))
            for total in TOTALS
            for rate in [f"rate({naming.total(total)}{{{_CHOSEN}}}[5m])"]
        ],
        size=(12, 8),
        description="Contacts that came, were answered, gave up and were handled, over the chosen queues.",
        unit="short",
    )


def _pipeline() -> Iterator[Panel]:
    yield stat(
        "pipeline: age of the data",
        "Age of the data",
        [query("A", f"max({naming.DATA_AGE})", "age", now=True)],
        size=(4, 7),
        description="How far behind the truth they may be. A quiet night is fresh, a dead worker is not.",
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
    about = {"size": (10, 7), "unit": "short"}
    yield timeseries(
        "pipeline: events",
        "Events a second",
        [query("A", f"sum by (result) (rate({naming.EVENTS}[5m]))", "{{result}}")],
        description="Records by what became of them. Every record ends in exactly one of these results.",
        **about,
    )
    yield timeseries(
        "pipeline: lag",
        "Records not read yet",
        [query("A", f"max by (partition) ({naming.LAG})", "partition {{partition}}")],
        description="Grows if events come faster than they are folded: start another worker.",
        **about,
    )
    buckets = f"sum by (le) (rate({naming.APPLY}_bucket[5m]))"
    yield timeseries(
        "pipeline: commits",
        "Time of a commit",
        [query(f"P{q}", f"histogram_quantile(0.{q}, {buckets})", f"p{q}") for q in (50, 99)],
        size=(12, 7),
        unit="s",
        description="Until Redis has said yes to counters and position together.",
    )
    yield timeseries(
        "pipeline: trouble",
        "Out of the ordinary, in five minutes",
        [
            query("D", f"sum by (reason) (increase({naming.DEAD_LETTERS}[5m]))", "dead letters: {{reason}}"),
            query("L", f"sum(increase({naming.LATE}[5m]))", "late events"),
            query("F", f"sum(increase({naming.FENCED}[5m]))", "fenced commits"),
            query("R", f"sum(increase({naming.ROLLBACKS}[5m]))", "rollbacks of the store"),
            query("N", f"sum by (kind) ({naming.NAMES_FULL}) > 0", "no more names: {{kind}}"),
        ],
        size=(12, 7),
        unit="short",
        description="Fenced commits are normal when partitions move; all others deserve a look.",
    )
