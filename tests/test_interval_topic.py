"""The topic of interval rows on a real Kafka: compacted, in order, and only the last writer to come may write."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from stream_app.errors import FencedError, StreamAppError
from stream_app.kafka.interval_topic import IntervalTopic, record_of
from stream_app.model.intervals.columns import IntervalRow
from tests.background import background_errors
from tests.conftest import MakeTopic
from tests.e2e.ledger import read_ledger
from tests.services.kafka import Cluster
from tests.services.process import free_port

INTERVAL_MS = 900_000
T0 = 1_763_800_200_000


def rows(first: int, count: int, *, revision: int) -> list[IntervalRow]:
    return [
        IntervalRow(
            T0 + n * INTERVAL_MS,
            15,
            "sales",
            "voice",
            offered=n,
            final=True,
            revision=revision + n,
            version=1,
        )
        for n in range(first, first + count)
    ]


@pytest.fixture
def name() -> str:
    return f"rows-{uuid4().hex[:12]}"


@asynccontextmanager
async def writing(kafka: Cluster, topic: str) -> AsyncIterator[IntervalTopic]:
    writer = IntervalTopic({"bootstrap_servers": kafka.bootstrap}, topic, f"writer-of-{topic}", record_of)
    try:
        yield writer
    finally:
        await writer.close()


async def told(kafka: Cluster, topic: str) -> list[int]:
    """The revisions that stand in the topic, in their order."""
    ledger = await read_ledger(kafka.bootstrap, topic, 1)
    return [json.loads(logged.value or b"")["revision"] for logged in ledger[0]]


async def alone() -> None:
    """Agree: nobody else writes."""


async def test_it_is_made_compacted_with_one_partition(kafka: Cluster, name: str) -> None:
    async with writing(kafka, name) as topic:
        await topic.write(rows(0, 3, revision=10), alone)
        await topic.write(rows(1, 1, revision=100), alone)
    assert await told(kafka, name) == [10, 11, 12, 101]
    assert await kafka.config(name, "cleanup.policy") == "compact"


async def test_a_key_says_which_row_and_the_value_all_of_it(kafka: Cluster, name: str) -> None:
    (row,) = rows(4, 1, revision=7)
    async with writing(kafka, name) as topic:
        await topic.write([row], alone)
    key, value = record_of(row)
    assert json.loads(key) == ["sales", "voice", "2025-11-22T09:30:00+00:00"]
    said = json.loads(value)
    assert (said["offered"], said["waiting"], said["final"], said["revision"]) == (4, 4, True, 11)


async def test_a_former_writer_writes_nothing_any_more(kafka: Cluster, name: str) -> None:
    with background_errors(asyncio.get_running_loop()) as unseen:
        async with writing(kafka, name) as former, writing(kafka, name) as present:
            await former.write(rows(0, 2, revision=10), alone)
            await present.write(rows(2, 2, revision=10), alone)
            with pytest.raises(StreamAppError, match=r"ProducerFenced|InvalidProducerEpoch"):
                await former.write(rows(0, 2, revision=1), alone)
            await present.write(rows(4, 1, revision=10), alone)
    assert await told(kafka, name) == [10, 11, 12, 13, 14]
    assert all("ProducerFenced" in error for error in unseen), "the library forgets futures of its own"


async def test_who_connects_asks_first_whether_it_still_may(kafka: Cluster, name: str) -> None:
    async def no_more() -> None:
        raise FencedError("somebody else")

    async with writing(kafka, name) as former, writing(kafka, name) as present:
        await present.write(rows(0, 2, revision=10), alone)
        with pytest.raises(FencedError):
            await former.write(rows(0, 2, revision=1), no_more)
    assert await told(kafka, name) == [10, 11]


async def test_a_topic_that_is_there_is_used_as_it_is(kafka: Cluster, make_topic: MakeTopic) -> None:
    name = await make_topic(partitions=1, config={"cleanup.policy": "compact,delete"})
    async with writing(kafka, name) as topic:
        await topic.write(rows(0, 1, revision=1), alone)
    assert await told(kafka, name) == [1]


async def test_no_broker_is_said_with_the_topic_and_tried_again(name: str) -> None:
    nobody = {"bootstrap_servers": f"127.0.0.1:{free_port()}"}
    topic = IntervalTopic(nobody, name, "w", record_of)
    for _ in range(2):
        with pytest.raises(StreamAppError, match=name):
            await asyncio.wait_for(topic.write(rows(0, 1, revision=1), alone), 30)
    await topic.close()
