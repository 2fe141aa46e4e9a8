"""Whoever publishes interval rows: rows are the sum over partitions, changes are numbered once, and only one does it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest

from stream_app.model.events import Event
from stream_app.model.interval_rows import IntervalRow, amounts_of
from stream_app.model.intervals import DAY, FIELDS, QUARTER, Rows, add_amounts, compact
from stream_app.model.ports import Beat, Partition
from stream_app.store.interval_reader import IntervalReader
from stream_app.store.published import Published
from stream_app.store.publisher import GRACE_MS, SETTLED_AFTER, Publisher
from stream_app.store.redis import RedisStore

from .backends import P0, P1, Real
from .hand import HOUR, MINUTE, T0, Hand, abandoned, answered, left, queued

FILE, OLDER = Partition("file:past", 0), Partition("file:older", 0)
_tokens = count()


@dataclass
class Office:
    """Workers, whoever publishes, whoever reads; and all that was counted, added up by the test."""

    real: Real
    store: RedisStore
    reader: IntervalReader
    clock: int = T0
    counted: dict[Partition, Rows] = field(default_factory=dict)
    hands: dict[Partition, Hand] = field(default_factory=dict)
    opened: list[Published] = field(default_factory=list)

    def publisher(self, told: list[IntervalRow] | None = None) -> Publisher:
        """Another process that may publish; its clock stands still unless the test moves it."""
        self.opened.append(Published(self.real.url))

        async def tell(rows: list[IntervalRow]) -> None:
            if told is not None:
                told.extend(rows)

        return Publisher(
            self.opened[-1],
            lambda: self.clock,
            reader=self.reader,
            tell=tell if told is not None else None,
        )

    async def do(self, *events: Event, partition: Partition = P0) -> None:
        """One commit of a partition's worker."""
        if partition not in self.hands:
            self.hands[partition] = await Hand.take(self.store, partition)
        commit = await self.hands[partition].do(*events)
        mine = self.counted.setdefault(partition, {})
        for key, amounts in commit.deltas.rows.items():
            add_amounts(mine.setdefault(key, {}), amounts)

    async def beat(self, at: int, *partitions: Partition, behind: int = 0) -> None:
        """Workers say that all up to a moment was read."""
        for partition in partitions or (P0,):
            if partition not in self.hands:
                self.hands[partition] = await Hand.take(self.store, partition)
            claim = self.hands[partition].claim
            position = claim.position or 0
            beat = Beat(at=at, owner="test", position=position, end=position + behind, read_at=at)
            await claim.beat(beat)

    def expected(self) -> dict[tuple[int, str, str], list[int]]:
        """What rows that are not all zeros must hold."""
        total: Rows = {}
        for rows in self.counted.values():
            for key, amounts in rows.items():
                add_amounts(total.setdefault(key, {}), amounts)
        return {key: found for key, amounts in total.items() if (found := compact(amounts))}

    def end_lease(self) -> None:
        """Whoever publishes was silent for too long."""
        self.real.client.hset("kpi:{rows}:meta", "until", 0)

    def check(self, rows: dict[tuple[int, str, str], IntervalRow]) -> None:
        """Every row is final, and what partitions counted together."""
        expected = self.expected()
        assert rows.keys() >= expected.keys()
        for key, row in rows.items():
            counted = dict(enumerate(expected.get(key, [])))
            assert amounts_of(row) == {name: counted.get(place, 0) for place, name in enumerate(FIELDS)}
            assert row.final

    async def rows(self) -> list[IntervalRow]:
        return await self.reader.rows(0, 4_000_000_000_000)


@pytest.fixture
async def office(real: Real) -> AsyncIterator[Office]:
    async with opened(real) as office:
        yield office


@asynccontextmanager
async def opened(real: Real) -> AsyncIterator[Office]:
    office = Office(real, RedisStore(real.url), IntervalReader(real.url))
    try:
        yield office
    finally:
        await office.store.close()
        await office.reader.close()
        for published in office.opened:
            await published.close()


def sums(row: IntervalRow) -> tuple[int, ...]:
    return (row.offered, row.answered, row.abandoned, row.left, row.lost, row.waiting)


async def test_a_row_is_open_at_first(office: Office) -> None:
    publisher = office.publisher()
    await office.beat(T0)
    assert (await publisher.round()).leading
    assert await office.rows() == []
    await office.do(queued("c"))
    await publisher.round()
    (row,) = await office.rows()
    assert (row.start, sums(row), row.final, row.revision) == (T0, (1, 0, 0, 0, 0, 1), False, 0)


