"""The floor: the agents of one queue, and whose turn it is."""

from collections import OrderedDict
from typing import Final, Literal

from .ledger import Attended

FloorState = Literal["offline", "available", "break", "training", "meeting"]


class Agent:
    """An agent at work.

    Attributes:
        load: the number of contacts that the agent has now.
        presence: the agent's presence now.
        wanted: the presence to change to as soon as the last contact is done.
        why: the reason of that.
        forgets: not logging off today.
        ringing: not taking the call that is ringing.
        attended: what the agent really does.
    """

    __slots__ = ("attended", "forgets", "id", "load", "presence", "ringing", "site", "team", "wanted", "why")

    def __init__(self, name: str, team: str, site: str, attended: Attended) -> None:
        self.id: Final = name
        self.team: Final = team
        self.site: Final = site
        self.attended: Final = attended
        self.load = 0
        self.presence: FloorState = "offline"
        self.wanted: FloorState | None = None
        self.why: str | None = None
        self.forgets = self.ringing = False

    @property
    def takes(self) -> bool:
        """Whether the agent may get another contact."""
        return self.presence == "available" and self.wanted is None and not self.ringing


class Pool:
    """Agents who may get a contact: the least busy first, among these the one idle for longest."""

    def __init__(self, at_once: int) -> None:
        self._free: list[OrderedDict[Agent, None]] = [OrderedDict() for _ in range(at_once)]
        self._at_once = at_once

    def take(self) -> Agent | None:
        """Take the next agent, who now has one contact more."""
        for free in self._free:
            if free:
                agent, _ = free.popitem(last=False)
                agent.load += 1
                self.add(agent)
                return agent
        return None

    def done(self, agent: Agent) -> None:
        """Note that the agent has one contact less."""
        self.drop(agent)
        agent.load -= 1
        self.add(agent)

    def add(self, agent: Agent) -> None:
        """Make the agent available, if there is capacity left."""
        if agent.load < self._at_once and agent.takes:
            self._free[agent.load][agent] = None

    def drop(self, agent: Agent) -> None:
        """Make the agent unavailable until ``add``."""
        if agent.load < self._at_once:
            self._free[agent.load].pop(agent, None)
