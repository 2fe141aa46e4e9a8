"""Contacts that the other side lacks: those without which rows that differ become equal, where they can only be these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from .booking import Booking, difference
from .conventions import DURATIONS, CellAmounts, Conventions

_MOST_PAIRED: Final = 150
_MOST_TRIES: Final = 20_000
Shares = Mapping[int, Mapping[int, CellAmounts]]
"""Place of a row → place of a visit → what it counts there."""


class Lacking:
    """Searches unequal rows for visits that are not in them."""

    def __init__(self, booking: Booking, how: Conventions, unequal: set[int]) -> None:
        """Take the rows that differ by some conventions."""
        self._booking = booking
        able = sorted({visit for shares in booking.shares(how, unequal).values() for visit in shares})
        self._shares: Shares = booking.shares(how, range(len(booking.rows)), able)
        self._ours = {n: booking.ours(booking.rows[n], how) for n in unequal}
        self._unequal = unequal
        self._rows_of: dict[int, list[int]] = defaultdict(list)
        for row, visits in self._shares.items():
            for visit, amounts in visits.items():
                if any(column in booking.rows[row].cells and n for column, n in amounts.items()):
                    self._rows_of[visit].append(row)

    def found(self) -> dict[int, set[int]]:
        """Return the place of each row that is explained → the places of the visits that it lacks."""
        explained = {row: self._all_of(row) for row in self._unequal if not self._booking.rows[row].line}
        for row in sorted(self._unequal):
            if row in explained:
                continue
            self._tries = _MOST_TRIES
            some = self._unique(row)
            if some is not None:
                for visit in some:
                    for place in self._rows_of[visit]:
                        explained.setdefault(place, set()).update(
                            one for one in some if place in self._rows_of[one]
                        )
        return explained

    def _all_of(self, row: int) -> set[int]:
        """Return the visits of a row that their table does not have."""
        cells = self._booking.rows[row].cells
        return {
            visit
            for visit, amounts in self._shares[row].items()
            if any(n and column in cells for column, n in amounts.items())
        }

    def _unique(self, row: int) -> frozenset[int] | None:
        """Return the only set of visits that explains a row and all others in which it counts."""
        solutions: set[frozenset[int]] = set()
        for solution in self._solutions(frozenset(), [row]):
            solutions.add(solution)
            if len(solutions) > 1:
                return None
        return next(iter(solutions), None) if self._tries > 0 else None

    def _solutions(self, gone: frozenset[int], rows: Sequence[int]) -> Iterator[frozenset[int]]:
        """Yield sets of visits, those that are gone included, without which these rows are equal."""
        open_rows = [row for row in rows if self._differs(row, gone)]
        if not open_rows:
            yield gone
            return
        for some in self._candidates(open_rows[0], gone):
            self._tries -= 1
            if self._tries <= 0:
                return
            touched = {place for visit in some for place in self._rows_of[visit]}
            if touched <= self._unequal:
                yield from self._solutions(gone | some, sorted({*rows, *touched}))

    def _candidates(self, row: int, gone: frozenset[int]) -> Iterator[frozenset[int]]:
        """Yield the single visits without which a row is equal; if there is none, the pairs."""
        left = self._differs(row, gone)
        able = [
            visit
            for visit, amounts in self._shares[row].items()
            if visit not in gone and self._fits(row, amounts, left)
        ]
        singles = [one for one in able if not self._differs(row, gone | {one})]
        if singles:
            yield from (frozenset((one,)) for one in singles)
        elif len(able) <= _MOST_PAIRED:
            for pair in combinations(able, 2):
                if not self._differs(row, gone | {*pair}):
                    yield frozenset(pair)

    def _fits(self, row: int, amounts: CellAmounts, left: CellAmounts) -> bool:
        """Return whether a visit's going takes no cell past theirs."""
        cells = self._booking.rows[row].cells
        return any(n and column in left for column, n in amounts.items()) and all(
            n <= -left.get(column, 0) + (1_000 if column in DURATIONS else 0)
            for column, n in amounts.items()
            if column in cells
        )

    def _differs(self, row: int, gone: frozenset[int]) -> dict[str, int]:
        ours = dict(self._ours[row])
        for visit in gone:
            for column, n in self._shares[row].get(visit, {}).items():
                ours[column] -= n
        return difference(ours, self._booking.rows[row].cells)
