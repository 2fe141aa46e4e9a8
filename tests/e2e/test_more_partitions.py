"""A topic gets more partitions under load, or is left for another one: contacts in flight follow, and nothing is lost.

What must come of it is counted by the reference, each contact by itself, in the order in which its events were produced.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.conftest import MakeTopic
from tests.reference import traffic
from tests.reference.model import Reference
from tests.services.command import run_command
from tests.services.kafka import Cluster, Record
from tests.services.process import HOST, free_port, until
from tests.services.proxy import FaultProxy
from tests.services.redis import RedisServer

from .accounts import assert_accounted
from .agents import settled
from .serve import Serve
from .verifier import Found, Verifier
from .worker import Worker, environment

CONTACTS = 4_000
AGO_MS = 900_000
"""When it begins; it lasts half as long."""
LATENCY_S = 0.002
KILLED = (
    "repartition_held:exit:n=5",
    "repartition_staged:exit:n=1",
    "repartition_staged:exit:n=4",
    "repartition_remembered:exit:n=2",
    "repartition_ready:exit",
    "repartition_moved:exit",
)
"""Where the command is killed; after the last of them all is done."""
Counts = dict[Any, dict[str, int]]


def told() -> tuple[list[Record], list[Record]]:
    """Traffic before and after the change; of what was sent shortly before it, some is sent again after it."""
    begin = time.time_ns() // 1_000_000 - AGO_MS
    stream = traffic.traffic(5, CONTACTS, rate=50.0, tail_s=300, start_ms=begin)
    records = [Record(key, value, timestamp_ms=at) for key, value, at in stream]
    middle = len(records) // 2
    return records[:middle], [*records[middle - 2_000 : middle : 10], *records[middle:]]


def added(parts: Iterable[Counts]) -> Counts:
    """Counters of several, added up; what is largest stays the largest."""
    total: dict[Any, Counter[str]] = defaultdict(Counter)
    for part in parts:
        for key, counts in part.items():
            for name, n in counts.items():
                total[key][name] = (
                    max(total[key][name], n) if name == "longest_wait_ms" else total[key][name] + n
                )
    return {key: kept for key, counts in total.items() if (kept := {k: n for k, n in counts.items() if n})}


class Sum:
    """What many partitions hold, or many contacts make."""

    def __init__(
        self, parts: Iterable[tuple[Mapping[str, int], Counts, Counts, list[Any], dict[str, Any]]]
    ) -> None:
        results, totals, rows, visits, agents = zip(*parts, strict=True)
        self.results = dict(sum((Counter({k: n for k, n in r.items() if n}) for r in results), Counter()))
        self.totals, self.rows = added(totals), added(rows)
        self.visits = sorted(visit for some in visits for visit in some)
        self.agents = sorted((agent, settled(*now)) for some in agents for agent, now in some.items())

    @classmethod
    def expected(cls, records: Iterable[Record]) -> Sum:
        """By the reference: a contact is a partition of its own, so it does not matter where its events are."""
        contacts: dict[bytes | None, Reference] = defaultdict(Reference)
        for record in records:
            reference = contacts[record.key]
            offset = sum(reference.results.values())
            reference.feed(offset, record.value, record.timestamp_ms or -1)
        return cls((r.results, r.totals(), r.rows(), r.open_visits(), r.agents()) for r in contacts.values())

    @classmethod
    def found(cls, partitions: Iterable[Found]) -> Sum:
        """In Redis."""
        return cls(
            ({k: n for k, n in f.results.items() if ":" not in k}, f.counters[0], f.rows, f.visits, f.agents)
            for f in partitions
        )


class Stage:
    """A worker, ``serve``, Kafka, and a Redis that is two milliseconds away."""

    def __init__(self, kafka: Cluster, redis: RedisServer, url: str, topic: str, directory: Path) -> None:
        self.kafka, self.redis, self.topic, self.metrics = kafka, redis, topic, free_port()
        more = {"STREAM_APP_METRICS_PORT": str(self.metrics), "STREAM_APP_BATCH_RECORDS": "500"}
        self._environment = dict(environment(kafka.bootstrap, url, topic, **more))
        self.worker = Worker(directory / "worker.log", **self._environment)
        self.serve = Serve(redis.url)

    def repartition(self, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        """The command, to its end, whichever it is."""
        return run_command("repartition", *options, env={**self._environment, **env})

    async def is_refused(self, why: str, *options: str) -> None:
        done = await asyncio.to_thread(self.repartition, *options)
        assert (done.returncode, done.stderr.startswith("stream-app: ")) == (1, True), done
        assert why in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1, "one line"

    async def plan(self, *options: str) -> str:
        """What it would do, once nobody takes the workers for alive any more."""

        async def accepted() -> str:
            done = await asyncio.to_thread(self.repartition, *options)
            assert done.returncode == 0 or "is still owned by a worker" in done.stderr, done
            return done.stdout

        return await until(accepted, 30, "the workers count as gone")

    async def plan_is_refused_for_unread(self, other: str) -> None:
        async def refused() -> bool:
            done = await asyncio.to_thread(self.repartition, "--to", other)
            assert done.returncode == 1, done
            return "the topic ends at" in done.stderr

        await until(refused, 30, "what is unread holds it up")

    async def kill_and_do(self, *options: str, at: Iterable[str] = KILLED) -> None:
        """Kill the command at each point, and run it to its end."""
        for when in at:
            done = await asyncio.to_thread(self.repartition, "--yes", *options, STREAM_APP_FAILPOINTS=when)
            assert done.returncode == -signal.SIGKILL, (when, done)
        done = await asyncio.to_thread(self.repartition, "--yes", *options)
        assert (done.returncode, "start the workers" in done.stdout or "nothing to move" in done.stdout) == (
            0,
            True,
        ), done

    def hash(self, key: str) -> dict[str, str]:
        with self.redis.client(decode_responses=True) as client:
            found: Any = client.hgetall(key)
            return dict(found)

    def position(self, topic: str, n: int) -> int:
        return int(self.hash(f"kpi:{{{topic}.{n}}}:meta").get("position", 0))

    async def until_read(self, topic: str, partitions: int) -> None:
        """Every one of them to its end, and its owner has said so."""

        async def read() -> bool:
            ends = await self.kafka.end_offsets(topic)
            beats = [self.hash(f"kpi:{{{topic}.{n}}}:beat") for n in range(partitions)]
            return all(
                self.position(topic, n) == ends[n]
                and beats[n].get("position") == beats[n].get("end") == str(ends[n])
                for n in range(partitions)
            )

        await until(read, 60, f"{topic} is read")

    def found(self, partitions: Mapping[str, int]) -> Sum:
        """What stands in Redis, over topics and their partitions."""
        with self.redis.client() as client:
            return Sum.found(
                Verifier(self.redis.url, topic, {}).read(client, n)
                for topic, count in partitions.items()
                for n in range(count)
            )

    def published(self) -> Counts:
        rows = Verifier(self.redis.url, self.topic, {}).published()
        return {key: row for key, row in rows.items() if row}

    async def holds_all(self, records: list[Record], partitions: Mapping[str, int]) -> None:
        """All is counted, as if every contact had been alone in the world."""
        expected, found = Sum.expected(records), self.found(partitions)
        assert sum(assert_accounted(self.redis.url, topic) for topic in partitions) == len(records)
        assert sum(found.results.values()) == len(records)
        assert found.results == expected.results
        assert expected.results["applied"] > 0.9 * len(records)
        assert found.totals == expected.totals
        assert found.visits == expected.visits
        assert found.agents == expected.agents
        assert len(found.agents) > 100
        assert found.rows == expected.rows
        await until(lambda: self.published() == expected.rows, 60, "interval rows are published")
        totals: Counter[str] = Counter()
        for counts in found.totals.values():
            totals.update(counts)
        shown = ("offered", "answered", "abandoned", "handled")
        print(  # noqa: T201 - figures
            f"{len(records)} records of {CONTACTS} contacts: {found.results}; {[(k, totals[k]) for k in shown]}"
        )


@asynccontextmanager
async def staged(kafka: Cluster, topic: str, directory: Path) -> AsyncIterator[Stage]:
    with RedisServer() as redis:
        async with FaultProxy(redis.port, latency_s=LATENCY_S) as proxy:
            proxy.latency_s = LATENCY_S  # entering heals
            stage = Stage(kafka, redis, f"redis://{HOST}:{proxy.port}/0", topic, directory)
            try:
                with stage.serve:
                    yield stage
            finally:
                stage.worker.close()


def scraped(stage: Stage) -> str:
    with urlopen(f"http://{HOST}:{stage.metrics}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_more_partitions_under_load_lose_nothing(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=4)
    before, after = told()
    async with staged(kafka, topic, tmp_path) as stage:
        stage.worker.start()
        await kafka.produce(topic, before)
        await until(lambda: all(stage.position(topic, n) for n in range(4)), 30, "it counts")
        await kafka.grow_topic(topic, 8)
        await kafka.produce(topic, after)
        await until(lambda: stage.worker.count("partitions_held") >= 4, 60, "what is new is held")
        assert "stream_app_partitions_held 4.0" in scraped(stage)
        await stage.until_read(topic, 4)
        assert [stage.position(topic, n) for n in range(4, 8)] == [0] * 4
        _, ready = await until(_doubted(stage), 10, "serve says so")
        assert f"topic {topic} has 8 partitions" in str(ready)
        await stage.is_refused("is still owned by a worker")
        assert await asyncio.to_thread(stage.worker.stop) == 0

        said = await stage.plan("--wait", "0")
        assert "by murmur2" in said
        assert "nothing was done" in said
        await stage.is_refused("after the change was noticed")  # five minutes
        await stage.kill_and_do("--wait", "0")

        stage.worker.start()
        await stage.until_read(topic, 8)
        await until(stage.serve.is_trusted, 20, "serve trusts it")
        await stage.holds_all([*before, *after], {topic: 8})
        assert await asyncio.to_thread(stage.worker.stop) == 0


def _doubted(stage: Stage) -> Any:
    async def doubted() -> tuple[int, Any] | None:
        status, body = await stage.serve.get("/readyz")
        return (status, body) if status == 503 and "partitions" in str(body) else None

    return doubted


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_another_topic_takes_over_without_a_loss(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic, other = await make_topic(partitions=4), await make_topic(partitions=6)
    before, after = told()
    async with staged(kafka, topic, tmp_path) as stage:
        stage.worker.start()
        await kafka.produce(topic, before)
        await kafka.produce(other, after)
        await stage.until_read(topic, 4)
        assert await asyncio.to_thread(stage.worker.stop) == 0

        await kafka.produce(topic, late := before[:1])
        await stage.plan_is_refused_for_unread(other)
        stage.worker.start()
        await stage.until_read(topic, 4)
        assert await asyncio.to_thread(stage.worker.stop) == 0
        said = await stage.plan("--to", other)
        assert f"{topic} of 4 partitions → {other} of 6" in said
        await stage.kill_and_do("--to", other, at=KILLED[-2:])

        stage.worker.start(STREAM_APP_TOPIC=other)
        await stage.until_read(other, 6)
        await until(stage.serve.is_trusted, 20, "nobody expects anything of the former topic")
        await stage.holds_all([*before, *late, *after], {topic: 4, other: 6})
        assert await asyncio.to_thread(stage.worker.stop) == 0

        stage.worker.start()
        assert await asyncio.to_thread(stage.worker.wait) != 0
        assert stage.worker.count(
            f"since .stream-app repartition., contacts of this topic are counted in {other}; set STREAM_APP_TOPIC={other}"
        )
