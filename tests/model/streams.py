"""Hostile streams out of a tiny world: few contacts, ids and moments, so that everything collides."""

import json
from typing import Any

from hypothesis import strategies as st

from stream_app.model.events import TYPES

from .kept import Line

T0 = 1_763_800_200_000  # at the start of a 15-minute interval
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

FIELDS: dict[str, dict[str, Any]] = {
    "contact.queued": {"queue": "x"},
    "contact.refused": {"queue": "x"},
    "case.opened": {"case": "k"},
    "case.resolved": {"case": "k"},
    "case.reopened": {"case": "k"},
    "case.escalated": {"case": "k"},
    "survey.sent": {},
    "survey.answered": {"kind": "csat", "score": 4},
    "quality.scored": {"score": 0.5},
    "sentiment.scored": {"score": -0.5},
    "sale.recorded": {"amount": "9.90", "currency": "EUR"},
    "agent.state": {"agent": "g", "state": "break"},
    "customer.joined": {"customer": "u"},
    "customer.left": {"customer": "u"},
    "customer.valued": {"customer": "u"},
    "platform.restarted": {},
    "training.assigned": {"agent": "g", "course": "tone", "due_at": T0 + DAY},
    "training.completed": {"agent": "g", "course": "tone"},
}
"""What an event of each type must carry besides id, type, at and contact."""

_STEPS = [0, 0, 1, 1_000, 4_999, 5_000, 5_001, 15_000, 20_000, 20_001, 59_999, 60_000, 60_001, 2 * MINUTE]
_LEAPS = [
    20 * MINUTE,
    30 * MINUTE,
    31 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    12 * HOUR,
    12 * HOUR + MINUTE,
    DAY,
    2 * DAY,
    3 * DAY,
    31 * DAY,
]
_SKEWS = [0, 0, 0, 0, -1, -1_000, -30_000, -60_000, -60_001, -2 * MINUTE - 1, -20 * MINUTE, -HOUR, -2 * DAY]
_AGES = [-3 * DAY, -30 * DAY, -31 * DAY]
_AHEAD = [1, 30_000, 60_000, 60_001, HOUR, 40 * DAY]
_CONTACT = [kind for kind in TYPES if kind.startswith(("contact", "message", "bot", "callback", "agent.m"))]
_MATTERS: dict[str, list[dict[str, Any]]] = {
    "survey.sent": [
        {},
        {},
        {"kind": "csat"},
        {"kind": "nps"},
        {"kind": "ces"},
        {"kind": "fcr"},
        {"kind": "stars"},
    ],
    "survey.answered": [
        {"kind": "csat", "score": 3, "scale": 3},
        {"kind": "csat", "score": 4.5},
        {"kind": "fcr", "score": 1},
        {"kind": "fcr", "score": 2},
        {"kind": "nps", "score": 9},
        {"kind": "nps", "score": 6},
        {"kind": "nps", "score": 11},
        {"kind": "ces", "score": 2},
        {"kind": "ces", "score": 3, "scale": 4},
        {"kind": "ces", "score": 0},
    ],
    "quality.scored": [
        {"score": 0.875, "compliant": True},
        {"score": 0.3333, "compliant": False, "automatic": True},
        {"score": 0.5, "criteria": {"empathy": 0.3333}},
        {"score": 0.5, "criteria": {"empathy": 1.5}},
        {"score": 1.5},
    ],
    "sentiment.scored": [{"score": -0.3335}, {"score": 1, "predicted_csat": 2.2}, {"score": 2}],
    "sale.recorded": [
        {"amount": "0.1", "currency": "EUR"},
        {"amount": 19.99, "currency": "USD"},
        {"amount": "1.00005", "currency": "EUR"},
        {"amount": "1", "currency": "XXX"},
        {"amount": " 1", "currency": "EUR"},
    ],
    "platform.restarted": [{}, {"source": "a"}, {"source": "pbx"}],
}
_OF_AGENTS: dict[str, list[Any]] = {
    "reason": ["lunch", "coaching"],
    "queue": ["x", "y"],
    "queues": [[], ["x"], ["y", "x"], ["x", "y"]],
    "for_s": [0, 30.0005],
    "team": ["red", "blue"],
    "site": ["Porto"],
    "slots": [{}, {"chat": 3}, {"chat": 0, "email": 9}, {"chat": -1}],
    "contacts": [
        [],
        [{"contact_id": "a-1", "state": "offered"}],
        [{"contact_id": "a-1", "state": "ringing"}],
        [{"contact_id": "a-1", "state": "held", "queue": "x"}, {"contact_id": "b", "state": "wrap"}],
        [{"contact_id": "b", "state": "wrap", "channel": "chat", "since": T0}],
    ],
}
"""What an agent's state may say besides."""
_KINDS = [*_CONTACT, *_CONTACT, "contact.queued", "contact.queued", "contact.answered", *TYPES]
_WRITTEN = [
    "message.sent",
    "message.received",
    "message.sent",
    "contact.ended",
    "case.reopened",
    "contact.held",
]
AGENTS = [*["agent.state"] * 7, "contact.queued", "contact.answered"]
SURVEYS = ["survey.sent", "survey.answered"]
_ALL = [*_KINDS, *_WRITTEN, *SURVEYS, *SURVEYS]


