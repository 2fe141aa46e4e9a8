"""Scale-out and takeover: more workers share the partitions; who goes, whatever the way, is replaced in time."""

from __future__ import annotations

import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.reference import traffic
from tests.services.kafka import Cluster, Record
from tests.services.process import until
from tests.services.redis import RedisServer

from .accounts import assert_accounted
from .ledger import read_ledger
from .verifier import Verifier
from .worker import Worker, environment

PARTITIONS = 4
AFTER_SIGTERM_S = 3.0
AFTER_SIGKILL_S = 15.0
AFTER_RESTART_S = 10.0
OPEN_VISITS = 100_000
MakeTopic = Callable[..., Awaitable[str]]


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    started: list[Worker] = []
    yield started
    for worker in started:
        worker.close()


def positions(redis: RedisServer, topic: str) -> list[int]:
    with redis.client() as client:
        return [int(client.hget(f"kpi:{{{topic}.{n}}}:meta", "position") or 0) for n in range(PARTITIONS)]


def owners(redis: RedisServer, topic: str) -> list[str]:
    with redis.client() as client:
        return [client.hget(f"kpi:{{{topic}.{n}}}:meta", "token") for n in range(PARTITIONS)]


async def produce(kafka: Cluster, topic: str, seed: int, contacts: int) -> int:
    stream = traffic.traffic(seed, contacts)
    return await kafka.produce(topic, (Record(key, value, timestamp_ms=ts) for key, value, ts in stream))


@pytest.mark.timeout(180)
async def test_two_workers_share_and_replace_each_other(
    kafka: Cluster, make_topic: MakeTopic, redis: RedisServer, workers: list[Worker], tmp_path: Path
) -> None:
    topic = await make_topic(partitions=PARTITIONS)
    # The session timeout is the one that users get.
    env = {**environment(kafka.bootstrap, redis.url, topic), "STREAM_APP_SESSION_TIMEOUT_MS": "8000"}
    workers += [Worker(tmp_path / f"worker-{n}.log", **env) for n in range(2)]
    a, b = (worker.start() for worker in workers)
    await until(lambda: a.count("claimed") and b.count("claimed"), 30, "both have claimed")

    produced = await produce(kafka, topic, 1, 300)
    await until(lambda: sum(positions(redis, topic)) >= produced, 30, "all is counted")

    async def moves_on(worker: Worker, how: Callable[[], object], within_s: float) -> float:
        """End one worker, produce, and see the other one count it all."""
        nonlocal produced
        before = owners(redis, topic)
        started = time.monotonic()
        how()
        await until(lambda: not worker.running, 10, "the worker ends")
        await until(
            lambda: len([o for o, n in zip(before, owners(redis, topic), strict=True) if o != n]) >= 2,
            within_s,
        )
        took = time.monotonic() - started
        produced += await produce(kafka, topic, produced, 300)
        await until(lambda: sum(positions(redis, topic)) >= produced, 20, "what came after is counted too")
        return took

    after_term = await moves_on(a, lambda: a.signal(signal.SIGTERM), AFTER_SIGTERM_S)
    assert a.exit_code == 0
    claims = a.count("claimed")
    a.start()
    await until(lambda: a.count("claimed") >= claims + 2, 30, "it has its half again")
    after_kill = await moves_on(a, a.close, AFTER_SIGKILL_S)

    verifier = Verifier(redis.url, topic, await read_ledger(kafka.bootstrap, topic, PARTITIONS))
    for partition in range(PARTITIONS):
        assert verifier.done(partition, verifier.check(partition))
    assert not verifier.wrong, verifier.wrong[:3]
    assert assert_accounted(redis.url, topic) == produced
    print(f"partitions moved on {after_term:.1f} s after SIGTERM, {after_kill:.1f} s after SIGKILL")  # noqa: T201 - figures


@pytest.mark.timeout(180)
async def test_a_restart_with_a_hundred_thousand_open_contacts(
    kafka: Cluster, make_topic: MakeTopic, redis: RedisServer, workers: list[Worker], tmp_path: Path
) -> None:
    topic = await make_topic(partitions=PARTITIONS)
    now = time.time_ns() // 1_000_000

    def queued(first: int, count: int) -> Iterator[Record]:
        for n in range(first, first + count):
            place = f'"contact_id":"c{n}","queue":"q{n % 20}","channel":"email"'
            event = f'{{"id":"e{n}","type":"contact.queued","at":{now},{place}}}'
            yield Record(f"c{n}".encode(), event.encode(), timestamp_ms=now)

    workers.append(Worker(tmp_path / "worker.log", **environment(kafka.bootstrap, redis.url, topic)))
    produced = await kafka.produce(topic, queued(0, OPEN_VISITS))
    workers[0].start()
    await until(lambda: sum(positions(redis, topic)) >= produced, 60, "all wait")
    assert workers[0].stop() == 0

    produced += await kafka.produce(topic, queued(OPEN_VISITS, 1_000))
    started = time.monotonic()
    workers[0].start()
    await until(lambda: sum(positions(redis, topic)) >= produced, AFTER_RESTART_S, "it counts again")
    print(f"counting again {time.monotonic() - started:.1f} s after the start")  # noqa: T201 - figure
    assert assert_accounted(redis.url, topic) == produced
    with redis.client() as client:
        assert (
            sum(client.hlen(f"kpi:{{{topic}.{n}}}:visits") for n in range(PARTITIONS)) == OPEN_VISITS + 1_000
        )
