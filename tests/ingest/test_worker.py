"""A worker against real servers that are spoilt while it runs: it goes on without loss, or ends with one clear line."""

import asyncio
import itertools
import json
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer

from tests.conftest import MakeTopic
from tests.e2e.accounts import assert_accounted
from tests.e2e.ledger import read_ledger
from tests.e2e.verifier import Verifier
from tests.e2e.worker import Worker, environment
from tests.reference import traffic
from tests.services.command import run_command
from tests.services.kafka import Cluster, Record
from tests.services.process import free_port, until
from tests.services.redis import RedisServer

PARTITIONS = 2
DOWN_S = 10.0


class Stage:
    """One worker, one topic, one Redis; and what stands in the latter."""

    def __init__(self, kafka: Cluster, redis: RedisServer, topic: str, directory: Path) -> None:
        self.kafka, self.redis, self.topic = kafka, redis, topic
        self.metrics = free_port()
        self.gaps = False
        """Whether the topic has transactions, which leave offsets without a record."""
        self.worker = Worker(
            directory / "worker.log",
            **environment(kafka.bootstrap, redis.url, topic, STREAM_APP_METRICS_PORT=str(self.metrics)),
        )
        self.stream = traffic.traffic(3, 2_000)

    async def produce(self, count: int) -> None:
        """Some more of honest traffic."""
        records = [
            Record(k, v, timestamp_ms=ts) for (k, v, ts), _ in zip(self.stream, range(count), strict=False)
        ]
        await self.kafka.produce(self.topic, records)

    def of(self, partition: int, key: str) -> dict[str, str]:
        with self.redis.client(decode_responses=True) as client:
            found: Any = client.hgetall(f"kpi:{{{self.topic}.{partition}}}:{key}")
            return dict(found)

    async def is_read(self) -> bool:
        """Whether every partition is read to its end, markers of transactions included."""
        ends = await self.kafka.end_offsets(self.topic)
        return all(int(self.of(n, "meta").get("position") or 0) == end for n, end in ends.items())

    async def verify(self) -> None:
        """All is counted, and nothing twice."""
        ledger = await read_ledger(self.kafka.bootstrap, self.topic, PARTITIONS)
        verifier = Verifier(self.redis.url, self.topic, ledger)
        for partition in range(PARTITIONS):
            verifier.check(partition)
        assert not verifier.wrong, "\n".join(verifier.wrong[:5])

    def last_words(self) -> list[str]:
        """What it said of its end, without what libraries add."""
        return [line for line in self.worker.log.read_text().splitlines() if "stopping" in line]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
async def stage(
    kafka: Cluster, redis: RedisServer, make_topic: MakeTopic, tmp_path: Path
) -> AsyncIterator[Stage]:
    topic = await make_topic(partitions=PARTITIONS)
    stage = Stage(kafka, redis, topic, tmp_path)
    yield stage
    stage.worker.close()
    assert_accounted(redis.url, topic, gaps=stage.gaps)


def queued(contact: str, queue: str = "x") -> bytes:
    at = time.time_ns() // 1_000_000
    event = {"id": f"e-{contact}", "type": "contact.queued", "at": at, "contact_id": contact, "queue": queue}
    return json.dumps(event).encode()


async def test_transactions_leave_gaps_and_no_lag(stage: Stage) -> None:
    """Aborted writes never happened; one partition holds nothing else, and is read to its end all the same."""
    stage.gaps = True
    producer = AIOKafkaProducer(bootstrap_servers=stage.kafka.bootstrap, transactional_id=f"t-{stage.topic}")
    async with producer:
        for n, (partition, kept) in enumerate([(0, False), (0, True), (0, False), (0, True), (1, False)]):
            await producer.begin_transaction()
            for m in range(5):
                await producer.send_and_wait(stage.topic, queued(f"c{n}.{m}"), partition=partition)
            if n == 1:
                stage.worker.start()
            await (producer.commit_transaction() if kept else producer.abort_transaction())
        await until(stage.is_read, 30, "every partition is read to its end")
        held = [{k: int(n) for k, n in stage.of(p, "results").items()} for p in range(PARTITIONS)]
        ends = await stage.kafka.end_offsets(stage.topic)
        assert held == [{"applied": 10, "gap": ends[0] - 10}, {"gap": ends[1]}]
        assert ends == {0: 24, 1: 6}
        await producer.begin_transaction()
        await producer.send_and_wait(stage.topic, queued("late"), partition=1)
        await producer.commit_transaction()
    await until(stage.is_read, 10, "and so is what comes after")
    await until(lambda: f'stream_app_lag_events{{partition="{stage.topic}.1"}} 0.0' in scraped(stage))
    gaps = sum(int(stage.of(p, "results")["gap"]) for p in range(PARTITIONS))
    assert gaps == 21
    told = f'stream_app_gaps_total{{kind="transaction"}} {gaps:.1f}'
    await until(lambda: told in scraped(stage), 10, "and why there is none is told")
    (began,) = re.findall(r"^stream_app_started_timestamp_seconds (\S+)$", scraped(stage), re.MULTILINE)
    assert 0 < time.time() - float(began) < 600
    await stage.verify()
    assert stage.worker.stop() == 0


