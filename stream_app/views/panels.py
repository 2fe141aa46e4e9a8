"""The building blocks of the dashboard: plain dicts in Grafana's format (schema 37: 9.4 and newer)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from zlib import crc32

DASHBOARD_UID: Final = "live-queues"
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
"""Panels ask the data source that the dashboard's variable names."""
COLUMNS: Final = 24
GREEN, AMBER, RED, BLUE = "green", "orange", "red", "blue"

Panel = dict[str, Any]
Override = dict[str, Any]


def panel_id(purpose: str) -> int:
    """The same purpose has the same id whatever else is on the dashboard: alerts and bookmarks link to it."""
    return crc32(purpose.encode()) % 1_000_000 + 1


def query(ref_id: str, expression: str, legend: str = "", *, now: bool = False, table: bool = False) -> Panel:
    """A query; ``now`` asks for one value instead of a series, ``table`` for rows with labels as columns."""
    return {
        "refId": ref_id,
        "datasource": SOURCE,
        "expr": expression,
        "legendFormat": legend or "__auto",
        "instant": now or table,
        "range": not (now or table),
        "format": "table" if table else "time_series",
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


def stat(purpose: str, title: str, queries: Sequence[Panel], **about: Any) -> Panel:
    """A tile: the value now, coloured by its thresholds. ``about`` is what ``_panel`` takes."""
    return _panel(
        purpose,
        "stat",
        title,
        queries,
        options={
            "colorMode": "value",
            "graphMode": "none",
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
) -> Panel:
    width, height = size
    defaults: Panel = {"unit": unit, "noValue": "—", "thresholds": steps or thresholds(None, "lower")}
    defaults |= {
        name: value
        for name, value in {"decimals": decimals, "min": least, "max": most, "custom": custom}.items()
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
    }


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
