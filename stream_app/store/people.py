"""What Redis has of people: ids in open visits, and in the log of the latest commits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final

import msgspec

from stream_app.errors import LaterEditionError
from stream_app.model.edition import EDITION
from stream_app.model.fold.visit import Visit, VisitNotes, Visits
from stream_app.model.ports import Partition

from . import keys
from .client import connect, faults, script
from .codec import unpack_visits

SCAN: Final = 2_000
BLANKED: Final = 500
"""Contacts that one script changes, which nothing else in Redis can interrupt."""
LOGGED: Final = 100
"""Entries of the log in one reply."""

_NOTES: Final = Visit.__struct_fields__.index("notes")
_IDS: Final = tuple(VisitNotes.__struct_fields__.index(name) for name in ("customer", "case"))
"""Where a visit's array has its notes, and these the ids of people."""

VisitChange = tuple[str, bytes, bytes]
"""Contact, its visits as they were read, and as they shall be."""


class OpenPeople:
    """Who is in open visits, of all partitions.

    Every method raises ``StoreUnavailableError`` where Redis does not answer, and ``QuarantinedError`` for a key of a foreign
    type.
    """

    def __init__(self, url: str) -> None:
        """Set it up; it connects with the first command."""
        self._client: Any = connect(url)
        self._blank = script(self._client, "blank")

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def visits(self, partition: Partition) -> AsyncIterator[tuple[str, bytes, Visits]]:
        """Yield each contact that is open, with its visits, packed and not.

        Raises:
            LaterEditionError: a later edition of the specification counted them, and may keep them otherwise.
        """
        async with faults():
            edition = await self._client.hget(keys.meta(partition), "edition")
            if edition is not None and int(edition) > EDITION:
                raise LaterEditionError(partition, int(edition), EDITION)
            async for contact, packed in self._client.hscan_iter(keys.visits(partition), count=SCAN):
                yield contact.decode(), packed, unpack_visits(packed)

    async def are_logged(self, partition: Partition, ids: Collection[str]) -> bool:
        """Return whether the latest commits have one of the ids."""
        wanted, first = [id_.encode() for id_ in ids], b"-"
        while True:
            async with faults():
                found = await self._client.xrange(keys.log(partition), first, b"+", count=LOGGED)
            for _, fields in found:
                if any(id_ in value for value in fields.values() for id_ in wanted):
                    return True
            if not found:
                return False
            first = b"(" + found[-1][0]

    async def blank(self, partition: Partition, changes: Sequence[VisitChange]) -> int:
        """VisitChange visits that are still as they were read, and return how many.

        It also empties the log, and the partition's owner has to claim it again; both only if the partition was ever claimed.
        """
        changed = 0
        async with faults():
            if not await self._client.hget(keys.meta(partition), "epoch"):
                return 0
            for at in range(0, len(changes) or 1, BLANKED):
                some = [part for one in changes[at : at + BLANKED] for part in one]
                changed += await self._blank(
                    keys=[keys.meta(partition), keys.visits(partition), keys.log(partition)], args=some
                )
        return changed


def blanked(packed: bytes) -> bytes | None:
    """Return packed visits without ids of people; ``None`` if they have none. What a later version appended to them stays."""
    visits: list[list[Any]] = msgspec.msgpack.decode(packed)
    found = False
    for visit in visits:
        notes = visit[_NOTES] if len(visit) > _NOTES else None
        for place in _IDS:
            if notes is not None and len(notes) > place and notes[place] is not None:
                notes[place], found = None, True
    return msgspec.msgpack.encode(visits) if found else None
