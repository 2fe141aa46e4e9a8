"""Shifts and breaks: when agents come, take a break and leave. Nobody leaves in the middle of a contact."""

from functools import partial
from typing import Protocol

from stream_app.model import events as e
from stream_app.model.durations import DAY, HOUR

from .desk import Desk
from .floor import Agent, FloorState
from .staffing import AgentShift
from .stage import Then

_TERM = 28 * DAY


class House(Protocol):
    """The part of the simulation that attendance needs."""

    def id(self) -> str:
        """Return a new event id."""

    def later(self, at: int, event: e.Event | None, then: Then | None = None) -> None:
        """Do something at its time."""

    def say(self, event: e.Event) -> None:
        """Emit an event now."""

    def serve(self, desk: Desk, at: int) -> None:
        """Connect waiting contacts with free agents."""


class Attendance:
    """The presence of one desk's agents, day after day."""

    def __init__(self, house: House, desk: Desk, *, say: bool) -> None:
        self._house = house
        self._desk = desk
        self._say = say

    def begin(self, start: int) -> None:
        """Put agents to work whose shift is running, and schedule the others' arrival."""
        desk = self._desk
        for n, (agent, shift) in enumerate(desk.agents):
            if self._say:
                self._train(n, agent, start)
            if shift.end - shift.begin >= DAY // HOUR:
                self._house.later(start, None, partial(self._become, agent, "available", None))
                continue
            since = (start + desk.offset - shift.begin * HOUR) % DAY
            running = since < (shift.end - shift.begin) * HOUR
            self._plan(n, agent, shift, start - since + (0 if running or not since else DAY), now=start)

    def _train(self, n: int, agent: Agent, start: int) -> None:
        """Assign a course to an agent, due at the end of these four weeks; nine of ten complete it within two days."""
        due, who = (start // _TERM + 1) * _TERM, {"agent": agent.id, "team": agent.team, "site": agent.site}
        house, course = self._house, "data protection"
        house.later(start, e.TrainingAssigned(id=house.id(), at=start, course=course, due_at=due, **who))
        if n % 10:
            done = start + n * 37 % 48 * HOUR
            house.later(done, e.TrainingCompleted(id=house.id(), at=done, course=course, **who))

    def _plan(self, n: int, agent: Agent, shift: AgentShift, begin: int, now: int = 0) -> None:
        """Schedule one day of one agent, whose shift begins, or began, at ``begin``."""
        later = self._house.later
        if not self._desk.comes(n, begin):
            later(begin + DAY, None, partial(self._plan, n, agent, shift))
            return
        day = self._desk.workday(n, shift, begin)
        later(max(day.begin, now), None, partial(self._become, agent, "available", None))
        for away in day.away:
            if away.begin >= now:
                later(away.begin, None, partial(self._become, agent, away.state, away.reason))
                later(away.end, None, partial(self._become, agent, "available", None))
        later(day.end, None, partial(self._leave, agent, day.forgets))
        later(begin + DAY, None, partial(self._plan, n, agent, shift))

    def _leave(self, agent: Agent, forgets: bool, at: int) -> None:
        agent.forgets = forgets
        self._become(agent, "offline", None, at)

    def _become(self, agent: Agent, wanted: FloorState, why: str | None, at: int) -> None:
        desk = self._desk
        if agent.wanted == "offline" and wanted != "available":
            return
        agent.wanted, agent.why = wanted, why
        if wanted == "available":
            self.settle(self._house, desk, agent, at, say=self._say)
            desk.pool.add(agent)
            self._house.serve(desk, at)
            return
        desk.pool.drop(agent)
        if agent.load == 0:
            self.settle(self._house, desk, agent, at, say=self._say)

    @staticmethod
    def settle(house: House, desk: Desk, agent: Agent, at: int, *, say: bool) -> None:
        """Change the agent's presence to the desired one; tell it, unless the agent forgets to log off."""
        assert agent.wanted is not None  # noqa: S101 - the callers know
        was, agent.presence, agent.wanted = agent.presence, agent.wanted, None
        if was == agent.presence:
            return
        agent.attended.becomes(agent.presence, agent.why, at)
        forgets, agent.forgets = agent.forgets and agent.presence == "offline", False
        agent.attended.forgotten += forgets
        if say and not forgets:
            came = was == "offline"
            event = e.AgentState(
                id=house.id(), at=at, agent=agent.id, state=agent.presence, team=agent.team, site=agent.site,
                reason=agent.why, queues=(desk.name,) if came else None,
                slots={desk.channel: desk.queue.at_once} if came else None,
            )  # fmt: skip
            house.say(event)
