"""Rows in a topic: whoever follows the documented rule has what the files have, whatever happens to writers and servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pyarrow.parquet
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from hypothesis import HealthCheck, given, settings, strategies as st
from redis.asyncio import Redis

from stream_app.clocks import wall_ms
from stream_app.failpoints import Failpoints
from stream_app.kafka.row_topic import FencedRowTopic
from stream_app.ledger import sending
from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.partition_writer import PartitionWriter
from stream_app.ledger.sending import PartitionSender, RowTopic
from stream_app.ledger.sweeping import GRACE_MS
from stream_app.ledger.telemetry import LedgerTelemetry
from stream_app.ledger.writer import AT_ONCE, LedgerWriter
from stream_app.model.ledger import StoredRow
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.outbox import Outboxes
from tests.conftest import MakeTopic
from tests.e2e.worker import LedgerProcess
from tests.services.kafka import Cluster
from tests.services.process import until

from .desk import (
    MINUTE,
    P0,
    PLACES,
    Clock,
    Commits,
    KillAt,
    KilledError,
    identities,
    newest,
    reply_row,
    visit_row,
)
from .topic_of_rows import Broker, ConsumedRows, MemoryRowTopic

SENDING = ("before_sending", "after_sending")


def writing(
    outboxes: Outboxes,
    storage: LocalFiles,
    clock: Clock,
    topic: RowTopic | None,
    failpoints: Failpoints,
    *,
    partition: Partition = P0,
) -> PartitionWriter:
    """A writer as the process has it, with a topic."""
    sender = (
        PartitionSender(partition, storage, TABLES, topic, clock=clock, failpoints=failpoints)
        if topic
        else None
    )
    return PartitionWriter(
        partition,
        outboxes,
        storage,
        TABLES,
        Exploder,
        clock=clock,
        failpoints=failpoints,
        days={"": 400},
        sender=sender,
    )


class Road:
    """Two writers of one partition's ledger and topic, and whatever may happen to them."""

    def __init__(
        self, outboxes: Outboxes, client: Redis, folder: Path, make: Callable[[], RowTopic], seed: int
    ) -> None:
        self.outboxes, self.client, self.make = outboxes, client, make
        self.storage, self.clock = LocalFiles(folder / "ledger"), Clock()
        self.commits, self.random = Commits(client), Random(seed)
        self.kills = [KillAt(), KillAt()]
        self.topics: list[RowTopic] = [make(), make()]
        self.writers = [self._writer(n) for n in (0, 1)]
        self.saved: list[tuple[Any, ...]] = []

    def _writer(self, n: int) -> PartitionWriter:
        return writing(self.outboxes, self.storage, self.clock, self.topics[n], self.kills[n])

    async def commit(self) -> None:
        dump = await self.client.dump(keys.outbox(P0)) if await self.client.exists(keys.outbox(P0)) else None
        meta: Any = await self.client.hgetall(keys.meta(P0))
        one = self.commits
        self.saved.append((dump, meta, one.seq, one.position, one.out, dict(one.counted)))
        rows: list[StoredRow] = [visit_row(one.position + i) for i in range(self.random.randrange(4))]
        rows += [reply_row(one.position, n) for n in range(1, self.random.randrange(1, 3))]
        await one.commit(rows, version=self.random.randrange(1, 9))
        one.time += 1_000

    async def go_back(self) -> None:
        """Redis loses its latest commits."""
        back = self.random.randint(1, min(6, len(self.saved) or 1))
        if not self.saved:
            return
        dump, meta, *rest = self.saved[-back]
        del self.saved[-back:]
        await self.client.delete(keys.outbox(P0), keys.meta(P0))
        if dump is not None:
            await self.client.restore(keys.outbox(P0), 0, dump)
        if meta:
            await self.client.hset(keys.meta(P0), mapping=meta)
        one = self.commits
        one.seq, one.position, one.out, one.counted = rest[0], rest[1], rest[2], dict(rest[3])

    async def lose(self) -> None:
        if await self.client.xlen(keys.outbox(P0)):
            await self.commits.lose_oldest()
            self.saved = []

    async def round(self, n: int) -> None:
        self.clock.now += MINUTE
        try:
            await self.writers[n].round()
        except KilledError:
            await self.topics[n].close()
            self.topics[n] = self.make()
            self.writers[n] = self._writer(n)

    async def kill(self, n: int) -> None:
        self.kills[n].place = self.random.choice([*PLACES, *SENDING])
        await self.round(n)

    async def settle(self) -> None:
        """One writer goes on until all is done."""
        await self.commits.visits()
        for n in (0, 1, 0):
            self.kills[n].place = ""
            await self.round(n)
        assert self.writers[0].unsent == ""


STEPS = ("commit",) * 5 + ("round0", "round0", "round1", "kill0", "kill1", "back", "lose", "refuse", "move")
WALKS = st.lists(st.sampled_from(STEPS), min_size=15, max_size=40)


WALKED = max(5, (settings.default.max_examples if settings.default else 0) // 2)
"""Each takes half a second."""


async def walk(road: Road, steps: list[str], refuse: Callable[[], None] = lambda: None) -> None:
    for step in steps:
        match step:
            case "commit":
                await road.commit()
            case "back":
                await road.go_back()
            case "lose":
                await road.lose()
            case "refuse":
                refuse()
            case "move":  # nothing is due
                road.clock.now -= MINUTE
                await road.round(road.random.randrange(2))
            case _:
                await (road.kill if step.startswith("kill") else road.round)(int(step[-1]))


async def files_have(road: Road, folder: Path) -> list[tuple[tuple[int, int], int]]:
    return await identities(road.storage, folder)


@pytest.mark.long
@settings(
    max_examples=WALKED, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=WALKS, seed=st.integers(0, 2**20), offsets=st.sampled_from([7, 10_000]))
async def test_whoever_follows_the_rule_has_the_rows_of_the_files(
    *,
    steps: list[str],
    seed: int,
    offsets: int,
    redis_client: Redis,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    await redis_client.flushdb()
    folder, broker, outboxes = tmp_path_factory.mktemp("sent"), Broker(), Outboxes(redis_url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "OFFSETS", offsets)
        road = Road(outboxes, redis_client, folder, lambda: MemoryRowTopic(broker), seed)

        def refuse() -> None:
            broker.fails += 1

        await walk(road, steps, refuse)
        broker.fails = 0
        await road.settle()
    await outboxes.close()
    consumed, late = ConsumedRows(), ConsumedRows()
    consumed.take(broker.records)
    held = await newest(road.storage)
    assert consumed.identities() == await files_have(road, folder)
    assert sorted(hole for some in consumed.holes.values() for hole in some.items()) == sorted(
        {(hole.begin, hole.end) for hole in held.holes}
    )
    last = {key: n for n, (key, _) in enumerate(broker.records)}  # what compaction leaves
    late.take(one for n, one in enumerate(broker.records) if last[one[0]] == n)
    assert late.rows == consumed.rows
    left = [json.loads(value) for n, (key, value) in enumerate(broker.records) if value and last[key] == n]
    assert len([one for one in left if "table" in one]) == len(late.rows), (
        "nothing else is left of rows that were cut"
    )


async def read(kafka: Cluster, topic: str) -> list[list[tuple[bytes, bytes | None]]]:
    """All that consumers see, by partition."""
    ends = await kafka.end_offsets(topic)
    places = [TopicPartition(topic, n) for n in ends]
    found: dict[int, list[tuple[bytes, bytes | None]]] = {n: [] for n in ends}
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, enable_auto_commit=False, isolation_level="read_committed"
    ) as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        while any([await consumer.position(place) < ends[place.partition] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found[place.partition] += [(record.key, record.value) for record in records]
    return [found[n] for n in sorted(found)]


@pytest.fixture
async def topics(kafka: Cluster, make_topic: MakeTopic) -> AsyncIterator[Callable[[], FencedRowTopic]]:
    """Makes the topic as the process has it: all are one and the same."""
    source, name = await make_topic(partitions=3), f"sent-{uuid4().hex[:12]}"
    made: list[FencedRowTopic] = []

    def make() -> FencedRowTopic:
        connection = {"bootstrap_servers": kafka.bootstrap}
        made.append(FencedRowTopic(connection, name, f"writer-of-{name}", P0.number, like=source))
        return made[-1]

    yield make
    for one in made:
        await one.close()


@pytest.mark.slow
async def test_on_a_real_kafka_too(
    *,
    kafka: Cluster,
    topics: Callable[[], FencedRowTopic],
    redis_client: Redis,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "OFFSETS", 30)
    outboxes, random = Outboxes(redis_url), Random(18)
    road = Road(outboxes, redis_client, tmp_path, topics, 18)
    steps = ["commit"] * 6 + ["round0", "round1", "kill0", "kill1", "back", "move"]
    await walk(road, [random.choice(steps) for _ in range(120)])
    await road.settle()
    await outboxes.close()
    assert sum(kill.killed for kill in road.kills) > 5
    name = road.topics[0].name
    assert await kafka.config(name, "cleanup.policy") == "compact"
    first, *others = await read(kafka, name)
    assert [len(some) for some in others] == [0, 0], "as many partitions as the source has"
    consumed = ConsumedRows()
    consumed.take(first)
    assert consumed.identities() == await files_have(road, tmp_path)
    assert consumed.cuts > 5
    assert consumed.again > 0, "at least once"


async def test_a_record_has_the_columns_of_the_row(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    broker, clock, commits = Broker(), Clock(), Commits(redis_client)
    writer = writing(outboxes, storage, clock, MemoryRowTopic(broker), Failpoints())
    await commits.commit([visit_row(0, customer="C-7"), reply_row(0, 1)])
    await writer.round()
    consumed = ConsumedRows()
    consumed.take(broker.records)
    visit, reply = consumed.rows.values()
    (file,) = [one for one in (await newest(storage)).files if one.table == "visits"]
    (row,) = pyarrow.parquet.read_table(
        await storage.fetch(file.name, tmp_path), partitioning=None
    ).to_pylist()
    stamps = {name: value.isoformat() for name, value in row.items() if hasattr(value, "isoformat")}
    expected = {name: value for name, value in row.items() if value is not None} | stamps
    said = visit | {name: visit[name].replace("Z", "+00:00") for name in stamps}
    assert said == expected | {"table": "visits", "topic": "calls"}
    assert (reply["table"], reply["n"]) == ("replies", 1)
    assert not any(b"C-7" in key or b"c0" in key for key, _ in broker.records), "keys have no ids of people"


async def test_rows_that_were_filed_before_there_was_a_topic_are_sent_too(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    """And all of them again to a topic of another name."""
    clock, commits = Clock(), Commits(redis_client)
    without = writing(outboxes, storage, clock, None, Failpoints())
    for _ in range(3):
        await commits.visits()
        clock.now += MINUTE
        await without.round()
    for name in ("one", "other"):
        broker, consumed = Broker(), ConsumedRows()
        await writing(outboxes, storage, clock, MemoryRowTopic(broker, name), Failpoints()).round()
        consumed.take(broker.records)
        assert consumed.identities() == await identities(storage, tmp_path) == sorted(commits.counted.items())


async def test_without_kafka_rows_are_filed_and_sent_later(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    clock, commits, broker = Clock(), Commits(redis_client), Broker()
    writer = writing(outboxes, storage, clock, MemoryRowTopic(broker), Failpoints())
    broker.fails = 3
    for _ in range(3):
        await commits.visits()
        clock.now += MINUTE
        assert await writer.round() == 3
        assert writer.unsent == "the broker does not answer"
    assert broker.records == []
    await writer.round()
    consumed = ConsumedRows()
    consumed.take(broker.records)
    assert writer.unsent == ""
    assert consumed.identities() == await identities(storage, tmp_path) == sorted(commits.counted.items())


class Overtaken(MemoryRowTopic):
    """A topic before whose first record something happens."""

    then: Callable[[], Awaitable[None]] | None = None

    async def send(
        self, records: Collection[tuple[bytes, bytes | None]], confirm: Callable[[], Awaitable[None]]
    ) -> None:
        then, self.then = self.then, None
        if then is not None:
            await then()
        await super().send(records, confirm)


async def test_who_was_overtaken_before_it_connected_sends_nothing(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    """It takes the topic away from the other one, sees its manifest, and leaves the topic as it is."""
    clock, commits, broker = Clock(), Commits(redis_client), Broker()
    slow, late = Overtaken(broker), MemoryRowTopic(broker)
    first, second = (writing(outboxes, storage, clock, one, Failpoints()) for one in (slow, late))

    async def overtake() -> None:
        await commits.visits()
        clock.now += MINUTE
        await second.round()

    slow.then = overtake
    await commits.visits()
    await first.round()
    assert "another writer has gone on" in first.unsent
    consumed = ConsumedRows()
    consumed.take(broker.records)
    assert consumed.identities() == await identities(storage, tmp_path) == sorted(commits.counted.items())
    for _ in range(2):
        await overtake()
    assert second.unsent == ""
    consumed.take(broker.records)
    assert consumed.identities() == await identities(storage, tmp_path) == sorted(commits.counted.items())


async def test_a_cut_is_told_even_where_nothing_else_tells_what_was_replaced(
    redis_client: Redis, outboxes: Outboxes, tmp_path: Path
) -> None:
    """The topic is away for hours after Redis went back; by then the former files are swept."""
    broker = Broker()
    road = Road(outboxes, redis_client, tmp_path, lambda: MemoryRowTopic(broker), 3)
    for _ in range(6):
        await road.commit()
    await road.commits.visits()
    await road.round(0)
    consumed = ConsumedRows()
    consumed.take(broker.records)
    await road.go_back()
    broker.fails = 100
    await road.commits.visits(1)
    await road.round(0)
    road.clock.now += 200 * MINUTE
    await road.writers[0].sweep()
    broker.fails = 0
    await road.settle()
    before, consumed = consumed.rows, ConsumedRows()
    consumed.take(broker.records)
    assert before.keys() - consumed.rows.keys(), "something was replaced by less"
    assert consumed.identities() == await files_have(road, tmp_path)


async def test_a_hole_that_ends_earlier_after_a_cut_is_sent_again(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles
) -> None:
    """Redis steps back into a hole that the topic has already: what it counts there now is not lost."""
    clock, commits, broker = Clock(), Commits(redis_client), Broker()
    writer = writing(outboxes, storage, clock, MemoryRowTopic(broker), Failpoints())

    async def holes() -> list[dict[int, int]]:
        clock.now += MINUTE
        await writer.round()
        assert writer.unsent == ""
        consumed, held = ConsumedRows(), await newest(storage)
        consumed.take(broker.records)
        found = [*consumed.holes.values()]
        assert found == [{hole.begin: hole.end for hole in held.holes}]
        return found

    await commits.visits()
    await writer.round()
    await commits.visits()
    await commits.lose_oldest()
    await commits.visits()
    dump: Any = await redis_client.dump(keys.outbox(P0))
    meta: Any = await redis_client.hgetall(keys.meta(P0))
    seq, position = commits.seq, commits.position
    await commits.lose_oldest()
    await commits.visits()
    assert await holes() == [{10: 30}]
    await redis_client.restore(keys.outbox(P0), 0, dump, replace=True)
    await redis_client.hset(keys.meta(P0), mapping=meta)
    commits.seq, commits.position, commits.out = seq, position, position
    await commits.visits()
    assert await holes() == [{10: 20}]


async def test_while_the_topic_is_away_files_are_swept_all_the_same(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles
) -> None:
    clock, commits, broker, telemetry = Clock(), Commits(redis_client), Broker(), LedgerTelemetry()
    broker.fails = 1_000

    def make(_: Partition) -> PartitionWriter:
        return writing(outboxes, storage, clock, MemoryRowTopic(broker), Failpoints())

    written = LedgerWriter(outboxes, make, telemetry, clock)
    clock.now = wall_ms()  # files have the storage's own times
    for _ in range(3):
        await commits.visits()
        clock.now += MINUTE
        await written.round()
    replaced = {one.name for one in (await newest(storage)).dropped}
    assert replaced, "files were joined"
    clock.now += GRACE_MS + MINUTE
    await written.round()
    held = await newest(storage)
    assert held.sent.ends == {}
    assert held.dropped == ()
    assert not replaced & {file.name for file in await storage.files("visits")}
    failures = telemetry.registry.get_sample_value("stream_app_ledger_failures_total")
    assert failures == 4, "and it is still said that the topic lacks rows"
    await written.release()


class HangingTopic(MemoryRowTopic):
    """One that does not answer as long as its broker fails: as many as send at a time give up together, after 15 s."""

    def __init__(
        self, broker: Broker, clock: Clock, tried: list[Partition], waiting: asyncio.Barrier
    ) -> None:
        super().__init__(broker)
        self._clock, self._tried, self._waiting = clock, tried, waiting
        self.partition = P0

    async def send(
        self, records: Collection[tuple[bytes, bytes | None]], confirm: Callable[[], Awaitable[None]]
    ) -> None:
        self._tried.append(self.partition)
        gives_up = self._clock.now + 15_000
        if self._broker.fails:
            await self._waiting.wait()
            self._clock.now = gives_up
        await super().send(records, confirm)


async def test_a_topic_that_hangs_holds_up_no_filing(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles
) -> None:
    """As many partitions as are written at a time wait for it in a round, others in the next one; at last all are sent."""
    clock, tried, waiting = Clock(), list[Partition](), asyncio.Barrier(AT_ONCE)
    commits = [Commits(redis_client, Partition("calls", n)) for n in range(10)]
    brokers = {one.partition: Broker() for one in commits}
    for broker in brokers.values():
        broker.fails = 100

    def make(partition: Partition) -> PartitionWriter:
        topic = HangingTopic(brokers[partition], clock, tried, waiting)
        topic.partition = partition
        return writing(outboxes, storage, clock, topic, Failpoints(), partition=partition)

    ledger = LedgerWriter(outboxes, make, LedgerTelemetry(), clock)
    for one in commits:
        await one.visits()
    for n in range(10):
        await ledger.round()
        assert len(tried) == AT_ONCE * (n + 1)
        held = [await newest(storage, one.partition) for one in commits]
        assert all(one.ends for one in held), "all are filed in the first round"
    assert {*tried} == {one.partition for one in commits}
    consumed = ConsumedRows()
    for broker in brokers.values():
        broker.fails = 0
    for _ in range(2):  # who failed finds its own manifest first
        await ledger.round()
    for broker in brokers.values():
        consumed.take(broker.records)
    assert len(consumed.rows) == 30
    await ledger.release()


def _all_over(processes: list[LedgerProcess]) -> bool:
    return not any(one.running for one in processes)


@pytest.mark.slow
async def test_processes_killed_at_every_place_leave_no_row_out(
    kafka: Cluster, make_topic: MakeTopic, redis_client: Redis, redis_url: str, tmp_path: Path
) -> None:
    source, name = await make_topic(partitions=2), f"sent-{uuid4().hex[:12]}"
    commits, storage = Commits(redis_client), LocalFiles(tmp_path / "ledger")
    settings_ = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap,
        "STREAM_APP_TOPIC": source,
        "STREAM_APP_LEDGER_TOPIC": name,
    }
    started: list[LedgerProcess] = []

    def start(place: str = "") -> LedgerProcess:
        failpoints = {"STREAM_APP_FAILPOINTS": f"{place}:exit:n=1"} if place else {}
        log = tmp_path / f"{len(started)}.log"
        started.append(LedgerProcess(log, redis_url, tmp_path / "ledger", **settings_, **failpoints))
        started[-1].start()
        return started[-1]

    try:
        for place in (*PLACES, *SENDING):
            await commits.visits()
            one = start(place)
            await until(partial(_all_over, [one]), 60, f"it is killed {place}")
            await redis_client.delete(keys.writer(P0))
        await commits.visits()
        last = start()
        consumed = ConsumedRows()

        async def is_complete() -> bool:
            nonlocal consumed
            if name not in await kafka.topics():
                return False
            consumed = ConsumedRows()
            consumed.take((await read(kafka, name))[0])
            return consumed.identities() == sorted(commits.counted.items())

        await until(is_complete, 60, "the topic has every row")
        assert await asyncio.to_thread(last.stop) == 0
    finally:
        for one in started:
            one.close()
    assert await identities(storage, tmp_path) == consumed.identities()
