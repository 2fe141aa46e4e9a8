"""Workers, whoever publishes, whoever reads, and traffic: the world of tests of interval rows."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

from stream_app.clocks import wall_ms
from stream_app.model.events import Event
from stream_app.model.intervals.columns import FIELDS, PLACES, IntervalRow
from stream_app.model.intervals.counting import Rows, add_amounts, compact
from stream_app.model.ports import Beat, Partition
from stream_app.store.intervals.commands import IntervalStore
from stream_app.store.intervals.publisher import Confirm, Publisher
from stream_app.store.intervals.reader import IntervalReader
from stream_app.store.intervals.retiring import Retiring
from stream_app.store.redis import RedisStore

from .backends import P0, P1, Real
from .hand import T0, Hand, abandoned, answered, left, queued

FILE, OLDER = Partition("file:past", 0), Partition("file:older", 0)
_tokens = count()


@dataclass
class Office:
    """Workers, whoever publishes, whoever reads; and all that was counted, added up by the test."""

    real: Real
    store: RedisStore
    reader: IntervalReader
    clock: int = T0
    queue_cap: int = 2_000
    counted: dict[Partition, Rows] = field(default_factory=dict)
    hands: dict[Partition, Hand] = field(default_factory=dict)
    opened: list[IntervalStore] = field(default_factory=list)

    def publisher(
        self, told: list[IntervalRow] | None = None, expected: Collection[Partition] = ()
    ) -> Publisher:
        """Another process that may publish; its clock stands still unless the test moves it."""
        self.opened.append(IntervalStore(self.real.url))

        async def tell(rows: list[IntervalRow], _: Confirm) -> None:
            if told is not None:
                told.extend(rows)

        return Publisher(
            self.opened[-1],
            lambda: self.clock,
            expected=lambda: expected,
            reader=self.reader,
            retiring=Retiring(self.opened[-1].client, self.queue_cap),
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
            beat = Beat(
                heard_ago=0,
                clock=wall_ms(),
                owner="test",
                position=position,
                end=position + behind,
                read_at=at,
            )
            await claim.beat(beat)
            # It is stamped by Redis's clock, which goes on.
            self.real.client.hset(f"kpi:{{{partition}}}:beat", "at", at)

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
            assert {name: getattr(row, name) for name in FIELDS} == {
                name: counted.get(place, 0) for name, place in PLACES.items()
            }
            assert row.final

    async def rows(self) -> list[IntervalRow]:
        return await self.reader.rows(0, 4_000_000_000_000)


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
            queue, channel = random.choice(["sales", "care"]), random.choice(["callback", "task"])
            await self.office.do(queued(contact, self.at, queue, channel), partition=partition)
            self._waiting.append((contact, len(self.waits), partition))
            self.waits.append((queue, channel, self.now, 0))

    def depth(self, queue: str, channel: str, at: int) -> int:
        """How many wait at a moment."""
        mine = [wait for wait in self.waits if wait[:2] == (queue, channel)]
        return sum(begin < at and (end >= at or not end) for _, _, begin, end in mine)
