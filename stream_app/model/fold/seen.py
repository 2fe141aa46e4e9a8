"""The event ids seen of late, which distinguish a repetition from a new event: for two days at least.

Each takes eight bytes, and nearly every look-up is for an id that was never seen. So the hashes stand one after the other in
16,384 short strings, by their first two bytes, in the order in which they were added: a look-up is one search in one of these,
and to forget a day is to cut off their heads. What else was tried: docs/decisions/0017.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from itertools import chain
from typing import Final

from stream_app.model.durations import DAY, HOUR, MINUTE

SIZE: Final = 8
"""Bytes of a hash."""
DAYS: Final = 3
"""Of how many days ids are remembered: the latest in which there were any, by partition time."""
RECENT_MAX = 10_000_000  # not Final: compiled code would not see that a test lowers it
"""The most ids that are remembered of a partition: 80 MB."""
_DAY: Final = DAY // MINUTE
_ROWS: Final = range(256)
_COLUMNS: Final = 64


def fingerprint(event_id: str) -> bytes:
    """Return eight bytes that represent an event id."""
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest()


class SeenIds:
    """The event ids of the latest three days in which there were any.

    Hashes are handed over by *hour*, which is named by its first minute since the epoch: what is stored under one is small.

    Attributes:
        added: hour → hashes added since ``reset``.
        forgotten: this minute and all before were dropped since; -1 if none were.
        early: how many were dropped since because there were too many.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._hour = self._day = 0
        self._clear()
        self.reset()

    def _clear(self) -> None:
        self._rows = [[b""] * _COLUMNS for _ in _ROWS]
        self._begins: dict[int, array[int]] = {}  # day → how much of each string is from before it
        self._size = 0

    def __contains__(self, mark: bytes) -> bool:
        """Return whether an id was seen."""
        marks = self._rows[mark[0]][mark[1] % _COLUMNS]
        return mark in marks and _is_one(mark, marks, 0)

    def __len__(self) -> int:
        """Return how many are remembered; one that was added on two days counts twice."""
        return self._size

    def of_day(self, day: int) -> Iterator[bytes]:
        """Yield the hashes that were added in a day."""
        begins, after = self._begins[day], self._after(day)
        for n, marks in enumerate(self._strings()):
            if marks:
                end = after[n] if after else len(marks)
                yield from (marks[i : i + SIZE] for i in range(begins[n], end, SIZE))

    @property
    def days(self) -> dict[int, list[bytes]]:
        """Day → hashes added in it, sorted."""
        return {day: sorted(self.of_day(day)) for day in self._begins}

    def _after(self, day: int) -> array[int] | None:
        return next((begins for later, begins in self._begins.items() if later > day), None)

    def _strings(self) -> Iterator[bytes]:
        return chain.from_iterable(self._rows)

    # --- changes ---

    def reset(self) -> None:
        """Clear the change set after it was handed over."""
        self.added: dict[int, list[bytes]] = {}
        self.forgotten = -1
        self.early = 0

    def restore(self, hour: int, marks: bytes) -> None:
        """Take back what was stored of an hour; the earliest first."""
        self._turn(hour // _DAY)
        by_string: dict[tuple[int, int], list[bytes]] = {}
        for i in range(0, len(marks), SIZE):
            mark = marks[i : i + SIZE]
            by_string.setdefault((mark[0], mark[1] % _COLUMNS), []).append(mark)
        for (row, column), more in by_string.items():
            self._rows[row][column] += b"".join(more)
        self._size += len(marks) // SIZE

    def pass_time(self, minute: int) -> None:
        """Follow partition time: what is added from now on is of this hour."""
        self._hour, self._day = minute - minute % (HOUR // MINUTE), minute // _DAY

    def step_back(self, minute: int) -> None:
        """Follow partition time back: what was seen in later days was seen in this one."""
        self.pass_time(minute)
        day = minute // _DAY
        moved = [mark for later in self._begins if later > day for mark in self.of_day(later)]
        if not moved:
            return
        kept = {d: list(self.of_day(d)) for d in self._begins if d <= day}
        self.forgotten = _last_minute(max(self._begins))
        self.added = {}
        self._clear()
        for d, marks in kept.items():
            self.pass_time(d * _DAY)
            for mark in marks:
                self.add(mark)
        self.pass_time(minute)
        for mark in moved:
            self.add(mark)

    def add(self, mark: bytes) -> None:
        """Record an id as seen now."""
        day = self._day
        begins = self._begins.get(day) or self._turn(day)
        row, column = self._rows[mark[0]], mark[1] % _COLUMNS
        if mark in row[column] and _is_one(mark, row[column], begins[mark[0] * _COLUMNS + column]):
            return
        if self._size >= RECENT_MAX:
            self.early += self._drop_day()
            self._turn(day)
        row[column] += mark
        self._size += 1
        self.added.setdefault(self._hour, []).append(mark)

    def _turn(self, day: int) -> array[int]:
        """Begin a day, unless it has begun; return how much of each string is from before it."""
        begins = self._begins.get(day)
        if begins is None:
            if len(self._begins) == DAYS:
                self._drop_day()
            begins = self._begins[day] = array("I", map(len, self._strings()))
        return begins

    def _drop_day(self) -> int:
        """Forget the earliest day; return how many ids it had."""
        first = next(iter(self._begins))
        cut = self._after(first) or array("I", map(len, self._strings()))
        del self._begins[first]
        for n, gone in enumerate(cut):
            if gone:
                row, column = self._rows[n // _COLUMNS], n % _COLUMNS
                row[column] = row[column][gone:]
        for day, begins in self._begins.items():
            self._begins[day] = array("I", [begin - gone for begin, gone in zip(begins, cut, strict=True)])
        dropped = sum(cut) // SIZE
        self._size -= dropped
        self.forgotten = max(self.forgotten, _last_minute(first))
        self.added = {hour: marks for hour, marks in self.added.items() if hour // _DAY > first}
        return dropped


def _last_minute(day: int) -> int:
    return (day + 1) * _DAY - 1


def _is_one(mark: bytes, marks: bytes, start: int) -> bool:
    """Return whether a hash stands among others from there on, and not across two of them."""
    at = marks.find(mark, start)
    while at % SIZE and at >= 0:
        at = marks.find(mark, at + 1)
    return at >= 0
