"""The lifecycle of a visit.

Two rules:

1. ``TABLE`` is the specification of what an event may do to a visit, and the diagram in the documentation is drawn from it.
   A pair without a row is illegal and changes nothing.
2. This file, and the effects that it names, know one visit at a time: not the contact's other visits, not the partition, not
   the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import Struct

from stream_app.model import events as e, facts as f
from stream_app.model.durations import DAY, HOUR, MINUTE

from . import effects
from .visit import ABANDONED, CLOSED, HELD, TALKING, WAITING, WRAPPING, Visit, VisitState

Effect = Callable[[Visit, Any, int], f.Facts]


class BotMessage(e.MessageSent, kw_only=True, tag="message.sent:bot"):
    """A row of the table, not of the vocabulary: a ``message.sent`` with ``bot: true``."""


class BotEnded(e.Ended, kw_only=True, tag="contact.ended:bot"):
    """A row of the table, not of the vocabulary: a ``contact.ended`` by a bot."""


class QueuedAgain(e.Queued, kw_only=True, tag="contact.queued:resumes"):
    """A row of the table, not of the vocabulary: a ``contact.queued`` with ``resumes: true``."""


class Move(Struct, frozen=True):
    """A row: the next state (a plain number: an enum's hash and look-up cost more than the whole move) and the effect."""

    to: int
    effect: Effect


_MESSAGES: Final[dict[type[e.ContactEvent], Effect]] = {
    e.MessageReceived: effects.customer_wrote,
    e.MessageSent: effects.reply,
    BotMessage: effects.nothing,
    e.HandedOff: effects.handed_off,
    e.Missed: effects.missed,
}
_CONVERSATION_ENDS: Final[dict[type[e.ContactEvent], Move]] = {
    e.Transferred: Move(WRAPPING, effects.transfer),
    e.Ended: Move(WRAPPING, effects.end),
    BotEnded: Move(WRAPPING, effects.end),
    e.Wrapped: Move(CLOSED, effects.wrap),
}
_LEAVES: Final[dict[type[e.ContactEvent], Move]] = dict.fromkeys(
    (e.LeftQueue, e.Transferred, e.CallbackScheduled), Move(CLOSED, effects.leave)
)

TABLE: Final[dict[int, dict[type[e.ContactEvent], Move]]] = {
    WAITING: {
        e.Answered: Move(TALKING, effects.answer),
        **{kind: Move(WAITING, effect) for kind, effect in _MESSAGES.items()},
        e.MessageSent: Move(TALKING, effects.answer_by_message),
        e.Abandoned: Move(ABANDONED, effects.abandon),
        **_LEAVES,
        BotEnded: Move(CLOSED, effects.contain),
    },
    TALKING: {
        e.Held: Move(HELD, effects.hold),
        **{kind: Move(TALKING, effect) for kind, effect in _MESSAGES.items()},
        **_CONVERSATION_ENDS,
    },
    HELD: {
        e.Resumed: Move(TALKING, effects.unhold),
        **{kind: Move(HELD, effect) for kind, effect in _MESSAGES.items()},
        **_CONVERSATION_ENDS,
    },
    WRAPPING: {
        e.Missed: Move(WRAPPING, effects.missed),
        e.Transferred: Move(WRAPPING, effects.transfer),
        e.Wrapped: Move(CLOSED, effects.wrap),
    },
    ABANDONED: {
        e.Missed: Move(ABANDONED, effects.missed),
        QueuedAgain: Move(WAITING, effects.resume),
        **_LEAVES,
    },
}
"""State → event type → move."""


def step(visit: Visit, move: Move, event: e.ContactEvent) -> f.Facts:
    """Make a move that the table allows. Mutates the visit."""
    at = event.at
    facts = move.effect(visit, event, at)
    visit.seen |= event.bit
    if move.to != visit.state:
        visit.state = move.to
        visit.since = at
    return facts


RING_BACK: Final = HOUR
"""How long an abandoned visit is kept, so that the contact can be called back."""
_WRITTEN: Final[dict[int, int]] = {
    WAITING: 30 * DAY,
    TALKING: 30 * DAY,
    HELD: 30 * DAY,
    WRAPPING: 30 * MINUTE,
    ABANDONED: RING_BACK,
}
_CALLED_BACK: Final = {**_WRITTEN, TALKING: 12 * HOUR, HELD: 12 * HOUR}
_IDLE: Final = {"voice": {**_CALLED_BACK, WAITING: 4 * HOUR}, "callback": _CALLED_BACK}
"""Channel → state → how long. Nobody holds the line for a callback, so it waits as long as a letter does."""
SHORTEST_IDLE: Final = min(idle for states in _IDLE.values() for idle in states.values())
"""The shortest time after its last change in which a visit can time out."""


def expires(visit: Visit) -> int:
    """Return the partition time after which a visit without further events is closed."""
    return visit.since + _IDLE.get(visit.channel, _WRITTEN)[visit.state]


def time_out(visit: Visit, now: int) -> f.Facts:
    """Close a visit whose end was never reported, or whose abandonment was not taken back."""
    queue, channel, state = visit.queue, visit.channel, visit.state
    visit.state = CLOSED
    if state == WAITING:
        decided_at = effects.decided_at(visit, max(0, now - visit.queued_at), now)
        return f.Lost(queue, channel, now, visit.queued_at), f.Decided(queue, channel, decided_at)
    if state == WRAPPING:
        return (effects.handled(visit, now, 0, timed_out=True),)
    return () if state == ABANDONED else (f.Unfinished(queue, channel, now),)


def mermaid() -> Iterator[str]:
    """Yield the table as a Mermaid state diagram, line by line."""
    yield "stateDiagram-v2"
    yield f"    [*] --> waiting: {e.type_name(e.Queued)}"
    yield f"    [*] --> talking: {e.type_name(e.Answered)} (outbound)"
    for state, row in TABLE.items():
        arrows: dict[int, list[str]] = {}
        for kind, move in row.items():
            arrows.setdefault(move.to, []).append(e.type_name(kind))
        for to, kinds in arrows.items():
            target = "[*]" if to == CLOSED else VisitState(to).name.lower()
            yield f"    {VisitState(state).name.lower()} --> {target}: {', '.join(kinds)}"
