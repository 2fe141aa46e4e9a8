"""Rows of the lifecycle's table that depend on more than an event's type; ``row_kind`` tells which of them an event is."""

from __future__ import annotations

from stream_app.model import events as e

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
