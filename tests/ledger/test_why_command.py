"""``stream-app why`` on a real ledger and a real Redis: it says what the route says, to people and to programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.errors import BadSettingsError
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.whys import LedgerWhys
from stream_app.model.kpis import BY_NAME
from stream_app.model.targets import Targets
from stream_app.model.why import WhyQuery

from .centre import Centre

START = "2025-11-22T08:00Z"
END = "2025-11-23T08:00Z"


@pytest.fixture
async def centre(
    redis_url: str, storage: LocalFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage, partitions=1, contacts=80)
    await made.claim()
    (desk,) = made.desks
    await desk.count(400)
    await desk.write()
    await desk.count(50)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("STREAM_APP_LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setenv("STREAM_APP_CONTACT_URL", "https://platform.example/{contact_id}")
    yield made
    await made.close()


async def why(*options: str) -> Result:
    """The command, which has a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, cli, ["why", *options], env={"COLUMNS": "200"})


async def test_it_explains_a_number_to_people_and_to_programs(centre: Centre) -> None:
    asked = ("service_level", "--queue", "sales", "--from", START, "--to", END)
    done = await why(*asked, "--json", "--limit", "10000")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    start, end = (round(datetime.fromisoformat(at).astimezone(UTC).timestamp() * 1000) for at in (START, END))
    query = WhyQuery(
        kpi=BY_NAME["service_level"], now=end + 10**9, start=start, end=end, queue="sales", limit=10_000
    )
    expected = await LedgerWhys(centre.reader).why(query, Targets())
    assert found["figure"]["samples"] == expected.value.samples > 5
    assert len(found["rows"]) == expected.total == found["total"]
    told = await why(*asked, "--limit", "3")
    assert told.exit_code == 0
    assert f"= {expected.numerator} / {expected.denominator}" in told.output
    assert "without_short_abandons = answered_in_target / (decided - abandoned_short)" in told.output
    assert "answered within the answer target" in told.output
    assert "left out: " in told.output
    assert "https://platform.example/" in told.output
    assert f"… and {expected.total - 3:,} more" in told.output


@pytest.mark.usefixtures("centre")
@pytest.mark.parametrize("kpi", [*BY_NAME])
async def test_every_kpi_can_be_printed(kpi: str) -> None:
    times = () if BY_NAME[kpi].is_level else ("--from", START, "--to", END)
    done = await why(kpi, *times)
    assert done.exit_code == 0, done.output
    assert done.output.startswith(BY_NAME[kpi].title)


@pytest.mark.usefixtures("centre")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("service_levle",), "unknown KPI 'service_levle'; did you mean 'service_level'"),
        (("first_contact_resolution", "--window", "1h"), "expected a window, one of today, 7d, 28d"),
        (("churn", "--queue", "sales"), "churn is about customers, who belong to no queue"),
        (("handle_time", "--settled"), "handle_time is a live KPI"),
        (("backlog", "--window", "30m"), "leave window, from and to out"),
        (("handle_time", "--queue", "slaes"), "was never seen; did you mean 'sales'"),
        (("handle_time", "--window", "30m", "--from", START), "expected a window, or --from and --to"),
        (("handle_time", "--from", "yesterday"), "expected a time with an offset"),
        (("handle_time", "--from", END, "--to", START), "expected a time before --to"),
        (("handle_time", "--policy", "answered_only"), "one definition only"),
        (("service_level", "--policy", "x"), "expected a policy, one of answered_of_offered"),
    ],
)
async def test_what_is_wrong_says_what_would_be_right(options: tuple[str, ...], said: str) -> None:
    error = (await why(*options)).exception
    assert isinstance(error, BadSettingsError)
    assert said in str(error)


async def test_a_time_of_which_nothing_is_known_fails(centre: Centre) -> None:
    (desk,) = centre.desks
    await desk.claim(keeps_ledger=False)
    assert await desk.count(20)
    done = await why("offered", "--window", "1h")
    assert done.exit_code == 1
    assert "not known for " in done.output
