"""The life of a visit.

Two rules:

1. Everything that decides what an event does to a visit lives in this file; ``TABLE`` is the specification and the diagram
   in the documentation is drawn from it. A pair that has no row is illegal and changes nothing.
2. This file knows one visit at a time: not the contact's other visits, not the partition, not the clock.

A visit is (contact, queue, visit number). Times and durations are milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, Final

from msgspec import Struct

from . import events as e, facts as f


class State(IntEnum):
    """Where a visit stands. The numbers are stored: add, never renumber."""

    WAITING = 1
    TALKING = 2
    HELD = 3
    WRAPPING = 4
    CLOSED = 9


class BotMessage(e.MessageSent, kw_only=True, tag="message.sent:bot"):
    """A row of the table, not of the vocabulary: a ``message.sent`` with ``bot: true``."""


class Visit(Struct, array_like=True, gc=False):
    """One open visit; also its stored form, so fields may be appended, never moved.

    Attributes:
        queued_at: when it began.
        since: the last change of state.
        answer_target: T when it was queued.
        short_abandon: the short-abandon threshold when it was queued.
        opener: hash of the event id that opened it.
        seen: bits of the event types it has taken.
        clock: when the customer began to wait for a response; 0 where ``queued_at`` holds.
        responded: the first response was given.
        talk: time spent talking so far.
        hold: time spent on hold so far.
        held: was on hold at least once.
    """

    queue: str
    channel: str
    state: int
    queued_at: int
    since: int
    answer_target: int
    short_abandon: int
    opener: bytes
    seen: int = 0
    number: int | None = None
    agent: str | None = None
    clock: int = 0
    responded: bool = False
    talk: int = 0
    hold: int = 0
    held: bool = False

    @property
    def due(self) -> int:
        """When it is decided at the latest: an outcome that comes later has missed T."""
        return self.queued_at + self.answer_target


Visits = tuple[Visit, ...]
"""A contact's open visits, oldest first. Nearly always one, and a tuple is one object less than a list to keep and to find."""

WAITING, TALKING, HELD, WRAPPING, CLOSED = (int(state) for state in State)

Facts = tuple[f.Fact, ...]
Effect = Callable[[Visit, Any, int], Facts]
NOTHING: Final[Facts] = ()


class Move(Struct, frozen=True):
    """A row: the next state (a plain number: an enum's hash and look-up cost more than the whole move) and what happens."""

    to: int
    effect: Effect


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _wait(visit: Visit, stated: float | None, at: int) -> int:
    """The platform's own number wins over the difference of stamps."""
    if stated is not None:
        return _ms(stated)
    return at - visit.queued_at if at > visit.queued_at else 0


def _spell(visit: Visit, at: int) -> int:
    return at - visit.since if at > visit.since else 0


def _decided_at(visit: Visit, wait: int, at: int) -> int:
    return at if wait <= visit.answer_target else min(visit.queued_at + visit.answer_target, at)


def _nothing(_visit: Visit, _event: e.ContactEvent, _at: int) -> Facts:
    return NOTHING


def _answer(visit: Visit, event: e.Answered, at: int) -> Facts:
    return _answered(visit, event, _wait(visit, event.wait_s, at), at)


def _answer_by_message(visit: Visit, event: e.MessageSent, at: int) -> Facts:
    return (*_answered(visit, event, _wait(visit, None, at), at), *_respond(visit, event, at))


def _answered(visit: Visit, event: e.Answered | e.MessageSent, wait: int, at: int) -> Facts:
    visit.agent = event.agent
    queue, channel = visit.queue, visit.channel
    answered = f.Answered(queue, channel, at, wait, wait <= visit.answer_target)
    decided = f.Decided(queue, channel, _decided_at(visit, wait, at))
    if channel != "voice":
        return answered, decided
    visit.responded = True  # to pick up is to respond
    return answered, decided, f.Responded(queue, channel, at, wait)


def _respond(visit: Visit, _event: e.MessageSent, at: int) -> Facts:
    if visit.responded:
        return NOTHING
    visit.responded = True
    return (f.Responded(visit.queue, visit.channel, at, max(0, at - (visit.clock or visit.queued_at))),)


def _customer_wrote(visit: Visit, _event: e.MessageReceived, at: int) -> Facts:
    if not visit.clock and not visit.responded:
        visit.clock = at
    return NOTHING


def _handed_off(visit: Visit, _event: e.HandedOff, at: int) -> Facts:
    if not visit.responded:
        visit.clock = at
    return NOTHING


def _missed(visit: Visit, _event: e.Missed, at: int) -> Facts:
    return (f.Missed(visit.queue, visit.channel, at),)


def _abandon(visit: Visit, event: e.Abandoned, at: int) -> Facts:
    wait = _wait(visit, event.wait_s, at)
    in_target = wait <= visit.answer_target
    queue, channel = visit.queue, visit.channel
    return (
        f.Abandoned(queue, channel, at, wait, in_target, wait <= visit.short_abandon),
        f.Decided(queue, channel, _decided_at(visit, wait, at), abandoned_later=not in_target),
    )


def _leave(visit: Visit, event: e.LeftQueue | e.Transferred | e.CallbackScheduled, at: int) -> Facts:
    wait = _wait(visit, event.wait_s, at)
    return (
        f.Left(visit.queue, visit.channel, at, wait, wait <= visit.answer_target),
        f.Decided(visit.queue, visit.channel, _decided_at(visit, wait, at)),
    )


