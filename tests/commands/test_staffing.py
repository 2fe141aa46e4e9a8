"""``stream-app staffing``: files in, a plan out, and whose fault it is by the exit code."""

from __future__ import annotations

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.services.command import run_command

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "staffing.md").read_text()
Done = subprocess.CompletedProcess[str]

VOLUMES = """\
start,minutes,queue,channel,offered,handled,talk_s,hold_s,wrap_s,patience_s
2026-01-05T09:00:00+01:00,30,billing,voice,100,98,14700,980,1960,120
2026-01-05T09:30:00+01:00,30,billing,voice,130,120,18000,1200,2400,120
2026-01-05T09:00:00+01:00,30,billing,email,12,10,6000,0,600,
"""
SCHEDULE = """\
group,people,start,end,tz,activity,queue,channel
day,18,2026-01-05T09:00,2026-01-05T10:00,Europe/Berlin,contacts,billing,voice
"""


def staffing(*options: object, stdin: str = "") -> Done:
    return run_command("staffing", *options, stdin=stdin, env={"COLUMNS": "120"})


def rows(done: Done) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    path = tmp_path / "volumes.csv"
    path.write_text(VOLUMES)
    return path


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    path = tmp_path / "schedule.csv"
    path.write_text(SCHEDULE)
    return path


def test_who_is_required(volumes: Path) -> None:
    found = rows(staffing(volumes, "--format", "json"))
    assert [(r["channel"], r["start"], r["required"], r["to_schedule"]) for r in found] == [
        ("email", "2026-01-05T09:00:00+01:00", 5, 8),
        ("voice", "2026-01-05T09:00:00+01:00", 13, 19),
        ("voice", "2026-01-05T09:30:00+01:00", 15, 22),
    ]
    assert [r["gap"] for r in found] == [None] * 3


def test_what_the_schedule_reaches(volumes: Path, schedule: Path) -> None:
    found = rows(staffing(volumes, "--schedule", schedule, "--format", "json"))
    voice = [r for r in found if r["channel"] == "voice"]
    assert [(r["scheduled"], r["gap"]) for r in voice] == [(18, -1), (18, -4)]
    assert all(r["service_level"] < 0.9 for r in voice)
    assert voice[0]["service_level"] > voice[1]["service_level"]


def test_csv_json_and_table_say_the_same(volumes: Path, schedule: Path) -> None:
    options = (volumes, "--schedule", schedule, "--format")
    as_json = rows(staffing(*options, "json"))
    as_csv = list(csv.DictReader(staffing(*options, "csv").stdout.splitlines()))
    assert [list(row) for row in as_csv] == [list(row) for row in as_json]
    for one, other in zip(as_csv, as_json, strict=True):
        assert one == {key: "" if value is None else str(value) for key, value in other.items()}
    table = staffing(*options, "table").stdout
    assert "billing (voice): 20.5 hours to schedule" in table
    for row in as_json:
        assert f"{row['start']} " in table
        assert f"{row['service_level']:.1%}" in table


def test_standard_input_and_another_zone(schedule: Path) -> None:
    found = rows(
        staffing("-", "--schedule", schedule, "--tz", "America/New_York", "--format", "json", stdin=VOLUMES)
    )
    assert [r["start"] for r in found][:2] == ["2026-01-05T03:00:00-05:00"] * 2
    assert found[1]["scheduled"] == 18


