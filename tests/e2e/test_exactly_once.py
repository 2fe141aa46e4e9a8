"""Exactly once, shown: hostile records through every fault that loses or doubles counts elsewhere.

A hundred thousand by default, half a million with `make chaos`. The verifier compares continuously while the faults happen,
not only at the end.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.reference import traffic
from tests.services.compiled import compiled_environment
from tests.services.kafka import Cluster, Record
from tests.services.process import until
from tests.services.proxy import FaultProxy
from tests.services.redis import RedisServer

from .accounts import assert_accounted
from .fault_table import Fault, note
from .ledger import read_ledger
from .noted import LedgerCheck, expected_rows
from .verifier import ROW, Logged, Verifier
from .worker import LedgerProcess, Worker, closing, environment

PARTITIONS = 4
WRITTEN = frozenset({"chat", "email", "messaging"})
CONVERSED = (
    "to_bot", "from_bot", "bot_contained", "bot_abandoned", "containments_undone", "closed_unanswered", "left_not_demand",
    "responded", "replies", "reopened", "handled_estimated", "pending_ms",
)  # fmt: skip
"""What only written channels, or bots, count: none of it may be missing in what the faults hit."""
LATENCY_S = 0.004
"""How far away Redis is, each way, so that the faults find workers at work, not done."""
STEPS = ("before_files", "before_manifest", "before_removal", "after_removal")
"""Where the writer of the ledger is killed, one after the other."""
AUDITED = 0.05
"""How often the ledger is compared with the counters, too, whatever goes on: all of it is read for that."""
PATIENCE_S = 60.0
"""How long nothing at all may get on."""
MakeTopic = Callable[..., Awaitable[str]]


class EitherBuild(Worker):
    """A worker that is compiled at every other start: each build goes on with what the other one stored."""

    _starts = 0

    def start(self, **more: str) -> Worker:
        self._starts += 1
        return super().start(**more, **(compiled_environment() if self._starts % 2 else {}))


class Stage:
    """Two workers, a Redis behind a proxy, a writer of the ledger, and the verifier that never looks away."""

    def __init__(
        self,
        verifier: Verifier,
        redis: RedisServer,
        workers: list[Worker],
        proxy: FaultProxy,
        *,
        writer: LedgerProcess,
        check: LedgerCheck,
    ) -> None:
        self.verifier = verifier
        self.total = sum(map(len, verifier.ledger.values()))
        self.step = self.total // 25  # so much is counted between one fault and the next
        self.redis = redis
        self.workers = workers
        self.proxy = proxy
        self.writer, self.check = writer, check
        self.kills = 0
        self.positions = dict.fromkeys(range(PARTITIONS), 0)
        self.faults: list[Fault] = []
        self._random = random.Random(7)

    @property
    def reached(self) -> int:
        """Records that are counted, over all partitions."""
        return sum(self.positions.values())

    def survived(self, fault: str, times: int, since: float) -> None:
        """Note a fault after which counting goes on and every counter is right."""
        self.faults.append(
            {
                "fault": fault,
                "times": times,
                "events": self.reached,
                "wrong_counters": len(self.verifier.wrong),
                "recovered_s": round(time.monotonic() - since, 1),
            }
        )

    def _fields(self, key: str, *names: str) -> Iterator[list[str | None]]:
        """Fields of a key that every partition has; one list a partition."""
        with self.redis.client(decode_responses=True) as client:
            for partition in range(PARTITIONS):
                found: Any = client.hmget(f"kpi:{{{self.verifier.topic}.{partition}}}:{key}", names)
                yield found

    def rollbacks(self) -> int:
        """How often the store was found behind what a worker knew."""
        return sum(int(found or 0) for (found,) in self._fields("meta", "rollbacks"))

    def stored(self) -> int:
        """Records that Redis says are counted now, over all partitions."""
        return sum(int(found or 0) for (found,) in self._fields("meta", "position"))

    def are_owned_by(self, *workers: Worker) -> bool:
        """Whether each of these reports on partitions, and nobody else does."""
        owners = {owner for (owner,) in self._fields("beat", "owner")}
        return {str(owner).rpartition(":")[2] for owner in owners} == {str(worker.pid) for worker in workers}

    def progress(self) -> object:
        """What differs as long as anything gets on: counts, claims, what is published and sent, and what workers say."""
        with self.redis.client(decode_responses=True) as client:
            published = client.hmget("kpi:{rows}:meta", "state", "revision", "announced")
        said = [worker.log.stat().st_size for worker in (*self.workers, self.writer) if worker.log.exists()]
        return [*self._fields("meta", "position", "epoch", "out_bytes")], published, said

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait for a condition for as long as anything gets on."""
        await until(condition, PATIENCE_S, what, self.progress)

    async def verify(self) -> None:
        """Check one partition, chosen at random."""
        partition = self._random.randrange(PARTITIONS)
        self.positions[partition] = await asyncio.to_thread(self.verifier.check, partition)
        assert not self.verifier.wrong, "\n".join(self.verifier.wrong[:5])
        if self._random.random() < AUDITED:
            await self.check.audit()

    async def kill_writer_at(self, place: str) -> None:
        """Have the writer killed at a place of its step, while rows wait for it and no worker runs."""
        self.writer.start(STREAM_APP_FAILPOINTS=f"{place}:exit:n=1")
        await self.until(lambda: not self.writer.running, f"the writer is killed {place}")
        assert self.writer.exit_code == -signal.SIGKILL
        self._killed()

    def kill_writer(self) -> None:
        """Kill the writer wherever it is, and start another one."""
        if self.writer.running:
            self.writer.signal(signal.SIGKILL)
            self.writer.wait()
            self._killed()
        self.writer.start()

    def _killed(self) -> None:
        self.kills += 1
        with self.redis.client() as client:  # or the next one would wait until the lease ends
            client.delete(*[f"kpi:{{{self.verifier.topic}.{n}}}:writer" for n in range(PARTITIONS)])

    def waiting(self) -> int:
        """Bytes of rows that no file has yet."""
        return sum(int(found or 0) for (found,) in self._fields("meta", "out_bytes"))

    async def is_done(self) -> bool:
        """Whether every record is counted, as far as Redis knows now."""
        positions = [await asyncio.to_thread(self.verifier.check, n) for n in range(PARTITIONS)]
        return all(self.verifier.done(n, position) for n, position in enumerate(positions))

    async def until_reached(self, position: int) -> None:
        """Go on verifying until so many records are counted, or all of them."""
        position = min(position, self.total)

        async def reached() -> bool:
            await self.verify()
            return self.reached >= position

        await self.until(reached, f"{position:,} records are counted")


