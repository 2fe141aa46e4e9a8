"""Facts → cells: what to add, to which bucket of which queue and channel.

A cell is a plain ``dict[int, int]``: a counter's number → its sum, and ``number << 9 | bucket`` → count for a sketch. So
cells merge by adding key by key, whatever they hold. Numbers come from the store's add-only registry; a newer worker's
counters survive in cells that an older one rewrites.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from .facts import Fact
from .kpis import COUNTERS, SKETCHES
from .sketch import bucket as sketch_bucket
from .windows import BASE, RESOLUTIONS, TOTAL

Cell = dict[int, int]
CellKey = tuple[int, str, str]
"""(bucket start, queue, channel)"""

SHIFT: Final = 9
NUMBERS: Final[dict[str, int]] = {part.name: n for n, part in enumerate((*COUNTERS, *SKETCHES), 1)}
"""The numbering of a fresh registry."""


_decoder = msgspec.msgpack.Decoder(Cell)
pack_cell = msgspec.msgpack.Encoder().encode
"""A cell as it is stored: a MessagePack map, number → integer."""


def unpack_cell(packed: bytes) -> Cell:
    """The inverse of ``pack_cell``."""
    return _decoder.decode(packed)


def is_sketch(key: int) -> bool:
    """Whether a cell's key is a bucket of a sketch."""
    return key >> SHIFT > 0


_Adder = Callable[[Cell, Any], None]


class Tally:
    """Adds facts up into 10-second cells."""

    def __init__(self, numbers: Mapping[str, int] = NUMBERS) -> None:
        """Compile the catalogue; ``numbers`` maps each counter and sketch to its key."""
        self.cells: dict[CellKey, Cell] = {}
        kinds = {part.fact for part in (*COUNTERS, *SKETCHES)}
        self._adders: dict[type[Fact], _Adder] = {kind: _adder(kind, numbers) for kind in kinds}

    def add(self, facts: Iterable[Fact]) -> None:
        """Count facts of one visit where they belong."""
        adders = self._adders
        at = -1
        for fact in facts:
            if fact.at != at:  # most often they share a moment, and so a cell
                at = fact.at
                key = (at - at % BASE, fact.queue, fact.channel)
                cell = self.cells.get(key)
                if cell is None:
                    cell = self.cells[key] = defaultdict(int)
            adders[type(fact)](cell, fact)

    def take(self) -> dict[CellKey, Cell]:
        """Hand over what was added since the last call."""
        cells, self.cells = self.cells, {}
        return cells


def _adder(kind: type[Fact], numbers: Mapping[str, int]) -> _Adder:
    """Write the catalogue's entries for one kind of fact out as straight code: half the cost of looping over them.

    Everything in the text is ours: numbers from the registry, and names of this function's making.
    """
    names: dict[str, Any] = {"bucket": sketch_bucket}
    lines = ["def add(cell, fact):"]
    for counter in (c for c in COUNTERS if c.fact is kind):
        number = numbers[counter.name]
        if counter.always:
            lines.append(f"    cell[{number}] += 1")
        else:
            names[f"amount_{number}"] = counter.amount
            lines += [f"    n = amount_{number}(fact)", f"    if n: cell[{number}] += n"]
    for sketch in (s for s in SKETCHES if s.fact is kind):
        number = numbers[sketch.name]
        names[f"value_{number}"] = sketch.value
        lines.append(f"    cell[{number << SHIFT} | bucket(value_{number}(fact))] += 1")
    exec("\n".join(lines), names)  # noqa: S102 - see above
    adder: _Adder = names["add"]
    return adder


def add_into(cell: Cell, amounts: Cell) -> None:
    """Merge amounts into a cell."""
    for number, n in amounts.items():
        cell[number] = cell.get(number, 0) + n


def roll_up(cells: Mapping[CellKey, Cell], dropped: Callable[[int, int], bool]) -> dict[tuple[int, CellKey], Cell]:
    """10-second amounts → amounts at every resolution and in total, as (resolution, cell key) → amounts.

    Args:
        dropped: (resolution, bucket start) → the bucket is not kept any more.
    """
    out: dict[tuple[int, CellKey], Cell] = {}
    for (start, queue, channel), amounts in cells.items():
        for resolution in RESOLUTIONS:
            bucket = start - start % resolution
            if not dropped(resolution, bucket):
                _merge(out, (resolution, (bucket, queue, channel)), amounts)
        counters = {n: v for n, v in amounts.items() if not is_sketch(n)}
        if counters:
            _merge(out, (TOTAL, (0, queue, channel)), counters)
    return out


def _merge(out: dict[tuple[int, CellKey], Cell], key: tuple[int, CellKey], amounts: Cell) -> None:
    cell = out.get(key)
    if cell is None:
        out[key] = dict(amounts)
    else:
        add_into(cell, amounts)


def counters_of(facts: Iterable[Fact]) -> Cell:
    """All facts in one cell (for tests and reports)."""
    tally = Tally()
    for fact in facts:
        tally.add((fact,))
    out: Cell = {}
    for cell in tally.take().values():
        add_into(out, cell)
    return out
