"""Panels of KPIs of the ledger: everything about them is derived from their entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from stream_app.model.kpis import KPIS
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.kpis.measures import Unit
from stream_app.model.ledger_numbers import LedgerWindow
from stream_app.views import links, naming
from stream_app.views.budget import PARTS_WINDOW
from stream_app.views.dictionary import number

from .kpis import by_verdict, verdict_colours
from .look import DECIMALS, ROOM, Panel, override, target_line, to_queue
from .panels import bars, query, stat, timeseries
from .queries import CHOSEN, QUEUES, Verdict, at_site, fresh, known, verdicts

SOON: Final[LedgerWindow] = "7d"
"""The window of provisional values: what happened lately."""
LATE: Final[LedgerWindow] = "28d"
"""The window of settled values, and of what is rare."""
LEDGER: Final = {kpi.name: kpi for kpi in FROM_LEDGER}
TITLES: Final = {kpi.name: kpi.title for kpi in KPIS} | {kpi.name: kpi.title for kpi in FROM_LEDGER}
_NONE: Final = "Not known. It needs the ledger (STREAM_APP_LEDGER)"
_CASES: Final = "`case.*` events"
_OTHERS_NEED: Final = "what docs/semantics.md says"
_FAMILY_NEEDS: Final = {
    "journeys": "contacts that tell their `customer`",
    "touches": "written contacts with `message.sent` events",
    "resolved_cases": _CASES,
    "begun_cases": _CASES,
    "unresolved_cases": _CASES,
    "customers": "`customer.*` events",
    "bots": "contacts that met a bot",
    "work": "`cost_per_hour` or `cost_per_contact`, and `currency`, in the targets",
    "opinions": "`survey.answered` events",
    "sales": "`sale.recorded` events",
    "criteria": "`quality.scored` events with criteria",
    "trainings": "`training.*` events",
    **dict.fromkeys(("agent_time", "shared_work"), "`agent.state` events"),
    "churn_by_resolution": "`customer.*` events, and contacts that tell their `customer`",
}


def needs(kpi: FromLedger) -> str:
    """Write what a KPI is made of."""
    families = dict.fromkeys(measure.family for measure in kpi.measures.values())
    return " or ".join(dict.fromkeys(_FAMILY_NEEDS.get(name, _OTHERS_NEED) for name in families))


def about(kpi: FromLedger) -> str:
    """Write the panel's description from the dictionary."""
    others = ", ".join(TITLES[other] for other in kpi.pairs)
    parts = [kpi.doc, f"{kpi.better.capitalize()} is better.", kpi.misleads, f"Read with: {others}."]
    if kpi.target is not None:
        parts.append(f"Default target: {number(kpi.target, kpi.unit)}.")
    return " ".join([*parts, f"It needs {needs(kpi)}."])


def none(kpi: FromLedger) -> str:
    """Write what a chart without a line shows: how to get one."""
    return f"{_NONE} and {needs(kpi)}."


def least(kpi: FromLedger) -> float | None:
    """Return the lowest value that an axis begins at; ``None`` where values are negative, too."""
    return None if kpi.unit in {Unit.POINTS, Unit.SCORE} else 0


def by_queue(kpi: FromLedger, metric: str, window: LedgerWindow, policy: str = "") -> str:
    """Write a metric of a KPI by what it is split by, of the chosen queues and sites."""
    selector = _selector(kpi, window, policy)
    if not kpi.placed:
        return f"max by ({', '.join(naming.owners(kpi))}) ({fresh(f'{metric}{{{selector}}}')})"
    labels = ", ".join([QUEUES, *([naming.CURRENCY] if _of_currency(kpi, metric) else [])])
    return at_site(f"max by ({labels}) ({fresh(f'{metric}{{{selector}}}')})")


def _of_currency(kpi: FromLedger, metric: str) -> bool:
    return naming.has_currency(kpi) and metric == naming.of_ledger(kpi)


def _selector(kpi: FromLedger, window: LedgerWindow, policy: str) -> str:
    parts = [CHOSEN] if kpi.placed else []
    parts += [] if kpi.is_level else [f'{naming.WINDOW}="{window}"']
    parts += [f'{naming.POLICY}="{policy}"'] if policy else []
    return ",".join(parts)


