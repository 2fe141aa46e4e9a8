"""``stream-app intervals``: recorded events in, rows out, in every format, without any server."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.errors import BadSettingsError
from stream_app.forecast import history
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.files import Layout, RecordFile
from stream_app.ingest.replay import FileReplay, interval_rows, report
from stream_app.model.targets import Targets
from stream_app.store.intervals.memory import MemoryIntervals
from tests.reference import traffic
from tests.views.examples import busy_board
from tests.views.serving import Served

INTERVALS = [sys.executable, "-m", "stream_app", "intervals"]


def run(*options: object) -> Result:
    return CliRunner().invoke(cli, ["intervals", *map(str, options)])


def rows(*options: object) -> list[dict[str, Any]]:
    done = run(*options, "--format", "json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def refused(*options: object) -> str:
    error = run(*options).exception
    assert isinstance(error, BadSettingsError), error
    return str(error)


def event(kind: str, contact: str, at: str, **rest: object) -> str:
    fields = {
        "id": f"{contact} {kind} {at}",
        "type": f"contact.{kind}",
        "contact_id": contact,
        "at": f"2026-01-05T{at}Z",
    }
    return json.dumps(fields | rest) + "\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some hours of several queues."""
    path = tmp_path_factory.mktemp("recorded") / "day.ndjson"
    path.write_bytes(b"".join(value + b"\n" for _, value, _ in traffic.traffic(3, 1_500, rate=0.1)))
    return path


# --- what is counted ---


def test_rows_add_up_to_the_report_of_the_same_file(recorded: Path) -> None:
    files = [RecordFile(recorded, Layout())]
    expected = report(files, Targets(), FileReplay(decode))
    sums: dict[tuple[str, str], Counter[str]] = {}
    for row in rows("--direct", recorded):
        assert (
            row["answered"] + row["abandoned"] + row["left"] + row["lost"] + row["waiting"]
            == row["offered"] - row["to_bot"] + row["from_bot"]
        )
        mine = sums.setdefault((row["queue"], row["channel"]), Counter())
        mine.update(
            {name: row[name] for name in ("offered", "answered", "abandoned", "left", "waiting", "handled")}
        )
        mine.update({name: round(row[name] * 1000) for name in ("wait_s", "talk_s", "hold_s", "wrap_s")})
    assert sums
    for one in expected:  # those of which only surveys were counted have no rows
        mine = sums.get((one.queue, one.channel), Counter())
        for name in ("offered", "answered", "abandoned", "left", "waiting", "handled"):
            assert mine[name] == getattr(one, name)
        for name in ("wait_s", "talk_s", "hold_s", "wrap_s"):
            assert mine[name] == round(getattr(one, name) * 1000)


@pytest.mark.parametrize(
    ("interval", "tz"), [("30m", "Asia/Kathmandu"), ("1h", "Europe/Berlin"), ("1d", "Pacific/Chatham")]
)
def test_longer_intervals_have_the_same_totals_and_lose_no_row_at_the_edges(
    recorded: Path, interval: str, tz: str
) -> None:
    quarters = rows("--direct", recorded)
    longer = rows("--direct", recorded, "--interval", interval, "--tz", tz)
    assert len(longer) < len(quarters)
    for name in ("offered", "answered", "abandoned", "handled", "waiting", "refused"):
        assert sum(row[name] for row in longer) == sum(row[name] for row in quarters)
    assert sum(row["talk_s"] for row in longer) == pytest.approx(sum(row["talk_s"] for row in quarters))


async def test_the_command_and_the_route_say_the_same(recorded: Path) -> None:
    source = MemoryIntervals(interval_rows([RecordFile(recorded, Layout())], Targets(), FileReplay(decode)))
    served = Served(busy_board(), source)
    await served.start()
    begin, end = map(stamp, await source.stretch())
    for interval in ("15m", "1h"):
        _, _, answer = await served.get(
            f"/v1/intervals?from={begin}&to={end}&interval={interval}&limit=10000"
        )
        command = [
            *INTERVALS,
            "--direct",
            recorded,
            "--interval",
            interval,
            "--from",
            begin,
            "--format",
            "json",
        ]
        process = await asyncio.create_subprocess_exec(*map(str, command), stdout=asyncio.subprocess.PIPE)
        written, _ = await process.communicate()
        rows_written = json.loads(written)
        assert (
            [{**row, "final": None} for row in rows_written]
            == [{**row, "final": None} for row in answer["rows"]]
            != []
        )
        last = rows_written[-1]["start"]  # the file may end in the middle of it
        assert all(row["final"] for row in rows_written if row["start"] != last), "a file has an end"
    _, _, changes = await served.get("/v1/intervals?since=0")
    assert (changes["rows"], changes["revision"]) == ([], 0)
    await served.runner.cleanup()


def stamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat().replace("+00:00", "Z")


def test_waits_count_where_they_began_and_talks_where_they_ended(tmp_path: Path) -> None:
    """A published example of Genesys': talks 9:35 to 10:05 and 9:16 to 9:32 are 16 minutes at 9:30 and 30 at 10:00."""
    file = tmp_path / "two.ndjson"
    file.write_text(
        event("queued", "a", "09:16:00", queue="desk")
        + event("answered", "a", "09:16:00")
        + event("queued", "b", "09:29:00", queue="desk")
        + event("ended", "a", "09:32:00")
        + event("answered", "b", "09:35:00")
        + event("wrapped", "a", "09:32:00")
        + event("ended", "b", "10:05:00")
        + event("wrapped", "b", "10:05:00")
    )
    found = rows("--direct", file, "--interval", "30m")
    assert [(r["start"][11:16], r["offered"], r["wait_s"], r["handled"], r["talk_s"]) for r in found] == [
        ("09:00", 2, 360.0, 0, 0.0),
        ("09:30", 0, 0.0, 1, 960.0),
        ("10:00", 0, 0.0, 1, 1800.0),
    ]
    assert [(r["backlog_start"], r["backlog_max"]) for r in found] == [(None, 1), (1, 1), (0, 0)]
    assert [r["missing"] for r in found] == [1, 0, 1]


def test_quarters_without_contacts_are_zeros_and_all_are_final(tmp_path: Path) -> None:
    file = tmp_path / "gap.ndjson"
    file.write_text(
        event("queued", "a", "09:00:00", queue="desk")
        + event("queued", "b", "10:31:00", queue="desk")
        + event("abandoned", "b", "10:32:30")
    )
    found = rows("--direct", file)
    assert [
        (r["start"][11:16], r["offered"], r["backlog_max"], r["final"], r["version"], r["revision"])
        for r in found
    ] == [
        ("09:00", 1, 1, True, 1, 0),
        ("09:15", 0, 1, True, 1, 0),
        ("09:30", 0, 1, True, 1, 0),
        ("09:45", 0, 1, True, 1, 0),
        ("10:00", 0, 1, True, 1, 0),
        ("10:15", 0, 1, True, 1, 0),
        ("10:30", 1, 2, True, 1, 0),
    ]
    assert {r["revised_at"] for r in found} == {None}


def test_settings_decide_targets_policies_and_outages(recorded: Path, tmp_path: Path) -> None:
    settings = tmp_path / "targets.toml"
    plain = rows("--direct", recorded)
    at = plain[8]["start"]
    settings.write_text(
        f'defaults.answer_target_s = 0.001\ndefaults.short_abandon_s = 0\ndefaults.policy = "answered_only"\n'
        f'[[outages]]\nfrom = "{at}"\nto = "{at[:14]}59:59+00:00"\nreason = "power"\n'
    )
    found = rows("--direct", recorded, "--settings", settings)
    assert {r["policy"] for r in found} == {"answered_only"}
    assert sum(r["answered_in_target"] for r in found) < sum(r["answered_in_target"] for r in plain)
    marked = [r for r in found if r["outage"]]
    assert {r["outage"] for r in marked} == {"power"}
    assert all(r["start"] >= at for r in marked)
    less = rows("--direct", recorded, "--settings", settings, "--outages", "leave_out")
    assert less == [r for r in found if not r["outage"]]
    assert {r["policy"] for r in rows("--direct", recorded, "--policy", "removed_within")} == {
        "removed_within"
    }


