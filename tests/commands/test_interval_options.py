"""``stream-app intervals``: options that mean something together, and what is said where they don't."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.commands.completion import zone_names
from stream_app.commands.intervals import command as intervals
from stream_app.commands.intervals.source import from_topic
from stream_app.errors import BadSettingsError
from stream_app.model.intervals.columns import IntervalRow
from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.settings import load
from tests.services.command import run_command
from tests.services.process import free_port

_T0 = 1_767_571_200_000
_AT = "2026-01-05T09:00:00Z"


def run(*options: object) -> Result:
    return CliRunner().invoke(cli, ["intervals", *map(str, options)])


def refused(*options: object) -> str:
    error = run(*options).exception
    assert isinstance(error, BadSettingsError), error
    return str(error)


def event(queue: str) -> str:
    fields = {"id": queue, "type": "contact.queued", "contact_id": queue, "at": _AT, "queue": queue}
    return json.dumps(fields) + "\n"


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Two queues' first contacts."""
    path = tmp_path / "day.ndjson"
    path.write_text(event("billing") + event("sales"))
    return path


# --- the format by the file's name ---


def test_a_files_ending_says_its_format_where_nobody_else_does(recorded: Path, tmp_path: Path) -> None:
    for ending in ("csv", "json", "parquet", "CSV", "txt"):
        assert run("--direct", recorded, "--out", tmp_path / f"rows.{ending}").exit_code == 0
    for ending in ("csv", "CSV"):
        assert (tmp_path / f"rows.{ending}").read_text().startswith("start,minutes,queue,channel,")
    assert len(json.loads((tmp_path / "rows.json").read_text())) == 2
    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 2
    assert "service level" in (tmp_path / "rows.txt").read_text()
    named = tmp_path / "import.csv"
    assert run("--direct", recorded, "--format", "genesys", "--out", named).exit_code == 0
    assert named.read_text().startswith("Interval Start UTC Date,")


@pytest.mark.parametrize(("form", "ending"), [("csv", "parquet"), ("table", "parquet"), ("parquet", "csv")])
def test_a_format_that_the_ending_denies_is_refused(
    recorded: Path, tmp_path: Path, form: str, ending: str
) -> None:
    out = tmp_path / f"rows.{ending}"
    said = refused("--direct", recorded, "--format", form, "--out", out)
    assert said == f"--format: {form} does not fit a file named *.{ending}; change one of the two"
    assert not out.exists()


# --- files without an event ---


