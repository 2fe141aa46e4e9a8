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

from stream_app.ledger.telemetry import LedgerTelemetry
from stream_app.model.kpis import BY_NAME, HEADLINES, KPIS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.settings import Settings
from stream_app.telemetry import Telemetry
from stream_app.views import links, naming
from stream_app.views.alerts.grafana import FOLDER, PROMETHEUS_UID
from stream_app.views.dashboards import DASHBOARDS, common, quality, queries
from stream_app.views.dashboards.kpis import titled
from tests.views.dashboards import linting, reading
from tests.views.dashboards.exported import known

ROOT = Path(__file__).parents[3]
Json = dict[str, Any]


RENDERED = {uid: render() for uid, render in DASHBOARDS.items()}


@pytest.fixture
def dashboards() -> dict[str, Json]:
    return {uid: json.loads(text) for uid, text in RENDERED.items()}


@pytest.fixture
def live(dashboards: dict[str, Json]) -> Json:
    return dashboards[links.LIVE]


def every_panel(dashboards: dict[str, Json]) -> Iterator[Any]:
    return (panel for dashboard in dashboards.values() for panel in linting.panels(dashboard))


def test_nothing_is_wrong_with_the_dashboards(dashboards: dict[str, Json]) -> None:
    assert linting.problems(dashboards, known()) == []


def test_they_are_called_as_links_and_files_call_them(dashboards: dict[str, Json]) -> None:
    assert {uid: dashboard["title"] for uid, dashboard in dashboards.items()} == links.TITLES
    assert all(dashboard["uid"] == uid for uid, dashboard in dashboards.items())
    files = {path.stem: json.loads(path.read_text()) for path in (ROOT / "grafana/dashboards").iterdir()}
    assert files == dashboards


# --- the official types ---

UNTYPED = {
    # What Grafana 10.0 and older read of a heat map; newer ones turn it into something else.
    ".tooltip.show",
    # What the Prometheus data source reads of an annotation: the types know the fields of other sources only.
    *(f".annotations.list.{name}" for name in ("step", "titleFormat", "textFormat", "tagKeys")),
}
"""What the official types leave out although Grafana reads it."""


def lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Paths of what the official types don't know, or took for something else."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            yield from lost(value, theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from lost(one, other, path)
    elif ours != theirs and not any(path.endswith(read) for read in UNTYPED):
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
        mine = links.panel_id(f"over time: {kpi.name}")
        (panel,) = (p for p in linting.panels(dashboards[links.home(kpi)]) if p["id"] == mine)
        assert panel["title"] == titled(kpi)
        assert panel["fieldConfig"]["defaults"]["unit"] == kpi.unit.grafana
        assert kpi.doc in panel["description"]
        assert kpi.misleads in panel["description"]


def test_an_alert_belongs_to_a_chart_of_every_queue(dashboards: dict[str, Json]) -> None:
    """Its heart is of any queue: beside the numbers of one queue it would be taken for that queue's."""
    for kpi in KPIS:
        if kpi.alerts:
            uid, mine = links.over_time(kpi)
            (panel,) = (p for p in linting.panels(dashboards[uid]) if p["id"] == mine)
            assert reading.is_many(dashboards[uid])
            assert naming.value(kpi) in linting.metrics(panel["targets"][0]["expr"])


def test_every_exported_series_is_drawn(dashboards: dict[str, Json]) -> None:
    drawn = {
        name
        for panel in every_panel(dashboards)
        for query in panel.get("targets", [])
        for name in linting.metrics(query["expr"])
    }
    drawn |= {
        name
        for dashboard in dashboards.values()
        for event in dashboard["annotations"]["list"]
        for name in reading.names(event.get("expr", ""))
    }
    # Of KPIs that are shown queue by queue only, what they rest on is not; nor is a target without a default.
    unseen = {naming.samples(kpi) for kpi in KPIS} | {naming.target(kpi) for kpi in KPIS if not kpi.targets}
    unseen |= {naming.ledger_samples(kpi) for kpi in FROM_LEDGER} | {
        naming.settled_samples(kpi) for kpi in FROM_LEDGER
    }
    unseen |= {naming.ledger_target(kpi) for kpi in FROM_LEDGER if kpi.target is None}
    assert set(naming.every_name()) - drawn - unseen == {naming.APPLY}  # its buckets are


