"""Facts → cells: what to add, to which bucket of which queue and channel.

A cell is a plain ``dict[int, int]``: a counter's number → its sum, and ``number << 9 | bucket`` → count for a sketch. So cells
merge by adding key by key, whatever they hold. Numbers come from the store's add-only registry; a newer worker's counters
survive in cells that an older one rewrites.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from stream_app.model.facts import Fact, TakenBack, WaitOver
from stream_app.model.intervals.counting import ByTime, Cohorts, Rows
from stream_app.model.kpis import COUNTERS, FAMILIES, SKETCHES, STORED
from stream_app.model.sketch import bucket as sketch_bucket
from stream_app.model.windows import BASE, RESOLUTIONS, TOTAL

Cell = dict[int, int]
CellKey = tuple[int, str, str]
"""(bucket start, queue, channel)"""

SHIFT: Final = 9
NUMBERS: Final[dict[str, int]] = {part.name: n for n, part in enumerate(STORED, 1)}
"""The numbering of a fresh registry."""


_EVER: Final = 1 << 62

_decoder = msgspec.msgpack.Decoder(Cell)
pack_cell = msgspec.msgpack.Encoder().encode
"""Encode a cell for storage: a MessagePack map, number → integer."""


def unpack_cell(packed: bytes) -> Cell:
    """Decode what ``pack_cell`` encoded."""
    return _decoder.decode(packed)


def is_sketch(key: int) -> bool:
    """Return whether a cell's key is a bucket of a sketch, or a member of a family: no total is kept of these."""
    return key >> SHIFT > 0


_Read = Callable[[Any], int]
_Amounts = tuple[tuple[int, _Read], ...]
_Plan = tuple[tuple[int, ...], _Amounts, _Amounts, bool]
"""The increments of a fact's type: 1 to these, amounts to those, one to a bucket of the last; and whether a wait is over."""


class Tally:
    """Adds facts up into 10-second cells, and completed waits into interval rows."""

    def __init__(self, numbers: Mapping[str, int] = NUMBERS) -> None:
        """Compile the catalogue; ``numbers`` maps each counter and sketch to its key."""
        self.cells: dict[CellKey, Cell] = {}
        self._numbers = numbers
        self._cohorts = Cohorts()
        self._by_time = ByTime(numbers)
        self._back: Tally | None = None
        self._plans: dict[type[Fact], _Plan] = {}
        self._families: dict[type[Fact], tuple[tuple[int, _Read, _Read], ...]] = {
            kind: tuple((numbers[f.name] << SHIFT, f.amount, f.member) for f in FAMILIES if f.fact is kind)
            for kind in {f.fact for f in FAMILIES}
        }
        for kind in {c.fact for c in COUNTERS} - self._families.keys():
            mine = [c for c in COUNTERS if c.fact is kind]
            self._plans[kind] = (
                tuple(numbers[c.name] for c in mine if c.always),
                tuple((numbers[c.name], c.amount) for c in mine if not c.always),
                tuple((numbers[s.name] << SHIFT, s.value) for s in SKETCHES if s.fact is kind),
                issubclass(kind, WaitOver),
            )

    def add(self, facts: Iterable[Fact]) -> None:
        """Count facts of one visit in their buckets."""
        cells, plans = self.cells, self._plans
        at = -1
        for fact in facts:
            if fact.at != at:  # usually they share a moment, and so a cell
                at = fact.at
                key = (at - at % BASE, fact.queue, fact.channel)
                try:  # once: a tuple is hashed anew at each look-up
                    cell = cells[key]
                except KeyError:
                    cell = cells[key] = defaultdict(int)
            try:
                ones, amounts, sketches, wait_over = plans[type(fact)]
            except KeyError:
                self._add_rare(cell, fact)
                continue
            for number in ones:
                cell[number] += 1
            for number, amount in amounts:
                n = amount(fact)
                if n:
                    cell[number] += n
            for base, value in sketches:
                cell[base | sketch_bucket(value(fact))] += 1
            if wait_over:
                self._cohorts.add(fact)  # type: ignore[arg-type] # one that states when it was queued

    def _add_rare(self, cell: Cell, fact: Fact) -> None:
        """Count facts that are taken back, and those that are counted by member."""
        if isinstance(fact, TakenBack):
            if self._back is None:
                self._back = Tally(self._numbers)
            self._back.add(fact.facts)
            self._cohorts.take_back(self._back._cohorts)  # noqa: SLF001 - of the same class
            for key, amounts in self._back.take().items():
                add_into(self.cells.setdefault(key, defaultdict(int)), {n: -v for n, v in amounts.items()})
            return
        for counter in COUNTERS:
            if counter.fact is type(fact) and (n := counter.amount(fact)):
                cell[self._numbers[counter.name]] += n
        for base, amount, member in self._families[type(fact)]:
            cell[base | member(fact)] += amount(fact)

    def take(self) -> dict[CellKey, Cell]:
        """Hand over what was added since the last call."""
        cells, self.cells = self.cells, {}
        return cells

    def take_all(self) -> tuple[dict[CellKey, Cell], Rows]:
        """Hand over what was added since the last call: cells, and what these and the waits add to interval rows."""
        cells, rows = self.take(), self._cohorts.take()
        self._by_time.add(rows, cells)
        return cells, rows


def add_into(cell: Cell, amounts: Cell) -> None:
    """Add amounts to a cell."""
    if not cell:  # most are new
        cell.update(amounts)
        return
    for number, n in amounts.items():
        cell[number] = cell.get(number, 0) + n


def roll_up(
    cells: Mapping[CellKey, Cell], dropped: Callable[[int, int], bool]
) -> dict[tuple[int, CellKey], Cell]:
    """Roll 10-second amounts up to every resolution and the total: (resolution, cell key) → amounts, not to be modified.

    Args:
        cells: what was tallied.
        dropped: (resolution, bucket start) → whether the bucket is no longer kept.
    """
    out: dict[tuple[int, CellKey], Cell] = {}
    for resolution in RESOLUTIONS:
        cells = _coarser(cells, resolution)  # each is a multiple of the one before
        for key, amounts in cells.items():
            if not dropped(resolution, key[0]):
                out[resolution, key] = amounts
    for (_, queue, channel), amounts in _coarser(cells, _EVER).items():
        if counters := {n: v for n, v in amounts.items() if not is_sketch(n)}:
            out[TOTAL, (0, queue, channel)] = counters
    return out


def _coarser(cells: Mapping[CellKey, Cell], size: int) -> dict[CellKey, Cell]:
    """Merge cells into buckets of another size; a cell that is alone in its bucket is shared and not copied."""
    out: dict[CellKey, Cell] = {}
    sums: set[CellKey] = set()
    for (start, queue, channel), amounts in cells.items():
        key = (start - start % size, queue, channel)
        if key not in out:
            out[key] = amounts
            continue
        if key not in sums:
            sums.add(key)
            out[key] = dict(out[key])
        add_into(out[key], amounts)
    return out


def counters_of(facts: Iterable[Fact]) -> Cell:
    """Count all facts in one cell (for tests and reports)."""
    tally = Tally()
    for fact in facts:
        tally.add((fact,))
    out: Cell = {}
    for cell in tally.take().values():
        add_into(out, cell)
    return {number: n for number, n in out.items() if n}
