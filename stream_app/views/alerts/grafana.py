"""Grafana-managed rules as a provisioning file, for Grafana 9.4 and newer.

An older Grafana ignores what it does not know: before 10.3 an alert clears at the level at which it fires, before 12.2 it does
not outlast a gap, and ends when the numbers stop.

Grafana can't see in a query what fires. So each queue has a row as long as the numbers are fresh, far below the level where
there is nothing to judge, and none when they stop: a series that is missing does not end an alert. One more row, which is
always there, keeps the answer from being empty, which would end all of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from stream_app.views import naming
from stream_app.views.text import FROM_A_FILE, GENERATED, to_yaml

from . import rules
from .expressions import BY
from .prometheus import INTERVAL
from .rule import COMPOSE, RUNBOOK, Addresses, AlertRule

PROMETHEUS_UID: Final = "prometheus"
"""The uid of the provisioned data source: rules can't use a dashboard's variable."""
FOLDER: Final = "Contact centre"
_LOOK_BACK_S: Final = 600
_NOTHING: Final = "-1000000"
"""The value of a row where there is nothing to judge: below every level at which an alert is over."""
_HELD: Final = 2880
"""Evaluations for which a series may be missing before its alert ends: a day of them."""
_OWN_ADDRESS: Final = '{{ externalURL | reReplaceAll "/+\\\\z" "" }}'


def rule_file(
    *,
    active: bool = True,
    runbook: str = RUNBOOK,
    addresses: Addresses = COMPOSE,
    of: Sequence[AlertRule] | None = None,
    gone: Iterable[str] = (),
) -> str:
    """Write these rules, by default all that are built in.

    Args:
        active: otherwise Prometheus evaluates them, and rules that Grafana was given before are deleted.
        runbook: the address of the runbook.
        addresses: where messages link to.
        of: the rules.
        gone: ids of rules that there were before; Grafana keeps a rule until it is told to delete it.
    """
    found = _mine() if of is None else of
    deleted = [{"orgId": 1, "uid": uid} for uid in gone]
    if not active:
        return to_yaml(
            {"apiVersion": 1, "deleteRules": [*({"orgId": 1, "uid": rule.uid} for rule in found), *deleted]},
            GENERATED,
            "Prometheus evaluates the alerts: rules that Grafana was given before are deleted from its database.",
        )
    groups = [
        {
            "orgId": 1,
            "name": name,
            "folder": FOLDER,
            "interval": INTERVAL,
            "rules": [_rule(rule, runbook, addresses) for rule in found if rule.group == name],
        }
        for name in dict.fromkeys(rule.group for rule in found)
    ]
    return to_yaml(
        {"apiVersion": 1, "groups": groups, **({"deleteRules": deleted} if deleted else {})},
        GENERATED if of is None else FROM_A_FILE,
        "noDataState OK: no row means that there is nothing to judge, as in a queue at night; if all numbers are missing,",
        "DataMissing fires, whose expression has a row then.",
        "execErrState Error: a rule that can't be evaluated is reported under a name of its own (DatasourceError), and not",
        "as an incident of the queues.",
    )


def _mine() -> tuple[AlertRule, ...]:
    """Return the rules that Grafana is given: one that always fires would need a receiver of its own."""
    return tuple(rule for rule in rules() if rule.severity != "none")


def _rule(rule: AlertRule, runbook: str, addresses: Addresses) -> dict[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.name,
        "condition": "C",
        "data": [_query("A", _asked(rule)), _reduce("B", "A"), _threshold(rule), *_figures(rule)],
        "dashboardUid": rule.dashboard,
        "panelId": rule.panel,
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.hold,
        "keepFiringFor": rule.keep,
        **({"missing_series_evals_to_resolve": _HELD} if rule.known else {}),
        "labels": rule.labels,
        "annotations": {
            **rule.annotations(".Values.B.Value", addresses.runbook(runbook)),
            **rule.links(addresses.wallboard, _OWN_ADDRESS),
            "__dashboardUid__": rule.dashboard,
            "__panelId__": str(rule.panel),
        },
        "isPaused": False,
    }


def _asked(rule: AlertRule) -> str:
    """Write the value, and rows for what is known to be over."""
    value = rule.value
    if rule.yields_to:
        value = f"(\n{value}\n)\nunless on ({', '.join(rule.by)}) ({rule.yields_to})"
    if not rule.known:
        return value
    if rule.by and {*rule.by} <= {*BY}:
        value += f"\nor max by ({', '.join(rule.by)}) ({naming.OPEN}) * 0 {_NOTHING} and on () {rule.known}"
    elif not rule.by:
        value += f"\nor ({rule.known}) * 0 {_NOTHING}"
    return f'{value}\nor label_replace(vector({_NOTHING}), "row", "none", "", "")'


def _figures(rule: AlertRule) -> Iterator[dict[str, Any]]:
    for rows, last, query in rule.steps():
        yield _query(rows, query)
        yield _reduce(last, rows)


def _query(ref_id: str, expression: str) -> dict[str, Any]:
    return {
        "refId": ref_id,
        "relativeTimeRange": {"from": _LOOK_BACK_S, "to": 0},
        "datasourceUid": PROMETHEUS_UID,
        "model": {
            "refId": ref_id,
            "datasource": {"type": "prometheus", "uid": PROMETHEUS_UID},
            "expr": expression,
            "instant": True,
            "range": False,
            "intervalMs": 1000,
            "maxDataPoints": 43200,
        },
    }


def _reduce(ref_id: str, of: str) -> dict[str, Any]:
    """Take the last value of each row: before Grafana 10 an instant query is a series of one point, not a number."""
    return _expression(ref_id, {"type": "reduce", "expression": of, "reducer": "last"})


def _threshold(rule: AlertRule) -> dict[str, Any]:
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