def test_the_zone_is_also_that_of_the_schedule_s_bare_times(volumes: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text(SCHEDULE.replace("Europe/Berlin", ""))
    found = rows(staffing(volumes, "--schedule", bare, "--tz", "Europe/Berlin", "--format", "json"))
    assert found[1]["scheduled"] == 18


def test_the_options_change_what_they_say(volumes: Path, tmp_path: Path) -> None:
    def required(*options: object) -> int:
        found = rows(staffing(volumes, "--format", "json", *options))
        return int(found[1]["required"])

    targets = tmp_path / "targets.toml"
    targets.write_text("[queues.billing]\ntargets = { service_level = 0.97 }\n")
    usual = required()
    assert required("--model", "erlang-c") > usual
    assert required("--targets", targets) > usual
    assert required("--occupancy", 0.5) == 20
    assert required("--asa", "1s") > usual
    assert required("--shrinkage", 0) == usual
    assert rows(staffing(volumes, "--format", "json", "--shrinkage", 0))[1]["to_schedule"] == usual
    assert rows(staffing(volumes, "--format", "json", "--deferred", "voice"))[1]["model"] == "deferred"


def test_two_chats_at_once(tmp_path: Path) -> None:
    chats = tmp_path / "chats.csv"
    chats.write_text(VOLUMES.replace("voice", "chat"))
    one, two = (rows(staffing(chats, "--format", "json", "--concurrency", n))[0] for n in (1, 2))
    assert two["required"] == -(-one["required"] // 2)


def test_what_was_assumed_and_what_nobody_knows_is_said(tmp_path: Path, schedule: Path) -> None:
    blind = tmp_path / "blind.csv"
    blind.write_text(VOLUMES.replace(",120\n", ",\n").replace("12,10,6000,0,600", "12,0,0,0,0"))
    schedule.write_text(SCHEDULE.replace("billing", "biling"))
    done = staffing(blind, "--schedule", schedule, "--format", "json")
    assert done.returncode == 1  # a plan with holes
    assert done.stderr.splitlines() == [
        "stream-app: biling (voice) is in the schedule, but not in the volumes",
        (
            "stream-app: billing (email) has no handle time in any row, so it has no plan; provide one with --aht 300s, "
            "or in a column aht_s"
        ),
        "stream-app: queues with rows without patience_s: 1; 120 s was assumed for them",
    ]
    assert json.loads(done.stdout)[0]["required"] is None


def test_a_bad_file_is_one_line_and_exit_code_65(volumes: Path, schedule: Path) -> None:
    volumes.write_text(VOLUMES.replace("130", "many"))
    done = staffing(volumes)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == (
        f"stream-app: {volumes}:3: offered: expected a non-negative number like 12 or 12.5, got 'many'\n"
    )
    schedule.write_text(SCHEDULE.replace("T10:00", "T08:00"))
    done = staffing("-", "--schedule", schedule, stdin=VOLUMES)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr.startswith(f"stream-app: {schedule}:2: end: ")
    done = staffing("-", stdin=VOLUMES.replace("queue", "quue"))
    assert (done.returncode, done.stderr) == (
        65,
        "stream-app: -:1: queue: the column is missing; is it 'quue'? (--map 'queue=quue')\n",
    )


def test_a_misspelt_column_of_the_schedule_is_refused_as_one_of_the_volumes_is(
    volumes: Path, schedule: Path
) -> None:
    schedule.write_text(SCHEDULE.replace("people", "peopel"))
    done = staffing(volumes, "--schedule", schedule)
    assert (done.returncode, done.stdout) == (65, "")
    said = "peopel: unknown field; did you mean 'people'?"
    assert done.stderr == f"stream-app: {schedule}:2: {said}\n"


def test_columns_of_the_schedule_have_a_map_of_their_own_and_errors_name_it(
    volumes: Path, schedule: Path
) -> None:
    same = staffing(volumes, "--schedule", schedule, "--format", "csv")
    schedule.write_text(SCHEDULE.replace("activity", "Activity"))
    refused = staffing(volumes, "--schedule", schedule)
    said = "activity: the column is missing; is it 'Activity'? (--schedule-map 'activity=Activity')"
    assert (refused.returncode, refused.stderr) == (65, f"stream-app: {schedule}:1: {said}\n")
    done = staffing(volumes, "--schedule", schedule, "--schedule-map", "activity=Activity", "--format", "csv")
    assert (done.returncode, done.stdout) == (same.returncode, same.stdout) == (0, same.stdout)


def test_a_schedule_of_icalendar_is_read_with_the_properties_that_are_named(
    volumes: Path, tmp_path: Path
) -> None:
    calendar = tmp_path / "team.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20260105T080000Z\r\nDTEND:20260105T090000Z\r\n"
        "SUMMARY:Early\r\nLOCATION:billing\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    words = ("--schedule", calendar, "--schedule-map", "queue=LOCATION", "--format", "json")
    found = rows(staffing(volumes, *words))
    assert {row["scheduled"] for row in found if row["channel"] == "voice"} == {1}


def test_a_channel_to_defer_that_no_row_has_is_said(volumes: Path) -> None:
    done = staffing(volumes, "--deferred", "fax", "--deferred", "voice")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        "stream-app: --deferred: no row has the channel 'fax'; use one of email, voice"
    )
    assert "emai" not in staffing(volumes, "--deferred", "email").stderr
    assert "'emial'; did you mean 'email'?" in staffing(volumes, "--deferred", "emial").stderr
    voice = VOLUMES[: VOLUMES.rindex("2026")]
    assert "--deferred" not in staffing("-", stdin=voice).stderr  # nobody asked for the usual ones


def test_parquet_is_not_read_and_what_to_do_is_said(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1\x15\x04\x15\xff\xfePAR1")
    done = staffing(path)
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr == (
        f"stream-app: {path}:1: Parquet files are not supported; export the rows with --format csv\n"
    )


@pytest.mark.parametrize("options", [["--occupancy", "2"], ["--shrinkage", "1"], ["--model", "b"], ["--no"]])
def test_an_option_out_of_range_is_exit_code_2_and_the_page_has_it(volumes: Path, options: list[str]) -> None:
    done = staffing(volumes, *options)
    assert (done.returncode, done.stdout) == (2, "")
    for page in (PAGE, (DOCS / "forecast.md").read_text()):
        assert "| 2 | an option is unknown, or its value is out of range |" in page


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = staffing(tmp_path / "none.csv")
    assert (done.returncode, done.stderr) == (
        65,
        f"stream-app: {tmp_path / 'none.csv'}:1: No such file or directory\n",
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--tz", "Berlin"], "--tz: unknown time zone 'Berlin'; use an IANA name like Europe/Berlin"),
        (["--patience", "soon"], "--patience: invalid duration 'soon'; use e.g. 90s or 2m"),
        (["--patience", "0"], "--patience: invalid duration '0'; use e.g. 90s or 2m"),
        (["--asa", "-3s"], "--asa: invalid duration '-3s'; use e.g. 90s or 2m"),
        (
            ["--targets", "none.toml"],
            "--targets: none.toml: No such file or directory",
        ),
        (["--schedule", "-"], "-: standard input can be read only once"),
        (
            ["--schedule", "s.csv", "--gaps", "--by", "week"],
            "--gaps: has no totals; leave out --by week, or --gaps",
        ),
        (["--schedule-map", "who=Agent"], "--schedule-map: needs --schedule FILE, whose columns it names"),
        (
            ["--schedule", "s.csv", "--schedule-map", "who"],
            (
                "--schedule-map: who: No such file or directory; use FIELD=COLUMN, or the path of a file that stream-app "
                "columns wrote"
            ),
        ),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_78(options: list[str], line: str) -> None:
    done = staffing("-", *options, stdin=VOLUMES)
    assert (done.returncode, done.stdout, done.stderr) == (78, "", f"stream-app: {line}\n")


def test_a_target_that_nobody_reaches_is_exit_code_78(volumes: Path, tmp_path: Path) -> None:
    targets = tmp_path / "targets.toml"
    targets.write_text("[queues.billing]\ntargets = { service_level = 1.0 }\n")
    done = staffing(volumes, "--targets", targets)
    assert done.returncode == 78
    assert done.stderr.startswith(
        "stream-app: billing (voice): service_level: expected at least 0 and less than 1"
    )


def test_help_says_what_goes_in() -> None:
    done = staffing("-h")
    assert done.returncode == 0
    for word in ("--schedule", "--shrinkage", "--concurrency", "patience_s", "docs/staffing.md"):
        assert word in done.stdout


# --- docs/staffing.md ---


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_worked_example_of_the_page_is_what_the_command_prints(tmp_path: Path) -> None:
    volumes, schedule = blocks("csv")
    (tmp_path / "volumes.csv").write_text(volumes)
    (tmp_path / "schedule.csv").write_text(schedule)
    done = staffing(tmp_path / "volumes.csv", "--schedule", tmp_path / "schedule.csv")
    assert done.returncode == 0
    printed = [" ".join(line.split()) for line in done.stdout.splitlines()]
    [shown] = blocks("text")
    assert [" ".join(line.split()) for line in shown.splitlines()] == printed


def test_the_links_of_the_page_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", PAGE):
        assert (DOCS / target).exists(), target


def test_the_example_in_python_of_the_page_runs() -> None:
    [example] = blocks("python")
    found: dict[str, Any] = {}
    exec(example, found)  # noqa: S102 - our own page
    assert all(reached.low >= 0.8 for reached in found["reached"])


ZERO_SECONDS = """\
start,minutes,queue,channel,offered,answered,handled,talk_s,hold_s,wrap_s
2026-01-05T09:00:00+01:00,30,billing,voice,100,98,98,14700,980,1960
2026-01-05T09:30:00+01:00,30,billing,voice,100,98,3,0,0,0
2026-01-05T10:00:00+01:00,30,billing,voice,100,98,0,0,0,0
"""


def test_the_queues_mean_stands_in_for_rows_of_calls_of_no_seconds_and_it_is_said() -> None:
    done = staffing("-", "--format", "json", stdin=ZERO_SECONDS)
    found = rows(done)
    assert [(r["handle_s"], r["handle_of"]) for r in found] == [
        (180, "interval"),
        (180, "queue"),
        (180, "queue"),
    ]
    assert len({r["required"] for r in found}) == 1
    note = "stream-app: billing (voice): 2 rows with contacts and no handle time; its mean, 180 s, was taken for them\n"
    assert note in done.stderr


def test_a_queue_without_any_work_is_named_and_planned_with_the_handle_time_that_is_given() -> None:
    idle = ZERO_SECONDS.replace("14700,980,1960", "0,0,0")
    done = staffing("-", "--format", "json", stdin=idle)
    assert (done.returncode, [r["required"] for r in json.loads(done.stdout)]) == (1, [None] * 3)
    assert (
        "billing (voice) has no handle time in any row, so it has no plan; provide one with --aht"
        in done.stderr
    )
    given = staffing("-", "--aht", "3m", "--format", "json", stdin=idle)
    assert [(r["handle_s"], r["required"] > 0) for r in rows(given)] == [(180, True)] * 3
    assert "3 rows with contacts and no handle time; --aht, 180 s, was taken for them" in given.stderr


QUEUE_LOG = """\
1767600000|c1|billing|NONE|ENTERQUEUE||5551|1
1767600010|c1|billing|SIP/1|CONNECT|10|b1|3
1767600190|c1|billing|SIP/1|COMPLETECALLER|10|180|1
1767601000|c2|billing|NONE|ENTERQUEUE||5551|1
1767601010|c2|billing|SIP/1|CONNECT|10|b2|3
1767601010|c2|billing|SIP/1|COMPLETECALLER|10|0|1
1767602000|c3|billing|NONE|ENTERQUEUE||5551|1
1767602030|c3|billing|NONE|EXITWITHTIMEOUT|1|1|30
1767690000|c4|billing|NONE|FULL
"""


def logged(command: str, log: Path, *options: str) -> Done:
    done = run_command(command, "--direct", log, "--dialect", "asterisk", *options, env={"COLUMNS": "120"})
    done.check_returncode()
    return done


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_intervals_writes_of_a_log_with_calls_of_no_seconds_is_planned(
    tmp_path: Path, form: str
) -> None:
    log = tmp_path / "queue_log"
    log.write_text(QUEUE_LOG)
    period = ("--from", "2026-01-05T08:00:00Z", "--to", "2026-01-05T09:00:00Z", "--format", form)
    done = staffing("-", "--format", "json", stdin=logged("intervals", log, *period).stdout)
    found = [r for r in rows(done) if r["offered"]]
    assert [(r["handle_s"], r["handle_of"]) for r in found] == [
        (180, "interval"),
        (180, "queue"),
        (180, "queue"),
    ]
    assert "billing (voice): 2 rows with contacts and no handle time; its mean, 180 s," in done.stderr


def test_a_report_says_why_contacts_left_and_were_refused(tmp_path: Path) -> None:
    log = tmp_path / "queue_log"
    log.write_text(QUEUE_LOG)
    (row,) = json.loads(logged("replay", log, "--report").stdout)
    assert (row["left"], row["left_timeout"], row["left_other"], row["left_wait_s"]) == (1, 1, 0, 30)
    assert (row["refused"], row["refused_full"], row["refused_other"]) == (1, 1, 0)


def test_it_says_what_is_estimated_and_what_can_be_no_handle_time(tmp_path: Path) -> None:
    path = tmp_path / "post.csv"
    head = "start,minutes,queue,channel,offered,handled,talk_s,hold_s,wrap_s,estimated_s,replies\n"
    path.write_text(
        head
        + "2026-01-05T09:00:00Z,30,post,email,10,10,3600,0,400,1000,20\n"
        + "2026-01-05T09:00:00Z,30,cases,email,10,10,6000,0,0,6000,10\n"
        + "2026-01-05T09:00:00Z,30,slow,email,1,1,259200,0,0,0,1\n"
        + "2026-01-05T09:00:00Z,30,calls,voice,10,10,1000,0,0,0,0\n"
    )
    notes = [line for line in staffing(path).stderr.splitlines() if "handle time" in line]
    assert [line.partition(" (email): ")[2].partition(";")[0] for line in notes] == [
        "100% of the handle time is estimated from replies",
        "nearly every reply counts as reply_work_cap_s (600 s): the handle time is that setting, and not measured",
        "25% of the handle time is estimated from replies",
        "a mean handle time of 72.0 hours is not what people did: it contains nights, or the customers' time",
    ]
    assert [line.split()[1] for line in notes] == ["cases", "cases", "post", "slow"]
    assert notes[0].endswith(
        "; where mail waits for hours before anyone starts on it, that may be 67% too high "
        "(docs/staffing.md#estimated-handle-times)"
    )
