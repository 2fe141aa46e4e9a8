"""From the bytes of a record to an event, or to the reason why it is none."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, NoReturn

from .checks import ID, NAME, Fields, Refusal, Refused, is_int, number, text, truth, whole
from .facts import Fact, read_fact
from .tellings import Telling, read_telling
from .vocabulary import (
    CONTACT_EVENTS,
    NO_CONTACT,
    OUTCOMES,
    QUEUE_EVENTS,
    VISIT_EVENTS,
    VOCABULARY,
)

__all__ = ["OUTCOMES", "QUEUE_EVENTS", "VISIT_EVENTS", "VOCABULARY", "Beginning", "Event", "read"]

MAX_VALUE_BYTES = 65_536
MAX_DEPTH = 100
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000  # 2000-01-01 and 2100-01-01, inclusive

LONGEST_S = 365 * 86_400
WORTH = {"purchase_value": 100_000_000, "purchases_per_year": 50_000, "years": 100}
"""What tells a customer's value, and how much it may be."""

_TEXTS = {
    **dict.fromkeys(("id", "contact_id", "agent", "customer", "case"), ID),
    **dict.fromkeys(("queue", "channel", "team", "site", "contact_reason", "wrap_up_code"), NAME),
}
_STATED = {
    "contact.answered": ("wait_s",),
    "contact.abandoned": ("wait_s",),
    "contact.left_queue": ("wait_s",),
    "callback.scheduled": ("wait_s",),
    "contact.transferred": ("wait_s", "talk_s", "hold_s"),
    "contact.ended": ("talk_s", "hold_s"),
    "contact.wrapped": ("talk_s", "hold_s", "wrap_s"),
}
_MESSAGES = ("message.received", "message.sent")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
)
_FRACTION = re.compile(r"\.[0-9]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _no_constants(name: str) -> NoReturn:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(name)


def _int(digits: str) -> int:
    """Python refuses to convert thousands of digits; JSON does not."""
    return int(digits[:100])


_decode = json.JSONDecoder(parse_constant=_no_constants, parse_int=_int).decode


class Beginning(NamedTuple):
    """How the visit of an outcome began, for those who missed its `contact.queued`."""

    id: str
    at: int
    answered_at: int | None
    exact: bool


class Event(NamedTuple):
    """A record that could be read; times and stated durations in milliseconds, absent texts empty."""

    id: str
    type: str
    at: int
    sender: str
    contact: str
    queue: str
    channel: str
    agent: str
    visit: int | None
    outbound: bool
    resumes: bool
    recurs: bool
    reopens: bool
    priority: str
    bot: bool
    auto: bool
    private: bool
    by: str
    stated: dict[str, int]
    beginning: Beginning | None
    fact: Fact | None
    telling: Telling | None
    source: str
    reason: str
    said: Fields
    """All of its fields, as they were told."""

    @property
    def place(self) -> tuple[str, str]:
        """Queue and channel of an event that starts something: without a channel it is voice."""
        return self.queue, self.channel or "voice"

    @property
    def by_person(self) -> bool:
        """Whether a person of ours wrote it to the customer."""
        return self.type == "message.sent" and not self.bot and not self.no_message

    @property
    def no_message(self) -> bool:
        """An acknowledgement, or a note among colleagues: nobody was answered and nobody asked."""
        return self.auto or self.private

    @property
    def opener(self) -> bool:
        """Whether it may open a visit though it is neither queued nor answered."""
        if self.type == "case.reopened":
            return self.contact != "" and self.queue != ""
        return self.type == "message.sent" and self.outbound and self.queue != "" and not self.no_message


def read(value: bytes | None) -> Event | Refusal:
    """Decode one record's value; never raises, whatever the bytes."""
    try:
        return _event(_json_object(value))
    except Refused as refused:
        return refused.refusal


def _json_object(value: bytes | None) -> Fields:
    if value is None:
        raise Refused("not_json")
    if len(value) > MAX_VALUE_BYTES:
        raise Refused("too_large")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("bad_utf8") from error
    if _depth(text) > MAX_DEPTH:
        raise Refused("too_deep")
    try:
        fields = _decode(text)
        json.dumps(fields, ensure_ascii=False).encode()  # half a surrogate pair, escaped, is no text
    except ValueError as error:
        raise Refused("not_json") from error
    if not isinstance(fields, dict):
        raise Refused("invalid")
    return fields


def _event(fields: Fields) -> Event:
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise Refused("invalid")
    if kind not in VOCABULARY:
        raise Refused("", result="unknown_type")
    required = ["id"]
    if kind in CONTACT_EVENTS:
        required.append("contact_id")
    if kind in QUEUE_EVENTS:
        required.append("queue")
    texts = {name: text(fields, name, longest) for name, longest in _TEXTS.items()}
    if not all(texts[name] for name in required):
        raise Refused("invalid")
    if kind == "customer.valued":
        for name, most in WORTH.items():
            number(fields, name, 0, most)
    if kind.startswith("case."):
        whole(fields, "tier", -(2**63), 2**63 - 1)
    if fields.get("direction") not in (None, "inbound", "outbound"):
        raise Refused("invalid")
    at = _at(fields.get("at"))
    return Event(
        id=texts["id"],
        type=kind,
        at=at,
        sender=_sender(kind, fields),
        contact="" if kind in NO_CONTACT else texts["contact_id"],
        queue=texts["queue"],
        channel=texts["channel"],
        agent=texts["agent"],
        visit=whole(fields, "visit", 0, 2**63 - 1),
        outbound=fields.get("direction") == "outbound",
        resumes=kind == "contact.queued" and bool(truth(fields, "resumes")),
        recurs=kind == "contact.queued" and bool(truth(fields, "recurs")),
        reopens=kind == "contact.queued" and bool(truth(fields, "reopens")),
        priority=_priority(fields) if kind == "contact.queued" else "",
        bot=kind == "message.sent" and bool(truth(fields, "bot")),
        auto=kind in _MESSAGES and bool(truth(fields, "auto")),
        private=kind in _MESSAGES and bool(truth(fields, "private")),
        by=text(fields, "by", NAME) if kind == "contact.ended" else "",
        stated=_durations(kind, fields),
        beginning=_beginning(fields.get("beginning")) if kind in OUTCOMES else None,
        fact=read_fact(kind, fields),
        telling=read_telling(at, fields) if kind == "agent.state" else None,
        source=text(fields, "source", NAME) if kind == "platform.restarted" else "",
        reason=text(fields, "reason", NAME) if kind in ("contact.left_queue", "contact.refused") else "",
        said=fields,
    )


def _sender(kind: str, fields: Fields) -> str:
    """Whose clock is believed to have stamped it."""
    names = {
        "agent.state": ["agent"],
        "customer": ["customer"],
        "training": ["agent"],
        "case": ["contact_id", "case"],
        "platform": ["source", "id"],
    }
    chosen = names.get(kind) or names.get(kind.split(".", maxsplit=1)[0]) or ["contact_id"]
    return next(filter(None, (text(fields, name, ID) for name in chosen)), "")


def _priority(fields: Fields) -> str:
    """A name, or a whole number as its digits; "" where there is none."""
    value = fields.get("priority")
    return (
        str(whole(fields, "priority", -(2**63), 2**63 - 1))
        if is_int(value)
        else text(fields, "priority", NAME)
    )


def _beginning(value: Any) -> Beginning | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Refused("invalid")
    name = text(value, "id", ID)
    at = whole(value, "at", EARLIEST_MS, LATEST_MS)
    if not name or at is None:
        raise Refused("invalid")
    answered_at = whole(value, "answered_at", EARLIEST_MS, LATEST_MS)
    return Beginning(name, at, answered_at, bool(truth(value, "exact")))


def _at(value: Any) -> int:
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        try:
            moment = datetime.fromisoformat(_FRACTION.sub("", value.upper()))
        except ValueError as error:  # the 30th of February
            raise Refused("invalid") from error
        fraction = _FRACTION.search(value)
        micro = Decimal(fraction[0] if fraction else 0).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        at = (moment - _EPOCH) // timedelta(milliseconds=1) + int(micro * 1000)
    elif is_int(value):
        at = int(value)
    else:
        raise Refused("invalid")
    if not EARLIEST_MS <= at <= LATEST_MS:
        raise Refused("invalid")
    return at


def _durations(kind: str, fields: Fields) -> dict[str, int]:
    stated = {}
    for name in _STATED.get(kind, ()):
        seconds = number(fields, name, 0, LONGEST_S)
        if seconds is not None:
            stated[name.removesuffix("_s")] = round(seconds * 1000)
    return stated


def _depth(text: str) -> int:
    """Levels of nesting, counted without recursion so that no text can exhaust the stack."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for char in _STRING.sub("", text):
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest
