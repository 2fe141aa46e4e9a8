"""Compare a list of the platform's contacts with ours, and name what explains each one that differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from .conventions import RuleName, SettledVisit, chains
from .their_tables import clocks, instant, reading

_SECOND: Final = 1_000
_MISTAKES: Final = 10
_FIELDS: Final = ("wait", "talk", "hold", "wrap")
_UNTOLD: Final = frozenset({"lost", "open"})
FieldValue = str | int
Differing = dict[str, tuple[FieldValue | None, FieldValue | None]]
"""Field → ours and theirs."""


class TheirContact(Struct, frozen=True):
    """One row: a contact in a queue. Durations are milliseconds; ``None`` is not in the table.

    Attributes:
        line: in the file.
        wall: when it came, as its clock reads.
        clock: the zone of that clock, as far as we were told.
        outcome: ``answered``, ``abandoned`` or ``left``.
    """

    line: int
    contact: str
    queue: str
    wall: datetime
    clock: str
    outcome: str
    wait: int | None = None
    talk: int | None = None
    hold: int | None = None
    wrap: int | None = None


class ContactDifference(Struct, frozen=True):
    """A contact that differs, or that one side lacks.

    Attributes:
        contact: its id.
        queue: theirs, or ours where they lack it.
        line: of their row; ``None``: they have none.
        visit: the place of our visit; ``None``: we have none.
        differing: field → ours and theirs.
        rules: what explains it; empty where nothing does.
    """

    contact: str
    queue: str
    line: int | None
    visit: int | None
    differing: Differing
    rules: tuple[RuleName, ...]


class SettledContacts(Struct, frozen=True):
    """What a comparison found.

    Attributes:
        clock: theirs, if it is not the one that we were told.
        rows: how many were compared.
        differences: in the order of their rows; then contacts that they lack.
    """

    clock: str
    rows: int
    differences: tuple[ContactDifference, ...]


def compare_contacts(
    theirs: Sequence[TheirContact], visits: Sequence[SettledVisit], start: int, end: int, clock: str
) -> SettledContacts:
    """Return how their contacts differ from ours, and why.

    Args:
        theirs: their rows, each contact in each queue once or more.
        visits: ours, some time before and after included.
        start: contacts of ours that were queued from then on must be in the table, ms.
        end: before it.
        clock: the zone whose midnight ends a day.
    """
    return _Pairing(theirs, visits, clock).settled(start, end)


class _Pairing:
    def __init__(self, theirs: Sequence[TheirContact], visits: Sequence[SettledVisit], zone: str) -> None:
        self._theirs, self._visits, self._zone = theirs, visits, zone
        self._of: dict[str, list[int]] = defaultdict(list)
        for place, visit in enumerate(visits):
            if visit.contact and visit.outcome != "outbound":
                self._of[visit.contact].append(place)
        self._chain = {place: chain for chain in chains(visits) for place in chain}
        self._pairs = self._paired()

    def settled(self, start: int, end: int) -> SettledContacts:
        clock = self._clock()
        self._pair_forgotten(clock)
        found = [self._there(row, clock) for row in range(len(self._theirs))]
        lacking = self._lacking(start, end)
        return SettledContacts(
            clock, len(self._theirs), tuple(one for one in (*found, *lacking) if one is not None)
        )

    def _paired(self) -> dict[int, int]:
        """Return the place of a row → that of our visit: of the same queue, else of the same contact, the nearest in time."""
        pairs: dict[int, int] = {}
        taken: set[int] = set()
        for same_queue in (True, False):
            for n, row in enumerate(self._theirs):
                if n in pairs:
                    continue
                able = [
                    place
                    for place in self._of.get(row.contact, ())
                    if place not in taken and (not same_queue or self._visits[place].queue == row.queue)
                ]
                if able:
                    pairs[n] = min(able, key=lambda place: abs(self._off(n, place, "")))
                    taken.add(pairs[n])
        return pairs

    def _pair_forgotten(self, clock: str) -> None:
        """Pair rows of contacts that were forgotten here by their queue and the time at which they came."""
        forgotten: dict[str, list[int]] = defaultdict(list)
        for place, visit in enumerate(self._visits):
            if not visit.contact and visit.outcome != "outbound":
                forgotten[visit.queue].append(place)
        for n, row in enumerate(self._theirs):
            if n not in self._pairs:
                able = [one for one in forgotten[row.queue] if abs(self._off(n, one, clock)) < _SECOND]
                if able:
                    self._pairs[n] = able[0]
                    forgotten[row.queue].remove(able[0])

    def _off(self, row: int, visit: int, clock: str) -> int:
        """Return how much later their contact came than ours, by a clock, ms; of a time that occurs twice the nearer one."""
        wall, told = self._theirs[row].wall, self._theirs[row].clock
        ours = self._visits[visit].queued
        return min((instant(wall, clock or told, fold=fold) - ours for fold in (0, 1)), key=abs)

    def _clock(self) -> str:
        """Return the clock by which most contacts came when ours did; nothing, if it is the one that we were told."""
        off = {n for n, visit in self._pairs.items() if abs(self._off(n, visit, "")) >= _SECOND}
        best, fewest = "", len(off)
        for clock in clocks() if off else ():
            others = 0
            for n, visit in self._pairs.items():
                others += abs(self._off(n, visit, clock)) >= _SECOND
                if others >= fewest:
                    break
            else:
                best, fewest = clock, others
        if not best:
            return ""
        still = {n for n, visit in self._pairs.items() if abs(self._off(n, visit, best)) >= _SECOND}
        return best if len(off - still) >= _MISTAKES * len(still - off) else ""

    def _there(self, n: int, clock: str) -> ContactDifference | None:
        row = self._theirs[n]
        visit = self._pairs.get(n)
        if visit is None:
            return ContactDifference(row.contact, row.queue, row.line, None, {}, ("missing_here",))
        told = self._differing(n, [visit], "")
        if not told:
            return None
        return ContactDifference(
            row.contact, row.queue, row.line, visit, told, self._rules(n, visit, clock, told)
        )

    def _rules(self, n: int, visit: int, clock: str, told: Differing) -> tuple[RuleName, ...]:
        """Return the rules that together leave no difference; none, if they leave one."""
        rules: list[RuleName] = []
        left = self._differing(n, [visit], clock)
        if "came" in told and "came" not in left:
            rules.append("time_zone")
        if left and (chain := self._chain.get(visit)) and self._alone(chain):
            joined = self._differing(n, chain, clock)
            if len(joined) < len(left):
                left = joined
                rules.append("transfer")
        if "wrap" in left and left["wrap"][1] in self._wraps_of_the_day(visit):
            del left["wrap"]
            rules.append("wrap_up")
        if unknown := left.keys() & self._untold(visit):
            left = {field: both for field, both in left.items() if field not in unknown}
            rules.append("missing_here")
        return () if left else tuple(rules)

    def _alone(self, chain: Sequence[int]) -> bool:
        """Return whether they have one row for the visits of a contact that was passed on."""
        return len({*chain} & {*self._pairs.values()}) == 1

    def _differing(self, n: int, of: Sequence[int], clock: str) -> Differing:
        """Return what differs between a row and our visits, joined where there are several."""
        row, visits = self._theirs[n], [self._visits[place] for place in of]
        found: Differing = {}
        if abs(self._off(n, of[0], clock)) >= _SECOND:
            theirs = instant(row.wall, clock or row.clock)
            found["came"] = (visits[0].queued, theirs)
        if row.queue not in {visit.queue for visit in visits}:
            found["queue"] = (visits[0].queue, row.queue)
        outcomes = [visit.outcome for visit in visits]
        outcome = "answered" if "answered" in outcomes else outcomes[-1]
        if row.outcome != outcome:
            found["outcome"] = (outcome, row.outcome)
        answered = next((visit for visit in visits if visit.outcome == outcome), visits[-1])
        ours: Mapping[str, int | None] = {
            "wait": None if answered.outcome in _UNTOLD else answered.wait,
            **{field: self._sum(visits, field) for field in ("talk", "hold", "wrap")},
        }
        if row.hold is None:  # they talk as long as the conversation lasts
            ours = {**ours, "talk": self._sum(visits, "talk", "hold")}
        for field in _FIELDS:
            theirs_ms: int | None = getattr(row, field)
            if theirs_ms is not None and row.outcome == "answered" and _apart(ours[field], theirs_ms):
                found[field] = (ours[field], theirs_ms)
        return found

    @staticmethod
    def _sum(visits: Sequence[SettledVisit], *fields: str) -> int | None:
        handled = [getattr(visit, field) for visit in visits if visit.handled is not None for field in fields]
        return sum(handled) if handled else None

    def _wraps_of_the_day(self, place: int) -> tuple[int, ...]:
        """Return what the wrap-up is on the day on which the conversation ended, if it went on to the next: all, or none."""
        visit = self._visits[place]
        if visit.handled is None or visit.ended is None:
            return ()
        midnight = _midnight(visit.ended, self._zone)
        if visit.handled < midnight:
            return ()
        part = midnight - visit.ended
        return 0, part, part // _SECOND * _SECOND, round(part / _SECOND) * _SECOND

    def _untold(self, place: int) -> frozenset[str]:
        """Return the fields that we were not told."""
        visit = self._visits[place]
        if visit.outcome in _UNTOLD:
            return frozenset({"outcome", *_FIELDS})
        return frozenset({"talk", "hold", "wrap"}) if visit.handled is None else frozenset()

    def _lacking(self, start: int, end: int) -> Iterator[ContactDifference]:
        """Yield visits of ours that they have no row for."""
        paired = {*self._pairs.values()}
        queues = {row.queue for row in self._theirs}
        last = max(
            (visit.over or visit.queued for n, visit in enumerate(self._visits) if n in paired), default=end
        )
        with_short = any(self._visits[place].short for place in paired)
        for place, visit in enumerate(self._visits):
            if place in paired or not start <= visit.queued < end or visit.outcome == "outbound":
                continue
            if visit.queue not in queues:
                continue
            rule: RuleName = "missing_there"
            if {*self._chain.get(place, ())} & paired:
                rule = "transfer"
            elif visit.short and visit.outcome == "abandoned" and not with_short:
                rule = "short"
            elif self._is_next_day(visit, last, end):
                rule = "edge"
            yield ContactDifference(visit.contact, visit.queue, None, place, {}, (rule,))

    def _is_next_day(self, visit: SettledVisit, last: int, end: int) -> bool:
        """Return whether a visit was over after the table's end, as no visit is that they have."""
        over = visit.over or visit.queued
        return over >= end > last


def _apart(ours: int | None, theirs: int) -> bool:
    if ours is None:
        return theirs > 0
    return abs(ours - theirs) >= (_SECOND if theirs % _SECOND == 0 else 1)


def _midnight(at: int, clock: str) -> int:
    """Return the next midnight after a time, ms."""
    day = reading(at, clock).replace(hour=0, minute=0, second=0, microsecond=0)
    return instant(day + timedelta(days=1), clock)
