"""The agents of a partition: all that was ever told of each, and the spells that follow from it."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from .counters import HOUR
from .tellings import Status, Telling, after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REMEMBERED = 8
FORGOTTEN_MS = 48 * HOUR
IDLE_MS = 12 * HOUR
OFFLINE = Status()


class Spell(NamedTuple):
    """How long an agent's status was the same: [began, ended). Queues are sorted, absent texts empty."""

    agent: str
    began: int
    ended: int
    state: str
    reason: str
    work: str
    queues: tuple[str, ...]
    away: tuple[str, ...]
    team: str
    site: str
    unended: bool


class Agents:
    """Nothing is ever dropped of an agent who is not forgotten, and all is worked out anew at each question."""

    def __init__(self, idle_ms: int = IDLE_MS) -> None:
        self._idle_ms = idle_ms
        self._told: dict[str, list[Telling]] = defaultdict(list)
        self._past: list[Spell] = []  # of those who were forgotten

    def tell(self, agent: str, telling: Telling) -> bool:
        """Put the telling in its place; whether that is still possible."""
        told = self._told[agent]
        if len(told) > REMEMBERED and telling.at < told[-REMEMBERED - 1].at:
            return False
        told.append(telling)
        told.sort(key=lambda one: one.at)  # of equal ones, the order is that in which they came
        return True

    def pass_minute(self, now: int) -> None:
        """Partition time came to another minute."""
        for agent, told in list(self._told.items()):
            newest = told[-1].at
            status, _ = self._status(agent)
            if status.work and status.limit is not None and status.limit < now:
                told.append(Telling(status.limit, "wrap", by_itself=True))
            elif status.state != "offline":
                if now - newest > self._idle_ms:
                    told.append(Telling(newest + self._idle_ms, "offline", by_itself=True))
            elif now - newest > FORGOTTEN_MS:
                self._past += self._spells(agent)
                del self._told[agent]

    def spells(self) -> list[Spell]:
        """All that are over."""
        return sorted(self._past + [spell for agent in self._told for spell in self._spells(agent)])

    def now(self) -> dict[str, tuple[Status, int]]:
        """Agent -> the status, and when the spell began."""
        return {agent: self._status(agent) for agent in self._told}

    def _status(self, agent: str) -> tuple[Status, int]:
        *_, (began, _, status) = steps(self._told[agent])
        return status, began

    def _spells(self, agent: str) -> Iterator[Spell]:
        for (began, latest, now), (ended, telling, then) in pairwise(steps(self._told[agent])):
            if then.spell() != now.spell() and ended > began and not closed_by_time(latest):
                away = [queue for queue, (state, _) in now.served.items() if state != "available"]
                yield Spell(
                    agent,
                    began,
                    ended,
                    now.state,
                    now.reason,
                    now.work,
                    tuple(sorted(now.served)),
                    tuple(sorted(away)),
                    now.team,
                    now.site,
                    closed_by_time(telling),
                )


def closed_by_time(telling: Telling) -> bool:
    """Whether nobody told that the agent left."""
    return telling.by_itself and telling.state == "offline"


def steps(
    told: Iterable[Telling], status: Status = OFFLINE, began: int = 0
) -> Iterator[tuple[int, Telling, Status]]:
    """When the spell began that goes on after a telling, the telling, and the status after it.

    `status`, `began`: what came of the tellings before.
    """
    for telling in told:
        then = after(status, telling)
        if not began or then.spell() != status.spell():
            began = telling.at
        status = then
        yield began, telling, status
