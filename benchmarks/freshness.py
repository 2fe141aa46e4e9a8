"""How live: from ``produce`` to visible in ``/v1/now``, at 2,000 events a second, through real workers and a real ``serve``."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiokafka import AIOKafkaProducer

from tests.services.kafka import KafkaBroker
from tests.services.process import free_port, until
from tests.services.redis import RedisServer

from .figures import Figure
from .loads import EVENTS_PER_SECOND, lifecycle

SECONDS = 20
PROBES_PER_SECOND = 5
PROMISED_S = 0.5


def measure() -> list[Figure]:
    """Latency of marked contacts among the load: each waits alone in a queue of its own, whose backlog must become 1."""
    with KafkaBroker() as broker, RedisServer() as store:
        asyncio.run(broker.cluster.create_topic("contact-events", 4))
        port = free_port()
        env = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": broker.cluster.bootstrap,
            "REDIS_URL": store.url,
            "STREAM_APP_METRICS_PORT": "0",
            "STREAM_APP_LOG_LEVEL": "error",
        }
        with _running("worker", env), _running("serve", env, "--port", str(port)):
            found = asyncio.run(_probe(broker.cluster.bootstrap, f"http://127.0.0.1:{port}"))
    latencies = sorted(found)
    p99 = latencies[int(len(latencies) * 0.99)]
    return [
        Figure("produce_to_visible_p50_seconds", round(statistics.median(latencies), 4), "s"),
        Figure("produce_to_visible_p99_seconds", round(p99, 4), "s", PROMISED_S, round(p99 / PROMISED_S, 3)),
    ]


@contextmanager
def _running(command: str, env: dict[str, str], *more: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "stream_app", command, *more], env=env)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


async def _probe(bootstrap: str, url: str) -> list[float]:
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer,
        aiohttp.ClientSession(url) as http,
    ):

        async def ready() -> bool:
            try:
                async with http.get("/readyz") as reply:
                    return reply.status == 200
            except aiohttp.ClientError:
                return False

        await until(ready, 60, "serve is ready")
        load = asyncio.create_task(_load(producer))
        probes: list[asyncio.Task[float]] = []
        for n in range(SECONDS * PROBES_PER_SECOND):
            probes.append(asyncio.create_task(_one(producer, http, n)))
            await asyncio.sleep(1 / PROBES_PER_SECOND)
        found = await asyncio.gather(*probes)
        await load
    return list(found)


async def _load(producer: AIOKafkaProducer) -> None:
    """Lives of a second or two, each event sent when its stamp says so."""
    start = time.time()
    for n, record in enumerate(lifecycle(SECONDS * EVENTS_PER_SECOND, 60, int(start * 1000), haste=100)):
        if n % 20 == 0:
            await asyncio.sleep(max(0.0, (record.timestamp_ms or 0) / 1000 - time.time()))
        await producer.send("contact-events", record.value, key=record.key)


async def _one(producer: AIOKafkaProducer, http: aiohttp.ClientSession, n: int) -> float:
    queue = f"probe-{n}"
    event = (
        f'{{"id":"{queue}","type":"contact.queued","at":{time.time_ns() // 1_000_000},'
        f'"contact_id":"{queue}","queue":"{queue}","channel":"voice"}}'
    )
    started = time.perf_counter()
    give_up = started + 30
    await producer.send("contact-events", event.encode(), key=queue.encode())
    while True:
        async with http.get("/v1/now", params={"queue": queue, "window": "5m"}) as reply:
            rows = (await reply.json())["rows"]
        if rows and rows[0]["levels"]["backlog"] == 1:
            return time.perf_counter() - started
        if time.perf_counter() > give_up:
            raise TimeoutError(f"{queue} never became visible")
        await asyncio.sleep(0.005)
