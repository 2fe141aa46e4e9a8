"""Facts → cells: what to add, to which bucket of which queue and channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from stream_app.model.facts import Fact, TakenBack
from stream_app.model.intervals.counting import OUTCOMES, ByTime, Cohorts, Rows
from stream_app.model.windows import BASE

from .adders import adders
from .cells import NUMBERS, Cell, CellKey, add_into


class Tally:
    """Adds facts up into 10-second cells, and completed waits into interval rows."""

    def __init__(self, numbers: Mapping[str, int] = NUMBERS) -> None:
        """Compile the catalogue; ``numbers`` maps each counter and sketch to its key."""
        self.cells: dict[CellKey, Cell] = {}
        self._numbers = numbers
        self._cohorts = Cohorts()
        self._by_time = ByTime(numbers)
        self._back: Tally | None = None
        self._adders = adders(numbers)

    def add(self, facts: Iterable[Fact], queue: str, channel: str) -> None:
        """Count facts of a queue and channel in their buckets."""
        cells, adders, at = self.cells, self._adders, -1
        for fact in facts:
            if fact.at != at:  # usually they share a moment, and so a cell
                at = fact.at
                key = (at - at % BASE, queue, channel)
                try:  # once: a tuple is hashed anew at each look-up
                    cell = cells[key]
                except KeyError:
                    cell = cells[key] = defaultdict(int)
            kind = type(fact)
            try:
                add = adders[kind]
            except KeyError:
                self._take_back(fact, queue, channel)
                continue
            add(cell, fact)
            if kind in OUTCOMES:
                self._cohorts.add(fact, queue, channel)  # type: ignore[arg-type] # one that states when it was queued

    def _take_back(self, fact: Fact, queue: str, channel: str) -> None:
        if not isinstance(fact, TakenBack):
            raise TypeError(f"expected a fact that something counts, got {fact!r}")
        if self._back is None:
            self._back = Tally(self._numbers)
        self._back.add(fact.facts, queue, channel)
        self._cohorts.take_back(self._back._cohorts)  # noqa: SLF001 - of the same class
        for key, amounts in self._back.take().items():
            add_into(self.cells.setdefault(key, defaultdict(int)), {n: -v for n, v in amounts.items()})

    def take(self) -> dict[CellKey, Cell]:
        """Hand over what was added since the last call."""
        cells, self.cells = self.cells, {}
        return cells

    def take_all(self) -> tuple[dict[CellKey, Cell], Rows]:
        """Hand over what was added since the last call: cells, and what these and the waits add to interval rows."""
        cells, rows = self.take(), self._cohorts.take()
        self._by_time.add(rows, cells)
        return cells, rows


def counters_of(facts: Iterable[Fact]) -> Cell:
    """Count all facts in one cell (for tests and reports)."""
    tally = Tally()
    tally.add(facts, "", "")
    out: Cell = {}
    for cell in tally.take().values():
        add_into(out, cell)
    return {number: n for number, n in out.items() if n}
