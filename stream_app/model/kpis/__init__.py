"""The catalogue: one entry for each KPI. These are the files to edit.

To add a KPI over existing counters, add one entry to ``queues``, ``written``, ``work``, ``volumes``, ``quality`` or
``business``, and its worked example to ``tests/model/examples.py``; metrics, API, panels, rules and documentation follow.
``counters`` lists what is counted.
"""

from typing import Final

from stream_app.model.windows import WINDOWS

from .alerts import Traded
from .business import BUSINESS
from .counters import (
    COUNTERS,
    FAMILIES,
    SKETCHES,
    STORED,
    abandoned,
    abandonments_undone,
    answered,
    handled,
    offered,
)
from .kpi import Kpi
from .measures import Derived, IntervalsMet, Revenue
from .policies import SERVICE_LEVELS
from .quality import QUALITY
from .queues import QUEUES
from .sums import Sum
from .volumes import VOLUMES
from .work import WORK
from .written import CONVERSATIONS

__all__ = [
    "BY_NAME",
    "CARRIED",
    "COUNTERS",
    "FAMILIES",
    "HEADLINES",
    "KPIS",
    "SERVICE_LEVELS",
    "SKETCHES",
    "STORED",
    "TOTALS",
    "check",
]

KPIS: Final[tuple[Kpi, ...]] = (*QUEUES, *WORK, *CONVERSATIONS, *VOLUMES, *QUALITY, *BUSINESS)
BY_NAME: Final[dict[str, Kpi]] = {kpi.name: kpi for kpi in KPIS}
HEADLINES: Final[tuple[Kpi, ...]] = tuple(kpi for kpi in KPIS if kpi.headline)
"""What people look at first."""
CARRIED: Final[tuple[Kpi, ...]] = tuple(
    kpi for kpi in KPIS if kpi.headline or kpi.headline_written or kpi.name in {one.twin for one in HEADLINES}
)
"""What the stream carries: the headlines of every channel, by either clock."""
TOTALS: Final[dict[str, Sum]] = {
    "offered": Sum.of(offered),
    "answered": Sum.of(answered),
    "abandoned": abandoned
    + abandonments_undone,  # undone abandonments have a total of their own, so this one never falls
    "abandonments_undone": Sum.of(abandonments_undone),
    "handled": Sum.of(handled),
}
"""Exported as ``cc_contacts_<name>_total``, of contacts counted as they happened; they never decrease."""


def check(kpis: tuple[Kpi, ...]) -> None:
    """Refuse a catalogue that contradicts itself.

    Raises:
        ValueError: what is wrong, and where.
    """
    names = [part.name for part in STORED]
    by_name = {kpi.name: kpi for kpi in kpis}
    if len(set(names)) < len(names) or len(by_name) < len(kpis):
        raise ValueError("two counters, sketches or KPIs share a name")
    if sum(isinstance(kpi.measure, IntervalsMet) for kpi in kpis) > 1:
        raise ValueError("intervals are kept for one KPI only")
    for kpi in kpis:
        missing = [c.name for c in kpi.measure.counters if c not in COUNTERS]
        missing += [kpi.spread.name] if kpi.spread and kpi.spread not in SKETCHES else []
        missing += [other for other in (*kpi.pairs, kpi.twin) if other and other not in by_name]
        missing += [
            a.against for a in kpi.alerts if isinstance(a, Traded) and not _has(by_name, a.against, a.window)
        ]
        match kpi.measure:
            case Derived(of=of):
                missing += [f"{name} {window}" for name, window in of if not _has(by_name, name, window)]
            case IntervalsMet(kpi=name):
                missing += [] if name in by_name and by_name[name].better == "higher" else [name]
            case Revenue(amounts=amounts):
                missing += [] if amounts in FAMILIES else [amounts.name]
        if missing:
            raise ValueError(f"{kpi.name} refers to {', '.join(missing)}, which the catalogue does not have")


def _has(by_name: dict[str, Kpi], name: str, window: str | None) -> bool:
    kpi = by_name.get(name)
    if kpi is None or kpi.is_level is not (window is None):
        return False
    # A snapshot has every window of a KPI, whichever of them its metrics have.
    return window in ((None, *kpi.windows) if isinstance(kpi.measure, IntervalsMet) else (None, *WINDOWS))


check(KPIS)
