"""The building blocks of dashboards: plain dicts in Grafana's format (schema 37: 9.4 and newer).

Plain data and not the official SDK's builders: these know the newest Grafana's fields only, and would come along wherever
``stream-app`` is installed. The SDK's types check the result instead (``docs/decisions/0009``).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from stream_app.views.places import panel_id

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
"""Panels ask the data source that the dashboard's variable names."""
COLUMNS: Final = 24
GREEN, AMBER, RED, BLUE = "green", "orange", "red", "blue"

Panel = dict[str, Any]
Override = dict[str, Any]


Form = Literal["time_series", "table", "heatmap"]


def query(
    ref_id: str, expression: str, legend: str = "", *, now: bool = False, form: Form = "time_series"
) -> Panel:
    """A query; ``now`` asks for one value instead of a series. As ``table`` labels are columns, of a ``heatmap`` rows."""
    now = now or form == "table"
    return {
        "refId": ref_id,
        "datasource": SOURCE,
        "expr": expression,
        "legendFormat": legend or "__auto",
        "instant": now,
        "range": not now,
        "format": form,
        "editorMode": "code",
    }


def thresholds(target: float | None, better: str) -> Panel:
    """Green on the right side of the target: below or above it. Without a target nothing is judged."""
    steps: list[Panel]
    if target is None:
        steps = [{"color": BLUE, "value": None}]
    elif better == "higher":
        steps = [{"color": RED, "value": None}, {"color": GREEN, "value": target}]
    else:
        steps = [{"color": GREEN, "value": None}, {"color": RED, "value": target}]
    return {"mode": "absolute", "steps": steps}


def override(matcher: str, what: str, **properties: Any) -> Override:
    """Properties for some fields; a double underscore in a name stands for a dot."""
    return {
        "matcher": {"id": matcher, "options": what},
        "properties": [{"id": name.replace("__", "."), "value": value} for name, value in properties.items()],
    }


def stat(purpose: str, title: str, queries: Sequence[Panel], *, trend: bool = False, **about: Any) -> Panel:
    """A tile: the last value, coloured by its thresholds, over its ``trend``. ``about`` is what ``_panel`` takes."""
    return _panel(
        purpose,
        "stat",
        title,
        queries,
        options={
            "colorMode": "value",
            "graphMode": "area" if trend else "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        },
        **about,
    )


def timeseries(purpose: str, title: str, queries: Sequence[Panel], **about: Any) -> Panel:
    """Lines over time."""
    return _panel(
        purpose,
        "timeseries",
        title,
        queries,
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        custom={
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 5,
            "showPoints": "never",
            "spanNulls": False,
        },
        **about,
    )


def table(
    purpose: str, title: str, queries: Sequence[Panel], transformations: Sequence[Panel], **about: Any
) -> Panel:
    """Rows of the queries' labels, one column for each query."""
    panel = _panel(
        purpose,
        "table",
        title,
        queries,
        options={"showHeader": True, "cellHeight": "sm", "footer": {"show": False}},
        **about,
    )
    return {**panel, "transformations": list(transformations)}


def bars(purpose: str, title: str, queries: Sequence[Panel], **about: Any) -> Panel:
    """A bar for each series, the values written beside: lying below each other, so that names have room."""
    return _panel(
        purpose,
        "bargauge",
        title,
        queries,
        options={
            "displayMode": "basic",
            "orientation": "horizontal",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showUnfilled": False,
            "minVizWidth": 0,
            "minVizHeight": 10,
        },
        **about,
    )


def heatmap(purpose: str, title: str, queries: Sequence[Panel], *, unit: str, **about: Any) -> Panel:
    """Time across, the buckets of a cumulative histogram upwards (their legend must be ``{{le}}``, or they sort wrongly)."""
    return _panel(
        purpose,
        "heatmap",
        title,
        queries,
        unit="short",
        options={
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "short", "decimals": 0},
            "color": {
                "mode": "scheme",
                "scheme": "Oranges",
                "fill": "dark-orange",
                "scale": "exponential",
                "exponent": 0.5,
                "steps": 64,
                "reverse": False,
            },
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "tooltip": {"show": True, "yHistogram": False},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
        },
        **about,
    )


def target_line(ref_id: str = "T") -> Override:
    """How a target is drawn among the lines: dashed, without a fill."""
    return override(
        "byFrameRefID",
        ref_id,
        custom__lineStyle={"fill": "dash", "dash": [8, 6]},
        custom__fillOpacity=0,
        color={"mode": "fixed", "fixedColor": AMBER},
    )


def row(title: str, *, collapsed: Sequence[Panel] | None = None) -> Panel:
    """A heading; with ``collapsed`` the panels are hidden inside until someone opens it."""
    return {
        "id": panel_id(f"row: {title}"),
        "type": "row",
        "title": title,
        "collapsed": collapsed is not None,
        "panels": list(collapsed or ()),
    }


def _panel(
    purpose: str,
    kind: str,
    title: str,
    queries: Sequence[Panel],
    *,
    size: tuple[int, int],
    description: str,
    unit: str,
    options: Mapping[str, Any],
    steps: Panel | None = None,
    overrides: Sequence[Override] = (),
    custom: Mapping[str, Any] | None = None,
    decimals: int | None = None,
    least: float | None = 0,
    most: float | None = None,
    links: Sequence[Panel] = (),
    interval: str | None = None,
) -> Panel:
    width, height = size
    defaults: Panel = {"unit": unit, "noValue": "—", "thresholds": steps or thresholds(None, "lower")}
    defaults |= {
        name: value
        for name, value in {
            "decimals": decimals,
            "min": least,
            "max": most,
            "custom": custom,
            "links": list(links) or None,
        }.items()
        if value is not None
    }
    return {
        "id": panel_id(purpose),
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": {"w": width, "h": height},
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": dict(options),
        "targets": list(queries),
    } | ({"interval": interval} if interval else {})


def laid_out(panels: Sequence[Panel]) -> list[Panel]:
    """The panels with their places: left to right, a new line where the width is used up or a row begins."""
    placed: list[Panel] = []
    x = y = tallest = 0
    for panel in panels:
        if panel["type"] == "row":
            y, x, tallest = y + tallest, 0, 0
            inside = [_moved(inner, y + 1) for inner in laid_out(panel["panels"])]
            placed.append({**panel, "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}, "panels": inside})
            y += 1
            continue
        width, height = panel["gridPos"]["w"], panel["gridPos"]["h"]
        if x + width > COLUMNS:
            y, x, tallest = y + tallest, 0, 0
        placed.append({**panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, tallest = x + width, max(tallest, height)
    return placed


def _moved(panel: Panel, down: int) -> Panel:
    place = panel["gridPos"]
    return {**panel, "gridPos": {**place, "y": place["y"] + down}}
