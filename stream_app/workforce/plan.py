"""The plan: for each queue, channel and interval, the people required and scheduled, and what the latter will achieve."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from math import sqrt
from typing import NamedTuple

from msgspec import Struct, structs

from stream_app.model.targets import QueueTargets, Targets

from . import deferred
from .assumptions import DEFERRED, Assumptions, QueueAssumptions
from .outcome import OutcomeShares, Performance
from .required import Demand, abandonment, best, binding, present, reach, to_schedule
from .schedules import Shift, by_queue, pieces
from .volumes import Volume, handle_times


class PlanLine(Struct, frozen=True):
    """One interval of the plan. People are whole numbers; unknown values are ``None``.

    Attributes:
        volume: the contacts.
        model: ``erlang-a``, ``erlang-c`` or ``deferred``.
        handle_s: the handle time that was used; ``None`` if unknown, and then there is no plan either.
        load: the offered work, in Erlang.
        required: people at work.
        to_schedule: people to schedule, so that the required ones are at work.
        scheduled: people scheduled, mean over the interval; ``None`` without a schedule.
        policy: the service level's formula.
        service_level: achieved by those at work: the scheduled people, or without a schedule the required ones.
        asa_s: same, mean wait of the answered in seconds; ``None`` also if the queue grows all the time.
        abandonment: same, after the short threshold; ``None`` for deferred work.
        occupancy: same.
        open: whether business hours overlap the interval; nobody is required at other times.
        binds: what one person fewer would miss: a goal, ``deadline``, or ``None`` where nobody or only one is required.
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
    open: bool = True
    binds: str | None = None

    @property
    def handle_of(self) -> str | None:
        """What the handle time was measured in: the ``interval``; or elsewhere: the ``queue`` stands in; ``None``: unknown."""
        if self.handle_s is None:
            return None
        return "queue" if self.volume.handle_s is None else "interval"

    @property
    def gap(self) -> float | None:
        """Scheduled less to schedule; negative means too few."""
        if self.scheduled is None or self.to_schedule is None:
            return None
        return self.scheduled - self.to_schedule


def plan(
    volumes: Iterable[Volume],
    targets: Targets,
    assumptions: Assumptions,
    shifts: Iterable[Shift] | None = None,
    covered: Mapping[tuple[str, str], tuple[float, float]] | None = None,
) -> list[PlanLine]:
    """Plan all rows, by queue, channel and time.

    Args:
        volumes: the rows.
        targets: of their queues and channels.
        assumptions: what overrides the targets.
        shifts: the schedule, if there is one.
        covered: from when until when it covers a queue and channel, as in ``schedules.coverage``; without it, always.

    Raises:
        ValueError: a target that no number of people reaches; the message names queue and channel.
    """
    rows = sorted(volumes, key=lambda v: (v.queue, v.channel, v.start.timestamp()))
    known = handle_times(rows)
    schedule = None if shifts is None else by_queue(shifts)
    lines: list[PlanLine] = []
    for key, group in groupby(rows, key=lambda v: (v.queue, v.channel)):
        there = None if schedule is None else QueueStaff(schedule.get(key, []), (covered or {}).get(key))
        rule, usual_s = targets.rule(*key), known.get(key, assumptions.aht_s)
        try:
            own = assumptions.of(rule, key[1])
            if own.deferred:
                lines += _deferred(list(group), rule, own, usual_s, there)
            else:
                lines += _queue(group, rule, own, usual_s, there)
        except ValueError as error:
            raise ValueError(f"{key[0]} ({key[1]}): {error}") from None
    return lines


class QueueStaff(NamedTuple):
    """The shifts of a queue and channel, and from when until when the schedule says something; ``None``: always."""

    shifts: Sequence[Shift]
    covers: tuple[float, float] | None


def unknown(shifts: Iterable[Shift], volumes: Iterable[Volume]) -> list[tuple[str, str]]:
    """Return queues and channels of the schedule without any volume: probably misspelt."""
    return sorted({(s.queue, s.channel) for s in shifts} - {(v.queue, v.channel) for v in volumes})


def _queue(
    rows: Iterable[Volume],
    rule: QueueTargets,
    own: QueueAssumptions,
    usual_s: float | None,
    staff: QueueStaff | None,
) -> Iterator[PlanLine]:
    goals, model = own.goals(rule), own.model
    concurrency = own.concurrency
    spare = None
    for row in rows:
        handle_s = row.handle_s or usual_s
        line = PlanLine(row, model, rule.policy, handle_s, scheduled=_scheduled(staff, row))
        if not is_open(rule, row):
            yield structs.replace(line, required=0, to_schedule=0, open=False)
            continue
        if handle_s is None and row.offered > 0:
            yield line
            continue
        patience_s = own.patience_s
        if row.patience_s is not None and model == "erlang-a":
            patience_s = row.patience_s
        # Without contacts the handle time does not matter, but one is needed.
        demand = Demand.of(row.offered, row.minutes, handle_s or 1.0, patience_s)
        needed = best(demand, goals, spare)
        if demand.load > 0:
            spare = (needed.agents - demand.load) / sqrt(demand.load)
        people = concurrency.agents(needed.agents)
        if line.scheduled is None or staff is None:
            places = concurrency.places(people)
            reached = [(1.0, needed if places == needed.agents else reach(places, demand, goals))]
        else:
            reached = [
                (share, reach(concurrency.places(present(n, own.shrinkage)), demand, goals))
                for share, n in pieces(staff.shifts, row.start, row.end)
            ]
        binds = binding(concurrency.places(people - 1), demand, goals) if people > 1 else None
        yield structs.replace(_line(line, demand.load, people, own.shrinkage, reached), binds=binds)


