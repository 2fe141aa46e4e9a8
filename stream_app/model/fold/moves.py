"""How an event moves one of its contact's visits, and what that does to the contact's other ones.

``docs/semantics.md`` is the specification.
"""

from __future__ import annotations

from typing import Any, Final

from stream_app.model import events as e

from .deltas import APPLIED, Result
from .effects import hand_off, leaves_in_time
from .kinds import Assigned, Closed, ClosedNoDemand, NoDemand, RowKind
from .lifecycle import TABLE, Move, step
from .matching import choose, fits
from .openings import Openings
from .row_kind import kind_of
from .seen import fingerprint
from .visit import (
    ABANDONED,
    BY_REPLIES,
    CLOSED,
    REMEMBERED,
    TALKING,
    WAITING,
    WITH_BOT,
    WRAPPING,
    WRITTEN,
    Visit,
    Visits,
)
from .working import ms

_HANDS: Final[frozenset[RowKind]] = frozenset({e.Answered, Assigned, e.MessageSent})
"""What a person does with a visit that a bot has: it is handed off with that."""


class VisitMoves(Openings):
    """The open visits, as events move them."""

    def _take(self, event: e.ContactEvent, meant: Visits = (), marks: int = 0) -> Result:
        """Apply an event to one of its contact's visits; ``meant`` are those that it may be about, if not all."""
        visits = self.open.get(event.contact_id)
        if visits is None:
            return self._illegal("no_visit")
        fitting = bool(meant)  # whoever names visits has looked
        meant = meant or visits
        visit = meant[0] if len(meant) == 1 else choose(meant, event)
        if visit.state >= REMEMBERED and all(v.state >= REMEMBERED for v in meant):
            return self._illegal("no_visit")
        kind = kind_of(visit.state, visit.seen, event)
        move = TABLE[visit.state].get(kind)
        repeats = event.repeatable or kind is Assigned
        again = move is not None and move.to == visit.state and visit.seen & event.bit and not repeats
        if move is None or again or not (fitting or fits(visit, event)):
            if not event.repeatable and any(v.seen & event.bit and fits(v, event) for v in meant):
                return Result.DUPLICATE
            return self._illegal("state")
        if kind is Assigned:
            mark = fingerprint(event.id)
            if mark in self._known:
                return Result.DUPLICATE
            self._remember(mark)
        visit.seen |= marks
        self._move(visits, visit, self._in_force(visit, kind, move, event), event)
        return APPLIED

    def _in_force(self, visit: Visit, kind: RowKind, move: Move, event: Any) -> Move:
        """Return the move, after what the settings have to say about it."""
        if visit.state == WITH_BOT and kind in _HANDS:
            self._hand_off(visit, event)
        elif kind is e.LeftQueue or kind is Closed:
            reason = "closed" if kind is Closed else (event.reason or "").lower()
            refuses = self._rule_of(visit.queue, visit.channel).not_demand
            if reason in refuses and (reason != "closed" or leaves_in_time(visit, event)):
                return TABLE[visit.state][ClosedNoDemand if kind is Closed else NoDemand]
        return move

    def _hand_off(self, visit: Visit, event: e.ContactEvent) -> None:
        """Hand a visit off because a person took it: at the message that nobody answered, if there is one."""
        at = visit.clock or event.at
        facts = hand_off(visit, event, at)
        visit.state = WAITING
        self.late(event.contact_id)
        self._promise(visit, self._rule_of(visit.queue, visit.channel))
        self._count(visit, facts, event)

    def _move(self, visits: Visits, visit: Visit, move: Move, event: e.ContactEvent) -> None:
        contact, several = event.contact_id, len(visits) > 1
        self.touched[contact] = visits
        was, since, talk = visit.state, visit.since, visit.talk
        if several:
            answered, abandons = visit.responded, was != ABANDONED == move.to
        facts = step(visit, move, event)
        if move.hands_off:
            self._promise(visit, self._rule_of(visit.queue, visit.channel))
        if facts or self.noted.on:
            self._count(visit, facts, event)
        self._note_work(visit, was, since, talk, event)
        if visit.state == CLOSED:
            self._close(contact, visits, visit, since if was == WRAPPING else event.at)
        if not several:
            return
        if visit.responded and not answered and not visit.outbound:
            for other in visits:
                if not other.outbound and other.state != ABANDONED:
                    other.responded = True
        if abandons:
            self._close_abandoned(contact)

    def _note_work(self, visit: Visit, was: int, since: int, talk: int, event: Any) -> None:
        """Note what an event shows of the work on a written contact: when it was done, and whose it was.

        Args:
            visit: after the event.
            was: its state before.
            since: since when.
            talk: its talk time before.
            event: that one.
        """
        if not self.noted.on or not visit.seen & WRITTEN:
            return
        agent, at = event.agent or visit.agent, event.at
        if visit.seen & BY_REPLIES:
            if isinstance(event, e.MessageSent):
                self.noted.stretch(event.contact_id, visit, agent, at - (visit.talk - talk), at)
        elif was == TALKING != visit.state:
            if isinstance(event, e.Wrapped) and event.wrap_s is not None:
                at -= ms(event.wrap_s)
            self.noted.stretch(event.contact_id, visit, agent, since, at)
