"""The dashboards, and the linter that guards it: shown on broken ones to see what it says it sees."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from stream_app.model.kpis import BY_NAME, HEADLINES, KPIS
from stream_app.telemetry import Telemetry
from stream_app.views import naming, places
from stream_app.views.alerts.grafana import FOLDER, PROMETHEUS_UID
from stream_app.views.dashboards import DASHBOARDS, panels, queries
from stream_app.views.dashboards.kpis import titled
from tests.services.prometheus import promtool
from tests.views.dashboards import linting
from tests.views.dashboards.breaking import set_at
from tests.views.dashboards.exported import known

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]


@pytest.fixture
def dashboards() -> dict[str, Json]:
    return {uid: json.loads(render()) for uid, render in DASHBOARDS.items()}


@pytest.fixture
def live(dashboards: dict[str, Json]) -> Json:
    return dashboards[places.LIVE]


def every_panel(dashboards: dict[str, Json]) -> Iterator[Any]:
    return (panel for dashboard in dashboards.values() for panel in linting.panels(dashboard))


def test_nothing_is_wrong_with_the_dashboards(dashboards: dict[str, Json]) -> None:
    assert linting.problems(dashboards, known()) == []


def test_they_are_called_as_links_and_files_call_them(dashboards: dict[str, Json]) -> None:
    assert {uid: dashboard["title"] for uid, dashboard in dashboards.items()} == places.TITLES
    assert all(dashboard["uid"] == uid for uid, dashboard in dashboards.items())
    files = {path.stem: json.loads(path.read_text()) for path in (ROOT / "grafana/dashboards").iterdir()}
    assert files == dashboards


# --- the official types ---

OLDER = {".tooltip.show"}
"""What Grafana 9.4 reads of a heat map and newer ones turn into something else."""


def lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Paths of what the official types don't know, or took for something else."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            yield from lost(value, theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from lost(one, other, path)
    elif ours != theirs and not any(path.endswith(known_to_older) for known_to_older in OLDER):
        yield f"{path}: {ours!r}, read as {theirs!r}"


def there_and_back(dashboard: Json) -> Json:
    plugins.register_default_plugins()
    read = Dashboard.from_json(copy.deepcopy(dashboard))
    written: Json = json.loads(JSONEncoder().encode(read))
    return written


@pytest.mark.parametrize("uid", DASHBOARDS)
def test_grafana_s_official_types_read_all_of_it(dashboards: dict[str, Json], uid: str) -> None:
    assert list(lost(dashboards[uid], there_and_back(dashboards[uid]))) == []


MISSPELT: dict[str, Callable[[Json], None]] = {
    "a field of the dashboard": lambda d: d.update(refersh="10s"),
    "a field of a panel": lambda d: d["panels"][1].update(gridpos={}),
    "an option": lambda d: d["panels"][1]["options"].update(graphmode="area"),
    "a field of a query": lambda d: d["panels"][1]["targets"][0].update(legend="x"),
    "a field of a variable": lambda d: d["templating"]["list"][1].update(multiple=True),
}


@pytest.mark.parametrize("name", MISSPELT)
def test_what_the_official_types_do_not_know_is_caught(live: Json, name: str) -> None:
    MISSPELT[name](live)
    assert list(lost(live, there_and_back(live)))


# --- what is on them ---


def test_every_kpi_has_a_line_on_its_dashboard(dashboards: dict[str, Json]) -> None:
    for kpi in KPIS:
        uid, panel_id = places.over_time(kpi)
        (panel,) = (p for p in linting.panels(dashboards[uid]) if p["id"] == panel_id)
        assert panel["title"] == titled(kpi)
        assert panel["fieldConfig"]["defaults"]["unit"] == kpi.unit.grafana
        assert kpi.doc in panel["description"]
        assert kpi.misleads in panel["description"]


def test_every_exported_series_is_drawn(dashboards: dict[str, Json]) -> None:
    drawn = {
        name
        for panel in every_panel(dashboards)
        for query in panel.get("targets", [])
        for name in linting.metrics(query["expr"])
    }
    # Of KPIs that are shown queue by queue only, what they rest on is not; nor is a target without a default.
    unseen = {naming.samples(kpi) for kpi in KPIS} | {naming.target(kpi) for kpi in KPIS if not kpi.targets}
    assert set(naming.every_name()) - drawn - unseen == {naming.APPLY}  # its buckets are


def test_a_supervisor_sees_six_numbers_against_target_for_each_queue(live: Json) -> None:
    assert 4 <= len(HEADLINES) <= 6
    (table,) = (p for p in live["panels"] if p["type"] == "table")
    shown = [query["refId"] for query in table["targets"]]
    judged = [f"{kpi.name}_margin" for kpi in HEADLINES if kpi.targets]
    assert shown == [kpi.name for kpi in HEADLINES] + judged + ["open"]
    for kpi in HEADLINES:
        if kpi.targets:
            value, target = naming.value(kpi), naming.target(kpi)
            first, second = (value, target) if kpi.better == "higher" else (target, value)
            expression = queries.margin(kpi)
            assert expression.index(first) < expression.index(second)


def test_speed_is_never_without_what_it_can_ruin(dashboards: dict[str, Json]) -> None:
    """On the dashboard of quality a KPI of speed stands in one line with its pairs."""
    shown = [p for p in linting.panels(dashboards[places.QUALITY]) if p["type"] == "timeseries"]
    for name in ("handle_time", "average_response", "transfer"):
        kpi = BY_NAME[name]
        (mine,) = (p for p in shown if p["id"] == places.panel_id(f"over time: {name} beside its pairs"))
        line = [p["title"] for p in shown if p["gridPos"]["y"] == mine["gridPos"]["y"]]
        assert line == [titled(kpi), *(titled(BY_NAME[other]) for other in kpi.pairs)]


def test_thresholds_turn_green_on_the_better_side(live: Json) -> None:
    by_title = {p["title"]: p for p in live["panels"] if p["type"] == "stat"}
    for kpi in HEADLINES:
        steps = by_title[kpi.title]["fieldConfig"]["defaults"]["thresholds"]["steps"]
        if kpi.target is None:
            assert [step["color"] for step in steps] == [panels.BLUE]
        else:
            base, above = ("red", "green") if kpi.better == "higher" else ("green", "red")
            assert steps == [{"color": base, "value": None}, {"color": above, "value": kpi.targets[""]}]


def test_a_channel_with_its_own_target_has_its_own_thresholds(live: Json) -> None:
    tile = next(p for p in live["panels"] if p["type"] == "stat" and p["title"] == "First response time")
    steps = {
        override["matcher"]["options"]: override["properties"][0]["value"]["steps"][1]["value"]
        for override in tile["fieldConfig"]["overrides"]
    }
    assert steps == {"voice": 20, "chat": 60, "messaging": 60, "email": 3600}


def test_ids_do_not_depend_on_what_else_is_shown() -> None:
    assert places.panel_id("over time: service_level") == 240387


def test_naming_holds_what_a_worker_exports() -> None:
    families = {family.name: family.type for family in Telemetry().registry.collect()}
    exported = {f"{name}_total" if kind == "counter" else name for name, kind in families.items()}
    assert exported - set(naming.LABELS) == {"stream_app_build"}
    assert {name for name in naming.LABELS if name.startswith("stream_app")} - exported == set()


def test_folder_and_data_source_are_provisioned() -> None:
    provisioning = ROOT / "grafana/provisioning"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    assert [source["uid"] for source in sources] == [PROMETHEUS_UID]
    providers = yaml.safe_load((provisioning / "dashboards/contact-centre.yaml").read_text())["providers"]
    assert {provider["folder"] for provider in providers} == {FOLDER}


# --- the linter sees what it says it sees ---


TILE = ("panels", 1)
BROKEN_DASHBOARDS: dict[str, tuple[Callable[[Json], None], str]] = {
    "no uid": (set_at("uid")(""), "no uid"),
    "id": (set_at("id")(7), "an id of one database"),
    "no variable": (set_at("templating", "list")([]), "no variable for the data source"),
    "fixed source": (set_at(*TILE, "datasource")({"uid": "abc"}), "asks another data source"),
    "fixed source of a query": (
        set_at(*TILE, "targets", 0, "datasource")({"uid": "abc"}),
        "asks another data source",
    ),
    "same id": (set_at(*TILE, "id")(places.panel_id("volume")), "two panels have the id"),
    "on another": (set_at(*TILE, "gridPos")({"x": 4, "y": 1, "w": 4, "h": 5}), "lies on another"),
    "too wide": (set_at(*TILE, "gridPos", "x")(23), "wider than the page"),
    "no unit": (set_at(*TILE, "fieldConfig", "defaults", "unit")(""), "no unit"),
    "no description": (set_at(*TILE, "description")(""), "no description"),
    "no query": (set_at(*TILE, "targets")([]), "no query"),
    "typo": (
        set_at(*TILE, "targets", 0, "expr")("cc_service_levle_ratio"),
        "nothing exports cc_service_levle_ratio",
    ),
    "not PromQL": (set_at(*TILE, "targets", 0, "expr")("sum(cc_backlog_contacts"), "no PromQL"),
    "label": (
        set_at(*TILE, "targets", 0, "expr")('cc_backlog_contacts{window="5m"}'),
        "has the label window",
    ),
    "group": (
        set_at(*TILE, "targets", 0, "expr")("sum by (team) (cc_backlog_contacts)"),
        "has the label team",
    ),
    "rate over one scrape": (
        set_at(*TILE, "targets", 0, "expr")("rate(cc_contacts_offered_total[15s])"),
        "a range of 15 s holds less than two scrapes",
    ),
    "same uid": (set_at("uid")(places.PIPELINE), f"two dashboards have the uid {places.PIPELINE}"),
    "same title": (set_at("title")("Pipeline health"), "two dashboards have the title Pipeline health"),
    "no links": (set_at("links")([]), "no link to the others"),
    "link to nowhere": (
        set_at(*TILE, "fieldConfig", "defaults", "links")([{"title": "x", "url": "/d/nowhere?a=b"}]),
        "a link to nowhere, which is no dashboard",
    ),
    "unknown variable": (
        set_at(*TILE, "targets", 0, "expr")('cc_backlog_contacts{queue=~"$team"}'),
        "a query uses the variable team, which is not there",
    ),
    "idle variable": (
        lambda d: d["templating"]["list"].append({"name": "team", "type": "query"}),
        "nothing uses the variable team",
    ),
    "heat map with another legend": (
        lambda d: d["panels"][1].update(type="heatmap"),
        "buckets sort wrongly without the format heatmap and the legend {{le}}",
    ),
    "override": (
        set_at(*TILE, "fieldConfig", "overrides")([panels.target_line("Z")]),
        "an override for Z, which is no query",
    ),
}


@pytest.mark.parametrize("name", BROKEN_DASHBOARDS)
def test_a_broken_dashboard_is_caught(dashboards: dict[str, Json], name: str) -> None:
    change, expected = BROKEN_DASHBOARDS[name]
    change(dashboards[places.LIVE])
    assert any(expected in problem for problem in linting.problems(dashboards, known()))


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
    'cc_queue_info{queue="big",channel="voice",site="Leeds",partner="false",unit="retail"': "1",
    'cc_queue_info{queue="small",channel="voice",site="",partner="false",unit=""': "1",
    'cc_queue_info{queue="empty",channel="voice",site="",partner="false",unit=""': "1",
    'cc_queue_info{queue="mail",channel="email",site="Leeds",partner="false",unit=""': "1",
}


def gap_of(dashboards: dict[str, Json], title: str) -> str:
    (panel,) = (
        p for p in dashboards[places.PLANNING]["panels"] if (p["title"], p["type"]) == (title, "timeseries")
    )
    expression: str = panel["targets"][0]["expr"]
    for variable in ("$queue", "$channel", "$site"):
        expression = expression.replace(variable, ".*")
    return expression


def test_the_gap_is_scheduled_less_required_where_both_are_known(
    tmp_path: Path, dashboards: dict[str, Json]
) -> None:
    info = 'cc_queue_info{queue="QUEUE",channel="voice",site="",partner="false",unit=""}'
    shown = {
        'cc_required_agents{queue="big",channel="voice"}': 20,
        'cc_staffed_agents{queue="big",channel="voice"}': 17.5,
        'cc_required_agents{queue="small",channel="voice"}': 2,
        **{info.replace("QUEUE", queue): 1 for queue in ("big", "small")},
    }
    told = {"labels": '{queue="big",channel="voice"}', "value": -2.5}
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": f"{value}x5"} for series, value in shown.items()],
        "promql_expr_test": [{"expr": gap_of(dashboards, "Gap"), "eval_time": "3m", "exp_samples": [told]}],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"tests": [test]}))
    promtool("test", "rules", path)


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
    expression = queries.rolled_up(BY_NAME[name]).replace("$window", "30m")
    for variable in ("$queue", "$channel", "$site"):
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
