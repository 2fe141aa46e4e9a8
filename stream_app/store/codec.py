"""The binary formats of values in Redis, documented so that other programs can read them.

- **Framed** list: each part is its length in four bytes, big-endian, followed by its bytes.
- **Cell**: a MessagePack map, number → integer. A number below 512 is a counter; otherwise ``number >> 9`` is a sketch and
  ``number & 511`` its bucket, or a family of sums and its member (of ``revenue`` the currency). Numbers are those of the
  registry ``kpi:names:counter``. A field of a bucket's hash is ``queue number.channel number``.
- **Amounts** of an interval row: a MessagePack array of integers, at the places of ``model.intervals.counting``, without zeros
  at its end.
- **Visits** of a contact: a MessagePack array of ``model.fold.visit.Visit`` as arrays, oldest first.
- **Agent**: a MessagePack array, ``model.presence.Presence``.
- **Clock** of a partition: a MessagePack array of the position to which it belongs, and a ``model.fold.clock.Agreement`` as an
  array, in base 64 because its neighbours in the hash are text; stamps of witnesses are relative to the agreed time.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from stream_app.model.durations import DAY, MINUTE
from stream_app.model.fold.arrays import decoder, pack
from stream_app.model.fold.cells import Cell, pack_cell, unpack_cell
from stream_app.model.fold.clock import Agreement
from stream_app.model.fold.deltas import Deltas, Memory
from stream_app.model.fold.seen import SIZE
from stream_app.model.fold.visit import Visits
from stream_app.model.intervals.counting import Amounts, compact, interval_of_day, settles_with, spread
from stream_app.model.intervals.day import PublishedDay
from stream_app.model.presence import Presence

__all__ = [
    "frame",
    "frame_cells",
    "frame_rows",
    "numbered_ids",
    "pack_agent",
    "pack_amounts",
    "pack_cell",
    "pack_clock",
    "pack_day",
    "pack_visits",
    "restore_ids",
    "unframe",
    "unframe_cells",
    "unpack_agent",
    "unpack_amounts",
    "unpack_cell",
    "unpack_clock",
    "unpack_day",
    "unpack_visits",
]

_visits = decoder(Visits)
pack_visits = pack


def unpack_visits(packed: bytes) -> Visits:
    """Decode a contact's open visits."""
    found: Visits = _visits.decode(packed)
    return found


_agent = msgspec.msgpack.Decoder(Presence)
pack_agent = msgspec.msgpack.Encoder().encode


def unpack_agent(packed: bytes) -> Presence:
    """Decode what was told of an agent."""
    return _agent.decode(packed)


_clock = msgspec.msgpack.Decoder(tuple[int, Agreement])


def pack_clock(position: int, told: Agreement) -> bytes:
    """Encode how far a partition's time is agreed on at a position."""
    return b64encode(pack_visits((position, _shifted(told, -told.time))))


def unpack_clock(packed: bytes | None, position: int | None) -> Agreement | None:
    """Invert ``pack_clock``; ``None`` where it belongs to another position: a former version went on without it."""
    if not packed:
        return None
    at, told = _clock.decode(b64decode(packed))
    return _shifted(told, told.time) if at == position else None


def _shifted(told: Agreement, by: int) -> Agreement:
    older, newer = ([(who, stamp + by) for who, stamp in some] for some in (told.older, told.newer))
    return Agreement(told.time, told.alone, older, newer)


_amounts = msgspec.msgpack.Decoder(list[int])
_day = msgspec.msgpack.Decoder(PublishedDay)
pack_day = msgspec.msgpack.Encoder().encode
"""A published day as it is stored: a MessagePack array of ``model.intervals.day.Day`` as arrays."""


def pack_amounts(amounts: Amounts) -> bytes:
    """Encode an interval row of a partition."""
    return pack_day(compact(amounts))


