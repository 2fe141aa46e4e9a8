"""Find the conventions by which a table comes out of our contacts: as few as make the most of its cells equal."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import structs

from .booking import Booking, TablePlace
from .conventions import OPTIONS, OURS, Conventions, additions, left_out
from .their_tables import clocks, spans

_MISTAKES: Final = 10
"""A convention stands if it makes at least so many times more rows equal than unequal."""
_FOR_EVER: Final = 1 << 62
OnStep = Callable[[], None]
"""Called as the search goes on."""


def search(booking: Booking, moved: OnStep = lambda: None) -> Conventions:
    """Return the conventions of a table; ours where no others make more of its cells equal.

    A convention holds for the whole table: one that makes rows unequal that were equal is not theirs, whatever it explains.
    """
    best = _with_targets(booking, _steps(booking, moved))
    while dropped := _contradicted(booking, best):
        best = dropped
    return best


def _steps(booking: Booking, moved: OnStep) -> Conventions:
    best = OURS
    fewest = booking.cells_unequal(best, _FOR_EVER)
    while fewest:
        found = best
        for how in _neighbours(best):
            moved()
            n = booking.cells_unequal(how, fewest - 1)
            if n < fewest:
                found, fewest = how, n
        if found is best:
            break
        best = found
    return best


def _neighbours(how: Conventions) -> Iterator[Conventions]:
    for field, options in OPTIONS.items():
        for option in options:
            if getattr(how, field) != option:
                yield structs.replace(how, **{field: option})
    for clock in clocks():
        if clock != how.clock:
            yield structs.replace(how, clock=clock)


def _with_targets(booking: Booking, how: Conventions) -> Conventions:
    """Add the answer targets by which all rows of a queue have as many contacts within target as there."""
    found = []
    for place, (least, most) in _ranges(booking, how).items():
        target = _round_one(least, most)
        if target is not None:
            found.append((*place, target))
    return structs.replace(how, targets=tuple(sorted(found)))


def _ranges(booking: Booking, how: Conventions) -> dict[TablePlace, tuple[int, int]]:
    """Return the waits from and to which the target of a queue may be, where ours is not."""
    rows = [n for n, row in enumerate(booking.rows) if "answered_in_target" in row.cells]
    unequal = {n for n in rows if "answered_in_target" in booking.difference(booking.rows[n], how)}
    places = {_place(booking, n) for n in unequal}
    waits = _waits(booking, how, [n for n in rows if _place(booking, n) in places])
    ranges = dict.fromkeys(places, (0, _FOR_EVER))
    for n, within in waits.items():
        row = booking.rows[n]
        differing = booking.difference(row, how)
        if differing.keys() & {
            "answered",
            "wait_ms",
        }:  # other contacts than ours: they say nothing of the target
            continue
        wanted = row.cells["answered_in_target"]
        if not 0 <= wanted <= len(within):
            ranges[_place(booking, n)] = (0, 0)
            continue
        least, most = ranges[_place(booking, n)]
        low = within[wanted - 1] if wanted else 0
        high = within[wanted] if wanted < len(within) else _FOR_EVER
        ranges[_place(booking, n)] = (max(least, low), min(most, high))
    return ranges


def _waits(booking: Booking, how: Conventions, rows: list[int]) -> dict[int, list[int]]:
    """Return the waits of those answered in each row, shortest first."""
    starts: dict[TablePlace, list[tuple[int, int, int]]] = defaultdict(list)
    for n in rows:
        row = booking.rows[n]
        starts[_place(booking, n)] += [(start, end, n) for start, end in spans(row, how)]
    for some in starts.values():
        some.sort()
    found: dict[int, list[int]] = {n: [] for n in rows}
    out = left_out(booking.visits, how)
    for number, visit in enumerate(booking.visits):
        some = starts.get((visit.queue, visit.channel), [])
        if number in out or not some or visit.outcome != "answered":
            continue
        at = next(at for at, column, _ in additions(visit, how, None) if column == "answered")
        place = bisect_right(some, (at, _FOR_EVER, 0)) - 1
        if place >= 0 and at < some[place][1]:
            found[some[place][2]].append(visit.wait)
    return {n: sorted(waits) for n, waits in found.items()}


def _place(booking: Booking, row: int) -> TablePlace:
    return booking.rows[row].queue, booking.rows[row].channel


def _round_one(least: int, most: int) -> int | None:
    """Return the roundest target, ms, that is at least one wait and less than another; ``None``: no whole second is."""
    for step in (60_000, 30_000, 10_000, 5_000, 1_000):
        rounded = -(-least // step) * step
        if rounded < most:
            return rounded
    return None


def _contradicted(booking: Booking, how: Conventions) -> Conventions | None:
    """Return the conventions without one that stands against the table; ``None`` if there is no such one."""
    with_all = booking.unequal(how)
    for field in changed(how):
        without = booking.unequal(ours_in(how, field))
        gained = without - with_all
        if (
            field == "clock"
        ):  # rows that have nothing are equal by any clock that moves our contacts out of the table
            gained = {row for row in gained if any(booking.rows[row].cells.values())}
        if not gained or len(gained) < _MISTAKES * len(with_all - without):
            return ours_in(how, field)
    return None


def ours_in(how: Conventions, field: str) -> Conventions:
    """Return conventions that are ours in one field."""
    return structs.replace(how, **{field: getattr(OURS, field)})


def changed(how: Conventions) -> list[str]:
    """Return the fields in which conventions are not ours."""
    return [field for field in Conventions.__struct_fields__ if getattr(how, field) != getattr(OURS, field)]
