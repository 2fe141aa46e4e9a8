"""What was read is handed on or put back; and a gap is what the log says, whatever the consumer's position is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    UnknownTopicOrPartitionError,
)

from stream_app.errors import OtherTopicError
from stream_app.failpoints import Failpoints
from stream_app.ingest.batch import Batch
from stream_app.ingest.broker import Broker, Stretch
from stream_app.ingest.consumer import Consumer
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.log import Log
from stream_app.ingest.partition import Owned
from stream_app.model.fold.deltas import Gap
from stream_app.model.ports import Partition
from stream_app.store.memory import MemoryStore
from stream_app.telemetry import Telemetry
from tests.conftest import MakeTopic
from tests.services.kafka import Cluster, Record
from tests.services.process import until


@pytest.fixture
async def topic(make_topic: MakeTopic) -> str:
    return await make_topic(partitions=2)


@pytest.fixture
async def consumer(kafka: Cluster, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="none"
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0), TopicPartition(topic, 1)])
        yield consumer


async def read_all(log: Log, tp: TopicPartition, count: int) -> list[tuple[int, int, int]]:
    """(since, first, last) of each read, until so many records came."""
    out: list[tuple[int, int, int]] = []

    async def come() -> bool:
        for since, records in (await log.read(tp, timeout_ms=200, max_records=3)).values():
            out.append((since, records[0].offset, records[-1].offset))
        return sum(last + 1 - first for _, first, last in out) >= count

    await until(come, 20, f"{count} records came")
    return out


async def test_reads_follow_each_other(kafka: Cluster, topic: str, consumer: AIOKafkaConsumer) -> None:
    await kafka.produce(topic, [Record(None, b"%d" % n, partition=0) for n in range(8)])
    log, tp = Log(consumer), TopicPartition(topic, 0)
    log.seek(tp, 0)
    found = await read_all(log, tp, 8)
    assert [since for since, _, _ in found] == [0, *(last + 1 for _, _, last in found[:-1])]


async def test_what_is_put_back_is_read_again(kafka: Cluster, topic: str, consumer: AIOKafkaConsumer) -> None:
    await kafka.produce(topic, [Record(None, b"%d" % n, partition=0) for n in range(6)])
    log, tp = Log(consumer), TopicPartition(topic, 0)
    log.seek(tp, 0)
    found: dict[TopicPartition, Any] = {}

    async def come() -> bool:
        found.update(await log.read(tp, timeout_ms=200, max_records=3))
        return bool(found)

    await until(come, 20, "something came")
    log.put_back(tp, found[tp])
    assert (await read_all(log, tp, 6))[0] == (0, 0, 2)
    consumer.unsubscribe()
    log.put_back(tp, found[tp])  # its next owner begins at the stored position
    with pytest.raises(IllegalStateError):
        log.seek(tp, 0)


async def test_after_a_read_that_failed_nothing_is_known_to_follow(
    kafka: Cluster, topic: str, consumer: AIOKafkaConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch with a wrong check sum makes the library drop the good records before it, its position already behind them."""
    await kafka.produce(topic, [Record(None, b"%d" % n, partition=0) for n in range(9)])
    log, tp = Log(consumer), TopicPartition(topic, 0)
    log.seek(tp, 0)
    library = consumer.getmany

    async def fail(*partitions: TopicPartition, **how: Any) -> Any:
        while not await library(*partitions, **how):
            pass
        raise CorruptRecordException

    monkeypatch.setattr(consumer, "getmany", fail)
    with pytest.raises(KafkaError):
        await log.read(tp, timeout_ms=200, max_records=3)
    monkeypatch.setattr(consumer, "getmany", library)
    assert (await read_all(log, tp, 3))[0][:2] == (3, 3), "not since 0: nobody has 0 to 2"
    log.seek(tp, 0)
    assert (await read_all(log, tp, 3))[0][:2] == (0, 0)


async def test_a_read_that_is_cancelled_breaks_the_chain(topic: str, consumer: AIOKafkaConsumer) -> None:
    log, tp = Log(consumer), TopicPartition(topic, 0)
    log.seek(tp, 0)
    reading = asyncio.create_task(log.read(tp, timeout_ms=60_000, max_records=3))
    await until(lambda: len(consumer._fetcher._fetch_waiters) > 0, 10, "it waits")
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert log._handed_on == {}


