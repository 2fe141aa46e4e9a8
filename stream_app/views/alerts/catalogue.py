"""The alerts of the catalogue's KPIs as rules: name, texts, panel.

Texts say what a supervisor would ask first: the value, the target, how many customers, in their units. A time is never a
percentage, and what is measured in points is called points.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.model.kpis.alerts import Alert, Breached, Burn, Stopped, Surged, Threshold, TooMany, Traded
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit
from stream_app.views import links, naming
from stream_app.views.dictionary import number, span

from . import actions, expressions
from .rule import AlertRule
from .templates import Quoted, form

_WHERE: Final = "{{ .Labels.queue }} ({{ .Labels.channel }})"
_WAITING: Final = Quoted("waiting", naming.value(BY_NAME["backlog"]), "count")
_REPLIES: Final = Quoted("replies", naming.value(BY_NAME["awaiting_reply"]), "count")
_WITH_BOT: Final = Quoted("others", naming.value(BY_NAME["with_bot"]), "count")
_LONGEST: Final = Quoted("longest", naming.value(BY_NAME["oldest_waiting"]), "duration")
_WORDS: Final = {"oldest_waiting": "longest wait", "compliance_automatic": "automatic compliance"}
_BESIDE: Final[dict[str, tuple[Quoted, str]]] = {
    "oldest_awaiting_reply": (_REPLIES, "%replies% awaiting a reply"),
    "oldest_unanswered_by_bot": (_WITH_BOT, "%others% with a bot"),
}
"""Level → how many it is the oldest of; of all others, of those who wait."""
_ANSWERS: Final = {"csat", "nps", "ces"}
_REVIEWS: Final = {"compliance", "compliance_automatic"}


def rules() -> Iterator[AlertRule]:
    """Yield one rule for each alert of each KPI."""
    for kpi in KPIS:
        for alert in kpi.alerts:
            dashboard, panel = links.over_time(kpi)
            yield AlertRule(
                group="kpis",
                subject=kpi.name,
                by=expressions.BY,
                hold=alert.hold,
                keep=alert.keep,
                severity=alert.severity,
                dashboard=dashboard,
                panel=panel,
                known=expressions.FRESH,
                **_of(kpi, alert),
            )


def _of(kpi: Kpi, alert: Alert) -> dict[str, Any]:
    made: dict[type[Alert], Callable[[Kpi, Any], dict[str, Any]]] = {
        Threshold: _threshold,
        Burn: _burn,
        Stopped: _stopped,
        Surged: _surged,
        TooMany: _too_many,
        Breached: _breached,
        Traded: _traded,
    }
    return made[type(alert)](kpi, alert)


def _now(kpi: Kpi, window: str | None, name: str = "now") -> Quoted:
    return Quoted(name, naming.value(kpi), form(kpi.unit), window)


def _target(kpi: Kpi) -> Quoted:
    return Quoted("target", naming.target(kpi), form(kpi.unit))


def _samples(kpi: Kpi, window: str | None) -> Quoted:
    return Quoted("samples", naming.samples(kpi), "count", window)


def _words(kpi: Kpi) -> str:
    return _WORDS.get(kpi.name, kpi.title.lower())


def _noun(kpi: Kpi) -> str:
    """Return what the samples of a KPI are."""
    if kpi.name in _ANSWERS:
        return "answers"
    return "reviews" if kpi.name in _REVIEWS else "contacts"


def _threshold(kpi: Kpi, alert: Threshold) -> dict[str, Any]:
    figures = [_now(kpi, alert.window), _target(kpi)]
    if kpi.name == "backlog":
        figures.append(_LONGEST)
        summary = f"{_WHERE}: %now% waiting, target %target%, longest wait %longest%"
    elif alert.window is None:
        figure, many = _BESIDE.get(kpi.name, (_WAITING, "%waiting% waiting"))
        figures.append(figure)
        summary = f"{_WHERE}: {_words(kpi)} %now%, target %target%, {many}"
    else:
        figures.append(_samples(kpi, alert.window))
        summary = (
            f"{_WHERE}: {_words(kpi)} %now% {span(alert.window)}, target %target%, %samples% {_noun(kpi)}"
        )
    return {
        "name": f"{_camel(kpi.name)}OffTarget",
        "value": expressions.threshold(kpi, alert),
        "above": alert.tolerance,
        "clear": alert.clear,
        "summary": summary,
        "description": _tolerated(kpi, alert),
        "shown": "humanize",
        "figures": tuple(figures),
        "do": actions.TO_DO[kpi.name],
    }


def _tolerated(kpi: Kpi, alert: Threshold) -> str:
    """Write how much is tolerated, in points or the KPI's unit; a share of a target may be one of a time, so not that."""
    if not alert.tolerance or alert.relative:
        return kpi.doc
    return f"The alert begins more than {margin(kpi, alert)} {'below' if kpi.better == 'higher' else 'above'} the target."


def margin(kpi: Kpi, alert: Threshold) -> str:
    """Format what a threshold tolerates: a percentage of the target, points, or the KPI's unit."""
    if alert.relative:
        return f"{alert.tolerance * 100:g} %"
    if kpi.unit.is_ratio:
        return f"{alert.tolerance * 100:g} points"
    if kpi.unit is Unit.POINTS:
        return f"{alert.tolerance:g} points"
    return number(alert.tolerance, kpi.unit)


