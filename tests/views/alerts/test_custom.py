"""Custom rules through both compilers: what they mean by Prometheus's own judgement, and what Grafana is given."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from stream_app.commands.custom_rules import custom_rules
from stream_app.model.alerting.local_hours import LocalHours, offsets
from stream_app.model.alerting.rules import Condition, CustomRule
from stream_app.model.kpis import KPIS
from stream_app.model.kpis.measures import Unit
from stream_app.model.targets.calendars import WEEKDAYS, Hours
from stream_app.views.alerts import custom, custom_expressions, custom_files, grafana, prometheus
from tests.services.process import ServiceError
from tests.services.prometheus import Prometheus, promtool
from tests.views.alerts import linting
from tests.views.alerts.test_grafana import panel_ids
from tests.views.dashboards.exported import known

Json = dict[str, Any]
ROOT = Path(__file__).parents[3]
EXAMPLE = custom_rules(ROOT / "docs/rules.example.toml")
HARD = CustomRule(
    name="Names that are hard to quote",
    severity="page",
    conditions=(
        Condition(kpi="nps", side="below", level=-10, clear=0, window="today", minimum=5),
        Condition(kpi="oldest_waiting", side="above", by=-0.25, relative=True),
        Condition(kpi="service_level", side="below", by=-0.05, window="5m", minimum=1),
    ),
    join="any",
    hold="90s",
    queues=('a"b', "c\\d", "e.f|g", "$h", "Überlauf (alt)"),
    channels=("voice",),
    sites=("Northwind",),
    units=("a/b",),
)
RULES = (*EXAMPLE, HARD)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files, for Prometheus."""
    root = tmp_path_factory.mktemp("rendered")
    for name, text in custom_files.files("prometheus", RULES, "docs/runbook.md", {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_each_rule_fires_and_is_silent_as_its_generated_test_says(rendered: Path, rule: CustomRule) -> None:
    path = rendered / f"tests/{rule.slug}.test.yml"
    tests = yaml.safe_load(path.read_text())["tests"]
    fires = [bool(test["promql_expr_test"][0]["exp_samples"]) for test in tests]
    assert any(fires)
    assert not all(fires)
    assert "SUCCESS" in promtool("test", "rules", path)


def of_every_kpi() -> Iterator[CustomRule]:
    """Rules on each KPI: on one side of a number, and of its target; on the other side for every second one."""
    for place, kpi in enumerate(KPIS):
        if kpi.unit is Unit.AMOUNT:
            continue
        window = kpi.windows[-1] if kpi.windows else None
        common: Json = {"kpi": kpi.name, "window": window, "minimum": 3 if kpi.has_samples else None}
        level, clear = (0.4, 0.3) if kpi.unit.is_ratio else (40.0, 30.0)
        found = [
            Condition(side="above", level=level, clear=clear, **common),
            Condition(side="below", level=clear, clear=level, **common),
        ]
        if kpi.may_have_target:
            found += [Condition(side="above", by=0.2, clear=0.1, **common), Condition(side="below", **common)]
        for n, one in enumerate(found[place % 2 :: 2], 1):
            yield CustomRule(
                name=f"{kpi.name} {n}",
                severity="ticket",
                conditions=(one,),
                hold="1m",
                keep="1m",
                hours="always",
            )


@pytest.mark.slow
def test_a_rule_on_any_kpi_fires_and_is_silent(tmp_path: Path) -> None:
    rules = [*of_every_kpi()]
    assert {rule.conditions[0].kpi for rule in rules} == {
        kpi.name for kpi in KPIS if kpi.unit is not Unit.AMOUNT
    }
    for name, text in custom_files.files("prometheus", rules, "docs/runbook.md", {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    said = promtool("test", "rules", *sorted((tmp_path / "tests").glob("*.test.yml")))
    assert said.count("SUCCESS") == len(rules)


BROKEN = {
    "another level": ("> 0.1", "> 0.9"),
    "another side": (
        "round(max by (queue, channel) (cc_abandonment_ratio",
        "-round(max by (queue, channel) (cc_abandonment_ratio",
    ),
    "or for and": (")\n      and on (queue, channel)\n", ")\n      or on (queue, channel)\n"),
    "no minimum": (">= 20", ">= 0"),
    "at any time": ("(cc_open) == 1", "(cc_open) >= 0"),
    "stale": ("<= 60", "<= 600"),
    "all queues": ('queue=~"billing|sales"', 'queue=~".*"'),
    "another hold": ('for: "5m"', 'for: "0s"'),
    "no second level": (">= 0.5", ">= 1.5"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_that_is_compiled_wrongly_fails_its_test(rendered: Path, tmp_path: Path, name: str) -> None:
    before, after = BROKEN[name]
    slug = EXAMPLE[0].slug
    text = (rendered / f"tests/{slug}.rules.yml").read_text()
    broken = re.sub(r"\s+".join(map(re.escape, before.split())), lambda _: after, text)
    assert broken != text
    (tmp_path / f"{slug}.rules.yml").write_text(broken)
    shutil.copy(rendered / f"tests/{slug}.test.yml", tmp_path)
    with pytest.raises(ServiceError, match="FAILED"):
        promtool("test", "rules", tmp_path / f"{slug}.test.yml")


def test_prometheus_accepts_them(rendered: Path) -> None:
    assert f"{2 * len(RULES)} rules found" in promtool(
        "check", "rules", rendered / "prometheus/rules/custom.rules.yml"
    )


def test_grafana_finds_nothing_wrong_with_them() -> None:
    text = grafana.rule_file(of=[custom.alert(rule) for rule in RULES], gone=["custom-old"])
    loaded = yaml.safe_load(text)
    assert linting.rules_problems(loaded, known(), panel_ids()) == []
    assert linting.unknown_fields(loaded) == []
    assert "$" not in text


def test_both_ask_the_same() -> None:
    alerts = [custom.alert(rule) for rule in RULES]
    (ours,) = yaml.safe_load(grafana.rule_file(of=alerts))["groups"]
    (theirs,) = yaml.safe_load(prometheus.rule_file(of=alerts))["groups"]
    pairs = zip(theirs["rules"][::2], theirs["rules"][1::2], strict=True)
    for rule, (record, alert), written in zip(ours["rules"], pairs, RULES, strict=True):
        query, _, threshold, *_ = rule["data"]
        (condition,) = threshold["model"]["conditions"]
        value = custom.alert(written).value
        assert query["model"]["expr"].startswith(value)
        assert record["expr"].startswith(value)
        assert alert["expr"].startswith(f"{record['record']} > {condition['evaluator']['params'][0]:g}")
        assert ("unloadEvaluator" in condition) == written.has_clear == (">=" in alert["expr"])
        assert (rule["title"], rule["for"], rule["keepFiringFor"]) == (written.name, written.hold, "5m")
        assert (alert["alert"], alert["for"], alert["keep_firing_for"]) == (written.name, written.hold, "5m")
        assert rule["labels"] == alert["labels"]


def alert_links(alert: custom.CustomAlert) -> dict[str, str]:
    """The addresses with the hostile queue's name, as an address writes it."""
    filled = {
        name: address.replace("{{ .Labels.queue | urlquery }}", "a%22b%5Cc").replace(
            "{{ .Labels.channel | urlquery }}", "voice"
        )
        for name, address in alert.links("http://127.0.0.1:8080", "http://127.0.0.1:3000").items()
    }
    assert filled.keys() == {"dashboard_url", "wallboard_url"}
    return filled


def test_the_text_has_the_value_and_the_limit_of_each_condition(tmp_path: Path) -> None:
    """In Prometheus's words; what a page says of a queue whose name is hard to quote."""
    rule = CustomRule(
        name="Long waits",
        severity="page",
        hours="always",
        hold="0s",
        do="Offer callbacks.",
        join="any",
        conditions=(
            Condition(kpi="abandonment", side="above", level=0.1, window="30m", minimum=20),
            Condition(kpi="handle_time", side="above", by=0.3, relative=True, window="today", minimum=20),
            Condition(kpi="backlog", side="above", level=25),
        ),
    )
    alert = custom.alert(rule)
    (tmp_path / "r.yml").write_text(
        prometheus.rule_file(of=[alert], runbook="https://wiki.example.org/runbook")
    )
    place = r'queue="a\"b\\c",channel="voice"'
    description = (
        "Abandonment rate in the last 30 minutes: 25% (above 10 %); "
        "Average handle time today: 6m 0s (more than 30 % above target); Backlog: not known (above 25)."
    )
    labels = {
        "queue": 'a"b\\c',
        "channel": "voice",
        "severity": "page",
        "group": "custom",
        "kpi": "abandonment",
    }
    test = {
        "interval": "1m",
        "input_series": [
            {"series": "cc_data_age_seconds", "values": "1x5"},
            {"series": f'cc_abandonment_ratio{{{place},window="30m"}}', "values": "0.25x5"},
            {"series": f'cc_abandonment_samples{{{place},window="30m"}}', "values": "40x5"},
            {"series": f'cc_handle_time_seconds{{{place},window="today"}}', "values": "360x5"},
        ],
        "alert_rule_test": [
            {
                "alertname": rule.name,
                "eval_time": "3m",
                "exp_alerts": [
                    {
                        "exp_labels": labels,
                        "exp_annotations": {
                            "summary": 'Long waits: a"b\\c (voice)',
                            "description": description,
                            "do": "Offer callbacks.",
                            "runbook_url": "https://wiki.example.org/runbook#abandonment",
                            **alert_links(alert),
                        },
                    }
                ],
            }
        ],
    }
    (tmp_path / "t.yml").write_text(
        yaml.safe_dump({"rule_files": ["r.yml"], "evaluation_interval": "1m", "tests": [test]})
    )
    promtool("test", "rules", tmp_path / "t.yml")


def test_grafana_s_text_has_a_step_for_each_value_and_a_word_without_one() -> None:
    (group,) = yaml.safe_load(grafana.rule_file(of=[custom.alert(HARD)]))["groups"]
    (rule,) = group["rules"]
    steps = {step["refId"] for step in rule["data"]}
    named = re.findall(
        r"\{\{ with \.Values\.(\w+) \}\}[^{]*\{\{ \.Value \| \w+ \}\}\{\{ else \}\}not known\{\{ end \}\}",
        rule["annotations"]["description"],
    )
    assert named == ["V1", "V2", "V3"]
    assert {*named} <= steps


def test_ids_are_short_and_differ() -> None:
    names = ["A" * 60, "A" * 59 + "B", "Callers give up"]
    alerts = [
        custom.alert(CustomRule(name=name, severity="page", conditions=EXAMPLE[0].conditions))
        for name in names
    ]
    assert len({alert.uid for alert in alerts}) == 3
    assert all(len(alert.uid) <= 40 for alert in alerts)


# --- hours by a local clock ---

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia")
HOURS = {
    "mon": ["00:00-24:00"],
    "thu": ["08:30-12:00", "13:00-17:45"],
    "sat": ["22:00-24:00"],
    "sun": ["00:00-03:15"],
}


def hours(zone: str) -> LocalHours:
    return LocalHours(Hours.of("", {"zone": zone, "hours": HOURS}))


def on_the_clock(at: int, zone: str) -> bool:
    """Independently of the code: what the wall clock shows."""
    local = datetime.fromtimestamp(at, tz=ZoneInfo(zone))
    shown = f"{local:%H:%M}"
    return any(
        a <= shown < b for a, _, b in (p.partition("-") for p in HOURS.get(WEEKDAYS[local.weekday()], []))
    )


def moments(zone: str) -> list[int]:
    """Around each change of clocks of some years, and hours of a week."""
    changes = [at for at, _ in offsets(zone)[1][:4]]
    found = [at + by for at in changes for by in range(-7200, 7201, 900)]
    week = int(datetime(2027, 7, 5, tzinfo=UTC).timestamp())
    return found + [week + by for by in range(0, 7 * 86_400, 8100)]


@pytest.mark.parametrize("zone", ZONES)
def test_hours_hold_by_the_wall_clock(zone: str) -> None:
    times = moments(zone)
    assert [hours(zone).holds(at * 1000) for at in times] == [on_the_clock(at, zone) for at in times]


@pytest.fixture(scope="module")
def empty() -> Iterator[Prometheus]:
    """A server that scrapes nobody."""
    with Prometheus() as server:
        yield server


def test_a_step_of_grafana_s_that_only_shows_a_value_has_a_row_in_any_case(empty: Prometheus) -> None:
    """Grafana takes a rule for one without data, and resolves it, if a single one of its queries returns nothing."""
    for rule in RULES:
        steps = [*custom.alert(rule).steps()]
        assert len(steps) == len(rule.conditions)
        for _, _, expression in steps:
            (row,) = empty.query(expression)
            assert not row.labels.keys() & {"queue", "channel"}
            assert row.labels


@pytest.mark.slow
def test_prometheus_knows_the_wall_clock_of_every_zone(empty: Prometheus) -> None:
    for zone in ZONES:
        expression = custom_expressions.local(hours(zone))
        times = moments(zone)[::4]
        assert [bool(empty.query(expression, at=at)) for at in times] == [
            on_the_clock(at, zone) for at in times
        ]


def test_the_last_year_of_known_changes_is_far() -> None:
    changes = offsets("Europe/Berlin")[1]
    assert len(changes) == 24
    last = datetime.fromtimestamp(changes[-1][0], tz=UTC)
    assert (last + timedelta(hours=1)).year == 2035
