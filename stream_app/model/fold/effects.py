"""The effect of each event on a visit that waits, for a person or with a bot: it changes the visit and returns the facts.

``lifecycle.TABLE`` defines which event leads here, from which state, and to which.
"""

from __future__ import annotations

from typing import Final

from stream_app.model import events as e, facts as f
from stream_app.model.reasons import LeftBy, left_by

from .visit import ABANDONED, GOES_ON, HANDED_OFF, OWED, TELLS, WRITTEN, Visit
from .working import NOTHING, ms, replied

_LEFT_BY: Final[dict[type[e.ContactEvent], LeftBy]] = {
    e.Transferred: "transfer",
    e.CallbackScheduled: "callback",
}
"""Events that are a reason themselves."""
_IS_OVER: Final = frozenset({"callback", "closed"})
"""Who leaves for these does not go on with the request elsewhere."""


def nothing(_visit: Visit, _event: e.ContactEvent, _at: int) -> f.Facts:
    """Change nothing: the event has no effect that counts."""
    return NOTHING


def _wait(visit: Visit, stated: float | None, at: int) -> int:
    """Return the wait; the platform's own number takes precedence over the difference of stamps."""
    if stated is not None:
        return ms(stated)
    return at - visit.queued_at if at > visit.queued_at else 0


def decided_at(visit: Visit, wait: int, at: int) -> int:
    """Return when a visit is decided whose wait ends now."""
    return at if wait <= visit.answer_target else min(visit.queued_at + visit.answer_target, at)


# --- answers ---


def answer(visit: Visit, event: e.Answered, at: int) -> f.Facts:
    """Connect an agent."""
    stated = event.wait_s is not None
    wait = _wait(visit, event.wait_s, at)
    facts = _answered(visit, event, wait, at, stated=stated)
    seen = visit.seen
    if not seen & WRITTEN:
        visit.clock = 0
        return facts
    if seen & TELLS:
        return facts  # the customer still waits for a message
    visit.clock = 0
    return *facts, f.QueueResponded(at, wait, wait)


def answer_by_message(visit: Visit, event: e.MessageSent, at: int) -> f.Facts:
    """Answer by writing the first message."""
    return (*_answered(visit, event, _wait(visit, None, at), at), *replied(visit, event, at, answers=True))


def _answered(
    visit: Visit, event: e.Answered | e.MessageSent, wait: int, at: int, *, stated: bool = False
) -> f.Facts:
    visit.agent = event.agent or visit.agent
    queued_at = visit.queued_at
    answered = f.Answered(at, queued_at, wait, wait <= visit.answer_target, stated, wait)
    decided = f.Decided(decided_at(visit, wait, at))
    if visit.responded:
        return answered, decided
    visit.responded = True
    before, after = visit.asked_open, wait
    if visit.asked_at:
        after = wait + max(0, queued_at - visit.asked_at)
    return answered, decided, f.Responded(at, after, wait + before, wait, before)


def assign(visit: Visit, event: e.Answered, at: int) -> f.Facts:
    """Assign the visit to an agent, who has not written yet."""
    visit.agent = event.agent or visit.agent
    visit.assigned_at = max(at, visit.assigned_at)
    return NOTHING


def missed(_visit: Visit, _event: e.Missed, at: int) -> f.Facts:
    """Count a ring no answer."""
    return (f.Missed(at),)


# --- the other ways out ---


def abandon(visit: Visit, event: e.Abandoned | e.Ended, at: int) -> f.Facts:
    """Abandon: the customer gives up."""
    visit.wait = _wait(visit, event.wait_s if isinstance(event, e.Abandoned) else None, at)
    return _abandonment(visit, at)


def _abandonment(visit: Visit, at: int) -> f.Facts:
    """Return the facts of an abandonment at this moment; identical when it is taken back."""
    wait = visit.wait
    in_target = wait <= visit.answer_target
    abandoned = f.Abandoned(at, visit.queued_at, wait, in_target, visit.is_short(wait), wait)
    return abandoned, f.Decided(decided_at(visit, wait, at), abandoned_later=not in_target)


def undo(visit: Visit) -> f.Facts:
    """Take the abandonment back."""
    at = visit.since
    return (
        f.TakenBack(at, _abandonment(visit, at)),
        f.Undone(at),
    )


def resume(visit: Visit, _event: e.Queued, _at: int) -> f.Facts:
    """Resume: the customer came back to the same wait."""
    return undo(visit)


def leave(visit: Visit, event: e.LeftQueue | e.Transferred | e.CallbackScheduled, at: int) -> f.Facts:
    """Leave the queue without giving up (flow-out)."""
    return _left(visit, event, at, demand=True)


