"""The contacts of one partition, and the effect of each type of event on their visits.

``docs/semantics.md`` is the specification. Pure, like the fold that drives it: time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from stream_app.model import events as e, facts as f
from stream_app.model.reasons import refused_by
from stream_app.model.targets import Targets

from .agents import Agents
from .deltas import APPLIED, Memory, Result
from .kinds import Closed
from .lifecycle import TABLE
from .matching import fits
from .noted import Noted
from .row_kind import kind_of
from .seen import fingerprint
from .surveys import Surveys
from .tally import Tally
from .verdicts import verdict
from .visit import BY_MESSAGE, OVER, WITH_BOT, WRITTEN

_FINER: Final = WRITTEN | BY_MESSAGE
"""A visit with one of these has rows of the table that an event's type alone does not tell."""
_Take = Callable[[Any], Result]


class Contacts(Surveys):
    """The contacts, as events change them.

    Attributes:
        routes: type of event → its handler.
        reason: of the latest result that has one.
    """

    def __init__(
        self,
        targets: Targets,
        tally: Tally,
        memory: Memory,
        noted: Noted,
        agents: Agents,
        *,
        tells_messages: bool,
    ) -> None:
        """Start from what a claim restored, or from nothing; see ``Openings``."""
        super().__init__(targets, tally, memory, noted, tells_messages=tells_messages)
        self._agents = agents
        self.routes: dict[type[e.Event], _Take] = dict.fromkeys(e.OTHER_TYPES, self._once)
        self.routes |= {kind: self._repeat if kind.repeatable else self._progress for kind in e.CONTACT_TYPES}
        self.routes |= {
            e.Queued: self._queue,
            e.Answered: self._answer,
            e.LeftQueue: self._outcome,
            e.CaseReopened: self._reopen,
            e.AgentState: self._state,
        }
        counted: dict[type[e.Event], Callable[[Any], None]] = {
            e.Refused: self._refuse,
            e.PlatformRestarted: self._restart,
            e.SurveySent: self._ask,
            e.SurveyAnswered: self._rate,
            **dict.fromkeys((e.CaseOpened, e.CaseResolved, e.CaseEscalated), self._case),
            **dict.fromkeys((e.CustomerJoined, e.CustomerLeft, e.CustomerValued), self._customer),
            **dict.fromkeys((e.TrainingAssigned, e.TrainingCompleted), self._training),
            **dict.fromkeys((e.QualityScored, e.SentimentScored, e.SaleRecorded), self._judgement),
        }
        self.routes |= {kind: partial(self._once, count=count) for kind, count in counted.items()}

    # --- what a visit takes ---

    def _progress(self, event: e.Outcome) -> Result:
        """Apply an event that a visit takes once."""
        contact = event.contact_id
        visits = self.open.get(contact)
        if visits is None or len(visits) > 1 or event.beginning is not None:
            return self._outcome(event)
        # Nearly always there is one visit, and it moves on.
        visit = visits[0]
        state = visit.state
        kind = kind_of(state, visit.seen, event) if visit.seen & _FINER else type(event)
        move = TABLE[state].get(kind)
        if move is None or state in (move.to, WITH_BOT) or kind is Closed or not fits(visit, event):
            return self._outcome(event)
        self._move(visits, visit, move, event)
        return APPLIED

    def _outcome(self, event: e.Outcome) -> Result:
        if event.beginning is not None:
            return self._with_beginning(event, event.beginning)
        return self._take(event)

    def _repeat(self, event: e.ContactEvent) -> Result:
        """Apply an event that a visit may take several times: only its id reveals whether it was seen before."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        if isinstance(event, e.Abandoned):
            result = self._progress(event)
        elif isinstance(event, e.MessageSent) and event.direction == "outbound":
            return self._write_out(event, mark)
        else:
            result = self._take(event)
        if result is APPLIED:
            self._remember(mark)
        return result

    def _write_out(self, event: e.MessageSent, mark: bytes) -> Result:
        """Apply a message to the customer that may be the first of a conversation."""
        if any(visit.opener == mark for visit in self.open.get(event.contact_id, ())):
            return Result.DUPLICATE
        result = self._take(event)
        if result is APPLIED:
            self._remember(mark)
        elif event.queue is not None and not (event.auto or event.private):
            return self._reach_out(event, (event.queue, event.channel or "voice"), mark)
        return result

    def _answer(self, event: e.Answered) -> Result:
        return self._progress(event) if event.direction == "inbound" else self._call_out(event)

    # --- events outside of any visit ---

    def _state(self, event: e.AgentState) -> Result:
        """Apply what an agent does; it is too late where what happened since is not remembered."""
        mark = fingerprint(event.id)
        if mark in self._known:
            return Result.DUPLICATE
        if not self._agents.tell(event):
            return Result.LATE
        self._remember(mark)
        return APPLIED

    def _refuse(self, event: e.Refused) -> None:
        refused = f.Refused(event.at, refused_by(event.reason))
        self._tell("refusal", event, (event.queue, event.channel or "voice"), (refused,))

    def _restart(self, event: e.PlatformRestarted) -> None:
        """End the calls of a server that restarted."""
        self._end_calls(f"{event.source}-" if event.source else "", event.at)

    def _case(self, event: e.Case) -> None:
        """Note what became of a customer's issue; nothing is counted."""
        self.noted.happened("case", event, (event.queue or "", event.channel or ""))

    def _customer(self, event: e.CustomerJoined | e.CustomerLeft | e.CustomerValued) -> None:
        """Note what became of a customer; nothing is counted."""
        self.noted.happened("customer", event, ("", ""))

    def _training(self, event: e.Training) -> None:
        """Note what became of an agent's training; nothing is counted."""
        self.noted.happened("training", event, ("", ""))

    def _judgement(self, event: e.ContactEvent) -> None:
        """Count what reviewers and machines say about a contact, which may be long over, and what it bought."""
        place = self._place_of(event)[:2]
        self._tell("opinion", event, place, verdict(event))
        if isinstance(event, e.QualityScored) and event.criteria and self.noted.on:
            self.noted.criteria(event, event.criteria, place, self._about(event, place))
        if isinstance(event, e.SentimentScored) and event.predicted_csat is not None:
            for visit in reversed(self.open.get(event.contact_id, ())):
                if visit.state not in OVER and event.queue in (None, visit.queue):
                    visit.predicted = round(event.predicted_csat * 1000)
                    self.touched[event.contact_id] = self.open[event.contact_id]
                    break
