"""Panels of a KPI: everything about them is derived from its entry in the catalogue."""

from collections.abc import Mapping
from typing import Any, Final

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit, WindowCount
from stream_app.model.live.formulas import PERCENTILES
from stream_app.views import naming
from stream_app.views.dictionary import targets

from .common import NOT_KNOWN
from .look import (
    AMBER,
    BLUE,
    DECIMALS,
    GREEN,
    RED,
    ROOM,
    TRANSPARENT,
    Override,
    Panel,
    coloured,
    steps,
    target_line,
    to_channel,
    to_queue,
    to_why,
)
from .panels import query, stat, timeseries
from .queries import (
    Verdict,
    by_queue,
    each,
    fixed_window,
    fresh,
    in_window,
    judged,
    rolled_up,
    share,
    target,
    targets_differ,
)

_SURVEYS: Final = "It needs `survey.answered` events."
_SURVEYS_SENT: Final = "It needs `survey.sent` and `survey.answered` events."
_REVIEWS: Final = "It needs `quality.scored` events."
_SENTIMENT: Final = "It needs `sentiment.scored` events."
_REFS: Final[dict[Verdict, str]] = {"missed": "M", "met": "T", "no target": "V"}
"""What a tile's queries are called: the missed targets come first."""
NEEDS: Final = {
    "cost_per_contact": "It needs `cost_per_hour` or `cost_per_contact`, and `currency`, in the targets: "
    "stream-app config apply.",
    "revenue_per_contact": "It needs `sale.recorded` events.",
    "conversion": "It needs handled contacts, and `sale.recorded` events to be above 0.",
    "csat": _SURVEYS,
    "survey_response": _SURVEYS,
    "nps_response": _SURVEYS_SENT,
    "ces_response": _SURVEYS_SENT,
    "nps": _SURVEYS,
    "ces": _SURVEYS,
    "quality_score": _REVIEWS,
    "quality_score_automatic": _REVIEWS,
    "compliance": _REVIEWS,
    "compliance_automatic": _REVIEWS,
    "review_share": _REVIEWS,
    "sentiment": _SENTIMENT,
    "predicted_csat": _SENTIMENT,
    "at_risk": _SENTIMENT,
    "outbound_handle_time": "It needs outbound calls.",
    "outbound": "It needs outbound calls.",
    "hold_time_held": "It needs contacts that were on hold.",
    "bot_containment": "It needs contacts that met a bot.",
    **dict.fromkeys(
        ("awaiting_reply", "oldest_awaiting_reply", "open_conversations", "pending"),
        "It needs a channel in which people write.",
    ),
    **dict.fromkeys(("with_bot", "oldest_unanswered_by_bot"), "It needs contacts that met a bot."),
    "reply_service_level": "It needs `reply_target_s` in the targets: stream-app config apply.",
    "pending_time": "It needs written contacts that were set aside.",
    "estimated_work": "It needs handled contacts whose work is found from their replies.",
    "average_response": "It needs `message.received` and `message.sent` events.",
    "average_response_business": "It needs `message.received` and `message.sent` events.",
}
"""KPI → where its data comes from, if not from every contact."""


def about(kpi: Kpi) -> str:
    """Write the panel's description from the dictionary."""
    others = ", ".join(BY_NAME[other].title for other in kpi.pairs)
    parts = [kpi.doc, kpi.misleads, f"Read with: {others}."]
    if not isinstance(kpi.measure, WindowCount):
        parts.insert(1, f"{kpi.better.capitalize()} is better.")
    if kpi.target is not None:
        parts.append(f"Default target: {targets(kpi)}.")
    if needs := NEEDS.get(kpi.name):
        parts.append(needs)
    return " ".join(parts)


def none(kpi: Kpi) -> str:
    """Write what a chart without a line shows: how to get one."""
    return f"{NOT_KNOWN}. {NEEDS.get(kpi.name, '')}".strip()


def titled(kpi: Kpi) -> str:
    """Return its title, with the window if that does not follow the dashboard's."""
    window = fixed_window(kpi)
    return f"{kpi.title}, {window}" if window else kpi.title


def missed(kpi: Kpi | FromLedger) -> str:
    """Return the colour of a missed target: a handle time is rarely acute, and nobody should press agents because of it."""
    return RED if kpi.leading or kpi.tier != "operational" else AMBER


