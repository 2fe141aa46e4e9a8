"""Grafana-managed rules, and the linter that guards them: Grafana loads a broken rule and fails when it is evaluated."""

import copy
import functools
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from stream_app.views.alerts import contact_points, grafana
from stream_app.views.alerts.receivers import UNCHOSEN, Receivers
from stream_app.views.dashboards import DASHBOARDS
from tests.views.alerts import linting
from tests.views.alerts.test_receivers import example
from tests.views.dashboards.breaking import set_at
from tests.views.dashboards.exported import known
from tests.views.dashboards.linting import panels

Json = dict[str, Any]


@functools.cache
def _loaded() -> Json:
    loaded: Json = yaml.safe_load(grafana.rule_file())
    return loaded


@pytest.fixture
def rules() -> Json:
    return copy.deepcopy(_loaded())


def panel_ids() -> dict[str, set[int]]:
    return {
        uid: {panel["id"] for panel in panels(json.loads(render()))} for uid, render in DASHBOARDS.items()
    }


def test_nothing_is_wrong_with_the_rules(rules: Json) -> None:
    assert linting.rules_problems(rules, known(), panel_ids()) == []


@pytest.mark.parametrize("receivers", [UNCHOSEN, example()], ids=["committed", "example"])
def test_every_field_is_one_that_grafana_reads(rules: Json, receivers: Receivers) -> None:
    texts = [
        contact_points.contact_points(receivers),
        contact_points.policies(receivers),
        contact_points.mute_timings(receivers),
        grafana.rule_file(active=False),
    ]
    for file in (rules, *map(yaml.safe_load, texts)):
        assert linting.unknown_fields(file) == []


def test_a_field_that_grafana_does_not_read_is_caught(rules: Json) -> None:
    rules["groups"][0]["rules"][0]["keep_firing_for"] = "5m"
    rules["groups"][0]["evaluation_interval"] = "1m"
    found = linting.unknown_fields(rules)
    assert sorted(line.rpartition(" ")[2] for line in found) == ["evaluation_interval", "keep_firing_for"]


RULE = ("groups", 0, "rules", 0)
TEXTS = (*RULE, "annotations")


def _as_percentage_of_a_time(rules: Json) -> None:
    """As a share of the target, which it is compared as."""
    (rule,) = (rule for rule in rules["groups"][0]["rules"] if rule["title"] == "HandleTimeOffTarget")
    rule["annotations"]["summary"] = (
        "{{ .Labels.queue }}: {{ with .Values.B }}{{ .Value | humanizePercentage }}{{ end }} above target"
    )


BROKEN_RULES: dict[str, tuple[Callable[[Json], None], str]] = {
    "condition": (set_at(*RULE, "condition")("Z"), "the condition Z is no step"),
    "condition is the query": (set_at(*RULE, "condition")("A"), "the condition is no threshold"),
    "dangling": (set_at(*RULE, "data", 2, "model", "expression")("Z"), "reads Z, which is no step"),
    "names": (set_at(*RULE, "data", 1, "refId")("A"), "two steps have one refId"),
    "model": (set_at(*RULE, "data", 1, "model", "refId")("X"), "the model is called X"),
    "uid": (set_at(*RULE, "uid")("kpis-abandonment-burns"), "two rules have the uid kpis-abandonment-burns"),
    "long uid": (set_at(*RULE, "uid")("x" * 41), "more than 40 characters"),
    "metric": (set_at(*RULE, "data", 0, "model", "expr")("cc_nothing"), "nothing exports cc_nothing"),
    "range": (set_at(*RULE, "data", 0, "relativeTimeRange", "from")(0), "an empty time range"),
    "silent": (set_at(*RULE, "execErrState")("OK"), "may fail in silence"),
    "panel": (set_at(*RULE, "panelId")(1), "links to a panel that is not there"),
    "dollar": (set_at(*RULE, "annotations", "summary")("{{ $labels.queue }}"), "takes a dollar"),
    "runbook": (set_at(*RULE, "annotations", "runbook_url")(""), "no runbook_url"),
    "severity": (set_at(*RULE, "labels", "severity")(""), "no severity"),
    "no hold": (set_at(*RULE, "for")(""), "no for"),
    "interval": (set_at("groups", 0, "interval")("45s"), "no multiple of 10 s"),
    "other source": (set_at(*RULE, "data", 0, "datasourceUid")("abc"), "not provisioned"),
    "over too early": (
        set_at(*RULE, "data", 1, "model", "conditions")([{"unloadEvaluator": {}}]),
        "only the condition may have another level",
    ),
    "no guard": (
        set_at(*TEXTS, "summary")("{{ .Labels.queue }}: {{ .Values.B.Value | humanize }}"),
        "reads .Values.B.Value | humanize without a guard",
    ),
    "the value of nothing": (
        set_at(*TEXTS, "description")("{{ humanize .Value }}"),
        "reads humanize .Value outside of a guard",
    ),
    "no end": (set_at(*TEXTS, "summary")("{{ with .Values.B }}{{ .Value }}"), "with .Values.B has no end"),
    "an end too many": (set_at(*TEXTS, "summary")("late{{ end }}"), "an end too many"),
    "a query is no value": (
        set_at(*TEXTS, "summary")("{{ with .Values.A }}{{ .Value }}{{ end }}"),
        "reads A, which is no last value",
    ),
    "a percentage of a time": (_as_percentage_of_a_time, "a percentage of a time"),
    "jargon": (set_at(*TEXTS, "description")("It burns its error budget."), "says budget"),
    "another queue": (
        set_at(*TEXTS, "dashboard_url")("https://grafana.example.org/d/queue-in-depth?viewPanel=1"),
        "dashboard_url: opens another queue",
    ),
    "a queue that is not quoted": (
        set_at(*TEXTS, "wallboard_url")("https://x.example.org/#queue={{ .Labels.queue }}&channel=voice"),
        "wallboard_url: opens another queue",
    ),
    "relative": (set_at(*TEXTS, "wallboard_url")("/#queue=a"), "wallboard_url: no absolute address"),
    "a runbook nowhere": (
        set_at(*TEXTS, "runbook_url")("docs/runbook.md#nps"),
        "runbook_url: no absolute address with a section",
    ),
    "nothing to do": (set_at(*TEXTS, "do")(" "), "no do"),
    "folder": (set_at("groups", 0, "folder")(""), "no folder"),
}


@pytest.mark.parametrize("name", BROKEN_RULES)
def test_a_broken_rule_is_caught(rules: Json, name: str) -> None:
    change, expected = BROKEN_RULES[name]
    broken = copy.deepcopy(rules)
    change(broken)
    assert any(expected in problem for problem in linting.rules_problems(broken, known(), panel_ids()))
