"""``stream-app columns``, and the way from a list to staffing, as processes."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from tests.ingest.lists import BEGIN, WORDS, Meant, contacts, shape, written
from tests.services.command import run_command

Done = subprocess.CompletedProcess[str]
LIST = "Call ID,Start,Skill,Agent,Result,Wait,Talk,ACW\n"
ROWS = (
    "1,15/01/2026 09:00:05,Billing,Ann,Answered,0:12,3:25,30\n"
    "2,15/01/2026 09:01:00,Billing,,Abandoned,0:45,,\n"
)


def run(*words: object, environ: dict[str, str] | None = None) -> Done:
    return run_command(*words, env=environ or {})


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text(LIST + ROWS)
    return path


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Meant]]:
    """Eight weeks of two queues, by day."""
    chance = Random(11)
    meant: list[Meant] = []
    for day in range(56):
        some = contacts(chance, 60, BEGIN + timedelta(days=day - 2), 600)
        meant += [c._replace(id=f"{day}-{c.id}") for c in some]
    of = shape(Random(5))._replace(
        zone="Europe/Berlin",
        order="oldest",
        times="%d/%m/%Y|%I:%M:%S %p",
        queued=("Date", "Time"),
        words=WORDS[0],
    )
    path = tmp_path_factory.mktemp("weeks") / "calls.csv"
    path.write_bytes(written(meant, of._replace(answered=None, ended=None, wait="Wait Time")))
    return path, meant


# --- what it shows ---


def test_ten_rows_are_shown_as_they_are_understood(listed: Path) -> None:
    done = run("columns", listed, "--zone", "Europe/Berlin")
    assert done.returncode == 0
    assert re.search(r"queued +Start\b", done.stdout)
    assert re.search(
        r"2 +Thu 15 Jan 2026 09:00:05 +Billing +voice +answered +12 s +205 s +\u2013 +30 s +Ann +1\b",
        done.stdout,
    )
    assert "2 rows: 2 contacts" in done.stdout
    assert "outcomes: answered 1, abandoned 1" in done.stdout
    assert done.stderr.startswith("columns: write the map with -o: stream-app columns ")


@pytest.mark.parametrize(
    ("row", "asked", "answer"),
    [
        (
            "3,05/01/2026 09:00,q,,Zonk,5,,",
            "? what does the outcome 'Zonk' mean (1 row)?",
            ["--outcome", "Zonk=abandoned"],
        ),
        ("3,05/01/2026 09:00,,,Answered,5,5,5", "bad: line 4: Skill: is empty", []),
    ],
)
def test_what_the_file_does_not_tell_is_asked_for(
    listed: Path, row: str, asked: str, answer: list[str]
) -> None:
    listed.write_text(f"{LIST}{ROWS}{row}\n")
    done = run("columns", listed, "--zone", "UTC", "-o", listed.parent / "map.toml")
    assert asked in done.stdout
    if answer:
        assert (done.returncode, (listed.parent / "map.toml").exists()) == (65, False)
        assert done.stderr.endswith(
            f"question above to answer first; {listed.parent / 'map.toml'} was not written\n"
        )
    assert run("columns", listed, "--zone", "UTC", *answer, "-o", listed.parent / "map.toml").returncode == 0


def test_days_and_months_are_asked_for_and_the_answer_is_written(listed: Path) -> None:
    listed.write_text((LIST + ROWS).replace("15/01", "05/01"))
    done = run("columns", listed)
    assert done.returncode == 65
    assert "may be day/month or month/day" in done.stdout
    assert "answer --dates day-first or --dates month-first" in done.stdout
    answered = run("columns", listed, "--dates", "month-first", "-o", listed.parent / "m.toml")
    assert "Fri 01 May 2026 09:00:05" in answered.stdout
    assert tomllib.loads((listed.parent / "m.toml").read_text())["dates"] == "month-first"


def test_a_zone_is_asked_for_and_a_list_without_queue_gets_one(listed: Path) -> None:
    listed.write_text((LIST + ROWS).replace("Skill,", "").replace("Billing,", ""))
    done = run("columns", listed)
    assert "? which column has the queue?" in done.stdout
    done = run("columns", listed, "--queue", "sales", "-o", listed.parent / "m.toml")
    assert (
        "! times have no offset; above they are read as UTC. Answer with their zone: --zone " in done.stdout
    )
    assert done.returncode == 0
    assert tomllib.loads((listed.parent / "m.toml").read_text())["queue"] == "=sales"


def test_a_word_that_may_mean_something_else_is_named(listed: Path) -> None:
    listed.write_text((LIST + ROWS).replace("Abandoned", "Missed"))
    done = run("columns", listed)
    assert "! the outcome 'Missed' (1 row) is taken for abandoned." in done.stdout
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-"], 78, "-: the list is read twice"),
        (
            ["FILE", "--outcome", "Zonk=maybe"],
            78,
            "--outcome: expected WORD=MEANING: outcomes: 'Zonk': expected one of ",
        ),
        (["FILE", "--zone", "Berlin"], 78, "--zone: unknown time zone 'Berlin'"),
        (["FILE", "--map", "queud=x"], 78, "--map: unknown field 'queud'; did you mean 'queued'?"),
        (["FILE", "-o", "/nowhere/map.toml"], 78, "--out: /nowhere/map.toml: No such file"),
        (["FILE", "--map", "queue=Nope"], 65, "FILE:1: the header lacks the column 'Nope'"),
        (["missing.csv"], 65, "missing.csv: No such file or directory"),
    ],
)
def test_a_wrong_option_or_file_is_one_line(listed: Path, words: list[str], code: int, said: str) -> None:
    done = run("columns", *[str(listed) if word == "FILE" else word for word in words])
    assert done.returncode == code
    assert done.stderr.splitlines()[-1].startswith(f"stream-app: {said.replace('FILE', str(listed))}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("Call report\nof January\n\n" + LIST + ROWS, "the header may be line 4: tail -n +4 FILE > list.csv"),
    ],
)
def test_a_file_without_a_header_is_refused(listed: Path, text: str, said: str) -> None:
    listed.write_text(text)
    done = run("columns", listed)
    assert done.returncode == 65
    assert said in done.stderr


def test_texts_of_the_file_are_shown_and_written_as_they_are(listed: Path) -> None:
    """What looks like markup or like TOML is neither."""
    listed.write_text((LIST + ROWS).replace("Billing", "[red]x[/red]").replace("Skill", '"Sk\\""""ill"'))
    done = run("columns", listed, "-o", listed.parent / "m.toml")
    assert "[red]x[/red]" in done.stdout
    assert tomllib.loads((listed.parent / "m.toml").read_text())["queue"] == 'Sk\\""ill'


