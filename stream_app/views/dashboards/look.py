"""How values look: colours, thresholds, decimals, what is shown where there is no value, and links to the queue."""

from typing import Any, Final

from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit
from stream_app.views import links, naming

GREEN, AMBER, RED, BLUE = "green", "orange", "red", "blue"
GREY: Final = "#8e8e8e"
TRANSPARENT: Final = "transparent"
NO_VALUE: Final = "—"

Panel = dict[str, Any]
Override = dict[str, Any]

DECIMALS: Final = {
    Unit.RATIO: 1,
    Unit.GRADE: 1,
    Unit.SECONDS: None,
    Unit.CONTACTS: 0,
    Unit.POINTS: 0,
    Unit.SCORE: 2,
    Unit.AMOUNT: 2,
}
"""The decimals that carry. None for axes: there Grafana takes as many as keep neighbouring ticks apart."""

ROOM: Final = {
    Unit.RATIO: 0.1,
    Unit.GRADE: 0.1,
    Unit.SECONDS: 10,
    Unit.CONTACTS: 5,
}
"""How high an axis reaches at least, so that a line of zeros is not drawn on a scale of 0 to 100."""


def no_value(colour: str = GREY) -> list[Panel]:
    """Map what is not there to a dash: without this it has the colour of the lowest threshold, which may be red."""
    return [
        {
            "type": "special",
            "options": {"match": "null+nan", "result": {"text": NO_VALUE, "color": colour, "index": 0}},
        }
    ]


def named(values: dict[str, tuple[str, str]]) -> Panel:
    """Map values to a text and a colour."""
    return {
        "type": "value",
        "options": {
            value: {"text": text, "color": colour, "index": n + 1}
            for n, (value, (text, colour)) in enumerate(values.items())
        },
    }


def steps(base: str, *others: tuple[float, str]) -> Panel:
    """Make thresholds: the colour below the first value, and from each value on."""
    return {
        "mode": "absolute",
        "steps": [
            {"color": base, "value": None},
            *({"color": colour, "value": value} for value, colour in others),
        ],
    }


def thresholds(target: float | None, better: str, missed: str = RED) -> Panel:
    """Make green the right side of the target, above or below it. Without a target nothing is judged."""
    if target is None:
        return steps(BLUE)
    return steps(missed, (target, GREEN)) if better == "higher" else steps(GREEN, (target, missed))


def override(matcher: str, what: str, **properties: Any) -> Override:
    """Set properties of some fields; a double underscore in a name means a dot."""
    return {
        "matcher": {"id": matcher, "options": what},
        "properties": [{"id": name.replace("__", "."), "value": value} for name, value in properties.items()],
    }


def coloured(ref_id: str, colour: str) -> Override:
    """Give what a query returns one colour."""
    return override("byFrameRefID", ref_id, color={"mode": "fixed", "fixedColor": colour})


def target_line(ref_id: str = "T") -> Override:
    """Draw targets thin and dashed. They have the names of their series, and so their colours; the legend has each once."""
    return override(
        "byFrameRefID",
        ref_id,
        custom__lineStyle={"fill": "dash", "dash": [8, 6]},
        custom__lineWidth=1,
        custom__fillOpacity=0,
        custom__hideFrom={"legend": True, "tooltip": False, "viz": False},
    )


def dashed(ref_id: str) -> Override:
    """Draw what was planned dashed and in steps, in the colour of what became of it."""
    return override(
        "byFrameRefID",
        ref_id,
        custom__lineStyle={"fill": "dash", "dash": [8, 6]},
        custom__fillOpacity=0,
        custom__lineInterpolation="stepAfter",
    )


def to_queue(*, window: bool = True, fields: bool = False) -> list[Panel]:
    """Link to the queue and channel of a series, or of a table's row, in the same window and time."""
    of = "__data.fields" if fields else "__field.labels"
    return _link(
        links.QUEUE,
        "Queue in depth",
        f"var-{naming.QUEUE}=${{{of}.queue:percentencode}}",
        f"var-{naming.CHANNEL}=${{{of}.channel:percentencode}}",
        *(["${window:queryparam}"] if window else []),
    )


def to_why(kpi: Kpi) -> list[Panel]:
    """Link to the contacts that make a series' KPI on the wallboard, in the panel's time; of a value of now, now."""
    of = [f"${{__field.labels.{name}:percentencode}}" for name in (naming.QUEUE, naming.CHANNEL)]
    time = [] if kpi.is_level else ["${__from:date:iso}", "${__to:date:iso}"]
    url = f"{links.WALLBOARD}{links.WHY}{'&why='.join((kpi.name, *of, *time))}"
    return [{"title": "Why: its contacts", "url": url, "targetBlank": True}]


def to_channels(of: str = "__data.fields") -> list[Panel]:
    """Link to all channels of a series' queue, or of that of a table's row, in the same window and time."""
    return _link(
        links.LIVE,
        "This queue, live",
        f"var-{naming.QUEUE}=${{{of}.queue:percentencode}}",
        f"${{{naming.CHANNEL}:queryparam}}",
        "${window:queryparam}",
    )


def to_channel() -> list[Panel]:
    """Link to the chosen queues of a series' channel, in the same window and time."""
    return _link(
        links.LIVE,
        "Queues of this channel",
        f"${{{naming.QUEUE}:queryparam}}",
        f"var-{naming.CHANNEL}=${{__field.labels.channel:percentencode}}",
        f"${{{naming.SITE}:queryparam}}",
        "${window:queryparam}",
    )


def _link(uid: str, title: str, *parts: str) -> list[Panel]:
    url = f"/d/{uid}?{'&'.join((*parts, '${__url_time_range}'))}"
    return [{"title": title, "url": url, "targetBlank": False}]
