"""``stream-app forecast`` as a process."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from stream_app.forecast.history import HistoryRow
from tests.forecast.world import World, before, moment
from tests.services.command import run_command

FORECAST = [sys.executable, "-m", "stream_app", "forecast"]
Done = subprocess.CompletedProcess[str]


def forecast(*options: object, stdin: str = "") -> Done:
    return run_command("forecast", *options, stdin=stdin)


def written(rows: Sequence[HistoryRow], queue: str = "billing", *, header: bool = True) -> str:
    text = "start,minutes,queue,channel,offered,handled,talk_s,hold_s,wrap_s,final\n" if header else ""
    return text + "".join(
        f"{row.start.isoformat()},{row.minutes},{queue},voice,{row.offered},{row.handled},{row.handle_s},0,0,true\n"
        for row in rows
    )


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two queues, the second too young to be forecast."""
    path = tmp_path_factory.mktemp("volumes") / "volumes.csv"
    old, young = (
        World(weeks=9, opens=8, closes=20).rows(),
        World(weeks=2, first=date(2025, 2, 24), seed=2).rows(),
    )
    path.write_text(written(old) + written(young, "sales", header=False))
    return path


def test_rows_of_outages_are_left_out_and_it_says_so(volumes: Path, tmp_path: Path) -> None:
    lines = volumes.read_text().splitlines()
    marked = [f"{line},{'carrier' if 5 < n < 10 else ''}" for n, line in enumerate(lines[1:])]
    path = tmp_path / "marked.csv"
    path.write_text("\n".join([f"{lines[0]},outage", *marked]) + "\n")
    done = forecast(path, "--interval", "30m", "--queue", "billing")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("in UTC; 4 rows of outages were left out\n")


def test_json_has_intervals_days_and_the_back_test(volumes: Path) -> None:
    done = forecast(volumes, "--interval", "30m", "--format", "json", "--back-test", "--queue", "billing")
    assert done.returncode == 0, done.stderr
    whole: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    assert {name: len(rows) for name, rows in whole.items()} == {
        "forecast": 14 * 48,
        "days": 14,
        "today": 0,
        "back_test": 3,
    }
    assert whole["forecast"][0] == {
        "start": "2025-03-10T00:00:00Z",
        "minutes": 30,
        "queue": "billing",
        "channel": "voice",
        "offered": 0.0,
        "low_80": 0,
        "high_80": 0,
        "low_95": 0,
        "high_95": 0,
        "aht_s": whole["forecast"][0]["aht_s"],
        "today": False,
        "aht_estimated": None,  # the file does not say
    }
    assert all(day["low_80"] <= day["offered"] <= day["high_80"] for day in whole["days"])
    assert [line["week"] for line in whole["back_test"]] == [1, 2, None]
    assert done.stderr == "forecast: 1 queue-channel, 2 weeks by 30 minutes in UTC\n"


def test_csv_says_the_same_and_names_who_was_refused(volumes: Path) -> None:
    done = forecast(volumes, "--interval", "30m", "--format", "csv", "--weeks", 1)
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    objects = json.loads(forecast(volumes, "--interval", "30m", "--format", "json", "--weeks", 1).stdout)[
        "forecast"
    ]
    assert len(rows) == len(objects) == 7 * 48
    for row, other in zip(rows, objects, strict=True):
        assert datetime.fromisoformat(row["start"]) == datetime.fromisoformat(other["start"])
        assert (float(row["offered"]), int(row["high_95"])) == (other["offered"], other["high_95"])
    assert done.stderr == (
        "stream-app: sales voice: a forecast needs 6 weeks of rows, found 2 (2025-02-24 to 2025-03-09)\n"
        "forecast: 1 queue-channel, 1 week by 30 minutes in UTC; 1 refused\n"
    )


def test_a_table_has_a_line_a_day_and_the_back_test(volumes: Path) -> None:
    done = forecast("-", "--interval", "30m", "--back-test", "--queue", "billing", stdin=volumes.read_text())
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].strip() == "billing voice"
    assert lines[2].startswith("Mon 10 Mar 2025")
    assert sum(" 2025 " in line for line in lines) == 14
    assert any(line.split()[:3] == ["billing", "voice", "all"] for line in lines)


def test_by_local_weeks_with_marked_days_and_a_picture(tmp_path: Path) -> None:
    world = World(
        weeks=9,
        first=date(2025, 2, 3),
        zone=ZoneInfo("Europe/Berlin"),
        opens=8,
        closes=20,
    )
    file, days, picture = tmp_path / "v.csv", tmp_path / "days.txt", tmp_path / "f.svg"
    file.write_text(written(world.rows()))
    days.write_text("2025-04-08=closed\n2025-04-09 # we do not know\n")
    marked = ("--tz", "Europe/Berlin", "--holidays", days, "--leave-out", "2025-03-04..2025-03-05")
    done = forecast(file, "--interval", "30m", "--format", "json", "--plot", picture, "--weeks", 1, *marked)
    assert done.returncode == 0, done.stderr
    by_day: dict[str, list[Any]] = {}
    for point in json.loads(done.stdout)["forecast"]:
        assert point["start"].endswith("+02:00")
        by_day.setdefault(point["start"][:10], []).append(point["offered"])
    assert set(by_day["2025-04-08"]) == {0.0}
    assert set(by_day["2025-04-09"]) == {None}
    assert by_day["2025-04-10"][15] == 0.0
    assert by_day["2025-04-10"][16] > 0
    ET.parse(picture)  # noqa: S314 - our own


