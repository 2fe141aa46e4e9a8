"""The building blocks of dashboards: plain dicts in Grafana's format (schema 37), for Grafana 10.1 and newer.

Plain data and not the official SDK's builders: these know only the newest Grafana's fields, and would be a dependency wherever
``stream-app`` is installed. The SDK's types check the result instead (``docs/decisions/0009``).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from stream_app.views.links import panel_id

from .look import NO_VALUE, Override, Panel, no_value, thresholds

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
"""The data source of panels: the one that the dashboard's variable names."""

PanelType = Literal["time_series", "table", "heatmap"]


def query(
    ref_id: str, expression: str, legend: str = "", *, now: bool = False, form: PanelType = "time_series"
) -> Panel:
    """Make a query; ``now`` for one value instead of a series. In a ``table`` labels are columns, in a ``heatmap`` rows."""
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


def stat(
    purpose: str,
    title: str,
    expression: str | Mapping[str, str],
    legend: str = "",
    *,
    large: bool = False,
    **about: Any,
) -> Panel:
    """Draw a tile of what is true now, or a dash: a series would show its last value after its source has died.

    Args:
        purpose: what it is for, from which its id derives.
        title: what people read.
        expression: PromQL, or several by their names.
        legend: names its values where there may be several; even one is named then.
        large: fill the tile with the colour.
        about: what ``_panel`` takes.
    """
    several = "{{" in legend
    expressions = {"A": expression} if isinstance(expression, str) else expression
    return _panel(
        purpose,
        "stat",
        title,
        [query(name, text, legend or title, now=True) for name, text in expressions.items()],
        options={
            "colorMode": "background" if large else "value",
            "graphMode": "none",
            "justifyMode": "auto",
            # Several values are lines of a list: beside each other they would have no room.
            "orientation": "horizontal" if several else "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "value_and_name" if several else "value",
        },
        **about,
    )


def timeseries(
    purpose: str,
    title: str,
    queries: Sequence[Panel],
    *,
    none: str,
    room: float | None = None,
    line_at: str = "off",
    **about: Any,
) -> Panel:
    """Draw lines over time, each in the colour of its name.

    Args:
        purpose: what it is for, from which its id derives.
        title: what people read.
        queries: what is drawn.
        none: what is written in the panel while there is nothing to draw.
        room: how high the axis reaches at least.
        line_at: how the thresholds are drawn, if they are.
        about: what ``_panel`` takes.
    """
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
            "lineWidth": 2,
            "fillOpacity": 5,
            "showPoints": "never",
            "spanNulls": False,
            "thresholdsStyle": {"mode": line_at},
        }
        | ({} if room is None else {"axisSoftMax": room}),
        colour={"mode": "palette-classic-by-name"},
        none=none,
        **about,
    )


def table(
    purpose: str,
    title: str,
    queries: Sequence[Panel],
    heads: Mapping[str, str],
    *,
    none: str,
    worst_first: str = "",
    **about: Any,
) -> Panel:
    """Draw a table: one row for each set of labels, one column for each label and query.

    Args:
        purpose: what it is for, from which its id derives.
        title: what people read.
        queries: in the form ``table``; those of the same labels share a row.
        heads: label, or ``Value #`` and a query's name (``Value`` if it is alone) → head of its column, in order.
        none: what is written in the panel while it has no row.
        worst_first: the head of the column by which it is sorted, the largest first.
        about: what ``_panel`` takes.
    """
    sort_by = [{"displayName": worst_first, "desc": True}] if worst_first else []
    panel = _panel(
        purpose,
        "table",
        title,
        queries,
        options={"showHeader": True, "cellHeight": "sm", "footer": {"show": False}, "sortBy": sort_by},
        custom={"minWidth": 60, "filterable": False},
        none=none,
        **about,
    )
    organised: Panel = {
        "excludeByName": {"Time": True},
        "indexByName": {name: n for n, name in enumerate(heads)},
        "renameByName": dict(heads),
    }
    merged: list[Panel] = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    return {**panel, "transformations": [*merged, {"id": "organize", "options": organised}]}


def bars(
    purpose: str,
    title: str,
    queries: Sequence[Panel],
    *,
    none: str,
    name: str | None = None,
    **about: Any,
) -> Panel:
    """Draw a horizontal bar for each series with its value next to it, so that names have room.

    Args:
        purpose: what it is for, from which its id derives.
        title: what people read.
        queries: what is drawn.
        none: what is written in the panel while there is nothing to draw.
        name: what each bar is called, where there may be only one: without it, that one has no name.
        about: what ``_panel`` takes.
    """
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
            # Two bars are no larger than ten.
            "sizing": "manual",
            "minVizWidth": 8,
            "minVizHeight": 16,
            "maxVizHeight": 40,
        },
        name=name,
        none=none,
        **about,
    )


def heatmap(purpose: str, title: str, queries: Sequence[Panel], *, unit: str, **about: Any) -> Panel:
    """Draw a cumulative histogram over time, buckets upwards (their legend must be ``{{le}}``, or they sort wrongly)."""
    return _panel(
        purpose,
        "heatmap",
        title,
        queries,
        unit="none",
        options={
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "none", "decimals": 0},
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


def row(title: str, *, collapsed: Sequence[Panel] | None = None) -> Panel:
    """Make a heading; with ``collapsed`` the panels are hidden inside until someone opens it."""
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
    mappings: Sequence[Panel] = (),
    custom: Mapping[str, Any] | None = None,
    colour: Panel | None = None,
    decimals: int | None = None,
    least: float | None = 0,
    most: float | None = None,
    name: str | None = None,
    none: str = NO_VALUE,
    links: Sequence[Panel] = (),
    interval: str | None = None,
) -> Panel:
    width, height = size
    defaults: Panel = {
        "unit": unit,
        "noValue": none,
        "mappings": [*no_value(), *mappings],
        "thresholds": steps or thresholds(None, "lower"),
    }
    defaults |= {
        field: value
        for field, value in {
            "color": colour,
            "decimals": decimals,
            "displayName": name,
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
