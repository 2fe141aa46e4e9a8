"""Alert rules from the catalogue: one expression each, for Prometheus or for Grafana, never for both.

An expression says by how much a queue and channel is past what is tolerated, in the KPI's unit; above 0 is
an incident. It is silent where it should be: no row without the least volume (a night queue), without a
target, or while the data are stale, which is one incident of its own and not one for each queue. Replicas of
``serve`` say the same, so labels are reduced to queue and channel, and an alert outlives a replica.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

from msgspec import Struct

from stream_app.model.kpi import Alert, Kpi
from stream_app.model.kpis import KPIS

from . import naming, panels
from .text import GENERATED, to_yaml

Alerting = Literal["grafana", "prometheus"]
"""Who evaluates the rules."""
ALERTERS: Final[tuple[Alerting, ...]] = get_args(Alerting)

STALE_AFTER_S: Final = 60
RUNBOOK: Final = "docs/runbook.md"
INTERVAL: Final = "30s"
PROMETHEUS_UID: Final = "prometheus"
"""The uid of the provisioned data source: rules can't use a dashboard's variable."""

_FOLDER = "Contact centre"
_BY = f"{naming.QUEUE}, {naming.CHANNEL}"
_SHOWN: Final = {"ratio": "humanizePercentage", "seconds": "humanizeDuration"}
_EDGE = "0.0001"
"""Excess is rounded to this, so that a value at the edge of the tolerance is inside, as people mean it."""


class Rule(Struct, frozen=True, kw_only=True):
    """One alert.

    Attributes:
        name: unique; what the person on call reads first.
        subject: the runbook's section, and the label ``kpi``: a KPI, or a part of the pipeline.
        excess: PromQL; fires for each of its rows that is above 0.
        hold: for how long (Prometheus duration).
        shown: template function that makes the excess readable.
        panel: the panel that shows it.
    """

    group: Literal["kpis", "pipeline"]
    name: str
    subject: str
    excess: str
    hold: str
    severity: str
    summary: str
    description: str
    shown: str
    panel: int

    @property
    def uid(self) -> str:
        """Grafana's id: stable, at most 40 characters."""
        return f"{self.group}-{self.subject.replace('_', '-')}"

    @property
    def labels(self) -> dict[str, str]:
        """What alerts are routed by."""
        return {"severity": self.severity, "kpi": self.subject}

    def annotations(self, value: str) -> dict[str, str]:
        """What people read; ``value`` is how the excess is called in the template."""
        return {
            "summary": self.summary,
            "description": self.description.replace("EXCESS", f"{{{{ {value} | {self.shown} }}}}"),
            "runbook_url": f"{RUNBOOK}#{self.subject}",
        }


def rules() -> tuple[Rule, ...]:
    """Every alert: those of the catalogue, and the one on the age of the data."""
    return (*(kpi_rule(kpi, kpi.alert) for kpi in KPIS if kpi.alert), stale_rule())


def kpi_rule(kpi: Kpi, alert: Alert) -> Rule:
    """The alert of a KPI that misses its target by more than is tolerated."""
    ratio = kpi.unit.is_ratio
    where = "{{ .Labels.queue }} ({{ .Labels.channel }})"
    over = f" over {alert.window}" if alert.window else ""
    return Rule(
        group="kpis",
        name="".join(word.capitalize() for word in kpi.name.split("_")) + "OffTarget",
        subject=kpi.name,
        excess=excess(kpi, alert),
        hold=alert.hold,
        severity=alert.severity,
        summary=f"{kpi.title} of {where} misses its target",
        description=(
            f"{kpi.title}{over} is EXCESS{' points' if ratio else ''} "
            f"{'below' if kpi.better == 'higher' else 'above'} {_tolerated(kpi, alert)}. {kpi.doc}"
        ),
        shown=_SHOWN.get(kpi.unit.suffix, "humanize"),
        panel=panels.panel_id(f"over time: {kpi.name}"),
    )


def _tolerated(kpi: Kpi, alert: Alert) -> str:
    if not alert.tolerance:
        return "its target"
    if alert.relative:
        return f"what is tolerated (the target and {alert.tolerance * 100:g} % of it)"
    if kpi.unit.is_ratio:
        return f"what is tolerated ({alert.tolerance * 100:g} points from the target)"
    return f"what is tolerated ({alert.tolerance:g} {kpi.unit.suffix} from the target)"