@asynccontextmanager
async def staged(kafka: Cluster, topic: str, tmp_path: Path, ledger: dict[int, list[Logged]]) -> Any:
    with RedisServer() as redis:
        async with FaultProxy(redis.port) as proxy:
            proxy.latency_s = LATENCY_S  # entering heals
            url = f"redis://127.0.0.1:{proxy.port}/0"
            # Small batches: more round trips in which to be hit.
            env = environment(
                kafka.bootstrap,
                url,
                topic,
                STREAM_APP_BATCH_RECORDS="300",
                STREAM_APP_INTERVALS_TOPIC=f"{topic}-rows",
                STREAM_APP_LEDGER=str(tmp_path / "ledger"),
                STREAM_APP_OUTBOX_BYTES=f"{10**9}",
            )
            workers: list[Worker] = [EitherBuild(tmp_path / f"worker-{n}.log", **env) for n in range(2)]
            # It has a way of its own to Redis: the proxy's faults are for workers.
            writer = LedgerProcess(tmp_path / "writer.log", redis.url, tmp_path / "ledger")
            check = LedgerCheck(redis.url, tmp_path, topic, PARTITIONS)
            with closing([*workers, writer]):
                verifier = Verifier(redis.url, topic, ledger)
                try:
                    yield Stage(verifier, redis, workers, proxy, writer=writer, check=check)
                finally:
                    await check.close()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("seed", "contacts", "records"),
    [
        (11, 12_000, 100_000),
        *(pytest.param(seed, 58_000, 500_000, marks=pytest.mark.chaos) for seed in range(11, 16)),
    ],
)
async def test_every_event_counts_once_through_every_fault(
    kafka: Cluster, make_topic: MakeTopic, tmp_path: Path, *, seed: int, contacts: int, records: int
) -> None:
    topic = await make_topic(partitions=PARTITIONS)
    stream = traffic.hostile(
        traffic.traffic(seed, contacts),
        seed,
        duplicates=0.02,
        poison=0.01,
        unknown=0.005,
        late=0.003,
        future=0.002,
        out_of_order=0.01,
    )
    produced = await kafka.produce(topic, (Record(key, value, timestamp_ms=ts) for key, value, ts in stream))
    assert produced >= records
    ledger = await read_ledger(kafka.bootstrap, topic, PARTITIONS)
    assert sum(len(records) for records in ledger.values()) == produced
    async with staged(kafka, topic, tmp_path, ledger) as stage:
        await kill_inside_the_round_trip(stage)
        await rebalance(stage)
        stage.kill_writer()
        await lose_replies(stage)
        stage.kill_writer()
        await freeze_one(stage)
        stage.kill_writer()
        await roll_redis_back(stage)
        stage.kill_writer()
        stage.proxy.latency_s = 0.0
        await stage.until_reached(produced)
        await stage.until(lambda: stage.are_owned_by(*stage.workers), "the zombie is a worker again")
        await stage.until(stage.is_done, "what a rollback took back is counted again")
        assert not stage.verifier.wrong
        await ledger_is_whole(stage, contacts)
        assert assert_accounted(stage.redis.url, topic) == produced
        await publish_all(stage, contacts)
        await read_the_topic(stage, kafka, f"{topic}-rows")
        assert [worker.stop() for worker in stage.workers] == [0, 0]
        assert sum(stage.verifier.checks.values()) >= 15, "verified during the run as well"
        for build in ("compiled", "python"):
            assert sum(worker.count(f"fold={build}") for worker in stage.workers) > 1, (
                "both builds had their turn"
            )
        assert sum(worker.count("claim_lost") for worker in stage.workers) > 0, "somebody was fenced"
        note(stage.faults)


