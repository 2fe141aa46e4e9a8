"""``stream-app what-if``: real Redis, contacts that no file has yet, the targets in force and others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.store.redis import RedisStore
from tests.services.command import run_command
from tests.store.test_outbox import T0, Worker, call

FROM, TO = "2026-09-21T00:00Z", "2026-09-23T00:00Z"


@pytest.fixture
async def told(redis_url: str, tmp_path: Path) -> dict[str, str]:
    """Ten calls that waited for five seconds, under a target of four."""
    store = RedisStore(redis_url)
    await store.apply_targets(Targets.of({"queues": {"sales": {"answer_target_s": 4, "short_abandon_s": 1}}}))
    worker = Worker(await store.claim(Partition("calls", 0), "t"))
    for n in range(10):
        await worker.commit(call(4 * n, f"c{n}", 100 * n))
    await store.close()
    return {**os.environ, "REDIS_URL": redis_url, "STREAM_APP_LEDGER": str(tmp_path / "ledger")}


def what_if(env: dict[str, str], *options: str, times: tuple[str, ...] = ("--from", FROM, "--to", TO)) -> Any:
    return run_command("what-if", *times, *options, env=env)


def test_another_target_judges_the_same_contacts(told: dict[str, str]) -> None:
    assert 1_789_948_800_000 <= T0 <= 1_790_121_600_000, "between these times"
    done = what_if(told, "--set", "queues.sales.answer_target_s=5", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    levels = {row["policy"]: row for row in rows if (row["queue"], row["kpi"]) == ("sales", "service_level")}
    assert len(levels) == 9
    assert {(row["was"], row["would"], row["samples_would"]) for row in levels.values()} == {(0.0, 1.0, 10)}


def test_people_see_what_would_have_been_different(told: dict[str, str]) -> None:
    done = what_if(told, "--set", "queues.sales.answer_target_s=5", "--queue", "sales")
    assert "Service level" in done.stdout
    assert "0.0%" in done.stdout
    assert "100.0%" in done.stdout
    assert "numbers would have been different" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--set", "queues.sales.bot='talks'"),
            "sales (voice): bot can't be tried on contacts that are over",
        ),
        (("--set", "queues.sales.answer_target=5"), "--set: queues.sales.answer_target"),
        (("--set", "queues.sales.short_abandon_s=9"), "--set: queues.sales"),
        (("--set", "outages=[]"), "--set: outages: expected a setting of defaults, channels or queues"),
        (("--set", "sales"), "--set: expected targets as in a TOML file"),
        (
            ("--set", "defaults={cost_per_hour=40, currency='EUR'}"),
            "--set: defaults.cost_per_hour changes no number that what-if computes; expected one of answer_target_s,",
        ),
        (
            ("--set", "defaults.answer_target_s=5", "--queue", "slaes"),
            "--queue: 'slaes' was never seen; did you mean 'sales'?",
        ),
    ],
)
def test_what_can_not_be_tried_is_named(told: dict[str, str], options: tuple[str, ...], said: str) -> None:
    done = what_if(told, *options)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_time_without_contacts_and_one_that_is_none(told: dict[str, str]) -> None:
    changed = ("--set", "queues.sales.answer_target_s=5")
    empty = what_if(told, *changed, times=("--from", "2026-01-01T00:00Z", "--to", "2026-01-02T00:00Z"))
    assert "0 numbers would have been different" in empty.stdout
    wrong = what_if(told, *changed, times=("--from", TO, "--to", FROM))
    assert "--from: expected a time before --to" in wrong.stderr
