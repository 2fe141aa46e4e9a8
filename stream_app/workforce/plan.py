"""The plan: for each queue, channel and interval who is required, who is scheduled, and what those will reach."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from math import inf, sqrt
from typing import Final

from msgspec import Struct

from stream_app.model.targets import Rule, Targets

from . import deferred
from .concurrency import ONE, Concurrency
from .outcome import Outcome, Performance
from .required import Demand, Goals, Model, abandonment, best, present, reach, to_schedule
from .schedules import Shift, by_queue, pieces
from .volumes import Volume, handle_times

SEVERAL_AT_ONCE: Final = frozenset({"chat", "messaging"})
"""Channels of which an agent handles several at once."""
DEFERRED: Final = frozenset({"email", "callback"})
"""Channels whose work waits for people; the answer target is its deadline."""


class Assumptions(Struct, frozen=True):
    """What holds for the whole plan.

    Attributes:
        model: of queues in which somebody waits.
        shrinkage: share of scheduled time that is not work on contacts.
        occupancy: agents are busy for at most this share of their time; ``None``: as busy as the targets allow.
        patience_s: mean patience in seconds where a row has none; only for Erlang A.
        asa_s: most seconds of mean wait; ``None``: does not matter.
        concurrency: how many chats at once; handle times are those measured so.
        deferred: channels whose work waits.
    """

    model: Model = "erlang-a"
    shrinkage: float = 0.3
    occupancy: float | None = 0.85
    patience_s: float = 120.0
    asa_s: float | None = None
    concurrency: Concurrency = ONE
    deferred: frozenset[str] = DEFERRED


class Line(Struct, frozen=True):
    """One interval of the plan. People are whole; what has no value is ``None``.

    Attributes:
        volume: what comes.
        model: ``erlang-a``, ``erlang-c`` or ``deferred``.
        handle_s: the handle time that was used; ``None`` if nothing is known, and then there is no plan either.
        load: work that comes, in Erlang.
        required: people at work.
        to_schedule: people on the roster, so that so many are at work.
        scheduled: people on the roster, mean over the interval; ``None`` without a roster.
        policy: the service level's formula.
        service_level: that those at work reach: the scheduled ones, or without a roster the required ones.
        asa_s: same, mean wait of the answered in seconds; ``None`` also if the queue grows for as long as this lasts.
        abandonment: same, after the short threshold; ``None`` for deferred work.
        occupancy: same.
    """

    volume: Volume
    model: str
    policy: str
    handle_s: float | None = None
    load: float | None = None
    required: int | None = None
    to_schedule: int | None = None
    scheduled: float | None = None
    service_level: float | None = None
    asa_s: float | None = None
    abandonment: float | None = None
    occupancy: float | None = None

    @property
    def gap(self) -> float | None:
        """Scheduled less to be scheduled: too few is negative."""
        if self.scheduled is None or self.to_schedule is None:
            return None
        return self.scheduled - self.to_schedule


def plan(
    volumes: Iterable[Volume],
    targets: Targets,
    assumptions: Assumptions,
    shifts: Iterable[Shift] | None = None,
) -> list[Line]:
    """The plan of all rows, by queue, channel and time.

    Raises:
        ValueError: a target that no number of people reaches; the message names queue and channel.
    """
    rows = sorted(volumes, key=lambda v: (v.queue, v.channel, v.start.timestamp()))
    known = handle_times(rows)
    roster = None if shifts is None else by_queue(shifts)
    lines: list[Line] = []
    for key, group in groupby(rows, key=lambda v: (v.queue, v.channel)):
        there = None if roster is None else roster.get(key, [])
        rule = targets.rule(*key)
        try:
            if key[1] in assumptions.deferred:
                lines += _deferred(list(group), rule, assumptions, known.get(key), there)
            else:
                lines += _queue(group, rule, assumptions, known.get(key), there)
        except ValueError as error:
            raise ValueError(f"{key[0]} ({key[1]}): {error}") from None
    return lines


def unknown(shifts: Iterable[Shift], volumes: Iterable[Volume]) -> list[tuple[str, str]]:
    """Queues and channels of the roster that no volume has: probably misspelt."""
    return sorted({(s.queue, s.channel) for s in shifts} - {(v.queue, v.channel) for v in volumes})


def _queue(
    rows: Iterable[Volume],
    rule: Rule,
    assumptions: Assumptions,
    usual_s: float | None,
    shifts: Sequence[Shift] | None,
) -> Iterator[Line]:
    goals = Goals(
        within_s=rule.answer_target / 1000,
        service_level=rule.targets.get("service_level"),
        policy=rule.policy,
        short_s=rule.short_abandon / 1000,
        asa_s=assumptions.asa_s,
        abandonment=rule.targets.get("abandonment") if assumptions.model == "erlang-a" else None,
        occupancy=assumptions.occupancy,
    )
    spare = None
    for row in rows:
        handle_s = row.handle_s or usual_s
        concurrency = assumptions.concurrency if row.channel in SEVERAL_AT_ONCE else ONE
        line = Line(row, assumptions.model, rule.policy, handle_s, scheduled=_scheduled(shifts, row))
        if handle_s is None and row.offered > 0:
            yield line
            continue
        patience_s = inf
        if assumptions.model == "erlang-a":
            patience_s = assumptions.patience_s if row.patience_s is None else row.patience_s
        # Without contacts the handle time does not matter, but it must be one.
        demand = Demand.of(row.offered, row.minutes, handle_s or 1.0, patience_s)
        needed = best(demand, goals, spare)
        if demand.load > 0:
            spare = (needed.agents - demand.load) / sqrt(demand.load)
        people = concurrency.agents(needed.agents)
        if shifts is None:
            places = concurrency.places(people)
            reached = [(1.0, needed if places == needed.agents else reach(places, demand, goals))]
        else:
            reached = [
                (share, reach(concurrency.places(present(n, assumptions.shrinkage)), demand, goals))
                for share, n in pieces(shifts, row.start, row.end)
            ]
        yield _line(line, demand.load, people, assumptions.shrinkage, reached)


def _line(
    line: Line, load: float, people: int, shrinkage: float, reached: Sequence[tuple[float, Performance]]
) -> Line:
    """The line with what is reached: the mean over the pieces of the interval, each weighted by whom it concerns."""
    outcomes = [(share, one.outcome) for share, one in reached if one.outcome is not None]
    level = lost = asa = None
    if outcomes:
        mixed = Outcome(
            *(sum(share * getattr(o, name) for share, o in outcomes) for name in Outcome.__struct_fields__)
        )
        level = mixed.service_level(line.policy)
        lost = abandonment(Performance(0, load, None, mixed, None, None, None, None))
        answered = [(share * (1 - (one.abandonment or 0.0)), one.asa_s) for share, one in reached]
        total = sum(weight for weight, _ in answered)
        waits = [(weight, wait) for weight, wait in answered if weight > 0]
        if total > 0 and all(wait is not None for _, wait in waits):
            asa = sum(weight * (wait or 0.0) for weight, wait in waits) / total
    # Of the time of people who are there: pieces without anybody weigh nothing.
    there = sum(share * one.agents for share, one in reached)
    busy = sum(share * one.agents * (one.occupancy or 0.0) for share, one in reached)
    return Line(
        line.volume,
        line.model,
        line.policy,
        line.handle_s,
        load,
        people,
        to_schedule(people, shrinkage),
        line.scheduled,
        level,
        asa,
        lost,
        busy / there if there > 0 else None,
    )


def _deferred(
    rows: Sequence[Volume],
    rule: Rule,
    assumptions: Assumptions,
    usual_s: float | None,
    shifts: Sequence[Shift] | None,
) -> Iterator[Line]:
    if usual_s is None and any(row.offered > 0 for row in rows):
        yield from (Line(row, "deferred", rule.policy, scheduled=_scheduled(shifts, row)) for row in rows)
        return
    lengths = [row.minutes * 60 for row in rows]
    ends = list(accumulate(lengths))
    starts = [row.start.timestamp() for row in rows]
    handle = [row.handle_s or usual_s or 1.0 for row in rows]
    work = []
    for i, row in enumerate(rows):
        due = starts[i] + rule.answer_target / 1000
        # The plan's own time: nobody works between intervals that are not behind one another.
        last = bisect_right(starts, due) - 1
        inside = ends[last] - lengths[last] + min(due - starts[last], lengths[last])
        work.append(deferred.Work(i, row.offered * handle[i], inside))
    people = deferred.people(work, lengths)
    scheduled = [_scheduled(shifts, row) for row in rows]
    counts = [
        count if there is None else float(present(there, assumptions.shrinkage))
        for count, there in zip(people, scheduled, strict=True)
    ]
    done, worked = deferred.worked_off(work, lengths, counts)
    for i, row in enumerate(rows):
        yield Line(
            row,
            "deferred",
            rule.policy,
            handle[i] if row.offered > 0 else row.handle_s or usual_s,
            work[i].amount / lengths[i],
            people[i],
            to_schedule(people[i], assumptions.shrinkage),
            scheduled[i],
            done[i].in_time / done[i].amount if done[i].amount > 0 else None,
            None if done[i].left > 0 else done[i].wait_s,
            None,
            worked[i] / (counts[i] * lengths[i]) if counts[i] > 0 else None,
        )


def _scheduled(shifts: Sequence[Shift] | None, row: Volume) -> float | None:
    if shifts is None:
        return None
    return sum(share * people for share, people in pieces(shifts, row.start, row.end))


def totals(lines: Iterable[Line]) -> Mapping[tuple[str, str], float]:
    """Hours to be scheduled, by queue and channel."""
    hours: dict[tuple[str, str], float] = {}
    for line in lines:
        key = (line.volume.queue, line.volume.channel)
        hours[key] = hours.get(key, 0.0) + (line.to_schedule or 0) * line.volume.minutes / 60
    return hours
