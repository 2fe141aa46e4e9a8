"""*Planning*: what was expected beside what comes, and who is needed beside who is there."""

from collections.abc import Iterator
from typing import Any, Final

from stream_app.views import naming, places

from . import shell
from .panels import BLUE, GREEN, RED, Override, Panel, override, query, row, stat, table, timeseries
from .queries import at_site, each

_QUARTER: Final = "15m"
_OF_A_QUARTER: Final = "Contacts of a quarter of an hour. "
_NOT_KNOWN: Final = "A queue without a forecast (six weeks of rows are needed) has no line."
_GAP: Final = f"{each(naming.STAFFED)} - {each(naming.REQUIRED)}"
_COME: Final = at_site(
    f"max by ({naming.QUEUE}, {naming.CHANNEL}) "
    f'(increase({naming.total("offered")}{{{naming.QUEUE}=~"$queue",{naming.CHANNEL}=~"$channel"}}[{_QUARTER}]))'
)
"""Contacts of the last quarter of an hour: the rate, scaled to the length of an interval."""


def dashboard() -> str:
    """Of the running quarter of an hour; days ahead are on the planning page of ``serve``."""
    return shell.dashboard(
        places.PLANNING,
        "What was expected and what comes, who is needed and who is scheduled, as it went; days ahead are at /plan.",
        list(_panels()),
        variables=(naming.QUEUE, naming.CHANNEL, naming.SITE),
        since="now-12h",
        refresh="30s",
    )


def _panels() -> Iterator[Panel]:
    yield row("The running quarter of an hour, over the chosen queues")
    yield _now("forecast", "Contacts expected", naming.FORECAST, "In the whole of it.")
    yield _now("required", "People required", naming.REQUIRED, "On the roster, so that targets are met.")
    yield _now("staffed", "People scheduled", naming.STAFFED, "On the imported roster.")
    yield stat(
        "plan now: gap",
        "Gap",
        [query("A", f"sum({_GAP})", "gap")],
        size=(6, 5),
        description="Scheduled less required, of queues of which both are known. Red is too few; see queue by queue, for one "
        "queue's spare people are not the other's.",
        unit="short",
        decimals=0,
        least=None,
        steps=_SIGNED,
    )
    yield row("Contacts")
    yield timeseries(
        "plan: forecast and actual",
        "Forecast against actual",
        [
            query("F", each(naming.FORECAST), "forecast {{queue}} {{channel}}"),
            query("A", _COME, "came {{queue}} {{channel}}"),
        ],
        size=(24, 9),
        description=f"{_OF_A_QUARTER}Dashed: expected in the running one. Solid: came within the last 15 minutes, which is the "
        f"same once a quarter is over. {_NOT_KNOWN}",
        unit="short",
        decimals=1,
        overrides=[_dashed("F")],
    )
    yield row("People")
    yield timeseries(
        "plan: required and staffed",
        "Required against scheduled",
        [
            query("R", each(naming.REQUIRED), "required {{queue}} {{channel}}"),
            query("A", each(naming.STAFFED), "scheduled {{queue}} {{channel}}"),
        ],
        size=(12, 9),
        description=f"On the roster. Dashed: so many meet the targets. Solid: so many are scheduled. {_NOT_KNOWN}",
        unit="short",
        decimals=0,
        overrides=[_dashed("R")],
    )
    yield timeseries(
        "plan: gap",
        "Gap",
        [query("A", _GAP, "{{queue}} {{channel}}")],
        size=(12, 9),
        description="Scheduled less required: below 0 are too few. Only where both are known.",
        unit="short",
        decimals=0,
        least=None,
        steps=_SIGNED,
    )
    yield _queues()


_SIGNED: Final[Panel] = {
    "mode": "absolute",
    "steps": [{"color": RED, "value": None}, {"color": GREEN, "value": 0}],
}


def _dashed(ref_id: str) -> Override:
    return override(
        "byFrameRefID",
        ref_id,
        custom__lineStyle={"fill": "dash", "dash": [8, 6]},
        custom__fillOpacity=0,
        custom__lineInterpolation="stepAfter",
    )


def _now(purpose: str, title: str, metric: str, description: str) -> Panel:
    return stat(
        f"plan now: {purpose}",
        title,
        [query("A", f"sum({each(metric)})", title)],
        size=(6, 5),
        description=f"{description} Of the chosen queues of which it is known.",
        unit="short",
        decimals=0,
        steps={"mode": "absolute", "steps": [{"color": BLUE, "value": None}]},
    )


def _queues() -> Panel:
    titles = {
        "forecast": "Expected",
        "came": "Came in 15 min",
        "required": "Required",
        "staffed": "Scheduled",
        "gap": "Gap",
    }
    expressions = {
        "forecast": each(naming.FORECAST),
        "came": _COME,
        "required": each(naming.REQUIRED),
        "staffed": each(naming.STAFFED),
        "gap": _GAP,
    }
    order = ["queue", "channel", *(f"Value #{name}" for name in expressions)]
    organised: dict[str, Any] = {
        "excludeByName": {"Time": True},
        "indexByName": {name: n for n, name in enumerate(order)},
        "renameByName": {f"Value #{name}": title for name, title in titles.items()},
    }
    return table(
        "plan: queue by queue",
        "Queue by queue, now",
        [query(name, expression, form="table") for name, expression in expressions.items()],
        [{"id": "merge", "options": {}}, {"id": "organize", "options": organised}],
        size=(24, 9),
        description=f"Of the running quarter of an hour. A dash is not known. {_NOT_KNOWN}",
        unit="short",
        decimals=0,
        least=None,
        overrides=[
            override(
                "byName",
                titles["gap"],
                thresholds=_SIGNED,
                custom__cellOptions={"type": "color-background", "mode": "basic"},
            )
        ],
    )
