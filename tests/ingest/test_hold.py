"""A partition waits until it may be claimed, and that is said."""

import asyncio
from typing import Any

import pytest

from stream_app.failpoints import Failpoints
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.hold import Hold, MovedTopicError
from stream_app.ingest.partition import GoneError, Owned
from stream_app.model.ports import Partition
from stream_app.store.memory import MemoryStore
from stream_app.store.topics import Keyed
from stream_app.telemetry import Telemetry
from tests.services.process import until

P5 = Partition("t", 5)


class World:
    """What the store knows, what Kafka has, and what was asked."""

    def __init__(self) -> None:
        self.known = Keyed(4, 8, 1)
        self.asked: list[tuple[str, int]] = []
        self.partitions = {Partition("t", n) for n in range(4)}
        self.hold = Hold(self.found, lambda: self.partitions, look_s=0.001)
        self.store = MemoryStore()

    async def found(self, topic: str, partitions: int) -> Keyed:
        self.asked.append((topic, partitions))
        return self.known

    def own(self, partition: Partition) -> Owned:
        more: dict[str, Any] = {"max_bytes": 1_000, "max_dead_in_a_row": 0, "admit": self.hold.admit}
        return Owned(partition, self.store, decode, Telemetry(), Failpoints(), **more)


async def test_it_is_claimed_once_contacts_were_moved() -> None:
    world = World()
    owned = world.own(P5)
    owned.progressed_at = 0
    claiming = asyncio.create_task(owned.take_over())
    await until(lambda: world.hold.held == {P5} and len(world.asked) > 3)
    assert owned.progressed_at > 0, "the reason is known: nothing is stuck"
    assert P5 not in world.store.partitions, "nobody has claimed it"
    assert set(world.asked) == {("t", 6)}, "what was assigned may be newer than what was heard of the topic"
    world.known = Keyed(8)
    await claiming
    assert owned.claim is not None
    assert not world.hold.held


async def test_others_are_claimed_at_once() -> None:
    world = World()
    world.partitions = {Partition("t", n) for n in range(8)} | {Partition("u", 99)}
    await world.own(Partition("t", 3)).take_over()
    assert world.asked == [("t", 8)]


@pytest.mark.parametrize("how", ["revoked", "gone"])
async def test_what_went_to_somebody_else_is_not_held_here(how: str) -> None:
    world = World()
    owned = world.own(P5)
    task = asyncio.create_task(owned.take_over())
    await until(lambda: world.hold.held == {P5})
    if how == "revoked":
        task.cancel()
    else:
        owned.gone = True
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError if how == "revoked" else GoneError)
    assert not world.hold.held
    assert P5 not in world.store.partitions, "it is somebody else's to claim"


async def test_a_topic_that_was_left_is_not_read() -> None:
    world = World()
    world.known = Keyed(4, moved="new")
    with pytest.raises(MovedTopicError, match="set STREAM_APP_TOPIC=new"):
        await world.own(Partition("t", 0)).take_over()
