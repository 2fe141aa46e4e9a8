"""The rows of the ledger, as a commit hands them over: what the fold counted, and whose it was.

They are stored as MessagePack arrays: fields may be appended, with defaults, never moved.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from . import facts as f
from .facts import Fact
from .fold.arrays import decoder, pack
from .fold.visit import Visit

HappeningKind = Literal[
    "reply",
    "offer",
    "resumption",
    "opinion",
    "refusal",
    "case",
    "customer",
    "criterion",
    "training",
    "spell",
    "stretch",
]
"""What counts at its own time, and not with a visit."""


class VisitRow(Struct, array_like=True, gc=False, tag=0):
    """A visit that is over.

    Attributes:
        offset: of the record with which it ended.
        n: which of that record's rows this is.
        contact: the contact's id.
        visit: as it ended; all that it counted is in ``counted``.
    """

    offset: int
    n: int
    contact: str
    visit: Visit


class Happening(Struct, array_like=True, gc=False, tag=1):
    """Something that counts at its own time.

    Attributes:
        offset: of the record that told it.
        n: which of that record's rows this is.
        kind: the table that it belongs to.
        sign: -1 if what was counted before is taken back.
        contact: the contact's id.
        queue: where it counts.
        channel: likewise.
        visit_started: when the visit began that it is about, in milliseconds; 0: unknown.
        agent: whose it was, like the next four.
        about: further fields of the event, by name.
        facts: what it counted, packed.
    """

    offset: int
    n: int
    kind: HappeningKind
    sign: int
    contact: str | None
    queue: str
    channel: str
    visit_started: int
    agent: str | None
    team: str | None
    site: str | None
    customer: str | None
    case: str | None
    about: dict[str, Any] | None
    facts: bytes


StoredRow = VisitRow | Happening


def _kinds() -> tuple[type[Fact], ...]:
    every = [kind for kind in vars(f).values() if isinstance(kind, type) and issubclass(kind, Fact)]
    numbered = {kind: kind.__struct_config__.tag for kind in every}
    kept = [kind for kind, tag in numbered.items() if tag is not None and kind is not f.TakenBack]
    return tuple(sorted(kept, key=lambda kind: int(str(numbered[kind]))))


KINDS: Final[tuple[type[Fact], ...]] = _kinds()
"""Every kind of fact that is kept, by its number; what is taken back is not kept."""

pack_row: Final = pack
"""Pack a row; facts are packed as a tuple of them."""
_rows: Final = decoder(tuple[StoredRow, ...])
_AnyFact: Any = KINDS[0]
for _kind in KINDS[1:]:
    _AnyFact |= _kind
_facts: Final = msgspec.msgpack.Decoder(tuple[_AnyFact, ...])
_counted: Final = msgspec.msgpack.Decoder(tuple[tuple[_AnyFact, ...], ...])


def join_rows(packed: list[bytes]) -> bytes:
    """Return packed rows as one MessagePack array."""
    return _array(len(packed)) + b"".join(packed)


def unpack_rows(packed: bytes) -> tuple[StoredRow, ...]:
    """Undo ``join_rows``."""
    found: tuple[StoredRow, ...] = _rows.decode(packed)
    return found


def unpack_facts(packed: bytes) -> f.Facts:
    """Return the facts of a happening."""
    found: f.Facts = _facts.decode(packed)
    return found


def counted_by(visit: Visit) -> f.Facts:
    """Return all that a visit counted, in order, as far as it was noted."""
    notes = visit.notes
    if notes is None:
        return ()
    told: tuple[f.Facts, ...] = _counted.decode(_array(notes.told) + notes.counted)
    return tuple(fact for facts in told for fact in facts)


def take_back(visit: Visit, taken: f.Facts) -> None:
    """Take the latest of each of these facts back; what was counted before there was a ledger is not in it, either."""
    left = list(counted_by(visit))
    for fact in taken:
        if fact in left:
            del left[len(left) - 1 - left[::-1].index(fact)]
    if visit.notes is not None:
        visit.notes.told, visit.notes.counted = 1, pack_row(left)


def _array(length: int) -> bytes:
    return b"\xdd" + length.to_bytes(4, "big")
