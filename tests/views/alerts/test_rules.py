"""Each alert fires when it should and is silent when it should be, in Prometheus's own judgement."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_app.model.events import LONGEST_NAME
from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.model.kpis.alerts import Burn
from stream_app.views import alerts, runbook
from stream_app.views.alerts import grafana, prometheus
from tests.services.process import ServiceError
from tests.services.prometheus import promtool
from tests.views.alerts import written
from tests.views.alerts.cases import FIRING, SILENT

ROOT = Path(__file__).parents[3]
RULES = ROOT / "prometheus/rules/alerts.rules.yml"
BY_RULE = {rule.name: rule for rule in alerts.rules()}
PEOPLE = {"NobodyThere", "AgentsTooLong", "QueueUnderstaffed"}
"""On who is there, which is no KPI."""

WRITTEN = written.every()
TESTS = sorted(name for name in WRITTEN if name.endswith(".test.yml"))
# A file is much slower than others where weeks are judged.
SHARES = {
    "weeks": [name for name in TESTS if ".weeks." in name],
    "kpis": [name for name in TESTS if ".weeks." not in name and Path(name).name < "n"],
    "rest": [name for name in TESTS if ".weeks." not in name and Path(name).name >= "n"],
}


def test_every_alert_has_firing_and_silent_cases() -> None:
    assert set(FIRING) == set(BY_RULE) == set(SILENT)
    assert all(FIRING.values())
    for name, cases in SILENT.items():
        assert cases or name == "Watchdog"
        if BY_RULE[name].group == "kpis" and not name.startswith("ContactsS"):
            assert "empty queue" in cases


def test_the_committed_tests_are_those_of_the_suite() -> None:
    """Otherwise: python -m tests.views.alerts.written."""
    committed = {str(path.relative_to(ROOT)) for path in (ROOT / written.FOLDER).rglob("*.yml")}
    assert committed == WRITTEN.keys() - {written.PAGE}
    assert written.COMMAND in WRITTEN[written.PAGE]
    assert [name for name, text in WRITTEN.items() if (ROOT / name).read_text() != text] == []


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES)
def test_alerts_fire_when_they_should_and_say_what_they_should(share: str) -> None:
    """Each alert, at each moment of its cases: whether it fires, its value, its texts. One process for all of them."""
    files = [ROOT / name for name in SHARES[share]]
    assert files
    assert promtool("test", "rules", *files).count("SUCCESS") == len(files)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("0.8x120", "0.5x120", "FAILED"),  # another target: it does not fire
        ("7 waiting", "8 waiting", "FAILED"),
    ],
)
def test_a_wrong_expectation_is_a_failure(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """The files themselves can fail."""
    name = "service-level-off-target" if "x" in old else "oldest-waiting-off-target"
    text = WRITTEN[f"prometheus/tests/{name}.test.yml"]
    assert old in text
    (tmp_path / "rules").mkdir()
    (tmp_path / f"rules/{name}.rules.yml").write_text(WRITTEN[f"prometheus/tests/rules/{name}.rules.yml"])
    path = tmp_path / "test.yml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ServiceError, match=complaint):
        promtool("test", "rules", path)


def test_prometheus_accepts_rules_and_configuration() -> None:
    n = f"{2 * len(BY_RULE)} rules found"
    assert n in promtool("check", "rules", RULES)
    assert n in promtool("check", "config", ROOT / "prometheus/prometheus.yml")
    assert "0 rules found" in promtool("check", "rules", ROOT / "grafana/rules/alerts.rules.yml")


def test_the_scrape_configuration_bounds_what_it_takes() -> None:
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == ["contact-centre", "worker", "ledger"]
    for job in config["scrape_configs"]:
        limits = ("sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit")
        assert all(job[limit] > 0 for limit in limits)
        # In bytes, and one label that is longer loses the whole scrape.
        assert job["label_value_length_limit"] >= len("\U0001f600".encode()) * LONGEST_NAME


def ours() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(grafana.rule_file())["groups"]:
        yield from group["rules"]


def theirs() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What is recorded, and the alert."""
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        yield from zip(group["rules"][::2], group["rules"][1::2], strict=True)


