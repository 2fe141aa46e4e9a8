"""Counters and sketches of one partition: by bucket at three resolutions, and of all time."""

from __future__ import annotations

from collections import defaultdict

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
KEPT_MS = {10: 20 * MINUTE, 60: 2 * HOUR, 900: 2 * DAY}

Key = tuple[str, str]  # queue, channel
Cell = tuple[int, str, str]  # start of the bucket in ms, queue, channel


def sketch_bucket(duration_ms: int) -> int:
    """The i with 2^((i-1)/16) < d <= 2^(i/16), exactly: the smallest i with d^16 <= 2^i."""
    return 0 if duration_ms <= 1 else min(511, (duration_ms**16 - 1).bit_length())


class Counters:
    """Sums by cell. Counters that are zero are left out.

    Nothing is ever thrown away here: what is kept is decided by the partition time at the question. That is
    enough, because partition time never falls: a bucket that is kept now was kept when each amount came.
    """

    def __init__(self) -> None:
        self._totals: dict[Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._cells: dict[int, dict[Cell, dict[str, int]]] = {
            size: defaultdict(lambda: defaultdict(int)) for size in KEPT_MS
        }
        self._total_sketches: dict[str, dict[Key, dict[int, int]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(int)),
        )
        self._sketches: dict[tuple[str, int], dict[Cell, dict[int, int]]] = defaultdict(
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
        bucket = sketch_bucket(duration_ms)
        self._total_sketches[name][key][bucket] += 1
        for size in KEPT_MS:
            self._sketches[name, size][_start(at, size), *key][bucket] += 1

    def cells(self, resolution_s: int, now: int) -> dict[Cell, dict[str, int]]:
        """Counters of the buckets kept at partition time `now`."""
        oldest = now - KEPT_MS[resolution_s]
        return {cell: dict(counts) for cell, counts in self._cells[resolution_s].items() if cell[0] >= oldest}

    def totals(self) -> dict[Key, dict[str, int]]:
        """Counters of all time."""
        return {key: dict(counts) for key, counts in self._totals.items()}

    def sketch(self, name: str, resolution_s: int, now: int) -> dict[Cell, dict[int, int]]:
        """Sketch bucket -> number of durations, of the cells kept at partition time `now`."""
        oldest = now - KEPT_MS[resolution_s]
        sketches = self._sketches[name, resolution_s].items()
        return {cell: dict(counts) for cell, counts in sketches if cell[0] >= oldest}

    def total_sketch(self, name: str) -> dict[Key, dict[int, int]]:
        """The sketch of all time."""
        return {key: dict(counts) for key, counts in self._total_sketches[name].items()}


def _start(at: int, size_s: int) -> int:
    return at // (size_s * 1000) * (size_s * 1000)