def _target(kpi: FromLedger) -> str:
    """Write the target in force of each queue, segment or team."""
    if kpi.placed:
        return known(naming.ledger_target(kpi))
    return f"max by ({', '.join(naming.owners(kpi))}) ({naming.ledger_target(kpi)})"


def rolled_up(kpi: FromLedger, window: LedgerWindow, policy: str = "", *, settled: bool = False) -> str:
    """Write a share or mean over all that is chosen, weighed by what each part rests on; of a count the sum."""
    value = by_queue(kpi, naming.settled(kpi) if settled else naming.of_ledger(kpi), window, policy)
    if kpi.counts:
        return f"sum({value})"
    metric = naming.settled_samples(kpi) if settled else naming.ledger_samples(kpi)
    samples = by_queue(kpi, metric, window, policy)
    on = f"on ({', '.join(naming.owners(kpi))})"
    return f"sum({value} * {on} {samples}) / (sum({samples} and {on} {value}) > 0)"


def to_why(
    kpi: FromLedger, window: LedgerWindow, policy: str = "", *, settled: bool = False, each: bool = False
) -> list[Panel]:
    """Link to what makes a KPI, now, on the wallboard.

    Args:
        kpi: which.
        window: that is drawn.
        policy: by which formula.
        settled: whether only what nothing told in time can change is drawn.
        each: of a series of one queue and channel; otherwise of all queues.
    """
    of = [
        f"${{__field.labels.{name}:percentencode}}" if each and kpi.placed else ""
        for name in (naming.QUEUE, naming.CHANNEL)
    ]
    asked = [kpi.name, *of, "" if kpi.is_level else window, "", policy, "yes" if settled else ""]
    while len(asked) > 3 and not asked[-1]:
        asked.pop()
    url = f"{links.WALLBOARD}{links.WHY}{'&why='.join(asked)}"
    what = "" if kpi.is_level else f", {window}"
    whose = " of all queues" if kpi.placed and not each else ""
    return [{"title": f"Why{whose}{what}", "url": url, "targetBlank": True}]


def over_time(kpi: FromLedger, width: int = 12, policy: str = "") -> Panel:
    """Draw a line for each queue, or segment: lately; where it settles, dashed what can't change any more; and its target."""
    legend = " ".join(f"{{{{{name}}}}}" for name in naming.owners(kpi))
    legend += " {{currency}}" if naming.has_currency(kpi) else ""
    queries = [query("A", by_queue(kpi, naming.of_ledger(kpi), SOON, policy), legend)]
    overrides: list[Panel] = []
    said = [about(kpi)]
    if kpi.settles:
        queries.append(query("S", by_queue(kpi, naming.settled(kpi), LATE, policy), legend))
        overrides.append(_thin("S"))
        said.append(f"Thin lines are what nothing told in time can change, over {LATE}.")
    if kpi.target is not None:
        queries.append(query("T", _target(kpi), legend))
        overrides.append(target_line())
        said.append("The thin dashed line is the target.")
    window = "" if kpi.is_level else f", {SOON}"
    return timeseries(
        " ".join(filter(None, (f"over time: {kpi.name}", policy))),
        f"{kpi.title}{by(policy)}{window}",
        queries,
        size=(width, 8),
        description=" ".join(said),
        none=none(kpi),
        overrides=overrides,
        links=[
            *(to_queue(window=False) if kpi.placed else ()),
            *to_why(kpi, SOON, policy, each=True),
        ],
        unit=kpi.unit.grafana,
        least=least(kpi),
        room=ROOM.get(kpi.unit),
    )


def by(policy: str) -> str:
    """Write what a title says of a formula."""
    return f" {policy.replace('_', ' ')}" if policy else ""


def _thin(ref_id: str) -> Panel:
    hidden = {"legend": True, "tooltip": False, "viz": False}
    return override(
        "byFrameRefID", ref_id, custom__lineWidth=1, custom__fillOpacity=0, custom__hideFrom=hidden
    )


