"""The alerts of the catalogue's KPIs as rules: name, words, panel."""

from collections.abc import Iterator
from typing import Any

from stream_app.model.alerts import Alert, Burn, Stopped, Threshold, Traded
from stream_app.model.kpi import Kpi
from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.views import places
from stream_app.views.dictionary import number, span

from . import expressions
from .rule import Rule

_WHERE = "{{ .Labels.queue }} ({{ .Labels.channel }})"


def rules() -> Iterator[Rule]:
    """One for each alert of each KPI."""
    for kpi in KPIS:
        for alert in kpi.alerts:
            dashboard, panel = places.over_time(kpi)
            yield Rule(
                group="kpis",
                subject=kpi.name,
                by=expressions.BY,
                hold=alert.hold,
                keep=alert.keep,
                severity=alert.severity,
                dashboard=dashboard,
                panel=panel,
                **_of(kpi, alert),
            )


def _of(kpi: Kpi, alert: Alert) -> dict[str, Any]:
    match alert:
        case Threshold():
            return _threshold(kpi, alert)
        case Burn():
            return _burn(kpi, alert)
        case Stopped():
            return _stopped(kpi, alert)
        case Traded():
            return _traded(kpi, alert)


def _threshold(kpi: Kpi, alert: Threshold) -> dict[str, Any]:
    over = f" {span(alert.window)}" if alert.window else ""
    side = "below" if kpi.better == "higher" else "above"
    as_share = alert.relative or kpi.unit.is_ratio
    tolerated = f" ({margin(kpi, alert)} tolerated)" if alert.tolerance else ""
    return {
        "name": f"{_camel(kpi.name)}OffTarget",
        "value": expressions.threshold(kpi, alert),
        "above": alert.tolerance,
        "clear": alert.clear,
        "summary": f"{kpi.title} of {_WHERE} misses its target",
        "description": f"{kpi.title}{over} is VALUE {side} target{tolerated}. {kpi.doc}",
        "shown": "humanizePercentage" if as_share else "humanize",
    }


def margin(kpi: Kpi, alert: Threshold) -> str:
    """What a threshold tolerates, for people: per cent of the target, points, or the KPI's unit."""
    if alert.relative:
        return f"{alert.tolerance * 100:g} %"
    if kpi.unit.is_ratio:
        return f"{alert.tolerance * 100:g} points"
    return number(alert.tolerance, kpi.unit)


def _burn(kpi: Kpi, alert: Burn) -> dict[str, Any]:
    fast = alert.severity == "page"
    return {
        "name": f"{_camel(kpi.name)}{'Burns' if fast else 'BurnsSlowly'}",
        "value": expressions.burn(kpi, alert),
        "above": alert.factor,
        "clear": alert.clear,
        "summary": f"{kpi.title} of {_WHERE} burns its error budget {'very fast' if fast else 'too fast'}",
        "description": (
            f"{span(alert.long).capitalize()}, and {span(alert.short)} as well, contacts miss the target VALUE times as "
            f"often as they may ({alert.factor:g} times tolerated). {kpi.doc}"
        ),
        "shown": "humanize",
    }


def _stopped(kpi: Kpi, alert: Stopped) -> dict[str, Any]:
    return {
        "name": "ContactsStopped",
        "value": expressions.stopped(kpi, alert),
        "above": round(1 - alert.share, 4),
        "clear": round(1 - alert.clear, 4),
        "summary": f"Hardly any contacts come to {_WHERE}",
        "description": (
            "In the last half hour VALUE of the contacts that are usual at this hour of the week did not come. The pipeline "
            "is fresh: what is missing was never sent."
        ),
        "shown": "humanizePercentage",
    }


def _traded(kpi: Kpi, alert: Traded) -> dict[str, Any]:
    other = BY_NAME[alert.against]
    return {
        "name": f"{_camel(kpi.name)}At{_camel(other.name)}sCost",
        "value": expressions.traded(kpi, alert),
        "above": alert.gain,
        "clear": alert.clear,
        "summary": f"{kpi.title} of {_WHERE} gets better while {other.title.lower()} gets worse",
        "description": (
            f"Today {kpi.title.lower()} is VALUE better than at this hour of the same weekday in the last {alert.weeks} weeks, "
            f"and {other.title.lower()} more than {alert.loss * 100:g} points worse. {kpi.misleads}"
        ),
        "shown": "humanizePercentage",
    }


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