def unpack_amounts(packed: bytes) -> Amounts:
    """Invert ``pack_amounts``, without zeros."""
    return spread(_amounts.decode(packed))


def unpack_day(packed: bytes) -> PublishedDay:
    """Invert ``pack_day``."""
    return _day.decode(packed)


DAYS_FROM: Final = 1_000_000_000
"""Event ids are kept by hour, under its first minute; those that recur, by day, under the day's number plus this: no minute is
as late."""


def restore_ids(memory: Memory, number: int, marks: bytes) -> None:
    """Take back the hashes of event ids that are kept under one number; the smallest number first."""
    if number < DAYS_FROM:
        # A former version named the next minute while partition time stood still.
        memory.recent.restore(min(number, memory.time // MINUTE), marks)
    else:
        of_day = memory.lasting.setdefault(number - DAYS_FROM, [])
        of_day += [marks[i : i + SIZE] for i in range(0, len(marks), SIZE)]


def numbered_ids(deltas: Deltas) -> Iterator[bytes]:
    """Yield the numbers of hours and days, each with the hashes added."""
    for first, added in ((0, deltas.recent), (DAYS_FROM, deltas.lasting)):
        for number, marks in added.items():
            yield from (b"%d" % (first + number), b"".join(marks))


_SIZES: Final = [n.to_bytes(4, "big") for n in range(1024)]


def frame(parts: Iterable[bytes]) -> bytes:
    """Join parts into one framed byte string."""
    parts = list(parts)
    out = [b""] * (2 * len(parts))
    out[::2] = [_SIZES[n] if (n := len(part)) < len(_SIZES) else n.to_bytes(4, "big") for part in parts]
    out[1::2] = parts
    return b"".join(out)


def frame_cells(cells: Mapping[tuple[int, int, bytes], Cell]) -> bytes:
    """Frame cells by resolution, bucket start and field: per bucket both, the number of its fields, and these."""
    buckets: dict[tuple[int, int], list[bytes]] = {}
    for (resolution, start, name), cell in cells.items():
        fields = buckets.get((resolution, start))
        if fields is None:
            fields = buckets[resolution, start] = []
        fields += (name, pack_cell(cell))
    parts: list[bytes] = []
    for (resolution, start), fields in buckets.items():
        parts += (b"%d" % resolution, b"%d" % start, b"%d" % (len(fields) // 2), *fields)
    return frame(parts)


def unframe_cells(framed: bytes) -> Iterator[tuple[int, int, list[bytes]]]:
    """Undo ``frame_cells``: yield resolution, bucket start, and fields and packed cells in turn."""
    parts, at = unframe(framed), 0
    while at < len(parts):
        resolution, start, n = int(parts[at]), int(parts[at + 1]), int(parts[at + 2])
        yield resolution, start, parts[at + 3 : at + 3 + 2 * n]
        at += 3 + 2 * n


def frame_rows(rows: Mapping[tuple[int, bytes], Amounts], written: Collection[bytes]) -> bytes:
    """Frame interval rows by start and field.

    Per day and field: both, the day with which it settles, the number of its intervals, and these.

    Args:
        rows: (start of the interval, field) → amounts.
        written: the fields of written channels.
    """
    days: dict[tuple[int, bytes], list[bytes]] = {}
    for (start, name), amounts in rows.items():
        pair = (b"%d" % interval_of_day(start), pack_amounts(amounts))
        days.setdefault((start // DAY, name), []).extend(pair)
    parts: list[bytes] = []
    for (day, name), fields in days.items():
        settles = settles_with(day, written=name in written)
        parts += (b"%d" % day, name, b"%d" % settles, b"%d" % (len(fields) // 2), *fields)
    return frame(parts)


def unframe(blob: bytes) -> list[bytes]:
    """Split a framed byte string into its parts."""
    out: list[bytes] = []
    at, size = 0, len(blob)
    while at < size:
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        out.append(blob[at + 4 : end])
        at = end
    return out
