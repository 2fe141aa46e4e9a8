"""Custom rules as alert rules, for both evaluators: names, labels, and texts with the value of each condition."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from zlib import crc32

from stream_app.model.alerting.rules import Condition, CustomRule
from stream_app.model.kpis.measures import Unit
from stream_app.views import links
from stream_app.views.dictionary import number, span

from . import catalogue, custom_expressions as promql
from .expressions import BY, FRESH
from .rule import AlertRule

GROUP: Final = "custom"
_WHERE: Final = "{{ .Labels.queue }} ({{ .Labels.channel }})"
_LONGEST_UID: Final = 40
_LOOK: Final = "Look at the queue on the wallboard."
"""What to do about a rule that does not say it."""


class CustomAlert(AlertRule, frozen=True, kw_only=True):
    """A custom rule for either evaluator.

    Attributes:
        written: the rule as it was written.
        has_section: the runbook has a section on the subject.
        places: matchers of the queues and channels that the rule names.
    """

    written: CustomRule
    places: str
    has_section: bool

    @property
    def uid(self) -> str:
        """Grafana's id: stable, at most 40 characters."""
        uid = f"{GROUP}-{self.kebab}"
        if len(uid) <= _LONGEST_UID:
            return uid
        return f"{uid[: _LONGEST_UID - 9]}-{crc32(uid.encode()):08x}"

    @property
    def kebab(self) -> str:
        """The name in lower case with hyphens."""
        return self.written.slug

    @property
    def record(self) -> str:
        """The name of the recording rule."""
        return f"alert:custom_{self.kebab.replace('-', '_')}:state"

    @property
    def labels(self) -> dict[str, str]:
        """The labels by which alerts are routed and inhibited."""
        own = {"receiver": self.written.receiver} if self.written.receiver else {}
        return {"severity": self.severity, "group": GROUP, "kpi": self.subject, **own}

    def steps(self) -> Iterator[tuple[str, str, str]]:
        """Yield Grafana's steps for the values of the conditions: that of the query, that of its last value, and the query.

        Each query has a row in any case: where one of a rule's queries has none, Grafana takes the whole rule for one without
        data, and ends its alerts.
        """
        for n, one in enumerate(self.written.conditions, 1):
            yield f"Q{n}", f"V{n}", promql.always(promql.value(one, self.places))

    def annotations(self, value: str, runbook: str = "") -> dict[str, str]:
        """Write the texts; ``value`` is ``.Value`` for Prometheus, which queries the conditions' values itself."""
        texts = (_shown(one, f"V{n}", value) for n, one in enumerate(self.written.conditions, 1))
        found = (" and " if self.written.join == "all" else "; ").join(texts)
        section = f"#{self.subject}" if self.has_section else ""
        page = self.written.runbook or f"{runbook}{section}"
        return {"summary": self.summary, "description": f"{found}.", "do": self.do, "runbook_url": page}


def alert(rule: CustomRule) -> CustomAlert:
    """Compile a rule."""
    first = rule.conditions[0].entry
    dashboard, panel = links.over_time(first)
    return CustomAlert(
        group="custom",
        name=rule.name,
        subject=first.name,
        value=promql.expression(rule),
        above=promql.ABOVE,
        clear=promql.CLEAR if rule.has_clear else promql.ABOVE,
        by=BY,
        hold=rule.hold,
        keep=rule.keep,
        severity=rule.severity,
        summary=f"{rule.name}: {_WHERE}",
        description="",
        shown="humanize",
        dashboard=dashboard,
        panel=panel,
        known=FRESH,
        do=rule.do or _LOOK,
        written=rule,
        places=promql.matchers(rule),
        has_section=first.name in {built_in.subject for built_in in catalogue.rules()},
    )


def _shown(one: Condition, step: str, value: str) -> str:
    """Write a condition in words, with the template of its value: a step of Grafana's, or a query of Prometheus's."""
    window = f" {span(one.window)}" if one.window else ""
    shown = _format(one.entry.unit)
    if value == ".Value":
        # %q quotes as PromQL does, so that a name can't end the string.
        query = promql.value(one, "queue=%q,channel=%q").replace('"', '\\"')
        with_it = f'printf "{query}" .Labels.queue .Labels.channel | query'
        found = f"{{{{ with {with_it} }}}}{{{{ . | first | value | {shown} }}}}{{{{ else }}}}not known{{{{ end }}}}"
    else:
        found = f"{{{{ with .Values.{step} }}}}{{{{ .Value | {shown} }}}}{{{{ else }}}}not known{{{{ end }}}}"
    return f"{one.entry.title}{window}: {found} ({limit(one)})"


def limit(one: Condition) -> str:
    """Write what a condition compares with, for people."""
    unit = one.entry.unit
    if one.level is not None:
        return f"{one.side} {number(one.level, unit)}"
    if not one.by:
        return f"{one.side} target"
    if one.relative:
        return f"more than {one.by * 100:g} % {one.side} target"
    by = f"{one.by * 100:g} points" if unit.is_ratio else number(one.by, unit)
    return f"more than {by} {one.side} target"


def _format(unit: Unit) -> str:
    if unit.is_ratio:
        return "humanizePercentage"
    return "humanizeDuration" if unit is Unit.SECONDS else "humanize"
