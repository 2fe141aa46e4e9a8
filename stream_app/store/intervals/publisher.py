"""Publishes interval rows: adds partitions up, numbers every change of what is final, and writes it, as the only one.

One of the workers does it, under a lease; a former one is refused as a whole, like the former owner of a partition. All that it
does can be done again: what is not acknowledged is looked at anew, and a row that is as it was gets no number.
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
from msgspec import Struct

from stream_app.errors import FencedError, StoreUnavailableError, StreamAppError
from stream_app.model.interval_rows import IntervalRow
from stream_app.model.intervals import DAY, NUMBERS, SETTLED_AFTER, quarter_of_day
from stream_app.model.ports import Partition
from stream_app.model.published import Day

from .days import Days
from .progress import final_to, to_publish
from .published import Change, DayKey, Place, Progress, Published, State, Told
from .quiet import Heard, Quiet
from .reader import IntervalReader

_log = structlog.get_logger(__name__)

GRACE_MS: Final = 900_000
LEASE_MS: Final = 30_000
"""Longer than the pause between two rounds, and extended within long ones."""
EXTEND_S: Final = 5.0
CHANGES: Final = 1_000
RECORDED: Final = 20_000
"""So many changed rows of recordings at most are published in a round: what is live goes first."""
PLACES: Final = 100
"""So many queues and channels are worked on at once."""
DAYS_AT_ONCE: Final = 200
TOLD: Final = 5_000

Tell = Callable[[list[IntervalRow]], Awaitable[None]]


class Round(Struct):
    """What a round did, for whoever looks.

    Attributes:
        leading: whether it was ours to do.
        rows: how many rows got a number.
        untold: why those who are told of rows were not.
    """

    leading: bool = False
    rows: int = 0
    untold: str = ""


class Publisher:
    """Publishes, round by round."""

    def __init__(
        self,
        store: Published,
        clock: Callable[[], int],
        *,
        grace_ms: int = GRACE_MS,
        expected: Callable[[], Collection[Partition]] = tuple,
        reader: IntervalReader | None = None,
        tell: Tell | None = None,
    ) -> None:
        """Say how.

        Args:
            store: of rows.
            clock: ms since the epoch.
            grace_ms: a row is final so long after its end.
            expected: partitions that must have been read, those that nobody has claimed yet among them.
            reader: reads rows back, for ``tell``.
            tell: is told of every final row and revision, in order.
        """
        self._store = store
        self._clock = clock
        self._grace_ms = grace_ms
        self._expected = expected
        self._reader = reader
        self._tell = tell
        self._token = uuid4().hex[:12]
        self._epoch = 0
        self._extended = 0.0
        self._state = State()
        self._round = Round()
        self._recorded: set[Partition] = set()
        self._heard = Heard(self._state, store.number)

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
        lease = await self._store.lease(self._token, LEASE_MS)
        self._extended = time.monotonic()
        if not lease.epoch:
            self._epoch = 0
            return
        self._round.leading = True
        if lease.epoch != self._epoch or lease.writes != self._state.writes:
            self._epoch, given = lease.epoch, self._state.revision
            self._state = await self._store.restore()
            self._state.revision = max(
                self._state.revision, given
            )  # a store that was rolled back forgot some
            _log.info("publishing", epoch=lease.epoch, revision=self._state.revision)
        self._heard = Heard(self._state, self._store.number)
        progress = await self._store.progress()
        read_to = final_to(progress, set(self._expected()), lease.now, self._grace_ms)
        if not self._state.final:
            if not read_to:
                return  # nobody has said yet how far the topic was read
            self._state.final = read_to
        await self._drain(progress)
        await self._finish(read_to, [one.partition for one in progress if one.partition.is_live])
        await self._settle(progress)
        await self._announce()

    async def _extend(self) -> None:
        """Long work: stay the one who does it."""
        if time.monotonic() - self._extended > EXTEND_S:
            if (await self._store.lease(self._token, LEASE_MS)).epoch != self._epoch:
                raise FencedError("interval rows: the lease ran out, and somebody else has it")
            self._extended = time.monotonic()

    # --- what partitions changed ---

    async def _drain(self, progress: Collection[Progress]) -> None:
        """What is live, as of the beginning of the round; of recordings, some."""
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
        """Rows of zeros to its end, also of queues that nobody came to any more."""
        state, number = self._state, self._store.number(partition)
        end = min(state.final, state.spans[str(partition)][1])
        quiet = Quiet(state, state.seen, {})
        for places in _chunks(sorted(place for n, place in state.over if n == number), PLACES):
            days = Days(self._store, state.over)
            for place in places:
                await self._zeros(days, place, quiet.starts(place, state.over[number, place], end))
            await days.chain()
            await self._write(days, Told())

    async def _publish(self, changes: list[Change]) -> None:
        """Add up over partitions what some rows are now."""
        by_place: dict[Place, list[Change]] = defaultdict(list)
        for change in changes:
            by_place[change.place].append(change)
        for places in _chunks(sorted(by_place), PLACES):
            mine = [change for place in places for change in by_place[place]]
            quiet = Quiet(self._state, *self._heard.known_before(mine))
            told = Told(set(places), {str(change.partition) for change in mine}, self._heard.take(mine))
            rows = {(change.start, change.place) for change in mine}
            days = Days(self._store, self._state.over)
            days.unheard = quiet.unheard
            await days.load({(start // DAY, place) for start, place in rows})
            recordings = {
                self._store.number(p) for p in {change.partition for change in mine} if not p.is_live
            }
            counted = await self._store.counted(rows, self._state.spans)
            for (start, place), by_partition in sorted(counted.items()):
                day = await days.of(start // DAY, place)
                day.count(quarter_of_day(start), by_partition, recordings)
                await asyncio.sleep(0)
            for place in places:
                await self._fill(days, quiet, place)
            await days.chain()
            await self._write(days, told)
            await self._store.acknowledge(mine)

    async def _fill(self, days: Days, quiet: Quiet, place: Place) -> None:
        """Rows of zeros where nobody came: from the last day before the changes to the first behind them, or what is final."""
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

    async def _zeros(self, days: Days, place: Place, starts: Iterable[int]) -> None:
        for start in starts:
            (await days.of(start // DAY, place)).zero(quarter_of_day(start))

    async def _write(
        self, days: Days, told: Told, final: int | None = None, *, finished: bool = False
    ) -> None:
        """Number what is final, or changed since it was, and publish it, some days at a time.

        Args:
            days: to write.
            told: what else to write, with the last of them.
            final: number what ends by then; by default what is final already.
            finished: all that ends by ``final`` is numbered with these days; said with the last of them.
        """
        state = self._state
        upto = state.final if final is None else final
        revision = max(state.revision, self._clock() * NUMBERS)
        items = sorted(days.items())
        pieces = [items[at : at + DAYS_AT_ONCE] for at in range(0, len(items), DAYS_AT_ONCE)] or [[]]
        for piece in pieces:
            now = told if piece is pieces[-1] else Told()
            changed: dict[DayKey, Day] = {}
            for (number, place), day in piece:
                quarters, revision = day.finish(upto, revision)
                if quarters:
                    now.numbered.append((number, place, quarters))
                if day.changed:
                    changed[number, place] = day.day
                await asyncio.sleep(0)
            if now.numbered:
                state.revision = revision
                self._round.rows += sum(len(quarters) for _, _, quarters in now.numbered)
            if finished and piece is pieces[-1]:
                state.final = upto
            await self._extend()
            await self._store.write(self._token, state, changed, now)

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
            quiet = Quiet(state, self._heard.before, self._heard.starts)
            chunks = list(_chunks(quiet.heard_of(begin, end), PLACES)) or [[]]
            for places in chunks:
                days = Days(self._store, state.over)
                await days.load({(begin // DAY, place) for place in places})
                for place in places:
                    await self._zeros(days, place, quiet.starts(place, begin, end))
                await days.chain()
                await self._write(days, Told(spans=set(names)), end, finished=places is chunks[-1])

    # --- what partitions need not keep ---

    async def _settle(self, progress: Iterable[Progress]) -> None:
        """Take over, for good, the rows of days in which a partition counts nothing any more."""
        for one in progress:
            before = (one.time - SETTLED_AFTER) // DAY
            for key in await self._store.settling(one.partition, before, PLACES):
                days = Days(self._store, self._state.over)
                day = await days.of(*key)
                if one.number not in day.day.settled:
                    rows, last = await self._store.rows_of(one.partition, key)
                    day.settle(one.number, rows, last=last)
                    await self._write(days, Told())
                await self._store.let_go(one.partition, key)

    # --- who is told ---

    async def _announce(self) -> None:
        """Tell of what got a number, once it is stored; what was told before may be told again."""
        state = self._state
        if self._tell is None or self._reader is None:
            return
        while state.announced < state.revision:
            rows = await self._reader.since(state.announced, TOLD)
            try:
                if rows:
                    await self._tell(rows)
            except StreamAppError as error:
                self._round.untold = str(error)
                return
            state.announced = rows[-1].revision if rows else state.revision
            await self._store.announced(state.announced)
            await self._extend()


def _chunks(items: Iterable[Place], size: int) -> Iterator[list[Place]]:
    left = iter(items)
    while chunk := list(islice(left, size)):
        yield chunk
