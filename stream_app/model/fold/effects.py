"""The effect of each event on the visit that takes it: it changes the visit and returns the facts that follow.

``lifecycle.TABLE`` defines which event leads here, from which state, and to which.
"""

from __future__ import annotations

from typing import Final

from stream_app.model import events as e, facts as f
from stream_app.model.reasons import LeftBy, left_by

from .visit import ABANDONED, HELD, QUEUED, STATED, TALKING, WRAPPING, Visit

NOTHING: Final[f.Facts] = ()
_BOT: Final = e.MessageSent.bit | e.HandedOff.bit
"""While a visit waits, only bots write to it: a human's message answers it."""
_LEFT_BY: Final[dict[type[e.ContactEvent], LeftBy]] = {
    e.Transferred: "transfer",
    e.CallbackScheduled: "callback",
}
"""Events that are a reason themselves."""


def nothing(_visit: Visit, _event: e.ContactEvent, _at: int) -> f.Facts:
    """Change nothing: the event has no effect that counts."""
    return NOTHING


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _wait(visit: Visit, stated: float | None, at: int) -> int:
    """Return the wait; the platform's own number takes precedence over the difference of stamps."""
    if stated is not None:
        return _ms(stated)
    return at - visit.queued_at if at > visit.queued_at else 0


def _spell(visit: Visit, at: int) -> int:
    return at - visit.since if at > visit.since else 0


def decided_at(visit: Visit, wait: int, at: int) -> int:
    """Return when a visit is decided whose wait ends now."""
    return at if wait <= visit.answer_target else min(visit.queued_at + visit.answer_target, at)


def _bot(visit: Visit, at: int) -> f.Facts:
    """Return the fact that the wait is over of a contact that met a bot which did not resolve it."""
    return (f.BotServed(visit.queue, visit.channel, at, contained=False),)


# --- waiting ---


def answer(visit: Visit, event: e.Answered, at: int) -> f.Facts:
    """Connect an agent."""
    stated = event.wait_s is not None
    return _answered(visit, event, _wait(visit, event.wait_s, at), at, stated=stated)


def answer_by_message(visit: Visit, event: e.MessageSent, at: int) -> f.Facts:
    """Answer by writing the first message."""
    return (*_answered(visit, event, _wait(visit, None, at), at), *reply(visit, event, at))


def _answered(
    visit: Visit, event: e.Answered | e.MessageSent, wait: int, at: int, *, stated: bool = False
) -> f.Facts:
    visit.agent = event.agent
    queue, channel = visit.queue, visit.channel
    answered = f.Answered(queue, channel, at, visit.queued_at, wait, wait <= visit.answer_target, stated)
    decided = f.Decided(queue, channel, decided_at(visit, wait, at))
    bot = _bot(visit, at) if visit.seen & _BOT else NOTHING
    if channel != "voice":
        return answered, decided, *bot
    visit.responded = True  # picking up is the response
    return answered, decided, f.Responded(queue, channel, at, wait, wait), *bot


def missed(visit: Visit, _event: e.Missed, at: int) -> f.Facts:
    """Count a ring no answer."""
    return (f.Missed(visit.queue, visit.channel, at),)


def abandon(visit: Visit, event: e.Abandoned, at: int) -> f.Facts:
    """Abandon: the customer gives up."""
    visit.wait = _wait(visit, event.wait_s, at)
    return _abandonment(visit, at)


def _abandonment(visit: Visit, at: int) -> f.Facts:
    """Return the facts of an abandonment at this moment; identical when it is taken back."""
    queue, channel, wait = visit.queue, visit.channel, visit.wait
    in_target = wait <= visit.answer_target
    abandoned = f.Abandoned(queue, channel, at, visit.queued_at, wait, in_target, visit.is_short(wait))
    decided = f.Decided(queue, channel, decided_at(visit, wait, at), abandoned_later=not in_target)
    return abandoned, decided, *(_bot(visit, at) if visit.seen & _BOT else NOTHING)


def undo(visit: Visit) -> f.Facts:
    """Take the abandonment back."""
    at = visit.since
    return (
        f.TakenBack(visit.queue, visit.channel, at, _abandonment(visit, at)),
        f.Undone(visit.queue, visit.channel, at),
    )


def resume(visit: Visit, _event: e.Queued, _at: int) -> f.Facts:
    """Resume: the customer came back to the same wait."""
    return undo(visit)


