"""``stream-app alerts test``: where its rows may come from, what it prints, and what it refuses."""

import asyncio
import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.commands.alerts.tested import built_in_alerts
from stream_app.commands.config import document as targets_document
from stream_app.errors import BadSettingsError, StreamAppError
from stream_app.model.intervals.columns import IntervalRow
from stream_app.store.redis import RedisStore
from stream_app.views import alerts
from tests.commands.published import publish
from tests.reference import traffic
from tests.services.command import run_command
from tests.views.alerts import past

MONDAY = 1_767_571_200
"""2026-01-05T00:00Z, in seconds."""
LENGTH = 40
RULES = """
[[rules]]
name = "Callers give up"
severity = "page"
all = [{ kpi = "abandonment", above = "10 %", clear = "5 %" }]

[[rules]]
name = "Sales only"
severity = "ticket"
queues = ["sales"]
hours = "always"
all = [{ kpi = "service_level", below = "target" }]

[[rules]]
name = "Of the north"
severity = "ticket"
sites = ["North"]
all = [{ kpi = "service_level", below = "target" }]

[[rules]]
name = "Waits"
severity = "page"
any = [
  { kpi = "oldest_waiting", above = "2m" },
  { kpi = "abandonment", above = 0.5, window = "5m" },
  { kpi = "csat", below = 0.5 },
]
"""
UNKNOWN = [
    "oldest_waiting is not in interval rows: it is known only at the moment itself",
    "abandonment over 5m is shorter than the rows, which are of 15 minutes",
    "csat is not in interval rows: they do not count csat_answers, csat_satisfied",
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Rules, rows and targets."""
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "targets.toml").write_text(past.TARGETS)
    past.export(tmp_path / "rows.ndjson", past.rows(MONDAY, LENGTH))
    return tmp_path


def run(*options: object) -> Result:
    return CliRunner().invoke(cli, ["alerts", "test", *map(str, options)])


def answers(*options: object) -> dict[str, dict[str, Any]]:
    done = run("--json", *options)
    assert done.exit_code == 0, done.output
    return {entry["name"]: entry for entry in json.loads(done.stdout)["rules"]}


def common(files: Path) -> list[object]:
    return ["--rules", files / "rules.toml", "--settings", files / "targets.toml"]


# --- what it says ---


def test_each_rule_is_counted_with_its_spans_and_what_can_not_be_known_is_named(files: Path) -> None:
    found = answers(*common(files), "--rows", files / "rows.ndjson")
    ours = found["Callers give up"]
    assert ours["fired"] == len(ours["firings"]) > 1
    assert ours["total_s"] == sum(one["seconds"] for one in ours["firings"]) > 0
    assert ours["longest_s"] == max(one["seconds"] for one in ours["firings"])
    assert {one["queue"] for one in ours["firings"]} == {"billing", "sales"}
    assert {one["queue"] for one in found["Sales only"]["firings"]} == {"sales"}
    assert found["Of the north"]["fired"] == 0 == found["Of the north"]["intervals_judged"]
    waits = found["Waits"]
    assert waits["not_judged"] == UNKNOWN
    assert (waits["fired"], waits["total_s"], waits["longest_s"]) == (None, None, None)


def test_a_site_is_that_of_the_targets(files: Path) -> None:
    text = (files / "targets.toml").read_text().replace("[queues.sales]", '[queues.sales]\nsite = "North"')
    (files / "targets.toml").write_text(text)
    found = answers(*common(files), "--rows", files / "rows.ndjson")
    assert found["Of the north"]["fired"] > 0
    assert {one["queue"] for one in found["Of the north"]["firings"]} == {"sales"}


def test_names_that_nothing_has_are_reported(files: Path) -> None:
    text = (files / "rules.toml").read_text().replace('queues = ["sales"]', 'queues = ["sales", "biling"]')
    (files / "rules.toml").write_text(text)
    done = run(*common(files), "--rows", files / "rows.ndjson")
    assert "alerts: Sales only: no row has the queue 'biling'; did you mean 'billing'?\n" in done.stderr
    assert "alerts: Of the north: no row has the site 'North'\n" in done.stderr
    assert done.stderr.count("no row has") == 2
    assert "no queue here is one of its" in done.stdout


def test_a_target_that_no_queue_has_is_named(files: Path) -> None:
    options = ["--rows", files / "rows.ndjson", "--rule", "BacklogOffTarget"]
    assert "nowhere: no queue has a target for it" in run(*options).stdout
    (files / "targets.toml").write_text("[defaults]\ntargets = { backlog = 1 }\n")
    entry = answers(*options, "--settings", files / "targets.toml")["BacklogOffTarget"]
    assert entry["fired"] > 0


def test_a_table_for_people(files: Path) -> None:
    done = run(
        *common(files),
        "--rows",
        files / "rows.ndjson",
        "--tz",
        "Europe/Berlin",
        "--rule",
        "Callers give up",
        "--rule",
        "Waits",
    )
    assert done.exit_code == 0
    entry = answers(*common(files), "--rows", files / "rows.ndjson")["Callers give up"]
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["rule", "severity", "fired", "in"]
    words = lines[1].split()
    assert words[:5] == ["Callers", "give", "up", "page", str(entry["fired"])]
    assert lines[2].split()[:6] == ["Waits", "page", *["–"] * 4]  # noqa: RUF001 - no data, not a minus
    assert "Sales only" not in done.stdout
    first = entry["firings"][0]
    berlin = f"{first['from'][:8]}05 {int(first['from'][11:13]) + 1:02}:{first['from'][14:19]}"
    assert berlin in done.stdout
    assert "in steps of 15 minutes: what lasted less is not seen" in done.stderr
    assert "2026-01-05 01:00 to 2026-01-05 11:00 Europe/Berlin" in done.stderr


def test_the_built_in_alerts_are_those_of_the_rule_files(files: Path) -> None:
    assert [alert.name for alert in built_in_alerts()] == [rule.name for rule in alerts.rules()]
    found = answers("--rows", files / "rows.ndjson")
    assert [*found] == [rule.name for rule in alerts.rules()]
    assert found["DataStale"]["fired"] is None
    assert "pipeline" in found["DataStale"]["not_judged"][0]
    # Weeks to compare with are missing: that is not known, and not none.
    assert found["ContactsStopped"]["fired"] is None
    assert "missing" in found["ContactsStopped"]["not_judged"][0]
    table = run("--rows", files / "rows.ndjson").stdout
    said = "About agents and the pipeline, on which interval rows say nothing: NobodyThere, "
    assert said in table


def test_contacts_that_stopped_are_found_by_the_weeks_before(tmp_path: Path) -> None:
    week = 672
    length = 2 * week

    def row(n: int, offered: int) -> IntervalRow:
        start = (MONDAY + n * past.QUARTER) * 1000
        return IntervalRow(
            start=start, minutes=15, queue="billing", channel="voice", offered=offered, final=True
        )

    quiet = range(week + 400, week + 408)
    past.export(tmp_path / "rows.ndjson", [row(n, 0 if n in quiet else 20) for n in range(length)])
    entry = answers("--rows", tmp_path / "rows.ndjson", "--rule", "ContactsStopped")["ContactsStopped"]
    (firing,) = entry["firings"]
    # Half an hour without anybody, and ten minutes of hold; over five minutes after more than three tenths came again.
    begun = MONDAY + (week + 402) * past.QUARTER + 600
    assert firing["seconds"] == 7 * past.QUARTER - 600 + 300
    assert firing["from"].startswith(f"{_utc(begun)}")
    assert entry["intervals_missing"] == week + 1


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at, tz=UTC).isoformat()


def test_what_still_fires_says_so_and_missing_rows_are_counted(files: Path) -> None:
    found = past.rows(MONDAY, LENGTH, missing=(20, 21))
    bad = [row for row in found if row.start < (MONDAY + 38 * past.QUARTER) * 1000]
    none = dict.fromkeys(("answered", "answered_in_target", "abandoned_short", "abandoned_in_target"), 0)
    worst = {"offered": 40, "abandoned": 40, **none}
    bad[-1] = structs.replace(bad[-1], **worst)
    bad[-2] = structs.replace(bad[-2], **worst)
    past.export(files / "rows.ndjson", bad)
    options = [*common(files), "--rows", files / "rows.ndjson", "--rule", "Callers give up"]
    entry = answers(*options)["Callers give up"]
    assert (
        entry["intervals_missing"] == 1 + 1 + 3
    )  # before the first two, and two that are missing from windows of two
    last = entry["firings"][-1]
    assert not last["over"]
    done = run(*options)
    assert "still firing" in done.stdout
    assert "not judged: 5 intervals with a missing row in the window" in done.stderr


def test_a_part_of_the_time_and_of_the_queues(files: Path) -> None:
    options = [*common(files), "--rows", files / "rows.ndjson", "--rule", "Callers give up"]
    every = answers(*options)["Callers give up"]["firings"]
    some = answers(
        *options, "--from", "2026-01-05T04:00Z", "--to", "2026-01-05T08:00Z", "--queue", "billing"
    )["Callers give up"]["firings"]
    assert 0 < len(some) < len(every)
    assert {one["queue"] for one in some} == {"billing"}
    assert all(one["to"] > "2026-01-05T04:00" and one["from"] < "2026-01-05T08:00" for one in some)


# --- where rows come from ---


@pytest.mark.slow
def test_exported_rows_and_the_recording_they_come_from_say_the_same(tmp_path: Path) -> None:
    recording = tmp_path / "day.ndjson"
    recording.write_bytes(b"".join(value + b"\n" for _, value, _ in traffic.traffic(3, 1_500, rate=0.1)))
    (tmp_path / "rules.toml").write_text(
        '[[rules]]\nname = "x"\nseverity = "page"\nhold = "0s"\n'
        'all = [{ kpi = "service_level", below = "target", minimum = 1 }]\n'
    )
    direct = answers("--rules", tmp_path / "rules.toml", "--direct", recording)
    assert direct["x"]["fired"] > 0
    for name in ("rows.csv", "rows.json"):
        CliRunner().invoke(cli, ["intervals", "--direct", str(recording), "--out", str(tmp_path / name)])
        assert answers("--rules", tmp_path / "rules.toml", "--rows", tmp_path / name) == direct


@pytest.mark.slow
async def test_rows_and_targets_in_redis_say_the_same_as_files(files: Path, redis_url: str) -> None:
    store = RedisStore(redis_url)
    await store.apply_targets(targets_document.read(files / "targets.toml"))
    await publish(store, past.rows(MONDAY, LENGTH))
    await store.close()

    def said(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ("alerts", "test", "--rules", files / "rules.toml", "--json")
        return run_command(*command, *arguments, env=os.environ | {"REDIS_URL": redis_url})

    found = await asyncio.to_thread(said, "--from", "2026-01-05T00:00Z", "--to", "2026-01-05T10:00Z")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["rules"][0]["fired"] > 0
    files_say = await asyncio.to_thread(said, *common(files), "--rows", files / "rows.ndjson")
    assert found.stdout == files_say.stdout
    nothing = await asyncio.to_thread(said, "--from", "2026-02-05T00:00Z", "--to", "2026-02-06T00:00Z")
    assert nothing.returncode == 1
    assert "there are no interval rows in the range" in nothing.stderr


# --- what is refused ---


BAD_OPTIONS = {
    "two sources": (
        ["--rows", "rows", "--direct", "day"],
        "--rows, --direct: rows come from one source; use one of them",
    ),
    "a file without --direct": (["day"], "day: add --direct to count recorded events"),
    "a dialect of rows": (
        ["--rows", "rows", "--dialect", "asterisk"],
        "--dialect: only works with --direct, which reads files",
    ),
    "a rule that is not there": (
        ["--rule", "AbandonmentOfTarget"],
        "--rule: unknown rule 'AbandonmentOfTarget'; did you mean 'AbandonmentOffTarget'?",
    ),
    "an unknown zone": (["--tz", "Mars"], "--tz: "),
    "an end before the beginning": (["--from", "2026-01-06Z", "--to", "2026-01-05Z"], "--from: "),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_wrong_options_are_refused(name: str) -> None:
    options, expected = BAD_OPTIONS[name]
    error = run(*options).exception
    assert isinstance(error, BadSettingsError)
    assert str(error).startswith(expected)


BAD_ROWS = {
    "half an hour": (
        "minutes",
        30,
        "minutes: expected rows of 15 minutes (stream-app intervals --interval 15m), got 30",
    ),
    "between two intervals": (
        "start",
        "2026-01-05T00:07:00+00:00",
        "start: expected a multiple of 15 minutes",
    ),
    "no answered": ("answered", None, "answered: is missing"),
    "less than nobody": ("offered", -1, "offered: expected a non-negative whole number, got -1"),
    "half a contact": ("offered", 1.5, "offered: expected a non-negative whole number, got 1.5"),
    "no truth": ("final", "maybe", "final: expected true or false, got 'maybe'"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_wrong_rows_are_refused_with_their_line(files: Path, name: str) -> None:
    field, value, expected = BAD_ROWS[name]
    path = files / "rows.ndjson"
    lines = path.read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | {field: value})
    path.write_text("\n".join(lines) + "\n")
    done = run("--rows", path)
    assert done.exit_code == 65
    assert done.stderr.startswith(f"stream-app: {path}:3: {expected}")


def test_a_row_that_is_there_twice_and_none_that_is_final(files: Path) -> None:
    path = files / "rows.ndjson"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1], lines[0]]))
    done = run("--rows", path)
    assert (done.exit_code, done.stderr) == (
        65,
        f"stream-app: {path}:3: start: repeats line 1: the same queue, channel and start\n",
    )
    path.write_text(json.dumps(json.loads(lines[0]) | {"final": False}))
    error = run("--rows", path).exception
    assert isinstance(error, StreamAppError)
    assert "none of 1 interval rows is final" in str(error)


@pytest.mark.slow
def test_a_wrong_file_of_rules_ends_with_one_line(tmp_path: Path) -> None:
    done = run_command("alerts", "test", "--rules", "none.toml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (78, "stream-app: none.toml: No such file or directory\n")
