"""One producer's clock is ahead, and the topic believes producers: everybody else stays in the live windows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeTopic
from tests.services.kafka import Cluster, Record
from tests.services.process import until

from .ledger import read_ledger
from .pipeline import Event, Pipeline, gone, now_ms
from .verifier import Verifier

MINUTE = 60_000
CALLS, BEFORE = 150, 50
FALSE = {"one": {BEFORE}, "a quarter": set(range(3, CALLS + BEFORE, 4))}


def as_sent(told: Event, ahead: int) -> Record:
    """Stamped by its producer, whose clock the record's timestamp is of, too."""
    at = told["at"] + ahead
    return Record(told["contact_id"].encode(), json.dumps(told | {"at": at}).encode(), timestamp_ms=at)


def produced(false: set[int], ahead: int) -> list[Record]:
    """One call a second, who gives up after seven; ends with the 150th honest one, four minutes after the first."""
    sent: list[tuple[int, Record]] = []
    start, honest = now_ms() - 4 * MINUTE, 0
    for n in range(CALLS + BEFORE):
        honest += n not in false
        told = gone("fast" if n in false else "honest", start + n * 1_000, 7, "contact.abandoned")
        sent += [(event["at"], as_sent(event, ahead * (n in false))) for event in told]
        if honest == CALLS:
            break
    return [record for _, record in sorted(sent, key=lambda pair: pair[0])]


@pytest.mark.parametrize("ahead", [25 * MINUTE, 50 * MINUTE])
@pytest.mark.parametrize("false", FALSE.values(), ids=list(FALSE))
async def test_calls_after_one_from_a_fast_clock_are_in_the_window(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, ahead: int, *, false: set[int], tmp_path: Path
) -> None:
    topic = await make_topic(partitions=1, config={"message.timestamp.type": "CreateTime"})
    pipeline = Pipeline(kafka, redis_url, topic, tmp_path)
    with pipeline.running():
        await pipeline.trusted()
        await kafka.produce(topic, produced(false, ahead))

        async def counted() -> Any:
            row = (await pipeline.serve.rows("honest")).get("honest")
            return row if row and row["totals"]["abandoned"] == CALLS else None

        row = await until(counted, 30, "all honest calls are counted")
        assert row["windows"]["5m"]["service_level"]["samples"] == CALLS
        verifier = Verifier(redis_url, topic, await read_ledger(kafka.bootstrap, topic, 1))
        await until(lambda: verifier.done(0, verifier.check(0)), 30, "all records are counted")
    assert verifier.wrong == []
