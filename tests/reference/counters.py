"""Counters and families (sketches, revenue) of one partition: by bucket at three resolutions, and of all time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
KEPT_MS = {10: 20 * MINUTE, 60: 2 * HOUR, 900: 2 * DAY}

Key = tuple[str, str]  # queue, channel
Cell = tuple[int, str, str]  # start of the bucket in ms, queue, channel

K = TypeVar("K")
N = TypeVar("N")


def sketch_bucket(duration_ms: int) -> int:
    """The i with 2^((i-1)/16) < d <= 2^(i/16), exactly: the smallest i with d^16 <= 2^i."""
    return 0 if duration_ms <= 1 else min(511, (duration_ms**16 - 1).bit_length())


class Counters:
    """Sums by cell. Counters that are zero, or have become so, are left out, and so are cells without any.

    Nothing is ever thrown away here: what is kept is decided by the partition time at the question. That is
    enough, because partition time never falls: a bucket that is kept now was kept when each amount came.
    """

    def __init__(self) -> None:
        self._totals: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._cells: dict[int, dict[Cell, dict[str, int]]] = {
            size: defaultdict(lambda: defaultdict(int)) for size in KEPT_MS
        }
        self._total_families: dict[str, dict[Key, dict[int, int]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(int)),
        )
        self._families: dict[tuple[str, int], dict[Cell, dict[int, int]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(int)),
        )

    def add(self, key: Key, at: int, amounts: dict[str, int]) -> None:
        """Add the amounts to the buckets that hold `at`, and to the totals."""
        present = {name: amount for name, amount in amounts.items() if amount}
        if not present:
            return
        for counts in (self._totals[key], *(self._cells[size][_start(at, size), *key] for size in KEPT_MS)):
            for name, amount in present.items():
                counts[name] += amount

    def note(self, key: Key, at: int, name: str, duration_ms: int) -> None:
        """Put one duration into the sketch of that name."""
        self.take(key, at, name, sketch_bucket(duration_ms), 1)

    def take(self, key: Key, at: int, name: str, place: int, amount: int) -> None:
        """Add the amount at one place of the family of that name."""
        self._total_families[name][key][place] += amount
        for size in KEPT_MS:
            self._families[name, size][_start(at, size), *key][place] += amount

    def cells(self, resolution_s: int, now: int) -> dict[Cell, dict[str, int]]:
        """Counters of the buckets kept at partition time `now`."""
        return _kept(self._cells[resolution_s], now - KEPT_MS[resolution_s])

    def totals(self) -> dict[Key, dict[str, int]]:
        """Counters of all time."""
        return _present(self._totals)

    def sketch(self, name: str, resolution_s: int, now: int) -> dict[Cell, dict[int, int]]:
        """Place in the family (bucket of a sketch) -> amount, of the cells kept at partition time `now`."""
        return _kept(self._families[name, resolution_s], now - KEPT_MS[resolution_s])

    def total_sketch(self, name: str) -> dict[Key, dict[int, int]]:
        """The family of all time."""
        return _present(self._total_families[name])


def _kept(cells: Mapping[Cell, Mapping[N, int]], oldest: int) -> dict[Cell, dict[N, int]]:
    return _present({cell: counts for cell, counts in cells.items() if cell[0] >= oldest})


def _present(sums: Mapping[K, Mapping[N, int]]) -> dict[K, dict[N, int]]:
    """Without the zeros, and without what then is empty."""
    found = {key: {name: n for name, n in counts.items() if n} for key, counts in sums.items()}
    return {key: counts for key, counts in found.items() if counts}


def _start(at: int, size_s: int) -> int:
    return at // (size_s * 1000) * (size_s * 1000)
