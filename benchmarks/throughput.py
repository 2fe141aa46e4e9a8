"""How fast: ours, the whole job, beside the ceiling of the stack and beside what the tutorials show, in one run.

Ours is compiled, as wheels and the image are, and once more as Python.

The process under test is pinned to one core; Kafka, Redis and this script share the other. Rounds alternate, so that a noisy
neighbour meets all of them; what counts is the median of the ratios within a round. CPU seconds are the kernel's, for the
stretch between the first claim and the last commit.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import redis

from tests.services.compiled import OPTIMIZED, compiled_environment
from tests.services.kafka import KafkaBroker
from tests.services.process import wait_until
from tests.services.redis import RedisServer

from .figures import Figure
from .loads import lifecycle

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PLAIN_EVENTS = 15_000
PARTITIONS = 4


def _pin(core: int) -> Any:
    return lambda: os.sched_setaffinity(0, {core})


@contextmanager
def _servers() -> Iterator[tuple[KafkaBroker, RedisServer]]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})  # children inherit it
    try:
        with KafkaBroker(heap="1g") as broker, RedisServer() as store:
            yield broker, store
    finally:
        os.sched_setaffinity(0, before)


def measure() -> list[Figure]:
    """All figures of speed."""
    core = min(os.sched_getaffinity(0))
    rounds: list[dict[str, float]] = []
    with _servers() as (broker, store):
        topics = {60: "events-60", 600: "events-600"}
        start = int(time.time() * 1000) - 3_600_000
        for places, topic in topics.items():
            asyncio.run(_produce(broker, topic, EVENTS, places, start))
        asyncio.run(_produce(broker, "events-plain", PLAIN_EVENTS, 60, start))
        for n in range(ROUNDS):
            found = {
                "raw": _reference("raw", broker, core, "events-60", EVENTS),
                **_ours(broker, store, core, f"round-{n}", 60),
                **_ours(broker, store, core, f"round-{n}", 600),
                **_ours(broker, store, core, f"noted-{n}", 60, suffix="_noted"),
                **_ours(broker, store, core, f"python-{n}", 60, suffix="_python"),
                **{
                    which: _reference(which, broker, core, "events-plain", PLAIN_EVENTS, store.url)
                    for which in ("plain", "pipelined")
                },
            }
            rounds.append(found)
            print(f"  round {n + 1}: " + ", ".join(f"{k} {v:,.1f}" for k, v in found.items()), flush=True)

    def median(name: str) -> float:
        return statistics.median(r[name] for r in rounds)

    def ratio(a: str, b: str) -> float:
        return statistics.median(r[a] / r[b] for r in rounds)

    raw, plain, pipelined = median("raw"), median("plain"), median("pipelined")
    figures = [
        Figure("raw_loop_events_per_second", raw, "events/s"),
        Figure("plain_faust_agent_events_per_second", plain, "events/s"),
        Figure("pipelined_faust_agent_events_per_second", pipelined, "events/s"),
        Figure("full_job_events_per_second", median("ours"), "events/s", raw, ratio("ours", "raw")),
        Figure("full_job_against_plain_agent", median("ours"), "events/s", plain, ratio("ours", "plain")),
        Figure(
            "full_job_against_pipelined_agent",
            median("ours"),
            "events/s",
            pipelined,
            ratio("ours", "pipelined"),
        ),
    ]
    noted = Figure(
        "full_job_with_ledger_events_per_second",
        median("ours_noted"),
        "events/s",
        raw,
        ratio("ours_noted", "raw"),
    )
    figures.append(
        Figure(
            "full_job_as_python_events_per_second",
            median("ours_python"),
            "events/s",
            raw,
            ratio("ours_python", "raw"),
        )
    )
    sizes = (("", "60"), ("_600", "600"), ("_noted", "60_with_ledger"), ("_python", "60_as_python"))
    for suffix, size in sizes:
        rss = max(r[f"rss{suffix}"] for r in rounds)
        if suffix == "_noted":
            figures.append(noted)
        elif suffix == "_600":
            figures.append(
                Figure(
                    "full_job_600_events_per_second",
                    median("ours_600"),
                    "events/s",
                    raw,
                    ratio("ours_600", "raw"),
                )
            )
        figures += [
            Figure(f"cpu_seconds_per_million_events_{size}", median(f"cpu{suffix}"), "s"),
            Figure(f"redis_cpu_seconds_per_million_events_{size}", median(f"redis_cpu{suffix}"), "s"),
            Figure(f"resident_memory_{size}", rss, "bytes", 300e6, rss / 300e6),
        ]
    return figures


async def _produce(broker: KafkaBroker, topic: str, events: int, places: int, start: int) -> None:
    await broker.cluster.create_topic(topic, PARTITIONS, {"retention.ms": "-1"})
    await broker.cluster.produce(topic, lifecycle(events, places, start))


def _reference(which: str, broker: KafkaBroker, core: int, topic: str, events: int, *more: str) -> float:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.ceiling",
            which,
            broker.cluster.bootstrap,
            topic,
            str(events),
            *more,
        ],
        preexec_fn=_pin(core),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return float(re.findall(r"\d+\.\d+", done.stdout)[-1])


def _ours(
    broker: KafkaBroker, store: RedisServer, core: int, group: str, places: int, *, suffix: str | None = None
) -> dict[str, float]:
    topic = f"events-{places}"
    if suffix is None:
        suffix = "" if places == 60 else f"_{places}"
    with store.client() as client:
        client.flushall()
        env = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": broker.cluster.bootstrap,
            "REDIS_URL": store.url,
            "STREAM_APP_TOPIC": topic,
            "STREAM_APP_GROUP": f"{group}-{places}",
            "STREAM_APP_METRICS_PORT": "0",
            "STREAM_APP_LOG_LEVEL": "error",
            "STREAM_APP_LEDGER": "noted" if suffix == "_noted" else "",  # nobody writes it
            **({} if suffix == "_python" else compiled_environment(OPTIMIZED)),
        }
        command = [sys.executable, "-m", "stream_app", "worker"]
        worker = subprocess.Popen(command, env=env, preexec_fn=_pin(core), stderr=subprocess.DEVNULL)  # noqa: PLW1509
        try:
            watched, served = psutil.Process(worker.pid), psutil.Process(store.pid)
            wait_until(lambda: any(_metas(client, topic, "token")), 60, "a claim")
            started, cpu, redis_cpu = time.perf_counter(), _cpu(watched), _cpu(served)
            wait_until(
                lambda: sum(int(p or 0) for p in _metas(client, topic, "position")) >= EVENTS, 300, "the end"
            )
            seconds = time.perf_counter() - started
            million = EVENTS / 1e6
            return {
                f"ours{suffix}": EVENTS / seconds,
                f"cpu{suffix}": (_cpu(watched) - cpu) / million,
                f"redis_cpu{suffix}": (_cpu(served) - redis_cpu) / million,
                f"rss{suffix}": float(watched.memory_info().rss),
            }
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)


def _metas(client: redis.Redis, topic: str, name: str) -> list[Any]:
    return [client.hget(f"kpi:{{{topic}.{n}}}:meta", name) for n in range(PARTITIONS)]


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
