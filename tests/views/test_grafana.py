"""The dashboard, and the linter that guards it: shown on broken ones to see what it says it sees."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_app.model.formulas import PERCENTILES
from stream_app.model.kpis import BY_NAME, KPIS, TOTALS
from stream_app.telemetry import Telemetry
from stream_app.views import alerts, grafana, naming, panels
from tests.services.prometheus import promtool
from tests.views import linting

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


def known() -> dict[str, tuple[str, ...]]:
    """Metric → labels, of all that is exported."""
    window: tuple[str, ...] = (naming.WINDOW,)
    names: dict[str, tuple[str, ...]] = {}
    for kpi in KPIS:
        names |= dict.fromkeys(naming.names_of(kpi), naming.labels(kpi))
        names[naming.target(kpi)] = (naming.QUEUE, naming.CHANNEL)
        if kpi.spread:
            names |= {naming.percentile_of_all(kpi, quantile): window for quantile in PERCENTILES}
    names |= {naming.total(counter): (naming.QUEUE, naming.CHANNEL) for counter in TOTALS}
    names |= naming.LABELS
    return names | {name: naming.LABELS[naming.APPLY] for name in naming.every_name() if naming.APPLY in name}


@pytest.fixture
def dashboard() -> Json:
    loaded: Json = json.loads(grafana.dashboard())
    return loaded


@pytest.fixture
def rules() -> Json:
    loaded: Json = yaml.safe_load(alerts.grafana_rules())
    return loaded


def dashboards(dashboard: Json) -> dict[str, set[int]]:
    return {dashboard["uid"]: {panel["id"] for panel in linting.panels(dashboard)}}


def panel(dashboard: Json, title: str) -> Json:
    found: Json = next(p for p in dashboard["panels"] if p["title"] == title and p["type"] == "timeseries")
    return found


def test_nothing_is_wrong_with_the_dashboard(dashboard: Json) -> None:
    assert linting.dashboard_problems(dashboard, known()) == []


def test_nothing_is_wrong_with_the_rules(dashboard: Json, rules: Json) -> None:
    assert linting.rules_problems(rules, known(), dashboards(dashboard)) == []


HEADLINES = [kpi for kpi in KPIS if kpi.headline]


def test_every_kpi_has_a_line_and_the_headlines_a_tile_and_a_column(dashboard: Json) -> None:
    for kpi in KPIS:
        shown = [p["type"] for p in linting.panels(dashboard) if p["title"] == kpi.title]
        assert sorted(shown) == (["stat", "timeseries"] if kpi.headline else ["timeseries"])
    table = next(p for p in dashboard["panels"] if p["type"] == "table")
    assert [query["refId"] for query in table["targets"]] == [kpi.name for kpi in HEADLINES]
    assert 4 <= len(HEADLINES) <= 6, "what a supervisor takes in at a glance"


def test_every_exported_kpi_series_is_drawn(dashboard: Json) -> None:
    drawn = {
        name
        for p in linting.panels(dashboard)
        for query in p.get("targets", [])
        for name in linting.metrics(query["expr"])
    }
    wanted = {name for kpi in KPIS for name in naming.names_of(kpi)}
    wanted -= {naming.samples(kpi) for kpi in KPIS if not kpi.headline}  # of the others, lines of queues only
    assert wanted | {naming.samples(kpi) for kpi in HEADLINES if kpi.has_samples} <= drawn


def test_thresholds_turn_green_on_the_better_side(dashboard: Json) -> None:
    by_title = {p["title"]: p for p in dashboard["panels"] if p["type"] == "stat"}
    for kpi in HEADLINES:
        steps = by_title[kpi.title]["fieldConfig"]["defaults"]["thresholds"]["steps"]
        if kpi.target is None:
            assert [step["color"] for step in steps] == [panels.BLUE]
        else:
            base, above = ("red", "green") if kpi.better == "higher" else ("green", "red")
            assert steps == [{"color": base, "value": None}, {"color": above, "value": kpi.targets[""]}]


def test_a_channel_with_its_own_target_has_its_own_thresholds(dashboard: Json) -> None:
    tile = next(p for p in dashboard["panels"] if p["type"] == "stat" and p["title"] == "First response time")
    steps = {
        override["matcher"]["options"]: override["properties"][0]["value"]["steps"][1]["value"]
        for override in tile["fieldConfig"]["overrides"]
    }
    assert steps == {"voice": 20, "chat": 60, "messaging": 60, "email": 3600}


def test_units_are_the_catalogue_s(dashboard: Json) -> None:
    for kpi in HEADLINES:
        assert panel(dashboard, kpi.title)["fieldConfig"]["defaults"]["unit"] == kpi.unit.grafana
    units = {
        p["title"]: p["fieldConfig"]["defaults"]["unit"] for p in linting.panels(dashboard) if "options" in p
    }
    assert {kpi.title: units[kpi.title] for kpi in KPIS} == {kpi.title: kpi.unit.grafana for kpi in KPIS}


def test_ratios_roll_up_by_their_samples(dashboard: Json) -> None:
    tile = next(p for p in dashboard["panels"] if p["type"] == "stat" and p["title"] == "Service level")
    chosen = '{queue=~"$queue",channel=~"$channel",window="$window"}'
    assert tile["targets"][0]["expr"] == (
        f"sum by (channel) (cc_service_level_ratio{chosen} * cc_service_level_samples{chosen})"
        f" / sum by (channel) (cc_service_level_samples{chosen})"
    )


def test_ids_do_not_depend_on_what_else_is_shown() -> None:
    assert panels.panel_id("over time: service_level") == 240387


def test_naming_holds_what_a_worker_exports() -> None:
    families = {family.name: family.type for family in Telemetry().registry.collect()}
    exported = {f"{name}_total" if kind == "counter" else name for name, kind in families.items()}
    assert exported - set(naming.LABELS) == {"stream_app_build"}
    assert {name for name in naming.LABELS if name.startswith("stream_app")} - exported == set()


def test_folder_and_data_source_are_provisioned(rules: Json) -> None:
    provisioning = ROOT / "grafana/provisioning"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    assert [source["uid"] for source in sources] == [alerts.PROMETHEUS_UID]
    providers = yaml.safe_load((provisioning / "dashboards/live-queues.yaml").read_text())["providers"]
    assert {provider["folder"] for provider in providers} == {group["folder"] for group in rules["groups"]}


# --- the linter sees what it says it sees ---


def _set(*path: str | int) -> Callable[[Any], Callable[[Json], None]]:
    """Return what sets the value at a path."""

    def setter(value: Any) -> Callable[[Json], None]:
        def change(document: Any) -> None:
            for step in path[:-1]:
                document = document[step]
            document[path[-1]] = value

        return change

    return setter


TILE = ("panels", 1)
BROKEN_DASHBOARDS: dict[str, tuple[Callable[[Json], None], str]] = {
    "no uid": (_set("uid")(""), "no uid"),
    "id": (_set("id")(7), "an id of one database"),
    "no variable": (_set("templating", "list")([]), "no variable for the data source"),
    "fixed source": (_set(*TILE, "datasource")({"uid": "abc"}), "asks another data source"),
    "fixed source of a query": (
        _set(*TILE, "targets", 0, "datasource")({"uid": "abc"}),
        "asks another data source",
    ),
    "same id": (_set(*TILE, "id")(panels.panel_id("volume")), "two panels have the id"),
    "on another": (_set(*TILE, "gridPos")({"x": 4, "y": 1, "w": 4, "h": 5}), "lies on another"),
    "too wide": (_set(*TILE, "gridPos", "x")(23), "wider than the page"),
    "no unit": (_set(*TILE, "fieldConfig", "defaults", "unit")(""), "no unit"),
    "no description": (_set(*TILE, "description")(""), "no description"),
    "no query": (_set(*TILE, "targets")([]), "no query"),
    "typo": (
        _set(*TILE, "targets", 0, "expr")("cc_service_levle_ratio"),
        "nothing exports cc_service_levle_ratio",
    ),
    "not PromQL": (_set(*TILE, "targets", 0, "expr")("sum(cc_backlog_contacts"), "no PromQL"),
    "label": (_set(*TILE, "targets", 0, "expr")('cc_backlog_contacts{window="5m"}'), "has the label window"),
    "group": (_set(*TILE, "targets", 0, "expr")("sum by (team) (cc_backlog_contacts)"), "has the label team"),
    "override": (
        _set(*TILE, "fieldConfig", "overrides")([panels.target_line("Z")]),
        "an override for Z, which is no query",
    ),
}


@pytest.mark.parametrize("name", BROKEN_DASHBOARDS)
def test_a_broken_dashboard_is_caught(dashboard: Json, name: str) -> None:
    change, expected = BROKEN_DASHBOARDS[name]
    change(dashboard)
    assert any(expected in problem for problem in linting.dashboard_problems(dashboard, known()))


RULE = ("groups", 0, "rules", 0)
BROKEN_RULES: dict[str, tuple[Callable[[Json], None], str]] = {
    "condition": (_set(*RULE, "condition")("D"), "the condition D is no step"),
    "condition is the query": (_set(*RULE, "condition")("A"), "the condition is no threshold"),
    "dangling": (_set(*RULE, "data", 2, "model", "expression")("Z"), "reads Z, which is no step"),
    "names": (_set(*RULE, "data", 1, "refId")("A"), "two steps have one refId"),
    "model": (_set(*RULE, "data", 1, "model", "refId")("X"), "the model is called X"),
    "uid": (_set(*RULE, "uid")("kpis-abandonment"), "two rules have the uid kpis-abandonment"),
    "long uid": (_set(*RULE, "uid")("x" * 41), "more than 40 characters"),
    "metric": (_set(*RULE, "data", 0, "model", "expr")("cc_nothing"), "nothing exports cc_nothing"),
    "range": (_set(*RULE, "data", 0, "relativeTimeRange", "from")(0), "an empty time range"),
    "silent": (_set(*RULE, "execErrState")("OK"), "may fail in silence"),
    "panel": (_set(*RULE, "panelId")(1), "links to a panel that is not there"),
    "dollar": (_set(*RULE, "annotations", "summary")("{{ $labels.queue }}"), "takes a dollar"),
    "runbook": (_set(*RULE, "annotations", "runbook_url")(""), "no runbook_url"),
    "severity": (_set(*RULE, "labels", "severity")(""), "no severity"),
    "folder": (_set("groups", 0, "folder")(""), "no folder"),
}


@pytest.mark.parametrize("name", BROKEN_RULES)
def test_a_broken_rule_is_caught(dashboard: Json, rules: Json, name: str) -> None:
    change, expected = BROKEN_RULES[name]
    broken = copy.deepcopy(rules)
    change(broken)
    assert any(
        expected in problem for problem in linting.rules_problems(broken, known(), dashboards(dashboard))
    )


# --- what the roll-ups say, in Prometheus's own arithmetic ---

TWO_QUEUES = {
    'cc_service_level_ratio{queue="big",channel="voice",window="30m"': "0.9",
    'cc_service_level_samples{queue="big",channel="voice",window="30m"': "198",
    'cc_service_level_ratio{queue="small",channel="voice",window="30m"': "0.4",
    'cc_service_level_samples{queue="small",channel="voice",window="30m"': "2",
    # Nobody called: samples, but nothing to divide.
    'cc_service_level_samples{queue="empty",channel="voice",window="30m"': "0",
    'cc_service_level_ratio{queue="mail",channel="email",window="30m"': "0.5",
    'cc_service_level_samples{queue="mail",channel="email",window="30m"': "10",
    'cc_backlog_contacts{queue="big",channel="voice"': "7",
    'cc_backlog_contacts{queue="small",channel="voice"': "1",
    'cc_oldest_waiting_seconds{queue="big",channel="voice"': "30",
    'cc_oldest_waiting_seconds{queue="small",channel="voice"': "90",
}


@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("service_level", {"voice": 0.895, "email": 0.5}),
        ("backlog", {"voice": 8}),
        ("oldest_waiting", {"voice": 90}),
    ],
)
def test_roll_ups(tmp_path: Path, name: str, expected: dict[str, float], replicas: int) -> None:
    expression = grafana.rolled_up(BY_NAME[name]).replace("$window", "30m")
    for variable in ("$queue", "$channel"):
        expression = expression.replace(variable, ".*")
    document = {
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": f'{series},instance="{replica}"}}', "values": f"{value}x5"}
                    for series, value in TWO_QUEUES.items()
                    for replica in range(replicas)
                ],
                "promql_expr_test": [
                    {
                        "expr": f"round({expression}, 0.000001)",
                        "eval_time": "3m",
                        "exp_samples": [
                            {"labels": f'{{channel="{channel}"}}', "value": value}
                            for channel, value in expected.items()
                        ],
                    }
                ],
            }
        ]
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(document))
    promtool("test", "rules", path)
