"""A batch: consecutive records of one partition, from bytes to a commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, Protocol
from uuid import uuid4

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.model.fold.deltas import Result
from stream_app.model.fold.fold import Fold
from stream_app.model.ports import Commit, DeadLetter

from .dialects import Decode, Headers, Zoned

MAX_EVENT_BYTES: Final = 65_536
KEPT_BYTES: Final = 512
"""How much of a dead letter's value is kept."""
BY_BROKER: Final = 1
"""The ``timestamp_type`` of a record that its broker stamped: ``LogAppendTime``."""


class KafkaRecord(Protocol):
    """What we use of a Kafka record."""

    offset: int
    timestamp: int
    timestamp_type: int
    value: bytes | None

    @property
    def headers(self) -> Headers:
        """Names and values, in order."""
        ...


class Read(NamedTuple):
    """Records of one partition, as they were read.

    Attributes:
        since: read from this offset on without a break: offsets missing between it and the last record hold no record.
        records: in the order of their offsets, not empty.
    """

    since: int
    records: Sequence[KafkaRecord]


Slices = AsyncIterator[Read]
"""Records in slices as they are read: folded while they are in the processor's cache, released, and committed together."""


class Batch:
    """Records on their way from a poll to the agent that folds them.

    Attributes:
        done: resolved once the store has confirmed the commit, or failed with the reason why it did not.
    """

    __slots__ = ("done", "owned", "slices")

    def __init__(self, owned: object, slices: Slices) -> None:
        self.owned = owned
        self.slices = slices
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


def fold_slice(
    fold: Fold,
    records: Sequence[KafkaRecord],
    expected: int,
    *,
    decode: Decode,
    dead: list[DeadLetter],
    max_bytes: int = MAX_EVENT_BYTES,
) -> int:
    """Fold a slice of records, and return the position after them.

    Args:
        fold: the partition's fold; it is advanced.
        records: in offset order, not empty, none before ``expected``.
        expected: the position before them.
        decode: the dialect.
        dead: receives the records that could not be read as events.
        max_bytes: a longer value is not decoded.
    """
    end = records[-1].offset + 1
    if missing := end - expected - len(records):
        fold.count(Result.GAP, missing)
    types = {record.timestamp_type for record in records}
    if len(types) == 1:
        _fold_alike(fold, records, types.pop(), decode=decode, dead=dead, max_bytes=max_bytes)
    else:  # the topic's timestamp type was changed
        for kind, some in groupby(records, lambda record: record.timestamp_type):
            _fold_alike(fold, list(some), kind, decode=decode, dead=dead, max_bytes=max_bytes)
    return end


def _fold_alike(
    fold: Fold,
    records: Sequence[KafkaRecord],
    kind: int,
    *,
    decode: Decode,
    dead: list[DeadLetter],
    max_bytes: int,
) -> None:
    """Fold records with timestamps of one type."""
    fold.by_broker = kind == BY_BROKER
    record_event, several, count, noted = fold.record, fold.several, fold.count, fold.noted
    future = Result.DEAD_LETTER  # looking up an enum's member is slow
    for record in records:
        value, noted.offset = record.value, record.offset
        try:
            if value is None or len(value) > max_bytes:
                raise _no_value(value, max_bytes)
            events = decode(value, record.headers) if record.headers else decode(value)
            one = len(events) == 1
            result = record_event(events[0], record.timestamp) if one else several(events, record.timestamp)
            if result is future:
                dead.append(_letter(record, "future", _future(decode)))
        except UnreadableError as error:
            count(Result.DEAD_LETTER, reason=error.reason)
            dead.append(_letter(record, error.reason, error.detail))
        except UnknownTypeError:
            count(Result.UNKNOWN_TYPE)


def fold_records(
    fold: Fold,
    records: Sequence[KafkaRecord],
    start: int | None,
    decode: Decode,
    max_bytes: int = MAX_EVENT_BYTES,
) -> Commit:
    """Fold records (at least one) and return the commit of their changes; ``start`` is ``None`` at the very beginning."""
    dead: list[DeadLetter] = []
    begin = records[0].offset if start is None else start
    end = fold_slice(fold, records, begin, decode=decode, dead=dead, max_bytes=max_bytes)
    return commit_of(fold, start, end, dead, begin)


def commit_of(fold: Fold, start: int | None, end: int, dead: list[DeadLetter], begin: int) -> Commit:
    """Return what was folded since the last commit, as one commit."""
    return Commit(start=start, end=end, batch=uuid4().hex, deltas=fold.take(), dead=dead, begin=begin)


def _no_value(value: bytes | None, max_bytes: int) -> UnreadableError:
    if value is None:
        return UnreadableError("not_json", "the record has no value (a tombstone)")
    return UnreadableError("too_large", f"the value has {len(value)} bytes; the limit is {max_bytes}")


def _future(decode: Decode) -> str:
    detail = "stamped later than the partition's time"
    if isinstance(decode, Zoned) and decode.was_local():
        return f"{detail}: are these local times? set STREAM_APP_SOURCE_ZONE"
    return detail


def _letter(record: KafkaRecord, reason: str, detail: str) -> DeadLetter:
    return DeadLetter(record.offset, reason, detail, (record.value or b"")[:KEPT_BYTES])
