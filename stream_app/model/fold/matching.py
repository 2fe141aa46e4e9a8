"""The choice of the contact's visit that an event belongs to."""

from __future__ import annotations

from typing import Final

from stream_app.model import events as e

from .lifecycle import TABLE
from .row_kind import kind_of
from .visit import ABANDONED, REMEMBERED, WAITING, Visit, Visits

SKEW: Final = 60_000
"""A stamp further ahead of partition time is from the future; one further before a visit began is not of that visit."""
LATE: Final = 120_000
"""An event further behind partition time than this is counted in its bucket, and counted as late."""
_OF_VISITS: Final = (
    e.Answered, e.Transferred, e.LeftQueue, e.CallbackScheduled, e.Abandoned, e.Ended, e.Wrapped,
)  # fmt: skip
"""What a visit's state keeps from counting twice, however late it is told again."""
TAKE_BACK: Final = 10 * 60_000
"""How long an abandonment may be taken back; an event stamped later is about something else."""


def fits(visit: Visit, event: e.ContactEvent) -> bool:
    """Return whether an event may belong to a visit, whatever the visit's state."""
    if event.at < (visit.began or visit.queued_at) - SKEW or visit.state >= REMEMBERED:
        return False
    if visit.state == ABANDONED and event.at > visit.since + TAKE_BACK:
        return False
    if event.visit is not None and visit.number is not None and event.visit != visit.number:
        return False
    return event.queue is None or event.queue == visit.queue


def counts_still(event: e.Event, visits: Visits, since: int) -> bool:
    """Return whether an event counts although none of its buckets is kept: only what can't have been counted before.

    Args:
        event: any, of days ago.
        visits: the open visits of its contact.
        since: what happened before it counts no more.
    """
    if event.at < since:
        return False
    if isinstance(event, e.Queued):
        return event.recurs
    if not isinstance(event, _OF_VISITS):
        return False
    open_ = [visit for visit in visits if visit.state < REMEMBERED]
    return bool(open_) and all(visit.queued_at >= since for visit in open_)


def concerns(visit: Visit, event: e.Outcome) -> bool:
    """Return whether an outcome is about a visit: one that may take it, or took its like before."""
    taken = visit.seen & event.bit and not event.repeatable
    return fits(visit, event) and (visit.state == WAITING or takes(visit, event) or bool(taken))


def takes(visit: Visit, event: e.ContactEvent) -> bool:
    """Return whether the table has a row for an event in a visit's state."""
    return kind_of(visit.state, visit.seen, event) in TABLE[visit.state]


def choose(visits: Visits, event: e.ContactEvent) -> Visit:
    """Return the one of several open visits that an event belongs to: the newest that takes it, its agent's first."""
    fitting = [v for v in reversed(visits) if takes(v, event) and fits(v, event)]
    agents = (v for v in fitting if event.agent is not None and v.agent == event.agent)
    return next(agents, fitting[0] if fitting else visits[-1])