@st.composite
def _details(draw: st.DrawFn, queued: bool) -> dict[str, Any]:
    """What an event of a contact may say besides."""
    fields: dict[str, Any] = {}
    if queued or draw(st.booleans()):
        fields["queue"] = draw(st.sampled_from("xy"))
    if draw(st.booleans()):
        fields["channel"] = draw(st.sampled_from(["voice", "chat", "email", "callback", "messaging"]))
    optional: dict[str, list[Any]] = {
        "agent": ["g", "h"],
        "visit": [1, 2],
        "reason": [
            "timeout",
            "Full",
            "closed",
            "empty",
            "key",
            "overflow",
            "callback",
            "voicemail",
            "Spam",
        ],
        "wait_s": [0, 5, 5.0005, 20, 20.0005, 21],
        "talk_s": [0, 1.0005, 60],
        "hold_s": [0, 3],
        "wrap_s": [0, 7.5],
        "bot": [False, True],
        "by": ["bot", "bot", "agent", "customer"],
        "auto": [True],
        "private": [True],
        "reopens": [True],
        "priority": ["urgent", 1],
        "direction": ["outbound", "inbound"],
        "resumes": [True],
        "recurs": [True],
        "beginning": [
            {
                "id": name,
                "at": T0 + back,
                **({"answered_at": T0 + back + 7_000} if answered else {}),
                **({"exact": True} if exact else {}),
            }
            for name in ("i1", "b1", "b2")
            for back in (0, 1_500, 30_000, 2 * MINUTE)
            for answered in (False, True)
            for exact in (False, True, True)
        ],
    }
    for name, values in optional.items():
        if draw(st.integers(0, 3)) == 0:
            fields[name] = draw(st.sampled_from(values))
    return fields


@st.composite
def _telling(draw: st.DrawFn) -> dict[str, Any]:
    """What an agent's state says; often one of a few queues and states, so that spells go on."""
    fields: dict[str, Any] = {"agent": draw(st.sampled_from("gh"))}
    fields["state"] = draw(
        st.sampled_from(["available", "available", "on_contact", "wrap", "break", "offline"])
    )
    for name, values in _OF_AGENTS.items():
        if draw(st.integers(0, 2)) == 0:
            fields[name] = draw(st.sampled_from(values))
    return fields


@st.composite
def event(draw: st.DrawFn, kinds: list[str]) -> tuple[int, int, bool, dict[str, Any]]:
    """(time that passes, skew of its stamp, stamped by the broker, the event)."""
    kind = draw(st.sampled_from(kinds))
    fields: dict[str, Any] = {"type": kind, "contact_id": draw(st.sampled_from(["a-1", "b"]))} | FIELDS.get(
        kind, {}
    )
    fields["id"] = draw(st.one_of(st.sampled_from(["i1", "i2", "i3"]), st.uuids().map(str)))
    if kind == "agent.state":
        del fields["contact_id"]
        fields |= draw(_telling())
    elif kind in _CONTACT:
        fields |= draw(_details("queue" in fields))
    elif kind == "case.reopened":
        if draw(st.booleans()):
            fields["queue"] = draw(st.sampled_from("xy"))
            if channel := draw(st.sampled_from([None, "chat", "email", "voice"])):
                fields["channel"] = channel
    elif "contact_id" in fields and kind in _MATTERS:
        fields |= draw(st.sampled_from(_MATTERS[kind]))
        for name, values in {"queue": ["x", "y"], "channel": ["voice", "chat"]}.items():
            if draw(st.booleans()):
                fields[name] = draw(st.sampled_from(values))
    step = draw(st.sampled_from(_LEAPS if draw(st.integers(0, 9)) == 0 else _STEPS))
    skews = {0: _AHEAD, 1: _AGES}.get(draw(st.integers(0, 9)), _SKEWS)
    skew = draw(st.sampled_from(skews))
    return step, skew, draw(st.integers(0, 9)) > 0, fields


def line(offset: int, at: int, timestamp: int, **fields: Any) -> Line:
    return Line(offset, json.dumps({**fields, "at": at}).encode(), timestamp)


@st.composite
def streams(draw: st.DrawFn, max_size: int = 40, kinds: list[str] = _ALL) -> list[Line]:
    """Records of one partition, with gaps, poison, and stamps of every kind; events of these types."""
    out: list[Line] = []
    now, offset = T0, 0
    by_broker = draw(st.sampled_from([[0], [1], [0, 0, 1]]))
    crowd = draw(st.sampled_from([0, 4, 40]))
    for step, skew, stamped, fields in draw(st.lists(event(kinds), max_size=max_size)):
        now += step
        offset += 1 if draw(st.integers(0, 9)) else 3
        if draw(st.integers(0, 19)) == 0:
            bad = draw(st.sampled_from([None, b"", b"\xff", b"{", b"{}", b'{"type":"never.heard.of"}']))
            out.append(Line(offset, bad, now))
            offset += 1
        for n in range(draw(st.integers(0, crowd))):  # changes nothing, but agrees or disagrees on the time
            who, ahead = f"g{n}", draw(st.sampled_from([0, 0, skew]))
            fields_n = {"id": f"{offset} {n}", "type": "agent.state", "agent": who, "state": "break"}
            out.append(line(offset, now + ahead, -1, **fields_n))
            offset += 1
        out.append(line(offset, now + skew, now if stamped else -1, **fields))
        out[-1].timestamp_type = draw(st.sampled_from(by_broker))
    return out
