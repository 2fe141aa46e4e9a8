"""Compare a table by interval with our contacts, and name what explains each row that differs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from .booking import Booking
from .conventions import OURS, RULE_OF, CellAmounts, Conventions, RuleName, SettledVisit
from .lacking import Lacking
from .searching import OnStep, changed, ours_in, search
from .their_tables import TheirInterval, completed, spans


class NamedRule(Struct, frozen=True):
    """A rule that explains a difference, or its part.

    Attributes:
        name: which one.
        contacts: the places of the visits that it concerns.
    """

    name: RuleName
    contacts: tuple[int, ...]


class RowDifference(Struct, frozen=True):
    """A row that differs.

    Attributes:
        row: theirs.
        start: when it begins by the clock that we were told, ms; ``None`` where that skips it.
        ours: what we count in it.
        rules: what makes it equal; empty where nothing does.
        remaining: theirs less ours, where the conventions were followed and something is left.
    """

    row: TheirInterval
    start: int | None
    ours: CellAmounts
    rules: tuple[NamedRule, ...]
    remaining: CellAmounts = {}


class SettledTable(Struct, frozen=True):
    """What a comparison found.

    Attributes:
        conventions: theirs.
        rows: how many were compared.
        differences: those that differ, in the table's order.
    """

    conventions: Conventions
    rows: int
    differences: tuple[RowDifference, ...]


def compare_intervals(
    theirs: Sequence[TheirInterval], visits: Sequence[SettledVisit], moved: OnStep = lambda: None
) -> SettledTable:
    """Return how their rows differ from ours, and why.

    A rule is named only where it makes all numbers of the row equal.

    Args:
        theirs: their rows, at least one.
        visits: ours, of a day before the first row to a day after the last one.
        moved: called as the search goes on.
    """
    booking = Booking(visits, completed(theirs))
    differing = booking.unequal(OURS)
    if not differing:
        return SettledTable(OURS, len(theirs), ())
    how = search(booking, moved)
    unequal = booking.unequal(how)
    lacking = Lacking(booking, how, unequal).found() if unequal else {}
    unknown = {row for row in unequal - lacking.keys() if _unknown(booking, row, how)}
    # A row that lacks a contact by their conventions may by ours be equal, but that is chance.
    differing |= lacking.keys() | unknown
    rules = _conventions(booking, how, differing, unequal)
    found = []
    for n in sorted(differing, key=lambda one: (booking.rows[one].wall, booking.rows[one].second)):
        named = list(rules.get(n, ()))
        if n in lacking:
            named.append(NamedRule("missing_there", tuple(sorted(lacking[n]))))
        elif n in unknown:
            named.append(NamedRule("missing_here", _unknown(booking, n, how)))
        elif n in unequal:
            named = []
        row = booking.rows[n]
        start = next((start for start, _ in spans(row, OURS)), None)
        left = {} if named else booking.difference(row, how)
        ours = {column: booking.ours(row, OURS).get(column, 0) for column in row.cells}
        found.append(RowDifference(row, start, ours, tuple(named), left))
    return SettledTable(how, len(theirs), tuple(found))


def _conventions(
    booking: Booking, how: Conventions, differing: set[int], unequal: set[int]
) -> dict[int, list[NamedRule]]:
    """Return the conventions that each row needs, as few as suffice, with the visits that count otherwise by them."""
    rows_by: dict[Conventions, list[int]] = {}
    for n in sorted(differing):
        rows_by.setdefault(how if n in unequal else _fewest(booking, n, how), []).append(n)
    found: dict[int, list[NamedRule]] = {}
    for needed, rows in rows_by.items():
        shares = booking.shares(needed, rows)
        for field in changed(needed):
            others = booking.shares(ours_in(needed, field), rows)
            for n in rows:
                cells = booking.rows[n].cells
                contacts = tuple(
                    visit
                    for visit in sorted({*shares[n], *others[n]})
                    if _counted(shares[n].get(visit, {}), cells) != _counted(others[n].get(visit, {}), cells)
                )
                if contacts:
                    found.setdefault(n, []).append(NamedRule(RULE_OF[field], contacts))
    return found


def _fewest(booking: Booking, n: int, how: Conventions) -> Conventions:
    """Return the conventions without those that a row does not need to be equal."""
    for field in changed(how):
        without = ours_in(how, field)
        if not booking.difference(booking.rows[n], without):
            how = without
    return how


def _counted(amounts: CellAmounts, cells: CellAmounts) -> dict[str, int]:
    return {column: n for column, n in amounts.items() if n and column in cells}


def _unknown(booking: Booking, n: int, how: Conventions) -> tuple[int, ...]:
    """Return the visits of a row whose outcomes we were never told, if all of them have one there and nothing else differs."""
    row = booking.rows[n]
    left = dict(booking.difference(row, how))
    if left.pop("lost", 0) > 0 or any(amount < 0 for amount in left.values()):
        return ()
    outcomes = sum(left.pop(column, 0) for column in ("answered", "abandoned", "left"))
    left = {
        column: amount
        for column, amount in left.items()
        if not column.startswith(("answered_", "abandoned_"))
    }
    left.pop("wait_ms", None)
    if left or not outcomes:
        return ()
    starts = spans(row, how)
    lost = tuple(
        place
        for place, visit in enumerate(booking.visits)
        if visit.outcome in {"lost", "open"}
        and (visit.queue, visit.channel) == (row.queue, row.channel)
        and any(start <= visit.queued < end for start, end in starts)
    )
    return lost if len(lost) == outcomes else ()
