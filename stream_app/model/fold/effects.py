"""What each event does to the visit that takes it: it changes the visit and gives the facts that follow.

``lifecycle.TABLE`` says which event leads here, from which state, and to which.
"""

from __future__ import annotations

from typing import Final

from . import events as e, facts as f
from .visit import ABANDONED, HELD, QUEUED, STATED, TALKING, WRAPPING, Visit

Facts = tuple[f.Fact, ...]
NOTHING: Final[Facts] = ()
_BOT: Final = e.MessageSent.bit | e.HandedOff.bit
"""While a visit waits, whoever writes is a bot: a human's message answers it."""


def nothing(_visit: Visit, _event: e.ContactEvent, _at: int) -> Facts:
    """The event changes nothing that counts."""
    return NOTHING


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _wait(visit: Visit, stated: float | None, at: int) -> int:
    """The platform's own number wins over the difference of stamps."""
    if stated is not None:
        return _ms(stated)
    return at - visit.queued_at if at > visit.queued_at else 0


def _spell(visit: Visit, at: int) -> int:
    return at - visit.since if at > visit.since else 0


def decided_at(visit: Visit, wait: int, at: int) -> int:
    """When a visit is decided whose wait ends now."""
    return at if wait <= visit.answer_target else min(visit.queued_at + visit.answer_target, at)


def _bot(visit: Visit, at: int) -> Facts:
    """The wait is over of someone who has met a bot, which did not settle it."""
    return (f.BotServed(visit.queue, visit.channel, at, contained=False),)


# --- waiting ---


def answer(visit: Visit, event: e.Answered, at: int) -> Facts:
    """An agent is connected."""
    stated = event.wait_s is not None
    return _answered(visit, event, _wait(visit, event.wait_s, at), at, stated=stated)


def answer_by_message(visit: Visit, event: e.MessageSent, at: int) -> Facts:
    """To write is to answer."""
    return (*_answered(visit, event, _wait(visit, None, at), at), *reply(visit, event, at))


def _answered(
    visit: Visit, event: e.Answered | e.MessageSent, wait: int, at: int, *, stated: bool = False
) -> Facts:
    visit.agent = event.agent
    queue, channel = visit.queue, visit.channel
    answered = f.Answered(queue, channel, at, visit.queued_at, wait, wait <= visit.answer_target, stated)
    decided = f.Decided(queue, channel, decided_at(visit, wait, at))
    bot = _bot(visit, at) if visit.seen & _BOT else NOTHING
    if channel != "voice":
        return answered, decided, *bot
    visit.responded = True  # to pick up is to respond
    return answered, decided, f.Responded(queue, channel, at, wait, wait), *bot


def missed(visit: Visit, _event: e.Missed, at: int) -> Facts:
    """An agent let it ring."""
    return (f.Missed(visit.queue, visit.channel, at),)


def abandon(visit: Visit, event: e.Abandoned, at: int) -> Facts:
    """The customer gives up."""
    visit.wait = _wait(visit, event.wait_s, at)
    return _abandonment(visit, at)


def _abandonment(visit: Visit, at: int) -> Facts:
    """What an abandonment at this moment means; the same again when it is taken back."""
    queue, channel, wait = visit.queue, visit.channel, visit.wait
    in_target = wait <= visit.answer_target
    abandoned = f.Abandoned(queue, channel, at, visit.queued_at, wait, in_target, wait <= visit.short_abandon)
    decided = f.Decided(queue, channel, decided_at(visit, wait, at), abandoned_later=not in_target)
    return abandoned, decided, *(_bot(visit, at) if visit.seen & _BOT else NOTHING)


def undo(visit: Visit) -> Facts:
    """The abandonment was none."""
    at = visit.since
    return (
        f.TakenBack(visit.queue, visit.channel, at, _abandonment(visit, at)),
        f.Undone(visit.queue, visit.channel, at),
    )


def resume(visit: Visit, _event: e.Queued, _at: int) -> Facts:
    """The customer came back to the same wait."""
    return undo(visit)


def leave(visit: Visit, event: e.LeftQueue | e.Transferred | e.CallbackScheduled, at: int) -> Facts:
    """The contact leaves the queue, and not by giving up."""
    undone = NOTHING
    wait = _wait(visit, event.wait_s, at)
    if visit.state == ABANDONED:
        undone = undo(visit)
        if event.wait_s is None:
            wait = visit.wait
    return *undone, *_left(visit, wait, at, callback=isinstance(event, e.CallbackScheduled))


def _left(visit: Visit, wait: int, at: int, *, callback: bool = False, contained: bool = False) -> Facts:
    queue, channel = visit.queue, visit.channel
    left = f.Left(queue, channel, at, visit.queued_at, wait, wait <= visit.answer_target, callback)
    decided = f.Decided(queue, channel, decided_at(visit, wait, at))
    if contained or visit.seen & _BOT:
        return left, decided, f.BotServed(queue, channel, at, contained)
    return left, decided


def contain(visit: Visit, _event: e.Ended, at: int) -> Facts:
    """A bot settles it."""
    return _left(visit, _wait(visit, None, at), at, contained=True)


# --- talking and writing ---


def reply(visit: Visit, _event: e.MessageSent, at: int) -> Facts:
    """A human writes."""
    asked, visit.clock = visit.clock, 0
    first = not visit.responded
    if not asked:
        if not first or visit.outbound:
            return NOTHING  # nobody waited for it
        asked = visit.queued_at
    visit.responded = True
    after = at - asked if at > asked else 0
    replied = f.Replied(visit.queue, visit.channel, at, after, after)
    return (f.Responded(visit.queue, visit.channel, at, after, after), replied) if first else (replied,)


def customer_wrote(visit: Visit, _event: e.MessageReceived, at: int) -> Facts:
    """The customer waits for a reply from the first message on that has none."""
    if not visit.clock:
        visit.clock = at
    return NOTHING


def handed_off(visit: Visit, _event: e.HandedOff, at: int) -> Facts:
    """A bot passes the contact to people, whose time starts now."""
    if not visit.responded:
        visit.clock = at
    return NOTHING


def hold(visit: Visit, _event: e.Held, at: int) -> Facts:
    """On hold."""
    visit.talk += _spell(visit, at)
    visit.held = True
    return NOTHING


def unhold(visit: Visit, _event: e.Resumed, at: int) -> Facts:
    """Not any more."""
    visit.hold += _spell(visit, at)
    return NOTHING


def _finish(visit: Visit, event: e.Ended | e.Transferred | e.Wrapped, at: int) -> None:
    """Talk and hold are over; stated sums replace what the stamps said."""
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


def end(visit: Visit, event: e.Ended, at: int) -> Facts:
    """The conversation is over."""
    _finish(visit, event, at)
    return NOTHING


def transfer(visit: Visit, event: e.Transferred, at: int) -> Facts:
    """An agent passes it on."""
    _finish(visit, event, at)
    return NOTHING if visit.outbound else (f.Transferred(visit.queue, visit.channel, at),)


def wrap(visit: Visit, event: e.Wrapped, at: int) -> Facts:
    """All work is done."""
    after = _spell(visit, at) if visit.state == WRAPPING else 0
    over = at
    if event.wrap_s is not None:
        after = _ms(event.wrap_s)
        over = at - after  # a conversation whose end was not told
        visit.seen |= STATED
    _finish(visit, event, over)
    return (handled(visit, at, after),)


def handled(visit: Visit, at: int, wrap: int, *, timed_out: bool = False) -> f.Fact:
    """What the work on a visit came to."""
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