def test_a_file_without_one_event_writes_nothing(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    out.write_text("before")
    done = run("--direct", recorded, "--dialect", "asterisk", "--out", out)
    assert (done.exit_code, done.stdout, out.read_text()) == (65, "", "before")
    last = done.stderr.splitlines()[-1]
    assert last == "intervals: no line is an event of the dialect asterisk; check --dialect, or add --map"


def test_a_file_of_other_queues_has_events(recorded: Path, tmp_path: Path) -> None:
    with recorded.open("a") as file:
        file.write("nonsense\n")
    done = run("--direct", recorded, "--queue", "support", "--out", tmp_path / "rows.json")
    assert (done.exit_code, json.loads((tmp_path / "rows.json").read_text())) == (0, [])
    assert "no line is an event" not in done.stderr


# --- options that go with others only ---


@pytest.mark.parametrize("source", [[], ["--from-topic"]])
@pytest.mark.parametrize(
    "option", [["--strict"], ["--map", "queue=team"], ["--dialect", "asterisk"], ["--dialect", "canonical"]]
)
def test_options_of_files_go_with_files_only(source: list[str], option: list[str]) -> None:
    assert refused(*source, *option) == f"{option[0]}: only works with --direct, which reads files"


# --- names ---


def test_a_name_that_nobody_has_is_said_and_not_passed_over(recorded: Path) -> None:
    asked = ("--queue", "biling", "--queue", "sales", "--channel", "carrier-pigeon")
    done = run("--direct", recorded, *asked, "--format", "json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])
    said = done.stderr.splitlines()
    assert "intervals: unknown queue 'biling'; did you mean 'billing'?" in said
    assert "intervals: unknown channel 'carrier-pigeon'" in said
    assert "'sales'" not in done.stderr
    assert "unknown" not in run("--direct", recorded, "--queue", "billing").stderr


async def test_a_topic_s_names_are_those_of_all_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [IntervalRow(_T0, 15, queue, "voice") for queue in ("billing", "sales")]

    async def table(_how: object, _topic: str, wanted: Any, _told: object) -> list[IntervalRow]:
        return [row for row in every if wanted(row)]

    monkeypatch.setattr("stream_app.commands.intervals.source.read_table", table)
    found = await from_topic(load(), ["sales"], [])
    assert [row.queue for row in await found.rows(0, _T0 * 2)] == ["sales"]
    assert await found.names() == ({"billing", "sales"}, {"voice"})


# --- what would be right ---


WRONG = {
    "--policy answered_onyl": f"answered_onyl'; use one of {', '.join(SERVICE_LEVELS)}; did you mean 'answered_only'?",
    "--policy 80/20": f"unknown policy '80/20'; use one of {', '.join(SERVICE_LEVELS)}",
    "--tz Europe/Berln": "unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?",
    "--tz 1234": "unknown time zone '1234'; for example UTC or Europe/Berlin",
    "--from soon": "expected a time, got 'soon'; write 2026-01-05T08:00:00Z or 2026-01-05T09:00:00+01:00 or 2026-01-05 or "
    "2026-01-05T09:00 with --tz",
    "--to 2026-01-05T08:00": "expected an offset or, in --tz, a time zone for '2026-01-05T08:00'; write 2026-01-05T08:00:00Z",
    "--tz Europe/Berlin --to 2026-10-25T02:30": "2026-10-25T02:30:00 occurs twice in Europe/Berlin; write it with its offset: "
    "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
    "--tz Europe/Berlin --from 2026-03-29T02:30": "the clock of Europe/Berlin skips 2026-03-29T02:30:00; write "
    "2026-03-29T03:30:00+02:00 or 2026-03-29T01:30:00+01:00",
}


@pytest.mark.parametrize("options", WRONG)
def test_a_wrong_value_comes_with_right_ones(options: str) -> None:
    said = refused("--from-topic", *options.split())
    assert said.startswith(f"{options.split()[-2]}: ")
    assert WRONG[options] in said


def test_policies_and_zones_are_completed() -> None:
    assert (
        intervals._policies("answered_o") == [n for n in SERVICE_LEVELS if n.startswith("answered_o")] != []
    )
    assert zone_names("europe/berl") == ["Europe/Berlin"]


# --- servers and settings that are not there ---


@pytest.mark.parametrize("source", ["kafka", "redis"])
def test_a_server_that_is_away_is_one_line_with_its_address_and_setting(source: str, tmp_path: Path) -> None:
    place = f"127.0.0.1:{free_port()}"
    env = {"KAFKA_BOOTSTRAP_SERVERS": place, "REDIS_URL": f"redis://me:secret@{place}/3"}
    out = tmp_path / "rows.csv"
    options = ["--from-topic"] if source == "kafka" else []
    done = run_command("intervals", "--out", out, *options, env=os.environ | env)
    expected = {
        "kafka": f"stream-app: no Kafka broker answers at {place} (KAFKA_BOOTSTRAP_SERVERS)\n",
        "redis": f"stream-app: Redis at {place}, database 3 (REDIS_URL): ConnectionError: ",
    }[source]
    assert (done.returncode, done.stdout, out.exists()) == (1, "", False)
    assert done.stderr.startswith(expected)
    assert len(done.stderr.splitlines()) == 1
    assert "secret" not in done.stderr


def test_settings_that_are_not_there_or_no_list_are_one_plain_line(recorded: Path, tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    assert (
        refused("--direct", recorded, "--settings", none) == f"--settings: {none}: No such file or directory"
    )
    none.write_text("[outages]\nfrom = 2026-01-05T08:00:00Z\n")
    assert refused("--direct", recorded, "--settings", none) == (
        f"--settings: {none}: outages: expected a list; write [[outages]] with two brackets"
    )


def test_help_shows_brackets() -> None:
    assert "[[outages]]" in CliRunner().invoke(cli, ["config", "apply", "--help"]).stdout
