"""What misleads about a dashboard as a whole: whether it says that it is stale, what is drawn over it, how it is laid out."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from stream_app.views import naming

from .reading import Json, defaults_of, expressions_of, names

LIMITS: Final = [4, 60]
"""Beyond these ages, in seconds, numbers are stale, and alerts on KPIs are silent."""


def problems(dashboard: Json) -> Iterator[str]:
    """Yield what is wrong with a dashboard as a whole."""
    yield from _trust(dashboard)
    yield from _alignment(dashboard)
    yield from _doubles(dashboard)
    yield from _annotations(dashboard)


def _flat(dashboard: Json) -> list[Json]:
    return [
        p for panel in dashboard["panels"] for p in (panel, *panel.get("panels", ())) if p["type"] != "row"
    ]


def _trust(dashboard: Json) -> Iterator[str]:
    tiles = [p for p in _flat(dashboard) if p["type"] == "stat"]
    ages = [p for p in tiles if {f"{f}({naming.DATA_AGE})" for f in ("min", "max")} & {*expressions_of(p)}]
    top = min((p["gridPos"]["y"] for p in _flat(dashboard)), default=0)
    if not any(p["gridPos"]["y"] == top and p["gridPos"]["w"] >= 6 and p["gridPos"]["h"] >= 5 for p in ages):
        yield "no large tile in the first line says how old the data is"
    for tile in ages:
        if [step["value"] for step in defaults_of(tile)["thresholds"]["steps"][1:]] != LIMITS:
            yield f"the age of the data changes its colour elsewhere than at our limits, {LIMITS}"
    if not any(p["gridPos"]["y"] == top and f"max({naming.READY})" in expressions_of(p) for p in tiles):
        yield "no tile in the first line says whether the numbers can be trusted"


def _alignment(dashboard: Json) -> Iterator[str]:
    lines: dict[int, list[Json]] = defaultdict(list)
    for panel in _flat(dashboard):
        lines[panel["gridPos"]["y"]].append(panel)
    for line in lines.values():
        titles = ", ".join(panel.get("title", "") for panel in line)
        if sum(panel["gridPos"]["w"] for panel in line) < 24:
            yield f"a hole in the line of {titles}"
        if len({panel["gridPos"]["h"] for panel in line}) > 1:
            yield f"different heights in the line of {titles}"


def _doubles(dashboard: Json) -> Iterator[str]:
    charts = [p for p in _flat(dashboard) if p["type"] == "timeseries" and p.get("targets")]
    drawn = Counter(p["targets"][0]["expr"] for p in charts)
    yield from (f"drawn {n} times: {text}" for text, n in drawn.items() if n > 1)


def _annotations(dashboard: Json) -> Iterator[str]:
    found = dashboard["annotations"]["list"]
    if not any(event.get("builtIn") and not event["enable"] for event in found):
        yield "Grafana's own annotations show the alerts of queues that are not shown: turn them off"
    texts = [event["expr"] for event in found if event["enable"] and "expr" in event]
    variables = {v["name"] for v in dashboard["templating"]["list"]}
    if naming.QUEUE in variables and not any("$queue" in text and "$channel" in text for text in texts):
        yield "no annotation has the alerts of the queues that are shown"
    for metric, what in (
        (naming.READY, "outages of the data"),
        (naming.TARGETS_VERSION, "new targets"),
        (naming.RECORDS, "rebuilds"),
    ):
        if not any(metric in names(text) and "[$__rate_interval]" in text for text in texts):
            yield f"no annotation shows {what}"
