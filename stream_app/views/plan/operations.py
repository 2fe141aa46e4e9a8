"""The routes of plans, described."""

from typing import Final

from stream_app.views.operation import Operation, Parameter
from stream_app.views.wire import Problem

from . import wire
from .routes import MOST_DAYS

_OF: Final = (
    Parameter("queue", "Of this queue", once=True, required=True),
    Parameter("channel", "Of this channel; may be left out where the queue has one only", once=True),
    Parameter(
        "tz",
        "IANA zone of the times, and of where days begin; else the queue's own",
        once=True,
    ),
)
_FAILS: Final = {
    400: "A parameter is unknown, or has a value that it can't have: close matches are named",
    409: "Too little history: how much there is, and how many more days are needed. Or a target that nobody reaches",
    501: "What forecasts is not installed; says how to install it",
    503: "Not now: the store is away, or too many wait",
}
_PROBLEMS: Final = {409: (wire.TooLittleHistory, Problem)}

OPERATIONS: Final = (
    Operation(
        path="/v1/forecast",
        name="forecast",
        summary="Contacts to expect, from the start of today on",
        text="By quarters of an hour, with intervals of 80 and 95 %, from the final interval rows of the last 26 weeks. "
        "`offered` was thought before the day; `actual` is what came; `reforecast` is the rest of today by what came so far.",
        answer=wire.Forecast,
        parameters=(
            *_OF,
            Parameter(
                "days",
                "Local days, today is the first; 14 if it is left out",
                once=True,
                schema={"type": "integer", "minimum": 1, "maximum": MOST_DAYS},
            ),
        ),
        fails=_FAILS,
        problems=_PROBLEMS,
    ),
    Operation(
        path="/v1/staffing",
        name="staffing",
        summary="People whom a day needs, and what those scheduled reach",
        text="By quarters of an hour: of what came where an interval is final, else of the forecast. People are on the roster.",
        answer=wire.Staffing,
        parameters=(
            *_OF,
            Parameter(
                "date", "A local date; else today", once=True, schema={"type": "string", "format": "date"}
            ),
        ),
        fails=_FAILS,
        problems=_PROBLEMS,
    ),
)
