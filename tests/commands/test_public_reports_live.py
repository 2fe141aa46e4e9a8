"""What people reported as counted wrongly is counted right on the whole road as well: a topic, a worker, Redis."""

from pathlib import Path
from typing import Any

import redis
from aiokafka.partitioner import murmur2

from tests.commands.test_replay import replay, totals, working
from tests.conftest import MakeTopic
from tests.e2e.accounts import assert_accounted
from tests.e2e.ledger import read_ledger
from tests.e2e.verifier import Verifier
from tests.e2e.worker import Worker, environment
from tests.ingest.test_public_reports import CASES, REPORTS
from tests.services.kafka import Cluster
from tests.services.process import until

ASTERISK: list[dict[str, Any]] = [
    case for case in CASES if case.get("dialect", "asterisk") == "asterisk" and "zone" not in case
]
COUNTED = {"offered", "answered", "abandoned", "left", "lost", "handled"}


def key_of(partition: int) -> str:
    """A server's name whose records come to a partition."""
    names = (f"pbx-{n}" for n in range(10_000))
    return next(n for n in names if (murmur2(n.encode()) & 0x7FFF_FFFF) % len(ASTERISK) == partition)


async def test_each_server_s_log_is_counted_in_its_partition(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=len(ASTERISK), config={"message.timestamp.type": "LogAppendTime"})
    known = dict(environment(kafka.bootstrap, redis_url, topic)) | {"STREAM_APP_DIALECT": "asterisk"}
    for partition, case in enumerate(ASTERISK):
        files = [REPORTS / name for name in case.get("files") or [case["file"]]]
        assert replay("--topic", topic, "--key", key_of(partition), *files, environ=known).returncode == 0
    ledger = await read_ledger(kafka.bootstrap, topic, len(ASTERISK))
    assert all(ledger[partition] for partition in range(len(ASTERISK)))
    looks = Verifier(redis_url, topic, ledger)
    with working(Worker(tmp_path / "worker.log", **known)), redis.Redis.from_url(redis_url) as client:

        def all_counted() -> bool:
            return all(
                client.exists(f"kpi:{{{topic}.{partition}}}:meta")
                and looks.read(client, partition).position == len(records)
                for partition, records in ledger.items()
            )

        await until(all_counted, 60, "all is counted")
        assert assert_accounted(redis_url, topic) == sum(map(len, ledger.values()))
        for partition, case in enumerate(ASTERISK):
            counted = totals(looks.read(client, partition))
            for queue, expected in case["expected"].items():
                for name, value in expected.items():
                    if (parts := name.split("+")) and {*parts} <= COUNTED:
                        found = sum(counted[queue, "voice", part] for part in parts)
                        assert found == value, (case["situation"], queue, name)
