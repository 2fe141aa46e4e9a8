"""Numbers of cases, written from "From the ledger" of docs/semantics.md alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .stays import DAY, Dimensions, Found, begins, of_event, of_visit, stays

if TYPE_CHECKING:
    from collections.abc import Callable

    from .history import History
    from .records import Event
    from .visits import Visit

    Business = Callable[[Dimensions, int, int], int]

AGES = (1, 3, 7, 30)
"""Days."""


class Case:
    """A customer's issue: its events and its stays, in order, of those before a moment."""

    def __init__(self, events: list[Event], visits: list[Visit]) -> None:
        self.events, self.stays = events, visits
        times = [int(e.said["opened_at"]) for e in events if e.said.get("opened_at")]
        told = [e.at for e in events if e.type == "case.opened"]
        started = [v.started for v in visits]
        self.opened: int | None = min(times or told[:1] or started[:1], default=None)
        self.began = events[0].at if self.opened is None else self.opened

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]

    def is_reopened_after(self, event: Event) -> bool:
        """Whether it was reopened after one of its events, in their order."""
        return any(e.type == "case.reopened" for e in self.events[self.events.index(event) + 1 :])

    def where(self, event: Event, stay: Visit | None) -> Dimensions:
        """Where it counts: as the event tells, else as its stay does."""
        visit = of_visit(stay) if stay else {}
        if event.queue:
            kept = {name: visit.get(name) for name in ("contact_reason", "handled_by")}
            return {**kept, **of_event(event)}
        return visit


def cases(history: History, before: int | None = None) -> list[Case]:
    """All cases, by their events and stays that began before a moment."""
    events: dict[str, list[Event]] = {}
    for event in sorted(history.cases, key=lambda e: e.at):
        if before is None or event.at < before:
            events.setdefault(event.said["case"], []).append(event)
    found = []
    every = [v for v in stays(history) if before is None or v.started < before]
    by_case: dict[str, list[Visit]] = {}
    by_contact: dict[str, list[Visit]] = {}
    for visit in every:
        by_case.setdefault(visit.life.whose.get("case", ""), []).append(visit)
        by_contact.setdefault(visit.contact, []).append(visit)
    places = {id(visit): n for n, visit in enumerate(every)}
    for name, mine in events.items():
        contacts = {str(event.said["contact_id"]) for event in mine if event.said.get("contact_id")}
        visits = {id(v): v for v in by_case.get(name, ())}
        visits |= {id(v): v for contact in contacts for v in by_contact.get(contact, ())}
        found.append(Case(mine, sorted(visits.values(), key=lambda v: places[id(v)])))
    return found


def resolved_sums(
    history: History,
    start: int,
    end: int,
    known: int,
    business: Business,
    *,
    repeat_ms: int = 7 * DAY,
) -> Found:
    """What each case that was resolved in a window counts. `business(where, from, to)` is a part of business time."""
    found: Found = []
    for case in cases(history):
        resolutions = case.of("case.resolved")
        if not resolutions or not start <= resolutions[0].at < end:
            continue
        first, at = resolutions[0], resolutions[0].at
        until = at + repeat_ms
        last_stay = next((v for v in reversed(case.stays) if v.started <= at), None)
        where = case.where(first, last_stay)
        contacts = sum(
            is_first and v.started <= until
            for v, is_first in zip(case.stays, begins(case.stays), strict=True)
        )
        back = any(e.at <= until for e in case.of("case.reopened"))
        later = case.events[case.events.index(first) + 1 :]
        reopened = any(e.type == "case.reopened" and e.at <= until for e in later)
        one, settled = contacts == 1 and not back, known > until
        counted = {
            "resolved_cases": 1,
            "with_contact": contacts > 0,
            "by_one_contact": one,
            "reopened": reopened,
            "settled_resolved_cases": settled,
            "settled_with_contact": settled and contacts > 0,
            "settled_by_one_contact": settled and one,
            "settled_reopened": settled and reopened,
            **_times(case, where, business),
        }
        found.append((where, counted))
    return found


def _times(case: Case, where: Dimensions, business: Business) -> dict[str, int]:
    names = ("timed", "first_ms", "first_open_ms", "active_ms", "full_timed", "full_ms", "full_open_ms")
    times = dict.fromkeys(names, 0)
    opened, resolutions = case.opened, case.of("case.resolved")
    if opened is None:
        return times
    first, last = resolutions[0], resolutions[-1]
    pending = sum(v.life.pending for v in case.stays if (v.life.handled_at or first.at + 1) <= first.at)
    times["timed"], times["first_ms"] = 1, max(0, first.at - opened)
    times["first_open_ms"] = business(where, opened, max(opened, first.at))
    times["active_ms"] = max(0, first.at - opened - pending)
    if not case.is_reopened_after(last):
        times["full_timed"], times["full_ms"] = 1, max(0, last.at - opened)
        times["full_open_ms"] = business(where, opened, max(opened, last.at))
    return times


def begun_sums(history: History, start: int, end: int) -> Found:
    """What each case that began in a window counts."""
    found: Found = []
    for case in cases(history):
        if start <= case.began < end:
            escalations = case.of("case.escalated")
            tiers = [int(e.said["tier"]) for e in escalations if e.said.get("tier") is not None]
            tier = max(tiers, default=None)
            counted = {
                "begun": 1,
                "escalated": bool(escalations),
                "to_tier_2": tier == 2,
                "to_tier_3": tier == 3,
                "above_tier_3": tier is not None and tier > 3,
                "to_other_tier": bool(escalations) and (tier is None or tier < 2),
            }
            found.append((case.where(case.events[0], next(iter(case.stays), None)), counted))
    return found


def unresolved_sums(history: History, moment: int) -> Found:
    """The cases that are unresolved at a moment, by age."""
    found: Found = []
    for case in cases(history, moment):
        resolutions = case.of("case.resolved")
        if case.began >= moment or (resolutions and not case.is_reopened_after(resolutions[-1])):
            continue
        age = moment - case.began
        younger = [age <= days * DAY for days in AGES]
        counted = {"unresolved": 1}
        for days, before, now in zip(AGES, (False, *younger), younger, strict=False):
            counted[f"up_to_{days}_days"] = now and not before
        counted["older"] = not younger[-1]
        found.append((case.where(case.events[0], next(iter(case.stays), None)), counted))
    return found
