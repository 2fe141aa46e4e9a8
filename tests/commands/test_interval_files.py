"""What ``intervals`` writes of recorded files: which rows there are, which are final, and that planners' commands read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from tests.commands.test_intervals import event


def run(command: str, *options: object) -> Result:
    return CliRunner().invoke(cli, [command, *map(str, options)])


def rows(*options: object) -> list[dict[str, Any]]:
    done = run("intervals", "--direct", *options, "--format", "json")
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def call(name: str, at: str, queue: str = "desk", **rest: object) -> str:
    """One contact that waits for 10 seconds and takes three minutes; ``at`` is hours and minutes."""
    answer = event("answered", name, f"{at}:10", agent="a")
    if rest.get("channel", "voice") != "voice":  # where people write, a message answers
        answer = answer.replace("contact.answered", "message.sent")
    return (
        event("queued", name, f"{at}:00", queue=queue, **rest)
        + answer
        + event("ended", name, f"{at}:10", talk_s=180)
        + event("wrapped", name, f"{at}:10", wrap_s=0)
    )


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(lines))
    return path


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """An agent comes at 08:02; calls to the desk from 08:20 on, and to sales, by voice and in writing, from 09:20 to 10:05."""
    comes = {
        "id": "a",
        "type": "agent.state",
        "agent": "a",
        "state": "available",
        "at": "2026-01-05T08:02:00Z",
    }
    return written(
        tmp_path / "day.ndjson",
        json.dumps(comes) + "\n",
        *(call(f"d{n}", f"08:{n}") for n in range(20, 40)),
        call("s1", "09:20", "sales"),
        call("s2", "09:21", "sales", channel="messaging"),
        call("s3", "10:05", "sales"),
    )


# --- which rows there are ---


def test_every_queue_has_zeros_from_the_first_stamp_on_and_nothing_before(day: Path) -> None:
    found = rows(day)
    starts: dict[tuple[str, str], list[str]] = {(row["queue"], row["channel"]): [] for row in found}
    for row in found:
        starts[row["queue"], row["channel"]].append(row["start"][11:16])
    hours = [f"{8 + n // 4:02}:{n % 4 * 15:02}" for n in range(9)]
    assert starts == dict.fromkeys([("desk", "voice"), ("sales", "messaging"), ("sales", "voice")], hours)
    assert [row["offered"] for row in found if row["queue"] == "desk"] == [0, 10, 10, 0, 0, 0, 0, 0, 0]
    assert {row["final"] for row in found} == {True}


def test_a_range_has_every_queue_as_far_as_the_file_reaches(day: Path) -> None:
    def asked(begin: str, end: str) -> list[str]:
        return [
            row["start"][11:16]
            for row in rows(day, "--from", begin, "--to", end, "--queue", "sales", "--channel", "voice")
        ]

    assert asked("2026-01-05T08:30Z", "2026-01-05T09:00Z") == ["08:30", "08:45"]  # before its first call
    assert asked("2026-01-04", "2026-01-05T08:30Z") == ["08:00", "08:15"]
    assert asked("2026-01-05T10:00Z", "2026-01-07") == ["10:00"]


@pytest.mark.parametrize("stamp", ["1999-01-05T08:00:00Z", "2101-01-05T08:00:00Z"])
def test_a_clock_that_was_wrong_makes_no_years_of_zeros(tmp_path: Path, stamp: str) -> None:
    wrong = {"id": "w", "type": "agent.state", "agent": "a", "state": "available", "at": stamp}
    lines = [json.dumps(wrong) + "\n", call("d1", "08:20")]
    found = rows(written(tmp_path / "f", *(lines if stamp < "2026" else reversed(lines))))
    assert sum(row["offered"] for row in found) == 1
    assert len(found) <= 2 * (1 + 35 * 96)


# --- which are final ---


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("15m", [(0, True)] * 9),
        ("30m", [(0, True)] * 4 + [(1, False)]),
        ("1h", [(0, True)] * 2 + [(3, False)]),
        ("1d", [(96 - 9, False)]),
    ],
)
def test_a_row_that_the_files_cover_in_part_is_not_final(
    day: Path, interval: str, expected: list[tuple[int, bool]]
) -> None:
    """It counts what came while somebody wrote it down: nobody knows what the rest of it was."""
    found = [row for row in rows(day, "--interval", interval) if row["queue"] == "desk"]
    assert [(row["missing"], row["final"]) for row in found] == expected


def test_no_other_program_imports_a_row_that_is_covered_in_part(day: Path) -> None:
    done = run("intervals", "--direct", day, "--interval", "30m", "--format", "genesys")
    assert "T09:30:00Z,sales" in done.stdout
    assert "T10:00:00Z" not in done.stdout
    assert "left out for genesys: 3 not final, 0 of outages, 0 of other queues" in done.stderr


# --- who reads them ---


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize(("interval", "partial"), [("15m", 0), ("30m", 3), ("1h", 3)])
def test_rows_of_up_to_an_hour_are_planned(
    day: Path, tmp_path: Path, interval: str, partial: int, form: str
) -> None:
    out = tmp_path / f"rows.{form}"
    assert run("intervals", "--direct", day, "--interval", interval, "--out", out).exit_code == 0
    done = run("staffing", out, "--format", "json")
    assert done.exit_code == 0, done.output
    plan = json.loads(done.stdout)
    assert sum(row["offered"] for row in plan if row["queue"] == "desk") == 20
    assert {row["minutes"] for row in plan} == {{"15m": 15, "30m": 30, "1h": 60}[interval]}
    assert (f"rows that are not final: {partial}; they were skipped" in done.stderr) == bool(partial)


def test_days_are_refused_where_somebody_waits_and_planned_where_work_can_wait(tmp_path: Path) -> None:
    days = [event("queued", "z", "00:00:00", queue="z"), event("queued", "y", "23:59:00", queue="z")]
    for channel, code in (("voice", 65), ("email", 0)):
        lines = [days[0], call("a", "09:00", channel=channel), days[1]]
        log = written(
            tmp_path / channel,
            *(line.replace('"queue": "z"', '"queue": "desk", "channel": "email"') for line in lines),
        )
        out = tmp_path / f"{channel}.csv"
        assert run("intervals", "--direct", log, "--interval", "1d", "--out", out).exit_code == 0
        done = run("staffing", out, "--aht", "180s")
        assert done.exit_code == code, done.output
        if code:
            assert re.search(
                r"voice.csv:\d: minutes: expected at most 60 .* got 1440: .*--interval 15m, 30m or 1h",
                done.stderr,
            )


@pytest.mark.parametrize("form", ["connect", "genesys"])
@pytest.mark.parametrize("command", ["staffing", "forecast"])
def test_an_import_file_is_refused_with_the_map_that_reads_it(
    day: Path, tmp_path: Path, form: str, command: str
) -> None:
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    run("intervals", "--direct", day, "--out", ours)
    run("intervals", "--direct", day, "--format", form, "--out", theirs)
    done = run(command, theirs)
    assert done.exit_code == 65
    assert (
        f"{theirs}:1: expected interval rows (start, minutes, queue, channel, offered), got an import"
        in done.stderr
    )
    found = re.search(r"--map '([^']+)'", done.stderr)
    assert found is not None
    again = run(command, theirs, "--map", found[1], *(("--format", "json") if command == "staffing" else ()))
    if command == "forecast":
        assert "a forecast needs 6 weeks of rows" in again.stderr  # it is read, and is a day
        return
    plan = {(row["queue"], row["channel"], row["start"]): row for row in json.loads(again.stdout)}
    for row in json.loads(run("staffing", ours, "--format", "json").stdout):
        if form == "genesys" or row["channel"] == "voice":  # the only one of these that Connect knows
            same = plan[row["queue"], row["channel"], row["start"]]
            assert (same["offered"], same["required"]) == (row["offered"], row["required"])
