"""promtool's test files of the committed rules, for anybody to run; ``python -m tests.views.alerts.written`` writes them.

The rules of each alert are in a file of their own, as they stand in the file that Prometheus reads: promtool evaluates all that
it is given, every half minute of every test.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from stream_app.model.kpis import BY_NAME
from stream_app.views import alerts, naming
from stream_app.views.alerts.templates import PROMETHEUS
from stream_app.views.text import to_yaml
from tests.views.alerts.cases import FIRING, SILENT
from tests.views.alerts.scenes import SCENES
from tests.views.alerts.scraped import QUEUE, Case, of_channel, one
from tests.views.alerts.texts import TEXTS

ROOT = Path(__file__).parents[3]
RULES = ROOT / "prometheus/rules/alerts.rules.yml"
FOLDER = "prometheus/tests"
BY_RULE = {rule.name: rule for rule in alerts.rules()}
PAGE = "docs/alerting.md"
BEGIN = "<!-- texts: begin, written by `python -m tests.views.alerts.written` -->"
END = "<!-- texts: end -->"
RUNBOOK = "http://127.0.0.1:8080/static/runbook.html"
"""Where `serve` has it."""
COMMAND = "promtool test rules prometheus/tests/*.test.yml"
_HEAD = "Written by `python -m tests.views.alerts.written` from tests/views/alerts. To run all of them:"

Json = dict[str, Any]


def every() -> dict[str, str]:
    """Path → text."""
    return {**_rule_files(), **dict(_test_files()), PAGE: _page()}


def _page() -> str:
    """The page with the table of what the alerts say."""
    before, begin, rest = (ROOT / PAGE).read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    rows = (f"| `{name}` | {TEXTS[name, 'fires 1'][0]} |" for name in BY_RULE)
    return "\n".join([before + begin, "", "| alert | for example |", "|---|---|", *rows, "", end + after])


def _rule_files() -> dict[str, str]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    pairs = [pair for group in groups for pair in zip(group["rules"][::2], group["rules"][1::2], strict=True)]
    return {
        _rules_of(alert["alert"]): to_yaml(
            {"groups": [{"name": "one", "interval": "30s", "rules": [record, alert]}]}, _HEAD, COMMAND
        )
        for record, alert in pairs
    }


def _rules_of(name: str) -> str:
    return f"{FOLDER}/rules/{BY_RULE[name].kebab}.rules.yml"


def _test_files() -> Iterable[tuple[str, str]]:
    for name, rule in BY_RULE.items():
        cases = {f"fires {n}": case for n, case in enumerate(FIRING[name], 1)} | SILENT[name]
        for interval, judged, kind in (("30s", "30s", ""), ("10m", "30m", ".weeks")):
            tests = [_test(rule, text, case) for text, case in cases.items() if case.interval == interval]
            if tests:
                yield f"{FOLDER}/{rule.kebab}{kind}.test.yml", _file([name], judged, tests)
    for n, (title, scene) in enumerate(SCENES.items(), 1):
        checks = [
            {
                "expr": f"{check.expression} * 0",
                "eval_time": check.at,
                "exp_samples": [{"labels": _labels(row), "value": 0} for row in check.rows],
            }
            for check in scene.checks
        ]
        test = {
            "name": title,
            "interval": "30s",
            "input_series": _series(scene.series),
            "promql_expr_test": checks,
        }
        yield f"{FOLDER}/scene-{n}.test.yml", _file(scene.rules, "30s", [test])


def _file(names: Iterable[str], interval: str, tests: list[Json]) -> str:
    document = {
        "rule_files": [_rules_of(name).removeprefix(f"{FOLDER}/") for name in names],
        "evaluation_interval": interval,
        "tests": tests,
    }
    return to_yaml(document, _HEAD, COMMAND)


def _test(rule: alerts.AlertRule, text: str, case: Case) -> Json:
    """Whether it fires, and for firing ones the value that is recorded."""
    place = dict(case.labels or (QUEUE if rule.group == "kpis" else {}))
    firing = f'count by ({", ".join(["alertname", *place])}) (ALERTS{{alertname="{rule.name}",alertstate="firing"}}) * 0'
    rows = [] if case.value is None else [{"labels": _labels({"alertname": rule.name, **place}), "value": 0}]
    checks = [{"expr": firing, "eval_time": case.at, "exp_samples": rows}]
    if case.value is not None:
        near = f"abs({rule.record} - {case.value:g}) < bool 0.001"
        only = "".join(f'{label}="{value}",' for label, value in place.items())
        near = near.replace(rule.record, f"{rule.record}{{{only}}}") if only else near
        checks.append(
            {"expr": near, "eval_time": case.at, "exp_samples": [{"labels": _labels(place), "value": 1}]}
        )
    series, said = case.series, {}
    if (rule.name, text) in TEXTS:
        series = of_channel(place.get("channel", "voice"), _beside(rule)) | series
        labels = {**rule.labels, "severity": rule.severity, **place}
        alert = {"exp_labels": labels, "exp_annotations": _texts(rule, text, place)}
        said = {"alert_rule_test": [{"alertname": rule.name, "eval_time": case.at, "exp_alerts": [alert]}]}
    return {
        "name": f"{rule.name}: {text}",
        "interval": case.interval,
        "input_series": _series(series),
        "promql_expr_test": checks,
        **said,
    }


def _beside(rule: alerts.AlertRule) -> dict[str, str]:
    """What else is known of the queue, for the texts."""
    if rule.group != "kpis":
        return {}
    levels = {"backlog": 7, "oldest_waiting": 200, "awaiting_reply": 9, "with_bot": 4}
    return {
        name: values
        for kpi, value in levels.items()
        for name, values in one(naming.value(BY_NAME[kpi]), f"{value}x1200").items()
    }


def _texts(rule: alerts.AlertRule, text: str, place: Mapping[str, str]) -> dict[str, str]:
    """The texts of a firing case: two as they are read, the rest as they are made."""
    texts = rule.annotations(PROMETHEUS, RUNBOOK) | rule.links(
        "http://127.0.0.1:8080", "http://127.0.0.1:3000"
    )
    for label, value in {**QUEUE, **place}.items():
        texts = {k: v.replace(f"{{{{ .Labels.{label} | urlquery }}}}", value) for k, v in texts.items()}
    summary, description = TEXTS[rule.name, text]
    return {**texts, "summary": summary, "description": description}


def _series(series: Mapping[str, str]) -> list[Json]:
    return [{"series": name, "values": values} for name, values in series.items()]


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


if __name__ == "__main__":
    wanted = every()
    for old in (ROOT / FOLDER).rglob("*.yml"):
        if str(old.relative_to(ROOT)) not in wanted:
            old.unlink()
    for name, text in wanted.items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")
