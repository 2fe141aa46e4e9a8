"""The tables of the ledger. Their columns follow from the kinds of facts; what is not a fact is listed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, get_args, get_origin, get_type_hints

from stream_app.model import facts as f
from stream_app.model.facts import Fact

from .tables import ColumnKind, LedgerColumn, LedgerTable

IN_VISITS: Final[tuple[type[Fact], ...]] = (
    f.Offered,
    f.Answered,
    f.Abandoned,
    f.Left,
    f.Decided,
    f.Lost,
    f.Responded,
    f.QueueResponded,
    f.Reopened,
    f.Transferred,
    f.Handled,
    f.Unfinished,
    f.CalledOut,
    f.OutboundHandled,
    f.ToBot,
    f.FromBot,
    f.Contained,
    f.Returned,
    f.EndedWithBot,
)
"""What a visit counts, at most once each; what it took back is not noted any more."""
IN_HAPPENINGS: Final[dict[str, tuple[type[Fact], ...]]] = {
    "replies": (f.Replied,),
    "offers": (f.Missed,),
    "resumptions": (f.Undone,),
    "opinions": (
        f.Surveyed,
        f.SurveyReturned,
        f.CsatAnswered,
        f.NpsAnswered,
        f.CesAnswered,
        f.Reviewed,
        f.AutoReviewed,
        f.Sentiment,
        f.Predicted,
        f.Sold,
        f.FcrAnswered,
    ),
    "refusals": (f.Refused,),
}
"""What counts at its own time, by table."""
TABLE_OF: Final = {
    "reply": "replies",
    "offer": "offers",
    "resumption": "resumptions",
    "opinion": "opinions",
    "refusal": "refusals",
    "case": "cases",
    "customer": "customers",
    "criterion": "criteria",
    "training": "trainings",
    "spell": "spells",
    "stretch": "stretches",
}
"""A happening's kind → its table."""

_DURATIONS: Final = frozenset(
    {"wait", "wait_open", "after", "after_open", "here", "before_open", "target"}
    | {"talk", "hold", "wrap", "pending", "estimate", "lasted"}
)
_IDENTITY: Final = (
    LedgerColumn("topic_id", "text", required=True),
    LedgerColumn("partition", "integer", required=True),
    LedgerColumn("offset", "integer", required=True),
    LedgerColumn("n", "integer", required=True),
    LedgerColumn("version", "integer", required=True),
)
_WHOSE: Final[tuple[LedgerColumn, ...]] = tuple(
    LedgerColumn(name, "text")
    for name in ("contact_id", "queue", "channel", "agent", "team", "site", "customer", "case")
)


def fact_name(kind: type[Fact]) -> str:
    """Return what the columns of a kind of fact begin with: ``CsatAnswered`` → ``csat_answered``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def fact_column(kind: type[Fact], field: str) -> str:
    """Return the column that has a field of a fact: ``Answered.wait`` → ``answered_wait_ms``."""
    return f"{fact_name(kind)}_{field}{'_ms' if field in _DURATIONS else ''}"


def fact_columns(kind: type[Fact]) -> Iterator[LedgerColumn]:
    """Yield the columns of a kind of fact, its time first."""
    for field, hint in get_type_hints(kind).items():
        yield LedgerColumn(fact_column(kind, field), _kind(field, hint))


def _kind(field: str, hint: object) -> ColumnKind:
    if field == "at" or field.endswith("_at"):
        return "moment"
    kind = type(get_args(hint)[0]) if get_origin(hint) is Literal else hint
    return {bool: "yes_no", int: "integer", str: "text"}[kind]  # type: ignore[index,return-value]


def _happenings(name: str) -> LedgerTable:
    own = [LedgerColumn("sign", "integer", required=True), LedgerColumn("visit_started_at", "moment")]
    if name == "replies":
        own.append(LedgerColumn("priority", "text"))
    counted = (column for kind in IN_HAPPENINGS[name] for column in fact_columns(kind))
    return LedgerTable(name, (*_IDENTITY, LedgerColumn("at", "moment"), *_WHOSE, *own, *counted), "at")


VISITS: Final = LedgerTable(
    "visits",
    (
        *_IDENTITY,
        LedgerColumn("started_at", "moment"),
        *_WHOSE,
        LedgerColumn("priority", "text"),
        LedgerColumn("contact_reason", "text"),
        LedgerColumn("wrap_up_code", "text"),
        LedgerColumn("outbound", "yes_no"),
        LedgerColumn("open_state", "text"),
        LedgerColumn("open_since", "moment"),
        *(column for kind in IN_VISITS for column in fact_columns(kind)),
    ),
    "started_at",
)
CASES: Final = LedgerTable(
    "cases",
    (
        *_IDENTITY,
        LedgerColumn("at", "moment"),
        LedgerColumn("event", "text"),
        *_WHOSE,
        LedgerColumn("tier", "integer"),
        LedgerColumn("opened_at", "moment"),
    ),
    "at",
)
CUSTOMERS: Final = LedgerTable(
    "customers",
    (
        *_IDENTITY,
        LedgerColumn("at", "moment"),
        LedgerColumn("event", "text"),
        LedgerColumn("customer", "text"),
        LedgerColumn("segment", "text"),
        LedgerColumn("purchase_value", "number"),
        LedgerColumn("purchases_per_year", "number"),
        LedgerColumn("years", "number"),
    ),
    "at",
)
CRITERIA: Final = LedgerTable(
    "criteria",
    (
        *_IDENTITY,
        LedgerColumn("at", "moment"),
        *_WHOSE,
        LedgerColumn("criterion", "text"),
        LedgerColumn("score", "integer"),
        LedgerColumn("automatic", "yes_no"),
    ),
    "at",
)
TRAININGS: Final = LedgerTable(
    "trainings",
    (
        *_IDENTITY,
        LedgerColumn("at", "moment"),
        LedgerColumn("event", "text"),
        LedgerColumn("agent", "text"),
        LedgerColumn("team", "text"),
        LedgerColumn("site", "text"),
        LedgerColumn("course", "text"),
        LedgerColumn("due_at", "moment"),
    ),
    "at",
)
SPELLS: Final = LedgerTable(
    "spells",
    (
        *_IDENTITY,
        LedgerColumn("began_at", "moment"),
        LedgerColumn("ended_at", "moment"),
        LedgerColumn("sign", "integer", required=True),
        LedgerColumn("agent", "text"),
        LedgerColumn("team", "text"),
        LedgerColumn("site", "text"),
        LedgerColumn("agent_state", "text"),
        LedgerColumn("reason", "text"),
        LedgerColumn("work", "text"),
        LedgerColumn("queues", "texts"),
        LedgerColumn("away_queues", "texts"),
        LedgerColumn("unended", "yes_no"),
    ),
    "began_at",
)
STRETCHES: Final = LedgerTable(
    "stretches",
    (
        *_IDENTITY,
        LedgerColumn("began_at", "moment"),
        LedgerColumn("ended_at", "moment"),
        LedgerColumn("contact_id", "text"),
        LedgerColumn("queue", "text"),
        LedgerColumn("channel", "text"),
        LedgerColumn("visit_started_at", "moment"),
        LedgerColumn("agent", "text"),
        LedgerColumn("team", "text"),
        LedgerColumn("site", "text"),
    ),
    "began_at",
)
TABLES: Final[dict[str, LedgerTable]] = {
    table.name: table
    for table in (
        VISITS,
        *map(_happenings, IN_HAPPENINGS),
        CASES,
        CUSTOMERS,
        CRITERIA,
        TRAININGS,
        SPELLS,
        STRETCHES,
    )
}
"""Name → table."""
