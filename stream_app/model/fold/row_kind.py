"""Which row of the lifecycle's table an event is for a visit, where its type alone does not tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from stream_app.model import events as e

from .kinds import (
    Assigned,
    BotEnded,
    BotMessage,
    BotTalked,
    Closed,
    CustomerEnded,
    EndedMeanwhile,
    FirstBot,
    FirstHandOff,
    Idle,
    Note,
    RowKind,
    WrappedAnyway,
)
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
