"""The KPI dictionary as data: ``stream-app kpis --json`` prints it and the documentation is made from it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from stream_app.model.kpis import KPIS
from stream_app.model.kpis.bands import BANDS, Bands, Range
from stream_app.model.kpis.from_ledger import FromLedger, LedgerMeasure
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Measure, Unit


def entries() -> list[dict[str, Any]]:
    """Return one entry for each KPI, in the order of the catalogue; those of the ledger come last."""
    return [*(entry(kpi) for kpi in KPIS), *(ledger_entry(kpi) for kpi in FROM_LEDGER)]


def ledger_entry(kpi: FromLedger) -> dict[str, Any]:
    """Return the same of a KPI of the ledger; of one with several formulas the first one."""
    return {
        "name": kpi.name,
        "title": kpi.title,
        "formula": formula(next(iter(kpi.measures.values()))),
        "unit": kpi.unit.suffix,
        "better": kpi.better,
        "target": kpi.target,
        "tier": kpi.tier,
        "leading": kpi.leading,
        "source": kpi.source,
        "pairs": list(kpi.pairs),
        "bands": _plain_bands(kpi.name),
    }


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
        "bands": _plain_bands(kpi.name),
    }


def _plain_bands(name: str) -> dict[str, Any] | None:
    found = BANDS.get(name)
    return None if found is None else msgspec.to_builtins(found)


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


def bands(found: Bands, unit: Unit) -> str:
    """Format bands for people: average 75 to 84 %, good from 80 %."""

    def between(some: Range) -> str:
        low, high = number(some.low, unit), number(some.high, unit)
        return low if low == high else f"{low} to {high}"

    parts = [f"average {between(found.average)}"] if found.average else []
    named = (("good", found.good), ("world class", found.world_class))
    parts += [f"{name} from {number(value, unit)}" for name, value in named if value is not None]
    parts += [f"{centre} {between(some)}" for centre, some in found.by_centre.items()]
    return ", ".join(parts)
