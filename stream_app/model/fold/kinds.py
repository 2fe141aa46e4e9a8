"""Rows of the lifecycle's table that depend on more than an event's type: which of them an event is for a visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from stream_app.model import events as e

from .visit import (
    ABANDONED,
    BOT_TALKS,
    BY_MESSAGE,
    HANDED_OFF,
    HELD,
    OWED,
    WAITING,
    WITH_BOT,
    WRAPPING,
    WRITTEN,
)

RowKind = type[e.ContactEvent]


class Assigned(e.Answered, kw_only=True, tag="contact.answered:assignment"):
    """A ``contact.answered`` where only a message answers; a visit may take several."""

    repeatable = True


class Note(e.Message, kw_only=True, tag="message:no message"):
    """A message that is automatic or private, of either side."""


class BotTalked(e.MessageSent, kw_only=True, tag="message.sent:bot talks"):
    """A ``message.sent`` by a bot that talks, while it may."""


class BotMessage(e.MessageSent, kw_only=True, tag="message.sent:bot"):
    """Any other ``message.sent`` by a bot."""


class BotEnded(e.Ended, kw_only=True, tag="contact.ended:bot"):
    """A ``contact.ended`` by a bot, before it handed over."""


class CustomerEnded(e.Ended, kw_only=True, tag="contact.ended:customer"):
    """A ``contact.ended`` by a customer who waits in a written channel."""


class Closed(e.Ended, kw_only=True, tag="contact.ended:unanswered"):
    """The end of a written contact that still waits: it is closed without a reply."""


class NoDemand(e.LeftQueue, kw_only=True, tag="contact.left_queue:no demand"):
    """A ``contact.left_queue`` for a reason that is no demand."""


class ClosedNoDemand(e.Ended, kw_only=True, tag="contact.ended:no demand"):
    """The same of a written contact that is closed without a reply."""


class EndedMeanwhile(e.Ended, kw_only=True, tag="contact.ended/contact.wrapped:with a bot"):
    """The end of a written contact that a bot has, and has not settled."""


class FirstHandOff(e.HandedOff, kw_only=True, tag="bot.handed_off:first"):
    """A ``bot.handed_off`` that is the first that is heard of a bot."""


class FirstBot(e.BotStarted, kw_only=True, tag="bot.started:first"):
    """A ``bot.started`` before any hand-off."""


class Idle(e.Held, kw_only=True, tag="contact.held/contact.resumed:nothing"):
    """A ``contact.held`` or ``contact.resumed`` of a written contact that changes no state."""


class WrappedAnyway(e.Wrapped, kw_only=True, tag="contact.wrapped:nothing"):
    """A ``contact.wrapped`` of a written contact whose customer gave up."""


class QueuedAgain(e.Queued, kw_only=True, tag="contact.queued:resumes"):
    """A ``contact.queued`` with ``resumes: true``."""


def kind_of(state: int, seen: int, event: e.ContactEvent) -> RowKind:
    """Return the row of the table that an event is for a visit in this state, which has seen that."""
    kind = type(event)
    finer = _FINER.get(kind)
    return kind if finer is None else finer(state, seen, event)


def _answered(_state: int, seen: int, _event: e.ContactEvent) -> RowKind:
    return Assigned if seen & BY_MESSAGE else e.Answered


def _sent(state: int, seen: int, event: Any) -> RowKind:
    if event.auto or event.private:
        return Note
    if not event.bot:
        return e.MessageSent
    if state == WITH_BOT:
        return BotTalked
    barred = HANDED_OFF if state == WAITING else OWED
    return BotTalked if seen & BOT_TALKS and not seen & barred and state != WRAPPING else BotMessage


def _received(_state: int, _seen: int, event: Any) -> RowKind:
    return Note if event.auto or event.private else e.MessageReceived


def _ended(state: int, seen: int, event: Any) -> RowKind:
    if state == WITH_BOT:
        return BotEnded if event.by == "bot" else EndedMeanwhile if seen & WRITTEN else e.Ended
    if state != WAITING:
        return e.Ended
    if event.by == "bot" and not seen & HANDED_OFF:
        return BotEnded
    if not seen & WRITTEN:
        return e.Ended
    return CustomerEnded if event.by == "customer" else Closed


def _wrapped(state: int, seen: int, _event: e.ContactEvent) -> RowKind:
    if not seen & WRITTEN:
        return e.Wrapped
    if state == WAITING:
        return Closed
    if state == WITH_BOT:
        return EndedMeanwhile
    return WrappedAnyway if state == ABANDONED else e.Wrapped


def _paused(state: int, seen: int, event: e.ContactEvent) -> RowKind:
    moves = state == HELD or (type(event) is e.Held and state not in (WAITING, WITH_BOT))
    return type(event) if moves or not seen & WRITTEN else Idle


def _handed_off(state: int, seen: int, _event: e.ContactEvent) -> RowKind:
    return FirstHandOff if state == WAITING and not seen & HANDED_OFF else e.HandedOff


def _started(state: int, seen: int, _event: e.ContactEvent) -> RowKind:
    return FirstBot if state == WAITING and not seen & HANDED_OFF else e.BotStarted


_FINER: Final[dict[type[e.ContactEvent], Callable[[int, int, Any], RowKind]]] = {
    e.Answered: _answered,
    e.MessageSent: _sent,
    e.MessageReceived: _received,
    e.Ended: _ended,
    e.Wrapped: _wrapped,
    e.Held: _paused,
    e.Resumed: _paused,
    e.HandedOff: _handed_off,
    e.BotStarted: _started,
}
