"""What our contacts count in each row of a table, by some conventions, and which of its cells differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import structs

from .conventions import DURATIONS, CellAmounts, Conventions, SettledVisit, additions, left_out
from .their_tables import TheirInterval, spans

BIN_MS: Final = 900_000
_SECOND: Final = 1_000
TablePlace = tuple[str, str]
"""Queue and channel."""


def differs(column: str, ours: int, theirs: int) -> bool:
    """Return whether two numbers differ; sums of whole seconds may be rounded or cut off."""
    if column in DURATIONS and theirs % _SECOND == 0:
        return abs(ours - theirs) >= _SECOND
    return ours != theirs


def difference(ours: CellAmounts, theirs: CellAmounts) -> dict[str, int]:
    """Return theirs less ours, of the cells that differ."""
    return {
        column: n - ours.get(column, 0)
        for column, n in theirs.items()
        if differs(column, ours.get(column, 0), n)
    }


class Booking:
    """Our contacts in a table's rows."""

    def __init__(self, visits: Sequence[SettledVisit], rows: Sequence[TheirInterval]) -> None:
        """Take both sides; visits have a channel only where the rows have one."""
        self.visits, self.rows = visits, rows
        self._bins: dict[Conventions, dict[TablePlace, dict[int, dict[str, int]]]] = {}

    def ours(self, row: TheirInterval, how: Conventions) -> dict[str, int]:
        """Return what we count in a row."""
        bins = self._binned(how).get((row.queue, row.channel), {})
        found: dict[str, int] = defaultdict(int)
        for start, end in spans(row, how):
            for at in range(start // BIN_MS, -(-end // BIN_MS)):
                for column, n in bins.get(at, {}).items():
                    found[column] += n
        return found

    def difference(self, row: TheirInterval, how: Conventions) -> dict[str, int]:
        """Return theirs less ours, of the cells of a row that differ."""
        return difference(self.ours(row, how), row.cells)

    def unequal(self, how: Conventions) -> set[int]:
        """Return the places of rows that differ."""
        return {place for place, row in enumerate(self.rows) if self.difference(row, how)}

    def cells_unequal(self, how: Conventions, most: int) -> int:
        """Return how many cells differ, or some number above ``most``."""
        n = 0
        for row in self.rows:
            n += len(self.difference(row, how))
            if n > most:
                break
        return n

    def shares(
        self, how: Conventions, wanted: Iterable[int], only: Iterable[int] | None = None
    ) -> dict[int, dict[int, dict[str, int]]]:
        """Return what each visit counts in some rows: place of the row → place of the visit → amounts.

        Args:
            how: by which conventions.
            wanted: the places of the rows.
            only: those of the visits; ``None``: all.
        """
        found: dict[int, dict[int, dict[str, int]]] = {place: {} for place in wanted}
        where: dict[tuple[TablePlace, int], list[int]] = defaultdict(list)
        for place in found:
            row = self.rows[place]
            for start, end in spans(row, how):
                for at in range(start // BIN_MS, -(-end // BIN_MS)):
                    where[(row.queue, row.channel), at].append(place)
        targets = _targets(how)
        out = left_out(self.visits, how)
        for number in range(len(self.visits)) if only is None else only:
            visit = self.visits[number]
            if number in out:
                continue
            of = (visit.queue, visit.channel)
            for at, column, n in additions(visit, how, targets.get(of)):
                for place in where.get((of, at // BIN_MS), ()):
                    mine = found[place].setdefault(number, {})
                    mine[column] = mine.get(column, 0) + n
        return found

    def _binned(self, how: Conventions) -> Mapping[TablePlace, Mapping[int, Mapping[str, int]]]:
        key = structs.replace(how, clock="", doubled="apart")
        found = self._bins.get(key)
        if found is None:
            found = self._bins[key] = {}
            targets = _targets(key)
            out = left_out(self.visits, key)
            for number, visit in enumerate(self.visits):
                if number in out:
                    continue
                of = (visit.queue, visit.channel)
                bins = found.setdefault(of, {})
                for at, column, n in additions(visit, key, targets.get(of)):
                    cell = bins.setdefault(at // BIN_MS, {})
                    cell[column] = cell.get(column, 0) + n
        return found


def _targets(how: Conventions) -> dict[TablePlace, int]:
    return {(queue, channel): target for queue, channel, target in how.targets}
