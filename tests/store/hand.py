"""A worker's hand on a partition: folds events and makes commits, one offset each."""

from collections.abc import Sequence
from itertools import count
from typing import Any, Self
from uuid import uuid4

from stream_app.model.events import Abandoned, AgentState, AgentStatus, Answered, Event, LeftQueue, Queued
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.tally import Tally
from stream_app.model.ports import Claim, Commit, DeadLetter, Partition, Store

from .backends import P0

T0 = 1_763_800_200_000  # on a quarter of an hour
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
_ids = count()


def _at(at_s: float) -> int:
    return T0 + round(at_s * 1000)


def queued(
    contact: str, at_s: float = 0, queue: str = "sales", channel: str = "voice", name: str = ""
) -> Queued:
    """A visit begins; times are seconds after T0."""
    name = name or f"q{next(_ids)}"
    return Queued(id=name, at=_at(at_s), contact_id=contact, queue=queue, channel=channel)


def answered(contact: str, at_s: float) -> Answered:
    return Answered(id=f"a{next(_ids)}", at=_at(at_s), contact_id=contact)


def abandoned(contact: str, at_s: float) -> Abandoned:
    return Abandoned(id=f"g{next(_ids)}", at=_at(at_s), contact_id=contact)


def left(contact: str, at_s: float) -> LeftQueue:
    return LeftQueue(id=f"l{next(_ids)}", at=_at(at_s), contact_id=contact)


def told(agent: str, state: AgentStatus, at_s: float, **fields: Any) -> AgentState:
    return AgentState(id=f"s{next(_ids)}", at=_at(at_s), agent=agent, state=state, **fields)


class Hand:
    """What a worker does between a claim and the loss of it."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._fold = Fold(claim.targets, Tally(claim.numbers), claim.memory)
        self._fold.by_broker = True
        self._end = claim.position

    @classmethod
    async def take(cls, store: Store, partition: Partition = P0, known: int | None = None) -> Self:
        return cls(await store.claim(partition, uuid4().hex, known))

    def commit(self, *events: Event, dead: Sequence[DeadLetter] = ()) -> Commit:
        """The next step; events have stamps of their own, the broker's are the same."""
        for event in events:
            self._fold.record(event, event.at)
        start = self._end
        self._end = (start or 0) + len(events) + len(dead)
        return Commit(
            start=start, end=self._end, batch=uuid4().hex, deltas=self._fold.take(), dead=list(dead)
        )

    async def do(self, *events: Event, dead: Sequence[DeadLetter] = ()) -> Commit:
        """Make a commit and have it stored."""
        commit = self.commit(*events, dead=dead)
        await self.claim.apply(commit)
        return commit
