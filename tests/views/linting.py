"""What is wrong with a dashboard or with alert rules, before Grafana says it to someone at night."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import promql_parser

Json = Mapping[str, Any]
KEPT_BY_SCRAPING = {"le", "job", "instance"}


def metrics(expression: str) -> set[str]:
    """Names of the series that a PromQL expression reads. ValueError if it can't be parsed."""
    names: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector) and node.name:
            names.add(node.name)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return names


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


def panels(dashboard: Json) -> Iterator[Json]:
    """Every panel, those inside of collapsed rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def dashboard_problems(dashboard: Json, known: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return one line for each thing that is wrong."""
    return [
        *_shell_problems(dashboard),
        *(p for panel in panels(dashboard) for p in _panel_problems(panel, known)),
    ]


def _shell_problems(dashboard: Json) -> Iterator[str]:
    if not dashboard.get("uid"):
        yield "no uid: links to it break when it is provisioned again"
    if dashboard.get("id") is not None:
        yield "an id of one database"
    sources = [v for v in dashboard["templating"]["list"] if v["type"] == "datasource"]
    if [v["name"] for v in sources] != ["datasource"]:
        yield "no variable for the data source"
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
    for override in panel["fieldConfig"]["overrides"]:
        matcher = override["matcher"]
        if matcher["id"] == "byFrameRefID" and matcher["options"] not in names:
            yield f"{name}: an override for {matcher['options']}, which is no query"


def rules_problems(
    provisioning: Json, known: Mapping[str, tuple[str, ...]], dashboards: Mapping[str, set[int]]
) -> list[str]:
    """Return what is wrong with Grafana's alert rules; ``dashboards`` is uid → ids of panels."""
    groups = provisioning["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    problems = [
        f"two rules have the {key} {value}" for key in ("uid", "title") for value in _twice(rules, key)
    ]
    problems += [f"{group['name']}: no folder" for group in groups if not group.get("folder")]
    return problems + [problem for rule in rules for problem in _rule_problems(rule, known, dashboards)]


def _twice(rules: list[Json], key: str) -> set[str]:
    values = [rule[key] for rule in rules]
    return {value for value in values if values.count(value) > 1}


def _rule_problems(
    rule: Json, known: Mapping[str, tuple[str, ...]], dashboards: Mapping[str, set[int]]
) -> Iterator[str]:
    title = rule["title"]
    if len(rule["uid"]) > 40:
        yield f"{title}: a uid of more than 40 characters"
    if rule["noDataState"] not in {"OK", "NoData", "Alerting"} or rule["execErrState"] not in {
        "Error",
        "Alerting",
    }:
        yield f"{title}: may fail in silence, or not load"
    if rule["panelId"] not in dashboards.get(rule["dashboardUid"], set()):
        yield f"{title}: links to a panel that is not there"
    yield from _rule_texts(title, rule["labels"], rule["annotations"])
    steps = {step["refId"]: step for step in rule["data"]}
    if len(steps) < len(rule["data"]):
        yield f"{title}: two steps have one refId"
    if rule["condition"] not in steps:
        yield f"{title}: the condition {rule['condition']} is no step"
    elif steps[rule["condition"]]["model"].get("type") != "threshold":
        yield f"{title}: the condition is no threshold"
    for name, step in steps.items():
        yield from _step_problems(f"{title} {name}", step, steps.keys(), known)


def _rule_texts(title: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{title}: no {key}" for key in ("severity", "kpi") if not labels.get(key))
    yield from (
        f"{title}: no {key}" for key in ("summary", "description", "runbook_url") if not annotations.get(key)
    )
    if "$" in "".join((*annotations.values(), *labels.values())):
        yield f"{title}: Grafana takes a dollar in a provisioned text for a variable of the environment"


def _step_problems(
    where: str, step: Json, steps: Collection[str], known: Mapping[str, tuple[str, ...]]
) -> Iterator[str]:
    model = step["model"]
    if model.get("refId") != step["refId"]:
        yield f"{where}: the model is called {model.get('refId')}"
    if step["datasourceUid"] != "__expr__":
        yield from query_problems(where, model["expr"], known)
        if not step["relativeTimeRange"]["from"] > step["relativeTimeRange"]["to"]:
            yield f"{where}: an empty time range"
    elif model["expression"] not in steps:
        yield f"{where}: reads {model['expression']}, which is no step"
