"""What is wrong with dashboards, before Grafana says it to someone on a wall; ``rules`` of the alerts stand beside."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import promql_parser

from . import boards, reading

Json = Mapping[str, Any]
KEPT_BY_SCRAPING = {"le", "job", "instance", "week", "alert"}
"""Labels that no metric of ours has: of histograms, of scraping, and those that our own queries make."""
SCRAPE = timedelta(seconds=10)


@cache
def metrics(expression: str) -> set[str]:
    """Names of the series that a PromQL expression reads. ValueError if it can't be parsed."""
    names: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            names.add(node.name)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return names


@cache
def labels(expression: str) -> set[str]:
    """Labels that it selects, groups or joins by."""
    names: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            names.update(matcher.name for matcher in node.matchers.matchers)
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            names.update(node.modifier.labels)
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier and node.modifier.matching:
            names.update(node.modifier.matching.labels)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return names


def query_problems(where: str, expression: str, known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """``known`` is metric → labels."""
    try:
        used = metrics(expression)
    except ValueError as error:
        yield f"{where}: no PromQL: {error}"
        return
    yield from (f"{where}: nothing exports {name}" for name in sorted(used - known.keys()))
    allowed = {label for name in used & known.keys() for label in known[name]} | KEPT_BY_SCRAPING
    yield from (
        f"{where}: no metric in it has the label {name}" for name in sorted(labels(expression) - allowed)
    )
    yield from (
        f"{where}: a range of {span.total_seconds():g} s holds less than two scrapes"
        for span in ranges(expression)
        if span < 2 * SCRAPE
    )


@cache
def ranges(expression: str) -> set[timedelta]:
    """The ranges over which it computes rates and the like."""
    found: set[timedelta] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            found.add(node.range)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel, those inside of collapsed rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def problems(dashboards: Mapping[str, Json], known: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return one line for each thing that is wrong. ``dashboards`` is name of the file → content."""
    found: list[str] = []
    for key in ("uid", "title"):
        seen = Counter(dashboard.get(key) for dashboard in dashboards.values())
        found += [f"two dashboards have the {key} {value}" for value, n in seen.items() if n > 1]
    for name, dashboard in dashboards.items():
        own = [*_shell_problems(dashboard), *_link_problems(dashboard, dashboards)]
        own += [p for panel in panels(dashboard) for p in _panel_problems(panel, known)]
        many = reading.is_many(dashboard)
        shown = [panel for panel in panels(dashboard) if panel["type"] != "row"]
        own += [p for panel in shown for p in reading.problems(panel, many=many)]
        own += [*boards.problems(dashboard), *_annotation_problems(dashboard, known)]
        found += [f"{name}: {problem}" for problem in own]
    return found


def _annotation_problems(dashboard: Json, known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for event in dashboard["annotations"]["list"]:
        if "expr" not in event:
            continue
        if event["datasource"]["uid"] != "${datasource}":
            yield f"{event['name']}: asks another data source than the variable's"
        yield from query_problems(event["name"], event["expr"].replace("$__rate_interval", "1m"), known)


def _link_problems(dashboard: Json, dashboards: Mapping[str, Json]) -> Iterator[str]:
    uids = {other.get("uid") for other in dashboards.values()}
    if not any(
        link["type"] == "dashboards" and set(link["tags"]) <= set(dashboard["tags"])
        for link in dashboard["links"]
    ):
        yield "no link to the others"
    for uid in re.findall(r'"/d/([\w-]+)', repr(dashboard).replace("'", '"')):
        if uid not in uids:
            yield f"a link to {uid}, which is no dashboard"


def _shell_problems(dashboard: Json) -> Iterator[str]:
    if not dashboard.get("uid"):
        yield "no uid: links to it break when it is provisioned again"
    if dashboard.get("id") is not None:
        yield "an id of one database"
    sources = [v for v in dashboard["templating"]["list"] if v["type"] == "datasource"]
    if [v["name"] for v in sources] != ["datasource"]:
        yield "no variable for the data source"
    names = {v["name"] for v in dashboard["templating"]["list"]}
    texts = [query["expr"] for panel in panels(dashboard) for query in panel.get("targets", [])]
    used = {name for text in texts for name in re.findall(r"\$(\w+)", text)}
    yield from (f"a query uses the variable {name}, which is not there" for name in sorted(used - names))
    linked = set(re.findall(r"\$\{(\w+):queryparam\}", repr(dashboard["panels"])))
    yield from (
        f"a link takes along the variable {name}, which is not there" for name in sorted(linked - names)
    )
    yield from (f"nothing uses the variable {name}" for name in sorted(names - used - {"datasource"}))
    ids = [panel["id"] for panel in panels(dashboard)]
    yield from (f"two panels have the id {number}" for number in sorted({i for i in ids if ids.count(i) > 1}))
    yield from _overlaps([p["gridPos"] for p in dashboard["panels"]])


def _overlaps(places: list[Json]) -> Iterator[str]:
    taken: set[tuple[int, int]] = set()
    for place in places:
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        if max(x for x, _ in cells) >= 24:
            yield f"a panel is wider than the page: {dict(place)}"
        if cells & taken:
            yield f"a panel lies on another: {dict(place)}"
        taken |= cells


def _panel_problems(panel: Json, known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if panel["type"] == "row":
        return
    name = panel.get("title") or f"panel {panel['id']}"
    queries = panel.get("targets", [])
    defaults = panel["fieldConfig"]["defaults"]
    there = {
        "title": panel.get("title"),
        "description": panel.get("description"),
        "unit": defaults.get("unit"),
    }
    yield from (f"{name}: no {what}" for what, value in {**there, "query": queries}.items() if not value)
    yield from _panel_references(name, panel, queries)
    for query in queries:
        yield from query_problems(f"{name} {query['refId']}", query["expr"], known)


def _panel_references(name: str, panel: Json, queries: list[Json]) -> Iterator[str]:
    names = {query["refId"] for query in queries}
    if len(names) < len(queries):
        yield f"{name}: two queries have one refId"
    if any(part.get("datasource", {}).get("uid") != "${datasource}" for part in (panel, *queries)):
        yield f"{name}: asks another data source than the variable's"
    if panel["type"] == "heatmap" or any(query["format"] == "heatmap" for query in queries):
        yield from _heatmap_problems(name, queries)
    for override in panel["fieldConfig"]["overrides"]:
        matcher = override["matcher"]
        if matcher["id"] == "byFrameRefID" and matcher["options"] not in names:
            yield f"{name}: an override for {matcher['options']}, which is no query"


def _heatmap_problems(name: str, queries: list[Json]) -> Iterator[str]:
    for query in queries:
        if (query["format"], query["legendFormat"]) != ("heatmap", "{{le}}"):
            yield f"{name}: buckets sort wrongly without the format heatmap and the legend {{{{le}}}}"
        if "by (le)" not in query["expr"]:
            yield f"{name}: its buckets are not summed by le"
