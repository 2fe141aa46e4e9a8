"""KPIs of the ledger on the whole road: an event goes through Kafka, a worker and Redis into the API and Prometheus."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.services.kafka import Cluster, Record
from tests.services.process import until

from .serve import Serve
from .worker import LedgerProcess, Worker, closing, environment

MINUTE = 60_000


def call(contact: str, customer: str, at: int) -> list[Record]:
    """A call that is handled within five minutes."""
    told: tuple[tuple[str, int, dict[str, Any]], ...] = (
        ("contact.queued", 0, {"queue": "sales", "channel": "voice", "customer": customer}),
        ("contact.answered", 10_000, {"agent": "ann"}),
        ("contact.wrapped", 5 * MINUTE, {}),
    )
    return [
        Record(
            contact.encode(),
            json.dumps(
                {"id": f"{contact}-{kind}", "type": kind, "at": at + after, "contact_id": contact, **more}
            ).encode(),
            timestamp_ms=at + after,
        )
        for kind, after, more in told
    ]


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_an_event_is_in_the_kpis_that_need_more_than_one_contact(
    kafka: Cluster, redis_url: str, make_topic: Any, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=2)
    ledger = str(tmp_path / "ledger")
    worker = Worker(
        tmp_path / "worker.log",
        **environment(kafka.bootstrap, redis_url, topic, STREAM_APP_LEDGER=ledger),
    )
    writer = LedgerProcess(tmp_path / "writer.log", redis_url, ledger)
    serve = Serve(redis_url, STREAM_APP_LEDGER=ledger)
    begin = round(time.time() * 1000) - 3 * 60 * MINUTE
    with closing([worker, writer]), serve:
        worker.start()
        writer.start()

        async def repeated() -> dict[str, Any] | None:
            status, answer = await serve.get("/v1/ledger?window=7d&queue=sales")
            figure = answer["all"]["repeat_contacts"] if status == 200 else None
            return figure if figure and figure["samples"] else None

        await kafka.produce(topic, call("c1", "anna", begin))
        first = await until(repeated, 90, "the first contact is counted")
        assert (first["value"], first["samples"]) == (0.0, 1)

        await kafka.produce(topic, call("c2", "anna", begin + 60 * MINUTE))

        async def again() -> bool:
            found = await repeated()
            return found is not None and (found["value"], found["samples"]) == (0.5, 2)

        await until(again, 90, "she called again: half of the contacts are repeated")

        # The process that computes is killed: another one goes on.
        (child,) = [
            one for one in psutil.Process(serve.pid).children() if "spawn_main" in " ".join(one.cmdline())
        ]
        os.kill(child.pid, signal.SIGKILL)
        await kafka.produce(topic, call("c3", "anna", begin + 120 * MINUTE))

        async def once_more() -> bool:
            found = await repeated()
            return found is not None and (round(found["value"], 3), found["samples"]) == (0.667, 3)

        await until(once_more, 120, "it is computed again")
        metrics = await serve.metrics()
        labels = frozenset({"queue": "sales", "channel": "voice", "window": "7d"}.items())
        assert round(metrics["cc_repeat_contacts_ratio", labels], 3) == 0.667
        assert metrics["cc_repeat_contacts_samples", labels] == 3
        status, days = await serve.get("/v1/history?kpi=repeat_contacts&by=week")
        assert (status, sum(row["samples"] for row in days["rows"])) == (200, 3)
        assert days["rows"][-1]["final"] is False
        assert "anna" not in serve.log.read_text(), "no customer is in a log"
        assert writer.stop() == 0
        assert worker.stop() == 0
