"""Machines whose clocks differ: ages and windows go by one clock, Redis's, and whose clock is wrong is said."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any

import redis.asyncio

from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.redis import RedisStore
from stream_app.views import naming
from tests.services.clocks import skewed
from tests.services.command import run_command
from tests.services.kafka import Record
from tests.services.process import until
from tests.store.owner import Owner, now_ms, queued

from .accounts import assert_accounted
from .pipeline import Pipeline, event, record
from .serve import Serve, parsed
from .worker import environment

MINUTE = timedelta(minutes=1)
HOUR_S = 3_600
CLOCKS_S = (0, 120, -120, HOUR_S, -HOUR_S)


async def test_a_dead_worker_is_owned_up_to_whatever_its_clock_says(pipeline: Pipeline) -> None:
    doubted_s = {}
    with pipeline.serve:
        for clock_s in CLOCKS_S:
            pipeline.worker.start(**skewed(clock_s))
            try:
                await pipeline.trusted()
                started = time.monotonic()
            finally:
                pipeline.worker.signal(signal.SIGKILL)
            await until(
                pipeline.serve.is_doubted, 30, f"a dead worker with a clock off by {clock_s} s is doubted"
            )
            doubted_s[clock_s] = time.monotonic() - started
            pipeline.worker.wait()
    print({clock: f"503 after {took:.1f} s" for clock, took in doubted_s.items()})  # noqa: T201 - the figures of the run
    # A heartbeat was up to a second old when it died; else they are the same.
    assert max(doubted_s.values()) < 2 * doubted_s[0]
    assert assert_accounted(pipeline.redis_url, pipeline.topic) == 0


async def test_a_partition_that_lags_is_old_although_its_producers_clock_is_fast(pipeline: Pipeline) -> None:
    """Its last record is stamped five minutes from now, and the next one is not stored: only the log's end tells."""

    async def said(contact: str) -> None:
        told = record(event(now_ms(), "contact.queued", contact, queue="fast", channel="voice"))
        fast = Record(b"one partition", told.value, timestamp_ms=now_ms() + 300_000)
        await pipeline.kafka.produce(pipeline.topic, [fast])

    pipeline.worker.start(STREAM_APP_FAILPOINTS="before_apply:sleep=600:n=2")
    try:
        with pipeline.serve:
            await pipeline.trusted()
            await said("a")
            await until(lambda: pipeline.serve.rows("fast"))
            await pipeline.trusted()
            await said("b")
            await until(lambda: pipeline.worker.count("failpoint before_apply sleep"))
            await until(pipeline.serve.is_doubted, 30, "a partition that lags is doubted")
            _, problem = await pipeline.serve.get("/readyz")
            assert "s old, more than" in problem["detail"]
        assert assert_accounted(pipeline.redis_url, pipeline.topic) == 1
    finally:
        pipeline.worker.close()


@contextmanager
def serves(redis_url: str) -> Iterator[dict[int, Serve]]:
    """One for each clock, all over one Redis."""
    with ExitStack() as stack:
        yield {
            clock_s: stack.enter_context(Serve(redis_url, **skewed(clock_s)))
            for clock_s in (0, HOUR_S, -HOUR_S)
        }


async def test_a_serve_with_a_wrong_clock_shows_what_the_others_do(redis_url: str) -> None:
    store = RedisStore(redis_url)
    owner = await Owner.of(store)
    at = now_ms()
    # One in each of the rolling windows, and one of a day that a clock that is off by hours has not, or no longer.
    for n, ago_s in enumerate((20, 400, 1_200, 2_400, 5_400)):
        await owner.commit(queued(f"c{n}", at=at - ago_s * 1000))
    with serves(redis_url) as running:
        shown: dict[int, Any] = {}

        async def told() -> bool:
            await owner.beat()
            for clock_s, serve in running.items():
                status, now = await serve.get("/v1/now")
                shown[clock_s] = now
                if status != 200 or now["stale"] or not await serve.is_trusted():
                    return False
            return True

        await until(told, 20, "each of them is ready")
        for clock_s, now in shown.items():
            (row,), (honest,) = now["rows"], shown[0]["rows"]
            windows = {name: row["windows"][name]["offered"] for name in row["windows"]}
            assert windows == {name: honest["windows"][name]["offered"] for name in windows}, clock_s
            assert abs(datetime.fromisoformat(now["at"]) - datetime.fromisoformat(shown[0]["at"])) < MINUTE
            assert abs(row["levels"]["oldest_waiting"] - honest["levels"]["oldest_waiting"]) < 60
            _, ready = await running[clock_s].get("/readyz")
            assert round(ready["clocks"]["serve"] / 60) == clock_s // 60
            assert bool(ready["warnings"]) == bool(clock_s)
            skew = (await running[clock_s].metrics())["cc_clock_skew_seconds", frozenset({("of", "serve")})]
            assert round(skew / 60) == clock_s // 60
    await store.close()


async def test_a_worker_with_a_wrong_clock_is_ready_and_named(pipeline: Pipeline) -> None:
    pipeline.worker.start(**skewed(HOUR_S))
    try:
        with pipeline.serve:
            await pipeline.trusted()
            _, ready = await pipeline.serve.get("/readyz")
            (name,) = ready["clocks"].keys() - {"serve"}
            assert round(ready["clocks"][name] / 60) == HOUR_S // 60
            (warning,) = ready["warnings"]
            assert warning.startswith(f"the clock of worker {name} is ")
            assert warning.endswith(" s ahead of Redis's: synchronise both by NTP")
            series = await pipeline.serve.metrics()
            skews = {dict(labels)["of"]: value for (n, labels), value in series.items() if n == naming.SKEW}
            assert {whose: round(skew / 60) for whose, skew in skews.items()} == {
                "serve": 0,
                f"{pipeline.topic}.0": HOUR_S // 60,
                f"{pipeline.topic}.1": HOUR_S // 60,
            }

            async def published_at() -> float:
                return parsed(await pipeline.worker_metrics()).get((naming.PUBLISHED_AT, frozenset()), 0)

            # Compared with other machines' clocks: one that is ahead would hide that nothing is published.
            assert abs(await until(published_at) - time.time()) < 60
            own = parsed(await pipeline.worker_metrics())
            assert round(own[naming.WORKER_SKEW, frozenset()] / 60) == HOUR_S // 60
        assert_accounted(pipeline.redis_url, pipeline.topic)
    finally:
        pipeline.worker.close()


async def test_a_heartbeat_of_the_future_is_no_sign_that_an_owner_lives_or_does_not(
    pipeline: Pipeline, redis_client: redis.asyncio.Redis
) -> None:
    """A worker of a former version, with a wrong clock: whoever counts again is told what to do."""
    beat = keys.beat(Partition(pipeline.topic, 0))

    def rebuild() -> subprocess.CompletedProcess[str]:
        environ = environment(pipeline.kafka.bootstrap, pipeline.redis_url, pipeline.topic)
        return run_command("rebuild", env=environ)

    await redis_client.hset(beat, "at", str(now_ms() + HOUR_S * 1000))
    done = await asyncio.to_thread(rebuild)
    assert done.returncode == 1
    assert "ahead of Redis's clock, so it is unknown whether a worker owns it" in done.stderr
    assert f"redis-cli DEL '{beat}'" in done.stderr
    await redis_client.hset(beat, "at", str(now_ms()))
    assert "is still owned by a worker" in (await asyncio.to_thread(rebuild)).stderr
    await redis_client.delete(beat)
    assert (await asyncio.to_thread(rebuild)).returncode == 0