def test_some_queues_channels_and_a_range(recorded: Path) -> None:
    every = rows("--direct", recorded)
    some = rows("--direct", recorded, "--queue", "billing", "--queue", "sales", "--channel", "voice")
    assert some == [r for r in every if r["queue"] in {"billing", "sales"} and r["channel"] == "voice"]
    first, last = every[0]["start"], every[-1]["start"]
    part = rows("--direct", recorded, "--from", first, "--to", last)
    assert part == [r for r in every if r["start"] < last]
    assert rows("--direct", recorded, "--from", "2030-01-01", "--to", "2199-01-01") == []


# --- how it is written ---


def test_csv_and_json_are_read_by_forecast(recorded: Path, tmp_path: Path) -> None:
    for form in ("csv", "json"):
        out = tmp_path / f"rows.{form}"
        assert run("--direct", recorded, "--format", form, "--out", out).exit_code == 0
        found = history.read(out.read_bytes(), str(out))
        final = [r for r in rows("--direct", recorded) if r["final"]]
        for_people = sum(r["offered"] - r["to_bot"] + r["from_bot"] for r in final)
        assert sum(r.offered for of in found.history.values() for r in of) == for_people
        assert found.unfinished == 0


def test_parquet_is_a_file_and_nothing_for_a_terminal(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    assert (
        run("--direct", recorded, "--format", "parquet", "--tz", "Europe/Berlin", "--out", out).exit_code == 0
    )
    found = pq.read_table(out)
    expected = rows("--direct", recorded)
    assert found.num_rows == len(expected)
    assert sum(found["offered"].to_pylist()) == sum(row["offered"] for row in expected)
    piped = run("--direct", recorded, "--format", "parquet").stdout_bytes
    assert pq.read_table(io.BytesIO(piped)).num_rows == len(expected)
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "stream_app",
        "intervals",
        "--direct",
        str(recorded),
        "--format",
        "parquet",
    ]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(theirs)
    os.close(ours)
    assert (done.returncode, done.stderr) == (
        78,
        b"stream-app: --format: parquet is binary; write it to a file with --out FILE\n",
    )


def test_an_import_says_what_it_left_out(recorded: Path) -> None:
    done = run("--direct", recorded, "--format", "connect")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("QueueName,QueueId,ChannelType,TimeStamp,")
    assert {line.split(",")[2] for line in lines[1:]} == {"VOICE", "CHAT"}
    assert "left out for connect: " in done.stderr
    assert " not final, 0 of outages, " in done.stderr
    assert run("--direct", recorded, "--format", "genesys").stdout.startswith(
        "Interval Start UTC Date,Queue,"
    )


def test_a_table_shows_what_planners_look_at_first(recorded: Path) -> None:
    done = run("--direct", recorded, "--interval", "1h", "--tz", "Europe/Berlin")
    text = done.stdout
    assert "billing voice: service level without_short_abandons" in text
    for head in (
        "start",
        "offered",
        "answered",
        "service level",
        "abandoned",
        "ASA",
        "AHT",
        "handled",
        "deepest",
    ):
        assert head in text
    assert "+01:00" in text
    assert (
        text.count("not final") == text.count(" missing") == text.count("not final, ")
    )  # hours at the edges


def test_a_name_with_brackets_is_no_mark_up(tmp_path: Path) -> None:
    file = tmp_path / "one.ndjson"
    file.write_text(event("queued", "a", "09:00:00", queue="[bold]desk[/x]"))
    assert "[bold]desk[/x] voice" in run("--direct", file).stdout


def test_a_file_is_there_whole_or_as_it_was(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    out.write_text("before")
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(recorded.read_bytes())[:-200])
    done = run("--direct", cut, "--format", "csv", "--out", out)
    assert (done.exit_code, out.read_text(), done.stdout) == (65, "before", "")
    assert f"\nstream-app: {cut}:" in done.stderr
    assert run("--direct", recorded, "--format", "csv", "--out", out).exit_code == 0
    assert out.read_text().startswith("start,minutes,queue,channel,")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.gz", "rows.csv"]
    link = tmp_path / "link.csv"
    link.symlink_to(out)
    assert run("--direct", recorded, "--format", "json", "--out", link).exit_code == 0
    assert link.is_symlink()
    assert out.read_text().startswith("[{")


# --- what became of the records, and errors ---