def test_a_supervisor_sees_six_numbers_against_target_for_each_queue(live: Json) -> None:
    assert 4 <= len(HEADLINES) <= 6
    (table,) = (p for p in live["panels"] if p["type"] == "table")
    shown = {query["refId"]: query["expr"] for query in table["targets"]}
    assert shown.keys() >= {kpi.name for kpi in HEADLINES}
    for kpi in HEADLINES:
        assert (f"{kpi.name}_margin" in shown) == bool(kpi.targets)
        if kpi.targets:
            value, target = naming.value(kpi), naming.target(kpi)
            first, second = (
                (target, value) if shown[f"{kpi.name}_margin"] == queries.margin(kpi) else (value, target)
            )
            if kpi.better == "higher":
                first, second = second, first
            expression = shown[f"{kpi.name}_margin"]
            assert expression.index(first) < expression.index(second)


def test_people_s_questions_come_first(dashboards: dict[str, Json]) -> None:
    """Who is waiting, for how long, which queues are off target, is the data true: the first line of the first dashboard."""
    first = [p["title"] for p in dashboards[links.LIVE]["panels"] if p["gridPos"]["y"] == 1]
    waiting = [BY_NAME[name].title for name in ("backlog", "oldest_waiting")]
    assert first == [*waiting, "Off target", "Age of the data", "Numbers"]


def test_speed_is_never_without_what_it_can_ruin(dashboards: dict[str, Json]) -> None:
    """On the dashboard of quality KPIs of speed stand in one row with their pairs, and each KPI is drawn once."""
    below: dict[str, list[str]] = {}
    for panel in dashboards[links.QUALITY]["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        elif panel["type"] == "timeseries":
            below.setdefault(row, []).append(panel["title"].removesuffix(", share of target"))
    together = below["Speed, and what it can ruin"]
    assert sorted(together) == sorted(titled(BY_NAME[name]) for name in quality.SPEED)
    for name in ("handle_time", "average_response", "transfer"):
        pairs = {titled(BY_NAME[other]) for other in BY_NAME[name].pairs} - {
            titled(BY_NAME["first_response_business"])
        }
        assert {titled(BY_NAME[name]), *pairs} <= {*together}
    drawn = [title for titles in below.values() for title in titles]
    assert len(drawn) == len(set(drawn))


def test_a_tile_has_the_colours_of_its_verdicts(live: Json) -> None:
    by_title = {p["title"].removesuffix(", $window"): p for p in live["panels"] if p["type"] == "stat"}
    for kpi in HEADLINES:
        panel = by_title[kpi.title]
        expressions = {query["refId"]: query["expr"] for query in panel["targets"]}
        colours = {
            expressions[override["matcher"]["options"]]: override["properties"][0]["value"]["fixedColor"]
            for override in panel["fieldConfig"]["overrides"]
        }
        missed, met, free = queries.judged(kpi).values()
        assert colours == {missed: "red" if kpi.leading else "orange", met: "green", free: "blue"}


def test_the_age_turns_amber_where_serve_calls_it_stale() -> None:
    assert Settings.model_fields["max_age_s"].default == common.MAX_AGE_S


def test_ids_do_not_depend_on_what_else_is_shown() -> None:
    assert links.panel_id("over time: service_level") == 240387


def test_naming_holds_what_a_worker_exports_and_what_is_drawn_of_the_ledger() -> None:
    def exported(telemetry: Telemetry | LedgerTelemetry) -> set[str]:
        families = {family.name: family.type for family in telemetry.registry.collect()}
        return {f"{name}_total" if kind == "counter" else name for name, kind in families.items()}

    worker, writer = exported(Telemetry()), exported(LedgerTelemetry())
    assert worker - set(naming.LABELS) == {"stream_app_build"}
    assert {name for name in naming.LABELS if name.startswith("stream_app")} - worker - writer == set()


def test_folder_and_data_source_are_provisioned() -> None:
    provisioning = ROOT / "grafana/provisioning"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    assert [source["uid"] for source in sources] == [PROMETHEUS_UID]
    providers = yaml.safe_load((provisioning / "dashboards/contact-centre.yaml").read_text())["providers"]
    assert {provider["folder"] for provider in providers} == {FOLDER}
