"""Alerts over interval rows: which of them would have fired, where, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from stream_app.model.alerting import judging
from stream_app.model.alerting.firing import Firing, OpenSpan, firings, pieces, spans
from stream_app.model.alerting.judging import ConditionsJudge, Judge, UnknownJudge
from stream_app.model.alerting.local_hours import LocalHours
from stream_app.model.alerting.measured import RowHistory
from stream_app.model.alerting.rules import CustomRule, seconds
from stream_app.model.events import QueueChannel
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.model.kpis import KPIS
from stream_app.model.kpis.alerts import Threshold
from stream_app.model.targets import QueueTargets, Targets
from stream_app.views.alerts import catalogue, people, pipeline

_ABOUT_AGENTS: Final = "it is about agents, and interval rows are about contacts"
_ABOUT_THE_PIPELINE: Final = "it is about the pipeline, and interval rows are about contacts"
ABOUT_OTHERS: Final = {_ABOUT_AGENTS, _ABOUT_THE_PIPELINE}
"""Why rows say nothing about an alert, whatever is in them."""


class TestedAlert(Struct, frozen=True, kw_only=True):
    """An alert to try on the past.

    Attributes:
        judge: applies it to rows.
        hours: when it may fire.
        rule: the custom rule, which chooses queues; ``None`` for built-in alerts, which judge all.
    """

    name: str
    severity: str
    hold: str
    keep: str
    judge: Judge
    hours: Literal["open", "always"] | LocalHours = "open"
    rule: CustomRule | None = None

    @property
    def unknown(self) -> list[str]:
        """Why interval rows can't judge it; empty if they can."""
        return list(dict.fromkeys(self.judge.unknown()))


class TestedFiring(Struct, frozen=True):
    """One firing, and where."""

    queue: str
    channel: str
    firing: Firing


class TestResult(Struct, frozen=True):
    """What became of one alert.

    Attributes:
        firings: in chronological order.
        judged: intervals that were judged, over all of its queues and channels.
        missing: those that could not be, because a row in their window is missing.
        places: queues and channels that it covers.
        targeted: those of them that have the targets with which it compares.
    """

    alert: TestedAlert
    firings: tuple[TestedFiring, ...] = ()
    judged: int = 0
    missing: int = 0
    places: int = 0
    targeted: int = 0

    @property
    def unknown(self) -> list[str]:
        """Why it is not known whether it would have fired; empty if it is."""
        if why := self.alert.unknown:
            return why
        if self.places and not self.judged:
            return [
                "no interval could be judged: rows of its window, or of the weeks it compares with, are missing"
            ]
        return []


def custom_alerts(rules: Sequence[CustomRule]) -> list[TestedAlert]:
    """Return custom rules to try."""
    return [
        TestedAlert(
            name=rule.name,
            severity=rule.severity,
            hold=rule.hold,
            keep=rule.keep,
            judge=ConditionsJudge(rule),
            hours=rule.hours,
            rule=rule,
        )
        for rule in rules
    ]


def built_in_alerts() -> list[TestedAlert]:
    """Return the catalogue's alerts to try, and those on agents and the pipeline, which rows say nothing about."""
    entries = [(kpi, alert) for kpi in KPIS for alert in kpi.alerts]
    found = [
        TestedAlert(
            name=rule.name,
            severity=rule.severity,
            hold=rule.hold,
            keep=rule.keep,
            judge=judging.built_in(kpi, alert),
            hours="always" if isinstance(alert, Threshold) and alert.always else "open",
        )
        for rule, (kpi, alert) in zip(catalogue.rules(), entries, strict=True)
    ]
    return found + [
        TestedAlert(
            name=rule.name, severity=rule.severity, hold=rule.hold, keep=rule.keep, judge=UnknownJudge((why,))
        )
        for why, others in ((_ABOUT_AGENTS, people.rules()), (_ABOUT_THE_PIPELINE, pipeline.rules()))
        for rule in others
    ]


def tested(
    alerts: Sequence[TestedAlert],
    rows: Mapping[QueueChannel, Sequence[IntervalRow]],
    targets: Targets,
    since: int,
    told: Callable[[str], None],
) -> Iterator[TestResult]:
    """Yield what becomes of each alert, in their order.

    Args:
        alerts: what is tried.
        rows: final rows of each queue and channel, in chronological order.
        targets: the targets in force.
        since: firings that end before this are left out, ms: rows before it only fill windows.
        told: called with the name of each alert before it is tried.
    """
    rules = {place: targets.rule(*place) for place in rows}
    histories = {place: RowHistory(of_place, rules[place].zone) for place, of_place in rows.items()}
    for alert in alerts:
        told(alert.name)
        if alert.unknown:
            yield TestResult(alert)
            continue
        local = _local(alert.hours, histories)
        found: list[TestedFiring] = []
        judged = missing = places = targeted = 0
        for (queue, channel), history in histories.items():
            rule = rules[queue, channel]
            if alert.rule and not alert.rule.covers(queue, channel, rule.site, rule.unit):
                continue
            places += 1
            targeted += alert.judge.has_targets(rule)
            states = judging.states(alert.judge, history, rule)
            first = max(0, (since - history.first) // INTERVAL_MS - 1)
            missing += sum(state is None for state in states[first:])
            judged += sum(state is not None for state in states[first:])
            within = local if local is not None else _open(alert, rule, history)
            life = firings(
                pieces(states, history.end(0), INTERVAL_MS, within),
                seconds(alert.hold) * 1000,
                seconds(alert.keep) * 1000,
            )
            found += [TestedFiring(queue, channel, one) for one in life if one.end > since]
        found.sort(key=lambda one: (one.firing.start, one.queue, one.channel))
        yield TestResult(alert, tuple(found), judged, missing, places, targeted)


def _local(hours: object, histories: Mapping[QueueChannel, RowHistory]) -> list[OpenSpan] | None:
    """Return when a rule's own hours hold, once for all queues; ``None`` if it has none."""
    if not isinstance(hours, LocalHours) or not histories:
        return None
    start = min(history.first for history in histories.values())
    end = max(history.end(history.length - 1) for history in histories.values())
    return list(spans(hours, start, end))


def _open(alert: TestedAlert, rule: QueueTargets, history: RowHistory) -> list[OpenSpan] | None:
    if alert.hours != "open" or rule.calendar is None:
        return None
    return list(spans(rule.calendar, history.first, history.end(history.length - 1)))
