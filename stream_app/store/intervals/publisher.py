"""The publisher of interval rows: adds partitions up, numbers every change of final rows, and writes them.

One of the workers does it, under a lease; a former publisher is refused as a whole, like the former owner of a partition. All
steps can be repeated: what is not acknowledged is published again, and a row that has not changed gets no new number.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Final
from uuid import uuid4

import structlog

from stream_app.errors import FencedError, StoreUnavailableError, StreamAppError
from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.intervals.counting import NUMBERS, SETTLED_AFTER, interval_of_day
from stream_app.model.intervals.day import PublishedDay
from stream_app.model.ports import Partition

from .commands import IntervalStore
from .days import DayEdits
from .progress import ReadProgress, final_to, to_publish
from .reader import IntervalReader
from .retiring import Retiring
from .silence import SeenQueues, ZeroRows
from .state import CellField, Change, DayKey, PublisherState, RoundState, WriteResult

_log = structlog.get_logger(__name__)

GRACE_MS: Final = 900_000
LEASE_MS: Final = 30_000
"""Longer than the pause between two rounds, and extended within long ones."""
EXTEND_S: Final = 5.0
CHANGES: Final = 1_000
RECORDED: Final = 20_000
"""The most changed rows of recordings published in a round: live rows go first."""
PLACES: Final = 100
"""Queues and channels worked on at once."""
DAYS_AT_ONCE: Final = 200
TOLD: Final = 5_000

Confirm = Callable[[], Awaitable[None]]
"""Raises ``FencedError`` if another worker publishes by now."""
Announce = Callable[[list[IntervalRow], Confirm], Awaitable[None]]
"""Sends rows; whoever has to take over the destination first, confirms afterwards that the lease is still there."""


class Publisher:
    """Publishes, round by round."""

    def __init__(
        self,
        store: IntervalStore,
        clock: Callable[[], int],
        *,
        grace_ms: int = GRACE_MS,
        expected: Callable[[], Collection[Partition]] = tuple,
        reader: IntervalReader | None = None,
        retiring: Retiring | None = None,
        tell: Announce | None = None,
    ) -> None:
        """Wire it up.

        Args:
            store: the published rows.
            clock: returns ms since the epoch.
            grace_ms: how long after its end a row is final.
            expected: returns the partitions that must have been read, claimed or not.
            reader: reads rows back, for ``tell``.
            retiring: frees places in full registries.
            tell: sends every final row and revision, in order.
        """
        self._store = store
        self._clock = clock
        self._grace_ms = grace_ms
        self._expected = expected
        self._reader = reader
        self._retiring = retiring
        self._tell = tell
        self._token = uuid4().hex[:12]
        self._epoch = 0
        self._extended = 0.0
        self._state = PublisherState()
        self._round = RoundState()
        self._recorded: set[Partition] = set()
        self._heard = SeenQueues(self._state, store.number)

    async def round(self) -> RoundState:
        """Publish what has changed, as far as possible.

        Raises:
            StoreUnavailableError: no answer; retry.
            QuarantinedError: a key has a foreign type: a person must look into it.
        """
        self._round = RoundState()
        try:
            await self._lead()
        except FencedError as error:
            self._epoch = 0
            _log.warning("publisher_fenced", error=str(error))
        except BaseException:
            self._epoch = 0  # it is not known what was written: restore the state from the store
            raise
        return self._round

    async def release(self) -> None:
        """Let another worker publish, and close the connections."""
        try:
            if self._epoch:
                await self._store.lease(self._token, 0)
        except StoreUnavailableError as error:
            _log.debug("lease_not_released", error=str(error))
        await self._store.close()
        if self._reader is not None:
            await self._reader.close()

    async def _lead(self) -> None:
        lease = await self._store.lease(self._token, LEASE_MS)
        self._extended = time.monotonic()
        self._round.at = lease.now
        if not lease.epoch:
            self._epoch = 0
            return
        self._round.leading = True
        if lease.epoch != self._epoch or lease.writes != self._state.writes:
            self._epoch, given = lease.epoch, self._state.revision
            self._state = await self._store.restore()
            self._state.revision = max(
                self._state.revision, given
            )  # a store that was rolled back has forgotten some
            _log.info("publishing", epoch=lease.epoch, revision=self._state.revision)
        self._heard = SeenQueues(self._state, self._store.number)
        progress = await self._store.progress()
        read_to = final_to(progress, set(self._expected()), lease.now, self._grace_ms)
        if not self._state.final:
            if not read_to:
                return  # it is not yet known how far the topic was read
            self._state.final = read_to
        await self._drain(progress)
        await self._finish(read_to, [one.partition for one in progress if one.is_live])
        await self._settle(progress, lease.now)
        if self._retiring is not None:
            partitions = [one.partition for one in progress]
            await self._retiring.round(self._token, self._state, partitions, lease.now)
        await self._announce()

    async def _extend(self) -> None:
        """Extend the lease during long work."""
        if time.monotonic() - self._extended > EXTEND_S:
            await self._confirm()

    async def _confirm(self) -> None:
        lease = await self._store.lease(self._token, LEASE_MS)
        if lease.gap or lease.epoch != self._epoch:
            raise FencedError("interval rows: another worker has the lease, or the store was rolled back")
        self._extended = time.monotonic()

    # --- what partitions changed ---

    async def _drain(self, progress: Collection[ReadProgress]) -> None:
        """Publish changes of live partitions as of the beginning of the round, and some of recordings."""
        live = to_publish(progress, set(self._expected()), self._state.final)
        while changes := await self._store.changes(live, CHANGES):
            await self._publish(changes)
        recorded = [one for one in progress if not one.partition.is_live]
        done = 0
        while changes := await self._store.changes(recorded, CHANGES):
            self._recorded |= {change.partition for change in changes}
            await self._publish(changes)
            done += len(changes)
            if done >= RECORDED:
                return
        while self._recorded:
            await self._end_recording(self._recorded.pop())

    async def _end_recording(self, partition: Partition) -> None:
        """Write zero rows up to a recording's end, also for queues that had no more contacts."""
        state, number = self._state, self._store.number(partition)
        end = min(state.final, state.spans[str(partition)][1])
        quiet = ZeroRows(state, state.seen, {})
        for places in _chunks(sorted(place for n, place in state.over if n == number), PLACES):
            days = DayEdits(self._store, state.over)
            for place in places:
                await self._zeros(days, place, quiet.starts(place, state.over[number, place], end))
            await days.chain()
            await self._write(days, WriteResult())

    async def _publish(self, changes: list[Change]) -> None:
        """Add up changed rows over partitions, and write them."""
        by_place: dict[CellField, list[Change]] = defaultdict(list)
        for change in changes:
            by_place[change.place].append(change)
        for places in _chunks(sorted(by_place), PLACES):
            mine = [change for place in places for change in by_place[place]]
            quiet = ZeroRows(self._state, *self._heard.known_before(mine))
            told = WriteResult(
                set(places), {str(change.partition) for change in mine}, self._heard.take(mine)
            )
            rows = {(change.start, change.place) for change in mine}
            days = DayEdits(self._store, self._state.over)
            days.unheard = quiet.unheard
            await days.load({(start // DAY, place) for start, place in rows})
            recordings = {
                self._store.number(p) for p in {change.partition for change in mine} if not p.is_live
            }
            counted = await self._store.counted(rows, self._state.spans)
            for (start, place), by_partition in sorted(counted.items()):
                day = await days.of(start // DAY, place)
                day.count(interval_of_day(start), by_partition, recordings)
                await asyncio.sleep(0)
            for place in places:
                await self._fill(days, quiet, place)
            await days.chain()
            await self._write(days, told)
            await self._store.acknowledge(self._token, self._state, mine)

    async def _fill(self, days: DayEdits, quiet: ZeroRows, place: CellField) -> None:
        """Write zero rows where nobody came, from the day before the changes to the day after them, or to the final rows."""
        first, last = quiet.changes(place)
        begin, end = first - first % DAY, min(self._state.final, last - last % DAY + DAY)
        if (
            days.is_new(first // DAY, place)
            and (before := await days.before(first // DAY, place)) is not None
        ):
            begin = before * DAY
        if end < self._state.final:
            after = await days.after(last // DAY, place)
            end = self._state.final if after is None else min(self._state.final, (after + 1) * DAY)
        await self._zeros(days, place, quiet.starts(place, begin, end))

    async def _zeros(self, days: DayEdits, place: CellField, starts: Iterable[int]) -> None:
        for start in starts:
            (await days.of(start // DAY, place)).zero(interval_of_day(start))

    async def _write(
        self, days: DayEdits, told: WriteResult, final: int | None = None, *, finished: bool = False
    ) -> None:
        """Assign revisions to rows that are final, or changed since they were, and publish them, some days at a time.

        Args:
            days: the days to write.
            told: what else to write, with the last of them.
            final: number rows that end by then; by default, those that are final already.
            finished: whether all rows that end by ``final`` are numbered with these days; stored with the last of them.
        """
        state = self._state
        upto = state.final if final is None else final
        revision = max(state.revision, self._clock() * NUMBERS)
        items = sorted(days.items())
        pieces = [items[at : at + DAYS_AT_ONCE] for at in range(0, len(items), DAYS_AT_ONCE)] or [[]]
        for piece in pieces:
            now = told if piece is pieces[-1] else WriteResult()
            changed: dict[DayKey, PublishedDay] = {}
            for (number, place), day in piece:
                intervals, revision = day.finish(upto, revision)
                if intervals:
                    now.numbered.append((number, place, intervals))
                if day.changed:
                    changed[number, place] = day.day
                await asyncio.sleep(0)
            if now.numbered:
                state.revision = revision
                self._round.rows += sum(len(intervals) for _, _, intervals in now.numbered)
            if finished and piece is pieces[-1]:
                state.final = upto
            await self._extend()
            await self._store.write(self._token, state, changed, now)

    # --- what time makes final ---

    async def _finish(self, read_to: int, live: Iterable[Partition]) -> None:
        """Make rows final up to a time, day by day: one row for every active queue."""
        state, names = self._state, [str(partition) for partition in live]
        while state.final < read_to:
            begin = state.final
            end = min(read_to, begin - begin % DAY + DAY)
            for name in names:
                first, last = state.spans.get(name, (begin, begin))
                state.spans[name] = (first, max(last, end))
            quiet = ZeroRows(state, self._heard.before, self._heard.starts)
            chunks = list(_chunks(quiet.heard_of(begin, end), PLACES)) or [[]]
            for places in chunks:
                days = DayEdits(self._store, state.over)
                await days.load({(begin // DAY, place) for place in places})
                for place in places:
                    await self._zeros(days, place, quiet.starts(place, begin, end))
                await days.chain()
                await self._write(days, WriteResult(spans=set(names)), end, finished=places is chunks[-1])

    # --- what partitions need not keep ---

    async def _settle(self, progress: Iterable[ReadProgress], now: int) -> None:
        """Take over for good the rows of days in which a partition no longer counts anything."""
        for one in progress:
            # The time of a partition that is no longer read stands still.
            before = ((now if one.retired else one.time) - SETTLED_AFTER) // DAY
            for key in await self._store.settling(one.partition, before, PLACES):
                days = DayEdits(self._store, self._state.over)
                day = await days.of(*key)
                if one.number not in day.day.settled:
                    rows, last = await self._store.rows_of(one.partition, key)
                    day.settle(one.number, rows, last=last)
                    await self._write(days, WriteResult())
                await self._store.let_go(self._token, self._state, one.partition, key)

    # --- what is sent to the topic ---

    async def _announce(self) -> None:
        """Send numbered rows once they are stored; rows may be sent twice."""
        state = self._state
        if self._tell is None or self._reader is None:
            return
        while state.announced < state.revision:
            rows = await self._reader.since(state.announced, TOLD)
            try:
                if rows:
                    await self._tell(rows, self._confirm)
            except (FencedError, StoreUnavailableError):
                raise
            except StreamAppError as error:
                self._round.untold = str(error)
                return
            state.announced = rows[-1].revision if rows else state.revision
            await self._store.announced(state.announced)
            await self._extend()


def _chunks(items: Iterable[CellField], size: int) -> Iterator[list[CellField]]:
    left = iter(items)
    while chunk := list(islice(left, size)):
        yield chunk
