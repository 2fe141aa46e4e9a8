"""Panels of a KPI: everything about them follows from its entry in the catalogue."""

from collections.abc import Iterator
from typing import Any

from stream_app.model.formulas import PERCENTILES
from stream_app.model.kpi import Kpi
from stream_app.model.kpis import BY_NAME
from stream_app.model.measures import Unit, Volume
from stream_app.views import naming
from stream_app.views.dictionary import targets

from .panels import Override, Panel, override, query, stat, target_line, thresholds, timeseries
from .queries import by_queue, each, fixed_window, in_window, rolled_up, strictest_target


def about(kpi: Kpi) -> str:
    """The panel's description, from the dictionary."""
    beside = ", ".join(BY_NAME[other].title for other in kpi.pairs)
    parts = [kpi.doc, kpi.misleads, f"Read beside it: {beside}."]
    if not isinstance(kpi.measure, Volume):
        parts.insert(1, f"{kpi.better.capitalize()} is better.")
    if kpi.target is not None:
        parts.append(f"Colours follow the default target, {targets(kpi)}.")
    return " ".join(parts)


def titled(kpi: Kpi) -> str:
    """Its title, and the window if that does not follow the dashboard's."""
    window = fixed_window(kpi)
    return f"{kpi.title}, {window}" if window else kpi.title


def limits(kpi: Kpi) -> dict[str, Any]:
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


def tile(kpi: Kpi, width: int, height: int = 5) -> Panel:
    """Its value now over the chosen queues, channel by channel, over its trend."""
    return stat(
        f"now: {kpi.name}",
        titled(kpi),
        [query("A", rolled_up(kpi), "{{channel}}")],
        trend=True,
        size=(width, height),
        description=about(kpi),
        overrides=_by_channel(kpi),
        **limits(kpi),
    )


def over_time(kpi: Kpi, width: int = 12, *, beside: str = "") -> Panel:
    """A line for each queue, and the target. ``beside``: of which other KPI it is the counterpart here."""
    legend = "{{queue}} {{channel}}" + (" {{currency}}" if kpi.unit is Unit.AMOUNT else "")
    queries = [query("A", by_queue(kpi), legend)]
    if kpi.target is not None:
        queries.append(query("T", strictest_target(kpi), "target {{channel}}"))
    return timeseries(
        f"over time: {kpi.name}" + (f" beside {beside}" if beside else ""),
        titled(kpi),
        queries,
        size=(width, 8),
        description=about(kpi)
        + (" The dashed line is the target in force." if kpi.target is not None else ""),
        overrides=[target_line()] if kpi.target is not None else [],
        **limits(kpi),
    )


def together(kpi: Kpi) -> Iterator[Panel]:
    """A KPI, and beside it what it can ruin or is ruined by."""
    others = [BY_NAME[name] for name in kpi.pairs]
    width = 24 // (1 + len(others))
    yield over_time(kpi, width, beside="its pairs")
    yield from (over_time(other, width, beside=kpi.name) for other in others)


def percentiles(kpi: Kpi) -> Panel:
    """What the mean hides."""
    chosen = f'{{{naming.WINDOW}="$window"}}'
    names = {quantile: naming.percentile_of_all(kpi, quantile) for quantile in PERCENTILES}
    queries = [
        query(quantile.upper(), f"max({name}{chosen})", f"{quantile} of all queues")
        for quantile, name in names.items()
    ]
    queries.append(
        query(
            "Q", each(naming.percentile(kpi), in_window(kpi)), f"{naming.SHARE} {{{{queue}}}} {{{{channel}}}}"
        )
    )
    return timeseries(
        f"percentiles: {kpi.name}",
        f"{kpi.title}, percentiles",
        queries,
        size=(12, 8),
        description=f"What the mean hides. {kpi.doc} Percentiles of all queues ignore the filters.",
        unit=kpi.unit.grafana,
    )