def _hold(visit: Visit, _event: e.Held, at: int) -> Facts:
    visit.talk += _spell(visit, at)
    visit.held = True
    return NOTHING


def _resume(visit: Visit, _event: e.Resumed, at: int) -> Facts:
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
    if event.hold_s is not None:
        visit.hold = _ms(event.hold_s)


def _end(visit: Visit, event: e.Ended, at: int) -> Facts:
    _finish(visit, event, at)
    return NOTHING


def _transfer(visit: Visit, event: e.Transferred, at: int) -> Facts:
    _finish(visit, event, at)
    return (f.Transferred(visit.queue, visit.channel, at),)


def _wrap(visit: Visit, event: e.Wrapped, at: int) -> Facts:
    wrap = _spell(visit, at) if visit.state == WRAPPING else 0
    _finish(visit, event, at)
    if event.wrap_s is not None:
        wrap = _ms(event.wrap_s)
    return (_handled(visit, at, wrap),)


def _handled(visit: Visit, at: int, wrap: int, *, timed_out: bool = False) -> f.Handled:
    held = visit.held or visit.hold > 0
    return f.Handled(visit.queue, visit.channel, at, visit.talk, visit.hold, wrap, held, timed_out)


_MESSAGES: Final[dict[type[e.ContactEvent], Effect]] = {
    e.MessageReceived: _customer_wrote,
    e.MessageSent: _respond,
    BotMessage: _nothing,
    e.HandedOff: _handed_off,
}
_CONVERSATION_ENDS: Final[dict[type[e.ContactEvent], Move]] = {
    e.Transferred: Move(WRAPPING, _transfer),
    e.Ended: Move(WRAPPING, _end),
    e.Wrapped: Move(CLOSED, _wrap),
}

TABLE: Final[dict[int, dict[type[e.ContactEvent], Move]]] = {
    WAITING: {
        e.Answered: Move(TALKING, _answer),
        e.MessageSent: Move(TALKING, _answer_by_message),
        e.MessageReceived: Move(WAITING, _customer_wrote),
        BotMessage: Move(WAITING, _nothing),
        e.HandedOff: Move(WAITING, _handed_off),
        e.Missed: Move(WAITING, _missed),
        e.Abandoned: Move(CLOSED, _abandon),
        e.LeftQueue: Move(CLOSED, _leave),
        e.Transferred: Move(CLOSED, _leave),
        e.CallbackScheduled: Move(CLOSED, _leave),
    },
    TALKING: {
        e.Held: Move(HELD, _hold),
        **{kind: Move(TALKING, effect) for kind, effect in _MESSAGES.items()},
        **_CONVERSATION_ENDS,
    },
    HELD: {
        e.Resumed: Move(TALKING, _resume),
        **{kind: Move(HELD, effect) for kind, effect in _MESSAGES.items()},
        **_CONVERSATION_ENDS,
    },
    WRAPPING: {e.Wrapped: Move(CLOSED, _wrap)},
}
"""State → event type → move."""


def step(visit: Visit, move: Move, event: e.ContactEvent) -> Facts:
    """Make a move that the table allows. Mutates the visit."""
    at = event.at
    facts = move.effect(visit, event, at)
    visit.seen |= event.bit
    if move.to != visit.state:
        visit.state = move.to
        visit.since = at
    return facts


_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR
_IDLE: Final[dict[int, tuple[int, int]]] = {  # state → (voice, other channels)
    WAITING: (4 * _HOUR, 30 * _DAY),
    TALKING: (12 * _HOUR, 30 * _DAY),
    HELD: (12 * _HOUR, 30 * _DAY),
    WRAPPING: (_HOUR // 2, _HOUR // 2),
}


SHORTEST_IDLE: Final = _HOUR // 2
"""No visit times out sooner than this after its last change."""


def expires(visit: Visit) -> int:
    """The partition time after which a visit that nothing was heard of is closed."""
    voice, other = _IDLE[visit.state]
    return visit.since + (voice if visit.channel == "voice" else other)


def time_out(visit: Visit, now: int) -> Facts:
    """Close a visit that never said how it ended."""
    queue, channel, state = visit.queue, visit.channel, visit.state
    visit.state = CLOSED
    if state == WAITING:
        decided_at = _decided_at(visit, max(0, now - visit.queued_at), now)
        return f.Lost(queue, channel, now), f.Decided(queue, channel, decided_at)
    if state == WRAPPING:
        return (_handled(visit, now, 0, timed_out=True),)
    return (f.Unfinished(queue, channel, now),)


def mermaid() -> Iterator[str]:
    """The table as a Mermaid state diagram, line by line."""
    yield "stateDiagram-v2"
    yield f"    [*] --> waiting: {e.type_name(e.Queued)}"
    for state, row in TABLE.items():
        arrows: dict[int, list[str]] = {}
        for kind, move in row.items():
            arrows.setdefault(move.to, []).append(e.type_name(kind))
        for to, kinds in arrows.items():
            target = "[*]" if to == CLOSED else State(to).name.lower()
            yield f"    {State(state).name.lower()} --> {target}: {', '.join(kinds)}"
