"""The description of the route."""

from typing import Final

from stream_app.views.contacts.query import MOST_DAYS
from stream_app.views.intervals import query as times
from stream_app.views.operation import Operation, Parameter

from .api import PATH
from .query import LONGEST_SETTING, MOST_SETTINGS
from .wire import WhatIfAnswer

_MOMENT: Final = {"type": "string", "pattern": times.TIME}

OPERATION: Final = Operation(
    path=PATH,
    name="what_if",
    example="set=queues.sales.answer_target_s=30&from=2026-01-05&to=2026-01-06&tz=Europe/Berlin",
    summary="What KPIs would have been under other targets, beside what they were",
    text="From the ledger: the same contacts, judged by other targets, short-abandon thresholds, priorities, business hours or "
    "clocks; by all service-level policies at once. The targets in force are not changed. What decides more than how a "
    "contact is judged can't be tried on contacts that are over, and is refused. `unknown`, and `X-Unknown`, is when contacts "
    "are missing. Off where serve can be reached from other machines until STREAM_APP_CONTACTS=on. Full description: "
    "docs/ledger.md.",
    answer=WhatIfAnswer,
    parameters=(
        Parameter(
            "set",
            "A target to try, as in the targets file, e.g. queues.sales.answer_target_s=30",
            required=True,
            longest=LONGEST_SETTING,
            most=MOST_SETTINGS,
        ),
        Parameter(
            "from",
            "The range begins here: a time with an offset, or a date or local time of `tz`. Default: 24 hours before `to`; "
            f"at most {MOST_DAYS} days",
            once=True,
            schema=_MOMENT,
            longest=times.LONGEST_TIME,
        ),
        Parameter(
            "to",
            "The range ends before this, in the same form. Default: the end of this minute",
            once=True,
            schema=_MOMENT,
            longest=times.LONGEST_TIME,
        ),
        Parameter("tz", "IANA time zone; UTC by default", tuple(sorted(times.zones())), once=True),
        Parameter("queue", "Only this queue; all by default", once=True, seen=True),
    ),
    fails={
        400: "A parameter is unknown or missing, has an invalid value, or names a queue that was never seen",
        403: "Contacts are not shown here",
        422: "Parameters do not fit together: a target that does not exist, has an invalid value, changes no number that is "
        "computed here, or can't be tried on contacts that are over; a range that is empty or too long; or the question takes "
        "too long",
        501: "What reads the ledger is not installed",
        503: "There is no ledger here, its storage or Redis is unavailable, or serve has not read it yet",
    },
)
