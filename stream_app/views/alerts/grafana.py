"""Grafana-managed rules as a provisioning file, for Grafana 9.4 and newer.

What an older Grafana does not know it ignores: before 10.3 an alert is over at the level at which it began, before 12.1 it does
not outlast a gap.
"""

from collections.abc import Mapping
from typing import Any, Final

from stream_app.views.text import GENERATED, to_yaml

from . import rules
from .prometheus import INTERVAL
from .rule import RUNBOOK, Rule

PROMETHEUS_UID: Final = "prometheus"
"""The uid of the provisioned data source: rules can't use a dashboard's variable."""
FOLDER: Final = "Contact centre"
_LOOK_BACK_S: Final = 600


def rule_file(*, active: bool = True, runbook: str = RUNBOOK) -> str:
    """All rules; where Prometheus evaluates them, what takes back those that Grafana was given before."""
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
            "folder": FOLDER,
            "interval": INTERVAL,
            "rules": [_rule(rule, runbook) for rule in rules() if rule.group == name],
        }
        for name in ("kpis", "pipeline")
    ]
    return to_yaml(
        {"apiVersion": 1, "groups": groups},
        GENERATED,
        "noDataState OK: no row means that there is nothing to judge, as in a queue at night; that numbers are missing",
        "altogether is DataMissing's to say, whose expression has a row then.",
        "execErrState Error: a rule that can't be evaluated must say so, under a name of its own (DatasourceError), and not",
        "as an incident of the queues.",
    )


def _rule(rule: Rule, runbook: str) -> dict[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.name,
        "condition": "C",
        "data": [_query(rule.value), _reduce(), _threshold(rule)],
        "dashboardUid": rule.dashboard,
        "panelId": rule.panel,
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.hold,
        "keepFiringFor": rule.keep,
        "labels": rule.labels,
        "annotations": {
            **rule.annotations(".Values.B.Value", runbook),
            "__dashboardUid__": rule.dashboard,
            "__panelId__": str(rule.panel),
        },
        "isPaused": False,
    }


def _query(expression: str) -> dict[str, Any]:
    return {
        "refId": "A",
        "relativeTimeRange": {"from": _LOOK_BACK_S, "to": 0},
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


def _threshold(rule: Rule) -> dict[str, Any]:
    condition: dict[str, Any] = {"type": "query", "evaluator": {"type": "gt", "params": [rule.above]}}
    if rule.clear < rule.above:
        condition["unloadEvaluator"] = {"type": "lt", "params": [rule.clear]}
    return _expression("C", {"type": "threshold", "expression": "B", "conditions": [condition]})


def _expression(ref_id: str, model: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref_id,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {"refId": ref_id, "datasource": {"type": "__expr__", "uid": "__expr__"}, **model},
    }
