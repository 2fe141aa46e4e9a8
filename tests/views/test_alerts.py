"""Each alert fires when it should and is silent when it should be, in Prometheus's own judgement."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from stream_app.model.kpis import BY_NAME, KPIS
from stream_app.views import alerts, naming
from tests.services.prometheus import promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "prometheus/rules/kpis.rules.yml"
QUEUE = {"queue": "sales", "channel": "voice"}

Series = dict[str, str]


class Case(NamedTuple):
    """What is scraped, and for firing ones how the message calls the excess."""

    series: Series
    shown: str = ""
    at: str = "40m"


def one(metric: str, values: str, **labels: str) -> Series:
    """One series of the queue; ``values`` is promtool's notation."""
    text = ",".join(f'{name}="{value}"' for name, value in {**QUEUE, **labels}.items())
    return {f"{metric}{{{text}}}": values}


def kpi(
    name: str, value: str, target: str = "", samples: str = "100", window: str = "30m", **labels: str
) -> Series:
    """Return what is exported of a KPI, for an hour, with the data fresh; "" is an absent series."""
    entry = BY_NAME[name]
    if not entry.is_level:
        labels["window"] = window
    series = {naming.DATA_AGE: "1x120"}
    if value:
        series |= one(naming.value(entry), _long(value), **labels)
    if not entry.is_level:
        series |= one(naming.samples(entry), _long(samples), **labels)
    if target:
        series |= one(naming.target(entry), _long(target))
    return series


def _long(value: str) -> str:
    """One number stands for an hour of it, a scrape each half minute."""
    return value if " " in value else f"{value}x120"


def stale(series: Series) -> Series:
    return {**series, naming.DATA_AGE: "600x120"}


def again(series: Series) -> Series:
    """The same from a second replica of `serve`: no more alerts, no errors."""
    return series | {
        (f'{name[:-1]},instance="b"}}' if name.endswith("}") else f'{name}{{instance="b"}}'): values
        for name, values in series.items()
    }


FIRING: dict[str, list[Case]] = {
    "service_level": [
        Case(kpi("service_level", "0.6", "0.8"), "10%"),
        Case(kpi("service_level", "0", "0.8", "20"), "70%"),
        Case(again(kpi("service_level", "0.6", "0.8")), "10%"),
        Case(kpi("service_level", "0.8", "0.95"), "5%"),
    ],
    "abandonment": [
        Case(kpi("abandonment", "0.15", "0.05"), "5%"),
        Case(kpi("abandonment", "1", "0.05", "20"), "90%"),
    ],
    "first_response": [Case(kpi("first_response", "45", "20"), "15s")],
    "handle_time": [Case(kpi("handle_time", "528", "360"), "1m 0s")],
    "oldest_waiting": [Case(kpi("oldest_waiting", "180", "120"), "1m 0s")],
    "data_age": [
        Case({naming.DATA_AGE: "180x120"}, "2m 0s"),
        Case({"up": "0x120"}, "1s"),
        Case(again({naming.DATA_AGE: "1x120"}) | {f'{naming.DATA_AGE}{{instance="b"}}': "180x120"}, "2m 0s"),
    ],
}

SILENT: dict[str, dict[str, Case]] = {
    "service_level": {
        "one lost call at night": Case(kpi("service_level", "0", "0.8", "1")),
        "one contact too few": Case(kpi("service_level", "0", "0.8", "19")),
        "inside the tolerance": Case(kpi("service_level", "0.71", "0.8")),
        "at the edge of the tolerance": Case(kpi("service_level", "0.7", "0.8", "20")),
        "better than the target": Case(kpi("service_level", "1", "0.8")),
        "empty queue": Case(kpi("service_level", "", "0.8", "0")),
        "another window": Case(kpi("service_level", "0", "0.8", window="5m")),
        "no target": Case(kpi("service_level", "0")),
        "another queue's target": Case(
            kpi("service_level", "0.6") | one("cc_service_level_target", "0.8x120", queue="support")
        ),
        "stale data": Case(stale(kpi("service_level", "0", "0.8"))),
        "not for long": Case(kpi("service_level", "0.9x70 0x8 0.9x40", "0.8")),
        "not yet": Case(kpi("service_level", "0.9x70 0x50", "0.8"), at="39m"),
    },
    "abandonment": {
        "one lost call at night": Case(kpi("abandonment", "1", "0.05", "1")),
        "inside the tolerance": Case(kpi("abandonment", "0.09", "0.05")),
        "at the edge of the tolerance": Case(kpi("abandonment", "0.1", "0.05")),
        "empty queue": Case(kpi("abandonment", "", "0.05", "0")),
        "nobody gave up": Case(kpi("abandonment", "0", "0.05")),
    },
    "first_response": {
        "one late answer at night": Case(kpi("first_response", "900", "20", "1")),
        "inside the tolerance": Case(kpi("first_response", "30", "20")),
        "empty queue": Case(kpi("first_response", "", "20", "0")),
        "an email's hour": Case(kpi("first_response", "3600", "3600")),
        "at once": Case(kpi("first_response", "0", "20")),
    },
    "handle_time": {
        "one long call at night": Case(kpi("handle_time", "7200", "360", "1")),
        "inside the tolerance": Case(kpi("handle_time", "468", "360")),
        "empty queue": Case(kpi("handle_time", "", "360", "0")),
        "short calls": Case(kpi("handle_time", "10", "360")),
    },
    "oldest_waiting": {
        "one call, answered in time": Case(kpi("oldest_waiting", "119", "120")),
        "at the target": Case(kpi("oldest_waiting", "120", "120")),
        "empty queue": Case(kpi("oldest_waiting", "0", "120")),
        "a worker that is down counts on": Case(stale(kpi("oldest_waiting", "7200", "120"))),
        "nobody serves": Case({"up": "0x120"}),
    },
    "data_age": {
        "fresh": Case({naming.DATA_AGE: "3x120"}),
        "at the edge": Case({naming.DATA_AGE: "60x120"}),
        "a restart of serve": Case({naming.DATA_AGE: "1x75 _x2 1x40"}),
        "a pause of the worker": Case({naming.DATA_AGE: "1x74 70 100 1x40"}),
    },
}

