"""Degraded and known to be: whatever keeps the numbers from being true shows beside them, until it is over."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.services.kafka import KafkaBroker
from tests.services.process import HOST, free_port, until
from tests.services.proxy import FaultProxy

from .pipeline import Pipeline, answered, now_ms
from .serve import MAX_AGE_S

SLACK_S = 0.5  # what asking takes on a busy machine


async def doubted_after(pipeline: Pipeline, hurt: Callable[[], object]) -> float:
    """Hurt it; gives how many seconds pass until it says that its numbers are too old."""
    started = time.monotonic()
    hurt()
    await until(pipeline.serve.is_doubted, MAX_AGE_S + 5)
    doubted_s = time.monotonic() - started
    _, problem = await pipeline.serve.get("/readyz")
    assert f"s old, more than {MAX_AGE_S:g} s" in problem["detail"]
    age = await data_age(pipeline)
    assert age > MAX_AGE_S

    async def older() -> bool:
        return await data_age(pipeline) > age + 0.5

    await until(older)
    return doubted_s


async def data_age(pipeline: Pipeline) -> float:
    return (await pipeline.serve.metrics())["cc_data_age_seconds", frozenset()]


async def stays_fresh(pipeline: Pipeline, seconds: float) -> float:
    """Look for a while; gives the greatest age of the data."""
    oldest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        assert await pipeline.serve.is_trusted()
        oldest = max(oldest, await data_age(pipeline))
    return oldest


async def test_a_frozen_or_dead_worker_is_owned_up_to_and_a_quiet_topic_is_none(pipeline: Pipeline) -> None:
    with pipeline.running():
        await pipeline.trusted()
        quiet = await stays_fresh(pipeline, MAX_AGE_S + 1)  # not one event
        frozen = await doubted_after(pipeline, lambda: pipeline.worker.signal(signal.SIGSTOP))
        pipeline.worker.signal(signal.SIGCONT)
        await pipeline.trusted()
        killed = await doubted_after(pipeline, lambda: pipeline.worker.signal(signal.SIGKILL))
        pipeline.worker.wait()
        pipeline.worker.start()
        await pipeline.trusted()
    print(f"quiet: {quiet:.1f} s old; frozen: 503 after {frozen:.1f} s; killed: {killed:.1f} s")  # noqa: T201 - the figures of the run
    assert max(frozen, killed) < MAX_AGE_S + SLACK_S


async def test_a_worker_cut_off_from_kafka_is_owned_up_to(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    with KafkaBroker(advertised=port) as broker:
        async with FaultProxy(broker.proxied_port, port) as proxy:
            await broker.cluster.create_topic("events", 2)
            pipeline = Pipeline(broker.cluster, redis_url, "events", tmp_path, by=f"{HOST}:{port}")
            with pipeline.running():
                await pipeline.trusted()
                figures = {}
                for fault in (proxy.blackhole, proxy.refuse):
                    doubted = await doubted_after(pipeline, fault)
                    assert pipeline.worker.running
                    healed = time.monotonic()
                    await proxy.heal()
                    await pipeline.trusted()
                    figures[fault.__name__] = (doubted, time.monotonic() - healed)
                await pipeline.produce(answered("late", now_ms() - 30_000, 1.0))
                await pipeline.until_over({"late": 1})
    print({name: f"503 after {a:.1f} s, 200 after {b:.1f} s" for name, (a, b) in figures.items()})  # noqa: T201 - same
    assert max(doubted for doubted, _ in figures.values()) < MAX_AGE_S + SLACK_S
