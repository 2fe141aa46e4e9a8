"""Stays and journeys, as "From the ledger" of docs/semantics.md defines them, and the groups that numbers are split by."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .history import History
    from .records import Event
    from .visits import Visit

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
Group = tuple[str | None, ...]
Dimensions = dict[str, str | None]
DIMENSIONS = ("queue", "channel", "agent", "team", "site", "segment", "contact_reason", "handled_by")


def person(visit: Visit) -> str:
    return visit.life.whose.get("customer") or visit.contact


def order(visit: Visit) -> tuple[int, float]:
    """By beginning; of two at the same moment, who was over first."""
    return visit.started, visit.life.row


def stays(history: History) -> list[Visit]:
    """All stays, in order."""
    return sorted((v for v in history.visits if not v.outbound and v.life.demand and person(v)), key=order)


def begins(visits: Sequence[Visit]) -> list[bool]:
    """Which of these, in order, do not go on with the one before."""
    found = [True] * min(1, len(visits))
    for before, visit in pairwise(visits):
        passed = before.life.passed_at
        goes_on = passed is not None and -10 * MINUTE <= visit.started - passed <= 30 * MINUTE
        found.append(not goes_on)
    return found


class Journey:
    """The stays of a person that go on with each other."""

    def __init__(self, first: Visit) -> None:
        self.stays = [first]

    @property
    def began(self) -> int:
        return self.stays[0].started

    @property
    def customer(self) -> str | None:
        return self.stays[0].life.whose.get("customer")

    @property
    def counts_with(self) -> Visit | None:
        """The last stay that was handled; None while the journey is not a handled one."""
        if not self.stays[-1].life.over:
            return None
        return next((v for v in reversed(self.stays) if v.life.handled_at is not None), None)

    @property
    def counted_at(self) -> int | None:
        last = self.counts_with
        return None if last is None else last.life.handled_at

    @property
    def concludes(self) -> bool:
        last = self.stays[-1].life
        return last.handled_at is not None and not last.transferred

    @property
    def passed_on(self) -> int:
        return sum(v.life.passed_at is not None for v in self.stays)

    @property
    def replies(self) -> int:
        return sum(v.life.replies for v in self.stays)


def journeys(history: History, *, per_channel: bool = False) -> dict[tuple[str, str], list[Journey]]:
    """The journeys of each person, in order; each channel by itself if asked so."""
    of_person: dict[tuple[str, str], list[Visit]] = {}
    for visit in stays(history):
        of_person.setdefault((person(visit), visit.channel if per_channel else ""), []).append(visit)
    found: dict[tuple[str, str], list[Journey]] = {}
    for who, visits in of_person.items():
        for visit, is_first in zip(visits, begins(visits), strict=True):
            if is_first:
                found.setdefault(who, []).append(Journey(visit))
            else:
                found[who][-1].stays.append(visit)
    return found


# Groups --------------------------------------------------------------------------------------------------


def segments(history: History) -> dict[str, str]:
    """Customer -> the segment that was told last."""
    found: dict[str, str] = {}
    for event in sorted(history.customers, key=lambda e: e.at):
        if event.type == "customer.joined" and event.said.get("segment"):
            found[event.said["customer"]] = event.said["segment"]
    return found


def handled_by(visits: Iterable[Visit]) -> str:
    """Who handled these; of several, some may have been with a bot."""
    every = list(visits)
    with_bot = any(v.was_bots for v in every)
    if with_bot and not any(v.answered for v in every):
        return "bot"
    return "both" if with_bot else "people"


def of_visit(visit: Visit) -> Dimensions:
    whose = visit.life.whose
    return {
        "queue": visit.queue,
        "channel": visit.channel,
        "agent": visit.agent or None,
        "handled_by": handled_by([visit]),
        **{name: whose.get(name) for name in ("team", "site", "customer", "contact_reason")},
    }


def of_event(event: Event) -> Dimensions:
    """Of a case's event that names its queue."""
    channel = event.channel or ("voice" if event.type == "case.reopened" else None)
    said = {name: event.said.get(name) or None for name in ("agent", "team", "site", "customer")}
    return {"queue": event.queue, "channel": channel, **said}


def grouped(
    dimensions: Sequence[str], found: Iterable[tuple[Dimensions, dict[str, int]]], of: dict[str, str]
) -> dict[Group, dict[str, int]]:
    """Add up what was found by these dimensions; `of`: customer -> segment."""
    sums: dict[Group, dict[str, int]] = {}
    for where, amounts in found:
        where["segment"] = of.get(where.get("customer") or "")
        row = sums.setdefault(tuple(where.get(name) for name in dimensions), dict.fromkeys(amounts, 0))
        for name, amount in amounts.items():
            row[name] += int(amount)
    return sums


Found = list[tuple[Dimensions, dict[str, Any]]]
