"""The contacts of one partition, and the effect of each type of event on their visits.

``docs/semantics.md`` is the specification. Pure, like the fold that drives it: time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from stream_app.model import events as e, facts as f
from stream_app.model.durations import MINUTE
from stream_app.model.reasons import refused_by
from stream_app.model.targets import QueueTargets, Targets

from .business_hours import InHours
from .deltas import APPLIED, Memory, Result
from .exact import nearest, renamed, stays_meant
from .feedback import verdict
from .lifecycle import TABLE, BotEnded, BotMessage, Move, QueuedAgain, step
from .matching import SKEW, choose, concerns, fits
from .open_visits import OpenVisits
from .seen import fingerprint
from .tally import Tally
from .visit import ABANDONED, CLOSED, EXACT, HELD, QUEUED, TALKING, WAITING, Visit, Visits

BEGINS_WITHIN: Final = 55 * MINUTE
"""How far back a lost beginning is made up for: if it had been seen, its opener would still be known."""
RULES_MAX: Final = 10_000
UNASSIGNED: Final = "unassigned"
"""The queue of feedback on a contact where neither the event nor an open visit names one."""

_Take = Callable[[Any], Result]


class Contacts(OpenVisits):
    """The contacts, as events change them.

    Attributes:
        routes: type of event → its handler.
        reason: of the latest result that has one.
    """

    def __init__(self, targets: Targets, tally: Tally, memory: Memory, *, stands: bool) -> None:
        """Start from what a claim restored, or from nothing; ``stands`` as in ``pass_time``."""
        self._targets = targets
        self._rules: dict[tuple[str, str], tuple[str, str, QueueTargets]] = {}
        add = tally.add if targets.always_open else InHours(tally, self._rule_of).add
        super().__init__(memory, add, stands=stands)
        self._known = self.seen.known
        self._remember = self.seen.add
        self.reason = ""
        self.routes: dict[type[e.Event], _Take] = dict.fromkeys(e.OTHER_TYPES, self._once)
        self.routes |= {kind: self._repeat if kind.repeatable else self._progress for kind in e.CONTACT_TYPES}
        self.routes |= {
            e.Queued: self._queue,
            e.Answered: self._answer,
            e.Refused: self._refuse,
            e.PlatformRestarted: self._restart,
        }
        self.routes |= dict.fromkeys(
            (e.SurveyAnswered, e.QualityScored, e.SentimentScored, e.SaleRecorded), self._judgement
        )

    # --- what a visit takes ---

    def _progress(self, event: e.Outcome) -> Result:
        """Apply an event that a visit takes once."""
        contact = event.contact_id
        visits = self.open.get(contact)
        if visits is None or len(visits) > 1 or event.beginning is not None:
            return self._outcome(event)
        # Nearly always there is one visit, and it moves on.
        visit = visits[0]
        move = TABLE[visit.state].get(type(event))
        if move is None or move.to == visit.state or not fits(visit, event):
            return self._outcome(event)
        self._move(visits, visit, move, event)
        return APPLIED

    def _outcome(self, event: e.Outcome) -> Result:
        kind = BotEnded if isinstance(event, e.Ended) and event.by == "bot" else type(event)
        if event.beginning is not None:
            return self._with_beginning(event, kind, event.beginning)
        return self._take(event, kind)

    def _take(
        self, event: e.ContactEvent, kind: type[e.ContactEvent], meant: Visits = (), marks: int = 0
    ) -> Result:
        """Apply an event to one of its contact's visits; ``meant`` are those that it may be about, if not all."""
        contact = event.contact_id
        visits = self.open.get(contact)
        if visits is None:
            return self._illegal("no_visit")
        fitting = bool(meant)  # whoever names visits has looked
        meant = meant or visits
        visit = meant[0] if len(meant) == 1 else choose(meant, kind, event)
        move = TABLE[visit.state].get(kind)
        again = move is not None and move.to == visit.state and visit.seen & kind.bit and not kind.repeatable
        if move is None or again or not (fitting or fits(visit, event)):
            if not kind.repeatable and any(v.seen & kind.bit and fits(v, event) for v in meant):
                return Result.DUPLICATE
            return self._illegal("state")
        visit.seen |= marks
        self._move(visits, visit, move, event)
        return APPLIED

    def _move(self, visits: Visits, visit: Visit, move: Move, event: e.ContactEvent) -> None:
        contact = event.contact_id
        self.touched[contact] = visits
        facts = step(visit, move, event)
        if facts:
            self._add(facts)
        if visit.state == CLOSED:
            self._close(contact, visits, visit)

    def _repeat(self, event: e.ContactEvent) -> Result:
        """Apply an event that a visit may take several times: only its id reveals whether it was seen before."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        if isinstance(event, e.Abandoned):
            result = self._progress(event)
            self._close_abandoned(event.contact_id)
        else:
            is_bot = isinstance(event, e.MessageSent) and event.bot
            result = self._take(event, BotMessage if is_bot else type(event))
        if result is APPLIED:
            self._remember(mark)
        return result

    def _illegal(self, reason: str) -> Result:
        self.reason = reason
        return Result.ILLEGAL

    # --- how visits begin and end ---

    def _queue(self, event: e.Queued) -> Result:
        mark = fingerprint(event.id)
        if event.recurs and self.lasting.seen(mark, event.at):
            return Result.DUPLICATE
        if mark in self._known:
            return Result.DUPLICATE
        queue, channel = event.queue, event.channel
        visits = self.open.get(event.contact_id)
        if visits is not None:
            if any(visit.opener == mark for visit in visits):
                return Result.DUPLICATE
            there = [v for v in visits if v.queue == queue and v.channel == channel]
            if any(v.state == WAITING for v in there):
                return self._illegal("state")
            if event.resumes and (abandoned := [v for v in there if v.state == ABANDONED and fits(v, event)]):
                self._move(visits, abandoned[-1], TABLE[ABANDONED][QueuedAgain], event)
                self._remember(mark)
                return APPLIED
        self._begin(event, (queue, channel), event.at, mark)
        return APPLIED

    def _answer(self, event: e.Answered) -> Result:
        return self._progress(event) if event.direction == "inbound" else self._call_out(event)

    def _call_out(self, event: e.Answered) -> Result:
        """Open a visit for an outbound call that the customer took: it never waited."""
        mark = fingerprint(event.id)
        visits = self.open.get(event.contact_id, ())
        if mark in self._known or any(visit.opener == mark for visit in visits):
            return Result.DUPLICATE
        queue, channel = event.queue, event.channel or "voice"
        if queue is None:
            return self._illegal("no_visit")
        if any(
            v.outbound and v.state in (TALKING, HELD) and (v.queue, v.channel) == (queue, channel)
            for v in visits
        ):
            return self._illegal("state")
        at, (queue, channel, rule) = event.at, self._rules.get((queue, channel)) or self._rule(queue, channel)
        times = (at, at, rule.answer_target, rule.short_abandon)
        visit = Visit(queue, channel, TALKING, *times, mark, event.bit, event.visit, event.agent)
        self._open(event.contact_id, visit)
        self._add((f.CalledOut(queue, channel, at),))
        return APPLIED

    def _with_beginning(self, event: e.Outcome, kind: type[e.Outcome], beginning: e.Beginning) -> Result:
        """Apply an outcome that states how its visit began: a lost beginning is made up for."""
        queue, contact = event.queue, event.contact_id
        if queue is None or event.direction == "outbound" or beginning.at > event.at + SKEW:
            return self._take(event, kind)
        mark, answered_at = fingerprint(beginning.id), beginning.answered_at
        if answered_at is not None and not beginning.at <= answered_at <= event.at:
            answered_at = None
        visits: Visits | None = self._meant(event, beginning.at) if beginning.exact else ()
        if visits is None:
            return Result.DUPLICATE
        meant, visits = visits, visits or self.open.get(contact, ())
        if (
            not meant
            and not any(v.opener == mark or concerns(v, kind, event) for v in visits)
            and (kind in TABLE[WAITING] or answered_at is not None)
            and beginning.at >= self._minute * MINUTE - BEGINS_WITHIN
        ):
            if mark in self._known:
                return Result.DUPLICATE
            self._begin(event, (queue, event.channel or "voice"), beginning.at, mark)
            visits = self.open[contact]
        waiting = None
        if answered_at is not None and kind in TABLE[TALKING]:
            waiting = next((v for v in reversed(visits) if v.state == WAITING and fits(v, event)), None)
        if waiting and answered_at is not None:
            answered = e.Answered(id=beginning.id, at=answered_at, contact_id=contact, agent=event.agent)
            self.late()  # in the past: its time-out may be nearer than any other's
            self._move(self.open[contact], waiting, TABLE[WAITING][e.Answered], answered)
        result = self._take(event, kind, meant, EXACT if beginning.exact else 0)
        # Nearly always the newest is the one, and there is nothing to look for.
        if result is APPLIED and visits[-1].opener != mark and all(v.opener != mark for v in visits):
            self.seen.again(mark)
        return result

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

    def _begin(self, event: e.ContactEvent, place: tuple[str, str], at: int, opener: bytes) -> None:
        """Open a visit that waits."""
        contact = event.contact_id
        queue, channel, rule = self._rules.get(place) or self._rule(*place)
        visit = Visit(
            queue,
            channel,
            WAITING,
            at,
            at,
            rule.answer_target,
            rule.short_abandon,
            opener,
            QUEUED,
            event.visit,
        )
        self._open(contact, visit)
        self._add((f.Offered(queue, channel, at),))

    def _rule_of(self, queue: str, channel: str) -> QueueTargets:
        return (self._rules.get((queue, channel)) or self._rule(queue, channel))[2]

    def _rule(self, queue: str, channel: str) -> tuple[str, str, QueueTargets]:
        """Return the targets of a queue, with one copy of its name for all its visits."""
        if len(self._rules) >= RULES_MAX:  # names come from outside; a flood of them must not accumulate
            self._rules.clear()
        found = self._rules[queue, channel] = (queue, channel, self._targets.rule(queue, channel))
        return found

    # --- events outside of any visit ---

    def _refuse(self, event: e.Refused) -> Result:
        result = self._once(event)
        if result is APPLIED:
            by = refused_by(event.reason)
            self._add((f.Refused(event.queue, event.channel or "voice", event.at, by),))
        return result

    def _restart(self, event: e.PlatformRestarted) -> Result:
        """End the calls of a server that restarted."""
        result, at = self._once(event), event.at
        if result is APPLIED:
            prefix = f"{event.source}-" if event.source else ""
            self._end_calls(prefix, at)
        return result

    def _once(self, event: e.Event) -> Result:
        """Apply a type that no visit takes: only the id reveals whether it was seen before."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        self._remember(mark)
        return APPLIED

    def _judgement(self, event: e.ContactEvent) -> Result:
        """Count feedback of customers, reviewers and machines on a contact, which may be long over."""
        result = self._once(event)
        if result is not APPLIED:
            return result
        visits = self.open.get(event.contact_id, ())
        queue = event.queue or (visits[-1].queue if visits else UNASSIGNED)
        channel = event.channel or next((v.channel for v in reversed(visits) if v.queue == queue), "voice")
        place = (queue, channel)
        queue, channel, rule = self._rules.get(place) or self._rule(*place)
        self._add(verdict(event, queue, channel, rule))
        if isinstance(event, e.SentimentScored) and event.predicted_csat is not None:
            for visit in reversed(visits):
                if visit.state != ABANDONED and event.queue in (None, visit.queue):
                    visit.predicted = round(event.predicted_csat * 1000)
                    self.touched[event.contact_id] = visits
                    break
        return APPLIED
