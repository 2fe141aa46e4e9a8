"""Each alert fires when it should and is silent when it should be, in Prometheus's own judgement."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_app.model.alerts import Burn
from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.views import alerts
from stream_app.views.alerts import grafana, prometheus
from tests.services.prometheus import promtool
from tests.views.alerts.cases import FIRING, SILENT
from tests.views.alerts.scraped import QUEUE, Case

ROOT = Path(__file__).parents[3]
RULES = ROOT / "prometheus/rules/alerts.rules.yml"
BY_RULE = {rule.name: rule for rule in alerts.rules()}

CASES = [
    *((name, f"fires {n}", case) for name, cases in FIRING.items() for n, case in enumerate(cases, 1)),
    *((name, text, case) for name, cases in SILENT.items() for text, case in cases.items()),
]


def test_every_alert_has_firing_and_silent_cases() -> None:
    assert set(FIRING) == set(BY_RULE) == set(SILENT)
    assert all(FIRING.values())
    for name, cases in SILENT.items():
        assert cases
        if BY_RULE[name].group == "kpis" and name != "ContactsStopped":
            assert "empty queue" in cases


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules of each alert in a file of its own: a test that runs over weeks need not evaluate all of them."""
    folder = tmp_path_factory.mktemp("rules")
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for record, alert in zip(group["rules"][::2], group["rules"][1::2], strict=True):
            one = {"groups": [{"name": "one", "interval": "30s", "rules": [record, alert]}]}
            (folder / f"{alert['alert']}.yml").write_text(yaml.safe_dump(one))
    return folder


@pytest.mark.parametrize(("name", "text", "case"), CASES, ids=[f"{n}-{t}" for n, t, _ in CASES])
def test_alert(tmp_path: Path, alone: Path, name: str, text: str, case: Case) -> None:
    rule = BY_RULE[name]
    expected = [_expected(rule, case)] if case.shown else []
    document = {
        "rule_files": [str(alone / f"{name}.yml")],
        "evaluation_interval": case.interval,
        "tests": [
            {
                "name": text,
                "interval": case.interval,
                "input_series": [{"series": s, "values": v} for s, v in case.series.items()],
                "alert_rule_test": [{"alertname": name, "eval_time": case.at, "exp_alerts": expected}],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(document))
    promtool("test", "rules", path)


def _expected(rule: alerts.Rule, case: Case) -> dict[str, Any]:
    place = case.labels or (QUEUE if rule.group == "kpis" else {})

    def filled(text: str) -> str:
        text = re.sub(r"\{\{ \.Labels\.(\w+) \}\}", lambda found: place[found[1]], text)
        return re.sub(r"\{\{ \.Value \| \w+ \}\}", case.shown, text)

    texts = {name: filled(text) for name, text in rule.annotations(".Value").items()}
    assert "{{" not in "".join(texts.values())
    return {"exp_labels": {**rule.labels, **place}, "exp_annotations": texts}


def test_prometheus_accepts_rules_and_configuration() -> None:
    n = f"{2 * len(BY_RULE)} rules found"
    assert n in promtool("check", "rules", RULES)
    assert n in promtool("check", "config", ROOT / "prometheus/prometheus.yml")
    assert "0 rules found" in promtool("check", "rules", ROOT / "grafana/rules/alerts.rules.yml")


def test_the_scrape_configuration_bounds_what_it_takes() -> None:
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == ["contact-centre", "worker"]
    for job in config["scrape_configs"]:
        limits = ("sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit")
        assert all(job[limit] > 0 for limit in limits)


def ours() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(grafana.rule_file())["groups"]:
        yield from group["rules"]


def theirs() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What is recorded, and the alert."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from zip(group["rules"][::2], group["rules"][1::2], strict=True)


def test_both_outputs_ask_the_same() -> None:
    """One expression, one level at which it begins, one at which it is over."""
    by_name = {rule["title"]: rule for rule in ours()}
    assert by_name.keys() == {alert["alert"] for _, alert in theirs()}
    for record, alert in theirs():
        rule = by_name[alert["alert"]]
        query, _, threshold = rule["data"]
        assert record["expr"] == query["model"]["expr"]
        (condition,) = threshold["model"]["conditions"]
        begins = condition["evaluator"]["params"][0]
        assert alert["expr"].startswith(f"{record['record']} > {begins:g}")
        over = condition.get("unloadEvaluator")
        assert bool(over) == (">=" in alert["expr"])
        if over:
            assert over["params"][0] < begins
            assert f"{record['record']} >= {over['params'][0]:g}\n" in alert["expr"]
        assert (rule["for"], rule["keepFiringFor"]) == (alert["for"], alert["keep_firing_for"])
        assert rule["labels"] == alert["labels"]


def test_every_kpi_alert_is_over_at_another_level_than_it_began() -> None:
    assert all(rule.clear < rule.above for rule in alerts.rules() if rule.group == "kpis")


def test_the_catalogue_s_alerts_and_no_others_are_rules() -> None:
    wanted = [kpi.name for kpi in KPIS for _ in kpi.alerts]
    assert [rule.subject for rule in alerts.rules() if rule.group == "kpis"] == wanted
    assert len(wanted) == 12


def test_no_budget_is_asked_to_burn_faster_than_it_can() -> None:
    """If every contact misses a target of 80 %, its budget burns five times too fast: a factor beyond that never fires."""
    burning = [(kpi, alert) for kpi in KPIS for alert in kpi.alerts if isinstance(alert, Burn)]
    assert {kpi.name for kpi, _ in burning} == {"service_level", "abandonment"}
    for kpi, alert in burning:
        assert all(alert.factor <= 1 / kpi.budget(target) for target in kpi.targets.values())
    assert BY_NAME["service_level"].most_burn == pytest.approx(1 / (1 - 0.8))
    assert BY_NAME["abandonment"].most_burn == pytest.approx(1 / 0.05)


def test_every_alert_has_its_section_in_the_runbook() -> None:
    sections = re.split(r"^## ", (ROOT / alerts.RUNBOOK).read_text(), flags=re.MULTILINE)[1:]
    by_name: Mapping[str, str] = {section.partition("\n")[0]: section for section in sections}
    for rule in alerts.rules():
        page, _, anchor = rule.annotations("").get("runbook_url", "").partition("#")
        assert page == "docs/runbook.md"
        for part in ("Means.", "First look.", "Usual causes.", "Do."):
            assert f"**{part}**" in by_name[anchor]
    assert by_name.keys() == {rule.subject for rule in alerts.rules()}


def test_the_side_that_does_not_evaluate_has_no_rules() -> None:
    off = yaml.safe_load(grafana.rule_file(active=False))
    assert off.keys() == {"apiVersion", "deleteRules"}
    assert [gone["uid"] for gone in off["deleteRules"]] == [rule["uid"] for rule in ours()]
    assert yaml.safe_load(prometheus.rule_file(active=False)) == {"groups": []}


def test_yaml_reads_back_as_what_was_written() -> None:
    from stream_app.views.text import to_yaml

    awkward = [
        "yes",
        "null",
        "1e3",
        "5m",
        "a: b",
        "# no",
        "",
        " x",
        "é",
        "two\n  lines\n\nmore",
        "-",
        '"',
        "{{ .Value }}",
    ]
    data = {
        "list": [{"a": awkward, "b": {}}, [], {"c": [1, 0.5, None, True, {"d": "e\nf"}]}],
        "on": awkward[-1],
    }
    assert yaml.safe_load(to_yaml(data, "comment")) == json.loads(json.dumps(data))
