"""A worker's part in short: claims a partition and commits events, for tests of those who read."""

import time
from collections.abc import Sequence
from itertools import count
from typing import Self
from uuid import uuid4

from stream_app.model.events import AgentState, AgentStatus, Event, Queued
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.tally import Tally
from stream_app.model.ports import Beat, Claim, Commit, Partition, Store
from stream_app.store.redis import RedisStore

P0 = Partition("t", 0)
_ids = count()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def queued(contact: str, queue: str = "sales", channel: str = "voice", at: int | None = None) -> Queued:
    stamp = now_ms() if at is None else at
    return Queued(id=f"q{next(_ids)}", at=stamp, contact_id=contact, queue=queue, channel=channel)


def told(agent: str, state: AgentStatus, at: int | None = None) -> AgentState:
    return AgentState(id=f"s{next(_ids)}", at=now_ms() if at is None else at, agent=agent, state=state)


class Owner:
    """One worker's hold of one partition."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.fold = Fold(claim.targets, Tally(claim.numbers), claim.memory)

    @classmethod
    async def of(cls, store: Store, partition: Partition = P0) -> Self:
        owner = cls(await store.claim(partition, uuid4().hex))
        await owner.beat()
        return owner

    async def commit(self, *events: Event) -> None:
        """Fold and store events as one commit."""
        for event in events:
            assert self.fold.record(event, event.at) == "applied"
        await self.store_folded(events)

    async def store_folded(self, events: Sequence[Event]) -> None:
        start = self.claim.position
        end = (start or 0) + len(events)
        await self.claim.apply(Commit(start=start, end=end, batch=uuid4().hex, deltas=self.fold.take()))

    async def beat(
        self, *, ago: int = 0, behind: int = 0, read_at: int = 0, waits: int | None = None, ahead: int = 0
    ) -> int:
        position = self.claim.position or 0
        return await self.claim.beat(
            Beat(
                heard_ago=ago,
                clock=now_ms() + ahead,
                owner="test",
                position=position,
                end=position + behind,
                read_at=read_at,
                waits=waits,
            )
        )


async def filled(url: str, queues: int) -> RedisStore:
    """A store in which somebody waits in each of so many queues; whoever asked closes it."""
    store = RedisStore(url)
    owner = await Owner.of(store)
    for at in range(0, queues, 100):
        await owner.commit(*(queued(f"c{n}", f"queue-{n}") for n in range(at, min(at + 100, queues))))
    await owner.beat()
    return store
