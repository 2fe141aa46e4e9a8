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

from . import effects, working
from .kinds import (
    Assigned,
    BotEnded,
    BotMessage,
    BotTalked,
    Closed,
    ClosedNoDemand,
    CustomerEnded,
    EndedMeanwhile,
    FirstBot,
    FirstHandOff,
    Idle,
    NoDemand,
    Note,
    QueuedAgain,
    RowKind,
    WrappedAnyway,
)
from .visit import (
    ABANDONED,
    CLOSED,
    CONTAINED,
    ENDED,
    HELD,
    RATED,
    REOPENING,
    SURVEYED,
    TALKING,
    UNANSWERED,
    WAITING,
    WITH_BOT,
    WRAPPING,
    WRITTEN,
    Visit,
    VisitState,
)

Effect = Callable[[Visit, Any, int], f.Facts]


class Move(Struct, frozen=True):
    """A row of the table.

    Attributes:
        to: the next state: a plain number, because an enum's hash and look-up cost more than the whole move.
        effect: what happens.
        hands_off: the wait for a person begins, and with it its targets.
    """

    to: int
    effect: Effect
    hands_off: bool = False


_NOTHING: Final[tuple[RowKind, ...]] = (Note, BotMessage, e.BotStarted, e.HandedOff)
"""Rows that change nothing, as long as a contact waits for people or is with them."""


def _stays(state: int, kinds: dict[RowKind, Effect]) -> dict[RowKind, Move]:
    return {kind: Move(state, effect) for kind, effect in kinds.items()}


_HEARD: Final[dict[RowKind, Effect]] = {
    **dict.fromkeys(_NOTHING, effects.nothing),
    e.MessageReceived: working.customer_wrote,
    e.Missed: effects.missed,
}
_CONVERSING: Final[dict[RowKind, Effect]] = {
    **_HEARD,
    e.MessageSent: working.reply,
    BotTalked: effects.bot_answers,
    Assigned: effects.assign,
}
_CONVERSATION_ENDS: Final[dict[RowKind, Move]] = {
    e.Transferred: Move(WRAPPING, working.transfer),
    e.Ended: Move(WRAPPING, working.end),
    e.Wrapped: Move(CLOSED, working.wrap),
}
_LEAVES: Final[dict[RowKind, Move]] = {
    **dict.fromkeys((e.LeftQueue, e.Transferred, e.CallbackScheduled), Move(CLOSED, effects.leave)),
    NoDemand: Move(CLOSED, effects.leave_no_demand),
}
_ANSWERS: Final[dict[RowKind, Move]] = {
    e.Answered: Move(TALKING, effects.answer),
    Assigned: Move(WAITING, effects.assign),
    e.MessageSent: Move(TALKING, effects.answer_by_message),
}

TABLE: Final[dict[int, dict[RowKind, Move]]] = {
    WAITING: {
        **_ANSWERS,
        **_stays(WAITING, {**_HEARD, Idle: effects.nothing}),
        BotTalked: Move(WITH_BOT, effects.bot_talks),
        FirstBot: Move(WITH_BOT, effects.start_bot),
        FirstHandOff: Move(WAITING, effects.hand_off_at_once, hands_off=True),
        e.Abandoned: Move(ABANDONED, effects.abandon),
        CustomerEnded: Move(ABANDONED, effects.abandon),
        **_LEAVES,
        BotEnded: Move(CONTAINED, effects.contain_at_once),
        Closed: Move(UNANSWERED, effects.close),
        ClosedNoDemand: Move(UNANSWERED, effects.close_no_demand),
    },
    WITH_BOT: {
        **_ANSWERS,
        **_stays(WITH_BOT, {**_HEARD, BotTalked: effects.bot_answers, Idle: effects.nothing}),
        e.HandedOff: Move(WAITING, effects.hand_off, hands_off=True),
        BotEnded: Move(CONTAINED, effects.contain),
        EndedMeanwhile: Move(UNANSWERED, effects.end_with_bot),
        **dict.fromkeys(
            (e.Ended, e.Abandoned, e.LeftQueue, NoDemand, e.Transferred, e.CallbackScheduled),
            Move(CLOSED, effects.end_with_bot),
        ),
    },
    TALKING: {
        e.Held: Move(HELD, working.hold),
        **_stays(TALKING, {**_CONVERSING, Idle: effects.nothing}),
        **_CONVERSATION_ENDS,
    },
    HELD: {
        e.Resumed: Move(TALKING, working.unhold),
        **_stays(HELD, _CONVERSING),
        **_CONVERSATION_ENDS,
    },
    WRAPPING: {
        **_stays(
            WRAPPING,
            {
                Note: effects.nothing,
                BotMessage: effects.nothing,
                e.MessageReceived: working.customer_wrote,
                e.MessageSent: working.reply_after_end,
                e.Missed: effects.missed,
                e.Transferred: working.transfer,
            },
        ),
        e.Wrapped: Move(CLOSED, working.wrap),
    },
    ABANDONED: {
        **_stays(ABANDONED, {e.Missed: effects.missed, WrappedAnyway: effects.nothing}),
        QueuedAgain: Move(WAITING, effects.resume),
        **_LEAVES,
    },
    UNANSWERED: {e.Wrapped: Move(UNANSWERED, effects.nothing)},
    CONTAINED: {e.Wrapped: Move(CONTAINED, effects.nothing)},
    ENDED: {},
    REOPENING: {},
    SURVEYED: {},
    RATED: {},
}
"""State → row → move."""