async def write(kafka: Cluster, topic: str, partition: int, *, keep: bool, records: int = 3) -> None:
    """A transaction of one producer, until its marker is written: that comes after the answer."""
    before = (await kafka.end_offsets(topic))[partition]
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, transactional_id=f"{topic}-{partition}-{keep}-{records}"
    ) as producer:
        await producer.begin_transaction()
        for n in range(records):
            await producer.send_and_wait(topic, b"%d" % n, partition=partition)
        await (producer.commit_transaction() if keep else producer.abort_transaction())

    async def is_marked() -> bool:
        return (await kafka.end_offsets(topic))[partition] == before + records + 1

    await until(is_marked, 20, "the marker is written")


async def test_the_log_says_where_records_stand(
    kafka: Cluster, topic: str, consumer: AIOKafkaConsumer
) -> None:
    await kafka.produce(topic, [Record(None, b"%d" % n, partition=0) for n in range(4)])  # 0 to 3
    await write(kafka, topic, 0, keep=True)  # 4 to 6, its marker at 7
    await write(kafka, topic, 0, keep=False)  # 8 to 10, 11
    await kafka.produce(topic, [Record(None, b"x", partition=0)])  # 12
    look, tp = Broker(consumer).look, TopicPartition(topic, 0)
    assert (await kafka.end_offsets(topic))[0] == 13
    assert (await look(tp, 0, 13)).record == 0
    assert (await look(tp, 3, 13)).record == 3
    assert (await look(tp, 4, 13)).record == 4
    assert await look(tp, 7, 8) == Stretch(8, None, Gap.TRANSACTION)
    assert await look(tp, 7, 12) == Stretch(12, None, Gap.TRANSACTION)
    assert await look(tp, 7, 13) == Stretch(12, 12, Gap.TRANSACTION)
    assert await look(tp, 9, 11) == Stretch(11, None, Gap.TRANSACTION)
    assert (await look(tp, 13, 20)).end == 13, "what is not written yet is no gap"
    with pytest.raises(KafkaError):
        await look(TopicPartition(topic, 9), 0, 1)


async def test_what_compaction_removed_holds_nothing(kafka: Cluster, make_topic: MakeTopic) -> None:
    topic = await make_topic(
        partitions=1,
        config={
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.01",
            "segment.ms": "100",
            "max.compaction.lag.ms": "100",
        },
    )
    tp = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed"
    ) as consumer:
        consumer.assign([tp])
        look = Broker(consumer).look

        async def compacted() -> bool:
            await kafka.produce(topic, [Record(b"k", b"%d" % n) for n in range(5)])
            return (await look(tp, 0, 2)).record is None

        await until(compacted, 60, "the log was compacted")
        assert await look(tp, 0, 2) == Stretch(2, None, Gap.COMPACTION)


async def test_a_topic_made_anew_has_another_id(
    kafka: Cluster, topic: str, consumer: AIOKafkaConsumer
) -> None:
    broker = Broker(consumer)
    first = await broker.topic_id(topic)
    assert first
    assert await broker.topic_id(topic) == first
    await kafka.delete_topic(topic)
    with pytest.raises(UnknownTopicOrPartitionError):
        await broker.topic_id(topic)
    await kafka.create_topic(topic, 2)
    assert await broker.topic_id(topic) not in {first, None}


# --- the consumer's position against the log ---