async def ledger_is_whole(stage: Stage, contacts: int) -> None:
    """Every row of an uninterrupted fold is in the files once, and no other."""
    await stage.until(lambda: not stage.waiting(), "the writer has filed what was counted")
    assert await asyncio.to_thread(stage.writer.stop) == 0
    await stage.check.audit()
    expected, found = expected_rows(stage.verifier.ledger), await stage.check.rows()
    assert await stage.check.holes() == []
    assert not [*(expected - found)][:5], "missing"
    assert not [*(found - expected)][:5], "twice, or of nobody"
    spells = await stage.check.spells()
    assert spells == stage.verifier.expected_spells(stage.positions)
    assert found.total() > contacts, "of every contact that is over, and of what was said of it"
    print(  # noqa: T201 - figures
        f"ledger: {found.total():,} rows once each, writer killed {stage.kills} times, {stage.check.audits} audits, "
        f"{stage.check.compared:,} values equal, {len(spells):,} spells of agents"
    )


async def kill_inside_the_round_trip(stage: Stage) -> None:
    """Six times: before the request, with it under way, after the reply. The hits are counted."""
    a, _ = stage.workers
    since, kills = time.monotonic(), 0
    for when in ("before_apply:exit:n=12", "before_apply:exit=0.0008:n=9", "after_apply:exit:n=15") * 2:
        a.start(STREAM_APP_FAILPOINTS=when)
        await stage.until(lambda: not a.running, "the failpoint is hit")
        kills += a.exit_code == -signal.SIGKILL
        await stage.verify()
        await stage.kill_writer_at(STEPS[kills % len(STEPS)])
    assert (kills, a.count(r"failpoint (before|after)_apply exit")) == (6, 6)
    stage.kill_writer()
    await stage.check.audit()
    stage.survived("worker killed inside the round trip of apply", kills, since)