def excess(kpi: Kpi, alert: Alert) -> str:
    """PromQL: how far a KPI is past its target and the tolerance, by queue and channel."""
    higher = kpi.better == "higher"
    limit = f"max by ({_BY}) ({naming.target(kpi)})"
    if alert.relative:
        limit += f" * {1 - alert.tolerance if higher else 1 + alert.tolerance:g}"
    elif alert.tolerance:
        limit += f" - {alert.tolerance:g}" if higher else f" + {alert.tolerance:g}"
    window = f'{{{naming.WINDOW}="{alert.window}"}}' if alert.window else ""
    enough = f"    and {naming.samples(kpi)}{window} >= {alert.min_samples}\n" if alert.min_samples else ""
    actual = (
        f"max by ({_BY}) (\n"
        f"    {naming.value(kpi)}{window}\n"
        f"{enough}"
        f"    unless on () max({naming.DATA_AGE}) > {STALE_AFTER_S}\n"
        "  )"
    )
    terms = f"{limit}\n  - {actual}" if higher else f"{actual}\n  - ({limit})"
    return f"round(\n  {terms},\n  {_EDGE}\n)"


def stale_rule() -> Rule:
    """The numbers are too old to be acted on, or nobody says how old they are."""
    return Rule(
        group="pipeline",
        name="DataStale",
        subject="data_age",
        excess=f"(\n  max({naming.DATA_AGE}) - {STALE_AFTER_S}\n  or absent({naming.DATA_AGE})\n)",
        hold="2m",
        severity="page",
        summary="The live numbers are stale",
        description=(
            f"Nothing vouches for the numbers of the last {STALE_AFTER_S} s (EXCESS more than that, or "
            "nobody knows). Alerts on KPIs are silent until the data are fresh again."
        ),
        shown="humanizeDuration",
        panel=panels.panel_id("pipeline: age of the data"),
    )


def _groups() -> Iterator[tuple[str, list[Rule]]]:
    for name in ("kpis", "pipeline"):
        yield name, [rule for rule in rules() if rule.group == name]


def prometheus_rules(*, active: bool = True) -> str:
    """The rule file for Prometheus; without rules where Grafana evaluates them."""
    groups = [
        {"name": name, "interval": INTERVAL, "rules": [_prometheus(rule) for rule in group]}
        for name, group in _groups()
    ]
    if active:
        return to_yaml({"groups": groups}, GENERATED)
    return to_yaml({"groups": []}, GENERATED, "Empty: Grafana evaluates the alerts.")


def _prometheus(rule: Rule) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": f"{rule.excess} > 0",
        "for": rule.hold,
        "labels": rule.labels,
        "annotations": rule.annotations(".Value"),
    }


def grafana_rules(*, active: bool = True) -> str:
    """Grafana's provisioning file; where Prometheus evaluates them it takes back what Grafana was given."""
    if not active:
        return to_yaml(
            {"apiVersion": 1, "deleteRules": [{"orgId": 1, "uid": rule.uid} for rule in rules()]},
            GENERATED,
            "Prometheus evaluates the alerts: rules that Grafana was given before leave its database.",
        )
    groups = [
        {
            "orgId": 1,
            "name": name,
            "folder": _FOLDER,
            "interval": INTERVAL,
            "rules": [_grafana(rule) for rule in group],
        }
        for name, group in _groups()
    ]
    return to_yaml(
        {"apiVersion": 1, "groups": groups},
        GENERATED,
        "noDataState OK: no row means that no queue has the volume to be judged, as at night; that data are",
        "missing at all is DataStale's to say, whose expression always has a row then.",
        "execErrState Error: a rule that can't be evaluated must say so, under a name of its own",
        "(DatasourceError), and not as an incident of the queues.",
    )


def _grafana(rule: Rule) -> dict[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.name,
        "condition": "C",
        "data": [_query(rule.excess), _reduce(), _threshold()],
        "dashboardUid": panels.DASHBOARD_UID,
        "panelId": rule.panel,
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.hold,
        "labels": rule.labels,
        "annotations": {
            **rule.annotations(".Values.B.Value"),
            "__dashboardUid__": panels.DASHBOARD_UID,
            "__panelId__": str(rule.panel),
        },
        "isPaused": False,
    }


def _query(expression: str) -> dict[str, Any]:
    return {
        "refId": "A",
        "relativeTimeRange": {"from": 600, "to": 0},
        "datasourceUid": PROMETHEUS_UID,
        "model": {
            "refId": "A",
            "datasource": {"type": "prometheus", "uid": PROMETHEUS_UID},
            "expr": expression,
            "instant": True,
            "range": False,
            "intervalMs": 1000,
            "maxDataPoints": 43200,
        },
    }


def _reduce() -> dict[str, Any]:
    """The last value of each row: before Grafana 10 an instant query is a series of one point, no number."""
    return _expression("B", {"type": "reduce", "expression": "A", "reducer": "last"})


def _threshold() -> dict[str, Any]:
    return _expression(
        "C",
        {
            "type": "threshold",
            "expression": "B",
            "conditions": [{"type": "query", "evaluator": {"type": "gt", "params": [0]}}],
        },
    )


def _expression(ref_id: str, model: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref_id,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {"refId": ref_id, "datasource": {"type": "__expr__", "uid": "__expr__"}, **model},
    }