def step(visit: Visit, move: Move, event: e.ContactEvent) -> f.Facts:
    """Make a move that the table allows. Mutates the visit."""
    at = event.at
    facts = move.effect(visit, event, at)
    visit.seen |= event.bit
    if move.to != visit.state:
        visit.state = move.to
        visit.since = at
    if visit.seen & WRITTEN and at > visit.active and not getattr(event, "auto", False):
        visit.active = at
    return facts


RING_BACK: Final = HOUR
"""How long an abandoned visit is kept, so that the contact can be called back."""
REMEMBERED_FOR: Final = HOUR
"""How long it is remembered where a request ended, or that a case was reopened; a contact that goes on does so at once."""
RETURNED_WITHIN: Final = 2 * DAY
"""How long a survey may take to come back, and an opinion may be changed."""
_ALIKE: Final = {
    WRAPPING: 30 * MINUTE,
    ABANDONED: RING_BACK,
    UNANSWERED: HOUR,
    CONTAINED: 2 * DAY,
    ENDED: REMEMBERED_FOR,
    REOPENING: REMEMBERED_FOR,
    SURVEYED: RETURNED_WITHIN,
    RATED: RETURNED_WITHIN,
}
_TALK: Final = {TALKING: 12 * HOUR, HELD: 12 * HOUR}
_IDLE: Final[dict[str, dict[int, int]]] = {
    "voice": {**_ALIKE, **_TALK, WAITING: 4 * HOUR, WITH_BOT: 4 * HOUR},
    "callback": {**_ALIKE, **_TALK},
    "video": {**_ALIKE, **_TALK},
}
"""Channel → state → how long; a state that is not here, as long as the settings say."""
SHORTEST_IDLE: Final = min(idle for states in (*_IDLE.values(), _ALIKE) for idle in states.values())
"""The shortest time after its last change in which a visit can time out."""
_FORMERLY: Final = 30 * DAY


def expires(visit: Visit) -> int:
    """Return the partition time after which a visit without further events is closed."""
    since = visit.active if visit.active > visit.since and visit.state < ENDED else visit.since
    return since + (_IDLE.get(visit.channel, _ALIKE).get(visit.state) or visit.idle_days * DAY or _FORMERLY)


def time_out(visit: Visit, now: int) -> f.Facts:
    """Close a visit whose end was never reported, or of which nothing more is expected."""
    state = visit.state
    visit.state = CLOSED
    if state == WAITING:
        decided_at = effects.decided_at(visit, max(0, now - visit.queued_at), now)
        return f.Lost(now, visit.queued_at), f.Decided(decided_at)
    if state == WITH_BOT:
        return (f.EndedWithBot(now),)
    if state == WRAPPING:
        return (working.handled(visit, now, 0, visit.since, timed_out=True),)
    return (f.Unfinished(now),) if state in (TALKING, HELD) else ()


def mermaid() -> Iterator[str]:
    """Yield the table as a Mermaid state diagram, line by line."""
    yield "stateDiagram-v2"
    yield f"    [*] --> waiting: {e.type_name(e.Queued)}"
    yield f"    [*] --> talking: {e.type_name(e.Answered)} (outbound)"
    for state, row in TABLE.items():
        if not row:
            continue  # no visit any more
        arrows: dict[int, list[str]] = {}
        for kind, move in row.items():
            arrows.setdefault(move.to, []).append(e.type_name(kind))
        for to, kinds in arrows.items():
            target = "[*]" if to == CLOSED else VisitState(to).name.lower()
            yield f"    {VisitState(state).name.lower()} --> {target}: {', '.join(kinds)}"
