"""What is wrong with Grafana's alert rules, of which it would say nothing until they are evaluated."""

import re
from collections.abc import Collection, Iterator, Mapping

from stream_app.views.alerts.grafana import PROMETHEUS_UID
from tests.views.alerts.text_linting import NEEDED, text_problems
from tests.views.dashboards.linting import Json, query_problems

KNOWN: Mapping[str, set[str]] = {
    "file": {"apiVersion", "groups", "deleteRules", "contactPoints", "policies", "muteTimes", "templates"},
    "group": {"orgId", "name", "folder", "interval", "rules"},
    "rule": {
        *("uid", "title", "condition", "data", "dashboardUid", "panelId", "noDataState", "execErrState"),
        *("for", "keepFiringFor", "missing_series_evals_to_resolve", "annotations", "labels", "isPaused"),
    },
    "step": {"refId", "queryType", "relativeTimeRange", "datasourceUid", "model"},
    "contact point": {"orgId", "name", "receivers"},
    "receiver": {"uid", "type", "settings", "disableResolveMessage"},
    "policy": {
        *("orgId", "receiver", "group_by", "group_wait", "group_interval", "repeat_interval", "routes"),
        *("object_matchers", "mute_time_intervals", "continue"),
    },
    "mute timing": {"orgId", "name", "time_intervals"},
    "span": {"times", "weekdays", "location"},
}
"""Kind of object → the fields of Grafana's provisioning files that are documented for versions 9 to 12. Grafana ignores others
without a word. (docs/sources/alerting/set-up/provision-alerting-resources/file-provisioning of its repository.)"""


def unknown_fields(file: Json) -> list[str]:
    """What no version of Grafana reads of a provisioning file."""
    return [
        f"{kind} {where}: no field is called {name}"
        for kind, where, thing in _objects(file)
        for name in thing.keys() - KNOWN[kind]
    ]


def _objects(file: Json) -> Iterator[tuple[str, str, Json]]:
    yield "file", "", file
    for group in file.get("groups", ()):
        yield "group", group["name"], group
        for rule in group["rules"]:
            yield "rule", rule["title"], rule
            yield from (("step", f"{rule['title']} {step['refId']}", step) for step in rule["data"])
    for point in file.get("contactPoints", ()):
        yield "contact point", point["name"], point
        yield from (("receiver", way["uid"], way) for way in point["receivers"])
    for policy in file.get("policies", ()):
        yield "policy", "root", policy
        yield from (("policy", route["receiver"], route) for route in policy["routes"])
    for timing in file.get("muteTimes", ()):
        yield "mute timing", timing["name"], timing
        yield from (("span", timing["name"], span) for span in timing["time_intervals"])


def rules_problems(
    provisioning: Json, known: Mapping[str, tuple[str, ...]], dashboards: Mapping[str, set[int]]
) -> list[str]:
    """Return what is wrong with Grafana's alert rules; ``dashboards`` is uid → ids of panels."""
    groups = provisioning["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    problems = [
        f"two rules have the {key} {value}" for key in ("uid", "title") for value in _twice(rules, key)
    ]
    for group in groups:
        if not group.get("folder"):
            problems.append(f"{group['name']}: no folder")
        if not re.fullmatch(r"[1-9]\d*0s", group["interval"]):
            problems.append(f"{group['name']}: the interval {group['interval']} is no multiple of 10 s")
    return problems + [problem for rule in rules for problem in _rule_problems(rule, known, dashboards)]


def _twice(rules: list[Json], key: str) -> set[str]:
    values = [rule[key] for rule in rules]
    return {value for value in values if values.count(value) > 1}


def _rule_problems(
    rule: Json, known: Mapping[str, tuple[str, ...]], dashboards: Mapping[str, set[int]]
) -> Iterator[str]:
    title = rule["title"]
    if not re.fullmatch(r"[\w-]{1,40}", rule["uid"], re.ASCII):
        yield f"{title}: a uid of more than 40 characters, or of others than letters, digits, - and _"
    if not rule.get("for"):
        yield f"{title}: no for, without which Grafana 9 does not start"
    if rule["noDataState"] not in {"OK", "NoData", "Alerting"} or rule["execErrState"] not in {
        "Error",
        "Alerting",
    }:
        yield f"{title}: may fail in silence, or not load"
    if rule["panelId"] not in dashboards.get(rule["dashboardUid"], set()):
        yield f"{title}: links to a panel that is not there"
    yield from _rule_texts(title, rule["labels"], rule["annotations"])
    yield from text_problems(rule)
    steps = {step["refId"]: step for step in rule["data"]}
    if len(steps) < len(rule["data"]):
        yield f"{title}: two steps have one refId"
    if rule["condition"] not in steps:
        yield f"{title}: the condition {rule['condition']} is no step"
    elif steps[rule["condition"]]["model"].get("type") != "threshold":
        yield f"{title}: the condition is no threshold"
    for name, step in steps.items():
        if name != rule["condition"]:
            yield from (
                f"{title}: only the condition may have another level at which it is over"
                for condition in step["model"].get("conditions", ())
                if "unloadEvaluator" in condition
            )
        yield from _step_problems(f"{title} {name}", step, steps.keys(), known)


def _rule_texts(title: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{title}: no {key}" for key in ("severity", "kpi") if not labels.get(key))
    yield from (
        f"{title}: no {key}" for key in NEEDED if key not in annotations or not annotations[key].strip()
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
        if step["datasourceUid"] != PROMETHEUS_UID:
            yield f"{where}: asks a data source that is not provisioned"
        yield from query_problems(where, model["expr"], known)
        if not step["relativeTimeRange"]["from"] > step["relativeTimeRange"]["to"]:
            yield f"{where}: an empty time range"
    elif model["expression"] not in steps:
        yield f"{where}: reads {model['expression']}, which is no step"