def test_the_guide_shows_what_is_printed(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "call-lists.md").read_text()
    example, shown, columns = (
        re.findall(rf"^```{kind}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0]
        for kind in ("csv", "text", "toml")
    )
    path, written_map = tmp_path / "calls.csv", tmp_path / "map.toml"
    path.write_text(example)
    done = run("columns", path)
    assert [line.rstrip() for line in done.stdout.splitlines()] == shown.splitlines()
    assert run("columns", path, "--zone", "Europe/Berlin", "-o", written_map).returncode == 0
    assert written_map.read_text() == columns


# --- one map for three commands ---


def test_from_a_list_to_staffing(weeks: tuple[Path, list[Meant]], tmp_path: Path) -> None:
    """What the guide says, and both ways to the volumes count the same."""
    path, meant = weeks
    columns = tmp_path / "map.toml"
    done = run("columns", path, "--zone", "Europe/Berlin", "-o", columns)
    assert done.returncode == 0, done.stdout
    assert f"{len(meant):,} rows: {len(meant):,} contacts" in done.stdout

    rows = tmp_path / "rows.csv"
    name, *following = shlex.split(
        done.stderr.strip().rpartition("; next: ")[2].replace("rows.csv", str(rows))
    )
    assert name == "stream-app"
    assert run(*following).returncode == 0
    with rows.open(newline="") as file:
        offered = Counter({(r["start"], r["queue"]): int(r["offered"]) for r in csv.DictReader(file)})
    by_quarter = Counter((c.queued.timestamp() // 900, c.queue) for c in meant)
    assert {
        (datetime.fromisoformat(start).timestamp() // 900, queue): n
        for (start, queue), n in offered.items()
        if n
    } == by_quarter

    same = ("--tz", "Europe/Berlin", "--format", "json")
    path.write_bytes(
        path.read_bytes() + path.read_bytes().splitlines()[-1].replace(b"2026", b"20x6") + b"\r\n"
    )
    listed = run("forecast", path, "--calls", "--map", columns, *same[2:])  # the zone is in the map
    assert "is not a contact" in listed.stderr.splitlines()[-1]
    counted = run("forecast", rows, *same)
    assert (listed.returncode, counted.returncode) == (0, 0), listed.stderr
    first, second = json.loads(listed.stdout)["forecast"], json.loads(counted.stdout)["forecast"]
    assert {(row["start"], row["queue"]) for row in first} == {(row["start"], row["queue"]) for row in second}
    by_day = [sum(row["offered"] or 0 for row in found) for found in (first, second)]
    assert by_day[0] == pytest.approx(by_day[1], rel=0.02)

    plan = tmp_path / "plan.json"
    plan.write_text(listed.stdout)
    staffed = run("staffing", plan, "--by", "week")
    assert staffed.returncode == 0
    assert "Billing (voice)" in staffed.stdout


def test_inline_and_in_a_file_a_map_means_the_same(listed: Path, tmp_path: Path) -> None:
    columns = tmp_path / "map.toml"
    assert run("columns", listed, "--zone", "Asia/Tokyo", "-o", columns).returncode == 0
    inline = "id=Call ID,start=Start,queue=Skill,agent=Agent,outcome=Result,wait=Wait,talk=Talk,wrap=ACW,zone:=Asia/Tokyo"
    reports = [
        run("replay", "--direct", "--report", listed, "--map", text).stdout for text in (columns, inline)
    ]
    assert reports[0] == reports[1] != ""
    [row] = json.loads(reports[0])
    assert (row["offered"], row["answered"], row["abandoned"], row["talk_s"]) == (2, 1, 1, 205)


def test_the_last_line_says_what_mends_bad_rows(listed: Path, tmp_path: Path) -> None:
    listed.write_text(f"{LIST}{ROWS}3,15/01/2026 09:02,Billing,Ann,Zonk,5,5,5\n")
    columns = "id=Call ID,start=Start,queue=Skill,outcome=Result,wait=Wait,talk=Talk"
    wrong = run("replay", "--direct", "--report", listed, "--map", columns)
    assert wrong.returncode == 0
    assert f"{listed}:4: invalid: Result: unknown outcome 'Zonk'" in wrong.stderr
    last = wrong.stderr.splitlines()[-1]
    assert last.startswith(
        "replay: outcomes of unknown meaning: 'Zonk' (1); say what they mean, for example: "
    )
    found = (
        last.partition("for example: ")[2]
        .partition(", and use --map")[0]
        .replace("map.toml", str(tmp_path / "m"))
    )
    name, *again = shlex.split(found)
    assert (name, run(*again).returncode) == ("stream-app", 0)
    mended = run("replay", "--direct", "--report", listed, "--map", tmp_path / "m", "--strict")
    assert (mended.returncode, json.loads(mended.stdout)[0]["abandoned"]) == (0, 2)


def test_a_list_is_counted_into_redis_once_and_grows(listed: Path, redis_url: str) -> None:
    known = {"REDIS_URL": redis_url}
    day = datetime.now(UTC).strftime("%d/%m/%Y")
    lines = [f"{n},{day} 00:0{n}:00,Billing,Ann,Answered,0:12,0:25,3\n" for n in range(1, 6)]
    counts = []
    for some in (lines[:3], lines[:3], lines):
        listed.write_text(LIST + "".join(some))
        done = run(
            *("replay", "--direct", listed, "--map"),
            "start=Start,queue=Skill,outcome=Result,wait=Wait,talk=Talk,dates:=day-first",
            environ=known,
        )
        assert done.returncode == 0, done.stderr
        counts.append(re.sub(r"in [\d.]+ s \([\d,]+/s\): ", "", done.stderr.splitlines()[0]))
    assert counts == [
        "replay: 3 records read applied 3",
        "replay: 3 records read 3 counted before",
        "replay: 5 records read 3 counted before, applied 2",
    ]
    listed.write_text(LIST + lines[3] + lines[0].replace(day, "01/01/2020") + lines[2])
    refused = run(
        "replay",
        "--direct",
        listed,
        "--map",
        "start=Start,queue=Skill,outcome=Result,dates:=day-first",
        environ=known,
    )
    assert refused.returncode == 65
    assert "sort them by 'Start', the oldest or the newest first" in refused.stderr
