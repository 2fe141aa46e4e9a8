"""The agents of one partition: how their states are told, corrected by what comes late, and ended by time.

``docs/semantics.md`` is the specification (*Agents*). Pure, like the fold that drives it: time is an argument.
"""

from __future__ import annotations

from typing import Final

from stream_app.model.durations import DAY, HOUR, MINUTE
from stream_app.model.events import AgentState
from stream_app.model.presence import Presence, PresenceStatus, Spell, Telling, ended_by_itself, work_over

from .noted import Noted

IDLE_H: Final = 12.0
FORGOTTEN_AFTER: Final = 2 * DAY


class Agents:
    """The agents, as events change them.

    Attributes:
        known: agent → what was told.
        touched: agent → the same, of all that changed; ``None``: forgotten.
    """

    def __init__(
        self, known: dict[str, Presence], noted: Noted, *, time: int = 0, idle_h: float | None = None
    ) -> None:
        """Start from what a claim restored, or from nothing.

        Args:
            known: that.
            noted: takes what the ledger keeps.
            time: partition time.
            idle_h: after how many hours without a telling an agent is taken to have left.
        """
        self.known = known
        self.touched: dict[str, Presence | None] = {}
        self._noted = noted
        self._idle = round((IDLE_H if idle_h is None else idle_h) * HOUR)
        self._current: dict[str, tuple[PresenceStatus, int]] = {}  # of those that changed since the claim
        self._minute = time // MINUTE
        self._due = 0  # nobody leaves by time before this
        self._limits: dict[str, int] = {}  # agent → when work ends at the latest, where that is told
        for agent, presence in known.items():
            self._limit(agent, presence)

    def reset(self) -> None:
        """Clear the change set after it was handed over."""
        self.touched = {}

    def tell(self, event: AgentState) -> bool:
        """Take what an event tells; return whether it could be put in its place."""
        agent = event.agent
        presence = self.known.get(agent)
        if presence is None:
            presence = Presence()
        elif presence.is_too_late(event.at):
            return False
        self._take(agent, presence, Telling.of(event))
        self._due = min(self._due, event.at + self._idle)
        return True

    def _take(self, agent: str, presence: Presence, telling: Telling) -> None:
        then = presence.tell(telling)
        if telling.at < presence.heard:
            self._correct(agent, presence, then)
            self._current.pop(agent, None)
        else:
            status, began = self._now(agent, presence)
            after = status.after(telling)
            if began and not status.like(after):
                if telling.at > began:
                    self._noted.spell(agent, Spell(status, began, telling.at, telling.ends_presence))
                began = telling.at
            self._current[agent] = after, began or telling.at
        self.known[agent] = self.touched[agent] = then.shortened()
        self._limit(agent, then)

    def _limit(self, agent: str, presence: Presence) -> None:
        """Note until when an agent works at most."""
        if presence.told[-1].limit and (status := self._now(agent, presence)[0]).work:
            self._limits[agent] = status.limit
        else:
            self._limits.pop(agent, None)

    def _now(self, agent: str, presence: Presence) -> tuple[PresenceStatus, int]:
        """Return an agent's status, and since when."""
        found = self._current.get(agent)
        if found is None:
            spell = presence.current()
            found = spell.status, spell.began
        return found

    def _correct(self, agent: str, before: Presence, after: Presence) -> None:
        """Take back the spells that do not hold after a late telling, and note those that do instead."""
        were, are = ([spell for spell in one.spells() if spell.ended is not None] for one in (before, after))
        for spell in were:
            if spell not in are:
                self._noted.spell(agent, spell, sign=-1)
        for spell in are:
            if spell not in were:
                self._noted.spell(agent, spell)

    def pass_time(self, now: int) -> None:
        """Follow partition time. In a new minute, end work at its limit and what nobody ended, and forget who left long ago."""
        minute, was = now // MINUTE, self._minute
        self._minute = minute
        if minute <= was:
            return
        over = {agent: limit for agent, limit in self._limits.items() if limit < now}
        for agent, limit in over.items():
            self._take(agent, self.known[agent], work_over(limit))
        if now <= self._due:
            return
        due = now + FORGOTTEN_AFTER
        for agent, presence in list(self.known.items()):
            heard = presence.heard
            if agent in over:
                due = min(due, heard + self._idle)
            elif self._now(agent, presence)[0].state == "offline":
                if now - heard > FORGOTTEN_AFTER:
                    del self.known[agent]
                    self._current.pop(agent, None)
                    self.touched[agent] = None
                    continue
                due = min(due, heard + FORGOTTEN_AFTER)
            elif now - heard > self._idle:
                self._take(agent, presence, ended_by_itself(heard, self._idle))
                due = min(due, heard + self._idle + FORGOTTEN_AFTER)
            else:
                due = min(due, heard + self._idle)
        self._due = due
