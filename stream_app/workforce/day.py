"""A day of a contact centre whose people have several skills, simulated contact by contact.

Contacts arrive by a Poisson process; handle times and patience are exponential. A contact goes to an idle person of the group
with the fewest skills that has the one it needs, so that more versatile people stay free; a person who becomes free takes the
contact that has waited longest of those that they can handle. Every contact's times are drawn before the day begins, from the
seed, the repetition and the queue alone: two schedules are compared on the same contacts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from math import inf
from random import Random
from typing import Final, NamedTuple

from msgspec import Struct

_NEVER_S: Final = 86_400.0
"""The counted wait of a contact with endless patience that nobody will ever handle."""


class SkillQueue(Struct, frozen=True):
    """A queue whose contacts need one skill.

    Attributes:
        name: the queue's name, which is also that of the skill.
        per_hour: contacts per hour.
        handle_s: mean handle time, in seconds.
        within_s: T, in seconds.
        patience_s: mean patience, in seconds; infinite: no abandonment.
        target: the service level to reach.
        policy: its formula.
        short_s: the short-abandon threshold; at most T.
    """

    name: str
    per_hour: float
    handle_s: float
    within_s: float
    patience_s: float = inf
    target: float = 0.8
    policy: str = "answered_of_offered"
    short_s: float = 0.0


class SkillGroup(Struct, frozen=True):
    """People with the same skills.

    Attributes:
        skills: names of the queues that they handle.
        people: how many are at work.
        cost: of one person, in any unit.
    """

    name: str
    skills: frozenset[str]
    people: int
    cost: float = 1.0


class Repetitions(Struct, frozen=True):
    """The length and number of simulated days.

    Attributes:
        seed: the seed of all random numbers.
        hours: the hours that are measured.
        warm_up_h: hours before them, because a centre that starts empty looks too good.
        repetitions: the number of days, at least 2; the confidence interval comes from their differences.
    """

    seed: int = 1
    hours: float = 8.0
    warm_up_h: float = 1.0
    repetitions: int = 10


class SimulatedContact(NamedTuple):
    """One contact with its random numbers: seconds, and whether it is measured."""

    at: float
    queue: int
    handle: float
    patience: float
    counts: bool


def contacts_of(queues: Sequence[SkillQueue], days: Repetitions, repetition: int) -> list[SimulatedContact]:
    """Return all contacts of one repetition, in the order of arrival."""
    begin, end = days.warm_up_h * 3600, (days.warm_up_h + days.hours) * 3600
    found = []
    for number, queue in enumerate(queues):
        chance = Random(f"{days.seed}:{repetition}:{queue.name}")
        at = 0.0
        while queue.per_hour > 0:
            at += chance.expovariate(queue.per_hour / 3600)
            if at >= end:
                break
            handle = chance.expovariate(1 / queue.handle_s)
            patience = chance.expovariate(1.0) * queue.patience_s
            found.append(SimulatedContact(at, number, handle, patience, at >= begin))
    found.sort()
    return found


End = tuple[SimulatedContact, float, bool]
"""A contact, its wait in seconds, and whether it was answered."""


def play(
    groups: Sequence[SkillGroup], queues: Sequence[SkillQueue], contacts: Sequence[SimulatedContact]
) -> Iterator[End]:
    """Simulate until nobody waits: yield every contact once, with its outcome."""
    floor = _Floor(groups, queues)
    for contact in contacts:
        yield from floor.until(contact.at)
        yield from floor.come(contact)
    yield from floor.until(inf)
    for line in floor.lines:  # nobody can ever handle these
        yield from ((contact, min(contact.patience, _NEVER_S), False) for contact in line)


class _Floor:
    """Which people are idle, which are busy until when, and which contacts wait."""

    def __init__(self, groups: Sequence[SkillGroup], queues: Sequence[SkillQueue]) -> None:
        number = {queue.name: n for n, queue in enumerate(queues)}
        self._skills = [sorted(number[skill] for skill in group.skills) for group in groups]
        # By queue: the groups with the skill, those with the fewest skills first.
        self._able = [
            sorted(
                (i for i, has in enumerate(self._skills) if n in has), key=lambda i: (len(self._skills[i]), i)
            )
            for n in range(len(queues))
        ]
        self._idle = [group.people for group in groups]
        self._busy: list[tuple[float, int]] = []
        self.lines: list[deque[SimulatedContact]] = [deque() for _ in queues]

    def come(self, contact: SimulatedContact) -> Iterator[End]:
        for group in self._able[contact.queue]:
            if self._idle[group]:
                self._idle[group] -= 1
                heappush(self._busy, (contact.at + contact.handle, group))
                yield contact, 0.0, True
                return
        self.lines[contact.queue].append(contact)

    def until(self, moment: float) -> Iterator[End]:
        """Yield all contacts whose wait ends by ``moment``."""
        while self._busy and self._busy[0][0] <= moment:
            now, group = heappop(self._busy)
            for n in self._skills[group]:
                line = self.lines[n]
                while line and line[0].at + line[0].patience < now:
                    gone = line.popleft()
                    yield gone, gone.patience, False
            waiting = [self.lines[n][0] for n in self._skills[group] if self.lines[n]]
            if waiting:
                first = min(waiting)
                self.lines[first.queue].popleft()
                heappush(self._busy, (now + first.handle, group))
                yield first, now - first.at, True
            else:
                self._idle[group] += 1