class Crew:
    """Our consumer over a real one that is assigned by hand, and the store behind it."""

    def __init__(self, kafka: AIOKafkaConsumer, topic: str) -> None:
        self.tp = TopicPartition(topic, 0)
        self.store = MemoryStore()
        self.owned = Owned(
            Partition(topic, 0),
            self.store,
            decode,
            Telemetry(),
            Failpoints(),
            max_bytes=1_000,
            max_dead_in_a_row=0,
        )
        self.consumer = Consumer(
            kafka,
            topic,
            lambda _: self.owned,
            self.put,
            owner="me",
            batch_records=10,
            on_lost="fail",
            targets_version=self.store.targets_version,
            lag=lambda *_: None,
            ahead=lambda *_: None,
        )

    async def put(self, batch: Batch) -> None:
        await self.owned.fold(batch.slices)
        batch.done.set_result(None)

    async def claim(self) -> None:
        self.consumer.assigned([self.tp])
        await until(lambda: self.owned.ready, 20, "it is claimed")

    async def pass_over(self, end: int) -> None:
        """As if the consumer stood at ``end``."""
        self.owned.passed = end
        work = partial(self.consumer._pass_over, self.tp, self.owned)
        await self.consumer._flights.see_through(self.tp, self.owned, work)

    async def until_read(self, end: int) -> None:
        """Poll whenever it may be read, as the service does."""

        async def is_read() -> bool:
            if self.owned.ready:
                await self.consumer._read({self.tp: self.owned})
                await self.owned.idle.wait()
            return self.held[0] == end

        await until(is_read, 30, "all is read")

    @property
    def held(self) -> tuple[int | None, dict[str, int]]:
        contents = self.store.partitions[self.owned.partition]
        return contents.position, contents.results


@pytest.fixture
async def crew(kafka: Cluster, topic: str) -> AsyncIterator[Crew]:
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="none",
        group_id=f"group-{topic}",
        enable_auto_commit=False,
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        yield Crew(consumer, topic)


async def test_records_that_the_consumer_passed_over_are_read_again(
    kafka: Cluster, topic: str, crew: Crew
) -> None:
    """Whatever made it stand behind them: here, a seek of nobody's."""
    await write(kafka, topic, 0, keep=False)  # 0 to 2, its marker at 3
    await kafka.produce(topic, [Record(None, b"{", partition=0) for _ in range(5)])  # 4 to 8
    await crew.claim()
    crew.consumer._consumer.seek(crew.tp, 9)
    await crew.pass_over(9)
    assert crew.held == (4, {"gap": 4}), "the log shows four offsets without a record, and not nine"
    await until(lambda: crew.owned.ready, 20, "it is claimed again")
    await crew.until_read(9)
    assert crew.held[1] == {"gap": 4, "dead_letter": 5, "dead_letter:not_json": 5}


async def test_a_read_that_failed_loses_nothing(
    kafka: Cluster, topic: str, crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library drops the good records before a bad one, its position already behind them."""
    await kafka.produce(topic, [Record(None, b"{", partition=0) for _ in range(25)])
    await crew.claim()
    library = crew.consumer._consumer.getmany
    failures = iter([False, True, True, False, True])

    async def fail_at_times(*partitions: TopicPartition, **how: Any) -> Any:
        found = await library(*partitions, **how)
        if found and next(failures, False):
            raise CorruptRecordException
        return found

    monkeypatch.setattr(crew.consumer._consumer, "getmany", fail_at_times)
    await crew.until_read(25)
    assert next(failures, None) is None, "it failed as often as it should"
    assert crew.held[1]["dead_letter"] == 25
    assert "gap" not in crew.held[1]


async def test_a_heart_beat_finds_another_topic_under_the_name(
    kafka: Cluster, topic: str, crew: Crew
) -> None:
    """A fetch knows topics by name only, and would go on in the middle of the new one."""
    await kafka.produce(topic, [Record(None, b"{", partition=0) for _ in range(3)])
    await crew.claim()
    await crew.until_read(3)
    crew.consumer._heartbeat._mirrored_at = float("-inf")
    await crew.consumer._heartbeat.round()
    assert crew.owned.ready
    await kafka.delete_topic(topic)
    await kafka.create_topic(topic, 2, {"retention.ms": "-1"})
    await kafka.produce(topic, [Record(None, b"{", partition=0) for _ in range(30)])
    crew.consumer._heartbeat._mirrored_at = float("-inf")
    await crew.consumer._heartbeat.round()
    await until(lambda: crew.consumer.crash_reason, 20, "it stops")
    assert isinstance(crew.consumer.crash_reason, OtherTopicError)
    assert crew.held[0] == 3
