"""The rule file for Prometheus (2.42 or newer: rules keep firing over gaps)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from stream_app.views.text import FROM_A_FILE, GENERATED, to_yaml

from . import rules
from .rule import COMPOSE, RUNBOOK, Addresses, AlertRule
from .templates import PROMETHEUS

INTERVAL: Final = "30s"
ONE_INCIDENT: Final = "15m"
"""A page about a queue holds back others about the same queue, also for this long after it: windows remember its cause."""


def rule_file(
    *,
    active: bool = True,
    runbook: str = RUNBOOK,
    addresses: Addresses = COMPOSE,
    of: Sequence[AlertRule] | None = None,
    interval: str = INTERVAL,
) -> str:
    """Write these rules, by default all that are built in; none where Grafana evaluates them."""
    if not active:
        return to_yaml({"groups": []}, GENERATED, "Empty: Grafana evaluates the alerts.")
    found = rules() if of is None else of
    groups = [
        {
            "name": name,
            "interval": interval,
            "rules": [
                line for rule in found if rule.group == name for line in _rule(rule, runbook, addresses)
            ],
        }
        for name in dict.fromkeys(rule.group for rule in found)
    ]
    return to_yaml(
        {"groups": groups},
        GENERATED if of is None else FROM_A_FILE,
        "Each alert is two rules: one that records the value, so that it can be drawn, and the alert itself. It fires above",
        "one level and clears below a second one, nearer to the target: a value that hovers around a single level would wake",
        "people again and again. ALERTS is Prometheus's own series of firing alerts. While it is not known whether an alert is",
        "over, as with stale numbers, the last value of what fires is recorded on: it neither begins nor ends meanwhile.",
    )


def _rule(rule: AlertRule, runbook: str, addresses: Addresses) -> Iterator[dict[str, Any]]:
    yield {"record": rule.record, "expr": _recorded(rule)}
    alert = {"alert": rule.name, "expr": _fires(rule), "for": rule.hold}
    if rule.keep != "0s":
        alert["keep_firing_for"] = rule.keep
    texts = rule.annotations(PROMETHEUS, addresses.runbook(runbook)) | rule.links(
        addresses.wallboard, addresses.grafana
    )
    yield {**alert, "labels": rule.labels, "annotations": texts}


def _recorded(rule: AlertRule) -> str:
    """Write the value; where it can't be known, the last one of what fires."""
    if not rule.known:
        return rule.value
    return (
        f"{rule.value}\nor (\n  {rule.record}\n  and on ({', '.join(rule.by)}) {_firing(rule)}\n"
        f"  unless on () {rule.known}\n)"
    )


def _fires(rule: AlertRule) -> str:
    """Write when it fires: it begins above one level, unless another page holds it back, and ends below another level."""
    begins = f"{rule.record} > {rule.above:g}"
    if rule.pages_a_queue:
        others = f'group="{rule.group}",severity="page",alertname!="{rule.name}",alertstate="firing"'
        begins += f"\nunless on ({', '.join(rule.by)}) max_over_time(ALERTS{{{others}}}[{ONE_INCIDENT}])"
    if rule.clear >= rule.above:
        return begins
    return f"{begins}\nor (\n  {rule.record} >= {rule.clear:g}\n  and on ({', '.join(rule.by)}) {_firing(rule)}\n)"


def _firing(rule: AlertRule) -> str:
    return f'ALERTS{{alertname="{rule.name}",alertstate="firing"}}'