async def rebalance(stage: Stage) -> None:
    """The second worker joins, the first one goes, and comes back."""
    a, b = stage.workers
    since = time.monotonic()
    a.start()
    await stage.until_reached(stage.reached + stage.step)
    b.start()
    await stage.until(lambda: stage.are_owned_by(a, b), "the second worker has its share")
    await stage.until_reached(stage.reached + stage.step)
    assert a.stop() == 0
    await stage.until_reached(stage.reached + stage.step)
    a.start()
    await stage.until(lambda: stage.are_owned_by(a, b), "the first worker is back")
    stage.survived("rebalance between two workers", 3, since)


async def lose_replies(stage: Stage) -> None:
    """Redis has done it, nobody was told."""
    since = time.monotonic()
    stage.proxy.drop_replies(3, matching=b"EVALSHA")
    await stage.until(lambda: stage.proxy.counts["replies_dropped"] == 3, "three replies were lost")
    await stage.until_reached(stage.reached + stage.step)
    stage.survived("reply lost after apply", 3, since)


async def freeze_one(stage: Stage) -> None:
    """A zombie: stopped past the session timeout, its partitions go to the other one, then it wakes up."""
    a, b = stage.workers
    since = time.monotonic()
    b.signal(signal.SIGSTOP)
    await stage.until(lambda: stage.are_owned_by(a), "the other worker has taken over")
    await stage.until_reached(stage.reached + stage.step // 2)
    b.signal(signal.SIGCONT)
    await stage.until_reached(stage.reached + stage.step)
    stage.survived("zombie: stopped past the session timeout", 1, since)


async def roll_redis_back(stage: Stage) -> None:
    """Redis loses its tail: killed, the append-only file cut, started again."""
    since, counted = time.monotonic(), stage.stored()
    while stage.stored() >= counted:  # where all is read, the tail is heartbeats for a while
        stage.redis.kill()
        await asyncio.to_thread(stage.redis.cut_aof, 200)
        await asyncio.to_thread(stage.redis.start)
    await stage.until(lambda: stage.rollbacks() > 0, "the rollback is noticed, and recorded")
    await stage.verify()
    stage.survived("Redis rolled back by a cut append-only file", 1, since)


async def publish_all(stage: Stage, contacts: int) -> None:
    """Rows are the sum over partitions, whoever published them and however often it was killed."""
    expected = stage.verifier.expected_rows(stage.positions)

    async def published() -> bool:
        found = await asyncio.to_thread(stage.verifier.published)
        return {key: row for key, row in found.items() if row} == expected

    await stage.until(published, "what is published is what the partitions' rows add up to")
    assert sum(row["offered"] for row in expected.values() if "offered" in row) > contacts
    conversed(expected)


def conversed(rows: Mapping[Any, Mapping[str, int]]) -> None:
    """Half of all contacts write, and everything that conversations count was counted in a hundredth of them or more."""
    written = Counter[str]()
    for (_, _, channel), row in rows.items():
        if channel in WRITTEN:
            written.update({name: row.get(name, 0) for name in ("offered", *CONVERSED)})
    print("written channels: " + ", ".join(f"{name} {written[name]:,}" for name in ("offered", *CONVERSED)))  # noqa: T201 - figures
    assert 2 * written["offered"] > sum(row.get("offered", 0) for row in rows.values())
    assert {name for name in CONVERSED if 100 * written[name] < written["offered"]} == set()


async def read_the_topic(stage: Stage, kafka: Cluster, topic: str) -> None:
    """Whoever reads the topic to its end has the same table, in the order of revisions."""

    async def is_told() -> bool:
        with stage.redis.client(decode_responses=True) as client:
            meta: Any = client.hgetall("kpi:{rows}:meta")
        return bool(meta.get("announced") == meta.get("revision"))

    await stage.until(is_told, "the topic has all that is published")
    table: dict[Any, dict[str, int]] = {}
    numbered: dict[int, bytes] = {}
    for logged in (await read_ledger(kafka.bootstrap, topic, 1))[0]:
        value = logged.value or b""
        row = json.loads(value)
        start = round(datetime.fromisoformat(row["start"]).timestamp() * 1000)
        # Sent again after a lost reply or a kill, a record is the same to the last byte.
        assert numbered.setdefault(row["revision"], value) == value, "a number is given to two rows"
        table[start, row["queue"], row["channel"]] = {
            name: row[name] for name in (*ROW, "waiting") if row[name]
        }
    assert table == stage.verifier.published()
