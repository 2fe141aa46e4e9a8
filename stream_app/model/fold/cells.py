"""Cells: what is counted of a queue and channel in a bucket of time, and how it adds up to longer ones.

A cell is a plain ``dict[int, int]``: a counter's number → its sum, and ``number << 9 | bucket`` → count for a sketch. So cells
merge by adding key by key, whatever they hold. Numbers come from the store's add-only registry; a newer worker's counters
survive in cells that an older one rewrites.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from stream_app.model.kpis import STORED
from stream_app.model.windows import RESOLUTIONS, TOTAL

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
