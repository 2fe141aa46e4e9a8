"""The effect of each event on a visit that people have: it changes the visit and returns the facts that follow.

``lifecycle.TABLE`` defines which event leads here, from which state, and to which.
"""

from __future__ import annotations

from typing import Final

from stream_app.model import events as e, facts as f

from .visit import (
    BY_REPLIES,
    GOES_ON,
    HELD,
    MET,
    OWED,
    QUEUED,
    REOPENED,
    STATED,
    TALK_STATED,
    TALKING,
    TELLS,
    WRAPPING,
    WRITTEN,
    Visit,
)

NOTHING: Final[f.Facts] = ()


def ms(seconds: float) -> int:
    """Return stated seconds in milliseconds."""
    return round(seconds * 1000)


def _spell(visit: Visit, at: int) -> int:
    return at - visit.since if at > visit.since else 0


# --- messages ---


def customer_wrote(visit: Visit, _event: e.MessageReceived, at: int) -> f.Facts:
    """Start the reply clock at the first message that has no reply."""
    if not visit.clock:
        visit.clock = at
    if visit.seen & BY_REPLIES and at > visit.heard_at:
        visit.heard_at = at
    return NOTHING


def reply(visit: Visit, event: e.MessageSent, at: int) -> f.Facts:
    """Count a person's message after the answer."""
    return replied(visit, event, at, answers=False)


def reply_after_end(visit: Visit, event: e.MessageSent, at: int) -> f.Facts:
    """Count a person's message after the end of the conversation: to a reply, the request is open again."""
    facts = replied(visit, event, at, answers=False)
    if any(type(fact) is f.Replied for fact in facts) and not visit.seen & REOPENED:
        visit.seen |= REOPENED
        return *facts, f.Reopened(at)
    return facts


def replied(visit: Visit, event: e.MessageSent, at: int, *, answers: bool) -> f.Facts:
    """Return the facts of a person's message: who waited for it, and for how long."""
    asked, seen = visit.clock, visit.seen
    facts: f.Facts = NOTHING
    if not seen & (MET | REOPENED) and seen & QUEUED and seen & WRITTEN and (answers or seen & TELLS):
        here = at - visit.queued_at if at > visit.queued_at else 0
        facts = (f.QueueResponded(at, here, here),)
    visit.seen = (seen | MET) & ~OWED
    visit.clock = 0
    if seen & (BY_REPLIES | TALK_STATED) == BY_REPLIES:
        _work(visit, event.agent or "", at)
    if not asked:
        return facts  # nobody was waiting for it
    after = at - asked if at > asked else 0
    target = -1 if answers else visit.reply_target
    answer = f.Replied(at, after, after, target, after <= target, target >= 0, answers)
    if visit.responded:
        return *facts, answer
    visit.responded = True  # of an outbound conversation: it is never answered otherwise
    return *facts, f.Responded(at, after, after, after), answer


def _work(visit: Visit, agent: str, at: int) -> None:
    """Add the work on a message: since the latest of what it may have begun with, but not more than is likely."""
    wrote = visit.wrote
    if wrote is None:
        wrote = visit.wrote = {}
    began = max(visit.heard_at or visit.started, wrote.get(agent, 0), visit.assigned_at)
    wrote[agent] = max(at, wrote.get(agent, 0))
    visit.talk += min(max(0, at - began), visit.work_cap)


# --- conversations ---


def hold(visit: Visit, _event: e.Held, at: int) -> f.Facts:
    """Put on hold; in writing, wait for something else."""
    _talked(visit, at)
    visit.held = not visit.seen & WRITTEN
    return NOTHING


def unhold(visit: Visit, _event: e.Resumed, at: int) -> f.Facts:
    """Leave hold."""
    _was_held(visit, at)
    return NOTHING


def _talked(visit: Visit, at: int) -> None:
    if not visit.seen & BY_REPLIES:
        visit.talk += _spell(visit, at)


def _was_held(visit: Visit, at: int) -> None:
    if visit.seen & WRITTEN:
        visit.pending += _spell(visit, at)
    else:
        visit.hold += _spell(visit, at)


def _finish(visit: Visit, event: e.Ended | e.Transferred | e.Wrapped, at: int) -> None:
    """End talk and hold; stated durations replace those from the stamps."""
    if visit.state == HELD:
        _was_held(visit, at)
    elif visit.state == TALKING:
        _talked(visit, at)
    if event.talk_s is not None:
        visit.talk = ms(event.talk_s)
        visit.seen |= STATED | TALK_STATED
    if event.hold_s is not None:
        visit.hold = ms(event.hold_s)
        visit.seen |= STATED


def end(visit: Visit, event: e.Ended, at: int) -> f.Facts:
    """End the conversation."""
    _finish(visit, event, at)
    return NOTHING


def transfer(visit: Visit, event: e.Transferred, at: int) -> f.Facts:
    """Transfer the contact to someone else."""
    _finish(visit, event, at)
    visit.seen |= GOES_ON
    return NOTHING if visit.outbound else (f.Transferred(at),)


def wrap(visit: Visit, event: e.Wrapped, at: int) -> f.Facts:
    """Finish wrap-up, and with it all work on the visit."""
    wrapping = visit.state == WRAPPING
    after = _spell(visit, at) if wrapping and not visit.seen & BY_REPLIES else 0
    over = visit.since if wrapping else at
    if event.wrap_s is not None:
        after = ms(event.wrap_s)
        visit.seen |= STATED
        if not wrapping:
            over = at - after  # a conversation whose end was not reported
    _finish(visit, event, over)
    return (handled(visit, at, after, over),)


def handled(visit: Visit, at: int, wrap: int, over: int, *, timed_out: bool = False) -> f.Fact:
    """Return the fact that the work on a visit is complete, whose conversation was ``over`` at that moment."""
    seen = visit.seen
    if not seen & QUEUED:
        return f.OutboundHandled(at, visit.talk, visit.hold, wrap)
    transferred = seen & e.Transferred.bit != 0
    estimated = seen & (BY_REPLIES | TALK_STATED) == BY_REPLIES
    return f.Handled(
        at,
        visit.talk,
        visit.hold,
        wrap,
        visit.held or visit.hold > 0,
        transferred,
        seen & STATED != 0,
        timed_out,
        visit.pending,
        estimated,
        visit.talk if estimated else 0,
        not transferred,
        0 if transferred else max(0, over - (visit.began or visit.asked)),
    )
