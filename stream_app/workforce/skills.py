"""People with several skills: the service level each queue reaches, how certain that is, and whom to add.

The day is simulated many times with a seeded generator (``day``); the interval comes from the differences of the repetitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import NormalDist, fmean, stdev
from typing import Final

from msgspec import Struct, structs

from .day import Repetitions, SimulatedContact, SkillGroup, SkillQueue, contacts_of, play
from .outcome import OutcomeShares

_Z: Final = NormalDist().inv_cdf(0.975)


class Reached(Struct, frozen=True):
    """The results of a queue; ``None`` where no contact arrived.

    Attributes:
        service_level: mean over the repetitions.
        low: the lower end of its 95 % confidence interval (Student's t), at least 0.
        high: the upper end, at most 1.
        abandonment: share of the offered that abandoned, short or not.
        wait_s: mean wait of all, in seconds.
        offered: contacts in all repetitions.
    """

    queue: str
    service_level: float | None
    low: float | None
    high: float | None
    abandonment: float | None
    wait_s: float | None
    offered: int


def simulate(
    groups: Sequence[SkillGroup], queues: Sequence[SkillQueue], days: Repetitions | None = None
) -> list[Reached]:
    """Return the results of each queue, in the order of ``queues``.

    Raises:
        ValueError: fewer than two repetitions, two queues of the same name, or a skill without a queue.
    """
    days = days or Repetitions()
    _check(groups, queues, days)
    return _played(groups, queues, [contacts_of(queues, days, n) for n in range(days.repetitions)])


def staffed(
    groups: Sequence[SkillGroup],
    queues: Sequence[SkillQueue],
    days: Repetitions | None = None,
    most: int = 1000,
) -> tuple[list[SkillGroup], list[Reached]]:
    """Add people one by one, where it helps most for its cost, until every target is met; then remove whoever is not needed.

    A target is met where the lower end of the confidence interval reaches it. Greedy: in the end nobody can be removed, but
    another mix of groups may be cheaper.

    Args:
        groups: the groups to begin with; none of their people are removed.
        queues: with their targets.
        days: the simulated days.
        most: people in all.

    Raises:
        ValueError: a target that can't be met: no group has the skill, or there are ``most`` people.
    """
    days = days or Repetitions()
    _check(groups, queues, days)
    contacts = [contacts_of(queues, days, n) for n in range(days.repetitions)]
    now = list(groups)
    reached = _played(now, queues, contacts)
    while short := {q.name for q, r in zip(queues, reached, strict=True) if _shortfall(q, r) > 0}:
        helpful = [i for i, group in enumerate(now) if group.skills & short]
        if without := short - {skill for i in helpful for skill in now[i].skills}:
            raise ValueError(f"{min(without)}: no group has this skill")
        if sum(group.people for group in now) >= most:
            raise ValueError(f"{min(short)}: the target is not met with {most} people")
        tried = [(i, _played(_with(now, i, 1), queues, contacts)) for i in helpful]
        before = _pain(queues, reached)
        at, reached = max(
            tried,
            key=lambda one: [
                (b - a) / now[one[0]].cost for b, a in zip(before, _pain(queues, one[1]), strict=True)
            ],
        )
        now = _with(now, at, 1)
    for i, group in enumerate(groups):
        while now[i].people > group.people:
            fewer = _played(_with(now, i, -1), queues, contacts)
            if any(_shortfall(q, r) > 0 for q, r in zip(queues, fewer, strict=True)):
                break
            now, reached = _with(now, i, -1), fewer
    return now, reached


def _check(groups: Sequence[SkillGroup], queues: Sequence[SkillQueue], days: Repetitions) -> None:
    names = [queue.name for queue in queues]
    if days.repetitions < 2:
        raise ValueError(
            f"repetitions: expected at least 2 for a confidence interval, got {days.repetitions}"
        )
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name}: two queues have this name")
    for group in groups:
        if unknown := group.skills - set(names):
            raise ValueError(f"{group.name}: unknown queue {min(unknown)!r} among its skills")


def _with(groups: Sequence[SkillGroup], at: int, more: int) -> list[SkillGroup]:
    return [structs.replace(g, people=g.people + more) if i == at else g for i, g in enumerate(groups)]


def _shortfall(queue: SkillQueue, reached: Reached) -> float:
    return 0.0 if reached.low is None else max(0.0, queue.target - reached.low)


def _pain(queues: Sequence[SkillQueue], reached: Sequence[Reached]) -> tuple[float, float]:
    """Return how far the targets are; where no single person changes that, the total wait of all contacts."""
    pairs = list(zip(queues, reached, strict=True))
    return sum(_shortfall(q, r) for q, r in pairs), sum((r.wait_s or 0.0) * r.offered for _, r in pairs)


def _played(
    groups: Sequence[SkillGroup],
    queues: Sequence[SkillQueue],
    repetitions: Sequence[Sequence[SimulatedContact]],
) -> list[Reached]:
    levels: list[list[float]] = [[] for _ in queues]
    gone, waited, offered = ([0.0] * len(queues) for _ in range(3))
    for contacts in repetitions:
        counts = [[0, 0, 0, 0, 0] for _ in queues]
        for contact, wait, answered in play(groups, queues, contacts):
            if not contact.counts:
                continue
            queue, n = queues[contact.queue], contact.queue
            if answered:
                counts[n][0 if wait <= queue.within_s else 1] += 1
            else:
                counts[n][2 if wait <= queue.short_s else 3 if wait <= queue.within_s else 4] += 1
                gone[n] += 1
            waited[n] += wait
            offered[n] += 1
        for n, queue in enumerate(queues):
            total = sum(counts[n])
            level = (
                OutcomeShares(*(c / total for c in counts[n])).service_level(queue.policy) if total else None
            )
            if level is not None:
                levels[n].append(level)
    return [
        _reached(queue.name, levels[n], gone[n], waited[n], round(offered[n]))
        for n, queue in enumerate(queues)
    ]


def _reached(name: str, levels: Sequence[float], gone: float, waited: float, offered: int) -> Reached:
    if not levels:
        return Reached(name, None, None, None, None, None, offered)
    level = fmean(levels)
    around = student(len(levels) - 1) * stdev(levels) / sqrt(len(levels)) if len(levels) > 1 else 1.0
    low, high = max(0.0, level - around), min(1.0, level + around)
    return Reached(name, level, low, high, gone / offered, waited / offered, offered)


def student(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, within 0.5 % from 3 degrees of freedom on (Abramowitz and Stegun 26.7.5)."""
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / freedom + second / freedom**2 + third / freedom**3 + fourth / freedom**4


__all__ = ["Reached", "Repetitions", "SkillGroup", "SkillQueue", "simulate", "staffed", "student"]
