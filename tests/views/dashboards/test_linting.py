"""The linters of dashboards, shown on broken ones: each sees what it says it sees."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stream_app.model.kpis import BY_NAME
from stream_app.views import links, naming
from stream_app.views.dashboards import DASHBOARDS, kpis, look, queries
from tests.views.dashboards import linting
from tests.views.dashboards.breaking import set_at
from tests.views.dashboards.exported import known

Json = dict[str, Any]
RENDERED = {uid: render() for uid, render in DASHBOARDS.items()}


@pytest.fixture
def dashboards() -> dict[str, Json]:
    return {uid: json.loads(text) for uid, text in RENDERED.items()}


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
    "same id": (set_at(*TILE, "id")(links.panel_id("volume")), "two panels have the id"),
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
    "same uid": (set_at("uid")(links.PIPELINE), f"two dashboards have the uid {links.PIPELINE}"),
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
        set_at(*TILE, "fieldConfig", "overrides")([look.target_line("Z")]),
        "an override for Z, which is no query",
    ),
}


@pytest.mark.parametrize("name", BROKEN_DASHBOARDS)
def test_a_broken_dashboard_is_caught(dashboards: dict[str, Json], name: str) -> None:
    change, expected = BROKEN_DASHBOARDS[name]
    change(dashboards[links.LIVE])
    assert any(expected in problem for problem in linting.problems(dashboards, known()))


def the(change: Callable[[Json], object], **wanted: str) -> Callable[[Json], None]:
    """Change the first panel with this title, type or ``expr`` (a part of its first query)."""

    def changing(dashboard: Json) -> None:
        for panel in linting.panels(dashboard):
            told = {**panel, "expr": (panel.get("targets") or [{"expr": ""}])[0]["expr"]}
            if all(text in told.get(name, "") for name, text in wanted.items()):
                change(panel)  # type: ignore[arg-type]
                return
        raise AssertionError(f"no panel has {wanted}")

    return changing


def default(**values: Any) -> Callable[[Json], None]:
    """Set defaults of a panel's fields; a double underscore in a name means a dot."""

    def change(panel: Json) -> None:
        for name, value in values.items():
            set_at("fieldConfig", "defaults", *name.split("__"))(value)(panel)

    return change


def without(*path: str | int) -> Callable[[Json], None]:
    """Remove what is at a path."""

    def change(panel: Any) -> None:
        for step in path[:-1]:
            panel = panel[step]
        del panel[path[-1]]

    return change


def replaced(by: Json) -> Callable[[Json], None]:
    """Put another panel in its place."""
    return lambda p: p.update({**by, "gridPos": p["gridPos"]})


def event(name: str, **values: Any) -> Callable[[Json], None]:
    """Change the annotation with this name."""
    return lambda d: next(e for e in d["annotations"]["list"] if e["name"] == name).update(values)


def added(**values: Any) -> Callable[[Json], None]:
    """Add an override for the first query."""
    return lambda p: p["fieldConfig"]["overrides"].append(look.override("byFrameRefID", "A", **values))


CHART = {"title": "Abandonment rate", "type": "timeseries"}
WAITS = {"title": "Oldest waiting, share of target", "type": "bargauge"}
AGE = {"title": "Age of the data"}
QUEUES = {"title": "Queues"}
FIRST_LINK = ("fieldConfig", "defaults", "links", 0, "url")
HANDLED = BY_NAME["handle_time"]

