"""``stream-app history`` on a real ledger and a real Redis: it says what the route says, to people and to programs."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.errors import BadSettingsError
from stream_app.model.targets import Targets

from .serving import Numbers
from .streams_of_customers import Weeks

LINES = Weeks(11).tell(60)


@pytest.fixture
async def numbers(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Numbers]:
    made = Numbers(redis_url, tmp_path / "ledger", LINES, Targets())
    await made.begin()
    await made.desk.count(len(LINES) // 2)
    await made.desk.write()
    await made.desk.count(len(LINES))
    await made.serve([("x", "voice")], refresh=False)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("STREAM_APP_LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setenv("STREAM_APP_LEDGER_DAYS", "4000")
    yield made
    await made.close()


async def history(*options: str) -> Result:
    """The command, which has a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, cli, ["history", *options], env={"COLUMNS": "200"})


async def test_people_and_programs_read_what_the_route_says(numbers: Numbers) -> None:
    span = ("--by", "week", "--from", "2025-12-01", "--to", "2026-01-05", "--tz", "Europe/Berlin")
    path = "/v1/history?by=week&from=2025-12-01&to=2026-01-05&tz=Europe/Berlin&kpi="
    for kpi in ("repeat_contacts", "handled", "first_contact_resolution"):
        answer = await numbers.get(path + kpi)
        done = await history(kpi, *span, "--json")
        assert (done.exit_code, done.stderr) == (0, "")
        said = json.loads(done.stdout)
        assert (said["rows"], said["unit"]) == (answer["rows"], answer["unit"])
        done = await history(kpi, *span, "--csv")
        assert [line["period"] for line in csv.DictReader(StringIO(done.stdout))] == [
            row["period"] for row in answer["rows"]
        ]
        table = (await history(kpi, *span)).stdout
        assert all(row["period"] in table for row in answer["rows"])
    done = await history("handled", *span, "--group", "queue", "--queue", "x")
    assert {line.split()[1] for line in done.stdout.splitlines()[2:]} == {"x"}


async def test_what_is_not_over_is_marked(numbers: Numbers) -> None:
    """By the clock of Redis nothing has happened for long: the running day has no data, and is not over."""
    assert numbers
    done = await history("handled")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-2].split()[0].endswith("+")
    assert done.stdout.splitlines()[-1] == "+ not over yet"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("hadnled",), "KPI: unknown 'hadnled'; did you mean 'handled'?"),
        (("handled", "--by", "month"), "--by: unknown 'month'"),
        (("handled", "--tz", "Mars"), "--tz: unknown time zone 'Mars'"),
        (("handled", "--from", "soon"), "--from: expected a time, got 'soon'"),
        (("handled", "--from", "2026-01-02", "--to", "2026-01-01"), "--from: from must be before to"),
        (("handled", "--group", "segment"), "--group: handled can't be split by segment"),
        (("handled", "--policy", "by_case"), "--policy: handled has no policy by_case"),
        (("handled", "--queue", "xx"), "--queue: 'xx' was never seen; did you mean 'x'?"),
        (("first_contact_resolution", "--queue", "x", "--queue", "9"), "--queue: '9' was never seen"),
        (("handled", "--channel", "voicee"), "--channel: 'voicee' was never seen; did you mean 'voice'?"),
        (("handled", "--json", "--csv"), "--json: expected --json or --csv; got both"),
    ],
)
async def test_bad_questions_are_one_line(numbers: Numbers, options: tuple[str, ...], said: str) -> None:
    assert numbers
    done = await history(*options)
    assert isinstance(done.exception, BadSettingsError)
    assert str(done.exception).startswith(said)
