"""The floor: agents of one queue and the visits that wait for them: who is free, who is next."""

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from stream_app.model.events import ContactEvent

if TYPE_CHECKING:
    from .desk import Desk

E = TypeVar("E", bound=ContactEvent)
Presence = Literal["offline", "available", "break"]


class Agent:
    """Someone at work.

    Attributes:
        load: contacts that the agent has now.
        presence: what the agent last said.
        wish: what the agent wants to become as soon as the last contact is done.
        ringing: does not take a call just now.
    """

    __slots__ = ("id", "load", "presence", "ringing", "site", "team", "wish")

    def __init__(self, name: str, team: str, site: str) -> None:
        self.id: Final = name
        self.team: Final = team
        self.site: Final = site
        self.load = 0
        self.presence: Presence = "offline"
        self.wish: Presence | None = None
        self.ringing = False

    @property
    def takes(self) -> bool:
        """Whether another contact may be given to the agent."""
        return self.presence == "available" and self.wish is None and not self.ringing


class Visit:
    """A contact's stay in one queue. Times and durations in milliseconds.

    Attributes:
        number: first, second, … visit of the contact.
        clock: when the customer began to wait for a reply.
        waiting: has no outcome yet.
        moved: ended in a transfer.
        waited: from the queue's door to the answer.
        talk, hold, wrap: how the conversation will go; drawn at the answer.
    """

    __slots__ = (
        "agent", "clock", "contact", "customer", "desk", "hold", "moved", "number", "queued_at", "talk",
        "waited", "waiting", "wrap",
    )  # fmt: skip

    def __init__(self, desk: "Desk", contact: str, customer: str, number: int, at: int) -> None:
        self.desk: Final = desk
        self.contact: Final = contact
        self.customer: Final = customer
        self.number: Final = number
        self.queued_at: Final = at
        self.clock = at
        self.waiting = True
        self.moved = False
        self.agent: Agent | None = None
        self.talk = self.hold = self.wrap = self.waited = 0

    def event(self, kind: type[E], event_id: str, at: int, /, **fields: Any) -> E:
        """An event of this visit; its agent is the one who has it."""
        agent = self.agent
        return kind(
            id=event_id,
            at=at,
            contact_id=self.contact,
            visit=self.number,
            queue=self.desk.name,
            channel=self.desk.channel,
            agent=None if agent is None else agent.id,
            **fields,
        )


class Pool:
    """Agents who may be given a contact: the least busy first, of these who has been idle longest."""

    def __init__(self, at_once: int) -> None:
        self._free: list[OrderedDict[Agent, None]] = [OrderedDict() for _ in range(at_once)]
        self._at_once = at_once

    def take(self) -> Agent | None:
        """The next agent, who now has one contact more."""
        for free in self._free:
            if free:
                agent, _ = free.popitem(last=False)
                agent.load += 1
                self.add(agent)
                return agent
        return None

    def done(self, agent: Agent) -> None:
        """The agent has one contact less."""
        self.drop(agent)
        agent.load -= 1
        self.add(agent)

    def add(self, agent: Agent) -> None:
        """Hand out the agent, if there is anything to hand out."""
        if agent.load < self._at_once and agent.takes:
            self._free[agent.load][agent] = None

    def drop(self, agent: Agent) -> None:
        """Don't hand out the agent until ``add``."""
        if agent.load < self._at_once:
            self._free[agent.load].pop(agent, None)


class Line:
    """Visits that wait for an agent, first come first served. Who gave up is skipped when its turn comes."""

    def __init__(self) -> None:
        self._visits: deque[Visit] = deque()
        self.length = 0

    def join(self, visit: Visit, *, front: bool = False) -> None:
        """Wait."""
        self.length += 1
        if front:
            self._visits.appendleft(visit)
        else:
            self._visits.append(visit)

    def leave(self) -> None:
        """Someone in the line stopped waiting."""
        self.length -= 1

    def first(self) -> Visit | None:
        """Take the next visit out of the line."""
        while self._visits:
            visit = self._visits.popleft()
            if visit.waiting:
                self.length -= 1
                return visit
        return None
