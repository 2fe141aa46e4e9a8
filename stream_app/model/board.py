"""The board: what is true now, kept up to date by what changes and by the passing of time.

A reader feeds it the cells and the waiting contacts of every partition as they change; it keeps the running sum of each
window, so that looking at it costs the same after a day as after a minute. Pure: time is an argument. A window that nobody
feeds decays all the same, because buckets leave it when ``advance`` says that time has passed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from typing import Final

from .lifecycle import State, Visit
from .tally import NUMBERS, Cell, unpack_cell
from .windows import KEPT, TOTAL, WINDOWS, Window

Queue = tuple[str, str]
"""(queue, channel)"""
EVERYONE: Final[Queue] = ("", "")
"""All queues and channels together, for percentiles that can't be averaged afterwards."""


class Waiting:
    """Who waits in a queue: when each was queued, and when each is decided at the latest. Sorted."""

    __slots__ = ("due", "queued")

    def __init__(self) -> None:
        self.queued: list[int] = []
        self.due: list[int] = []

    def add(self, queued: int, due: int) -> None:
        """A contact begins to wait."""
        insort(self.queued, queued)
        insort(self.due, due)

    def remove(self, queued: int, due: int) -> None:
        """It does not wait any more."""
        del self.queued[bisect_left(self.queued, queued)]
        del self.due[bisect_left(self.due, due)]

    def overdue(self, start: int, now: int) -> int:
        """How many were decided by the passing of T between ``start`` and ``now``, both inclusive."""
        return max(0, bisect_right(self.due, now) - bisect_left(self.due, start))


class _Running:
    """The sums of one window in one zone."""

    def __init__(self, window: Window, zone: str, now: int) -> None:
        self.window = window
        self.zone = zone
        self.start = window.start(now, zone)
        self.last = now - now % window.resolution
        self.sums: dict[Queue, Cell] = {EVERYONE: {}}

    def holds(self, resolution: int, bucket: int) -> bool:
        return resolution == self.window.resolution and self.start <= bucket <= self.last

    def add(self, queue: Queue, cell: Cell, sign: int) -> None:
        mine = self.sums.get(queue)
        if mine is None:
            mine = self.sums[queue] = {}
        for sums in (mine, self.sums[EVERYONE]):
            for number, n in cell.items():
                left = sums.get(number, 0) + sign * n
                if left:
                    sums[number] = left
                else:
                    sums.pop(number, None)


