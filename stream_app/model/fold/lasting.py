"""The ids of events that recur: a platform reports them again for weeks, with each copy of a contact's record.

Each takes eight bytes here and in the store: those of a day that is over are a sorted array.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from stream_app.model.durations import DAY

LASTS: Final = 31 * DAY
"""How long they are remembered, in partition time: as long as an outcome changes an interval row."""
LASTING_MAX: Final = 2_000_000
"""The most that are remembered: 16 MB."""


class LastingIds:
    """The ids that recur, by the day of partition time in which they were seen first.

    Attributes:
        added: day → hashes added since ``reset``.
        outlived: this day and all before were dropped since; -1 if none were.
        early: how many were dropped since because there were too many.
    """

    def __init__(self, known: Mapping[int, Sequence[bytes]], now: int) -> None:
        """Start from what a claim restored; ``now`` is partition time."""
        self._day = max(now // DAY, *known) if known else now // DAY
        self._today = {int.from_bytes(mark) for mark in known.get(self._day, ())}
        self._before = {
            day: _packed(map(int.from_bytes, marks))
            for day, marks in sorted(known.items())
            if day < self._day
        }
        self._size = len(self._today) + sum(map(len, self._before.values()))
        self.reset()

    @property
    def known(self) -> dict[int, list[bytes]]:
        """Day → hashes."""
        days: dict[int, Sequence[int]] = {**self._before, self._day: sorted(self._today)}
        return {day: [mark.to_bytes(8) for mark in marks] for day, marks in days.items() if marks}

    @property
    def packed(self) -> list[array[int]]:
        """The hashes of the days that are over, eight bytes each."""
        return [*self._before.values()]

    def reset(self) -> None:
        """Clear the change set after it was handed over."""
        self.added: dict[int, list[bytes]] = {}
        self.outlived = -1
        self.early = 0

    def seen(self, mark: bytes, at: int) -> bool:
        """Return whether an event of this time was seen before, and record it if not."""
        number = int.from_bytes(mark)
        if number in self._today:
            return True
        # None was seen before it happened, but for clocks that differ.
        for day in range(max(at // DAY - 1, next(iter(self._before), self._day)), self._day):
            marks = self._before.get(day)
            if marks and (n := bisect_left(marks, number)) < len(marks) and marks[n] == number:
                return True
        self._today.add(number)
        self.added.setdefault(self._day, []).append(mark)
        self._size += 1
        if self._size > LASTING_MAX:
            had = self._size
            self._drop(next(iter(self._before), self._day))
            self.early += had - self._size
        return False

    def pass_time(self, now: int) -> None:
        """Follow partition time, and forget the days that are too long ago."""
        day = max(now // DAY, self._day if self._today else max(self._before, default=0))
        if day != self._day:
            if self._today:
                self._before[self._day] = _packed(self._today)
            self._day, self._today = day, set(self._before.pop(day, ()))
        last = (now - LASTS) // DAY - 1
        if next(iter(self._before), day) <= last:
            self._drop(last)

    def _drop(self, last: int) -> None:
        for day in [day for day in self._before if day <= last]:
            self._size -= len(self._before.pop(day))
        if self._day <= last:
            self._size -= len(self._today)
            self._today = set()
        self.added = {day: marks for day, marks in self.added.items() if day > last}
        self.outlived = max(self.outlived, last)


def _packed(numbers: Iterable[int]) -> array[int]:
    return array("Q", sorted(numbers))
