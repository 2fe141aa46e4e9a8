"""Workers of two versions in one group: no contact is counted by an earlier edition once a later one has counted it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path

import pytest

from stream_app.model.edition import EDITION
from tests.conftest import MakeTopic
from tests.reference import traffic
from tests.services.command import run_command
from tests.services.kafka import Cluster, Record
from tests.services.process import until
from tests.services.redis import RedisServer

from .accounts import assert_accounted
from .ledger import read_ledger
from .verifier import Verifier
from .worker import Worker, closing, environment

PARTITIONS = 2
PIECE = 1_500
LATER = EDITION + 1


class LaterWorker(Worker):
    """A worker of the next version: the same, but for its edition."""

    program = (
        sys.executable,
        "-c",
        f"from stream_app.model import edition; edition.EDITION = {LATER}; from stream_app.__main__ import main; main()",
    )


class Upgrade:
    """A topic, its counters, and a worker of either version."""

    def __init__(self, kafka: Cluster, redis: RedisServer, topic: str, directory: Path) -> None:
        env = environment(kafka.bootstrap, redis.url, topic, STREAM_APP_SESSION_TIMEOUT_MS="2000")
        self.former = Worker(directory / "former.log", **env)
        self.later = LaterWorker(directory / "later.log", **env)
        self.produced = 0
        self._kafka, self._redis, self._topic = kafka, redis, topic
        self._stream = traffic.traffic(5, 3_000)

    def of_meta(self, name: str) -> list[int]:
        """A number of each partition."""
        metas = [f"kpi:{{{self._topic}.{n}}}:meta" for n in range(PARTITIONS)]
        with self._redis.client() as client:
            return [int(client.hget(meta, name) or 0) for meta in metas]

    async def more(self) -> None:
        """More records come, and all are counted."""
        records = (Record(key, value, timestamp_ms=ts) for key, value, ts in islice(self._stream, PIECE))
        self.produced += await self._kafka.produce(self._topic, records)
        await self.all_counted()

    async def all_counted(self) -> None:
        """Wait until everything is."""
        await until(lambda: sum(self.of_meta("position")) == self.produced, 60, "all is counted")

    async def refuses(self) -> None:
        """The former worker ends with one line."""
        await until(lambda: not self.former.running, 30, "the former worker is refused")
        assert self.former.exit_code == 1
        told = self.former.log.read_text().splitlines()
        (said,) = (line for line in told if "stopping" in line and "LaterEditionError" not in line)
        assert f"it was counted by edition {LATER} of docs/semantics.md, but this version" in said
        assert f"counts by edition {EDITION}, " in said
        assert "Upgrade it" in said

    async def verify(self) -> None:
        """Every counter is that of all records, once."""
        ledger = await read_ledger(self._kafka.bootstrap, self._topic, PARTITIONS)
        verifier = Verifier(self._redis.url, self._topic, ledger)
        for partition in range(PARTITIONS):
            assert verifier.done(partition, verifier.check(partition))
        assert not verifier.wrong, verifier.wrong[:3]
        assert assert_accounted(self._redis.url, self._topic) == self.produced


@pytest.fixture
async def upgrade(kafka: Cluster, make_topic: MakeTopic, tmp_path: Path) -> AsyncIterator[Upgrade]:
    with RedisServer() as redis:
        upgrade = Upgrade(kafka, redis, await make_topic(partitions=PARTITIONS), tmp_path)
        with closing([upgrade.former, upgrade.later]):
            yield upgrade


@pytest.mark.timeout(180)
async def test_a_rolling_upgrade_goes_forward_only(upgrade: Upgrade) -> None:
    upgrade.former.start()
    await upgrade.more()
    assert upgrade.of_meta("edition") == [EDITION] * PARTITIONS
    upgrade.later.start()
    await until(lambda: upgrade.later.count("claimed"), 30, "the later one has its half")
    await upgrade.more()
    assert sorted(upgrade.of_meta("edition")) == [EDITION, LATER], "side by side, each counts its own"
    upgrade.later.close()  # killed: what it counted falls to the former one
    await upgrade.refuses()
    upgrade.later.start()
    await upgrade.more()
    assert upgrade.of_meta("edition") == [LATER] * PARTITIONS
    await upgrade.verify()


@pytest.mark.timeout(180)
async def test_the_way_back_is_a_rebuild(upgrade: Upgrade) -> None:
    upgrade.later.start()
    await upgrade.more()
    upgrade.former.start()  # by mistake, or by a supervisor
    await upgrade.refuses()
    await upgrade.more()
    assert upgrade.later.stop() == 0
    await until(
        lambda: run_command("rebuild", "--yes", env=upgrade.former.env).returncode == 0,
        60,
        "nobody owns it any more",
    )
    upgrade.former.start()
    await upgrade.all_counted()
    assert upgrade.of_meta("edition") == [EDITION] * PARTITIONS
    await upgrade.verify()
