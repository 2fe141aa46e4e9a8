"""Live, local times need a zone: with it they count, without it they are dead letters that ask about it."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import redis

from tests.commands.test_replay import replay, totals, working
from tests.conftest import MakeTopic
from tests.e2e.accounts import assert_accounted
from tests.e2e.ledger import read_ledger
from tests.e2e.verifier import Verifier
from tests.e2e.worker import Worker, environment
from tests.services.command import run_command
from tests.services.kafka import Cluster
from tests.services.process import until


@pytest.mark.parametrize("zone", ["Asia/Tokyo", None])
async def test_rows_of_a_table_in_tokyo(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path, zone: str | None
) -> None:
    topic = await make_topic(partitions=1, config={"message.timestamp.type": "LogAppendTime"})
    known = dict(environment(kafka.bootstrap, redis_url, topic)) | {"STREAM_APP_DIALECT": "asterisk"}
    at = datetime.now(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None) - timedelta(minutes=2)
    told = (("ENTERQUEUE", 0, ""), ("CONNECT", 12, "12"), ("COMPLETECALLER", 72, "12"))
    rows = [
        {
            "time": f"{at + timedelta(seconds=s):%Y-%m-%d %H:%M:%S}",
            "callid": "a",
            "queuename": "q",
            "agent": "A",
        }
        | {"event": name, "data1": first, "data2": "60"}
        for name, s, first in told
    ]
    path = tmp_path / "rows.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert replay("--topic", topic, path, environ=known).returncode == 0
    ledger = await read_ledger(kafka.bootstrap, topic, 1)
    if zone:
        known["STREAM_APP_SOURCE_ZONE"] = zone
    looks = Verifier(redis_url, topic, ledger)
    with working(Worker(tmp_path / "worker.log", **known)), redis.Redis.from_url(redis_url) as client:
        await until(lambda: client.exists(f"kpi:{{{topic}.0}}:meta") or None, 60, "it is counted")
        await until(lambda: looks.read(client, 0).position == 3 or None, 60, "all is counted")
        found = looks.read(client, 0)
    assert assert_accounted(redis_url, topic) == 3
    if zone:
        assert totals(found)["q", "voice", "answered"] == 1
        assert found.dead == 0
    else:
        assert found.results["dead_letter"] == 3
        shown = await asyncio.to_thread(run_command, "dead-letters", env=known)
        assert "are these local times? set STREAM_APP_SOURCE_ZONE" in " ".join(shown.stdout.split())
