"""Outcomes that state how their visits began: lost beginnings are made up for, and exact ones tell which visit is meant."""

from __future__ import annotations

from typing import Final

from stream_app.model import events as e
from stream_app.model.durations import MINUTE
from stream_app.model.events import QueueChannel

from .deltas import APPLIED, Result
from .exact import nearest, renamed, stays_meant
from .lifecycle import TABLE
from .matching import SKEW, concerns, fits
from .moves import VisitMoves
from .row_kind import kind_of
from .seen import fingerprint
from .visit import BY_MESSAGE, EXACT, WAITING, Visits

BEGINS_WITHIN: Final = 55 * MINUTE
"""How far back a lost beginning is made up for: if it had been seen, its opener would still be known."""
_ENDS: Final = (e.Transferred, e.Ended, e.Wrapped)


class LostBeginnings(VisitMoves):
    """The open visits, as outcomes tell them whose beginnings may be lost."""

    def _with_beginning(self, event: e.Outcome, beginning: e.Beginning) -> Result:
        """Apply an outcome that states how its visit began."""
        queue, contact = event.queue, event.contact_id
        if queue is None or event.direction == "outbound" or beginning.at > event.at + SKEW:
            return self._take(event)
        place = (queue, event.channel or "voice")
        if self._is_told_again(place, event):
            return Result.DUPLICATE
        mark, answered_at = fingerprint(beginning.id), beginning.answered_at
        if answered_at is not None and not beginning.at <= answered_at <= event.at:
            answered_at = None
        visits: Visits | None = self._meant(event, beginning.at) if beginning.exact else ()
        if visits is None:
            return Result.DUPLICATE
        meant, visits = visits, visits or self.open.get(contact, ())
        if (
            not meant
            and not any(v.opener == mark or concerns(v, event) for v in visits)
            and (self._ends_a_wait(place, event) or answered_at is not None)
            and beginning.at >= self._minute * MINUTE - BEGINS_WITHIN
        ):
            if mark in self._known:
                return Result.DUPLICATE
            self._begin(event, place, beginning.at, mark)
            self._take_containment_back(contact, beginning.at)
            visits = self.open[contact]
        waiting = None
        if answered_at is not None and isinstance(event, _ENDS):
            waiting = next((v for v in reversed(visits) if v.state == WAITING and fits(v, event)), None)
        if waiting and answered_at is not None:
            answered = e.Answered(id=beginning.id, at=answered_at, contact_id=contact, agent=event.agent)
            self.late(contact)  # in the past: its time-out may be nearer than any other's
            self._move(self.open[contact], waiting, TABLE[WAITING][e.Answered], answered)
        result = self._take(event, meant, EXACT if beginning.exact else 0)
        # Nearly always the newest is the one, and there is nothing to look for.
        if result is APPLIED and visits[-1].opener != mark and all(v.opener != mark for v in visits):
            self.seen.add(mark)
        return result

    def _is_told_again(self, place: QueueChannel, event: e.Outcome) -> bool:
        """Return whether an outcome is an assignment that was heard of before: it opens nothing."""
        if type(event) is not e.Answered:
            return False
        bits = self._places[place].bits
        return bits & BY_MESSAGE != 0 and fingerprint(event.id) in self._known

    def _ends_a_wait(self, place: QueueChannel, event: e.Outcome) -> bool:
        """Return whether an outcome is one of a visit that waits there."""
        bits = self._places[place].bits
        return kind_of(WAITING, bits, event) in TABLE[WAITING]

    def _meant(self, event: e.Outcome, at: int) -> Visits | None:
        """Return the visit that an event with an exact beginning is about, if one is known; ``None`` if it is over."""
        visits = self.open.get(event.contact_id, ())
        if own := nearest(visits, event, at):
            return visits if len(visits) == 1 else (own,)
        if any(mark in self._known for mark in stays_meant(event, at)):
            return None
        if (found := renamed(self.open.items(), event, at)) is None:
            return ()
        contact, visit = found
        self._drop(contact, self.open[contact], visit)
        self._open(event.contact_id, visit)
        return (visit,)