def _burn(kpi: Kpi, alert: Burn) -> dict[str, Any]:
    fast = alert.severity == "page"
    # Whatever else is wrong with a queue, people wait: that page goes first where an evaluator can't see what fires.
    first = [expressions.past_target(BY_NAME["oldest_waiting"])] if fast else []
    if fast and kpi.name != "service_level":
        level = BY_NAME["service_level"]
        burns = next(one for one in level.alerts if isinstance(one, Burn) and one.severity == "page")
        first.append(f"({expressions.burn(level, burns)}) > {burns.factor:g}")
    return {
        "name": f"{_camel(kpi.name)}{'Burns' if fast else 'BurnsSlowly'}",
        "value": expressions.burn(kpi, alert),
        "above": alert.factor,
        "clear": alert.clear,
        "summary": (
            f"{_WHERE}: {_words(kpi)} %now% {span(alert.long)} and %lately% {span(alert.short)}, target %target%, "
            "%samples% contacts"
        ),
        "description": (
            "If it goes on like this, the day's target can't be met."
            if fast
            else "It was missed for much of the day and still is: the day will miss the target unless that changes."
        ),
        "shown": "humanize",
        "figures": (
            _now(kpi, alert.long),
            _now(kpi, alert.short, "lately"),
            _target(kpi),
            _samples(kpi, alert.long),
        ),
        "do": actions.TO_DO[kpi.name],
        "yields_to": "\nor ".join(first),
    }


def _stopped(kpi: Kpi, alert: Stopped) -> dict[str, Any]:
    return {
        "name": "ContactsStopped",
        "value": expressions.stopped(kpi, alert),
        "above": round(1 - alert.share, 4),
        "clear": round(1 - alert.clear, 4),
        "summary": f"{_WHERE}: %now% contacts in the last 30 minutes, VALUE fewer than usual at this hour of the week",
        "description": "The numbers are fresh, so the missing contacts were never reported.",
        "shown": "humanizePercentage",
        "figures": (_now(kpi, "30m"),),
        "do": actions.STOPPED,
    }


def _surged(kpi: Kpi, alert: Surged) -> dict[str, Any]:
    return {
        "name": "ContactsSurge",
        "value": expressions.surged(kpi, alert),
        "above": alert.times,
        "clear": alert.clear,
        "summary": f"{_WHERE}: %now% contacts in the last 30 minutes, VALUE times the usual at this hour of the week",
        "description": "Whether that is too many depends on who is there: compare the forecast and the schedule.",
        "shown": "humanize",
        "figures": (_now(kpi, "30m"),),
        "do": actions.SURGED,
    }


def _too_many(kpi: Kpi, alert: TooMany) -> dict[str, Any]:
    if alert.closed:
        name = "ContactsInClosedQueue" if alert.severity == "page" else "ContactLeftInClosedQueue"
        summary, figures = (
            f"{_WHERE}: %now% waiting in a closed queue, longest wait %longest%",
            (_now(kpi, None), _LONGEST),
        )
    else:
        name = f"{_camel(kpi.name)}Many"
        summary, figures = f"{_WHERE}: %now% {_words(kpi)}, %waiting% waiting", (_now(kpi, None), _WAITING)
    return {
        "name": name,
        "value": expressions.too_many(kpi, alert),
        "above": alert.least - 1,
        # Contacts are whole: fewer than one of them is none, also where one is too many.
        "clear": min(alert.clear, alert.least - 1),
        "summary": summary,
        "description": "By its business hours, nobody works it now." if alert.closed else kpi.doc,
        "shown": "humanize",
        "figures": figures,
        "do": actions.CLOSED if alert.closed else actions.TO_DO[kpi.name],
    }


def _breached(kpi: Kpi, alert: Breached) -> dict[str, Any]:
    return {
        "name": f"{_camel(kpi.name)}Breached",
        "value": expressions.breached(kpi, alert),
        "above": alert.least - 1,
        "clear": alert.least - 1,
        "summary": f"{_WHERE}: VALUE of %samples% reviews {span(alert.window)} found a breach of the rules",
        "description": kpi.misleads,
        "shown": "humanize",
        "figures": (_samples(kpi, alert.window),),
        "do": actions.TO_DO[kpi.name],
    }


def _traded(kpi: Kpi, alert: Traded) -> dict[str, Any]:
    other = BY_NAME[alert.against]
    return {
        "name": f"{_camel(kpi.name)}At{_camel(other.name)}sCost",
        "value": expressions.traded(kpi, alert),
        "above": alert.gain,
        "clear": alert.clear,
        "summary": (
            f"{_WHERE}: {_words(kpi)} %now% {span(alert.window)}, better than usual, while {_words(other)} fell to %other%"
        ),
        "description": (
            f"Compared with this hour on the same weekday in the last {alert.weeks} weeks, "
            f"{_words(other)} is more than {alert.loss * 100:g} points lower. {kpi.misleads}"
        ),
        "shown": "humanize",
        "figures": (_now(kpi, alert.window), _now(other, alert.window, "other")),
        "do": actions.TRADED,
    }


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