def test_both_outputs_ask_the_same() -> None:
    """One value, one level at which it begins, one at which it is over; each holds what fires in its own way."""
    by_name = {rule["title"]: rule for rule in ours()}
    assert by_name.keys() == {alert["alert"] for _, alert in theirs()} - {"Watchdog"}
    for record, alert in theirs():
        if alert["alert"] == "Watchdog":
            continue
        rule, made = by_name[alert["alert"]], BY_RULE[alert["alert"]]
        query, _, threshold = rule["data"][:3]
        assert record["expr"].startswith(made.value)
        assert made.value in query["model"]["expr"]
        (condition,) = threshold["model"]["conditions"]
        begins = condition["evaluator"]["params"][0]
        assert alert["expr"].startswith(f"{record['record']} > {begins:g}")
        over = condition.get("unloadEvaluator")
        assert bool(over) == (">=" in alert["expr"])
        if over:
            assert over["params"][0] < begins
            assert f"{record['record']} >= {over['params'][0]:g}\n" in alert["expr"]
        assert (rule["for"], rule["keepFiringFor"]) == (alert["for"], alert.get("keep_firing_for", "0s"))
        assert rule["labels"] == alert["labels"]
        assert rule["annotations"].keys() - {"__dashboardUid__", "__panelId__"} == alert["annotations"].keys()


def test_what_fires_is_held_by_both_while_it_can_t_be_known_to_be_over() -> None:
    """Prometheus records the last value on; Grafana has a row while it is known, none otherwise, and never no answer."""
    by_name = {rule["title"]: rule for rule in ours()}
    held = [rule for rule in alerts.rules() if rule.known]
    assert {rule.name for rule in alerts.rules()} - {rule.name for rule in held} == {
        "DataMissing",
        "WorkersDown",
        "Watchdog",
    }
    records = {alert["alert"]: record["expr"] for record, alert in theirs()}
    for rule in held:
        assert f"unless on () {rule.known}" in records[rule.name]
        asked = by_name[rule.name]["data"][0]["model"]["expr"]
        assert asked.splitlines()[-1] == 'or label_replace(vector(-1000000), "row", "none", "", "")'
        assert by_name[rule.name]["missing_series_evals_to_resolve"] * 30 >= 86_400


def test_every_kpi_alert_is_over_at_another_level_than_it_began() -> None:
    one_is_too_many = {"ContactLeftInClosedQueue", "ComplianceBreached"} | PEOPLE
    for rule in alerts.rules():
        if rule.group == "kpis":
            assert (rule.clear < rule.above) == (rule.name not in one_is_too_many)


def test_the_catalogue_s_alerts_and_no_others_are_rules() -> None:
    wanted = [kpi.name for kpi in KPIS for _ in kpi.alerts]
    mine = [rule for rule in alerts.rules() if rule.group == "kpis"]
    assert [rule.subject for rule in mine if rule.name not in PEOPLE] == wanted
    assert wanted


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


def test_the_page_that_messages_link_to_has_the_section_of_each_alert() -> None:
    text = (ROOT / alerts.RUNBOOK).read_text()
    page = runbook.page(text)
    ids = re.findall(r'<h2 id="(\w+)">', page)
    assert sorted(ids) == sorted({rule.subject for rule in alerts.rules()})
    assert page.count("<strong>Do.</strong>") == len(ids)
    inside = set(re.findall(r'href="#(\w+)"', page))
    assert inside
    assert inside <= set(ids)
    assert not re.search(r"\]\(|\*\*|`", page.replace("`stream-app render`", ""))
    assert "<code>kpi:{rows}:…</code>" in page
    for file in (prometheus.rule_file(), grafana.rule_file()):
        found = set(re.findall(r'runbook_url: "([^#"]+)#', file))
        assert found == {f"http://127.0.0.1:8080{runbook.PATH}"}
    mine = prometheus.rule_file(addresses=alerts.Addresses("https://floor.example.org"))
    assert f"https://floor.example.org{runbook.PATH}#nps" in mine
    assert "https://floor.example.org/#queue=" in mine
    assert "https://wiki.example.org/r#nps" in prometheus.rule_file(runbook="https://wiki.example.org/r")


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
