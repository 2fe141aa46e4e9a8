"""Who is there now: each agent's state, and the contacts that the agent has, from all partitions together.

An agent's states are told in the agent's partition, and contacts are counted in theirs: here the two meet. An agent on a
contact during a break is both. Per queue, what its agents do is kept up to date by what changes, so that reading costs nothing.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Final

from msgspec import structs

from stream_app.model.fold.visit import WRITTEN, Visit, VisitState
from stream_app.model.presence import Presence, Spell

from .agent_now import (
    DOING,
    AgentCounts,
    AgentNow,
    Doing,
    DoingNow,
    InHand,
    PartInQueue,
    SlotUse,
    doing_of,
    places_of,
)

MOST_GONE: Final = 10_000
"""Of so many agents it is known when they left the list; who reads what changed and is further behind reads all of it."""
_IN_HAND: Final = {
    VisitState.TALKING: "connected",
    VisitState.HELD: "held",
    VisitState.WRAPPING: "wrap",
}


class _QueueAgents:
    """The agents of a queue.

    Attributes:
        since: what they do → since when each does, sorted.
        slots: channel → how many contacts they may have at once, those who are available.
        used: channel → how many of these they have.
        tellings: how many agents are remembered of whom it was told that they serve it.
        version: of which change this is.
    """

    __slots__ = ("_counts", "since", "slots", "tellings", "used", "version")

    def __init__(self) -> None:
        self.since: dict[Doing, list[int]] = {doing: [] for doing in DOING}
        self.slots: Counter[str] = Counter()
        self.used: Counter[str] = Counter()
        self.tellings = 0
        self.version = 0
        self._counts: AgentCounts | None = None

    def add(self, place: PartInQueue, sign: int) -> None:
        """Add an agent, or take one away."""
        self._counts = None
        since = self.since[place.doing]
        if sign > 0:
            insort(since, place.since)
        else:
            del since[bisect_left(since, place.since)]
        for channel, n, used in place.room:
            self.slots[channel] += sign * n
            self.used[channel] += sign * used

    def counts(self) -> AgentCounts:
        """Return what they do; the same object until one of them changes, since every row and every wait asks for it."""
        if self._counts is not None:
            return self._counts
        doing = {
            name: DoingNow(len(since), since[0] if since else None) for name, since in self.since.items()
        }
        slots = {name: SlotUse(n, self.used[name]) for name, n in sorted(self.slots.items()) if n}
        self._counts = AgentCounts(doing, slots)
        return self._counts


class People:
    """The agents of all partitions.

    Attributes:
        changes: a number that grows with every change; agents and queues have that of their latest one.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._queues: dict[str, _QueueAgents] = {}
        self._spells: dict[str, dict[str, Spell]] = {}  # agent → partition → current spell
        self._told: dict[tuple[str, str], frozenset[str]] = {}  # partition, agent → queues that were told
        self._hands: dict[str, dict[tuple[str, str, int], InHand]] = {}  # agent → partition, contact, number
        self._of: dict[str, dict[str, tuple[tuple[str, InHand], ...]]] = {}  # partition → contact
        self._freed: dict[str, int] = {}  # agent → when the last contact was over
        self._now: dict[str, tuple[int, AgentNow]] = {}  # the latest change last
        self._gone: dict[str, int] = {}  # the same, of those who are not listed any more
        self._staff: Counter[tuple[frozenset[str], bool]] = Counter()
        self._gone_before = 0  # who was gone then is not remembered

    @property
    def told(self) -> bool:
        """Whether anybody tells agents' states."""
        return bool(self._spells)

    def agents(self) -> list[AgentNow]:
        """Return all agents, in no order."""
        return [now for _, now in self._now.values()]

    def with_versions(self) -> list[tuple[int, AgentNow]]:
        """Return all agents, each with the version of its latest change."""
        return [*self._now.values()]

    def changed(self, version: int) -> list[tuple[int, AgentNow]] | None:
        """Return the agents that changed after a version, each with its own, the latest first; ``None``: read them all."""
        if version < self._gone_before:
            return None
        return [*takewhile(lambda one: one[0] > version, reversed(self._now.values()))]

    def gone(self, version: int) -> list[str]:
        """Return the agents who left the list after a version."""
        return [agent for agent, _ in takewhile(lambda one: one[1] > version, reversed(self._gone.items()))]

    def staff(self) -> Mapping[tuple[frozenset[str], bool], int]:
        """Return how many agents are there for the same queues, and whether they are available; who is away is left out."""
        return self._staff

    def queues(self) -> list[str]:
        """Return the queues of which agents are known."""
        return [*self._queues]

    def version(self, queue: str) -> int:
        """Return the latest change of a queue's agents; 0 if none are known."""
        found = self._queues.get(queue)
        return 0 if found is None else found.version

    def counts(self, queue: str) -> AgentCounts | None:
        """Return what a queue's agents do; ``None``: nobody tells which agents serve it, and unknown is not none."""
        found = self._queues.get(queue)
        return found.counts() if found is not None and found.tellings else None

    def put_agent(self, partition: str, agent: str, presence: Presence | None) -> None:
        """Set what was told of an agent in a partition; ``None``: it is forgotten."""
        mine = self._spells.setdefault(agent, {})
        if presence is None:
            mine.pop(partition, None)
        else:
            mine[partition] = presence.current()
        if not mine:
            del self._spells[agent]
        self._place(agent)
        self._tell(partition, agent, frozenset() if presence is None else frozenset(_queues_told(presence)))

    def _tell(self, partition: str, agent: str, queues: frozenset[str]) -> None:
        """Take which queues were told of an agent."""
        before = self._told.pop((partition, agent), frozenset())
        if queues:
            self._told[partition, agent] = queues
        if before != queues:
            self.changes += 1
        for queue in before - queues:
            self._queue(queue).tellings -= 1
            self._tidy(queue)
        for queue in queues - before:
            self._queue(queue).tellings += 1

    def put_visits(self, partition: str, contact: str, visits: Iterable[Visit], now: int) -> None:
        """Set a contact's open visits; ``now``: when that is seen, ms."""
        mine = self._of.setdefault(partition, {})
        before = mine.get(contact, ())
        after = tuple(
            (visit.agent, InHand(contact, visit.queue, visit.channel, state, visit.since))
            for visit in visits
            if visit.agent is not None and (state := _state_in_hand(visit)) is not None
        )
        if after == before:
            return
        for n, (agent, _) in enumerate(before):
            del self._hands[agent][partition, contact, n]
        for n, (agent, hand) in enumerate(after):
            self._hands.setdefault(agent, {})[partition, contact, n] = hand
        if after:
            mine[contact] = after
        else:
            del mine[contact]
        for agent in {agent for agent, _ in (*before, *after)}:
            if not self._hands[agent]:
                del self._hands[agent]
                self._freed[agent] = now
            self._place(agent)

    def contacts(self, partition: str) -> set[str]:
        """Return the contacts of a partition that agents have."""
        return set(self._of.get(partition, ()))

    def of_partition(self, partition: str) -> set[str]:
        """Return the agents who are told of in a partition."""
        return {agent for agent, mine in self._spells.items() if partition in mine}

    def knows(self, agent: str) -> bool:
        """Return whether an agent is listed."""
        return agent in self._now

    def agent(self, agent: str) -> AgentNow:
        """Return an agent; of an unknown one nothing is known."""
        known = self._now.get(agent)
        return AgentNow(agent, None, 0, None, ()) if known is None else known[1]

    def _look(self, agent: str) -> AgentNow:
        spell = self._spell(agent)
        hands = tuple(sorted(self._in_hand(agent, spell), key=lambda hand: hand.since))
        doing, since = doing_of(spell, hands)
        if doing == "available":
            since = max(since, self._freed.get(agent, 0))
        now = AgentNow(agent, doing, since, spell, hands)
        return structs.replace(now, places=tuple(places_of(now)))

    def _spell(self, agent: str) -> Spell | None:
        """Return what holds of an agent: of the spells of all partitions that somebody told, the one that began last."""
        mine = self._spells.get(agent)
        if not mine:
            return None

        def place(partition: str) -> tuple[bool, int, str]:
            return not mine[partition].status.unended, mine[partition].began, partition

        return mine[max(mine, key=place)]

    def _in_hand(self, agent: str, spell: Spell | None) -> list[InHand]:
        """Return an agent's contacts: those that are counted, and what the platform adds to these."""
        counted = list(self._hands.get(agent, {}).values())
        told = spell.status.contacts if spell is not None else None
        known = {hand.contact for hand in counted}
        counted += [
            InHand(one.contact_id, one.queue or "", one.channel, one.state, one.since or spell.began)
            for one in told or ()
            if spell is not None and one.contact_id not in known
        ]
        return counted

    def _place(self, agent: str) -> None:
        """Look at an agent again, and let the queues know."""
        _, before = self._now.get(agent, (0, None))
        now = self._look(agent)
        there = now.spell is not None or bool(now.hands)
        if now.doing in {None, "offline"} and not now.hands:
            self._freed.pop(agent, None)
        if now == before or (before is None and not there):
            return
        self.changes += 1
        self._count(before, -1)
        self._count(now, +1)
        places = set(before.places) if before is not None else set()
        for place in places.difference(now.places):
            self._queue(place.queue).add(place, -1)
        for place in set(now.places) - places:
            self._queue(place.queue).add(place, +1)
        for place in places.difference(now.places):
            self._tidy(place.queue)
        self._now.pop(agent, None)
        self._gone.pop(agent, None)
        if there:
            self._now[agent] = self.changes, now
        else:
            self._gone[agent] = self.changes
        if len(self._gone) > MOST_GONE:
            self._gone_before = self._gone.pop(next(iter(self._gone)))

    def _count(self, agent: AgentNow | None, sign: int) -> None:
        """Count an agent among the staff of the queues that have some of the agent's time."""
        queues = frozenset(place.queue for place in agent.places if place.doing != "away") if agent else None
        if agent is not None and queues:
            key = queues, agent.doing == "available"
            self._staff[key] += sign
            if not self._staff[key]:
                del self._staff[key]

    def _queue(self, queue: str) -> _QueueAgents:
        """Return a queue's agents, which change now."""
        found = self._queues.get(queue)
        if found is None:
            found = self._queues[queue] = _QueueAgents()
        found.version = self.changes
        return found

    def _tidy(self, queue: str) -> None:
        """Forget a queue that nobody serves or tells of."""
        found = self._queues[queue]
        if not found.tellings and not any(found.since.values()):
            del self._queues[queue]


def _state_in_hand(visit: Visit) -> str | None:
    """Return what an agent does with a visit; ``None``: it is in nobody's hands."""
    if visit.state == VisitState.WAITING and visit.assigned_at:
        return "connected"  # somebody writes the first reply
    if visit.state == VisitState.HELD and visit.seen & WRITTEN:
        return "pending"
    return _IN_HAND.get(VisitState(visit.state))


def _queues_told(presence: Presence) -> Iterator[str]:
    """Yield the queues that an agent was told to serve, as far as it is remembered."""
    yield from presence.before.served
    for told in presence.told:
        yield from told.queues or ()
        if told.queue is not None:
            yield told.queue