def test_who_looks_sees_how_far_it_is(volumes: Path) -> None:
    ours, theirs = pty.openpty()
    command = [*FORECAST, str(volumes), "--interval", "30m"]
    environ = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environ) as process:
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # that is how a terminal ends
            while piece := os.read(ours, 1 << 16):
                seen += piece
        os.close(ours)
    assert process.returncode == 0
    assert b"reading" in seen
    assert b"sales voice" in seen
    assert seen.endswith(b"1 refused\r\n")


def test_many_dates_and_a_queue_with_brackets(volumes: Path) -> None:
    """More dates than a file's name may be long; and brackets are mark-up to the library that prints tables."""
    dates = ",".join(f"2026-{month:02}-{day:02}=closed" for month in range(1, 13) for day in range(1, 9))
    text = "".join(f"{line}\n" for line in volumes.read_text().splitlines() if ",sales," not in line)
    options = ("--interval", "30m", "--holidays", dates, "--back-test")
    done = forecast("-", *options, stdin=text.replace(",billing,", ",[bold]billing[/red],"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].strip() == "[bold]billing[/red] voice"
    assert any(line.startswith("[bold]billing[/red] voice  ") for line in done.stdout.splitlines())


def test_the_rest_of_today() -> None:
    rows = before(World(weeks=9, opens=8, closes=20).rows(), moment(date(2025, 3, 7), 12))
    done = forecast("-", "--interval", "30m", "--format", "json", stdin=written(rows))
    whole = json.loads(done.stdout)
    assert whole["forecast"][0]["start"] == datetime(2025, 3, 7, 12, tzinfo=UTC).isoformat().replace(
        "+00:00", "Z"
    )
    assert [(one["queue"], one["offered"] > 0, one["expected"] > 0) for one in whole["today"]] == [
        ("billing", True, True)
    ]
    assert [day["today"] for day in whole["days"]] == [True] + [False] * 14


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--tz", "Berlin"), 78, "--tz: unknown time zone 'Berlin'; use an IANA name"),
        (("--tz", "../etc/passwd"), 78, "--tz: unknown time zone '../etc/passwd'; use an IANA name"),
        (("--queue", "support"), 78, "--queue: 'support' is not in the file; its queues are billing, sales"),
        (
            ("--holidays", "christmas"),
            78,
            "--holidays:1: expected a date like 2026-12-25 or 2026-12-25=sunday, got 'christmas'",
        ),
        (
            ("--leave-out", "christmas"),
            78,
            "--leave-out: expected DATE..DATE like 2026-03-02..2026-03-04, or TIME..TIME",
        ),
        (("--plot", "forecast.png"), 78, "--plot: expected a file that ends in .svg, got forecast.png"),
        (("--plot", "no/such/folder.svg"), 78, "--plot: folder not found: no/such"),
        (("--interval", "15m"), 78, "--interval: rows of 30 minutes don't fit into intervals of 15"),
        (
            ("--queue", "sales", "--interval", "30m"),
            1,
            "sales voice: a forecast needs 6 weeks of rows, found 2",
        ),
        (("--weeks", "7"), 2, "--weeks"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    volumes: Path, options: tuple[str, ...], code: int, said: str
) -> None:
    done = forecast(volumes, *options)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_wrong_ends_it_with_65_and_nothing_is_printed(volumes: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(volumes.read_text() + "2025-03-10T00:00:00Z,30,sales,voice,-3,,,,,\n")
    line = wrong.read_text().count("\n")
    for path, said in (
        (wrong, f"stream-app: {wrong}:{line}: offered: expected a non-negative whole number, got '-3'\n"),
        (tmp_path / "none.csv", f"stream-app: {tmp_path / 'none.csv'}: No such file or directory\n"),
    ):
        done = forecast(path, "--interval", "30m")
        assert (done.returncode, done.stdout, done.stderr) == (65, "", said)


def test_parquet_is_not_read_and_what_to_do_is_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1\x15\x04\x15\xff\xfePAR1")
    done = forecast(path)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == (
        f"stream-app: {path}:1: Parquet files are not supported; export the rows with --format csv\n"
    )


@pytest.mark.parametrize("missing", ["statsforecast", "numpy", "scipy"])
def test_without_the_extra_one_line_says_how_to_install_it(volumes: Path, missing: str) -> None:
    """An entry of None is Python's own way to say that a module can't be imported."""
    code = f"import sys; sys.modules['{missing}'] = None; from stream_app.__main__ import main; main()"
    command = [sys.executable, "-c", code, "forecast", str(volumes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (78, "")
    said = r"stream-app: forecast needs \w+(\.\w+)?; install it: pip install '\.\[forecast\]' in a checkout of stream-app\n"
    assert re.fullmatch(said, done.stderr)


def test_help_needs_no_library() -> None:
    code = "import sys; sys.modules['numpy'] = None; from stream_app.__main__ import main; main()"
    command = [sys.executable, "-c", code, "forecast", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0
    assert "--back-test" in done.stdout