def leave_no_demand(visit: Visit, event: e.LeftQueue, at: int) -> f.Facts:
    """Leave the queue for a reason that is no demand."""
    return _left(visit, event, at, demand=False)


def _left(
    visit: Visit, event: e.LeftQueue | e.Transferred | e.CallbackScheduled, at: int, *, demand: bool
) -> f.Facts:
    undone = undo(visit) if visit.state == ABANDONED else NOTHING
    wait = _leaving_wait(visit, event.wait_s, at)
    reason = left_by(event.reason) if isinstance(event, e.LeftQueue) else _LEFT_BY[type(event)]
    if demand and reason not in _IS_OVER:
        visit.seen |= GOES_ON
    return *undone, *_gone(
        visit, wait, at, reason, callback=isinstance(event, e.CallbackScheduled), demand=demand
    )


def leaves_in_time(visit: Visit, event: e.LeftQueue | e.Ended | e.Wrapped) -> bool:
    """Return whether a visit that leaves with this event does so within T."""
    stated = event.wait_s if isinstance(event, e.LeftQueue) else None
    return _leaving_wait(visit, stated, event.at) <= visit.answer_target


def _leaving_wait(visit: Visit, stated: float | None, at: int) -> int:
    """Return the wait of a visit that leaves; that of an abandoned one was over when the customer gave up."""
    if visit.state == ABANDONED and stated is None:
        return visit.wait
    return _wait(visit, stated, at)


def close(visit: Visit, _event: e.Ended | e.Wrapped, at: int) -> f.Facts:
    """Close a written contact without a reply."""
    return _gone(visit, _wait(visit, None, at), at, "closed")


def close_no_demand(visit: Visit, _event: e.Ended | e.Wrapped, at: int) -> f.Facts:
    """Close one that was no demand, in time."""
    return _gone(visit, _wait(visit, None, at), at, "closed", demand=False)


def _gone(
    visit: Visit, wait: int, at: int, reason: LeftBy, *, callback: bool = False, demand: bool = True
) -> f.Facts:
    in_target = wait <= visit.answer_target and demand
    left = f.Left(at, visit.queued_at, wait, in_target, callback, reason, demand)
    return (left, f.Decided(decided_at(visit, wait, at))) if demand else (left,)


# --- bots ---


def bot_talks(visit: Visit, _event: e.MessageSent, _at: int) -> f.Facts:
    """Let the visit become the bot's with its first message, which answers what the customer wrote."""
    visit.clock = 0
    return (_to_bot(visit),)


def bot_answers(visit: Visit, _event: e.MessageSent, _at: int) -> f.Facts:
    """Stop the reply clock: the customer waits for nobody."""
    visit.clock = 0
    return NOTHING


def start_bot(visit: Visit, _event: e.BotStarted, _at: int) -> f.Facts:
    """Let the visit become the bot's. A bot that speaks keeps nobody waiting for a message."""
    if not visit.seen & WRITTEN:
        visit.clock = 0
    return (_to_bot(visit),)


def _to_bot(visit: Visit) -> f.Fact:
    return f.ToBot(visit.queued_at)


def hand_off_at_once(visit: Visit, event: e.HandedOff, at: int) -> f.Facts:
    """Hand off a visit of which nobody said that it was with a bot."""
    return _to_bot(visit), *hand_off(visit, event, at)


def hand_off(visit: Visit, _event: e.ContactEvent, at: int) -> f.Facts:
    """Pass the visit on from a bot to people: the wait for a person begins."""
    visit.began = visit.queued_at
    visit.queued_at = visit.clock = visit.since = at
    visit.asked_at = visit.asked_open = 0
    visit.responded = False
    visit.seen |= HANDED_OFF | OWED
    return (f.FromBot(at),)


def contain(_visit: Visit, _event: e.Ended, at: int) -> f.Facts:
    """Close a contact that the bot resolved."""
    return (f.Contained(at),)


def contain_at_once(visit: Visit, event: e.Ended, at: int) -> f.Facts:
    """Close one of which nobody said that it was with a bot."""
    return _to_bot(visit), *contain(visit, event, at)


def end_with_bot(_visit: Visit, _event: e.ContactEvent, at: int) -> f.Facts:
    """Close a contact that ended with a bot, unresolved."""
    return (f.EndedWithBot(at),)


def came_back(visit: Visit) -> f.Facts:
    """Take a containment back."""
    at = visit.since
    return f.TakenBack(at, (f.Contained(at),)), f.Returned(at)