class Board:
    """Everything that a snapshot is made of."""

    def __init__(self, now: int, numbers: Mapping[str, int] = NUMBERS) -> None:
        """An empty board at ``now`` (ms); ``numbers`` as the store's registry has them."""
        self.now = now
        self.numbers = dict(numbers)
        self.waiting: dict[Queue, Waiting] = {}
        self.totals: dict[Queue, Cell] = {}
        self.changes: dict[Queue, int] = {}
        self._total_sums: dict[Queue, Cell] = {}
        self._visits: dict[str, dict[str, tuple[tuple[Queue, int, int], ...]]] = {}
        self._cells: dict[str, dict[tuple[int, int], dict[Queue, bytes]]] = {}
        self._running: dict[tuple[str, str], _Running] = {}

    def running(self, window: str, zone: str) -> _Running:
        """The sums of a window; kept from the first time that someone asks for them."""
        zone = zone if WINDOWS[window].span is None else ""
        found = self._running.get((window, zone))
        if found is None:
            found = self._running[window, zone] = _Running(WINDOWS[window], zone or "UTC", self.now)
            self._enter(found, found.start, found.last)
        return found

    def put_cells(self, partition: str, resolution: int, bucket: int, cells: Iterable[tuple[Queue, bytes]]) -> None:
        """New absolute values of some of a bucket's cells, packed."""
        if resolution == TOTAL:
            self._put_totals(partition, cells)
            return
        if bucket < self.now - KEPT[resolution]:
            return
        mine = self._cells.setdefault(partition, {}).setdefault((resolution, bucket), {})
        holding = [r for r in self._running.values() if r.holds(resolution, bucket)]
        for queue, packed in cells:
            before = mine.get(queue)
            mine[queue] = packed
            self._changed(queue)
            if holding:
                new, old = unpack_cell(packed), unpack_cell(before) if before else None
                for running in holding:
                    if old:
                        running.add(queue, old, -1)
                    running.add(queue, new, +1)

    def _put_totals(self, partition: str, cells: Iterable[tuple[Queue, bytes]]) -> None:
        mine = self._cells.setdefault(partition, {}).setdefault((TOTAL, 0), {})
        for queue, packed in cells:
            before = mine.get(queue)
            mine[queue] = packed
            self._changed(queue)
            sums = self._total_sums.setdefault(queue, {})
            for sign, cell in ((-1, before), (1, packed)):
                for number, n in unpack_cell(cell).items() if cell else ():
                    sums[number] = sums.get(number, 0) + sign * n
            shown = self.totals.setdefault(queue, {})
            for number, n in sums.items():  # what rate() reads must not fall when Redis was rolled back
                if n > shown.get(number, 0):
                    shown[number] = n

    def put_visits(self, partition: str, contact: str, visits: Iterable[Visit]) -> None:
        """A contact's open visits as they are now (none: it is gone)."""
        mine = self._visits.setdefault(partition, {})
        for queue, queued, due in mine.pop(contact, ()):
            self.waiting[queue].remove(queued, due)
            self._changed(queue)
        now_waiting = tuple(
            ((v.queue, v.channel), v.queued_at, v.due) for v in visits if v.state == State.WAITING
        )
        if now_waiting:
            mine[contact] = now_waiting
        for queue, queued, due in now_waiting:
            self.waiting.setdefault(queue, Waiting()).add(queued, due)
            self._changed(queue)

    def forget(self, partition: str) -> None:
        """Drop what is known of a partition, before it is loaded anew."""
        for contact in list(self._visits.get(partition, ())):
            self.put_visits(partition, contact, ())
        for (resolution, bucket), cells in self._cells.pop(partition, {}).items():
            for queue, packed in cells.items():
                self._changed(queue)
                if resolution == TOTAL:
                    for number, n in unpack_cell(packed).items():
                        self._total_sums[queue][number] -= n
                    continue
                for running in self._running.values():
                    if running.holds(resolution, bucket):
                        running.add(queue, unpack_cell(packed), -1)

    def advance(self, now: int) -> None:
        """Time has passed: buckets enter and leave the windows. A clock set back starts the windows anew."""
        if now < self.now:
            self.now = now
            self._running.clear()
            return
        self.now = now
        for running in self._running.values():
            start = running.window.start(now, running.zone)
            last = now - now % running.window.resolution
            if start > running.start:
                self._leave(running, running.start, start)
                running.start = start
            if last > running.last:
                self._enter(running, max(start, running.last + running.window.resolution), last)
                running.last = last
        for buckets in self._cells.values():
            for key in [k for k in buckets if k[0] != TOTAL and k[1] < now - KEPT[k[0]]]:
                del buckets[key]

    def _enter(self, running: _Running, first: int, last: int) -> None:
        self._shift(running, first, last + 1, +1)

    def _leave(self, running: _Running, first: int, end: int) -> None:
        # Only what the window held: a jump in time may leave behind buckets that never entered.
        self._shift(running, first, min(end, running.last + 1), -1)

    def _shift(self, running: _Running, first: int, end: int, sign: int) -> None:
        for buckets in self._cells.values():
            for (resolution, bucket), cells in buckets.items():
                if resolution == running.window.resolution and first <= bucket < end:
                    for queue, packed in cells.items():
                        running.add(queue, unpack_cell(packed), sign)
                        self._changed(queue)

    def _changed(self, queue: Queue) -> None:
        self.changes[queue] = self.changes.get(queue, 0) + 1
