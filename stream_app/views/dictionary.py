"""The KPI dictionary as data: ``stream-app kpis --json`` prints it and the documentation is made from it."""

from collections.abc import Mapping
from typing import Any

from stream_app.model.kpis import KPIS
from stream_app.model.kpis.from_ledger import LedgerMeasure
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Measure, Unit


def entries() -> list[dict[str, Any]]:
    """Return one entry for each KPI, in the order of the catalogue."""
    return [entry(kpi) for kpi in KPIS]


def entry(kpi: Kpi) -> dict[str, Any]:
    """Return what a program needs to know about a KPI; ``target`` is one number, one by channel, or ``None``."""
    target = kpi.target
    return {
        "name": kpi.name,
        "title": kpi.title,
        "formula": formula(kpi.measure),
        "unit": kpi.unit.suffix,
        "better": kpi.better,
        "target": dict(target) if isinstance(target, Mapping) else target,
        "tier": kpi.tier,
        "leading": kpi.leading,
        "source": kpi.source,
        "pairs": list(kpi.pairs),
    }


def formula(measure: Measure | LedgerMeasure) -> str:
    """Write a measure for people: words instead of names, without units, which have a column of their own."""
    text = str(measure).replace("_ms", " time").replace("_", " ")
    return text.replace(" - ", " − ").replace(" * ", " × ")  # noqa: RUF001 - a minus and a times sign


def span(window: str) -> str:
    """Return a window in words: ``in the last 30 minutes``, ``today``."""
    return "today" if window == "today" else f"in the last {window.removesuffix('m')} minutes"


def number(value: float, unit: Unit) -> str:
    """Format a target for people: 80 %, 20 s, 4 h."""
    if unit.is_ratio:
        return f"{value * 100:g} %"
    if unit is Unit.SECONDS:
        for size, name in ((3600, "h"), (60, "min")):
            if value % size == 0 and value > 60:
                return f"{value / size:g} {name}"
        return f"{value:g} s"
    return f"{value:g}"


def targets(kpi: Kpi) -> str:
    """Format the default targets for people: one for all, or by channel."""
    parts = [
        f"{channel or ('others' if len(kpi.targets) > 1 else '')} {number(value, kpi.unit)}".strip()
        for channel, value in kpi.targets.items()
    ]
    return ", ".join(parts) or "—"
