"""What customers say when they are asked: who was asked, who answered, and who changed their mind.

``docs/semantics.md`` is the specification.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from stream_app.model import events as e, facts as f
from stream_app.model.ledger import HappeningKind
from stream_app.model.targets import QueueTargets

from .deltas import APPLIED, Result
from .lifecycle import RETURNED_WITHIN
from .lost import LostBeginnings
from .seen import fingerprint
from .verdicts import opinion, rating
from .visit import RATED, REMEMBERED, SURVEYED, Visit

UNASSIGNED: Final = "unassigned"
"""The queue of feedback on a contact where neither the event nor an open visit names one."""


class Surveys(LostBeginnings):
    """The contacts' surveys, and what else is told about contacts that may be long over."""

    def _once(self, event: e.Event, count: Callable[[Any], None] | None = None) -> Result:
        """Apply a type that no visit takes: only the id reveals whether it was seen before. If not, it is counted."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        self._remember(mark)
        if count is not None:
            count(event)
        return APPLIED

    def _place_of(self, event: e.ContactEvent) -> tuple[str, str, QueueTargets]:
        """Return the queue and channel that an event outside of any visit counts in, with their targets."""
        visits = [v for v in self.open.get(event.contact_id, ()) if v.state < REMEMBERED]
        queue = event.queue or (visits[-1].queue if visits else UNASSIGNED)
        channel = event.channel or next((v.channel for v in reversed(visits) if v.queue == queue), "voice")
        place = self._places[queue, channel]
        return place.queue, place.channel, place.targets

    def _tell(
        self, kind: HappeningKind, event: e.ContactEvent, place: tuple[str, str], facts: f.Facts
    ) -> None:
        """Count facts of no visit."""
        self._add(facts, *place)
        if self.noted.on:
            self.noted.happened(kind, event, place, self._about(event, place), facts)

    def _about(self, event: e.ContactEvent, place: tuple[str, str]) -> Visit | None:
        """Return the visit that an event outside of any visit is about, if it is still open."""
        visits = self.open.get(event.contact_id, ())
        about = (v for v in reversed(visits) if v.state < REMEMBERED and (v.queue, v.channel) == place)
        return next(about, None)

    def _ask(self, event: e.SurveySent) -> None:
        """Count a survey that was sent, and wait for it to return."""
        contact, kind, at = event.contact_id, event.kind, event.at
        queue, channel, _ = self._place_of(event)
        self._tell("opinion", event, (queue, channel), (f.Surveyed(at, kind),))
        answer = self._kept(contact, RATED, kind)
        if answer and not answer.responded and 0 <= answer.queued_at - at <= RETURNED_WITHIN:
            answer.responded = True  # its answer overtook it
            self.touched[contact] = self.open[contact]
            self._tell("opinion", event, (queue, channel), (f.SurveyReturned(at, kind),))
        else:
            asked = Visit(queue, channel, SURVEYED, at, at, 0, 0, b"", agent=kind)
            self._keep_instead(contact, self._kept(contact, SURVEYED, kind), asked)

    def _rate(self, event: e.SurveyAnswered) -> None:
        """Count an opinion: the latest of those that a customer gives within two days, where the first was counted."""
        contact, kind, at = event.contact_id, event.kind, event.at
        queue, channel, rule = self._place_of(event)
        rated = Visit(
            queue, channel, RATED, at, at, 0, 0, b"", agent=kind, clock=at, wait=opinion(event, rule)
        )
        asked, former = self._kept(contact, SURVEYED, kind), self._kept(contact, RATED, kind)
        if asked and 0 <= at - asked.queued_at <= RETURNED_WITHIN:
            rated.responded = True
            self._drop(contact, self.open[contact], asked)
            returned = f.SurveyReturned(asked.queued_at, kind)
            self._tell("opinion", event, (asked.queue, asked.channel), (returned,))
        if former and abs(at - former.queued_at) <= RETURNED_WITHIN:
            back = f.TakenBack(former.queued_at, rating(former))
            self._tell("opinion", event, (former.queue, former.channel), (back,))
            if at < former.clock:
                rated.wait, rated.clock = former.wait, former.clock
            if at >= former.queued_at:
                rated.queue, rated.channel = former.queue, former.channel
                rated.queued_at = rated.since = former.queued_at
            rated.responded |= former.responded
        self._tell("opinion", event, (rated.queue, rated.channel), rating(rated))
        self._keep_instead(contact, former, rated)

    def _kept(self, contact: str, state: int, kind: str) -> Visit | None:
        return next((v for v in self.open.get(contact, ()) if v.state == state and v.agent == kind), None)

    def _keep_instead(self, contact: str, former: Visit | None, survey: Visit) -> None:
        if former is not None:
            self._drop(contact, self.open[contact], former)
        self._keep(contact, survey)
