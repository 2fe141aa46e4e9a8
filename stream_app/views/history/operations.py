"""The description of the route."""

from typing import Final

from stream_app.views.intervals import query as times
from stream_app.views.intervals.api import CSV
from stream_app.views.operation import Operation, Parameter

from .api import PATH
from .query import DEFAULT, DEFAULT_LIMIT, EVERY, FORMATS, GROUPS, KPIS, MOST_DAYS, MOST_PERIODS, POLICIES
from .wire import HistoryAnswer

_MOMENT: Final = {"type": "string", "pattern": times.TIME}

OPERATION: Final = Operation(
    path=PATH,
    name="history",
    example="kpi=csat&by=week&from=2026-01-05&tz=Europe/Berlin",
    summary="A KPI by day or week, for as long as the ledger is kept",
    text="KPIs of the ledger, and all others that are made of counters, computed from contacts: what is told late changes the "
    "days that it is about. Days and ISO weeks are whole ones of `tz`, a day has 23 to 25 hours where clocks change. "
    "A running one is not `final`; one of which contacts are missing is not `known`, and `unknown` says when. A page links to "
    "the next one: `next`, and `Link` in every format; it ends early if it takes long. By agent it is off where serve can be "
    "reached from other machines until STREAM_APP_CONTACTS=on. Full description: docs/ledger.md.",
    answer=HistoryAnswer,
    parameters=(
        Parameter("kpi", "The KPI", tuple(KPIS), once=True, required=True),
        Parameter("by", "day by default; weeks begin on Monday", EVERY, once=True),
        Parameter(
            "from",
            "The first day or week has this moment: a time with an offset, or a date or local time of `tz`. Default: "
            f"{DEFAULT['day']} days, or {DEFAULT['week']} weeks, before `to`; at most {MOST_DAYS} days",
            once=True,
            schema=_MOMENT,
            longest=times.LONGEST_TIME,
        ),
        Parameter(
            "to",
            "The last one begins before this, in the same form. Default: now",
            once=True,
            schema=_MOMENT,
            longest=times.LONGEST_TIME,
        ),
        Parameter("tz", "IANA time zone; UTC by default", tuple(sorted(times.zones())), once=True),
        Parameter("queue", "Only these queues", seen=True),
        Parameter("channel", "Only these channels", seen=True),
        Parameter(
            "group", "By what each day or week is split; not at all by default", tuple(GROUPS), once=True
        ),
        Parameter(
            "policy",
            "Of first contact resolution, all by default, or of the service level, each queue's own by default",
            POLICIES,
            once=True,
        ),
        Parameter("format", "json by default", FORMATS, once=True),
        Parameter(
            "limit",
            f"Days or weeks per page, 1 to {MOST_PERIODS}; {DEFAULT_LIMIT} by default",
            once=True,
            schema={"type": "integer", "minimum": 1, "maximum": MOST_PERIODS},
        ),
    ),
    fails={
        400: "A parameter is unknown or missing, has an invalid value, or names a queue or channel that was never seen",
        403: "Agents are not shown here",
        422: "Parameters do not fit together: a range that is empty or too long, a group or policy that the KPI does not have; "
        "or the question takes too long",
        501: "What reads the ledger is not installed",
        503: "There is no ledger here, its storage or Redis is unavailable, or serve has not read it yet",
    },
    media=(CSV,),
)
