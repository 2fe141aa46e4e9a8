"""A batch: consecutive records of one partition, from bytes to a commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol
from uuid import uuid4

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.model.deltas import Result
from stream_app.model.fold import Fold
from stream_app.model.ports import Commit, DeadLetter

from .dialects import Decode, Headers

MAX_EVENT_BYTES: Final = 65_536
KEPT_BYTES: Final = 512
"""How much of a dead letter's value is kept."""


class Record(Protocol):
    """What we use of a Kafka record."""

    offset: int
    timestamp: int
    value: bytes | None

    @property
    def headers(self) -> Headers:
        """Name and value, in order."""
        ...


Slices = AsyncIterator[Sequence[Record]]
"""Records as they are read: some at a time, folded while they are in the processor's cache, let go, and committed together."""


class Batch:
    """Records on their way from a poll to the agent that folds them.

    Attributes:
        done: resolved when the store said yes, or failed with the reason why it did not.
    """

    __slots__ = ("done", "owned", "slices")

    def __init__(self, owned: object, slices: Slices) -> None:
        self.owned = owned
        self.slices = slices
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


def fold_slice(
    fold: Fold,
    records: Sequence[Record],
    expected: int,
    *,
    decode: Decode,
    dead: list[DeadLetter],
    max_bytes: int = MAX_EVENT_BYTES,
) -> int:
    """Fold some records; gives the position after them.

    Args:
        fold: the partition's fold; advanced.
        records: in offset order, not empty, none before ``expected``.
        expected: the position before them.
        decode: the dialect.
        dead: takes what could not become events.
        max_bytes: a longer value is not even looked at.
    """
    record_event, several, count = fold.record, fold.several, fold.count
    future = Result.DEAD_LETTER  # an enum's look-up is slow
    end = records[-1].offset + 1
    if missing := end - expected - len(records):
        count(Result.GAP, missing)
    for record in records:
        value = record.value
        try:
            if value is None or len(value) > max_bytes:
                raise _no_value(value, max_bytes)
            events = decode(value, record.headers) if record.headers else decode(value)
            one = len(events) == 1
            result = record_event(events[0], record.timestamp) if one else several(events, record.timestamp)
            if result is future:
                dead.append(_letter(record, "future", "stamped later than the partition's time"))
        except UnreadableError as error:
            count(Result.DEAD_LETTER, reason=error.reason)
            dead.append(_letter(record, error.reason, error.detail))
        except UnknownTypeError:
            count(Result.UNKNOWN_TYPE)
    return end


def fold_records(
    fold: Fold, records: Sequence[Record], start: int | None, decode: Decode, max_bytes: int = MAX_EVENT_BYTES
) -> Commit:
    """Fold records, not empty, and make a commit of what they change; ``start`` is ``None`` at the very beginning."""
    dead: list[DeadLetter] = []
    end = fold_slice(
        fold,
        records,
        records[0].offset if start is None else start,
        decode=decode,
        dead=dead,
        max_bytes=max_bytes,
    )
    return commit_of(fold, start, end, dead)


def commit_of(fold: Fold, start: int | None, end: int, dead: list[DeadLetter]) -> Commit:
    """What was folded since the last commit, as one step."""
    return Commit(start=start, end=end, batch=uuid4().hex, deltas=fold.take(), dead=dead)


def _no_value(value: bytes | None, max_bytes: int) -> UnreadableError:
    if value is None:
        return UnreadableError("not_json", "a tombstone: the record has no value")
    return UnreadableError("too_large", f"{len(value)} bytes, at most {max_bytes} are read")


def _letter(record: Record, reason: str, detail: str) -> DeadLetter:
    return DeadLetter(record.offset, reason, detail, (record.value or b"")[:KEPT_BYTES])
