"""The files of custom rules: path from the root of the output → text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from stream_app.model.alerting.rules import CustomRule

from . import ALERTERS, COMPOSE, Addresses, Alerting, custom, custom_tests, grafana, prometheus

RULES: Final = "custom.rules.yml"
_GRAFANA: Final = "custom-rules.yaml"
_UID: Final = re.compile(r"^\s*(?:- )?uid: \"?(custom-[\w-]+)", re.MULTILINE)


def paths(who: Alerting | None) -> list[str]:
    """Return the files for Grafana, whose former content matters."""
    return [f"{folder}/{_GRAFANA}" for _, folder, _ in _sides(who)]


def files(
    who: Alerting | None,
    rules: Sequence[CustomRule],
    runbook: str,
    before: Mapping[str, str],
    addresses: Addresses = COMPOSE,
) -> dict[str, str]:
    """Make the files.

    Args:
        who: the server that evaluates them, elsewhere; ``None``: both alternatives of a checkout.
        rules: the rules.
        runbook: the address of the runbook.
        before: former content of ``paths``: Grafana keeps a rule that is gone until it is told to delete it.
        addresses: where messages link to.
    """
    alerts = [custom.alert(rule) for rule in rules]
    uids = {alert.uid for alert in alerts}
    found: dict[str, str] = {}
    for side, grafana_folder, prometheus_folder in _sides(who):
        path = f"{grafana_folder}/{_GRAFANA}"
        gone = sorted({*_UID.findall(before.get(path, ""))} - uids)
        found[path] = grafana.rule_file(
            active=side == "grafana", runbook=runbook, addresses=addresses, of=alerts, gone=gone
        )
        found[f"{prometheus_folder}/{RULES}"] = prometheus.rule_file(
            active=side == "prometheus", runbook=runbook, addresses=addresses, of=alerts
        )
    # What is tested is always what Prometheus would evaluate: Grafana is given the same expressions and levels.
    folder = "tests" if who else "prometheus/tests"
    for (
        alert
    ) in alerts:  # each by itself, each minute: promtool evaluates all rules of a file in each of its tests
        found[f"{folder}/{alert.kebab}.rules.yml"] = prometheus.rule_file(
            runbook=runbook, addresses=addresses, of=[alert], interval="1m"
        )
        found[f"{folder}/{alert.kebab}.test.yml"] = custom_tests.test_file(alert, f"{alert.kebab}.rules.yml")
    return found


def _sides(who: Alerting | None) -> list[tuple[Alerting, str, str]]:
    if who:
        return [(who, "grafana/provisioning/alerting", "prometheus/rules")]
    return [(side, f"{side}/provisioning/alerting", f"{side}/rules") for side in ALERTERS]
