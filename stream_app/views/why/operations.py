"""The description of the route."""

from typing import Final

from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.ledger_numbers import LEDGER_WINDOWS
from stream_app.model.why import WHICH
from stream_app.model.windows import WINDOWS
from stream_app.views.contacts.query import DEFAULT_LIMIT, MOST_DAYS, MOST_ROWS
from stream_app.views.intervals import query as times
from stream_app.views.intervals.api import CSV
from stream_app.views.ledger.query import DEFAULT_WINDOW as LEDGER_DEFAULT
from stream_app.views.operation import Operation, Parameter

from .api import PATH
from .query import DEFAULT_WINDOW, FORMATS, MOST_SKIPPED
from .wire import WhyAnswer

_FORMULAS: Final = [name for kpi in FROM_LEDGER for name in kpi.measures if name]
_MOMENT: Final = {"type": "string", "pattern": times.TIME}

OPERATION: Final = Operation(
    path=PATH,
    name="why",
    example="kpi=service_level&queue=sales&channel=voice&window=30m",
    summary="Why a number is what it is: its formula, and the contacts that make it",
    text="From the ledger, at the position that the counters have. The value is that of /v1/now; the contacts' numerators and "
    "denominators add up to it. `left_out` is whom the formula leaves out, and by which rule. A value of now is made of "
    "contacts that are open, a compliance of `intervals`, and a value that follows from other KPIs of `parts`, which link to "
    "explanations of their own. A KPI of the ledger is that of /v1/ledger: it is made of contacts, cases, customers, or what "
    "agents were assigned. `unknown`, and `X-Unknown`, is when contacts are missing. Off where serve can be reached from "
    "other machines until STREAM_APP_CONTACTS=on. Full description: docs/ledger.md.",
    answer=WhyAnswer,
    parameters=(
        Parameter(
            "kpi",
            "A live KPI, or one of the ledger",
            (*BY_NAME, *(kpi.name for kpi in FROM_LEDGER)),
            once=True,
            required=True,
        ),
        Parameter("queue", "Only this queue; all by default", once=True, seen=True),
        Parameter("channel", "Only this channel; all by default", once=True, seen=True),
        Parameter(
            "window",
            f"The window, now; {DEFAULT_WINDOW} by default, of a KPI of the ledger {LEDGER_DEFAULT}. Not with from and to, and "
            "not of a live value of now",
            tuple(dict.fromkeys((*WINDOWS, *LEDGER_WINDOWS))),
            once=True,
        ),
        Parameter(
            "from",
            "A range instead of a window: a time with an offset, or a date or local time of `tz`. Of a live KPI it is widened "
            f"to whole 10 s. Default: 24 hours before `to`; at most {MOST_DAYS} days",
            once=True,
            schema=_MOMENT,
            longest=times.LONGEST_TIME,
        ),
        Parameter(
            "to",
            "The range ends before this, in the same form. Default: now",
            once=True,
            schema=_MOMENT,
            longest=times.LONGEST_TIME,
        ),
        Parameter("tz", "IANA time zone; UTC by default", tuple(sorted(times.zones())), once=True),
        Parameter(
            "policy",
            "Service-level policy instead of each queue's own; of a KPI of the ledger one of its formulas",
            tuple(dict.fromkeys((*SERVICE_LEVELS, *_FORMULAS))),
            once=True,
        ),
        Parameter(
            "settled",
            "Of a KPI of the ledger that settles: yes is only what nothing told in time can change; no by default",
            ("yes", "no"),
            once=True,
        ),
        Parameter(
            "which",
            "The contacts: all, those that count in the numerator (met), in the denominator only (missed), or that a rule "
            "leaves out; all by default",
            WHICH,
            once=True,
        ),
        Parameter("format", "json by default; csv has the contacts only", FORMATS, once=True),
        Parameter(
            "limit",
            f"Contacts per page, 1 to {MOST_ROWS}; {DEFAULT_LIMIT} by default",
            once=True,
            schema={"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
        ),
        Parameter(
            "skip",
            "Contacts before the page; part of `next`",
            once=True,
            schema={"type": "integer", "minimum": 0, "maximum": MOST_SKIPPED},
        ),
    ),
    fails={
        400: "A parameter is unknown or missing, has an invalid value, or names a queue or channel that was never seen",
        403: "Contacts are not shown here",
        422: "Parameters do not fit together: a window of a value of now, a policy of a KPI with one definition, a queue "
        "of a KPI of customers, a range that is empty or too long; or the question takes too long",
        501: "What reads the ledger is not installed",
        503: "There is no ledger here, its storage or Redis is unavailable, or serve has not read it yet",
    },
    media=(CSV,),
)