def by_verdict(texts: Mapping[Verdict, str]) -> dict[str, str]:
    """Return a tile's queries under their names."""
    return {_REFS[verdict]: text for verdict, text in texts.items()}


def verdict_colours(kpi: Kpi | FromLedger) -> list[Override]:
    """Give each of a tile's queries the colour of its verdict."""
    colours: dict[Verdict, str] = {"missed": missed(kpi), "met": GREEN, "no target": BLUE}
    return [coloured(_REFS[verdict], colour) for verdict, colour in colours.items()]


def least(kpi: Kpi) -> float | None:
    """Return the lowest value that an axis or a bar begins at; ``None`` where values are negative, too."""
    return None if kpi.unit in {Unit.POINTS, Unit.SCORE} else 0


def _scale(kpi: Kpi) -> dict[str, Any]:
    """Return the scale of an axis: to 100 % only where values are expected near it, or an incident would be a flat line."""
    near_all = kpi.unit.is_ratio and kpi.better == "higher" and min(kpi.targets.values(), default=0) >= 0.5
    return {"most": 1} if near_all else {"room": ROOM.get(kpi.unit)}


def tile(kpi: Kpi, width: int, height: int = 5, *, linked: bool = True) -> Panel:
    """Show its value now over the chosen queues, by channel; where the window can't be chosen, the heading has ``today``."""
    window = "" if kpi.is_level or fixed_window(kpi) else ", $window"
    aims = naming.shows_target(kpi)
    return stat(
        f"now: {kpi.name}",
        f"{kpi.title}{window}",
        by_verdict(judged(kpi)) if aims else rolled_up(kpi),
        "{{channel}}",
        size=(width, height),
        description=about(kpi) + (" Colours follow the targets in force." if aims else ""),
        unit=kpi.unit.grafana,
        decimals=DECIMALS[kpi.unit],
        least=least(kpi),
        overrides=verdict_colours(kpi) if aims else [],
        links=to_channel() if linked else (),
    )


def over_time(kpi: Kpi, width: int = 12, *, linked: bool = True) -> Panel:
    """Draw a line for each queue, and its target."""
    legend = "{{queue}} {{channel}}" + (" {{currency}}" if kpi.unit is Unit.AMOUNT else "")
    queries = [query("A", by_queue(kpi), legend)]
    if kpi.target is not None:
        queries.append(query("T", target(kpi), legend))
    return timeseries(
        f"over time: {kpi.name}",
        titled(kpi),
        queries,
        size=(width, 8),
        description=about(kpi)
        + (" The thin dashed line is the queue's target." if kpi.target is not None else ""),
        none=none(kpi),
        overrides=[target_line()] if kpi.target is not None else [],
        links=[*(to_queue() if linked else ()), *to_why(kpi)],
        unit=kpi.unit.grafana,
        least=least(kpi),
        **_scale(kpi),
    )


def of_target(kpi: Kpi, width: int = 12) -> Panel:
    """Draw each queue's value as a share of its own target: hours for an email would hide minutes for a call."""
    return timeseries(
        f"over time: {kpi.name}",
        f"{titled(kpi)}, share of target",
        [query("A", share(kpi), "{{queue}} {{channel}}")],
        size=(width, 8),
        description=f"{about(kpi)} Each queue against its own target: 100 % is just on it, above is worse.",
        none=none(kpi),
        unit="percentunit",
        room=1.2,
        line_at="dashed",
        steps=steps(TRANSPARENT, (1, missed(kpi))),
        links=[*to_queue(), *to_why(kpi)],
    )


def history(kpi: Kpi, width: int = 12) -> Panel:
    """Draw it for several queues: against their own targets if these differ by channel."""
    return of_target(kpi, width) if targets_differ(kpi) else over_time(kpi, width)


def percentiles(kpi: Kpi, width: int = 12, *, linked: bool = True) -> Panel:
    """Draw what the mean hides."""
    chosen = f'{{{naming.WINDOW}="$window"}}'
    names = {quantile: naming.percentile_of_all(kpi, quantile) for quantile in PERCENTILES}
    queries = [
        query(quantile.upper(), f"max({fresh(f'{name}{chosen}')})", f"{quantile} of all queues")
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
        size=(width, 8),
        description=f"What the mean hides. {kpi.doc} Percentiles of all queues ignore the filters.",
        none=none(kpi),
        room=ROOM[kpi.unit],
        links=to_queue() if linked else (),
        unit=kpi.unit.grafana,
    )
