"""How many agents of each queue do something for longer than its limit, kept up to date by what changes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Mapping

from .agent_now import AgentNow
from .people import People


class OverLimit:
    """Until when the agents of each queue may do what they do: counting who is past that costs nothing per agent."""

    def __init__(self, people: People) -> None:
        """Take the agents; of each it is looked up again only when it changed."""
        self._people = people
        self._limits: Mapping[str, float] = {}
        self._version = 0
        self._of: dict[str, tuple[int, frozenset[str]]] = {}  # agent → until when, queues
        self._until: dict[str, list[int]] = defaultdict(
            list
        )  # queue → until when each of its agents may, sorted

    def counts(self, limits: Mapping[str, float], at: int) -> dict[str, int]:
        """Return queue → agents over their limit; a queue without any is left out.

        Args:
            limits: state or reason → minutes.
            at: now, in milliseconds.
        """
        self._update(limits)
        found = {queue: bisect_left(until, at) for queue, until in self._until.items()}
        return {queue: n for queue, n in found.items() if n}

    def _update(self, limits: Mapping[str, float]) -> None:
        people = self._people
        changed = people.changed(self._version) if limits == self._limits else None
        if changed is None:
            self._limits, self._of = limits, {}
            self._until.clear()
            changed = people.with_versions()
        else:
            for agent in people.gone(self._version):
                self._drop(agent)
        for _, now in changed:
            self._drop(now.agent)
            self._put(now)
        self._version = people.changes

    def _put(self, now: AgentNow) -> None:
        until = now.limit(self._limits)
        if until is not None and now.places:
            queues = frozenset(place.queue for place in now.places)
            self._of[now.agent] = until, queues
            for queue in queues:
                insort(self._until[queue], until)

    def _drop(self, agent: str) -> None:
        until, queues = self._of.pop(agent, (0, frozenset[str]()))
        for queue in queues:
            mine = self._until[queue]
            del mine[bisect_left(mine, until)]
            if not mine:
                del self._until[queue]
