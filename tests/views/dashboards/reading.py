"""What misleads people who read a dashboard: seen on a real Grafana, and what a linter can know of it."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any, Final

from stream_app.model.kpis import BY_NAME, KPIS, TOTALS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit
from stream_app.model.ledger_numbers import LEDGER_WINDOWS
from stream_app.views import naming
from stream_app.views.ledger.query import BY_NAME as OF_LEDGER
from stream_app.views.links import WHY

Json = Mapping[str, Any]

NOW: Final = {"stat", "gauge", "bargauge", "table"}
"""Kinds of panels that show what is true now."""
PALE: Final = {"#8e8e8e", "transparent"}
FEW: Final = 0.5
"""Below this target a ratio is small: on an axis to 100 % an incident is a flat line."""
PIXELS_OF_A_COLUMN: Final = 54
"""On a screen of 1366 pixels."""
PIXELS_OF_A_LETTER: Final = 7
WIDEST_TABLE: Final = 1_860
LONGEST_HEAD: Final = 14

LIVE_NUMBERS: Final = {
    *(naming.value(kpi) for kpi in KPIS),
    *(naming.samples(kpi) for kpi in KPIS if kpi.has_samples),
    *(naming.percentile(kpi) for kpi in KPIS if kpi.spread),
    *(naming.total(name) for name in TOTALS),
    f"{naming.WAITED}_bucket",
}
TARGETS: Final = {naming.target(kpi) for kpi in KPIS}
HARD_TO_GET: Final = {
    *naming.PLANNED,
    naming.value(BY_NAME["cost_per_contact"]),
    naming.SITE,
    naming.UNIT,
}
"""Metrics and labels that are there only after somebody has set or imported something."""


@cache
def names(expression: str) -> set[str]:
    """Names that a PromQL expression contains: metrics, labels and functions."""
    return set(re.findall(r"[a-z]\w+", expression))


def problems(panel: Json, *, many: bool) -> Iterator[str]:
    """Yield what is wrong with a panel, of a dashboard that shows ``many`` queues or one."""
    name = panel.get("title") or f"panel {panel['id']}"
    found = chain(
        _now(panel),
        _nothing(panel),
        _stale(panel),
        _links(panel, many=many),
        _numbers(panel),
        _scales(panel, many=many),
        _lines(panel),
        _names(panel),
        _table(panel),
        _totals(panel),
        _verdicts(panel),
        _title(panel),
    )
    yield from (f"{name}: {problem}" for problem in found)


def is_many(dashboard: Json) -> bool:
    """Return whether it shows several queues at once."""
    return any(v["name"] == naming.QUEUE and v.get("multi") for v in dashboard["templating"]["list"])


def defaults_of(panel: Json) -> Json:
    found: Json = panel["fieldConfig"]["defaults"]
    return found


def expressions_of(panel: Json) -> list[str]:
    return [query["expr"] for query in panel.get("targets", [])]


def _kpis(panel: Json) -> list[Kpi]:
    """Return the KPIs whose values it shows in their own unit."""
    used = set[str]().union(*(names(text) for text in expressions_of(panel)))
    return [
        kpi for kpi in KPIS if naming.value(kpi) in used and defaults_of(panel)["unit"] == kpi.unit.grafana
    ]


# --- now, or a dash ---


def _now(panel: Json) -> Iterator[str]:
    if panel["type"] in NOW and any(not q["instant"] or q["range"] for q in panel.get("targets", [])):
        yield "shows the last value of a series after its source has died; ask for an instant"
    if panel["type"] == "stat" and panel["options"].get("graphMode") != "none":
        yield "a tile with a trend needs a series, and so shows old values"


def _nothing(panel: Json) -> Iterator[str]:
    overrides = (
        p["value"]
        for o in panel["fieldConfig"]["overrides"]
        for p in o["properties"]
        if p["id"] == "mappings"
    )
    for mappings in (defaults_of(panel).get("mappings", ()), *overrides):
        special = [m["options"] for m in mappings if m["type"] == "special"]
        if not any(m["match"] == "null+nan" and m["result"].get("color") in PALE for m in special):
            yield "no data has the colour of the lowest threshold, which may be red; map null and nan to grey"
    text = defaults_of(panel).get("noValue", "")
    if panel["type"] != "stat" and not re.match("None|Not known", text):
        yield "an empty panel says neither none nor not known"
    if panel["type"] == "stat" and text != "—":
        yield "an empty tile is not a dash"
    if hard := _hard_to_get(panel):
        told = [panel.get("description", ""), *([] if panel["type"] == "stat" else [text])]
        if not all("stream-app " in part for part in told):
            yield f"does not say how to get {', '.join(sorted(hard))}, in its description and where it is empty"


def _hard_to_get(panel: Json) -> set[str]:
    """Return the metrics, and labels that its lines are called by, that somebody must first set or import."""
    queries = panel.get("targets", [])
    called = {label for q in queries for label in re.findall(r"\{\{(\w+)\}\}", q["legendFormat"])}
    used = {name for q in queries for name in names(q["expr"])} - {naming.SITE, naming.UNIT}
    return HARD_TO_GET & (called | used)


def _stale(panel: Json) -> Iterator[str]:
    for text in expressions_of(panel):
        if names(text) & LIVE_NUMBERS and naming.READY not in names(text):
            yield f"shows stale numbers as if they were fresh: nothing asks for {naming.READY}"


# --- links ---


def _links(panel: Json, *, many: bool) -> Iterator[str]:
    links = list(defaults_of(panel).get("links", ()))
    for override in panel["fieldConfig"]["overrides"]:
        links += [link for p in override["properties"] if p["id"] == "links" for link in p["value"]]
    for link in links:
        if WHY in link["url"]:
            yield from _why(link["url"])
            continue
        for name in (naming.QUEUE, naming.CHANNEL):
            if f"var-{name}=" not in link["url"] and f"${{{name}:queryparam}}" not in link["url"]:
                yield f"a link that forgets the {name}"
        if "${__url_time_range}" not in link["url"]:
            yield "a link that forgets the time"
        if re.search(r"=\$\{__(field|data)[\w.]+\}", link["url"]):
            yield "a link that a name with & or a space breaks: percentencode it"
    places = [
        *(q["legendFormat"] for q in panel.get("targets", ())),
        defaults_of(panel).get("displayName", ""),
    ]
    places += [
        t["options"].get("renameByName", {}).get("queue", "") for t in panel.get("transformations", ())
    ]
    by_place = re.search(r"\{\{(queue|channel)\}\}|labels\.queue|Queue", " ".join(places))
    if many and by_place and not links:
        yield "shows queues or channels, and no link leads to them"


def _why(url: str) -> Iterator[str]:
    """What an explanation is asked with: a KPI, of a queue and channel, and, but for a value of now, the panel's time.

    KPIs of the ledger are rolling: of them the window that is drawn, and one of their formulas.
    """
    kpi, *asked = url.partition(WHY)[2].split("&why=")
    of = [f"${{__field.labels.{name}:percentencode}}" for name in (naming.QUEUE, naming.CHANNEL)]
    if kpi in OF_LEDGER:
        mine = OF_LEDGER[kpi]
        window, _, policy, *settled = [*asked[2:], *[""] * 3][:4]
        fits = window in LEDGER_WINDOWS or (mine.is_level and not window)
        if asked[:2] not in ([of] if mine.placed else []) + [["", ""]]:
            yield "a link that does not ask why of the series, or of all queues"
        if not fits or (policy or "") not in {"", *mine.policies} or (any(settled) and not mine.settles):
            yield "a link that asks why of what is not drawn"
        return
    time = [] if BY_NAME[kpi].is_level else ["${__from:date:iso}", "${__to:date:iso}"]
    if asked != [*of, *time]:
        yield "a link that does not ask why of the series and its time"


# --- numbers ---


def _numbers(panel: Json) -> Iterator[str]:
    defaults = defaults_of(panel)
    units = [defaults.get("unit"), panel["options"].get("yAxis", {}).get("unit")]
    units += [
        p["value"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"] if p["id"] == "unit"
    ]
    if "short" in units:
        yield "the unit short makes 1 K of 1,024"
    if panel["type"] == "timeseries" and "decimals" in defaults:
        yield "fixed decimals make neighbouring ticks of an axis equal"
    for kpi in _kpis(panel):
        if kpi.unit is Unit.SCORE and panel["type"] in NOW and defaults.get("decimals", 0) < 1:
            yield f"{kpi.title} without decimals says nothing"
    used = set[str]().union(*map(names, expressions_of(panel)))
    in_seconds = {naming.value(kpi) for kpi in KPIS if kpi.unit is Unit.SECONDS}
    if used & in_seconds and defaults.get("unit") in {"s", "m", "h"}:
        yield "a duration in rounded units; minutes and seconds are read as 6:12"


def _scales(panel: Json, *, many: bool) -> Iterator[str]:
    if panel["type"] != "timeseries":
        return
    defaults = defaults_of(panel)
    small = [
        kpi for kpi in _kpis(panel) if kpi.better == "lower" or min(kpi.targets.values(), default=0) < FEW
    ]
    if defaults.get("max") == 1 and small:
        yield "a small ratio on an axis to 100 %: an incident is a flat line"
    bounded = "max" in defaults or "axisSoftMax" in defaults["custom"] or "min" not in defaults
    if not bounded and defaults["unit"] in {"locale", "percentunit", "dthms", "s"}:
        yield "zeros are drawn on an axis to 100"
    if many and any("{{channel}}" in query["legendFormat"] for query in panel["targets"]):
        used = set[str]().union(*map(names, expressions_of(panel)))
        spread = [kpi for kpi in KPIS if kpi.spread and naming.percentile(kpi) in used]
        for kpi in (*_kpis(panel), *spread):
            if len(set(kpi.targets.values())) > 1:
                yield f"channels with different targets for {kpi.title} on one axis: draw shares of their own targets"


# --- names and lines ---


def _lines(panel: Json) -> Iterator[str]:
    if panel["type"] != "timeseries":
        return
    if defaults_of(panel).get("color", {}).get("mode") != "palette-classic-by-name":
        yield "colours by position: a queue's target, forecast and value have different ones"
    overrides = panel["fieldConfig"]["overrides"]
    if any(p["id"] == "color" for o in overrides for p in o["properties"]):
        yield "a fixed colour for the lines of several queues"
    if len({q["legendFormat"] for q in panel["targets"] if "{{queue}}" in q["legendFormat"]}) > 1:
        yield "two names, and so two colours, for one queue"
    width = defaults_of(panel)["custom"]["lineWidth"]
    for query in panel["targets"]:
        first = next((n for n in re.findall(r"[a-z]\w+", query["expr"]) if n.startswith("cc_")), "")
        if first not in TARGETS:
            continue
        mine = [o for o in overrides if o["matcher"] == {"id": "byFrameRefID", "options": query["refId"]}]
        set_to = {p["id"]: p["value"] for o in mine for p in o["properties"]}
        if set_to.get("custom.lineWidth", width) >= width or "custom.lineStyle" not in set_to:
            yield "a target's line as thick as the values'"


def _names(panel: Json) -> Iterator[str]:
    queries = panel.get("targets", [])
    if panel["type"] == "bargauge":
        alone = len(queries) < 2 and not any(q["format"] == "heatmap" for q in queries)
        if (alone or any(q["legendFormat"] == "__auto" for q in queries)) and not defaults_of(panel).get(
            "displayName"
        ):
            yield "a bar that is alone has no name; give it a displayName"
        if panel["options"].get("maxVizHeight", 300) > 50:
            yield "two bars fill the panel: limit their height"
        if any("{{le}}" in q["legendFormat"] and q["format"] != "heatmap" for q in queries):
            yield "waits are sorted as text: 120, 240, 30"
    several = panel["type"] == "stat" and any("{{" in q["legendFormat"] for q in queries)
    if several and panel["options"]["textMode"] != "value_and_name":
        yield "a value that is alone has no name; show value and name"
    for query in queries:
        for label in (naming.SITE, naming.UNIT):
            if f"{{{{{label}}}}}" in query["legendFormat"] and f'"no {label}"' not in query["expr"]:
                yield f"a line without a {label} is called Value"


def _table(panel: Json) -> Iterator[str]:
    if panel["type"] != "table":
        return
    heads = [
        head
        for t in panel.get("transformations", ())
        for head in t["options"].get("renameByName", {}).values()
    ]
    least = defaults_of(panel)["custom"].get("minWidth", 150)
    yield from (f"the head {head!r} is cut" for head in heads if len(head) > LONGEST_HEAD)
    if sum(max(least, len(head) * 9 + 24) for head in heads) > WIDEST_TABLE:
        yield "columns off the screen at 1920 pixels"
    worst = panel["options"].get("sortBy", [])
    if len(panel["targets"]) > 1 and not any(s["desc"] and s["displayName"] in heads for s in worst):
        yield "the worst queue is not first"


def _totals(panel: Json) -> Iterator[str]:
    for text in expressions_of(panel):
        planned = {naming.STAFFED, naming.REQUIRED} <= names(text)
        if planned and re.search(r"\bsum\b", text) and "clamp" not in text:
            yield "spare agents of one queue hide that another is short of them: add up shortfalls only"


def _verdicts(panel: Json) -> Iterator[str]:
    used = set[str]().union(*map(names, expressions_of(panel)))
    for kpi in _kpis(panel):
        if panel["type"] == "stat" and naming.shows_target(kpi) and naming.target(kpi) not in used:
            yield f"{kpi.title} is judged by the default target, whatever is set"


def _title(panel: Json) -> Iterator[str]:
    shown = panel.get("title", "").replace("$window", "today")
    if len(shown) * PIXELS_OF_A_LETTER + 34 > panel["gridPos"]["w"] * PIXELS_OF_A_COLUMN:
        yield f"the title {shown!r} is cut at this width"