def test_every_record_is_accounted_for(recorded: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ndjson"
    broken.write_bytes(b"nonsense\n" + recorded.read_bytes())
    done = run("--direct", broken, "--format", "json")
    count = len(recorded.read_bytes().splitlines())
    assert done.exit_code == 0
    assert f"stream-app: {broken}:1: not_json: " in done.stderr
    assert f"intervals: {count + 1:,} records read in " in done.stderr
    assert "dead_letter 1 (not_json 1)" in done.stderr
    assert json.loads(done.stdout) == rows("--direct", recorded)
    strict = run("--direct", broken, "--strict")
    assert (strict.exit_code, strict.stdout) == (65, "")


def test_several_files_and_other_dialects(recorded: Path, tmp_path: Path) -> None:
    lines = recorded.read_bytes().splitlines(keepends=True)
    parts = [tmp_path / "a.gz", tmp_path / "b"]
    parts[0].write_bytes(gzip.compress(b"".join(lines[:2000])))
    parts[1].write_bytes(b"".join(lines[2000:]))
    assert rows("--direct", *parts) == rows("--direct", recorded)
    log = tmp_path / "queue_log"
    log.write_text(
        "1767607200|1767607200.1|sales|NONE|ENTERQUEUE||5550100|1\n1767607207|1767607200.1|sales|SIP/100|CONNECT|7|x|3\n"
    )
    (row,) = rows("--direct", log, "--dialect", "asterisk")
    assert (row["queue"], row["answered"], row["wait_s"]) == ("sales", 1, 7.0)
    wrong = run("--direct", log)
    assert wrong.exit_code == 65
    assert wrong.stderr.endswith(" --dialect asterisk\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nothing.ndjson"], "nothing.ndjson: add --direct to count recorded events"),
        (["--direct", "--from-topic"], "--direct, --from-topic: rows come from one source"),
        (["--direct"], "--direct: expected at least one FILE; - is standard input"),
        (["--direct", "-", "-"], "-: standard input can be read only once"),
        (["--direct", "FILE", "--tz", "Mars/North"], "--tz: unknown time zone 'Mars/North'"),
        (["--direct", "FILE", "--from", "soon"], "--from: expected a time, got 'soon'"),
        (
            ["--direct", "FILE", "--from", "2026-01-05T08:00"],
            "--from: expected an offset or, in --tz, a time zone for '2026-01-05T08:00'",
        ),
        (
            ["--direct", "FILE", "--from", "2026-01-06", "--to", "2026-01-05"],
            "--to: expected a time later than --from",
        ),
        (
            ["--direct", "FILE", "--policy", "answered_onyl"],
            "--policy: unknown policy 'answered_onyl'; use one of ",
        ),
        (
            ["--direct", "FILE", "--format", "connect", "--interval", "1h"],
            "--interval: connect takes only rows of 15m or 30m",
        ),
        (["--direct", "FILE", "--out", "/nowhere/rows.csv"], "--out: folder not found: /nowhere"),
        (["--direct", "FILE", "--out", "FOLDER"], "--out: "),
        (["--direct", "FILE", "--settings", "/nowhere.toml"], "--settings: /nowhere.toml: "),
        (["--direct", "FILE", "--dialect", "esperanto"], "--dialect"),
        (["--direct", "FILE", "--map", "x"], "--map"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    recorded: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    names = {"FILE": str(recorded), "FOLDER": str(tmp_path)}
    message = refused(*[names.get(option, option) for option in options])
    assert message.startswith(said)
    assert "\n" not in message


def test_a_file_that_is_not_there_ends_it_with_65(tmp_path: Path) -> None:
    done = run("--direct", tmp_path / "none", "--format", "csv")
    assert (done.exit_code, done.stdout) == (65, "")
    assert done.stderr.startswith("stream-app: ")


def test_an_interrupted_run_writes_nothing_and_says_how_far_it_was(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    command = [*INTERVALS, "--direct", "-", "--format", "csv", "--out", str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(recorded.read_bytes() * 3)  # more than a pipe holds: it is being read by now
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert (process.returncode, out.exists()) == (130, False)
    assert said.endswith(b"stream-app: interrupted\n")


def test_an_unknown_option_is_usage() -> None:
    assert run("--format", "xlsx").exit_code == 2


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    """The command sets the collector's threshold, as it may: it is a process of its own."""
    before, handlers = gc.get_threshold(), {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    gc.set_threshold(*before)
    for number, handler in handlers.items():
        signal.signal(number, handler)
