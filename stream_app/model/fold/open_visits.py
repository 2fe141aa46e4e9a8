"""The open visits of one partition: how they are kept, closed, and end by themselves as time passes."""

from __future__ import annotations

from collections.abc import Callable

from stream_app.model import facts as f
from stream_app.model.durations import MINUTE

from .deltas import Memory
from .exact import stays_of
from .lasting import LastingIds
from .lifecycle import SHORTEST_IDLE, expires, time_out
from .seen import SeenIds
from .visit import (
    ABANDONED,
    CAME_BACK,
    ENDED,
    EXACT,
    GOES_ON,
    OVER,
    REMEMBERED,
    Visit,
    Visits,
)


class OpenVisits:
    """Open visits by contact, and the ids that were seen.

    Attributes:
        open: contact → its open visits.
        touched: contact → its open visits now, for all that changed; empty where it had some and has none now.
        seen: the ids that were seen.
        lasting: those that recur.
    """

    def __init__(self, memory: Memory, add: Callable[[f.Facts], None], *, stands: bool) -> None:
        """Start from what a claim restored, or from nothing.

        Args:
            memory: that.
            add: takes the facts of visits that end by themselves.
            stands: as in ``pass_time``.
        """
        self.open = memory.open
        self._add = add
        self._minute = memory.time // MINUTE
        self._sweep_at = 0
        self.seen = SeenIds(memory)
        self.seen.turn(self._minute, stands=stands)
        self.lasting = LastingIds(memory.lasting, memory.time)
        self.reset()

    def reset(self) -> None:
        """Clear the change set after it was handed over."""
        self.touched: dict[str, Visits] = {}
        self._new: set[str] = set()  # contacts that the store does not know
        self.seen.reset()
        self.lasting.reset()

    def _open(self, contact: str, visit: Visit) -> None:
        for former in self.open.get(contact, ()):
            if former.state == ABANDONED:
                former.seen |= CAME_BACK
        self._keep(contact, visit)

    def _keep(self, contact: str, visit: Visit) -> None:
        """Keep a visit, or what is remembered of one, as the contact's newest."""
        visits = self.open.get(contact)
        if visits is None and contact not in self.touched:
            self._new.add(contact)
        self.open[contact] = self.touched[contact] = (*visits, visit) if visits else (visit,)

    def _close(self, contact: str, visits: Visits, visit: Visit, ended: int) -> None:
        """Close a visit that ended at that moment; its request may go on in another one."""
        if visit.state < REMEMBERED:
            self.seen.again(visit.opener)
            if visit.seen & EXACT:
                for mark in stays_of(contact, visit):
                    self.seen.again(mark)
            if visit.seen & GOES_ON and not visit.outbound:
                visit.state, visit.since, visit.opener, visit.wrote = ENDED, ended, b"", None
                self.touched[contact] = visits
                if expires(visit) < self._minute * MINUTE + SHORTEST_IDLE:
                    self.late()
                return
        self._drop(contact, visits, visit)

    def _drop(self, contact: str, visits: Visits, visit: Visit) -> None:
        if len(visits) > 1:
            self.open[contact] = self.touched[contact] = tuple(v for v in visits if v is not visit)
            return
        del self.open[contact]
        if contact in self._new:  # came and went: the store need never know
            self._new.remove(contact)
            del self.touched[contact]
        else:
            self.touched[contact] = ()

    def _close_abandoned(self, contact: str) -> None:
        """Close abandoned visits: of a contact's in one queue, only the newest may still be taken back."""
        visits = self.open.get(contact, ())
        abandoned = [v for v in visits if v.state == ABANDONED]
        for n, visit in enumerate(abandoned):
            if any((v.queue, v.channel) == (visit.queue, visit.channel) for v in abandoned[n + 1 :]):
                self._close(contact, self.open[contact], visit, visit.since)

    # --- time ---

    def late(self) -> None:
        """Prepare for an event in the past: the time-out of its visit may be nearer than any other's."""
        self._sweep_at = 0

    def pass_time(self, now: int, late: int, *, stands: bool) -> None:
        """Follow partition time. In a new minute, close what never ended, and forget ids older than an hour.

        Args:
            now: partition time; earlier than before at most once in a partition's life, if its very first contact was ahead.
            late: an event that is not announced by ``late()`` is at most this far behind it.
            stands: records are further ahead than it may go without agreement.
        """
        minute, was = now // MINUTE, self._minute
        self._minute = minute
        if minute < was:
            self.seen.step_back(minute)
            self.late()
        self.seen.turn(minute, stands=stands, was=was)
        if minute > was:
            if now > self._sweep_at:  # before that, none can be due: no need to check each
                self._sweep_at = self._sweep(now) - late
            self.seen.forget(now)
            self.lasting.pass_time(now)

    def _sweep(self, now: int) -> int:
        """Close what is due; return when the next may be."""
        nearest = now + SHORTEST_IDLE
        for contact, visits in list(self.open.items()):
            for visit in visits:
                due = expires(visit)
                if due < now:
                    self._end(contact, visit, now)
                    due = expires(visit) if visit.state == ENDED else nearest
                nearest = min(nearest, due)
        return nearest

    def _end_calls(self, prefix: str, at: int) -> None:
        """Close the calls of contacts with such ids that nobody will report an end of."""
        for contact, visits in list(self.open.items()):
            for visit in visits if contact.startswith(prefix) else ():
                if visit.channel == "voice" and visit.state not in OVER and visit.since <= at:
                    self._end(contact, visit, at)

    def _end(self, contact: str, visit: Visit, at: int) -> None:
        """Let a visit end by itself."""
        if visit.state < REMEMBERED:
            self._add(time_out(visit, at))
            self._close(contact, self.open[contact], visit, visit.since)
        else:
            self._drop(contact, self.open[contact], visit)
