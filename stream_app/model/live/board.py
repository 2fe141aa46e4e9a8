"""The board: what is true now, kept up to date by what changes and by the passing of time.

A reader feeds it the cells and the waiting contacts of every partition as they change; it keeps the running sum of each window,
so that reading it costs the same after a day as after a minute. Pure: time is an argument. A window without updates decays all
the same, because ``advance`` moves buckets out of it as time passes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import NUMBERS, Cell, add_into, unpack_cell
from stream_app.model.fold.visit import CAME_BACK, CONVERSING, OVER, WRITTEN, Visit, VisitState
from stream_app.model.kpis import TOTALS
from stream_app.model.ports import Partition
from stream_app.model.presence import Presence
from stream_app.model.windows import BASE, KEPT, TOTAL, WINDOWS

from .people import People
from .running import (
    EVERYONE,
    INTERVAL_MS,
    AtRisk,
    Bucket,
    GaveUp,
    Running,
    TalkingQueue,
    Talks,
    Waiting,
    WaitingQueue,
    difference,
)

__all__ = ["EVERYONE", "Board", "QueueChannel", "Running"]

Listed = TypeVar("Listed", AtRisk, GaveUp)


class _Kept(Struct):
    """The mirror of a partition, and what a load in progress has not seen again yet; ``past``: what comes is history."""

    cells: dict[Bucket, dict[QueueChannel, bytes]] = {}
    visits: dict[str, tuple[WaitingQueue, ...]] = {}
    moods: dict[str, tuple[AtRisk, ...]] = {}
    gone: dict[str, tuple[GaveUp, ...]] = {}
    talks: dict[str, tuple[TalkingQueue, ...]] = {}
    old_cells: dict[Bucket, set[QueueChannel]] = {}
    old_visits: set[str] = set()
    old_agents: set[str] = set()
    past: bool = False


class Board:
    """The source of every snapshot.

    Attributes:
        totals: contacts since counting began, history included.
        live: contacts that were counted as they happened, since this board began: what rates are taken of. A recording, what
            is counted more than 20 minutes after it happened, and what was there before are not among them.
    """

    def __init__(self, now: int, numbers: Mapping[str, int] = NUMBERS) -> None:
        """Start empty at ``now`` (ms); ``numbers`` as the store's registry has them."""
        self.now = now
        self.numbers = dict(numbers)
        self.waiting: dict[QueueChannel, Waiting] = {}
        self.totals: dict[QueueChannel, dict[str, int]] = {}
        self.live: dict[QueueChannel, dict[str, int]] = {}
        self.moods: dict[QueueChannel, Counter[AtRisk]] = {}
        self.gone: dict[QueueChannel, Counter[GaveUp]] = {}
        self.talks: dict[QueueChannel, Talks] = {}
        self.people = People()
        self.changed_intervals: dict[QueueChannel, set[int]] = {}
        self.changes: dict[QueueChannel, int] = {}
        self._total_sums: dict[QueueChannel, Cell] = {}
        self._live_sums: dict[QueueChannel, Cell] = {}
        self._met: set[str] = set()
        self._kept: dict[str, _Kept] = {}
        self._running: dict[tuple[str, str], Running] = {}
        self._things: dict[QueueChannel, int] = {}  # how many cells and waiting visits of a queue are kept

    def queues(self) -> list[QueueChannel]:
        """Return the queues that have any data, sorted."""
        return sorted(queue for queue, things in self._things.items() if things)

    def restart_totals(self) -> None:
        """Restart totals from zero, as a restarted process does: the store was replaced."""
        self.totals = {}

    def renumber(self, numbers: Mapping[str, int]) -> None:
        """Adopt the store's numbering of counters. Cells under another numbering must have been forgotten."""
        self.numbers = dict(numbers)

    def running(self, window: str, zone: str) -> Running:
        """Return the sums of a window; kept up to date from the first request on."""
        zone = zone if WINDOWS[window].span is None else ""
        found = self._running.get((window, zone))
        if found is None:
            found = self._running[window, zone] = Running(WINDOWS[window], zone or "UTC", self.now)
            self._shift(found, found.start, found.last + 1, +1)
        return found

    def put_cells(
        self, partition: str, resolution: int, bucket: int, cells: Iterable[tuple[QueueChannel, bytes]]
    ) -> None:
        """Set new absolute values of some of a bucket's cells, packed."""
        if resolution != TOTAL and bucket < self.now - KEPT[resolution]:
            return
        kept = self._of(partition)
        self._met.add(partition)
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
            if resolution == INTERVAL_MS:
                self.changed_intervals.setdefault(queue, set()).add(bucket)
            if holding or resolution in (TOTAL, BASE):
                changed = difference(before, packed)
                for running in holding:
                    running.add(queue, changed)
                self._total(queue, changed, resolution, kept)

    def _total(self, queue: QueueChannel, changed: Cell, resolution: int, kept: _Kept) -> None:
        if resolution == TOTAL:
            self._add(queue, changed, self._total_sums, self.totals)
        elif resolution == BASE and not kept.past:
            self._add(queue, changed, self._live_sums, self.live)

    def _add(
        self,
        queue: QueueChannel,
        changed: Cell,
        added: dict[QueueChannel, Cell],
        totals: dict[QueueChannel, dict[str, int]],
    ) -> None:
        sums = added.setdefault(queue, {})
        for number, n in changed.items():
            sums[number] = sums.get(number, 0) + n
        shown = totals.setdefault(queue, dict.fromkeys(TOTALS, 0))
        for name, terms in TOTALS.items():
            now = sum(sign * sums.get(self.numbers.get(c.name, 0), 0) for sign, c in terms.terms)
            shown[name] = max(shown[name], now)  # what rate() reads must not fall when Redis was rolled back

    def put_visits(self, partition: str, contact: str, visits: Iterable[Visit]) -> None:
        """Set a contact's open visits (none: it is gone)."""
        kept = self._of(partition)
        kept.old_visits.discard(contact)
        visits = tuple(visits)
        moods = tuple(
            AtRisk(contact, v.queue, v.channel, v.predicted, v.queued_at, v.state, v.agent)
            for v in visits
            if v.predicted and v.state not in OVER
        )
        gone = tuple(
            GaveUp(contact, v.queue, v.channel, v.since, v.wait, v.is_short(v.wait))
            for v in visits
            if v.state == VisitState.ABANDONED and not v.seen & CAME_BACK
        )
        self._list(self.moods, kept.moods, contact, moods)
        self._list(self.gone, kept.gone, contact, gone)
        self._converse(kept, contact, visits)
        self.people.put_visits(partition, contact, visits, self.now)
        before = kept.visits.get(contact, ())
        waits = tuple(
            ((v.queue, v.channel), v.queued_at, v.due) for v in visits if v.state == VisitState.WAITING
        )
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

    def put_agent(self, partition: str, agent: str, presence: Presence | None) -> None:
        """Set what was told of an agent (``None``: it is forgotten)."""
        self._of(partition).old_agents.discard(agent)
        self.people.put_agent(partition, agent, presence)

    def _converse(self, kept: _Kept, contact: str, visits: Iterable[Visit]) -> None:
        """Replace a contact's conversations."""
        now = tuple(
            ((v.queue, v.channel), v.state, v.clock)
            for v in visits
            if v.state == VisitState.WITH_BOT or (v.seen & WRITTEN and v.state in CONVERSING)
        )
        before = kept.talks.get(contact, ())
        if now == before:
            return
        for queue, state, clock in before:
            self.talks[queue].remove(state, clock)
            self._touch(queue, -1)
        for queue, state, clock in now:
            self.talks.setdefault(queue, Talks()).add(state, clock)
            self._touch(queue, +1)
        if now:
            kept.talks[contact] = now
        else:
            del kept.talks[contact]

    def _list(
        self,
        lists: dict[QueueChannel, Counter[Listed]],
        mine: dict[str, tuple[Listed, ...]],
        contact: str,
        listed: tuple[Listed, ...],
    ) -> None:
        """Replace a contact in the list of each queue; ``mine`` is the mirror of its partition."""
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

    def in_line(self) -> Iterator[tuple[str, QueueChannel, int]]:
        """Yield the contacts that wait: id, queue and channel, and since when."""
        for kept in self._kept.values():
            for contact, waits in kept.visits.items():
                for queue, queued_at, _ in waits:
                    yield contact, queue, queued_at

    def mark_intervals(self) -> None:
        """Mark all intervals that are kept as changed."""
        for kept in self._kept.values():
            for (resolution, bucket), cells in kept.cells.items():
                if resolution == INTERVAL_MS:
                    for queue in cells:
                        self.changed_intervals.setdefault(queue, set()).add(bucket)

    def interval(self, queue: QueueChannel, bucket: int) -> Cell:
        """Return the sums of one 15-minute interval over the partitions."""
        sums: Cell = {}
        for packed in self.packed_interval(queue, bucket):
            add_into(sums, unpack_cell(packed))
        return sums

    def packed_interval(self, queue: QueueChannel, bucket: int) -> tuple[bytes, ...]:
        """Return the packed cells that ``interval`` adds up: the same bytes as long as nothing changed."""
        place = (INTERVAL_MS, bucket)
        found = [kept.cells[place].get(queue) for kept in self._kept.values() if place in kept.cells]
        return tuple([packed for packed in found if packed])

    def mark(self, partition: str) -> None:
        """Begin to reload a partition: what is not put again until ``sweep`` no longer exists.

        Until then everything stays as it was, so that readers see no hole meanwhile.
        """
        kept = self._of(partition)
        kept.past |= partition not in self._met  # what a reader finds at first happened before it looked
        self._met.add(partition)
        kept.old_cells = {place: set(cells) for place, cells in kept.cells.items()}
        kept.old_visits = {*kept.visits, *kept.moods, *kept.gone, *kept.talks}
        kept.old_visits |= self.people.contacts(partition)
        kept.old_agents = self.people.of_partition(partition)

    def sweep(self, partition: str) -> None:
        """Complete the reload: drop what was not put again."""
        kept = self._of(partition)
        for contact in list(kept.old_visits):
            self.put_visits(partition, contact, ())
        for agent in list(kept.old_agents):
            self.put_agent(partition, agent, None)
        for place, queues in kept.old_cells.items():
            mine = kept.cells.get(place, {})  # time may have dropped the bucket meanwhile
            holding = [r for r in self._running.values() if r.holds(*place)]
            for queue in queues & mine.keys():
                gone = difference(mine.pop(queue), None)
                for running in holding:
                    running.add(queue, gone)
                self._total(queue, gone, place[0], kept)
                if place[0] == INTERVAL_MS:
                    self.changed_intervals.setdefault(queue, set()).add(place[1])
                self._touch(queue, -1)
        kept.old_cells = {}
        kept.past = not Partition.parse(partition).is_live

    def forget(self, partition: str) -> None:
        """Drop everything about a partition."""
        self.mark(partition)
        self.sweep(partition)
        del self._kept[partition]

    def advance(self, now: int) -> None:
        """Move to ``now``: buckets enter and leave the windows. A clock set back starts the windows anew."""
        if now < self.now:
            self._running.clear()
            for queue in self._things:
                self._touch(queue, 0)
        self.now = now
        for running in self._running.values():
            start = running.window.start(now, running.zone)
            last = now - now % running.window.resolution
            if start > running.start:
                # Only what the window held: a jump in time may leave buckets behind that never entered.
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
        found = self._kept.get(partition)
        if found is None:
            found = self._kept[partition] = _Kept(past=not Partition.parse(partition).is_live)
        return found

    def _touch(self, queue: QueueChannel, things: int) -> None:
        self.changes[queue] = self.changes.get(queue, 0) + 1
        self._things[queue] = self._things.get(queue, 0) + things
