"""Publishes interval rows: adds partitions up, numbers every change of what is final, and writes it, as the only one.

One of the workers does it, under a lease; a former one is refused as a whole, like the former owner of a partition. All that it
does can be done again: what is not acknowledged is looked at anew, and a row that is as it was gets no number.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final
from uuid import uuid4

import structlog
from msgspec import Struct

from stream_app.errors import FencedError, StoreUnavailableError
from stream_app.model.interval_rows import ACTIVE, IntervalRow
from stream_app.model.intervals import DAY, LONGEST_COUNTED, QUARTER, quarter, quarter_of_day
from stream_app.model.ports import Partition

from .admin import remaining
from .interval_reader import IntervalReader
from .published import Change, Place, Progress, Published, State, Told
from .published_days import Days

_log = structlog.get_logger(__name__)

GRACE_MS: Final = 900_000
LEASE_MS: Final = 30_000
"""Longer than the pause between two rounds, and extended within long ones."""
SETTLED_AFTER: Final = LONGEST_COUNTED + 2 * DAY + QUARTER
"""A partition counts nothing any more in rows this far behind its time: an outcome is at most so late, an event two days."""
CHANGES: Final = 1_000
PLACES: Final = 100
"""So many queues and channels are written at once."""
TOLD: Final = 5_000

Tell = Callable[[list[IntervalRow]], Awaitable[None]]


class Round(Struct):
    """What a round did, for whoever looks.

    Attributes:
        leading: whether it was ours to do.
        rows: how many rows got a number.
    """

    leading: bool = False
    rows: int = 0


class Publisher:
    """Publishes, round by round."""

    def __init__(
        self,
        store: Published,
        clock: Callable[[], int],
        *,
        grace_ms: int = GRACE_MS,
        reader: IntervalReader | None = None,
        tell: Tell | None = None,
    ) -> None:
        """``tell`` is told of every final row and revision, in order; ``reader`` reads them back for it."""
        self._store = store
        self._clock = clock
        self._grace_ms = grace_ms
        self._reader = reader
        self._tell = tell
        self._token = uuid4().hex[:12]
        self._epoch = 0
        self._state = State()
        self._round = Round()

    async def round(self) -> Round:
        """Publish what has changed, as far as it goes.

        Raises:
            StoreUnavailableError: no answer; ask again.
            QuarantinedError: a key has a foreign type: a human must look.
        """
        self._round = Round()
        try:
            await self._lead()
        except FencedError as error:
            self._epoch = 0
            _log.warning("publisher_fenced", error=str(error))
        except BaseException:
            self._epoch = 0  # what was written is not known: begin with what the store has
            raise
        return self._round

    async def release(self) -> None:
        """Let somebody else publish, and let go of the connections."""
        try:
            if self._epoch:
                await self._store.lease(self._token, 0)
        except StoreUnavailableError as error:
            _log.debug("lease_not_released", error=str(error))
        await self._store.close()
        if self._reader is not None:
            await self._reader.close()

    async def _lead(self) -> None:
        epoch, writes = await self._store.lease(self._token, LEASE_MS)
        if not epoch:
            self._epoch = 0
            return
        self._round.leading = True
        if epoch != self._epoch or writes != self._state.writes:
            self._epoch = epoch
            self._state = await self._store.restore()
            _log.info("publishing", epoch=epoch, revision=self._state.revision)
        progress = await self._store.progress()
        live = [one.read_to for one in progress if one.partition.is_live]
        read_to = quarter(min(live, default=0) - self._grace_ms) if live and min(live) > 0 else 0
        if not self._state.final:
            if not read_to:
                return  # nobody has said yet how far the topic was read
            self._state.final = read_to
        await self._drain()
        await self._finish(read_to, [one.partition for one in progress if one.partition.is_live])
        await self._settle(progress)
        await self._announce()

    async def _extend(self) -> None:
        """Long work: stay the one who does it."""
        epoch, _ = await self._store.lease(self._token, LEASE_MS)
        if epoch != self._epoch:
            raise FencedError("interval rows: the lease ran out, and somebody else has it")

    # --- what partitions changed ---

    async def _drain(self) -> None:
        while changes := await self._store.changes(CHANGES):
            self._see(changes)
            await self._merge(changes)
            await self._store.acknowledge(changes)
            await self._extend()

    def _see(self, changes: Iterable[Change]) -> None:
        """Note from when to when queues were heard of, and partitions read."""
        seen, spans = self._state.seen, self._state.spans
        for change in changes:
            start, name = change.start, str(change.partition)
            first, last = seen.get(change.place, (start, start))
            seen[change.place] = (min(first, start), max(last, start))
            begin, end = spans.get(name, (start, start))
            spans[name] = (min(begin, start), max(end, start + QUARTER))

    async def _merge(self, changes: list[Change]) -> None:
        """Add up over partitions what some rows are now."""
        by_place: dict[Place, list[Change]] = defaultdict(list)
        for change in changes:
            by_place[change.place].append(change)
        for places in _chunks(sorted(by_place), PLACES):
            told = Told(seen=set(places))
            mine = [change for place in places for change in by_place[place]]
            told.spans |= {str(change.partition) for change in mine}
            rows = {(change.start, change.place) for change in mine}
            days = Days(self._store)
            await days.load({(start // DAY, place) for start, place in rows})
            for (start, place), by_partition in sorted((await self._store.counted(rows)).items()):
                (await days.of(start // DAY, place)).count(quarter_of_day(start), by_partition)
                await asyncio.sleep(0)
            await self._end_recordings(days, mine, told)
            for place in places:
                starts = [change.start for change in by_place[place]]
                await self._fill(days, place, min(starts), max(starts))
            await days.chain()
            await self._write(days, told)

    async def _end_recordings(self, days: Days, changes: Iterable[Change], told: Told) -> None:
        """Whoever waits where a recording ends does not wait for ever."""
        last: dict[Partition, dict[Place, int]] = defaultdict(dict)
        for change in changes:
            if not change.partition.is_live:
                known = last[change.partition]
                known[change.place] = max(change.start, known.get(change.place, 0))
        over = self._state.over
        for partition, places in last.items():
            number = self._store.number(partition)
            waiting = await remaining(self._store.client, partition, places)
            for place, start in places.items():
                before = over.get((number, place), 0)
                end = max(start, before)
                if before and before // DAY != end // DAY:
                    (await days.of(before // DAY, place)).go_on_recording(number)
                (await days.of(end // DAY, place)).end_recording(number, quarter_of_day(end), waiting[place])
                over[number, place] = end
                told.over.add((number, place))

    async def _fill(self, days: Days, place: Place, first: int, last: int) -> None:
        """Rows of zeros where nobody came, from the last day before the first change to the last change."""
        began = self._state.seen[place][0]
        begin = first - first % DAY
        if (
            days.is_new(first // DAY, place)
            and (before := await days.before(first // DAY, place)) is not None
        ):
            begin = before * DAY
        begin = max(begin, began, first - ACTIVE)
        for number in range(begin // DAY, last // DAY + 1):
            await self._zeros(days, number, place, max(begin, number * DAY), self._state.final)

    async def _zeros(self, days: Days, number: int, place: Place, begin: int, end: int) -> None:
        end = min(end, (number + 1) * DAY, self._state.seen[place][1] + ACTIVE)
        starts = [start for start in range(begin, end, QUARTER) if self._was_read(start)]
        if not starts:
            return
        day = await days.of(number, place)
        for start in starts:
            day.zero(quarter_of_day(start))
        await asyncio.sleep(0)

    def _was_read(self, start: int) -> bool:
        return any(begin <= start < end for begin, end in self._state.spans.values())

    async def _write(self, days: Days, told: Told, final: int | None = None) -> None:
        """Number what is final, or changed since it was, and publish it.

        Args:
            days: to write.
            told: what else to write.
            final: number what ends by then; by default what is final already.
        """
        state = self._state
        revision = max(state.revision, self._clock())
        for (number, place), day in sorted(days.items()):
            quarters, revision = day.finish(state.final if final is None else final, revision)
            if quarters:
                told.numbered.append((number, place, quarters))
        if told.numbered:
            state.revision = revision
            self._round.rows += sum(len(quarters) for _, _, quarters in told.numbered)
        changed = {key: day.day for key, day in days.items() if day.changed}
        await self._store.write(self._token, state, changed, told)

    # --- what time makes final ---

    async def _finish(self, read_to: int, live: Iterable[Partition]) -> None:
        """All up to there was read, and the grace is over: day by day, a row for every queue that is heard of."""
        state, names = self._state, [str(partition) for partition in live]
        while state.final < read_to:
            begin = state.final
            end = min(read_to, begin - begin % DAY + DAY)
            for name in names:
                first, last = state.spans.get(name, (begin, begin))
                state.spans[name] = (first, max(last, end))
            heard_of = sorted(
                place for place, (first, last) in state.seen.items() if first < end and last > begin - ACTIVE
            )
            chunks = list(_chunks(heard_of, PLACES)) or [[]]
            for places in chunks:
                days = Days(self._store)
                await days.load({(begin // DAY, place) for place in places})
                for place in places:
                    await self._zeros(days, begin // DAY, place, max(begin, state.seen[place][0]), end)
                await days.chain()
                if places is chunks[-1]:
                    state.final = end
                await self._write(days, Told(spans=set(names)), end)
            await self._extend()

    # --- what partitions need not keep ---

    async def _settle(self, progress: Iterable[Progress]) -> None:
        """Take over, for good, the rows of days in which a partition counts nothing any more."""
        for one in progress:
            before = (one.time - SETTLED_AFTER) // DAY
            for key in await self._store.settling(one.partition, before, PLACES):
                days = Days(self._store)
                day = await days.of(*key)
                if one.number not in day.day.settled:
                    rows, last = await self._store.rows_of(one.partition, key)
                    day.settle(one.number, rows, last=last)
                    await self._write(days, Told())
                await self._store.let_go(one.partition, key)

    # --- who is told ---

    async def _announce(self) -> None:
        """Tell of what got a number, once it is stored: who is told twice hears the same."""
        state = self._state
        if self._tell is None or self._reader is None:
            return
        while state.announced < state.revision:
            rows = await self._reader.since(state.announced, TOLD)
            if rows:
                await self._tell(rows)
            state.announced = rows[-1].revision if rows else state.revision
            await self._store.announced(state.announced)
            await self._extend()


def _chunks(items: list[Place], size: int) -> Iterator[list[Place]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