def run_for(worker: Worker, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command does with a worker's settings."""
    return run_command(*words, env=worker.env)


def rebuild(worker: Worker, *options: str) -> subprocess.CompletedProcess[str]:
    """What `stream-app rebuild` does with a worker's settings."""
    return run_for(worker, "rebuild", *options)


def scraped(stage: Stage) -> str:
    with urlopen(f"http://127.0.0.1:{stage.metrics}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize(
    ("meanwhile", "records"),
    [
        ("stopped", 20),
        pytest.param("stopped", 2_000, marks=pytest.mark.chaos),
        ("stopped", 4_000),
        ("running", 4_000),
    ],
)
async def test_a_topic_that_was_made_anew_stops_the_worker(
    stage: Stage, meanwhile: str, records: int
) -> None:
    """However long it is by now, and as often as a supervisor starts the worker again."""
    sent = [Record(k, v, timestamp_ms=ts) for k, v, ts in itertools.islice(stage.stream, 2_000 + records)]
    await stage.kafka.produce(stage.topic, sent[:2_000])
    stage.worker.start()
    await until(stage.is_read, 30, "all is counted")
    if meanwhile == "stopped":
        assert stage.worker.stop() == 0
    counted = [stage.of(n, "meta")["position"] for n in range(PARTITIONS)]
    await stage.kafka.delete_topic(stage.topic)
    await stage.kafka.create_topic(stage.topic, PARTITIONS, {"retention.ms": "-1"})
    await stage.kafka.produce(stage.topic, sent[2_000:])
    for _ in range(2):
        if not stage.worker.running:
            stage.worker.start()
        assert await asyncio.to_thread(stage.worker.wait, 60) not in (0, None)
        assert any("created again" in line and "stream-app rebuild" in line for line in stage.last_words())
        if meanwhile == "stopped":
            assert [stage.of(n, "meta")["position"] for n in range(PARTITIONS)] == counted, (
                "not one was mixed in"
            )


async def test_what_was_read_from_a_topic_made_anew_can_be_counted_anew(stage: Stage) -> None:
    await stage.produce(100)
    stage.worker.start()
    await until(stage.is_read, 30, "all is counted")
    assert stage.worker.stop() == 0
    await stage.kafka.delete_topic(stage.topic)
    await stage.kafka.create_topic(stage.topic, PARTITIONS, {"retention.ms": "-1"})
    await stage.produce(300)
    await until(lambda: rebuild(stage.worker, "--yes").returncode == 0, 30, "nobody owns it any more")
    stage.worker.start()
    await until(stage.is_read, 30, "all of the new one is counted")
    await stage.verify()
    assert stage.worker.stop() == 0


@pytest.mark.parametrize("when", ["at once", "after its position is known to Kafka"])
async def test_a_store_that_was_wiped_stops_the_worker(stage: Stage, when: str) -> None:
    """To go on would show a few counts of the last minutes as if they were the day's."""
    await stage.produce(1_000)
    stage.worker.start()
    await until(stage.is_read, 30, "all is counted")
    if when != "at once":
        assert stage.worker.stop() == 0
        stage.worker.start()
        await until(lambda: stage.worker.count("claimed") >= 2 * PARTITIONS, 30, "it is back")
    with stage.redis.client() as client:
        client.flushall()
    await stage.produce(100)
    assert await asyncio.to_thread(stage.worker.wait, 30) not in (0, None)
    assert any("wiped" in line and "stream-app rebuild" in line for line in stage.last_words())
    with stage.redis.client() as client:
        assert client.keys("kpi:{*:c:*") == [], "nothing was counted from the middle on"


async def test_a_rollback_is_noticed_without_a_record_to_store(stage: Stage) -> None:
    """All is read, nothing comes, and Redis comes back without its last writes."""
    await stage.produce(2_000)
    stage.worker.start(STREAM_APP_BATCH_RECORDS="50")
    await until(stage.is_read, 30, "all is counted")
    stage.redis.kill()
    await asyncio.to_thread(stage.redis.cut_aof, 12)
    await asyncio.to_thread(stage.redis.start)
    assert not await stage.is_read()
    await until(stage.is_read, 20, "it has counted again what was lost")
    await stage.verify()
    assert stage.worker.count("store_rolled_back") > 0
    assert stage.worker.stop() == 0


async def test_redis_may_be_away_for_a_while(stage: Stage) -> None:
    await stage.produce(1_000)
    stage.worker.start()
    await until(stage.is_read, 30, "all is counted")
    stage.redis.stop()
    down = time.monotonic()
    await stage.produce(1_000)
    await until(lambda: stage.worker.count("store_unavailable") > 0, 20, "it has noticed")
    await until(lambda: time.monotonic() >= down + DOWN_S, DOWN_S + 5)
    await asyncio.to_thread(stage.redis.start)
    await until(stage.is_read, 20, "it has gone on")
    await stage.verify()
    assert stage.worker.count("claimed ") == PARTITIONS, "it never left the group"
    assert stage.worker.stop() == 0


async def test_nothing_but_poison_stops_the_worker_and_is_drained_when_told_to(stage: Stage) -> None:
    poison = [Record(b"k", b"{", partition=0) for _ in range(3_000)]
    await stage.kafka.produce(stage.topic, poison)
    stage.worker.start(STREAM_APP_BATCH_RECORDS="800")
    assert await asyncio.to_thread(stage.worker.wait, 30) not in (0, None)
    assert any("STREAM_APP_MAX_DEAD_IN_A_ROW" in line and "not_json" in line for line in stage.last_words())
    assert int(stage.of(0, "results").get("dead_letter", 0)) < 1_000
    stage.worker.start(STREAM_APP_MAX_DEAD_IN_A_ROW="0")
    await until(stage.is_read, 30, "told to, it drains them")
    assert stage.of(0, "results") == {"dead_letter": "3000", "dead_letter:not_json": "3000"}
    assert stage.worker.stop() == 0


async def test_a_flood_of_queue_names_is_other_and_told(stage: Stage) -> None:
    names = [Record(f"c{n}".encode(), queued(f"c{n}", f"queue {n}")) for n in range(3_000)]
    await stage.kafka.produce(stage.topic, names)
    stage.worker.start(STREAM_APP_QUEUE_CAP="10")
    await until(stage.is_read, 30, "all is counted")
    with stage.redis.client() as client:
        assert client.hlen("kpi:names:queue") == 10
        cells = sum(client.hlen(f"kpi:{{{stage.topic}.{n}}}:c:0:0") for n in range(PARTITIONS))
        assert cells <= 2 * 11
    assert 'stream_app_names_full{kind="queue"} 1.0' in scraped(stage)
    assert 'stream_app_names_full{kind="channel"} 0.0' in scraped(stage)
    assert stage.worker.stop() == 0


GRACE_S = 10.0
"""How long a supervisor waits before it kills, if nobody tells it otherwise: Docker's default."""


async def test_a_store_that_hangs_does_not_keep_a_worker_from_stopping(stage: Stage) -> None:
    """It leaves the group, so that another one takes over at once, and nothing is lost or counted twice."""
    await stage.produce(1_000)
    stage.worker.start(STREAM_APP_BATCH_RECORDS="50")
    await until(lambda: stage.of(0, "meta").get("position"), 30, "it counts")
    stage.redis.pause()
    try:
        stage.worker.signal(signal.SIGTERM)
        assert await asyncio.to_thread(stage.worker.wait, GRACE_S) == 0
    finally:
        stage.redis.resume()
    stage.worker.start()
    await until(stage.is_read, 30, "all is counted")
    await stage.verify()
    assert stage.worker.stop() == 0


async def test_no_broker_is_one_line(redis: RedisServer, tmp_path: Path) -> None:
    broker = f"127.0.0.1:{free_port()}"
    worker = Worker(tmp_path / "worker.log", **environment(broker, redis.url, "t"))
    worker.start()
    assert await asyncio.to_thread(worker.wait, 60) == 1
    said = worker.log.read_text()
    assert f"no Kafka broker answers at {broker}" in said
    assert "Traceback" not in said
    for words in (("rebuild",), ("repartition",), ("dead-letters", "--send-again")):
        done = await asyncio.to_thread(run_for, worker, *words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert len(done.stderr.splitlines()) == 1, words
        assert f"no Kafka broker answers at {broker}" in done.stderr
