"""Interval rows on the whole road: a killed worker changes none, and API, command and topic say the same."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import MakeTopic
from tests.services.command import run_command
from tests.services.kafka import Cluster
from tests.services.process import until
from tests.services.redis import RedisServer

from .pipeline import Pipeline, day, now_ms, reference
from .worker import environment

INTERVAL_MS, DAY = 900_000, 86_400_000
SUMS = (
    "offered", "answered", "answered_in_target", "abandoned", "abandoned_in_target", "abandoned_short", "left",
    "left_in_target", "lost", "waiting", "refused", "handled",
)  # fmt: skip
SECONDS = ("talk", "hold", "wrap", "wait", "abandon_wait", "longest_wait")


async def fetched(base: str, path: str) -> list[dict[str, Any]]:
    """All pages of an answer."""
    rows: list[dict[str, Any]] = []
    async with aiohttp.ClientSession() as session:
        while path:
            async with session.get(base + path) as answer:
                assert answer.status == 200, await answer.text()
                found = await answer.json()
            rows += found["rows"]
            path = found["next"]
    return rows


def said(env: dict[str, str], *options: str) -> list[dict[str, Any]]:
    done = run_command("intervals", "--format", "json", *options, env=env)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def would_have_fired(env: dict[str, str], *options: str) -> dict[str, Any]:
    done = run_command("alerts", "test", "--json", *options, env=env)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.long
async def test_api_command_and_topic_say_what_the_reference_says(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=3)
    told = f"{topic}-rows"
    begin = now_ms() // INTERVAL_MS * INTERVAL_MS - 20 * INTERVAL_MS
    events = [
        event
        for n, queue in enumerate(("sales", "care"))
        for hour in range(4)
        for event in day(queue, begin + hour * 4 * INTERVAL_MS + n * 60_000)
    ]
    with RedisServer() as redis:
        rows_here = {"STREAM_APP_INTERVALS_TOPIC": told, "STREAM_APP_INTERVALS_GRACE_S": "60"}
        pipeline = Pipeline(kafka, redis.url, topic, tmp_path, **rows_here)
        with pipeline.running():
            half = sorted(event["at"] for event in events)[len(events) // 2]
            await pipeline.produce(event for event in events if event["at"] < half)
            await pipeline.trusted()
            pipeline.worker.signal(signal.SIGKILL)
            await pipeline.produce(event for event in events if event["at"] >= half)
            pipeline.worker.wait()
            pipeline.worker.start()
            await pipeline.until_over({"sales": 400, "care": 400})
            expected = reference(sorted(events, key=lambda event: event["at"]))
            path = f"/v1/intervals?from={_iso(begin)}&to={_iso(begin + 20 * INTERVAL_MS)}&limit=7"

            async def rows() -> list[dict[str, Any]]:
                found = await fetched(pipeline.serve.url, path)
                done = sum(row["offered"] for row in found) == 800 and all(row["final"] for row in found)
                return found if done and sum(row["handled"] for row in found) == 680 else []

            found = await until(rows, 60, "all rows are final")
            for (start, queue, channel), counted in expected.rows().items():
                row = next(r for r in found if (_ms(r["start"]), r["queue"]) == (start, queue))
                assert {name: row[name] for name in SUMS} == {name: counted.get(name, 0) for name in SUMS}
                assert [row[f"{name}_s"] for name in SECONDS] == [
                    counted.get(f"{name}_ms", 0) / 1000 for name in SECONDS
                ]
                assert (row["backlog_start"], row["backlog_max"]) == expected.backlog(start, queue, channel)
            zeros = [row for row in found if not row["offered"] and not row["handled"]]
            assert len(found) > len(zeros) > 0

            env = dict(environment(kafka.bootstrap, redis.url, topic, **rows_here))
            stretch = ["--from", _iso(begin), "--to", _iso(begin + 20 * INTERVAL_MS)]
            assert said(env, *stretch) == found
            assert said(env, *stretch, "--from-topic") == found
            fired = would_have_fired(env, *stretch)
            assert sum(rule["intervals_judged"] for rule in fired["rules"]) > 0
            assert would_have_fired(env, *stretch, "--from-topic") == fired
            hours = said(env, *stretch, "--interval", "1h", "--tz", "Asia/Kathmandu")
            assert {row["start"][13:] for row in hours} == {":00:00+05:45"}
            since = await fetched(pipeline.serve.url, "/v1/intervals?since=0&limit=11")
            latest = {(row["start"], row["queue"]): row for row in since}
            assert len(latest) == len(since), "every change once"
            assert [latest[row["start"], row["queue"]] for row in found] == found


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z")


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
