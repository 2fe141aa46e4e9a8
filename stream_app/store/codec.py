"""Bytes in Redis. Everything is documented here, so that other programs can read it.

- **Framed** list: each part is its length in four bytes, big-endian, followed by its bytes.
- **Cell**: a MessagePack map, number → integer. A number below 512 is a counter; otherwise ``number >> 9`` is a sketch and
  ``number & 511`` its bucket, or a family of sums and its member (of ``revenue`` the currency). Numbers are those of the
  registry ``kpi:names:counter``. A field of a bucket's hash is ``queue number.channel number``.
- **Amounts** of an interval row: a MessagePack array of integers, at the places of ``model.intervals``, without zeros at its
  end.
- **Visits** of a contact: a MessagePack array of ``model.visit.Visit`` as arrays, oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from stream_app.model.intervals import Amounts, compact, spread
from stream_app.model.published import Day
from stream_app.model.tally import pack_cell, unpack_cell
from stream_app.model.visit import Visits

__all__ = [
    "frame",
    "pack_amounts",
    "pack_cell",
    "pack_day",
    "pack_visits",
    "restore_recent",
    "unframe",
    "unpack_amounts",
    "unpack_cell",
    "unpack_day",
    "unpack_visits",
]

_visits = msgspec.msgpack.Decoder(Visits)
pack_visits = msgspec.msgpack.Encoder().encode


def unpack_visits(packed: bytes) -> Visits:
    """A contact's open visits."""
    return _visits.decode(packed)


_amounts = msgspec.msgpack.Decoder(list[int])
_day = msgspec.msgpack.Decoder(Day)
pack_day = msgspec.msgpack.Encoder().encode
"""A published day as it is stored: a MessagePack array of ``model.published.Day`` as arrays."""


def pack_amounts(amounts: Amounts) -> bytes:
    """An interval row of a partition as it is stored."""
    return pack_day(compact(amounts))


def unpack_amounts(packed: bytes) -> Amounts:
    """The inverse of ``pack_amounts``, without zeros."""
    return spread(_amounts.decode(packed))


def unpack_day(packed: bytes) -> Day:
    """The inverse of ``pack_day``."""
    return _day.decode(packed)


def restore_recent(minutes: Iterable[tuple[int, Iterable[bytes]]]) -> dict[bytes, int]:
    """Hashes of event ids by minute, oldest minute first → ``Memory.recent``; the youngest use of a hash counts."""
    known: dict[bytes, int] = {}
    for minute, marks in minutes:
        for mark in marks:
            known.pop(mark, None)  # and stands behind all that are older
            known[mark] = minute
    return known


_SIZES: Final = [n.to_bytes(4, "big") for n in range(1024)]


def frame(parts: Iterable[bytes]) -> bytes:
    """Put parts into one string."""
    parts = list(parts)
    out = [b""] * (2 * len(parts))
    out[::2] = [_SIZES[n] if (n := len(part)) < len(_SIZES) else n.to_bytes(4, "big") for part in parts]
    out[1::2] = parts
    return b"".join(out)


def unframe(blob: bytes) -> list[bytes]:
    """Take them out again."""
    out: list[bytes] = []
    at, size = 0, len(blob)
    while at < size:
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        out.append(blob[at + 4 : end])
        at = end
    return out
