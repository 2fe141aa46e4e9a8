"""The KPI dictionary as data: what ``stream-app kpis --json`` prints and the documentation is made of."""

from collections.abc import Mapping
from typing import Any

from stream_app.model.kpi import Kpi
from stream_app.model.kpis import KPIS
from stream_app.model.measures import Measure, Unit


def entries() -> list[dict[str, Any]]:
    """One entry for each KPI, in the order of the catalogue."""
    return [entry(kpi) for kpi in KPIS]


def entry(kpi: Kpi) -> dict[str, Any]:
    """What a program needs to know of a KPI; ``target`` is one number, or one by channel, or ``None``."""
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


def formula(measure: Measure) -> str:
    """A measure as a person writes it: words instead of names, units left to the unit's column."""
    text = str(measure).replace("_ms", " time").replace("_", " ")
    return text.replace(" - ", " − ").replace(" * ", " × ")  # noqa: RUF001 - a minus and a times sign


def span(window: str) -> str:
    """A window in words: ``in the last 30 minutes``, ``today``."""
    return "today" if window == "today" else f"in the last {window.removesuffix('m')} minutes"


def number(value: float, unit: Unit) -> str:
    """A target for people: 80 %, 20 s, 4 h."""
    if unit.is_ratio:
        return f"{value * 100:g} %"
    if unit is Unit.SECONDS:
        for size, name in ((3600, "h"), (60, "min")):
            if value % size == 0 and value > 60:
                return f"{value / size:g} {name}"
        return f"{value:g} s"
    return f"{value:g}"


def targets(kpi: Kpi) -> str:
    """The default targets for people: one for all, or by channel."""
    parts = [
        f"{channel or ('others' if len(kpi.targets) > 1 else '')} {number(value, kpi.unit)}".strip()
        for channel, value in kpi.targets.items()
    ]
    return ", ".join(parts) or "—"