def is_open(rule: QueueTargets, row: Volume) -> bool:
    """Return whether business hours overlap an interval; a queue without a calendar is always open."""
    begin, end = (round(moment.timestamp() * 1000) for moment in (row.start, row.end))
    return rule.calendar is None or rule.calendar.within(begin, end) > 0


def _line(
    line: PlanLine, load: float, people: int, shrinkage: float, reached: Sequence[tuple[float, Performance]]
) -> PlanLine:
    """Complete the line with what is achieved: the mean over the interval's pieces, weighted by the contacts affected."""
    outcomes = [(share, one.outcome) for share, one in reached if one.outcome is not None]
    level = lost = asa = None
    if outcomes:
        mixed = OutcomeShares(
            *(
                sum(share * getattr(o, name) for share, o in outcomes)
                for name in OutcomeShares.__struct_fields__
            )
        )
        level = mixed.service_level(line.policy)
        lost = abandonment(Performance(0, load, None, mixed, None, None, None, None))
        answered = [(share * (1 - (one.abandonment or 0.0)), one.asa_s) for share, one in reached]
        total = sum(weight for weight, _ in answered)
        waits = [(weight, wait) for weight, wait in answered if weight > 0]
        if total > 0 and all(wait is not None for _, wait in waits):
            asa = sum(weight * (wait or 0.0) for weight, wait in waits) / total
    # A share of the time of people who are present: pieces without anybody weigh nothing.
    there = sum(share * one.agents for share, one in reached)
    busy = sum(share * one.agents * (one.occupancy or 0.0) for share, one in reached)
    return PlanLine(
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
    rule: QueueTargets,
    own: QueueAssumptions,
    usual_s: float | None,
    staff: QueueStaff | None,
) -> Iterator[PlanLine]:
    lines = [PlanLine(row, "deferred", rule.policy, scheduled=_scheduled(staff, row)) for row in rows]
    if usual_s is None and any(row.offered > 0 for row in rows):
        yield from lines
        return
    # The plan's own time: nobody works in gaps between intervals, or outside of business hours.
    at_work = [i for i, row in enumerate(rows) if is_open(rule, row)]
    handle = [row.handle_s or usual_s or 1.0 for row in rows]
    lengths = [rows[i].minutes * 60 for i in at_work]
    work, of = _work(rows, rule, at_work, handle)
    people = deferred.people(work, lengths)
    counts = [
        count if (there := lines[i].scheduled) is None else float(present(there, own.shrinkage))
        for i, count in zip(at_work, people, strict=True)
    ]
    done, worked = deferred.worked_off(work, lengths, counts)
    outcomes, places = dict(zip(of, done, strict=True)), {i: n for n, i in enumerate(at_work)}
    for i, row in enumerate(rows):
        line = structs.replace(lines[i], handle_s=handle[i] if row.offered > 0 else row.handle_s or usual_s)
        if outcome := outcomes.get(i):
            line = structs.replace(
                line,
                load=outcome.amount / (row.minutes * 60),
                service_level=outcome.in_time / outcome.amount if outcome.amount > 0 else None,
                asa_s=None if outcome.left > 0 else outcome.wait_s,
            )
        if (n := places.get(i)) is None:
            yield structs.replace(line, required=0, to_schedule=0, open=False)
            continue
        yield structs.replace(
            line,
            required=people[n],
            to_schedule=to_schedule(people[n], own.shrinkage),
            occupancy=worked[n] / (counts[n] * lengths[n]) if counts[n] > 0 else None,
            binds="deadline" if people[n] > 1 else None,
        )


def _work(
    rows: Sequence[Volume], rule: QueueTargets, at_work: Sequence[int], handle: Sequence[float]
) -> tuple[list[deferred.Work], list[int]]:
    """Return the work of all rows that somebody can do before the plan ends, and the row of each piece.

    What arrives while the queue is closed is there when it opens, and due when that much business time has passed.
    """
    lengths = [rows[i].minutes * 60 for i in at_work]
    ends = list(accumulate(lengths))
    starts = [rows[i].start.timestamp() for i in at_work]
    work, of = [], []
    for i, row in enumerate(rows):
        if (begin := bisect_left(at_work, i)) == len(at_work):
            break  # it waits for an opening after the end of the plan
        start = row.start.timestamp()
        due = start + rule.answer_target / 1000
        if rule.calendar is not None:
            due = rule.calendar.after(round(start * 1000), rule.answer_target) / 1000
        last = max(begin, bisect_right(starts, due) - 1)
        inside = ends[last] - lengths[last] + min(max(0.0, due - starts[last]), lengths[last])
        work.append(deferred.Work(begin, row.offered * handle[i], inside))
        of.append(i)
    return work, of


def _scheduled(staff: QueueStaff | None, row: Volume) -> float | None:
    if staff is None or (staff.covers and not staff.covers[0] <= row.start.timestamp() < staff.covers[1]):
        return None
    return sum(share * people for share, people in pieces(staff.shifts, row.start, row.end))


__all__ = ["DEFERRED", "Assumptions", "PlanLine", "is_open", "plan", "unknown"]
