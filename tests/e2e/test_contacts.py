"""The contacts behind the numbers, on the whole road: Kafka, workers, Redis, a writer of the ledger, ``serve``.

At random moments, while contacts come and processes are killed, the ledger adds up to the counters.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Self

import pytest

from stream_app.ledger.auditing import audit
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.reading import LedgerReader
from stream_app.model.ports import Partition
from stream_app.model.windows import KEPT
from stream_app.store import keys
from stream_app.store.moments import Moments
from tests.reference import traffic
from tests.services.command import run_command
from tests.services.kafka import Cluster, Record
from tests.services.process import until

from .serve import Serve
from .worker import Worker, environment

PARTITIONS = 2
QUEUE = "sales"
RECORDS = 24_000


class Writer(Worker):
    """``stream-app ledger``."""

    command = "ledger"


class Road:
    """All processes, and what looks at what they leave."""

    def __init__(self, kafka: Cluster, redis_url: str, topic: str, folder: Path) -> None:
        self.kafka, self.topic = kafka, topic
        self.random = random.Random(31)
        self.compared = 0
        self.environment = environment(
            kafka.bootstrap,
            redis_url,
            topic,
            STREAM_APP_LEDGER=str(folder / "ledger"),
            STREAM_APP_LEDGER_EVERY_S="1",
            STREAM_APP_LEDGER_DAYS="4000",
            STREAM_APP_SESSION_TIMEOUT_MS="2000",
            STREAM_APP_BATCH_RECORDS="200",
        )
        self.worker = Worker(folder / "worker.log", **self.environment)
        self.writer = Writer(folder / "writer.log", **self.environment)
        more = {
            name: value for name, value in self.environment.items() if name.startswith("STREAM_APP_LEDGER")
        }
        self.serve = Serve(redis_url, **more)
        self.beyond = Serve(redis_url, "--host", "0.0.0.0", **more)  # noqa: S104 - it refuses contacts then
        self.moments = Moments(redis_url)
        self.reader = LedgerReader(LocalFiles(folder / "ledger"), self.moments, {"": 4_000})
        self.stream: Iterator[Record] = (
            Record(key, value, timestamp_ms=at)
            for key, value, at in traffic.hostile(
                traffic.traffic(31, 6_000, rate=2),
                31,
                duplicates=0.02,
                poison=0.005,
                late=0.003,
                out_of_order=0.01,
            )
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.worker.close()
        self.writer.close()
        await self.reader.close()

    async def produce(self, records: int) -> int:
        return await self.kafka.produce(self.topic, islice(self.stream, records))

    async def audit(self) -> int:
        """Nothing differs; return how many values were compared."""
        found = await audit(self.reader, await self.moments.names())
        for one in found:
            assert one.since == 0, one
            assert one.differences == [], one.differences[:3]
        return sum(one.counters for one in found)

    async def counted(self, start: int, end: int) -> tuple[list[int], dict[str, int]]:
        """Where each partition is, and what Redis has of the queue in these buckets of ten seconds, by counter."""
        names = await self.moments.names()
        queue = names["queue"].get(QUEUE)
        called = {n: name for name, n in names["counter"].items()}
        seqs, sums = [], dict[str, int]()
        for number in range(PARTITIONS):
            moment = await self.moments.read(Partition(self.topic, number), since=start)
            seqs.append(moment.seq)
            for (resolution, at, field), cell in moment.buckets():
                if resolution == 10_000 and start <= at < end and field.startswith(b"%d." % (queue or 0)):
                    for n, amount in cell.items():
                        if n in called:
                            sums[called[n]] = sums.get(called[n], 0) + amount
        return seqs, sums

    async def compare(self) -> bool:
        """Compare what ``/v1/contacts`` says with the counters, if nothing was counted meanwhile; return whether it was."""
        moments = [await self.moments.read(Partition(self.topic, n)) for n in range(PARTITIONS)]
        if any(moment.position is None for moment in moments):
            return False
        latest = max(moment.time for moment in moments)
        end = latest // 10_000 * 10_000
        start = end - KEPT[10_000] + 20_000
        before = await self.counted(start, end)
        totals = {}
        for when in ("offered", "answered", "abandoned", "handled"):
            query = f"queue={QUEUE}&from={_time(start)}&to={_time(end)}&when={when}&limit=1"
            status, answer = await self.serve.get(f"/v1/contacts?{query}")
            if status != 200:  # it has not read the name of the queue yet
                return False
            assert answer["unknown"] == []
            totals[when] = answer["total"]
        after = await self.counted(start, end)
        if before[0] != after[0]:
            return False
        assert totals == {when: after[1].get(when, 0) for when in totals}
        self.compared += sum(totals.values())
        return True

    async def position(self) -> int:
        """How many records are counted."""
        read = [await self.moments.read(Partition(self.topic, n)) for n in range(PARTITIONS)]
        return sum(one.position or 0 for one in read)

    async def more_than(self, before: int) -> bool:
        return await self.position() > before

    async def refused(self) -> bool:
        """Whether a ``serve`` that others can reach refuses contacts, once it has read the store."""
        status, answer = await self.beyond.get("/v1/contacts")
        assert (status, answer["title"]) in {(503, "Nothing read yet"), (403, "Forbidden")}
        return bool(status == 403)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_command(*arguments, env=self.worker.env)


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_contacts_add_up_to_the_counters_whatever_is_killed(
    kafka: Cluster, redis_url: str, make_topic: Any, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=PARTITIONS)
    async with Road(kafka, redis_url, topic, tmp_path) as road:
        with road.serve:
            road.worker.start()
            road.writer.start()
            sent = values = times = 0
            while sent < RECORDS:
                before = await road.position()
                sent += await road.produce(road.random.randint(200, 1_500))
                match road.random.randrange(6):
                    case 0:
                        road.worker.close()
                        road.worker.start()
                    case 1:
                        road.writer.close()
                        road.writer.start()
                await until(lambda: road.more_than(before), 120, "it counts")  # noqa: B023 - of this round
                values += await road.audit()
                times += await road.compare()

            await until(lambda: road.more_than(sent - 1), 120, "all is counted")
            await until(road.compare, 30, "totals are those of the counters")
            assert values + await road.audit() > 100_000
            assert (times > 3, road.compared > 1_000) == (True, True), "while contacts came"
            assert (road.worker.count("claimed") > PARTITIONS, road.writer.exit_code) == (True, None)

            with road.beyond:
                await until(road.refused, 20, "contacts are not shown beyond this machine")

            done = await asyncio.to_thread(road.command, "audit")
            assert (done.returncode, done.stderr) == (0, "")
            assert done.stdout.startswith("no differences: ")
            client = road.moments._client
            moment = await road.moments.read(Partition(topic, 0), since=0)
            (resolution, start, field), _ = max(moment.buckets(), key=lambda found: found[0][1])
            await client.hdel(keys.cells(moment.partition, resolution, start), field)
            done = await asyncio.to_thread(road.command, "audit", "--json")
            wrong = json.loads(done.stdout)["differences"]
            assert done.returncode == 1
            assert {one["counted"] for one in wrong} == {0}
            assert {(one["start"], one["partition"]) for one in wrong} == {(_time(start), f"{topic}.0")}
            table = await asyncio.to_thread(road.command, "audit")
            assert table.stdout.splitlines()[-1].startswith(f"{len(wrong)} differences: ")
            assert road.writer.stop() == 0
            assert road.worker.stop() == 0
    for log in (road.worker.log, road.writer.log):
        assert "c-0000" not in log.read_text(), "no contact is named in a log"
