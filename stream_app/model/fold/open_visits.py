"""The open visits of one partition: how they are kept, closed, and end by themselves as time passes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Final

from stream_app.model import facts as f
from stream_app.model.durations import MINUTE
from stream_app.model.event import ContactEvent

from .deltas import Memory
from .exact import stays_of
from .lasting import LastingIds
from .lifecycle import SHORTEST_IDLE, expires, time_out
from .matching import LATE
from .noted import Noted
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

LOOKED_AT_EVERY: Final = (SHORTEST_IDLE - LATE) // MINUTE
"""Minutes; no visit that changes now, by an event that is not announced as late, ends by itself sooner."""


Add = Callable[[f.Facts, str, str], None]
"""Counts facts of a queue and channel."""
InHours = Callable[[f.Facts, str, str], f.Facts]


class OpenVisits:
    """Open visits by contact, and the ids that were seen.

    Attributes:
        open: contact → its open visits.
        touched: contact → its open visits now, for all that changed; empty where it had some and has none now.
        seen: the ids that were seen.
        lasting: those that recur.
        noted: what the ledger keeps.
    """

    def __init__(self, memory: Memory, add: Add, hours: InHours | None, noted: Noted) -> None:
        """Start from what a claim restored, or from nothing.

        Args:
            memory: that.
            add: counts facts of a queue and channel.
            hours: returns facts with their times in business hours; ``None`` where no queue has any.
            noted: takes what the ledger keeps.
        """
        self.open = memory.open
        self.noted = noted
        self._hours = hours
        self._add = add
        self._minute = memory.time // MINUTE
        self._look_at_all()
        self.seen = memory.recent
        self.seen.pass_time(self._minute)
        self.lasting = LastingIds(memory.lasting, memory.time)
        self.reset()

    def reset(self) -> None:
        """Clear the change set after it was handed over."""
        self.touched: dict[str, Visits] = {}
        self._new: set[str] = set()  # contacts that the store does not know
        self.seen.reset()
        self.lasting.reset()

    def _count(self, visit: Visit, facts: f.Facts, event: ContactEvent | None = None) -> None:
        """Count facts of a visit, which an event told, or else time."""
        queue, channel = visit.queue, visit.channel
        if self._hours is not None:
            facts = self._hours(facts, queue, channel)
        self._add(facts, queue, channel)
        if self.noted.on:
            self.noted.count(visit, facts, event)

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
        if visit.since >= self._minute * MINUTE - LATE:
            minute = self._minute + LOOKED_AT_EVERY  # it can't end by itself before that
        else:
            minute = min(expires(visit) // MINUTE, self._minute + LOOKED_AT_EVERY)
        self._look_at(contact, minute)

    def _close(self, contact: str, visits: Visits, visit: Visit, ended: int) -> None:
        """Close a visit that ended at that moment; its request may go on in another one."""
        if visit.state < REMEMBERED:
            self.seen.add(visit.opener)
            if visit.seen & EXACT:
                for mark in stays_of(contact, visit):
                    self.seen.add(mark)
            if self.noted.on:
                self.noted.close(contact, visit)
            if visit.seen & GOES_ON and not visit.outbound:
                visit.state, visit.since, visit.opener, visit.wrote = ENDED, ended, b"", None
                self.touched[contact] = visits
                self._look_at(contact, expires(visit) // MINUTE)
                return
        self._drop(contact, visits, visit)

    def _drop(self, contact: str, visits: Visits, visit: Visit) -> None:
        if len(visits) > 1:
            self.open[contact] = self.touched[contact] = tuple(v for v in visits if v is not visit)
            return
        del self.open[contact]
        self._next_look.pop(contact, None)
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

    def late(self, contact: str) -> None:
        """Prepare for an event in the past: a time-out of its contact may be nearer than any other's."""
        self._look_at(contact, 0)

    def pass_time(self, now: int) -> None:
        """Follow partition time. In a new minute, close what never ended.

        Args:
            now: partition time; earlier than before at most once in a partition's life, if its very first contact was ahead.
        """
        minute, was = now // MINUTE, self._minute
        self._minute = minute
        if minute < was:
            self.seen.step_back(minute)
            self._look_at_all()
        if minute > was:
            self.seen.pass_time(minute)
            self._look(now)
            self.lasting.pass_time(now)

    def _look_at(self, contact: str, minute: int) -> None:
        """Look at a contact in that minute, unless that is done before."""
        minute = max(minute, self._minute + 1)
        if minute < self._next_look.get(contact, minute + 1):
            self._next_look[contact] = minute
            self._looks.setdefault(minute, []).append(contact)

    def _look_at_all(self) -> None:
        """Begin anew, at different minutes so that none has all of them."""
        self._looks: dict[int, list[str]] = {}  # minute → contacts of whom a visit may end by itself then
        self._next_look: dict[str, int] = {}  # contact → the first of its minutes: later ones are void
        for n, (contact, visits) in enumerate(self.open.items()):
            due = min(map(expires, visits)) // MINUTE
            self._look_at(contact, min(due, self._minute + 1 + n % LOOKED_AT_EVERY))

    def _look(self, now: int) -> None:
        """Close what is due. A visit that changes may be due earlier than it was, so all are looked at again and again."""
        minute = self._minute
        contacts = [self._looks.pop(m) for m in [m for m in self._looks if m <= minute]]
        for contact in chain.from_iterable(contacts):
            if self._next_look.get(contact, minute + 1) > minute:
                continue
            del self._next_look[contact]
            for visit in self.open.get(contact, ()):
                if expires(visit) < now:
                    self._end(contact, visit, now)
            visits = self.open.get(contact)
            if visits:
                due = min(map(expires, visits)) // MINUTE
                open_ = any(visit.state < REMEMBERED for visit in visits)
                self._look_at(contact, min(due, minute + LOOKED_AT_EVERY) if open_ else due)

    def _end_calls(self, prefix: str, at: int) -> None:
        """Close the calls of contacts with such ids that nobody will report an end of."""
        for contact, visits in list(self.open.items()):
            for visit in visits if contact.startswith(prefix) else ():
                if visit.channel == "voice" and visit.state not in OVER and visit.since <= at:
                    self._end(contact, visit, at)

    def _end(self, contact: str, visit: Visit, at: int) -> None:
        """Let a visit end by itself."""
        if visit.state < REMEMBERED:
            self._count(visit, time_out(visit, at))
            self._close(contact, self.open[contact], visit, visit.since)
        else:
            self._drop(contact, self.open[contact], visit)
