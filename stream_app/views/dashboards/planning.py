"""*Planning*: forecast against actual contacts, and required against scheduled agents."""

from collections.abc import Iterator
from typing import Final

from stream_app.views import links, naming

from . import shell
from .common import age, trust
from .look import (
    AMBER,
    BLUE,
    GREEN,
    GREY,
    RED,
    TRANSPARENT,
    Panel,
    dashed,
    no_value,
    override,
    steps,
    to_queue,
)
from .panels import query, row, stat, table, timeseries
from .queries import CHOSEN, QUEUES, TRUSTED, at_site, fresh, known

_INTERVAL: Final = "15m"
_OF_AN_INTERVAL: Final = "Contacts in a 15-minute interval. "
_FORECASTS: Final = (
    "A forecast needs six weeks of interval rows: stream-app intervals back-fills them from history."
)
_SCHEDULES: Final = "Scheduled agents need a schedule: stream-app schedules apply."
_NOT_KNOWN: Final = f"Not known yet. {_FORECASTS} {_SCHEDULES}"
GAP: Final = f"{known(naming.STAFFED)} - {known(naming.REQUIRED)}"
SHORT: Final = f"0 - sum(clamp_max({GAP}, 0))"
"""Shortfalls only: spare agents of one queue may not serve another, and would hide that it is short of agents."""
_OFFERED: Final = fresh(f"increase({naming.total('offered')}{{{CHOSEN}}}[{_INTERVAL}])")
_ACTUAL: Final = at_site(f"max by ({QUEUES}) ({_OFFERED})")
"""Contacts offered in the last 15 minutes: the rate, scaled to the length of an interval."""
_LEGEND: Final = "{{queue}} {{channel}}"


def dashboard() -> str:
    """Draw the current 15-minute interval and its history; days ahead are on the planning page of ``serve``."""
    return shell.dashboard(
        links.PLANNING,
        "Forecast against actual contacts, required against scheduled agents, over time; days ahead are at /plan.",
        list(_panels()),
        variables=(naming.QUEUE, naming.CHANNEL, naming.SITE),
        since="now-12h",
        refresh="30s",
    )


def _panels() -> Iterator[Panel]:
    yield row("The current 15-minute interval: is anybody missing, and is it true?")
    yield _short()
    yield _now(
        "required", "Required", naming.REQUIRED, f"Agents on the schedule, to meet the targets. {_FORECASTS}"
    )
    yield _now("staffed", "Scheduled", naming.STAFFED, f"Agents on the imported schedule. {_SCHEDULES}")
    yield _now("forecast", "Forecast contacts", naming.FORECAST, f"For the whole interval. {_FORECASTS}", 4)
    yield age(6)
    yield trust(4)
    yield row("Contacts")
    yield timeseries(
        "plan: forecast and actual",
        "Forecast against actual",
        [query("F", known(naming.FORECAST), _LEGEND), query("A", _ACTUAL, _LEGEND)],
        size=(24, 9),
        description=f"{_OF_AN_INTERVAL}Dashed: forecast for the current interval. Solid, in the same colour: offered in the "
        f"last 15 minutes, which is comparable once an interval is over. {_FORECASTS}",
        none=_NOT_KNOWN,
        unit="locale",
        room=5,
        overrides=[dashed("F")],
        links=to_queue(window=False),
    )
    yield row("Agents")
    yield timeseries(
        "plan: required and staffed",
        "Required against scheduled",
        [query("R", known(naming.REQUIRED), _LEGEND), query("A", known(naming.STAFFED), _LEGEND)],
        size=(12, 9),
        description="Agents on the schedule. Dashed: required to meet the targets. Solid, in the same colour: scheduled. "
        f"{_FORECASTS} {_SCHEDULES}",
        none=_NOT_KNOWN,
        unit="locale",
        room=5,
        overrides=[dashed("R")],
        links=to_queue(window=False),
    )
    yield timeseries(
        "plan: gap",
        "Gap",
        [query("A", GAP, _LEGEND)],
        size=(12, 9),
        description="Scheduled minus required: below the line is understaffed. Only where both are known. "
        f"{_FORECASTS} {_SCHEDULES}",
        none=_NOT_KNOWN,
        unit="locale",
        least=None,
        line_at="dashed",
        steps=steps(TRANSPARENT, (0, GREY)),
        links=to_queue(window=False),
    )
    yield row("Queue by queue, the most understaffed first")
    yield _queues()


def _short() -> Panel:
    return stat(
        "plan now: gap",
        "Agents short",
        SHORT,
        size=(4, 5),
        description="Agents missing, added over the chosen queues that have fewer scheduled than required. Spare agents "
        f"elsewhere are not subtracted: they may not serve these queues. {_FORECASTS} {_SCHEDULES}",
        unit="locale",
        decimals=1,
        steps=steps(GREEN, (0.05, AMBER), (1, RED)),
    )


def _now(purpose: str, title: str, metric: str, description: str, width: int = 3) -> Panel:
    return stat(
        f"plan now: {purpose}",
        title,
        f"sum({known(metric)})",
        size=(width, 5),
        description=f"{description} Over the chosen queues for which it is known.",
        unit="locale",
        decimals=0,
        steps=steps(BLUE),
    )


def _queues() -> Panel:
    nothing = (
        f'label_replace(({TRUSTED}) unless on () {known(naming.OPEN)}, "{naming.QUEUE}", "none", "", "")'
    )
    expressions = {
        "short": f"0 - clamp_max({GAP}, 0)",
        "forecast": known(naming.FORECAST),
        "actual": f"{_ACTUAL} or 0 * {nothing}",
        "required": known(naming.REQUIRED),
        "staffed": known(naming.STAFFED),
    }
    titles = ("Short", "Forecast", "Actual, 15 min", "Required", "Scheduled")
    heads = {naming.QUEUE: "Queue", naming.CHANNEL: "Channel"}
    heads |= {f"Value #{name}": title for name, title in zip(expressions, titles, strict=True)}
    return table(
        "plan: queue by queue",
        "By queue, now",
        [query(name, expression, form="table") for name, expression in expressions.items()],
        heads,
        none=_NOT_KNOWN,
        worst_first="Short",
        size=(24, 9),
        description=f"The current 15-minute interval. Short: agents missing. A dash is unknown. {_FORECASTS} {_SCHEDULES}",
        unit="locale",
        decimals=1,
        overrides=[
            override(
                "byName",
                "Short",
                thresholds=steps(GREEN, (0.05, AMBER), (1, RED)),
                mappings=no_value(TRANSPARENT),
                custom__cellOptions={"type": "color-background", "mode": "basic"},
            ),
            override("byName", "Queue", links=to_queue(window=False, fields=True)),
        ],
    )