def leave(visit: Visit, event: e.LeftQueue | e.Transferred | e.CallbackScheduled, at: int) -> f.Facts:
    """Leave the queue without giving up (flow-out)."""
    undone = NOTHING
    wait = _wait(visit, event.wait_s, at)
    if visit.state == ABANDONED:
        undone = undo(visit)
        if event.wait_s is None:
            wait = visit.wait
    reason = left_by(event.reason) if isinstance(event, e.LeftQueue) else _LEFT_BY[type(event)]
    return *undone, *_left(visit, wait, at, reason, callback=isinstance(event, e.CallbackScheduled))


def _left(
    visit: Visit, wait: int, at: int, reason: LeftBy, *, callback: bool = False, contained: bool = False
) -> f.Facts:
    queue, channel = visit.queue, visit.channel
    in_target = wait <= visit.answer_target
    left = f.Left(queue, channel, at, visit.queued_at, wait, in_target, callback, reason)
    decided = f.Decided(queue, channel, decided_at(visit, wait, at))
    if contained or visit.seen & _BOT:
        return left, decided, f.BotServed(queue, channel, at, contained)
    return left, decided


def contain(visit: Visit, _event: e.Ended, at: int) -> f.Facts:
    """Close a contact that the bot resolved."""
    return _left(visit, _wait(visit, None, at), at, "other", contained=True)


# --- talking and writing ---


def reply(visit: Visit, _event: e.MessageSent, at: int) -> f.Facts:
    """Count a human's reply."""
    asked, visit.clock = visit.clock, 0
    first = not visit.responded
    if not asked:
        if not first or visit.outbound:
            return NOTHING  # nobody was waiting for it
        asked = visit.queued_at
    visit.responded = True
    after = at - asked if at > asked else 0
    replied = f.Replied(visit.queue, visit.channel, at, after, after)
    return (f.Responded(visit.queue, visit.channel, at, after, after), replied) if first else (replied,)


def customer_wrote(visit: Visit, _event: e.MessageReceived, at: int) -> f.Facts:
    """Start the response clock at the first message that has no reply."""
    if not visit.clock:
        visit.clock = at
    return NOTHING


def handed_off(visit: Visit, _event: e.HandedOff, at: int) -> f.Facts:
    """Restart the response clock as a bot hands over to people."""
    if not visit.responded:
        visit.clock = at
    return NOTHING


def hold(visit: Visit, _event: e.Held, at: int) -> f.Facts:
    """Put on hold."""
    visit.talk += _spell(visit, at)
    visit.held = True
    return NOTHING


def unhold(visit: Visit, _event: e.Resumed, at: int) -> f.Facts:
    """Leave hold."""
    visit.hold += _spell(visit, at)
    return NOTHING


def _finish(visit: Visit, event: e.Ended | e.Transferred | e.Wrapped, at: int) -> None:
    """End talk and hold; stated durations replace those from the stamps."""
    if visit.state == HELD:
        visit.hold += _spell(visit, at)
    elif visit.state == TALKING:
        visit.talk += _spell(visit, at)
    if event.talk_s is not None:
        visit.talk = _ms(event.talk_s)
        visit.seen |= STATED
    if event.hold_s is not None:
        visit.hold = _ms(event.hold_s)
        visit.seen |= STATED


def end(visit: Visit, event: e.Ended, at: int) -> f.Facts:
    """End the conversation."""
    _finish(visit, event, at)
    return NOTHING


def transfer(visit: Visit, event: e.Transferred, at: int) -> f.Facts:
    """Transfer the contact to someone else."""
    _finish(visit, event, at)
    return NOTHING if visit.outbound else (f.Transferred(visit.queue, visit.channel, at),)


def wrap(visit: Visit, event: e.Wrapped, at: int) -> f.Facts:
    """Finish wrap-up, and with it all work on the visit."""
    after = _spell(visit, at) if visit.state == WRAPPING else 0
    over = at
    if event.wrap_s is not None:
        after = _ms(event.wrap_s)
        over = at - after  # a conversation whose end was not reported
        visit.seen |= STATED
    _finish(visit, event, over)
    return (handled(visit, at, after),)


def handled(visit: Visit, at: int, wrap: int, *, timed_out: bool = False) -> f.Fact:
    """Return the fact that the work on a visit is complete."""
    seen = visit.seen
    if not seen & QUEUED:
        return f.OutboundHandled(visit.queue, visit.channel, at, visit.talk, visit.hold, wrap)
    return f.Handled(
        visit.queue,
        visit.channel,
        at,
        visit.talk,
        visit.hold,
        wrap,
        visit.held or visit.hold > 0,
        seen & e.Transferred.bit != 0,
        seen & STATED != 0,
        timed_out,
    )