MISLEADING: dict[str, tuple[Callable[[Json], None], str] | tuple[Callable[[Json], None], str, str]] = {
    "a series in a tile": (the(set_at("targets", 0, "range")(True), type="stat"), "ask for an instant"),
    "a series in bars": (the(set_at("targets", 0, "instant")(False), **WAITS), "ask for an instant"),
    "a trend": (the(set_at("options", "graphMode")("area"), type="stat"), "a tile with a trend"),
    "no mapping": (the(default(mappings=[]), type="stat"), "map null and nan to grey"),
    "a red mapping": (the(default(mappings=look.no_value("red")), **CHART), "map null and nan to grey"),
    "an override without it": (the(added(mappings=[]), **QUEUES), "map null and nan to grey"),
    "an empty chart": (the(default(noValue="—"), **CHART), "neither none nor not known"),
    "an empty tile": (the(default(noValue="0"), type="stat"), "an empty tile is not a dash"),
    "no way to get it": (
        the(default(noValue="Not known."), title="Gap", type="timeseries"),
        "does not say how to get cc_required_agents, cc_staffed_agents",
        links.PLANNING,
    ),
    "no way to get costs": (
        the(set_at("description")("What it costs."), title="Cost per contact, today"),
        "does not say how to get cc_cost_per_contact_amount",
        links.BUSINESS,
    ),
    "stale as fresh": (
        the(set_at("targets", 0, "expr")("sum(cc_backlog_contacts)"), **CHART),
        "shows stale numbers as if they were fresh",
    ),
    "a link to any queue": (
        the(set_at(*FIRST_LINK)("/d/queue-in-depth?var-channel=voice&${__url_time_range}"), **CHART),
        "a link that forgets the queue",
    ),
    "a link to any channel": (
        the(set_at(*FIRST_LINK)("/d/queue-in-depth?var-queue=a&${__url_time_range}"), **CHART),
        "a link that forgets the channel",
    ),
    "a link to another time": (
        the(set_at(*FIRST_LINK)("/d/queue-in-depth?var-queue=a&var-channel=b"), **CHART),
        "a link that forgets the time",
    ),
    "a link that breaks": (
        the(set_at(*FIRST_LINK)("/d/queue-in-depth?var-queue=${__field.labels.queue}"), **CHART),
        "percentencode it",
    ),
    "a link that takes along what is not there": (
        the(set_at(*FIRST_LINK)("/d/live-queues?${team:queryparam}"), **CHART),
        "a link takes along the variable team, which is not there",
    ),
    "no link": (the(without("fieldConfig", "defaults", "links"), **CHART), "no link leads to them"),
    "no link of a table": (
        the(lambda p: p["fieldConfig"]["overrides"].pop(), **QUEUES),
        "no link leads to them",
    ),
    "1 K": (the(default(unit="short"), type="stat"), "the unit short makes 1 K of 1,024"),
    "equal ticks": (the(default(decimals=0), **CHART), "neighbouring ticks of an axis equal"),
    "effort 0": (
        the(default(decimals=0), title="Customer effort", type="stat"),
        "Customer effort without decimals says nothing",
        links.QUALITY,
    ),
    "6 min": (
        the(default(unit="s"), title="Average handle time", type="stat"),
        "minutes and seconds are read as 6:12",
    ),
    "a small ratio": (the(default(max=1), **CHART), "a small ratio on an axis to 100 %"),
    "zeros to 100": (
        the(without("fieldConfig", "defaults", "custom", "axisSoftMax"), **CHART),
        "zeros are drawn on an axis to 100",
    ),
    "email beside calls": (
        the(replaced(kpis.over_time(HANDLED)), title="Average handle time, share of target"),
        "channels with different targets for Average handle time on one axis",
    ),
    "percentiles of email beside calls": (
        the(replaced(kpis.percentiles(HANDLED)), title="Average handle time, share of target"),
        "channels with different targets for Average handle time on one axis",
    ),
    "colours by position": (
        the(default(color={"mode": "palette-classic"}), **CHART),
        "colours by position",
    ),
    "one orange": (the(added(color={"mode": "fixed", "fixedColor": "orange"}), **CHART), "a fixed colour"),
    "two names": (
        the(set_at("targets", 1, "legendFormat")("target {{queue}}"), **CHART),
        "two colours, for one queue",
    ),
    "a thick target": (
        the(lambda p: p["fieldConfig"]["overrides"].clear(), **CHART),
        "a target's line as thick as the values'",
    ),
    "a bar without a name": (
        the(without("fieldConfig", "defaults", "displayName"), **WAITS),
        "a bar that is alone has no name",
    ),
    "huge bars": (
        the(set_at("options", "maxVizHeight")(300), **WAITS),
        "two bars fill the panel",
    ),
    "waits as text": (
        the(set_at("targets", 0, "format")("time_series"), title="Abandoned today", type="bargauge"),
        "waits are sorted as text",
        links.QUEUE,
    ),
    "a tile without a name": (
        the(set_at("options", "textMode")("auto"), type="stat"),
        "show value and name",
    ),
    "Value": (
        the(
            set_at("targets", 0, "expr")(f"sum by (site) ({naming.QUEUE_INFO})"),
            title="Service level by site",
        ),
        "a line without a site is called Value",
        links.BUSINESS,
    ),
    "wide columns": (
        the(default(custom__minWidth=150), **QUEUES),
        "columns off the screen at 1920 pixels",
    ),
    "a long head": (
        the(
            lambda p: p["transformations"][-1]["options"]["renameByName"].update(
                queue="Queue or skill group"
            ),
            **QUEUES,
        ),
        "the head 'Queue or skill group' is cut",
    ),
    "the worst last": (
        the(set_at("options", "sortBy")([]), **QUEUES),
        "the worst queue is not first",
    ),
    "a sum that hides": (
        the(
            set_at("targets", 0, "expr")("sum(cc_staffed_agents - cc_required_agents)"), title="Agents short"
        ),
        "add up shortfalls only",
        links.PLANNING,
    ),
    "a default target": (
        the(
            lambda p: p.update(targets=[p["targets"][0] | {"expr": queries.rolled_up(HANDLED)}]),
            title="Average handle time",
            type="stat",
        ),
        "is judged by the default target, whatever is set",
    ),
    "a long title": (the(set_at("gridPos", "w")(2), **AGE), "the title 'Age of the data' is cut"),
    "a small age": (the(set_at("gridPos", "w")(5), **AGE), "no large tile in the first line says how old"),
    "no age": (lambda d: d["panels"].remove(d["panels"][4]), "no large tile in the first line says how old"),
    "other limits": (
        the(set_at("fieldConfig", "defaults", "thresholds", "steps", 1, "value")(10), **AGE),
        "elsewhere than at our limits",
    ),
    "no trust": (lambda d: d["panels"].remove(d["panels"][5]), "no tile in the first line says whether"),
    "a hole": (lambda d: d["panels"].remove(d["panels"][6]), "a hole in the line of"),
    "a ragged line": (
        the(set_at("gridPos", "h")(4), type="stat"),
        "different heights in the line of Backlog",
    ),
    "twice": (
        the(
            lambda p: p.update(targets=kpis.over_time(BY_NAME["abandonment"])["targets"]),
            title="Backlog",
            type="timeseries",
        ),
        f"drawn 2 times: {queries.by_queue(BY_NAME['abandonment'])}",
    ),
    "alerts of any queue": (
        lambda d: d["annotations"]["list"].pop(0),
        "show the alerts of queues that are not shown",
    ),
    "alerts of no queue": (
        event("Alerts of the chosen queues", expr="cc_ready"),
        "no annotation has the alerts of the queues that are shown",
    ),
    "no outages": (event("Outages of the data", enable=False), "no annotation shows outages of the data"),
    "no targets": (event("New targets", expr="cc_ready"), "no annotation shows new targets"),
    "no rebuilds": (event("Rebuilds", expr="cc_ready"), "no annotation shows rebuilds"),
    "an annotation with a typo": (
        event("Rebuilds", expr="resets(cc_record_total[$__rate_interval])"),
        "nothing exports cc_record_total",
    ),
    "an annotation of another source": (
        event("Rebuilds", datasource={"type": "prometheus", "uid": "abc"}),
        "Rebuilds: asks another data source",
    ),
}


@pytest.mark.parametrize("name", MISLEADING)
def test_a_misleading_dashboard_is_caught(dashboards: dict[str, Json], name: str) -> None:
    change, expected, *elsewhere = MISLEADING[name]
    change(dashboards[elsewhere[0] if elsewhere else links.LIVE])
    assert any(expected in problem for problem in linting.problems(dashboards, known()))
