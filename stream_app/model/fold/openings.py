"""How visits begin: under which settings, with which request, and what that takes back.

``docs/semantics.md`` is the specification.
"""

from __future__ import annotations

from typing import Final

from stream_app.model import events as e, facts as f
from stream_app.model.durations import MINUTE
from stream_app.model.events import QueueChannel
from stream_app.model.targets import QueueTargets, Targets
from stream_app.model.targets.promises import promise

from .business_hours import in_hours
from .deltas import APPLIED, Memory, Result
from .effects import came_back
from .kinds import QueuedAgain
from .lifecycle import TABLE, step
from .matching import fits
from .noted import Noted
from .open_visits import OpenVisits
from .places import Places, PlaceTargets
from .seen import fingerprint
from .tally import Tally
from .visit import (
    ABANDONED,
    CONTAINED,
    ENDED,
    HELD,
    QUEUED,
    REOPENED,
    REOPENING,
    TALKING,
    WAITING,
    WITH_BOT,
    WRAPPING,
    Visit,
    Visits,
)

REOPENS_WITHIN: Final = 10 * MINUTE
"""How long after its case was reopened a contact that is queued is the same request again."""
_CARRIES_ON: Final = frozenset({WAITING, TALKING, HELD, WRAPPING})


class Openings(OpenVisits):
    """The open visits, and how further ones begin."""

    def __init__(
        self, targets: Targets, tally: Tally, memory: Memory, noted: Noted, *, tells_messages: bool
    ) -> None:
        """Start from what a claim restored, or from nothing."""
        self._places = Places(targets, tells_messages=tells_messages)
        super().__init__(memory, tally.add, None if targets.always_open else self._in_hours, noted)
        self._known = self.seen
        self._remember = self.seen.add
        self.reason = ""

    def _illegal(self, reason: str) -> Result:
        self.reason = reason
        return Result.ILLEGAL

    # --- settings ---

    def hear(self, *, messages: bool) -> None:
        """Go on with a source that reports the messages of written contacts, or does not."""
        self._places.hear(messages=messages)

    def _rule_of(self, queue: str, channel: str) -> QueueTargets:
        return self._places[queue, channel].targets

    def _in_hours(self, facts: f.Facts, queue: str, channel: str) -> f.Facts:
        return in_hours(facts, self._places[queue, channel].targets)

    def _promise(self, visit: Visit, rule: QueueTargets) -> None:
        """Compute how long the wait that begins now may be, by the clock that was promised."""
        visit.answer_target, visit.short_abandon = promise(rule, visit.queued_at, visit.priority)

    # --- inbound ---

    def _queue(self, event: e.Queued) -> Result:
        mark, contact = fingerprint(event.id), event.contact_id
        if event.recurs and self.lasting.seen(mark, event.at):
            return Result.DUPLICATE
        if mark in self._known:
            return Result.DUPLICATE
        place, visits = (event.queue, event.channel), self.open.get(contact)
        if visits is None:
            if event.direction == "outbound":
                return self._reach_out(event, place, mark)
            self._begin(event, place, event.at, mark, reopened=event.reopens)
            return APPLIED
        if any(visit.opener == mark for visit in visits):
            return Result.DUPLICATE
        if event.direction == "outbound":
            result = self._reach_out(event, place, mark)
        else:
            result = self._queue_again(event, visits, place, mark)
        if result is APPLIED:
            self._take_containment_back(contact, event.at)
        return result

    def _queue_again(self, event: e.Queued, visits: Visits, place: QueueChannel, mark: bytes) -> Result:
        """Queue a contact of which something is known."""
        there = [v for v in visits if (v.queue, v.channel) == place]
        if any(v.state in (WAITING, WITH_BOT) for v in there):
            return self._illegal("state")
        marks = [v for v in visits if v.state == REOPENING and event.at - v.since <= REOPENS_WITHIN]
        openers = {v.opener for v in marks if v.opener}
        if any(v.opener in openers and v.state != REOPENING for v in there):
            self._remember(mark)
            return APPLIED
        if event.resumes and (abandoned := [v for v in there if v.state == ABANDONED and fits(v, event)]):
            self.touched[event.contact_id] = visits
            facts = step(abandoned[-1], TABLE[ABANDONED][QueuedAgain], event)
            self._count(abandoned[-1], facts, event)
            self._remember(mark)
            return APPLIED
        self._begin(event, place, event.at, mark, reopened=event.reopens or bool(marks))
        return APPLIED

    def _begin(
        self, event: e.ContactEvent, names: QueueChannel, at: int, opener: bytes, *, reopened: bool = False
    ) -> None:
        """Open an inbound visit: one that waits, or one that people have had before."""
        contact, place = event.contact_id, self._places[names]
        visit = _made(place, WAITING, at, opener, place.bits | QUEUED)
        visit.number, visit.clock = event.visit, at
        if place.in_writing:
            _write(visit, place.targets, getattr(event, "priority", None))
        if contact in self.open:
            self._go_on(contact, visit, place.targets)
        if reopened:
            visit.state, visit.clock, visit.responded = TALKING, at, True
            visit.seen |= REOPENED
            self._count(visit, (f.Reopened(at),), event)
        else:
            visit.priority = getattr(event, "priority", None)
            if place.differs:
                self._promise(visit, place.targets)
            self._count(visit, (f.Offered(at),), event)
        self._open(contact, visit)

    def _go_on(self, contact: str, visit: Visit, rule: QueueTargets) -> None:
        """Let a visit that begins take over the request of a former one, if it goes on."""
        visits, at = self.open[contact], visit.queued_at
        former = next((v for v in reversed(visits) if _continues(v, at, rule.request_gap)), None)
        if former is None:
            return
        visit.asked_at, visit.responded, visit.clock = min(former.asked, at), former.responded, former.clock
        since = former.queued_at
        calendar = self._rule_of(former.queue, former.channel).calendar
        spent = at - since if calendar is None else calendar.within(since, at) - calendar.within(at, since)
        visit.asked_open = max(0, former.asked_open + spent)
        for over in [v for v in visits if v.state == ENDED]:
            self._drop(contact, self.open[contact], over)

    def _take_containment_back(self, contact: str, at: int) -> None:
        for visit in self.open.get(contact, ()):
            if visit.state == CONTAINED:
                kept = self._rule_of(visit.queue, visit.channel).containment_return
                if at - visit.since <= kept:
                    self._count(visit, came_back(visit))
                    self._close(contact, self.open[contact], visit, visit.since)

    def _reopen(self, event: e.CaseReopened) -> Result:
        """Remember that a contact's case was reopened; where the event names a queue, the contact is there."""
        mark, contact, at = fingerprint(event.id), event.contact_id, event.at
        if mark in self._known:
            return Result.DUPLICATE
        if event.queue is not None and any(v.opener == mark for v in self.open.get(contact or "", ())):
            return Result.DUPLICATE
        self._remember(mark)
        self.noted.happened("case", event, (event.queue or "", event.channel if event.queue else ""))
        if contact is None:
            return APPLIED
        place, opener = (event.queue or "", event.channel), b""
        waits = any(
            (v.queue, v.channel) == place and v.state in (WAITING, WITH_BOT)
            for v in self.open.get(contact, ())
        )
        if event.queue is not None and not waits:
            opener = mark
            queued = e.Queued(
                id=event.id,
                at=at,
                contact_id=contact,
                queue=event.queue,
                channel=event.channel,
                visit=event.visit,
                team=event.team,
                site=event.site,
                customer=event.customer,
                case=event.case,
            )
            self._begin(queued, place, at, mark, reopened=True)
        self._keep(contact, Visit(*place, REOPENING, at, at, 0, 0, opener))
        return APPLIED

    # --- outbound ---

    def _call_out(self, event: e.Answered) -> Result:
        """Open a visit for an outbound call that the customer took: it never waited."""
        mark = fingerprint(event.id)
        visits = self.open.get(event.contact_id, ())
        if mark in self._known or any(visit.opener == mark for visit in visits):
            return Result.DUPLICATE
        if event.queue is None:
            return self._illegal("no_visit")
        return self._reach_out(event, (event.queue, event.channel or "voice"), mark)

    def _reach_out(self, event: e.ContactEvent, names: QueueChannel, opener: bytes) -> Result:
        """Open a visit for a customer whom the business called or wrote to."""
        if any(
            v.outbound and v.state in (TALKING, HELD) and (v.queue, v.channel) == names
            for v in self.open.get(event.contact_id, ())
        ):
            return self._illegal("state")
        place = self._places[names]
        visit = _made(place, TALKING, event.at, opener, place.bits | (event.bit & ~QUEUED))
        visit.number, visit.agent = event.visit, event.agent
        if place.in_writing:
            _write(visit, place.targets, getattr(event, "priority", None))
        self._open(event.contact_id, visit)
        self._count(visit, (f.CalledOut(event.at),), event)
        return APPLIED


def _made(place: PlaceTargets, state: int, at: int, opener: bytes, seen: int) -> Visit:
    """Return a visit that begins then, and promises what its place does."""
    answer, short = place.answer_target, place.short_abandon
    visit = Visit(place.queue, place.channel, state, at, at, answer, short, opener, seen)
    visit.idle_days = place.idle_days
    return visit


def _write(visit: Visit, rule: QueueTargets, priority: str | int | None) -> None:
    """Give a visit what only written ones have."""
    visit.active, visit.work_cap = visit.queued_at, rule.reply_work_cap
    visit.reply_target = rule.reply_target_of(priority)


def _continues(visit: Visit, at: int, gap: int) -> bool:
    """Return whether a visit that begins then goes on with this one's request."""
    if visit.outbound:
        return False
    return visit.state in _CARRIES_ON or (visit.state == ENDED and at - visit.since <= gap)
