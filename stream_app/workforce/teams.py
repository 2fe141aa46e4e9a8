"""Teams with several skills, as CSV or JSON, and the queues of an interval that they share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import inf

from msgspec import Struct

from stream_app.model.targets import Targets
from stream_app.tables import reading
from stream_app.tables.mapping import ColumnMap

from .assumptions import Assumptions
from .day import SkillGroup, SkillQueue
from .volumes import Volume, handle_times

KNOWN = ("group", "skills", "people", "cost")
_NEEDED = ("group", "skills", "people")
_BETWEEN = "+"


class SharedQueues(Struct, frozen=True):
    """The queues of one moment.

    Attributes:
        at: the interval's start.
        queues: as the simulation needs them.
        left_out: queues and channels that can't be simulated, and why.
    """

    at: datetime
    queues: list[SkillQueue]
    left_out: list[str]


def read(name: str, content: bytes, mapping: ColumnMap | None = None) -> list[SkillGroup]:
    """Read the groups of a file: ``group``, ``skills`` (queues, joined by +), ``people`` at work, and perhaps ``cost``.

    Raises:
        InputError: one line that names file, line and field.
    """
    groups: list[SkillGroup] = []
    for row in reading.read(name, content, KNOWN, _NEEDED, mapping=mapping):
        skills = frozenset(skill.strip() for skill in row.text("skills").split(_BETWEEN))
        if "" in skills:
            raise row.wrong("skills", f"expected names of queues joined by +, got {row.text('skills')!r}")
        if any(group.name == row.text("group") for group in groups):
            raise row.wrong("group", "two rows have this name")
        cost = row.number("cost", 1.0)
        if cost == 0:
            raise row.wrong("cost", "expected more than 0")
        groups.append(SkillGroup(row.text("group"), skills, row.whole("people", 100_000), cost))
    return groups


def busiest(volumes: Iterable[Volume]) -> datetime:
    """Return the start of the interval with the most work over all queues."""
    rows = list(volumes)
    usual = handle_times(rows)
    work: dict[datetime, float] = {}
    for row in rows:
        handle_s = row.handle_s or usual.get((row.queue, row.channel), 0.0)
        work[row.start] = work.get(row.start, 0.0) + row.offered * handle_s / row.minutes
    return max(work, key=lambda start: (work[start], -start.timestamp()))


def queues_at(
    volumes: Iterable[Volume], at: datetime, targets: Targets, assumptions: Assumptions
) -> SharedQueues:
    """Return the queues with contacts in the interval that contains ``at``, each by its name, or ``queue:channel`` of several.

    Deferred work and chats beside each other are left out: the simulation answers contacts one at a time, as they come.
    """
    rows = list(volumes)
    usual = handle_times(rows)
    channels: dict[str, set[str]] = {}
    for row in rows:
        channels.setdefault(row.queue, set()).add(row.channel)
    here = [row for row in rows if row.start <= at < row.end]
    queues, left_out = [], []
    for row in here:
        rule = targets.rule(row.queue, row.channel)
        own = assumptions.of(rule, row.channel)
        name = row.queue if len(channels[row.queue]) == 1 else f"{row.queue}:{row.channel}"
        handle_s = row.handle_s or usual.get((row.queue, row.channel))
        if own.deferred or own.concurrency.at_once > 1:
            left_out.append(f"{name}: {'deferred work' if own.deferred else 'several contacts at once'}")
        elif handle_s is None:
            left_out.append(f"{name}: no handle time in any row")
        else:
            goals = own.goals(rule)
            queues.append(
                SkillQueue(
                    name=name,
                    per_hour=row.offered * 60 / row.minutes,
                    handle_s=handle_s,
                    within_s=goals.within_s,
                    patience_s=row.patience_s or own.patience_s or inf,
                    target=0.0 if goals.service_level is None else goals.service_level,
                    policy=goals.policy,
                    short_s=goals.short_s,
                )
            )
    return SharedQueues(here[0].start if here else at, queues, left_out)
