"""Rows of our own events whose times have no offset: local times of the zone that somebody named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from stream_app.ingest.dialects import Local

from .refusal import RefusedLine
from .tables import JsonValue

_FIELD = "at"


def with_offsets(values: Iterable[JsonValue], local: Local) -> Iterator[JsonValue]:
    """Yield rows with the offsets that their times lack; rows without such a time stay as they are.

    Args:
        values: in the order of the file, which tells the two hours of autumn apart.
        local: what gives a time its offset.
    """
    for number, value, ended in values:
        yield number, _with_offset(value, local), ended


def _with_offset(value: bytes, local: Local) -> bytes:
    if type(value) is RefusedLine:
        return value
    row = msgspec.json.decode(value)
    try:
        at = datetime.fromisoformat(row[_FIELD])
    except (KeyError, TypeError, ValueError):  # missing, a number, or for the dialect to refuse
        return value
    if at.tzinfo is not None:
        return value
    return msgspec.json.encode({**row, _FIELD: local(at)})