CASES = [
    *((subject, f"fires {n}", case) for subject, cases in FIRING.items() for n, case in enumerate(cases, 1)),
    *((subject, name, case) for subject, cases in SILENT.items() for name, case in cases.items()),
]


def test_every_alert_has_firing_and_silent_cases() -> None:
    subjects = {rule.subject for rule in alerts.rules()}
    assert set(FIRING) == subjects
    assert set(SILENT) == subjects
    assert all(FIRING.values())
    for name, cases in SILENT.items():
        assert name == "data_age" or {"empty queue"} < cases.keys()


@pytest.mark.parametrize(("subject", "name", "case"), CASES, ids=[f"{s}-{n}" for s, n, _ in CASES])
def test_alert(tmp_path: Path, subject: str, name: str, case: Case) -> None:
    rule = next(rule for rule in alerts.rules() if rule.subject == subject)
    expected = [_expected(rule, case.shown)] if case.shown else []
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "30s",
        "tests": [
            {
                "name": name,
                "interval": "30s",
                "input_series": [{"series": s, "values": v} for s, v in case.series.items()],
                "alert_rule_test": [{"alertname": rule.name, "eval_time": case.at, "exp_alerts": expected}],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(document))
    promtool("test", "rules", path)


def _expected(rule: alerts.Rule, shown: str) -> dict[str, Any]:
    labels = {**rule.labels, **(QUEUE if rule.group == "kpis" else {})}

    def filled(text: str) -> str:
        text = re.sub(r"\{\{ \.Labels\.(\w+) \}\}", lambda found: QUEUE[found[1]], text)
        return re.sub(r"\{\{ \.Value \| \w+ \}\}", shown, text)

    texts = {name: filled(text) for name, text in rule.annotations(".Value").items()}
    assert "{{" not in "".join(texts.values())
    return {"exp_labels": labels, "exp_annotations": texts}


def test_prometheus_accepts_rules_and_configuration() -> None:
    assert "6 rules found" in promtool("check", "rules", RULES)
    assert "6 rules found" in promtool("check", "config", ROOT / "prometheus/prometheus.yml")
    assert "0 rules found" in promtool("check", "rules", ROOT / "grafana/rules/kpis.rules.yml")


def test_the_scrape_configuration_bounds_what_it_takes() -> None:
    config = yaml.safe_load((ROOT / "prometheus/prometheus.yml").read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == ["contact-centre", "worker"]
    for job in config["scrape_configs"]:
        limits = ("sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit")
        assert all(job[limit] > 0 for limit in limits)


def grafana() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(alerts.grafana_rules())["groups"]:
        yield from group["rules"]


def test_both_outputs_ask_the_same() -> None:
    """The one expression: Prometheus fires on rows above 0, Grafana by a threshold of 0."""
    prometheus = {
        rule["alert"]: rule
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for rule in group["rules"]
    }
    ours = {rule["title"]: rule for rule in grafana()}
    assert prometheus.keys() == ours.keys()
    for name, rule in prometheus.items():
        query, _, threshold = ours[name]["data"]
        assert rule["expr"] == f"{query['model']['expr']} > 0"
        assert threshold["model"]["conditions"][0]["evaluator"] == {"type": "gt", "params": [0]}
        assert (rule["for"], rule["labels"]) == (ours[name]["for"], ours[name]["labels"])


def test_the_catalogue_s_alerts_and_no_others_are_rules() -> None:
    wanted = [kpi.name for kpi in KPIS if kpi.alert]
    assert [rule.subject for rule in alerts.rules() if rule.group == "kpis"] == wanted
    assert wanted == ["service_level", "abandonment", "first_response", "oldest_waiting", "handle_time"]


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
    off = yaml.safe_load(alerts.grafana_rules(active=False))
    assert off.keys() == {"apiVersion", "deleteRules"}
    assert [gone["uid"] for gone in off["deleteRules"]] == [rule["uid"] for rule in grafana()]
    assert yaml.safe_load(alerts.prometheus_rules(active=False)) == {"groups": []}


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
