"""The rule file for Prometheus (2.42 or newer: rules keep firing over gaps)."""

from collections.abc import Iterator
from typing import Any, Final

from stream_app.views.text import GENERATED, to_yaml

from . import rules
from .rule import RUNBOOK, Rule

INTERVAL: Final = "30s"


def rule_file(*, active: bool = True, runbook: str = RUNBOOK) -> str:
    """All rules; none where Grafana evaluates them."""
    if not active:
        return to_yaml({"groups": []}, GENERATED, "Empty: Grafana evaluates the alerts.")
    groups = [
        {
            "name": name,
            "interval": INTERVAL,
            "rules": [line for rule in rules() if rule.group == name for line in _rule(rule, runbook)],
        }
        for name in ("kpis", "pipeline")
    ]
    return to_yaml(
        {"groups": groups},
        GENERATED,
        "Each alert is two rules: the value that it judges, kept so that it can be drawn, and the judgement. It begins above",
        "one level and is over below a second one, nearer to the target: what sways around one level would wake people again",
        "and again. ALERTS is Prometheus's own series of what fires.",
    )


def _rule(rule: Rule, runbook: str) -> Iterator[dict[str, Any]]:
    yield {"record": rule.record, "expr": rule.value}
    expression = f"{rule.record} > {rule.above:g}"
    if rule.clear < rule.above:
        firing = f'ALERTS{{alertname="{rule.name}",alertstate="firing"}}'
        expression += (
            f"\nor (\n  {rule.record} >= {rule.clear:g}\n  and on ({', '.join(rule.by)}) {firing}\n)"
        )
    alert = {"alert": rule.name, "expr": expression, "for": rule.hold}
    if rule.keep != "0s":
        alert["keep_firing_for"] = rule.keep
    yield {**alert, "labels": rule.labels, "annotations": rule.annotations(".Value", runbook)}