async def test_a_row_is_final_after_the_grace_and_a_later_change_is_a_revision(office: Office) -> None:
    publisher = office.publisher()
    await office.do(queued("c"), answered("c", 5), queued("d", 10))
    await office.beat(T0 + QUARTER + GRACE_MS - 1)
    await publisher.round()
    (row,) = await office.rows()
    assert not row.final
    office.clock = T0 + QUARTER + GRACE_MS
    await office.beat(office.clock)
    assert (await publisher.round()).rows == 1
    (row,) = await office.rows()
    assert (row.final, row.version, row.waiting, row.revision) == (True, 1, 1, office.clock + 1)

    office.clock += HOUR
    await office.do(answered("d", 3000))
    await publisher.round()
    first, *others = await office.rows()
    assert (first.answered, first.version, first.waiting) == (2, 2, 0)
    assert first.revision == office.clock + 1
    assert [row.start for row in others] == [T0 + 3 * QUARTER], "where it left the queue"

    before = await office.rows()
    assert (await publisher.round()).rows == 0, "what is as it was gets no number"
    assert await office.rows() == before


async def test_a_quiet_quarter_is_a_row_of_zeros_and_one_that_was_not_read_is_none(office: Office) -> None:
    publisher = office.publisher()
    await office.do(queued("c"), answered("c", 5))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    office.clock = T0 + 4 * QUARTER
    await office.beat(office.clock)
    await publisher.round()
    rows = await office.rows()
    assert [row.start for row in rows] == [T0, T0 + QUARTER, T0 + 2 * QUARTER]
    assert [sums(row)[0] for row in rows] == [1, 0, 0]
    assert all(row.final for row in rows)

    await office.beat(T0 + 9 * QUARTER, behind=1)  # something is not read: who knows what
    await publisher.round()
    assert await office.rows() == rows


async def test_one_partition_that_was_not_read_keeps_rows_open(office: Office) -> None:
    publisher = office.publisher()
    await office.do(queued("c"))
    await office.do(queued("d", 1), partition=P1)
    await office.beat(T0 + MINUTE, P0, P1)
    await publisher.round()
    await office.beat(T0 + HOUR, P0)
    await publisher.round()
    (row,) = await office.rows()
    assert (row.offered, row.final) == (2, False)
    await office.beat(T0 + HOUR, P1)
    await publisher.round()
    assert all(row.final for row in await office.rows())


