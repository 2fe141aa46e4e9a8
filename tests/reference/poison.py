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
_OUTCOME = {"type": "contact.answered", "beginning": {"id": "b-1", "at": 1_763_800_000_000}}
_CSAT = {"type": "survey.answered", "kind": "csat", "score": 4}
_SALE = {"type": "sale.recorded", "amount": 49.9, "currency": "EUR"}


def _with(**fields: Any) -> bytes:
    return json.dumps({**_GOOD, **fields}, ensure_ascii=False).encode()


def _without(*names: str, **fields: Any) -> bytes:
    return json.dumps({k: v for k, v in {**_GOOD, **fields}.items() if k not in names}).encode()


def _nested(opening: str, inner: str, closing: str, levels: int) -> bytes:
    return _with(note=0).replace(b"0}", (opening * levels + inner + closing * levels).encode() + b"}")


_TEXT = _with()
_NOT_UTF_8 = {
    "a lone byte": b"\xff",
    "in the id": _with(id="@").replace(b"@", b"\xfe"),
    "in a field that nobody reads": _with(note="@").replace(b"@", b"\xff"),
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
    "NaN": _with(note=0).replace(b"0}", b"NaN}"),
    "Infinity": _with(note=0).replace(b"0}", b"Infinity}"),
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
    "queue of 257": _with(queue="q" * 257),
    "refused without a queue": _without("queue", type="contact.refused"),
    "channel of 257": _with(channel="v" * 257),
    "agent of 129": _with(type="contact.answered", agent="a" * 129),
    "answered without a contact": _without("contact_id", type="contact.answered"),
    "message without a contact": _without("contact_id", type="message.sent"),
    "missed without a contact": _without("contact_id", type="agent.missed"),
    "survey sent without a contact": _without("contact_id", type="survey.sent"),
    "survey without a contact": _without("contact_id", **_CSAT),
    "sale without a contact": _without("contact_id", **_SALE),
}
_WRONG_TYPES = {
    "team is a number": _with(team=7),
    "team of 257": _with(team="t" * 257),
    "site of 257": _with(site="s" * 257),
    "empty site": _with(site=""),
    "customer of 129": _with(customer="u" * 129),
    "customer is a list": _with(customer=["u-1"]),
    "direction is sideways": _with(direction="sideways"),
    "direction is true": _with(direction=True),
    "resumes is a text": _with(resumes="true"),
    "resumes is 1": _with(resumes=1),
    "recurs is 1": _with(recurs=1),
    "bot is a name": _with(type="message.sent", bot="bot"),
    "auto is a text": _with(type="message.sent", auto="yes"),
    "private is 1": _with(type="message.received", private=1),
    "reopens is a text": _with(reopens="true"),
    "priority is true": _with(priority=True),
    "priority is a fraction": _with(priority=1.5),
    "priority is empty": _with(priority=""),
    "priority of 257": _with(priority="p" * 257),
    "priority is a list": _with(priority=["high"]),
    "reason is a number": _with(type="contact.left_queue", reason=7),
    "a bot starts without a contact": _without("contact_id", type="bot.started"),
    "by is a truth value": _with(type="contact.ended", by=True),
    "by of 257": _with(type="contact.ended", by="b" * 257),
    "by is empty": _with(type="contact.ended", by=""),
}
_BEGINNINGS = {
    f"beginning {name}": _with(**{**_OUTCOME, "beginning": beginning})
    for name, beginning in {
        "is a text": "b-1",
        "is a list": ["b-1", 1_763_800_000_000],
        "is empty": {},
        "without an id": {"at": 1_763_800_000_000},
        "without a time": {"id": "b-1"},
        "with an empty id": {"id": "", "at": 1_763_800_000_000},
        "with an id of 129": {"id": "b" * 129, "at": 1_763_800_000_000},
        "in words": {"id": "b-1", "at": "2025-11-22T08:26:40Z"},
        "in seconds": {"id": "b-1", "at": 1_763_800_000},
        "in fractions": {"id": "b-1", "at": 1_763_800_000_000.5},
        "after 2100": {"id": "b-1", "at": 4_102_444_800_001},
        "answered truly": {"id": "b-1", "at": 1_763_800_000_000, "answered_at": True},
        "answered before 2000": {"id": "b-1", "at": 1_763_800_000_000, "answered_at": 946_684_799_999},
    }.items()
}
_FACTS = {
    "survey sent of another kind": _with(type="survey.sent", kind="stars"),
    "survey sent of an empty kind": _with(type="survey.sent", kind=""),
    "survey sent of two kinds": _with(type="survey.sent", kind=["csat", "nps"]),
    "survey without a kind": _with(type="survey.answered", score=4),
    "survey of another kind": _with(**{**_CSAT, "kind": "stars"}),
    "survey without a score": _with(type="survey.answered", kind="csat"),
    "csat of 0": _with(**{**_CSAT, "score": 0}),
    "csat of 6": _with(**{**_CSAT, "score": 6}),
    "csat of 4 of 3": _with(**_CSAT, scale=3),
    "csat of true": _with(**{**_CSAT, "score": True}),
    "csat in a text": _with(**{**_CSAT, "score": "4"}),
    "csat of 1 of 1": _with(**{**_CSAT, "score": 1}, scale=1),
    "csat of 101": _with(**_CSAT, scale=101),
    "nps of -1": _with(type="survey.answered", kind="nps", score=-1),
    "nps of 11": _with(type="survey.answered", kind="nps", score=11),
    "nps of 11 of 20": _with(type="survey.answered", kind="nps", score=11, scale=20),
    "fcr of 2": _with(type="survey.answered", kind="fcr", score=2),
    "fcr of 0.5": _with(type="survey.answered", kind="fcr", score=0.5),
    "fcr of true": _with(type="survey.answered", kind="fcr", score=True),
    "fcr of 1 of 1": _with(type="survey.answered", kind="fcr", score=1, scale=1),
    "ces of 8": _with(type="survey.answered", kind="ces", score=8),
    "ces of 0": _with(type="survey.answered", kind="ces", score=0),
    "ces on a scale in a text": _with(type="survey.answered", kind="ces", score=1, scale="7"),
    "review without a score": _with(type="quality.scored", compliant=True),
    "review of 1.01": _with(type="quality.scored", score=1.01),
    "review of -0.01": _with(type="quality.scored", score=-0.01),
    "review compliant with a 1": _with(type="quality.scored", score=1, compliant=1),
    "review by a text": _with(type="quality.scored", score=1, automatic="yes"),
    "mood without a score": _with(type="sentiment.scored", predicted_csat=4),
    "mood of -1.5": _with(type="sentiment.scored", score=-1.5),
    "mood of 1e400": _with(type="sentiment.scored", score=0).replace(b'"score": 0', b'"score": 1e400'),
    "a csat of 0.5 predicted": _with(type="sentiment.scored", score=0, predicted_csat=0.5),
    "a csat of 5.01 predicted": _with(type="sentiment.scored", score=0, predicted_csat=5.01),
    "a review of a criterion beyond 1": _with(type="quality.scored", score=1, criteria={"empathy": 1.01}),
    "a review of a criterion in a text": _with(type="quality.scored", score=1, criteria={"empathy": "1"}),
    "a review of a criterion without a name": _with(type="quality.scored", score=1, criteria={"": 1}),
    "a review of criteria in a list": _with(type="quality.scored", score=1, criteria=["empathy"]),
    "a review of 65 criteria": _with(
        type="quality.scored", score=1, criteria={f"c{n}": 1 for n in range(65)}
    ),
    "sale of an empty kind": _with(**_SALE, kind=""),
    "sale of a kind that is none": _with(**_SALE, kind=["new"]),
    "sale of a kind of 257 characters": _with(**_SALE, kind="x" * 257),
    "sale without an amount": _with(type="sale.recorded", currency="EUR"),
    "sale without a currency": _with(type="sale.recorded", amount=1),
    "sale in small letters": _with(**{**_SALE, "currency": "eur"}),
    "sale in a currency of old": _with(**{**_SALE, "currency": "DEM"}),
    "sale in a list of currencies": _with(**{**_SALE, "currency": ["EUR"]}),
    **{
        f"sale of {amount!r}": _with(**{**_SALE, "amount": amount})
        for amount in (
            *(
                -1,
                -0.01,
                "-1",
                100_000_000.0001,
                1_000_000_001,
                "100000000.0001",
                0.00001,
                "0.00001",
                1e300,
            ),
            *("", "much", "1,5", "1.5 EUR", "NaN", "Infinity", "0x10", "1.00000000000000000000000000001"),
            *(True, [1], "1e-999999999999", "1e99999999999999999999", "0." + "0" * 60 + "1"),
        )
    },
}
_TOO_DEEP = {
    "30,000 arrays": _nested("[", "", "]", 30_000),
    "10,000 objects": _nested('{"a":', "0", "}", 10_000),
}
_TOO_LARGE = {
    "a byte too long": _with(note="n" * (65_537 - len(_with(note="")))),
    "200,000 arrays": _nested("[", "", "]", 200_000),
}
BIG = tuple(
    Poison(name, value, reason)
    for reason, values in {"too_deep": _TOO_DEEP, "too_large": _TOO_LARGE}.items()
    for name, value in values.items()
)
SMALL = tuple(
    Poison(name, value, reason)
    for reason, values in {
        "bad_utf8": _NOT_UTF_8,
        "not_json": _NOT_JSON,
        "invalid": _INVALID | _WRONG_TYPES | _BEGINNINGS | _FACTS,
    }.items()
    for name, value in values.items()
)
GALLERY = SMALL + BIG
LARGEST_GOOD = _with(note="n" * (65_536 - len(_with(note=""))))
