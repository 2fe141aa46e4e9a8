"""A gallery of values that are no event, each with the reason that the dead letter must name."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Poison(NamedTuple):
    """One bad value; `reason` is the reason of its dead letter."""

    name: str
    value: bytes
    reason: str


_GOOD: dict[str, Any] = {
    "id": "11111111-2222-3333-4444-555555555555",
    "type": "contact.queued",
    "at": 1_763_800_000_123,
    "contact_id": "c-poison",
    "queue": "billing",
    "channel": "voice",
    "customer": "u-1",
}


def _with(**fields: Any) -> bytes:
    return json.dumps({**_GOOD, **fields}, ensure_ascii=False).encode()


def _without(*names: str, **fields: Any) -> bytes:
    return json.dumps({k: v for k, v in {**_GOOD, **fields}.items() if k not in names}).encode()


def _nested(opening: str, inner: str, closing: str, levels: int) -> bytes:
    return _with(customer=0).replace(b"0}", (opening * levels + inner + closing * levels).encode() + b"}")


_TEXT = _with()
_NOT_UTF_8 = {
    "a lone byte": b"\xff",
    "in the id": _with(id="@").replace(b"@", b"\xfe"),
    "in a field that nobody reads": _with(customer="@").replace(b"@", b"\xff"),
    "latin 1": _with(queue="caf@").replace(b"@", b"\xe9"),
    "an overlong zero": _with(queue="@").replace(b"@", b"\xc0\x80"),
    "half a surrogate pair": _with(queue="@").replace(b"@", b"\xed\xa0\x80"),
    "cut inside a character": _with(queue="é")[: _with(queue="é").index(b"\xc3") + 1],
    "utf-16": _TEXT.decode().encode("utf-16"),
}
_NOT_JSON = {
    "empty": b"",
    "blank": b"  \n",
    "plain text": b"hello",
    "cut off": _TEXT[:-20],
    "python": _TEXT.replace(b'"', b"'"),
    "trailing comma": _TEXT[:-1] + b",}",
    "trailing text": _TEXT + b"x",
    "two objects": _TEXT + b"\n" + _TEXT,
    "byte order mark": b"\xef\xbb\xbf" + _TEXT,
    "NaN": _with(customer=0).replace(b"0}", b"NaN}"),
    "Infinity": _with(customer=0).replace(b"0}", b"Infinity}"),
    "utf-16 without a mark": _TEXT.decode().encode("utf-16-le"),
    "a raw line break in a string": _with(customer="@").replace(b"@", b"\n"),
}
_INVALID = {
    "null": b"null",
    "true": b"true",
    "a number": b"42",
    "a string": b'"contact.queued"',
    "an array": b"[" + _TEXT + b"]",
    "an empty object": b"{}",
    "no id": _without("id"),
    "empty id": _with(id=""),
    "id is null": _with(id=None),
    "id is a number": _with(id=7),
    "id of 129": _with(id="i" * 129),
    "no type": _without("type"),
    "type is null": _with(type=None),
    "type is a number": _with(type=1),
    "type is a list": _with(type=["contact.queued"]),
    "no at": _without("at"),
    "at is null": _with(at=None),
    "at is true": _with(at=True),
    "at has a fraction": _with(at=1_763_800_000_123.5),
    "at in seconds": _with(at=1_763_800_000),
    "at in microseconds": _with(at=1_763_800_000_123_000),
    "at is negative": _with(at=-1),
    "at before 2000": _with(at=946_684_799_999),
    "at after 2100": _with(at=4_102_444_800_001),
    "at is beyond 64 bits": _with(at=10**30),
    "at is digits in a string": _with(at="1763800000123"),
    "at in words": _with(at="yesterday"),
    "at without an offset": _with(at="2025-11-22T08:26:40.123"),
    "at is a date": _with(at="2025-11-22"),
    "at is no day of the calendar": _with(at="2025-02-30T08:26:40Z"),
    "no contact": _without("contact_id"),
    "empty contact": _with(contact_id=""),
    "contact is a number": _with(contact_id=123),
    "contact of 129": _with(contact_id="c" * 129),
    "no queue": _without("queue"),
    "empty queue": _with(queue=""),
    "queue is an object": _with(queue={"name": "billing"}),
    "queue of 65": _with(queue="q" * 65),
    "refused without a queue": _without("queue", type="contact.refused"),
    "channel of 65": _with(channel="v" * 65),
    "agent of 129": _with(type="contact.answered", agent="a" * 129),
    "answered without a contact": _without("contact_id", type="contact.answered"),
    "message without a contact": _without("contact_id", type="message.sent"),
    "missed without a contact": _without("contact_id", type="agent.missed"),
    "survey without a contact": _without("contact_id", type="survey.answered"),
    "sale without a contact": _without("contact_id", type="sale.recorded"),
}
_TOO_DEEP = {
    "30,000 arrays": _nested("[", "", "]", 30_000),
    "10,000 objects": _nested('{"a":', "0", "}", 10_000),
}
_TOO_LARGE = {
    "a byte too long": _with(customer="u" * (65_537 - len(_with(customer="")))),
    "200,000 arrays": _nested("[", "", "]", 200_000),
}
BIG = tuple(
    Poison(name, value, reason)
    for reason, values in {"too_deep": _TOO_DEEP, "too_large": _TOO_LARGE}.items()
    for name, value in values.items()
)
SMALL = tuple(
    Poison(name, value, reason)
    for reason, values in {"bad_utf8": _NOT_UTF_8, "not_json": _NOT_JSON, "invalid": _INVALID}.items()
    for name, value in values.items()
)
GALLERY = SMALL + BIG
LARGEST_GOOD = _with(customer="u" * (65_536 - len(_with(customer=""))))
