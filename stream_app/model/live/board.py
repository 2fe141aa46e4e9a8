"""The board: what is true now, kept up to date by what changes and by the passing of time.

A reader feeds it the cells and the waiting contacts of every partition as they change; it keeps the running
sum of each window, so that looking at it costs the same after a day as after a minute. Pure: time is an
argument. A window that nobody feeds decays all the same, because buckets leave it when ``advance`` says that
time has passed.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from msgspec import Struct

from .kpis import TOTALS
from .running import EVERYONE, QUARTER, AtRisk, Bucket, GaveUp, Queue, Running, Waiting, Waits
from .tally import NUMBERS, Cell, add_into, unpack_cell
from .visit import CAME_BACK, State, Visit
from .windows import KEPT, TOTAL, WINDOWS

__all__ = ["EVERYONE", "Board", "Queue", "Running"]

Listed = TypeVar("Listed", AtRisk, GaveUp)


class _Kept(Struct):
    """What is mirrored of a partition, and what a load that is under way has not seen again yet."""

    cells: dict[Bucket, dict[Queue, bytes]] = {}
    visits: dict[str, tuple[Waits, ...]] = {}
    moods: dict[str, tuple[AtRisk, ...]] = {}
    gone: dict[str, tuple[GaveUp, ...]] = {}
    old_cells: dict[Bucket, set[Queue]] = {}
    old_visits: set[str] = set()


class Board:
    """Everything that a snapshot is made of."""

    def __init__(self, now: int, numbers: Mapping[str, int] = NUMBERS) -> None:
        """An empty board at ``now`` (ms); ``numbers`` as the store's registry has them."""
        self.now = now
        self.numbers = dict(numbers)
        self.waiting: dict[Queue, Waiting] = {}
        self.totals: dict[Queue, dict[str, int]] = {}
        self.moods: dict[Queue, Counter[AtRisk]] = {}
        self.gone: dict[Queue, Counter[GaveUp]] = {}
        self.quarters: dict[Queue, set[int]] = {}
        self.changes: dict[Queue, int] = {}
        self._total_sums: dict[Queue, Cell] = {}
        self._kept: dict[str, _Kept] = {}
        self._running: dict[tuple[str, str], Running] = {}
        self._things: dict[Queue, int] = {}  # how many cells and waiting visits are kept of a queue

    def queues(self) -> list[Queue]:
        """Those of which anything is kept, sorted."""
        return sorted(queue for queue, things in self._things.items() if things)

    def restart_totals(self) -> None:
        """The store is another one than before: totals begin again, as those of a restarted process do."""
        self.totals = {}

    def renumber(self, numbers: Mapping[str, int]) -> None:
        """The store numbers its counters so. Cells under another numbering must have been forgotten."""
        self.numbers = dict(numbers)

    def running(self, window: str, zone: str) -> Running:
        """The sums of a window; kept from the first time that someone asks for them."""
        zone = zone if WINDOWS[window].span is None else ""
        found = self._running.get((window, zone))
        if found is None:
            found = self._running[window, zone] = Running(WINDOWS[window], zone or "UTC", self.now)
            self._shift(found, found.start, found.last + 1, +1)
        return found

    def put_cells(
        self, partition: str, resolution: int, bucket: int, cells: Iterable[tuple[Queue, bytes]]
    ) -> None:
        """New absolute values of some of a bucket's cells, packed."""
        if resolution != TOTAL and bucket < self.now - KEPT[resolution]:
            return
        kept = self._of(partition)
        mine = kept.cells.setdefault((resolution, bucket), {})
        old = kept.old_cells.get((resolution, bucket))
        holding = [r for r in self._running.values() if r.holds(resolution, bucket)]
        for queue, packed in cells:
            if old:
                old.discard(queue)
            before = mine.get(queue)
            if before == packed:
                continue
            mine[queue] = packed
            self._touch(queue, 0 if before else 1)
            if resolution == QUARTER:
                self.quarters.setdefault(queue, set()).add(bucket)
            if holding or resolution == TOTAL:
                self._add(queue, _difference(before, packed), resolution, holding)

    def _add(self, queue: Queue, difference: Cell, resolution: int, holding: list[Running]) -> None:
        for running in holding:
            running.add(queue, difference)
        if resolution != TOTAL:
            return
        sums = self._total_sums.setdefault(queue, {})
        for number, n in difference.items():
            sums[number] = sums.get(number, 0) + n
        shown = self.totals.setdefault(queue, dict.fromkeys(TOTALS, 0))
        for name, terms in TOTALS.items():
            now = sum(sign * sums.get(self.numbers.get(c.name, 0), 0) for sign, c in terms.terms)
            shown[name] = max(shown[name], now)  # what rate() reads must not fall when Redis was rolled back

    def put_visits(self, partition: str, contact: str, visits: Iterable[Visit]) -> None:
        """A contact's open visits as they are now (none: it is gone)."""
        kept = self._of(partition)
        kept.old_visits.discard(contact)
        visits = tuple(visits)
        moods = tuple(
            AtRisk(contact, v.queue, v.channel, v.predicted, v.queued_at, v.state, v.agent)
            for v in visits
            if v.predicted and v.state != State.ABANDONED
        )
        gone = tuple(
            GaveUp(contact, v.queue, v.channel, v.since, v.wait, v.wait <= v.short_abandon)
            for v in visits
            if v.state == State.ABANDONED and not v.seen & CAME_BACK
        )
        self._list(self.moods, kept.moods, contact, moods)
        self._list(self.gone, kept.gone, contact, gone)
        before = kept.visits.get(contact, ())
        waits = tuple(((v.queue, v.channel), v.queued_at, v.due) for v in visits if v.state == State.WAITING)
        if waits == before:
            return
        for queue, queued, due in before:
            self.waiting[queue].remove(queued, due)
            self._touch(queue, -1)
        for queue, queued, due in waits:
            self.waiting.setdefault(queue, Waiting()).add(queued, due)
            self._touch(queue, +1)
        if waits:
            kept.visits[contact] = waits
        else:
            del kept.visits[contact]

    def _list(
        self,
        lists: dict[Queue, Counter[Listed]],
        mine: dict[str, tuple[Listed, ...]],
        contact: str,
        listed: tuple[Listed, ...],
    ) -> None:
        """Replace what a list of each queue holds of a contact; ``mine`` is what is mirrored of its partition."""
        before = mine.get(contact, ())
        if listed == before:
            return
        for sign, changed in ((-1, before), (+1, listed)):
            for one in changed:
                queue = (one.queue, one.channel)
                found = lists.setdefault(queue, Counter())
                found[one] += sign
                if not found[one]:
                    del found[one]
                self._touch(queue, sign)
        if listed:
            mine[contact] = listed
        else:
            del mine[contact]

    def mark_quarters(self) -> None:
        """All that is kept counts as changed."""
        for kept in self._kept.values():
            for (resolution, bucket), cells in kept.cells.items():
                if resolution == QUARTER:
                    for queue in cells:
                        self.quarters.setdefault(queue, set()).add(bucket)

    def quarter(self, queue: Queue, bucket: int) -> Cell:
        """The sums of one quarter of an hour, over the partitions."""
        sums: Cell = {}
        for packed in self.packed_quarter(queue, bucket):
            add_into(sums, unpack_cell(packed))
        return sums

    def packed_quarter(self, queue: Queue, bucket: int) -> tuple[bytes, ...]:
        """What that is the sum of, as it is kept: the same bytes as long as nothing changed."""
        place = (QUARTER, bucket)
        found = [kept.cells[place].get(queue) for kept in self._kept.values() if place in kept.cells]
        return tuple([packed for packed in found if packed])

    def mark(self, partition: str) -> None:
        """A partition is about to be loaded anew: what is not put again until ``sweep`` does not exist.

        Until then everything stays as it was, so that whoever looks meanwhile sees no hole.
        """
        kept = self._of(partition)
        kept.old_cells = {place: set(cells) for place, cells in kept.cells.items()}
        kept.old_visits = {*kept.visits, *kept.moods, *kept.gone}

    def sweep(self, partition: str) -> None:
        """The load is complete."""
        kept = self._of(partition)
        for contact in list(kept.old_visits):
            self.put_visits(partition, contact, ())
        for place, queues in kept.old_cells.items():
            mine = kept.cells.get(place, {})  # time may have dropped the bucket meanwhile
            holding = [r for r in self._running.values() if r.holds(*place)]
            for queue in queues & mine.keys():
                self._add(queue, _difference(mine.pop(queue), None), place[0], holding)
                if place[0] == QUARTER:
                    self.quarters.setdefault(queue, set()).add(place[1])
                self._touch(queue, -1)
        kept.old_cells = {}

    def forget(self, partition: str) -> None:
        """Drop what is known of a partition."""
        self.mark(partition)
        self.sweep(partition)
        del self._kept[partition]

    def advance(self, now: int) -> None:
        """Time has passed: buckets enter and leave the windows. A clock set back starts the windows anew."""
        if now < self.now:
            self._running.clear()
            for queue in self._things:
                self._touch(queue, 0)
        self.now = now
        for running in self._running.values():
            start = running.window.start(now, running.zone)
            last = now - now % running.window.resolution
            if start > running.start:
                # Only what the window held: a jump in time may leave behind buckets that never entered.
                self._shift(running, running.start, min(start, running.last + 1), -1)
                running.start = start
            if last > running.last:
                self._shift(running, max(start, running.last + running.window.resolution), last + 1, +1)
                running.last = last
        for kept in self._kept.values():
            for place in [p for p in kept.cells if p[0] != TOTAL and p[1] < now - KEPT[p[0]]]:
                for queue in kept.cells.pop(place):
                    self._touch(queue, -1)

    def _shift(self, running: Running, first: int, end: int, sign: int) -> None:
        for kept in self._kept.values():
            for (resolution, bucket), cells in kept.cells.items():
                if resolution == running.window.resolution and first <= bucket < end:
                    for queue, packed in cells.items():
                        running.add(queue, unpack_cell(packed), sign)
                        self._touch(queue, 0)

    def _of(self, partition: str) -> _Kept:
        return self._kept.setdefault(partition, _Kept())

    def _touch(self, queue: Queue, things: int) -> None:
        self.changes[queue] = self.changes.get(queue, 0) + 1
        self._things[queue] = self._things.get(queue, 0) + things


def _difference(before: bytes | None, after: bytes | None) -> Cell:
    """What to add to turn one packed cell into the other."""
    if before is None:
        return unpack_cell(after) if after else {}
    out = unpack_cell(after) if after else {}
    for number, n in unpack_cell(before).items():
        left = out.get(number, 0) - n
        if left:
            out[number] = left
        else:
            out.pop(number, None)
    return out
