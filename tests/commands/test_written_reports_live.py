"""What help desks reported as counted wrongly is counted right on the whole road: a topic, a worker, Redis, `serve`."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stream_app.model.kpis import BY_NAME
from stream_app.model.targets import Targets
from stream_app.store.redis import RedisStore
from tests.conftest import MakeTopic
from tests.e2e.pipeline import Pipeline, now_ms
from tests.e2e.test_intervals import fetched
from tests.ingest.test_written_reports import CASES
from tests.services.kafka import Cluster
from tests.services.process import until

from .told_now import ToldNow, in_order, late_evening

BY_ROWS = {
    ("bot_reply_clock", "average_response"),
    ("bot_reply_clock", "first_response"),
    ("reopened_after_resolution", "first_response"),
    ("reopened_after_resolution", "first_response_samples"),
    ("reopened_after_resolution", "average_response"),
    ("reopened_after_resolution", "service_level"),
    ("ticket_open_six_weeks", "average_response"),
    ("auto_assignment_is_no_reply", "service_level"),
}
"""What was counted days before the end, where no live window reaches: interval rows have it."""
ONLY_ROWS = {"replies"}
"""Counters that no live view shows."""
COLUMNS = {
    "first_response": ("response_s", "responded"),
    "average_response": ("reply_s", "replies"),
    "service_level": ("answered_in_target", "offered"),
}


def shown(row: dict[str, Any], name: str) -> Any:
    """A number of `/v1/now`; counts are counters or KPIs of the day."""
    stem = name.removesuffix("_samples").removesuffix("_at_least")
    if stem in row["levels"]:
        return row["levels"][stem]
    if stem not in BY_NAME:
        return row["totals"][stem]
    figure = row["windows"]["today"][stem]
    if name.endswith("_samples"):
        return figure["samples"]
    amounts = figure.get("amounts")
    return float(next(iter(amounts.values()))) if amounts else figure["value"]


def summed(rows: list[dict[str, Any]], name: str) -> float | None:
    """The same of interval rows."""
    stem = name.removesuffix("_samples")
    above, below = COLUMNS.get(stem, (stem, ""))
    samples = sum(row[below] for row in rows) if below else 1
    if name.endswith("_samples"):
        return samples
    return sum(row[above] for row in rows) / samples if samples else None


async def numbers(pipeline: Pipeline, cases: list[ToldNow]) -> dict[tuple[str, str], float | None]:
    """What is shown of every number that is expected, by case and name."""
    now = {(row["queue"], row["channel"]): row for row in (await pipeline.serve.get("/v1/now"))[1]["rows"]}
    out: dict[tuple[str, str], float | None] = {}
    for one in cases:
        for place, expected in one.expected.items():
            name, _, channel = place.partition("/")
            queue = one.queue(name)
            begin = datetime.fromtimestamp(one.begin / 1000, UTC).date()
            path = f"/v1/intervals?from={begin}&interval=1d&queue={queue}"
            past = [n for n in expected if n in ONLY_ROWS or (one.name, n) in BY_ROWS]
            rows = await fetched(pipeline.serve.url, path) if past else []
            for number in expected:
                row = now.get((queue, channel))
                found = summed(rows, number) if number in past else row and shown(row, number)
                out[one.name, number] = found
    return out


def wrong(cases: list[ToldNow], found: dict[tuple[str, str], float | None]) -> dict[tuple[str, str], Any]:
    """(case, number) → (expected, found), where they differ."""
    out = {}
    for one in cases:
        for expected in one.expected.values():
            for number, value in expected.items():
                seen = found[one.name, number]
                at_least = number.endswith("_at_least")
                if seen is None or not (
                    seen >= value if at_least else seen == pytest.approx(value, rel=1e-5)
                ):
                    out[one.name, number] = (value, seen)
    return out


async def test_each_help_desk_s_conversations_are_counted_live(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path
) -> None:
    topic = await make_topic(partitions=1, config={"message.timestamp.type": "LogAppendTime"})
    now = now_ms()
    cases = [ToldNow(case, now) for case in CASES]
    assert len({one.name for one in cases}) == len(CASES)
    document: dict[str, dict[str, Any]] = {"queues": {}, "calendars": {}}
    for one in cases:
        settings = one.settings(late_evening(now))
        for table, mine in settings.items():
            assert document[table].keys().isdisjoint(mine), "each case has names of its own"
            document[table] |= mine
    store = RedisStore(redis_url)
    assert await store.apply_targets(Targets.of(document)) == 1
    await store.close()
    pipeline = Pipeline(kafka, redis_url, topic, tmp_path)
    sent = await kafka.produce(topic, in_order(cases))
    assert sent == sum(len(one.events) for one in cases)
    with pipeline.running():
        await pipeline.trusted()
        differ: dict[tuple[str, str], Any] = {}

        async def all_right() -> bool:
            nonlocal differ
            differ = wrong(cases, await numbers(pipeline, cases))
            return not differ

        with suppress(TimeoutError):
            await until(all_right, 30, "every number is what it should be")
        assert not differ
