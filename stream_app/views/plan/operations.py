"""Descriptions of the planning routes."""

from typing import Final

from stream_app.views.intervals.query import zones
from stream_app.views.operation import Operation, Parameter
from stream_app.views.wire import Problem

from . import wire
from .routes import MOST_DAYS

_OF: Final = (
    Parameter("queue", "The queue", once=True, required=True),
    Parameter("channel", "The channel; optional if the queue has only one", once=True),
    Parameter(
        "tz",
        "IANA time zone of the times and of midnight; the queue's own by default",
        tuple(sorted(zones())),
        once=True,
    ),
)
_FAILS: Final = {
    400: "A parameter is unknown or has a value that is never valid",
    409: "Too little history: how much there is, and how many more days are needed. Or a target that can't be reached",
    422: "A queue with several channels and none given; a date without a plan",
    501: "Forecasting is not installed; the answer says how to install it",
    503: "Not now: the store is unavailable, or too many requests are waiting",
}
_PROBLEMS: Final = {409: (wire.TooLittleHistory, Problem)}

OPERATIONS: Final = (
    Operation(
        path="/v1/forecast",
        name="forecast",
        example="queue=sales&channel=voice&days=7",
        summary="Forecast of contacts from the start of today",
        text="By 15-minute interval, with 80 and 95 % prediction intervals, from the final interval rows of the last 26 weeks. "
        "`offered` is the forecast made before the day, `actual` the contacts offered, `reforecast` the rest of today "
        "adjusted by the contacts so far.",
        answer=wire.Forecast,
        parameters=(
            *_OF,
            Parameter(
                "days",
                "Local days, today is the first; 14 by default",
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
        example="queue=sales&channel=voice",
        summary="Agents that a day requires, and the service that the scheduled ones deliver",
        text="By 15-minute interval: the actual where it is final, otherwise the forecast. Agents are counted on the schedule.",
        answer=wire.Staffing,
        parameters=(
            *_OF,
            Parameter(
                "date",
                "A local date; today by default",
                once=True,
                schema={"type": "string", "format": "date"},
            ),
        ),
        fails=_FAILS,
        problems=_PROBLEMS,
    ),
    Operation(
        path="/v1/plan",
        name="outlook",
        summary="Totals and gaps of the coming days",
        text="Contacts, required and scheduled agent hours, peak and FTE by local day and week, and the gaps: runs of "
        "intervals in which too few are scheduled. Of one queue, or of the first 50 queues and channels by name. A queue "
        "without a plan says why in `problem`.",
        answer=wire.Outlook,
        parameters=(
            Parameter("queue", "The queue; all by default", once=True),
            Parameter("channel", "The channel, only with a queue; all of its channels by default", once=True),
            _OF[2],
            Parameter(
                "days",
                "Local days, today is the first; 7 by default",
                once=True,
                schema={"type": "integer", "minimum": 1, "maximum": MOST_DAYS},
            ),
        ),
        fails={status: text for status, text in _FAILS.items() if status != 409},
    ),
)
