"""Any events of a few contacts, in order of time and within half an hour, so that no time-out tells moments apart."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from .log import T0
from .model import Reference

Fields = dict[str, Any]


class Told(NamedTuple):
    """An event; `at` in ms after the beginning."""

    at: int
    contact: str
    kind: str
    fields: Fields


_BILLING, _SALES = {"queue": "billing"}, {"queue": "sales"}
_OPENINGS: list[tuple[str, Fields]] = [
    *[("contact.queued", {**queue, "channel": c}) for queue in (_BILLING, _SALES) for c in ("chat", "email")],
    ("contact.queued", {**_BILLING, "channel": "chat", "resumes": True}),
    ("contact.queued", {**_BILLING, "channel": "chat", "reopens": True}),
    ("contact.queued", {**_BILLING, "channel": "email", "priority": "high"}),
    ("contact.queued", {**_BILLING, "channel": "chat", "direction": "outbound"}),
    ("message.sent", {**_SALES, "channel": "email", "direction": "outbound"}),
    ("case.reopened", {"case": "k"}),
    ("case.reopened", {**_BILLING, "channel": "chat", "case": "k"}),
]
_CALLS: list[tuple[str, Fields]] = [
    ("contact.queued", _BILLING),
    ("contact.answered", {**_SALES, "direction": "outbound", "agent": "a1"}),
]
_MESSAGES: list[tuple[str, Fields]] = [
    ("message.received", {}),
    ("message.received", _SALES),
    ("message.sent", {"agent": "a1"}),
    ("message.sent", {"agent": "a2"}),
    ("message.sent", {"bot": True}),
    ("message.sent", {"agent": "a1", "private": True}),
    ("message.sent", {"auto": True}),
    ("message.received", {"auto": True}),
    ("bot.started", {}),
    ("bot.handed_off", {}),
    ("contact.answered", {"agent": "a1"}),
    ("contact.held", {}),
    ("contact.resumed", {}),
    ("agent.missed", {"agent": "a2"}),
]
_SURVEYS: list[tuple[str, Fields]] = [
    ("survey.sent", {}),
    ("survey.sent", {**_SALES, "kind": "nps"}),
    ("survey.answered", {"kind": "csat", "score": 5}),
    ("survey.answered", {**_SALES, "kind": "csat", "score": 2}),
    ("survey.answered", {**_BILLING, "kind": "nps", "score": 9}),
    ("survey.answered", {"kind": "fcr", "score": 1}),
]
ENDS: list[tuple[str, Fields]] = [
    ("contact.transferred", {}),
    ("contact.left_queue", {"reason": "timeout"}),
    ("contact.left_queue", {"reason": "spam"}),
    ("callback.scheduled", {}),
    ("contact.abandoned", {}),
    *[("contact.ended", {"by": by}) for by in ("agent", "customer", "bot")],
    ("contact.wrapped", {}),
]
_ASKED = _OPENINGS[:4]
WRITTEN_KINDS = 3 * _ASKED + _OPENINGS + 3 * _MESSAGES + 2 * ENDS + _SURVEYS
KINDS = WRITTEN_KINDS + 2 * _CALLS
_GAPS = st.sampled_from((0, 1, 900, 5_000, 20_000, 50_000))


@st.composite
def tales(draw: st.DrawFn, kinds: list[tuple[str, Fields]] = KINDS, longest: int = 30) -> list[Told]:
    """Events of two contacts, the first of which is queued."""
    steps = draw(
        st.lists(
            st.tuples(_GAPS, st.sampled_from(("c1", "c1", "c2")), st.sampled_from(kinds)), max_size=longest
        ),
    )
    told, at = [Told(0, "c1", *draw(st.sampled_from(_ASKED + _ASKED + _OPENINGS)))], 0
    for gap, contact, (kind, fields) in steps:
        at += gap
        told.append(Told(at, contact, kind, fields))
    return told


def feed(reference: Reference, told: Told, event_id: str, offset: int) -> str:
    """Returns the result."""
    head = {"id": event_id, "type": told.kind, "at": T0 + told.at, "contact_id": told.contact}
    value = json.dumps({**head, **told.fields}).encode()
    return reference.feed(offset, value, by_broker=True)


def after(tale: list[Told], reference: Reference | None = None) -> Reference:
    """What all of it became; ids are the events' places, and so survive what is put in between."""
    reference = reference or Reference()
    for offset, told in enumerate(tale):
        feed(reference, told, told.fields.get("id", f"e{offset}"), offset)
    return reference
