"""A day of a contact centre whose people have several skills, played contact by contact.

Contacts come by a Poisson process; handle times and patience are exponential. A contact goes to an idle person of the group
with the fewest skills that has the one it needs, so that who can do more stays free; a person who becomes free takes the
contact that has waited longest of those that they can handle. Every contact's times are drawn before the day begins, from the
seed, the repetition and the queue alone: two rosters are compared on the same contacts.
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
"""What the wait of a patient contact counts that nobody will ever handle."""


class Queue(Struct, frozen=True):
    """Contacts that need one skill.

    Attributes:
        name: of the queue, which is that of the skill.
        per_hour: contacts.
        handle_s: mean handle time, in seconds.
        within_s: T, in seconds.
        patience_s: mean patience, in seconds; infinite: nobody gives up.
        target: the service level that must hold.
        policy: its formula.
        short_s: who gives up within this is short; at most T.
    """

    name: str
    per_hour: float
    handle_s: float
    within_s: float
    patience_s: float = inf
    target: float = 0.8
    policy: str = "answered_of_offered"
    short_s: float = 0.0


class Group(Struct, frozen=True):
    """People who can do the same.

    Attributes:
        skills: names of the queues that they handle.
        people: how many are at work.
        cost: of one of them, in any unit.
    """

    name: str
    skills: frozenset[str]
    people: int
    cost: float = 1.0


class Days(Struct, frozen=True):
    """How long, and how often, it is played.

    Attributes:
        seed: of all chance.
        hours: that are measured.
        warm_up_h: hours before them: a centre that is empty at first is too good.
        repetitions: of the whole, at least 2; the confidence interval comes from their differences.
    """

    seed: int = 1
    hours: float = 8.0
    warm_up_h: float = 1.0
    repetitions: int = 10


class Contact(NamedTuple):
    """One contact, with all of its chance: seconds, and whether it is measured."""

    at: float
    queue: int
    handle: float
    patience: float
    counts: bool


def contacts_of(queues: Sequence[Queue], days: Days, repetition: int) -> list[Contact]:
    """All contacts of one repetition, in the order in which they come."""
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
            found.append(Contact(at, number, handle, patience, at >= begin))
    found.sort()
    return found


End = tuple[Contact, float, bool]
"""A contact, its wait in seconds, and whether it was answered."""


def play(groups: Sequence[Group], queues: Sequence[Queue], contacts: Sequence[Contact]) -> Iterator[End]:
    """Play it until nobody waits: every contact once, with what became of it."""
    floor = _Floor(groups, queues)
    for contact in contacts:
        yield from floor.until(contact.at)
        yield from floor.come(contact)
    yield from floor.until(inf)
    for line in floor.lines:  # nobody can handle these, ever
        yield from ((contact, min(contact.patience, _NEVER_S), False) for contact in line)


class _Floor:
    """Who is idle, who is busy until when, and who waits."""

    def __init__(self, groups: Sequence[Group], queues: Sequence[Queue]) -> None:
        number = {queue.name: n for n, queue in enumerate(queues)}
        self._skills = [sorted(number[skill] for skill in group.skills) for group in groups]
        # By queue: the groups that can, those with the fewest skills first.
        self._able = [
            sorted(
                (i for i, has in enumerate(self._skills) if n in has), key=lambda i: (len(self._skills[i]), i)
            )
            for n in range(len(queues))
        ]
        self._idle = [group.people for group in groups]
        self._busy: list[tuple[float, int]] = []
        self.lines: list[deque[Contact]] = [deque() for _ in queues]

    def come(self, contact: Contact) -> Iterator[End]:
        for group in self._able[contact.queue]:
            if self._idle[group]:
                self._idle[group] -= 1
                heappush(self._busy, (contact.at + contact.handle, group))
                yield contact, 0.0, True
                return
        self.lines[contact.queue].append(contact)

    def until(self, moment: float) -> Iterator[End]:
        """All that ends by then."""
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
