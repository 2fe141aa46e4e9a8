"""Stop and start: the most ordinary act of all loses nothing, whatever it interrupts.

Traffic never pauses, Redis is a few milliseconds away (on loopback a worker is hardly ever caught between reading and storing),
and workers are stopped, killed and started at random. In the end all records are counted, and none was taken for a gap.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from aiokafka import AIOKafkaProducer

from tests.reference import traffic
from tests.services.kafka import Cluster
from tests.services.process import until
from tests.services.proxy import FaultProxy
from tests.services.redis import RedisServer

from .accounts import assert_accounted
from .fault_table import Fault, note
from .ledger import read_ledger
from .verifier import Verifier
from .worker import Worker, closing, environment

PER_SECOND: Final = 1_000
LATENCY_S: Final = (0.002, 0.02)
"""How far away Redis is, each way."""
MakeTopic = Callable[..., Awaitable[str]]


class Soak:
    """Traffic that never pauses, and workers that do."""

    def __init__(
        self, seed: int, workers: list[Worker], redis: RedisServer, topic: str, partitions: int
    ) -> None:
        self.random = random.Random(seed)
        self.workers = workers
        self.produced = 0
        self.stops = self.kills = 0
        self._redis = redis
        self._topic = topic
        self._partitions = partitions

    def counted(self) -> int:
        """Offsets that are accounted for."""
        with self._redis.client() as client:
            metas = [f"kpi:{{{self._topic}.{n}}}:meta" for n in range(self._partitions)]
            return sum(int(client.hget(meta, "position") or 0) for meta in metas)

    async def moves_on(self, by: int) -> None:
        """Wait until so many more records are counted."""
        goal = self.counted() + by
        await until(
            lambda: self.counted() >= goal, 60, f"{by} more are counted (of {self.produced} produced)"
        )

    async def restart(self, worker: Worker, how: signal.Signals) -> None:
        """Interrupt a worker in the middle of its work, and have it work again."""
        await self.moves_on(self.random.randrange(20, 400))
        worker.signal(how)
        if how is signal.SIGTERM:
            # One that has only begun to load its program knows no signals yet.
            assert await asyncio.to_thread(worker.wait) in {0, -signal.SIGTERM}
            self.stops += 1
        else:
            await until(lambda: not worker.running, 10, "it is gone")
            self.kills += 1
        worker.start()

    def faults(self, where: str, recovered_s: float, wrong: int) -> list[Fault]:
        """What it went through, for the table."""
        return [
            {
                "fault": f"{what} under {PER_SECOND} events/s, {where}",
                "times": times,
                "events": self.produced,
                "wrong_counters": wrong,
                "recovered_s": round(recovered_s, 1),
            }
            for what, times in (("worker restarted", self.stops), ("worker killed", self.kills))
            if times
        ]

    async def produce(self, bootstrap: str) -> None:
        """Send traffic at an even pace, until cancelled."""
        stream = traffic.traffic(self.random.randrange(1 << 30), 10_000_000)
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
            while True:
                for _ in range(PER_SECOND // 20):
                    key, value, ts = next(stream)
                    await producer.send(self._topic, value, key=key, timestamp_ms=ts)
                    self.produced += 1
                await asyncio.sleep(1 / 20)


@asynccontextmanager
async def soaking(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path, *, seed: int, workers: int, partitions: int
) -> AsyncIterator[Soak]:
    """Yield the soak; afterwards all that was produced must be counted, exactly."""
    topic = await make_topic(partitions=partitions)
    with RedisServer() as redis:
        async with FaultProxy(redis.port) as proxy:
            env = environment(
                kafka.bootstrap,
                f"redis://127.0.0.1:{proxy.port}/0",
                topic,
                STREAM_APP_SESSION_TIMEOUT_MS="2000",
            )
            crew = [Worker(tmp_path / f"worker-{n}.log", **env) for n in range(workers)]
            soak = Soak(seed, crew, redis, topic, partitions)
            proxy.latency_s = soak.random.uniform(*LATENCY_S)
            with closing(crew):
                crew[0].start()
                traffic = asyncio.create_task(soak.produce(kafka.bootstrap))
                try:
                    yield soak
                finally:
                    traffic.cancel()
                    await asyncio.gather(traffic, return_exceptions=True)
                ended = time.monotonic()
                latency_s, proxy.latency_s = proxy.latency_s, 0.0
                ledger = await read_ledger(kafka.bootstrap, topic, partitions)
                verifier = Verifier(redis.url, topic, ledger)

                def is_done() -> bool:
                    with redis.client() as client:
                        return all(
                            verifier.done(n, int(client.hget(f"kpi:{{{topic}.{n}}}:meta", "position") or 0))
                            for n in range(partitions)
                        )

                await until(is_done, 60, "all that was produced is counted")
                for n in range(partitions):
                    assert verifier.done(n, verifier.check(n))
                assert not verifier.wrong, "\n".join(verifier.wrong[:5])
                assert assert_accounted(redis.url, topic) == sum(map(len, ledger.values()))
                away, recovered_s = f"Redis {latency_s * 1000:.0f} ms away", time.monotonic() - ended
                note(soak.faults(away, recovered_s, len(verifier.wrong)))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("seed", "restarts", "partitions"),
    [
        (1, 8, 4),
        pytest.param(2, 100, 4, marks=pytest.mark.chaos),
        pytest.param(3, 100, 12, marks=pytest.mark.chaos),
    ],
)
async def test_a_plain_restart_under_traffic_loses_nothing(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path, *, seed: int, restarts: int, partitions: int
) -> None:
    async with soaking(kafka, make_topic, tmp_path, seed=seed, workers=1, partitions=partitions) as soak:
        for _ in range(restarts):
            await soak.restart(soak.workers[0], signal.SIGTERM)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("seed", "turns"), [(4, 8), pytest.param(5, 60, marks=pytest.mark.chaos)])
async def test_a_storm_of_rebalances_loses_nothing(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path, *, seed: int, turns: int
) -> None:
    """Three workers share the partitions; one of them is stopped, killed or started every second or so."""
    async with soaking(kafka, make_topic, tmp_path, seed=seed, workers=3, partitions=4) as soak:
        await soak.moves_on(1)
        for worker in soak.workers[1:]:
            worker.start()
        for turn in range(turns):
            how = signal.SIGKILL if turn % 4 == 3 else signal.SIGTERM
            await soak.restart(soak.random.choice(soak.workers), how)
