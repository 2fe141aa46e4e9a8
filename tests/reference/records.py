"""From the bytes of a record to an event, or to the reason why it is none."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple, NoReturn

MAX_VALUE_BYTES = 65_536
MAX_DEPTH = 100
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000  # 2000-01-01 and 2100-01-01, inclusive

LONGEST_S = 365 * 86_400

VISIT_EVENTS = frozenset(
    {
        "contact.answered",
        "contact.held",
        "contact.resumed",
        "contact.transferred",
        "contact.left_queue",
        "contact.abandoned",
        "contact.ended",
        "contact.wrapped",
        "agent.missed",
        "bot.handed_off",
        "callback.scheduled",
        "message.received",
        "message.sent",
    },
)
QUEUE_EVENTS = frozenset({"contact.queued", "contact.refused"})
CONTACT_EVENTS = (
    VISIT_EVENTS
    | QUEUE_EVENTS
    | frozenset({"survey.answered", "quality.scored", "sentiment.scored", "sale.recorded"})
)
OTHER_EVENTS = frozenset(
    {
        "case.resolved",
        "case.reopened",
        "case.escalated",
        "agent.state",
        "customer.joined",
        "customer.left",
        "customer.valued",
    },
)
VOCABULARY = CONTACT_EVENTS | OTHER_EVENTS

_LONGEST = {"id": 128, "contact_id": 128, "agent": 128, "queue": 64, "channel": 64}
_STATED = {
    "contact.answered": ("wait_s",),
    "contact.abandoned": ("wait_s",),
    "contact.left_queue": ("wait_s",),
    "callback.scheduled": ("wait_s",),
    "contact.transferred": ("wait_s", "talk_s", "hold_s"),
    "contact.ended": ("talk_s", "hold_s"),
    "contact.wrapped": ("talk_s", "hold_s", "wrap_s"),
}
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


class Event(NamedTuple):
    """A record that could be read; times and stated durations in milliseconds."""

    id: str
    type: str
    at: int
    contact: str
    queue: str
    channel: str
    agent: str
    visit: int | None
    bot: bool
    stated: dict[str, int]


class Refusal(NamedTuple):
    """A record that could not be read as an event: its result, and the reason of a dead letter."""

    result: str
    reason: str


class _Refused(Exception):  # noqa: N818 - their bytes, not our error
    def __init__(self, reason: str, result: str = "dead_letter") -> None:
        super().__init__(reason)
        self.refusal = Refusal(result, reason)


def read(value: bytes | None) -> Event | Refusal:
    """Decode one record's value; never raises, whatever the bytes."""
    try:
        return _event(_json_object(value))
    except _Refused as refused:
        return refused.refusal


def _json_object(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise _Refused("not_json")
    if len(value) > MAX_VALUE_BYTES:
        raise _Refused("too_large")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Refused("bad_utf8") from error
    if _depth(text) > MAX_DEPTH:
        raise _Refused("too_deep")
    try:
        fields = _decode(text)
        json.dumps(fields, ensure_ascii=False).encode()  # half a surrogate pair, escaped, is no text
    except ValueError as error:
        raise _Refused("not_json") from error
    if not isinstance(fields, dict):
        raise _Refused("invalid")
    return fields


def _event(fields: dict[str, Any]) -> Event:
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise _Refused("invalid")
    if kind not in VOCABULARY:
        raise _Refused("", result="unknown_type")
    required = ["id"]
    if kind in CONTACT_EVENTS:
        required.append("contact_id")
    if kind in QUEUE_EVENTS:
        required.append("queue")
    text = {name: _text(fields, name, longest) for name, longest in _LONGEST.items()}
    if not all(text[name] for name in required):
        raise _Refused("invalid")
    bot = fields.get("bot") if kind == "message.sent" else None
    if bot is not None and not isinstance(bot, bool):
        raise _Refused("invalid")
    visit = fields.get("visit")
    if visit is not None and not (_is_int(visit) and 0 <= visit < 2**63):
        raise _Refused("invalid")
    return Event(
        id=text["id"],
        type=kind,
        at=_at(fields.get("at")),
        contact=text["contact_id"],
        queue=text["queue"],
        channel=text["channel"] or "voice",
        agent=text["agent"],
        visit=visit,
        bot=bool(bot),
        stated=_durations(kind, fields),
    )


def _text(fields: dict[str, Any], name: str, longest: int) -> str:
    """The text, or "" where the field is absent or null."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise _Refused("invalid")
    return value


def _at(value: Any) -> int:
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        try:
            moment = datetime.fromisoformat(_FRACTION.sub("", value.upper()))
        except ValueError as error:  # the 30th of February
            raise _Refused("invalid") from error
        fraction = _FRACTION.search(value)
        micro = Decimal(fraction[0] if fraction else 0).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        at = (moment - _EPOCH) // timedelta(milliseconds=1) + int(micro * 1000)
    elif _is_int(value):
        at = int(value)
    else:
        raise _Refused("invalid")
    if not EARLIEST_MS <= at <= LATEST_MS:
        raise _Refused("invalid")
    return at


def _durations(kind: str, fields: dict[str, Any]) -> dict[str, int]:
    stated = {}
    for name in _STATED.get(kind, ()):
        seconds = fields.get(name)
        if seconds is None:
            continue
        if not (_is_int(seconds) or (isinstance(seconds, float) and math.isfinite(seconds))):
            raise _Refused("invalid")
        if not 0 <= seconds <= LONGEST_S:
            raise _Refused("invalid")
        stated[name.removesuffix("_s")] = round(seconds * 1000)
    return stated


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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
