"""What the fold notes for the ledger, row by row, as it counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from stream_app.model import events as e, facts as f
from stream_app.model.event import ContactEvent, Event
from stream_app.model.feedback import QualityScored
from stream_app.model.ledger import (
    Happening,
    HappeningKind,
    VisitRow,
    pack_row,
    take_back,
)
from stream_app.model.presence import Spell

from .visit import Visit, VisitNotes

_APART: Final[dict[type[f.Fact], HappeningKind]] = {
    f.Replied: "reply",
    f.Missed: "offer",
    f.Undone: "resumption",
}
"""Facts of a visit that happen any number of times, each at its own time."""
_WHOSE: Final = ("agent", "team", "site", "customer", "case")
_NO_FACTS: Final = pack_row(())
_COMMON: Final = frozenset((*ContactEvent.__struct_fields__, *_WHOSE, "criteria"))


class Noted:
    """The rows since the last commit.

    Attributes:
        on: whether anything is noted; without a ledger nothing is.
        offset: of the record that is folded now; set by whoever reads the log.
    """

    def __init__(self, *, on: bool) -> None:
        """Begin with none."""
        self.on = on
        self.offset = 0
        self._of, self._n = -1, 0
        self._rows: list[bytes] = []

    def take(self) -> list[bytes]:
        """Hand over the rows, packed."""
        rows, self._rows = self._rows, []
        return rows

    def _place(self) -> tuple[int, int]:
        """Return the offset of the next row, and its number there."""
        if self.offset != self._of:
            self._of, self._n = self.offset, -1
        self._n += 1
        return self.offset, self._n

    def close(self, contact: str, visit: Visit) -> None:
        """Note a visit that is over."""
        self._rows.append(pack_row(VisitRow(*self._place(), contact, visit)))

    def count(self, visit: Visit, facts: f.Facts, event: ContactEvent | None) -> None:
        """Note what a visit counts, and by which event; ``None``: by itself."""
        taken = facts[0] if facts else None
        if isinstance(taken, f.TakenBack):
            take_back(visit, taken.facts)
            facts = facts[1:]
        if event is not None:
            _learn(visit, event)
            if event.repeatable or isinstance(taken, f.TakenBack):
                facts = self._apart(visit, facts, event)
        if facts:
            notes = _notes(visit)
            notes.told += 1
            notes.counted += pack_row(facts)

    def _apart(self, visit: Visit, facts: f.Facts, event: ContactEvent) -> f.Facts:
        """Note what happens any number of times, and return the rest."""
        rest: f.Facts = ()
        notes = _notes(visit)
        for fact in facts:
            kind = _APART.get(type(fact))
            if kind is None:
                rest = (*rest, fact)
                continue
            row = Happening(
                *self._place(),
                kind,
                1,
                event.contact_id,
                visit.queue,
                visit.channel,
                visit.started,
                event.agent or visit.agent,
                notes.team,
                notes.site,
                notes.customer,
                notes.case,
                None if visit.priority is None else {"priority": visit.priority},
                pack_row((fact,)),
            )
            self._rows.append(pack_row(row))
        return rest

    def happened(
        self,
        kind: HappeningKind,
        event: Event,
        place: tuple[str, str],
        visit: Visit | None = None,
        facts: f.Facts = (),
        *,
        about: dict[str, object] | None = None,
    ) -> None:
        """Note what an event told that no visit counts, where it counts, and the visit that it is about, if one is known."""
        if not self.on:
            return
        notes = None if visit is None else visit.notes
        sign = 1
        if facts and isinstance(taken := facts[0], f.TakenBack):
            sign, facts = -1, taken.facts
        agent, team, site, customer, case = (
            getattr(event, name, None) or getattr(visit, name, None) or getattr(notes, name, None)
            for name in _WHOSE
        )
        row = Happening(
            *self._place(),
            kind,
            sign,
            getattr(event, "contact_id", None),
            *place,
            0 if visit is None else visit.started,
            agent,
            team,
            site,
            customer,
            case,
            about or _about(event),
            pack_row(facts),
        )
        self._rows.append(pack_row(row))

    def criteria(
        self, event: QualityScored, scores: Mapping[str, float], place: tuple[str, str], visit: Visit | None
    ) -> None:
        """Note what each criterion of a review scored, in ten-thousandths."""
        for criterion, score in scores.items():
            about: dict[str, object] = {
                "at": event.at,
                "criterion": criterion,
                "score": round(10_000 * score),
                "automatic": event.automatic,
            }
            self.happened("criterion", event, place, visit, about=about)

    def stretch(self, contact: str, visit: Visit, agent: str | None, began: int, ended: int) -> None:
        """Note a stretch of work on a written contact; that on spoken ones follows from their visits."""
        if ended <= began:
            return
        notes = visit.notes
        team, site = (None, None) if notes is None else (notes.team, notes.site)
        about: dict[str, object] = {"began_at": began, "ended_at": ended}
        place = visit.queue, visit.channel
        row = Happening(
            *self._place(),
            "stretch",
            1,
            contact,
            *place,
            visit.started,
            agent,
            team,
            site,
            None,
            None,
            about,
            _NO_FACTS,
        )
        self._rows.append(pack_row(row))

    def spell(self, agent: str, spell: Spell, sign: int = 1) -> None:
        """Note a spell of an agent that is over; with the sign -1, that it does not hold."""
        status = spell.status
        # What nobody told may be told otherwise in another partition.
        if not self.on or status.unended:
            return
        about: dict[str, object] = {
            "began_at": spell.began,
            "ended_at": spell.ended,
            "agent_state": status.state,
            "reason": status.reason,
            "work": status.work or None,
            "queues": list(status.served),
            "away_queues": [queue for queue, (state, _) in status.served.items() if state != "available"],
            "unended": spell.unended,
        }
        row = Happening(
            *self._place(),
            "spell",
            sign,
            None,
            "",
            "",
            0,
            agent,
            status.team,
            status.site,
            None,
            None,
            about,
            _NO_FACTS,
        )
        self._rows.append(pack_row(row))


def _notes(visit: Visit) -> VisitNotes:
    notes = visit.notes
    if notes is None:
        notes = visit.notes = VisitNotes()
    return notes


def _learn(visit: Visit, event: ContactEvent) -> None:
    """Let a visit know whose it is, as far as the event says."""
    notes = _notes(visit)
    if event.customer is not None:
        notes.customer = event.customer
    if event.team is not None:
        notes.team = event.team
    if event.site is not None:
        notes.site = event.site
    if event.case is not None:
        notes.case = event.case
    if event.contact_reason is not None:
        notes.contact_reason = event.contact_reason
    if event.wrap_up_code is not None:
        notes.wrap_up_code = event.wrap_up_code


def _about(event: Event) -> dict[str, object]:
    """Return what an event says besides whose it is; times in milliseconds."""
    about: dict[str, object] = {"event": e.type_name(event).partition(".")[2], "at": event.at}
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name not in _COMMON and value is not None:
            about[name] = round(1000 * value.timestamp()) if isinstance(value, datetime) else value
    return about
