"""One partition in a worker's hands: a claim and the memory that was restored with it belong together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from stream_app.errors import FencedError
from stream_app.failpoints import Failpoints
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.partition import Owned
from stream_app.model.ports import Partition
from stream_app.store.memory import MemoryStore
from stream_app.telemetry import Telemetry

from .slices import slices

PLACE = Partition("t", 0)
NOW = 1_763_800_000_000


@dataclass
class Line:
    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_type: int = 0


def queued(n: int) -> Line:
    event = f'{{"id":"e{n}","type":"contact.queued","at":{NOW},"contact_id":"c{n}","queue":"billing"}}'
    return Line(n, NOW, event.encode())


def owned_of(store: MemoryStore) -> Owned:
    return Owned(PLACE, store, decode, Telemetry(), Failpoints(), max_bytes=1_000, max_dead_in_a_row=0)


async def test_two_tasks_that_claim_at_once_claim_once() -> None:
    store = MemoryStore()
    owned = owned_of(store)
    await asyncio.gather(owned.take_over(), owned.take_over())
    assert store.partitions[PLACE].epoch == 1


async def test_what_was_folded_under_one_claim_is_not_stored_under_the_next() -> None:
    """Its memory would lack what the commit says, and every number after it would be wrong."""
    store = MemoryStore()
    owned = owned_of(store)
    await owned.take_over()
    await owned.fold(slices([queued(0)]))

    async def claim_anew() -> None:
        owned.claim = None
        await owned.take_over()

    parts = [[queued(1), queued(2)], [queued(3)]]  # the loop turns in the middle
    folding = asyncio.create_task(owned.fold(slices(*parts)))
    claiming = asyncio.create_task(claim_anew())
    with pytest.raises(FencedError):
        await folding
    await claiming
    assert owned._telemetry.fenced._value.get() == 1
    assert store.partitions[PLACE].position == 1
    await owned.fold(slices(*parts))
    contents = store.partitions[PLACE]
    assert (contents.position, len(contents.visits), contents.results) == (4, 4, {"applied": 4})


async def test_who_claimed_and_counted_nothing_yet_sees_that_the_store_stepped_back() -> None:
    """A quiet partition changed hands; what its new owner saw is lost, though it wrote none of it."""
    store = MemoryStore()
    former, owned = owned_of(store), owned_of(store)
    await former.take_over()
    await former.fold(slices([queued(0), queued(1)]))
    await owned.take_over()
    store.partitions[PLACE].position = 1
    for _ in range(2):  # it is told of once, however often settings have it claimed anew
        owned.claim = None
        await owned.take_over()
        assert (owned._telemetry.rollbacks._value.get(), store.partitions[PLACE].rollbacks) == (1, 1)
