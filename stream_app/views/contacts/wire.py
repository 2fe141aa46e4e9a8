"""Contacts as they are written, in every format. The order of the fields is that of CSV's columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from stream_app.model.contacts import ContactOutcome, FoundContact
from stream_app.views.stamping import Time, stamp

TIMES: Final = ("started",)
"""The columns that are times."""
_OUTCOME: Final = (
    "What became of it: `waiting` (nothing yet), `answered`, `abandoned`, `left` (the queue, unanswered), `contained` (a bot "
    "resolved it), `ended_with_bot` (unresolved), `lost` (its source never said), `closed`, or `outbound` (nobody took it)"
)

MaybeSeconds = Annotated[float | None, Meta(description="Seconds; null: it did not happen, or not yet")]
MaybeText = Annotated[
    str | None, Meta(description="As the events say; null: they don't, or it was forgotten")
]


class ContactRow(Struct, frozen=True):
    """A contact's visit to a queue."""

    contact_id: Annotated[str | None, Meta(description="null: it was forgotten")]
    url: Annotated[str | None, Meta(description="Where its platform shows it, if that is set")]
    queue: str
    channel: str
    started: Time
    open: Annotated[bool, Meta(description="It is not over yet, and may change")]
    outcome: Annotated[ContactOutcome, Meta(description=_OUTCOME)]
    wait_s: Annotated[float | None, Meta(description="Seconds until it was answered, was abandoned or left")]
    in_target: Annotated[bool | None, Meta(description="Whether that was within the answer target")]
    short: Annotated[bool | None, Meta(description="Of an abandoned one: within the short-abandon threshold")]
    left_by: Annotated[str | None, Meta(description="Of one that left: why")]
    first_response_s: Annotated[
        float | None, Meta(description="Seconds from the request to a person's first response")
    ]
    talk_s: MaybeSeconds
    hold_s: MaybeSeconds
    wrap_s: MaybeSeconds
    transferred: Annotated[bool, Meta(description="An agent passed it on")]
    outbound: Annotated[bool, Meta(description="It began with a call or message to the customer")]
    agent: Annotated[str | None, Meta(description="Who had it last")]
    team: MaybeText
    site: MaybeText
    customer: MaybeText
    case: MaybeText
    priority: MaybeText
    contact_reason: MaybeText
    wrap_up_code: MaybeText
    targets_version: Annotated[
        int | None, Meta(description="Of the targets by which it was counted; null: it is not over yet")
    ]


class UnknownRange(Struct, frozen=True):
    """A stretch of time of which contacts are missing."""

    begin: Annotated[Time, Meta(description="Contacts are missing from here")]
    end: Annotated[Time, Meta(description="to here")]


class ContactsAnswer(Struct, frozen=True):
    """A page of contacts, newest first."""

    at: Annotated[Time, Meta(description="When the answer was made")]
    begin: Annotated[Time, Meta(description="The range, as used")]
    end: Time
    when: Annotated[str, Meta(description="What must have happened in it")]
    total: Annotated[int, Meta(description="How many contacts are known, on all pages")]
    unknown: Annotated[
        list[UnknownRange],
        Meta(
            description="When contacts were counted that are missing here, in the range: the ledger began later, rows were "
            "lost, or they are kept no longer. Contacts that were over then are missing, whenever they started"
        ),
    ]
    rows: list[ContactRow]
    next: Annotated[str | None, Meta(description="Path of the next page; null: this is the last one")]


def contact_row(found: FoundContact, link: Callable[[str], str | None]) -> ContactRow:
    """Return a contact as it is written; ``link`` returns its address in the platform."""
    return ContactRow(
        found.contact_id,
        None if found.contact_id is None else link(found.contact_id),
        found.queue,
        found.channel,
        stamp(found.key.started),
        found.open,
        found.outcome,
        _seconds(found.wait),
        found.in_target,
        found.short,
        found.left_by,
        _seconds(found.response),
        _seconds(found.talk),
        _seconds(found.hold),
        _seconds(found.wrap),
        found.transferred,
        found.outbound,
        found.agent,
        found.team,
        found.site,
        found.customer,
        found.case,
        found.priority,
        found.contact_reason,
        found.wrap_up_code,
        found.version,
    )


def cells(row: ContactRow) -> list[Any]:
    """Return a row's values in the order of its columns."""
    return [getattr(row, name) for name in ContactRow.__struct_fields__]


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
