"""The description of the route."""

from typing import Final

from stream_app.model.contacts import OUTCOMES, WHEN
from stream_app.views.intervals import query as times
from stream_app.views.intervals.api import CSV, PARQUET
from stream_app.views.operation import Operation, Parameter

from .api import PATH
from .query import DEFAULT_LIMIT, FORMATS, MOST_DAYS, MOST_ROWS
from .wire import ContactsAnswer

_MOMENT: Final = {"type": "string", "pattern": times.TIME}

OPERATION: Final = Operation(
    path=PATH,
    name="contacts",
    example="queue=sales&outcome=abandoned&from=2026-01-05&to=2026-01-06&tz=Europe/Berlin",
    summary="The contacts behind the numbers, newest first",
    text="From the ledger, and of those that are not over yet as they are now: whatever is counted is here at once. `total` "
    "for a queue and `when` is what is counted in that time. A page links to the next one: `next`, and `Link` in every format; "
    "contacts that come meanwhile neither repeat one nor push one out. `unknown`, and `X-Unknown`, is when contacts are "
    "missing: no contact is no zero there. Off where serve can be reached from other machines until "
    "STREAM_APP_CONTACTS=on. Full description: docs/ledger.md.",
    answer=ContactsAnswer,
    parameters=(
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
        Parameter(
            "when",
            "What must have happened in the range: that it `started`, by default, or …",
            WHEN,
            once=True,
        ),
        Parameter("queue", "Only these queues", seen=True),
        Parameter("channel", "Only these channels", seen=True),
        Parameter("agent", "Only contacts that one of these agents had last"),
        Parameter("team", "Only of these teams"),
        Parameter("customer", "Only of these customers"),
        Parameter("case", "Only of these cases"),
        Parameter("contact_reason", "Only with one of these reasons"),
        Parameter("outcome", "Only with one of these outcomes", OUTCOMES),
        Parameter("format", "json by default", FORMATS, once=True),
        Parameter(
            "limit",
            f"Contacts per page, 1 to {MOST_ROWS}; {DEFAULT_LIMIT} by default",
            once=True,
            schema={"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
        ),
        Parameter("cursor", "Where the page begins; part of `next`", once=True, longest=4_096),
    ),
    fails={
        400: "A parameter is unknown, has an invalid value, or names a queue or channel that was never seen",
        403: "Contacts are not shown here",
        422: "Parameters do not fit together: a range that is empty or too long, a local time that its clock skips or shows "
        "twice or that has no `tz`, a cursor of another query; or the question takes too long",
        501: "What reads the ledger, or writes Parquet, is not installed",
        503: "There is no ledger here, its storage or Redis is unavailable, or serve has not read it yet",
    },
    media=(CSV, PARQUET),
)
