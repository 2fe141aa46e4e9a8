"""Seeded streams of records for tests: realistic traffic, and the same traffic with all that goes wrong.

The same arguments give the same bytes. Records are (key, value, timestamp in ms).
"""

from __future__ import annotations

import heapq
import itertools
import json
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any

from .opinions import surveys
from .poison import BIG, SMALL
from .written import tell_story

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Record = tuple[bytes, bytes, int]
QUEUES = ("billing", "sales", "support", "claims")
CHANNELS = ("voice", "voice", "chat", "email", "messaging")
START_MS = 1_763_800_000_000
_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_encode = json.JSONEncoder(separators=(",", ":")).encode


def traffic(
    seed: int,
    contacts: int,
    *,
    queues: Sequence[str] = QUEUES,
    channels: Sequence[str] = CHANNELS,
    rate: float = 5.0,
    start_ms: int = START_MS,
    tail_s: float = 900,
) -> Iterator[Record]:
    """Interleaved contacts, `rate` new ones a second, in the order of event time; about eight events each.

    The stream ends `tail_s` after the last arrival, so that some contacts are still under way.
    """
    rng, asking = Random(seed), Random(f"surveys {seed}")
    order = itertools.count()
    waiting: list[tuple[int, int, Record]] = []
    now = start_ms
    for number in range(contacts):
        now += int(rng.expovariate(rate) * 1000)
        while waiting and waiting[0][0] <= now:
            yield heapq.heappop(waiting)[2]
        story = tell_story(rng, number, now, queues, channels)
        for chance, told in ((rng, story), (asking, surveys(asking, story))):
            for at, key, fields in told:
                heapq.heappush(waiting, (at, next(order), _record(chance, at, key, fields)))
    while waiting and waiting[0][0] <= now + tail_s * 1000:
        yield heapq.heappop(waiting)[2]


def hostile(
    stream: Iterable[Record],
    seed: int,
    *,
    duplicates: float = 0.02,
    poison: float = 0.01,
    unknown: float = 0.005,
    late: float = 0.005,
    future: float = 0.005,
    out_of_order: float = 0.02,
    late_beginnings: float = 0.3,
    late_surveys: float = 0.3,
    resent: float = 0.1,
) -> Iterator[Record]:
    """The stream with trouble in the given shares of its records.

    Duplicates come at once or up to 300,000 records later, out-of-order records up to 50 records later, and
    late beginnings (each the `contact.queued` of a platform whose outcomes say how they began) up to 1,000; so do
    late surveys (each a `survey.sent`). What surveys say is sent again hours later, in the share `resent`.
    Poison and unknown types are added, and so are events with stamps from too old to too far ahead, edges
    included. Record timestamps stay honest, so that no stamp can drag partition time along.
    """
    rng = Random(seed)
    order = itertools.count()
    later: list[tuple[int, int, Record]] = []
    for index, record in enumerate(_sent_again(stream, Random(f"again {seed}"), resent)):
        while later and later[0][0] <= index:
            yield heapq.heappop(later)[2]
        if delay := _delay(rng, record, late_beginnings, late_surveys, out_of_order):
            heapq.heappush(later, (index + delay, next(order), record))
        else:
            yield record
        if rng.random() < duplicates:
            delay = rng.choice((0, 0, 3, 30, 300, 3_000, 30_000, 300_000))
            heapq.heappush(later, (index + rng.randint(delay // 2, delay), next(order), record))
        key, _, timestamp = record
        if rng.random() < poison:
            bad = rng.choice(BIG if rng.random() < 0.06 else SMALL)
            yield key, bad.value, timestamp
        if rng.random() < unknown:
            yield key, _unknown(rng, timestamp), timestamp
        if rng.random() < late:
            yield _misdated(rng, key, timestamp, -rng.choice(_AGES))
        if rng.random() < future:
            yield _misdated(rng, key, timestamp, rng.choice(_LEADS))
    while later:
        yield heapq.heappop(later)[2]


def _sent_again(stream: Iterable[Record], rng: Random, share: float) -> Iterator[Record]:
    """The stream, and some of what surveys say once more, hours later or in the end."""
    again: list[tuple[int, int, Record]] = []
    for index, record in enumerate(stream):
        while again and again[0][0] <= record[2]:
            yield heapq.heappop(again)[2]
        yield record
        if _SURVEY in record[1] and rng.random() < share:
            heapq.heappush(again, (record[2] + rng.choice((2, 6, 23, 47)) * _HOUR, index, record))
    while again:
        yield heapq.heappop(again)[2]


def _delay(
    rng: Random, record: Record, late_beginnings: float, late_surveys: float, out_of_order: float
) -> int:
    """By how many records this one comes late."""
    if record[1].startswith(_BEGINNING) and rng.random() < late_beginnings:
        return rng.choice((50, 300, 1_000))
    if _SENT in record[1] and rng.random() < late_surveys:
        return rng.choice((50, 300, 1_000))
    return rng.randrange(1, 50) if rng.random() < out_of_order else 0


_BEGINNING = b'{"id":"b-'
_SURVEY, _SENT = b'"type":"survey.', b'"type":"survey.sent"'
_AGES = (
    *(5 * _SECOND, 10 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 3 * _HOUR, 26 * _HOUR),
    *(2 * _DAY - _SECOND, 2 * _DAY, 2 * _DAY + _SECOND, 3 * _DAY, 20 * _DAY, 31 * _DAY, 400 * _DAY),
)
_LEADS = (5 * _SECOND, 30 * _SECOND, _MINUTE, _MINUTE + 1, 2 * _MINUTE, _HOUR, 3 * _DAY, 4_000 * _DAY)


def _misdated(rng: Random, key: bytes, timestamp: int, shift: int) -> Record:
    kind = rng.choice(
        ("contact.queued", "contact.answered", "contact.abandoned", "message.sent", "contact.refused"),
    )
    fields: dict[str, Any] = {
        "type": kind,
        "contact_id": key.decode(),
        "queue": rng.choice(QUEUES),
        "channel": "voice",
    }
    if kind == "contact.queued" and rng.random() < 0.5:
        fields["recurs"] = True
    return key, _value(rng, timestamp + shift, fields), timestamp


def _unknown(rng: Random, at: int) -> bytes:
    kind = rng.choice(("contact.teleported", "contact.Queued", "queued", "weather.changed"))
    if rng.random() < 0.3:
        return _encode({"type": kind}).encode()  # whatever else the object holds
    return _value(rng, at, {"type": kind, "contact_id": "c-000000001", "queue": "billing"})


def _record(rng: Random, at: int, key: str, fields: dict[str, Any]) -> Record:
    return key.encode(), _value(rng, at, fields), at + rng.randrange(900)


def _value(rng: Random, at: int, fields: dict[str, Any]) -> bytes:
    digits = f"{rng.getrandbits(128):032x}"
    name = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return _encode({"id": name, **fields, "at": at if rng.random() < 0.95 else _in_words(rng, at)}).encode()


def _in_words(rng: Random, at: int) -> str:
    """The same moment as RFC 3339 text, at some offset."""
    moment = datetime.fromtimestamp(at // 1000, UTC) + timedelta(milliseconds=at % 1000)
    hours, minutes = rng.choice(((0, 0), (1, 0), (-8, 0), (5, 30)))
    text = moment.astimezone(timezone(timedelta(hours=hours, minutes=minutes))).isoformat(
        timespec="milliseconds",
    )
    return text.replace("+00:00", rng.choice(("Z", "+00:00")))
