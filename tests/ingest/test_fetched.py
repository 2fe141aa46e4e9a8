"""Records taken batch by batch are those that the library would have returned one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given, strategies as st

from stream_app.ingest.fetched import _Results, take_batches
from tests.conftest import MakeTopic
from tests.services.kafka import Cluster

TP = TopicPartition("t", 0)
ABORTED, KEPT = 7, 8
offsets = st.lists(
    st.integers(1, 4), min_size=1, max_size=6
)  # each further than the one before by that: compaction
batches = st.lists(st.tuples(offsets, st.sampled_from([None, ABORTED, KEPT])), max_size=6)


def log_of(found: list[tuple[list[int], int | None]], start: int) -> tuple[bytes, int]:
    """Batches of a log, and the offset after them."""
    out, end = b"", start
    for steps, producer in found:
        builder = DefaultRecordBatchBuilder(
            magic=2, compression_type=0, is_transactional=int(producer is not None),
            producer_id=-1 if producer is None else producer, producer_epoch=0 if producer else -1,
            base_sequence=-1, batch_size=1 << 20,
        )  # fmt: skip
        first = end
        for step in steps:
            end += step
            builder.append(end - 1 - first, 1_000 + end, None, b"%d" % end, [("n", b"%d" % end)])
        data = bytearray(builder.build())
        data[:8] = first.to_bytes(8, "big")
        out += data
    return out, end


def fetched(log: bytes, fetch_from: int, *, by_batch: bool) -> tuple[FetchResult, Callable[[], int]]:
    assignment = Assignment([TP])
    state = assignment.state_value(TP)
    state.reset_to(fetch_from)
    aborted = [(ABORTED, 0)]
    records = PartitionRecords(TP, MemoryRecords(log), aborted, fetch_from, None, None, True, READ_COMMITTED)
    result = FetchResult(TP, assignment=assignment, partition_records=records, backoff=0)
    if by_batch:
        _Results()[TP] = result
    return result, lambda: state.position


def taken(result: FetchResult, most: int | None) -> list[tuple[Any, ...]] | str:
    try:
        records = result.getall(most)
    except CorruptRecordException as error:
        return str(error)
    return [(r.offset, r.timestamp, r.timestamp_type, r.value, tuple(r.headers)) for r in records]


@given(batches, st.integers(0, 12), st.lists(st.one_of(st.none(), st.integers(1, 5)), max_size=12), st.data())
def test_any_fetch_gives_the_same(
    found: list[tuple[list[int], int | None]], fetch_from: int, reads: list[int | None], data: st.DataObject
) -> None:
    log, end = log_of(found, 0)
    if log and data.draw(st.booleans(), "corrupt"):
        at = data.draw(st.integers(len(log) - 10, len(log) - 1), "where")
        log = log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :]
    asyncio.run(_compare(log, min(fetch_from, end), [*reads, None, None]))


async def _compare(log: bytes, fetch_from: int, reads: list[int | None]) -> None:
    stock, position = fetched(log, fetch_from, by_batch=False)
    ours, our_position = fetched(log, fetch_from, by_batch=True)
    for most in reads:
        assert ours.has_more() == stock.has_more()
        if stock.has_more():
            assert taken(ours, most) == taken(stock, most)
            assert our_position() >= position(), (
                "it may be behind offsets that hold no record, and never before one that does"
            )
    assert not stock.has_more()
    assert our_position() == position()


async def test_a_consumer_reads_the_same_whatever_was_written(
    kafka: Cluster, make_topic: MakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await make_topic(partitions=1)
    for n, compression in enumerate([None, "gzip", None]):
        async with AIOKafkaProducer(
            bootstrap_servers=kafka.bootstrap, compression_type=compression,
            transactional_id=f"{topic}-{n}", linger_ms=20,
        ) as producer:  # fmt: skip
            await producer.begin_transaction()
            for k in range(40):
                await producer.send(
                    topic, b"%d.%d" % (n, k), headers=[("k", b"%d" % k)], timestamp_ms=1_000 + k
                )
            await (producer.abort_transaction() if n == 1 else producer.commit_transaction())
    tp = TopicPartition(topic, 0)
    answers = []
    for by_batch in (False, True):
        async with AIOKafkaConsumer(
            bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="none"
        ) as consumer:
            with monkeypatch.context() as other:
                if not by_batch:
                    other.setattr("aiokafka.__version__", "9.0.0")
                assert take_batches(consumer) is by_batch, "only versions that were tried"
            consumer.assign([tp])
            found: list[tuple[Any, ...]] = []
            for offset in (0, 17, 90, 41):
                consumer.seek(tp, offset)
                for most in (1, 7, 30):
                    records = (await consumer.getmany(timeout_ms=5_000, max_records=most)).get(tp, [])
                    found += [(r.offset, r.timestamp, r.value, tuple(r.headers)) for r in records]
            answers.append(found)
    assert len(answers[0]) > 60
    assert answers[1] == answers[0]