def tile(
    kpi: FromLedger, width: int, window: LedgerWindow, policy: str = "", *, settled: bool = False
) -> Panel:
    """Show its value over all that is chosen."""
    how = f", settled, {window}" if settled else "" if kpi.is_level else f", {window}"
    how += f",{by(policy)}" if policy else ""
    purpose = " ".join(filter(None, (f"ledger: {kpi.name}", policy, "settled" if settled else "", window)))
    aims = naming.shows_target(kpi)
    value = rolled_up(kpi, window, policy, settled=settled)
    return stat(
        purpose,
        f"{kpi.title}{how}",
        by_verdict(judged(kpi, window, policy, settled=settled)) if aims else value,
        size=(width, 5),
        description=about(kpi)
        + (f" Measured{by(policy)}." if policy else "")
        + (" Of what nothing told in time can change." if settled else "")
        + (" Colours follow the targets in force." if aims else "")
        + ("" if kpi.placed else " They belong to no queue: the filters do not matter."),
        unit=kpi.unit.grafana,
        decimals=DECIMALS.get(kpi.unit),
        least=least(kpi),
        overrides=verdict_colours(kpi) if aims else [],
        links=to_why(kpi, window, policy, settled=settled),
    )


def judged(
    kpi: FromLedger, window: LedgerWindow, policy: str = "", *, settled: bool = False
) -> dict[Verdict, str]:
    """Write its value over all that is chosen three times, as ``queries.verdicts``: by the targets in force."""
    samples = naming.settled_samples(kpi) if settled else naming.ledger_samples(kpi)
    return verdicts(
        rolled_up(kpi, window, policy, settled=settled),
        by_queue(kpi, naming.settled(kpi) if settled else naming.of_ledger(kpi), window, policy),
        _target(kpi),
        None if kpi.counts else by_queue(kpi, samples, window, policy),
        better=kpi.better,
        by="",
        owners=", ".join(naming.owners(kpi)),
    )


def parts(kpi: FromLedger, width: int = 12) -> Panel:
    """Draw its parts over all that is chosen."""
    names = naming.parts_of(kpi)
    queries = []
    for n, name in enumerate(names):
        selector = ",".join((_selector(kpi, PARTS_WINDOW, ""), f'{naming.PART}="{name}"'))
        value = f"max by ({', '.join(naming.owners(kpi))}) ({fresh(f'{naming.part(kpi)}{{{selector}}}')})"
        value = at_site(value) if kpi.placed else value
        if kpi.counts:
            expression = f"sum({value})"
        else:
            samples = by_queue(kpi, naming.ledger_samples(kpi), PARTS_WINDOW)
            expression = f"sum({value} * on ({QUEUES}) {samples}) / (sum({samples}) > 0)"
        queries.append(query(f"P{n}", expression, name.replace("_", " "), now=True))
    window = "" if kpi.is_level else f", {PARTS_WINDOW}"
    return bars(
        f"parts: {kpi.name}",
        f"{kpi.title}: parts{window}",
        queries,
        size=(width, 8),
        description=about(kpi),
        none=none(kpi),
        links=to_why(kpi, PARTS_WINDOW),
        unit=kpi.unit.grafana,
        decimals=DECIMALS.get(kpi.unit),
    )


def together(purpose: str, title: str, kpis: Sequence[FromLedger], width: int = 12, **more: Any) -> Panel:
    """Draw several KPIs of one unit over all that is chosen, a line each."""
    first = kpis[0]
    return timeseries(
        purpose,
        title,
        [query(f"K{n}", rolled_up(kpi, SOON), kpi.title) for n, kpi in enumerate(kpis)],
        size=(width, 8),
        description=" ".join([f"{kpi.title}: {kpi.doc}" for kpi in kpis] + [f"It needs {needs(first)}."]),
        none=none(first),
        overrides=[override("byFrameRefID", f"K{n}", links=to_why(kpi, SOON)) for n, kpi in enumerate(kpis)],
        unit=first.unit.grafana,
        room=ROOM.get(first.unit),
        **more,
    )