async def test_depth_runs_through_the_days(office: Office) -> None:
    publisher = office.publisher()
    midnight = (T0 // DAY + 1) * DAY
    to_midnight = (midnight - T0) / 1000
    await office.do(queued("a", 60, channel="chat"), queued("b", 130, channel="chat"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    await office.do(answered("a", 200), queued("c", to_midnight + 30, channel="chat"))
    await office.do(answered("b", to_midnight + 100), left("c", to_midnight + 1000))
    office.clock = midnight + HOUR
    await office.beat(office.clock)
    await publisher.round()
    rows = {row.start: (row.backlog_start, row.backlog_max) for row in await office.rows()}
    assert rows[T0] == (0, 2)
    assert rows[midnight - QUARTER] == (1, 1)
    assert rows[midnight] == (1, 2)
    assert rows[midnight + QUARTER] == (1, 1)
    assert rows[midnight + 2 * QUARTER] == (0, 0)


async def test_a_change_of_the_past_runs_on(office: Office) -> None:
    """Somebody had left long before it was told: no row since is what it was."""
    publisher = office.publisher()
    await office.do(queued("a", channel="chat"), queued("b", 1, channel="chat"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    office.clock = T0 + 30 * HOUR
    await office.beat(office.clock)
    await publisher.round()
    before = await office.rows()
    assert {row.backlog_start for row in before[1:]} == {2}
    await office.do(abandoned("a", 60))
    await publisher.round()
    after = await office.rows()
    assert {row.backlog_start for row in after[1:]} == {1}
    assert [row.version for row in after] == [2] * len(after)
    revisions = [row.revision for row in after]
    assert len(set(revisions)) == len(revisions)
    assert min(revisions) > max(row.revision for row in before)


@dataclass
class Follower:
    """Pulls what has changed, a page at a time."""

    reader: IntervalReader
    revision: int = 0
    seen: list[int] = field(default_factory=list)
    table: dict[tuple[int, str, str], IntervalRow] = field(default_factory=dict)

    async def pull(self, limit: int) -> None:
        while rows := await self.reader.since(self.revision, limit):
            self.seen += [row.revision for row in rows]
            self.table |= by_key(rows)
            self.revision = rows[-1].revision


def by_key(rows: list[IntervalRow]) -> dict[tuple[int, str, str], IntervalRow]:
    return {(row.start, row.queue, row.channel): row for row in rows}


async def rounds(publishers: list[Publisher]) -> None:
    for publisher in publishers:
        await publisher.round()


class Traffic:
    """Contacts that come and go at random, in order of time."""

    def __init__(
        self, office: Office, random: Random, partitions: tuple[Partition, ...] = (P0, P1), jump_s: float = 0
    ) -> None:
        self.office, self.random, self.partitions, self.jump_s = office, random, partitions, jump_s
        self.at = 0.0
        self._names = count()
        self._waiting: list[tuple[str, int, Partition]] = []
        self.waits: list[tuple[str, str, int, int]] = []

    @property
    def now(self) -> int:
        return T0 + round(self.at * 1000)

    async def step(self) -> None:
        """Somebody comes or goes; ``waits`` keeps of whom it was: queue, channel, from when, to when."""
        random = self.random
        self.at += random.choice([0.5, 20, 400, 4000, self.jump_s])
        if self._waiting and random.random() < 0.5:
            contact, n, partition = self._waiting.pop(random.randrange(len(self._waiting)))
            end = random.choice([answered, abandoned, left])
            await self.office.do(end(contact, self.at), partition=partition)
            self.waits[n] = (*self.waits[n][:3], self.now)
        else:
            partition, contact = random.choice(self.partitions), f"c{next(self._names)}"
            queue, channel = random.choice(["sales", "care"]), random.choice(["email", "chat"])
            await self.office.do(queued(contact, self.at, queue, channel), partition=partition)
            self._waiting.append((contact, len(self.waits), partition))
            self.waits.append((queue, channel, self.now, 0))

    def depth(self, queue: str, channel: str, at: int) -> int:
        """How many wait at a moment."""
        mine = [wait for wait in self.waits if wait[:2] == (queue, channel)]
        return sum(begin < at and (end >= at or not end) for _, _, begin, end in mine)


@pytest.mark.parametrize(
    ("seed", "jump_s", "partitions"),
    [
        (0, 0, (P0, P1)),
        (1, 0, (P0, P1, FILE)),
        (2, 200_000, (P0, P1)),
        (3, 400_000, (P0, P1, FILE)),
    ],
)
async def test_published_is_what_partitions_counted(
    office: Office, seed: int, jump_s: float, partitions: tuple[Partition, ...]
) -> None:
    """Whatever the order of rounds, publishers and commits; and who follows revisions has the same table."""
    random = Random(seed)
    told: list[IntervalRow] = []
    publishers = [office.publisher(told), office.publisher(told)]
    traffic, follower = Traffic(office, random, partitions, jump_s), Follower(office.reader)
    for _ in range(40):
        for _ in range(random.randrange(8)):
            await traffic.step()
        office.clock = max(office.clock, traffic.now - random.choice([0, HOUR]))
        await office.beat(traffic.now, P0, P1, behind=random.choice([0, 0, 1]))
        if random.random() < 0.2:
            office.end_lease()
            random.shuffle(publishers)
        await rounds(publishers)
        if random.random() < 0.5:
            await follower.pull(random.choice([7, 50, 1000]))
    older = Traffic(office, random, (OLDER,))  # of days that others are done with
    for _ in range(30):
        await older.step()
    await office.beat(traffic.now + DAY, P0, P1)
    await rounds(publishers)
    await follower.pull(100)

    rows = by_key(await office.rows())
    office.check(rows)
    assert follower.table == rows
    assert follower.seen == sorted(set(follower.seen)), "every change once"
    assert by_key(told) == rows
    kept = [int(key.split(b":")[-2]) for key in office.real.client.scan_iter(match="kpi:{t.0}:d:*")]
    oldest = min(kept, default=traffic.now // DAY)
    assert oldest * DAY > traffic.now - SETTLED_AFTER - 14 * DAY, "settled days are kept once"
    if FILE not in partitions:
        last = max(max(wait[2:]) for wait in older.waits)  # whom the recording left waiting is over after it
        compared = [row for row in rows.values() if row.start > last + QUARTER]
        expected = [traffic.depth(row.queue, row.channel, row.start) for row in compared]
        assert [row.backlog_start for row in compared] == expected
