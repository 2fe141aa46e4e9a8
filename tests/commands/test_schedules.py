"""``stream-app schedules``: the whole schedule or nothing, versioned, and without anybody's name."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import msgspec
import pytest
import redis
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.commands.schedules.command import packed, read
from stream_app.errors import QuarantinedError
from stream_app.model.intervals.columns import IntervalRow
from stream_app.store import keys
from stream_app.store.redis import RedisStore
from stream_app.store.schedules import RedisSchedules
from stream_app.workforce import schedules
from stream_app.workforce.schedules import Shift
from tests.services.command import run_command

from .published import publish

DOCS = Path(__file__).parents[2] / "docs"
SCHEDULE = """\
who,group,people,start,end,tz,activity,queue,channel
,phones,18,2026-01-05T09:00,2026-01-05T12:00,Europe/Berlin,contacts,billing,voice
anna,,,2026-01-05T09:30,2026-01-05T12:00,Europe/Berlin,contacts,billing,voice
ben,,,2026-01-05T09:30,2026-01-05T12:00,Europe/Berlin,contacts,billing,voice
anna,,,2026-01-05T12:00,2026-01-05T12:30,Europe/Berlin,meal,,
,letters,6,2026-01-05T08:00:00Z,2026-01-05T09:00:00Z,,contacts,billing,email
"""


@pytest.fixture(autouse=True)
def _our_redis(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)


def run(*args: object, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, ["schedules", *map(str, args)], input=stdin)


def written(path: Path, text: str = SCHEDULE) -> Path:
    file = path / "schedule.csv"
    file.write_text(text)
    return file


def test_what_is_applied_is_in_force_and_the_same_again_keeps_its_version(tmp_path: Path) -> None:
    file = written(tmp_path)
    words = """\
version 1 is in force: 3 shifts for 2 queue-channels
billing (email): up to 6 people at once, from 2026-01-05T08:00+00:00 to 2026-01-05T09:00+00:00
billing (voice): up to 20 people at once, from 2026-01-05T08:00+00:00 to 2026-01-05T11:00+00:00
"""
    assert [run("apply", file).stdout for _ in range(2)] == [words] * 2
    assert json.loads(run("show").output) == {
        "version": 1,
        "schedules": [
            {
                "queue": "billing",
                "channel": "email",
                "start": "2026-01-05T08:00:00+00:00",
                "end": "2026-01-05T09:00:00+00:00",
                "people": 6.0,
            },
            {
                "queue": "billing",
                "channel": "voice",
                "start": "2026-01-05T08:00:00+00:00",
                "end": "2026-01-05T11:00:00+00:00",
                "people": 18.0,
            },
            {
                "queue": "billing",
                "channel": "voice",
                "start": "2026-01-05T08:30:00+00:00",
                "end": "2026-01-05T11:00:00+00:00",
                "people": 2.0,
            },
        ],
    }
    written(tmp_path, SCHEDULE.replace("18", "19"))
    assert run("apply", file).output.startswith("version 2 is in force")
    assert json.loads(run("show").output)["version"] == 2


def test_one_of_each_and_standard_input() -> None:
    head, one, *_ = SCHEDULE.replace(",18,", ",1,").splitlines()
    done = run("apply", "-", "--tz", "Europe/Berlin", stdin=f"{head}\n{one}\n")
    assert done.exit_code == 0
    assert done.stdout == (
        "version 1 is in force: 1 shift for 1 queue-channel\n"
        "billing (voice): up to 1 person at once, from 2026-01-05T09:00+01:00 to 2026-01-05T12:00+01:00\n"
    )
    wrong = run("apply", "-", stdin=SCHEDULE.replace("meal", "maintenance"))
    assert wrong.stderr.startswith("stream-app: -:5: activity: unknown activity 'maintenance'")


PAST = "stream-app: the schedule is entirely in the past: its last shift ended at 2026-01-05T11:00+00:00\n"


def test_a_schedule_of_the_past_is_said_and_one_of_the_future_is_not(tmp_path: Path) -> None:
    assert run("apply", written(tmp_path)).stderr.endswith(PAST)
    later = SCHEDULE.replace(",letters,6,2026", ",letters,6,2126").replace("00Z,2026", "00Z,2126")
    assert PAST not in run("apply", written(tmp_path, later)).stderr


async def _saw(url: str, *places: tuple[str, str]) -> None:
    """The store has rows of these, and who publishes has seen the last of them."""
    store = RedisStore(url)
    await publish(store, [IntervalRow(start=0, minutes=15, queue=q, channel=c) for q, c in places])
    queues, channels = await store.queues.learn([]), await store.channels.learn([])
    queue, channel = places[-1]
    await store.client.hset(keys.published("seen"), f"{queues[queue]}.{channels[channel]}", "0 0")
    await store.close()


def test_queues_and_channels_that_the_store_never_saw_are_said_with_the_close_name(
    tmp_path: Path, redis_url: str
) -> None:
    begin = "stream-app: "
    assert run("apply", written(tmp_path)).stderr.startswith(f"{begin}no queue was seen yet, ")
    asyncio.run(_saw(redis_url, ("Billing", "voice"), ("care", "voice"), ("sales", "email")))
    apart = SCHEDULE.replace("billing,voice\nben", "sales,voice\nben").replace("billing,email", "care,e-mail")
    refused = run("apply", written(tmp_path, apart))
    assert refused.exit_code == 65
    assert refused.stderr.endswith(f"{begin}nothing was imported; --allow-new imports these, too\n")
    assert json.loads(run("show").output)["version"] == 1
    said = run("apply", written(tmp_path, apart), "--allow-new")
    assert said.exit_code == 0
    assert (
        refused.stderr.splitlines()[:-1]
        == said.stderr.removesuffix(PAST).splitlines()
        == [
            f"{begin}billing (voice): unknown queue 'billing': it was never seen; did you mean 'Billing'?",
            f"{begin}care (e-mail): unknown channel 'e-mail': it was never seen; did you mean 'email'?",
            f"{begin}sales (voice): sales was only seen with other channels: email",
        ]
    )


def test_queues_whose_people_a_file_takes_away_are_said(tmp_path: Path) -> None:
    coming = SCHEDULE.replace("2026-01", "2126-01")
    assert "no longer scheduled" not in run("apply", written(tmp_path, coming)).stderr
    calls = "".join(line for line in coming.splitlines(keepends=True) if "email" not in line)
    said = (
        "stream-app: no longer scheduled: billing (email); a file replaces the whole schedule, so it must have every "
        "queue (undo: stream-app schedules restore)\n"
    )
    assert run("apply", written(tmp_path, calls)).stderr.endswith(said)
    assert "no longer scheduled" not in run("apply", written(tmp_path, coming)).stderr
    run("apply", written(tmp_path))
    assert "no longer scheduled" not in run("apply", written(tmp_path, calls)).stderr  # those shifts are over


def test_before_the_first_there_is_none() -> None:
    assert json.loads(run("show").output) == {"version": 0, "schedules": []}


def test_nobody_s_name_is_stored(tmp_path: Path, redis_url: str) -> None:
    run("apply", written(tmp_path))
    with redis.Redis.from_url(redis_url) as client:
        keys = client.keys("kpi:schedules*")
        stored = b"".join(client.get(key) for key in keys if client.type(key) == b"string")
        stored += b"".join(client.hvals("kpi:schedules:history"))
    assert b"billing" in stored
    for word in (b"anna", b"ben", b"phones"):
        assert word not in stored


def test_stretches_of_the_same_people_are_added_up_and_mean_the_same(tmp_path: Path) -> None:
    """Whoever sums them over a time gets what the file says."""
    together = read(written(tmp_path), None)
    apart = schedules.read("schedule.csv", SCHEDULE.encode())
    assert len(together) == len(apart) - 1
    assert sum(s.people * (s.end - s.start) for s in together) == sum(
        s.people * (s.end - s.start) for s in apart
    )
    assert msgspec.json.decode(packed(together), type=list[Shift]) == together


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "anna,,,2026-01-05T09:30",
            "anna,,,2026-01-05T13:30",
            "3: end: expected a time after start",
        ),
        (
            "Europe/Berlin,contacts,billing,voice\nanna",
            "Europe/Berln,contacts,billing,voice\nanna",
            "2: tz: unknown time zone 'Europe/Berln'",
        ),
        (
            "ben,,,",
            "anna,,,",
            "4: start: anna is already scheduled at that time in line 3",
        ),
        ("meal", "maintenance", "5: activity: unknown activity 'maintenance'"),
        (
            ",phones,18",
            ",phones,many",
            "2: people: expected a non-negative number like 12 or 12.5, got 'many'",
        ),
        (
            ",letters,6,2026-01-05T08:00:00Z",
            ",letters,6,2026-01-05T08:00:00",
            "6: start: '2026-01-05T08:00:00' has no offset and there is no tz",
        ),
        (
            "activity",
            "aktivity",
            "1: activity: the column is missing; is it 'aktivity'? (--map 'activity=aktivity')",
        ),
        ("contacts,billing,email", "contacts,,email", "6: queue: is missing"),
        ("people", "peopel", "2: peopel: unknown field; did you mean 'people'?"),
        ("people", "peaple", "2: peaple: unknown field; did you mean 'people'?"),
        ("who,", "WHO,", "2: WHO: unknown field; did you mean 'who'?"),
        ("channel\n", "chanenl\n", "2: chanenl: unknown field; did you mean 'channel'?"),
    ],
)
def test_a_wrong_schedule_names_file_line_and_field_and_nothing_is_imported(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    file = written(tmp_path)
    run("apply", file)
    before = run("show").output
    assert old in SCHEDULE
    file.write_text(SCHEDULE.replace(old, new, 1))
    refused = run("apply", file)
    assert refused.exit_code == 65
    assert refused.stderr.startswith(f"stream-app: {file}:{words}")
    assert refused.stderr.count("\n") == 1
    assert run("show").output == before


def test_a_store_that_is_away_is_exit_code_1_and_the_page_has_it(tmp_path: Path) -> None:
    environ = os.environ | {"REDIS_URL": "redis://127.0.0.1:1"}
    done = run_command("schedules", "apply", written(tmp_path), env=environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("stream-app: ")
    assert "| 1 | Redis is down: nothing was imported |" in (DOCS / "planning.md").read_text()


def test_a_zone_for_times_without_one(tmp_path: Path) -> None:
    file = written(tmp_path, SCHEDULE.replace("08:00:00Z", "08:00:00").replace("09:00:00Z", "09:00:00"))
    assert run("apply", file).exit_code == 65
    assert run("apply", file, "--tz", "UTC").exit_code == 0
    wrong = run("apply", file, "--tz", "Mars/Olympus")
    assert "--tz: unknown time zone 'Mars/Olympus'" in str(wrong.exception)


async def test_a_schedule_that_is_gone_is_not_guessed(tmp_path: Path, redis_url: str) -> None:
    store = RedisSchedules(redis_url)
    assert await store.apply(packed(read(written(tmp_path), None))) == 1
    assert (await store.current())[0] == await store.version() == 1
    with redis.Redis.from_url(redis_url) as client:
        client.delete("kpi:schedules:1")
    with pytest.raises(QuarantinedError, match="kpi:schedules:1 is missing"):
        await store.current()
    await store.close()


def test_versions_can_be_seen_restored_and_cleared(tmp_path: Path) -> None:
    assert run("versions").stdout == "no schedule was ever applied\n"
    assert str(run("restore").exception) == "there is no version before the one in force"
    for people in (18, 19):
        run("apply", written(tmp_path, SCHEDULE.replace("18", str(people))))
    second = json.loads(run("show").output)["schedules"]
    undone = run("restore", "--tz", "Europe/Berlin").stdout.splitlines()
    assert undone[:2] == ["restored version 1", "version 3 is in force: 3 shifts for 2 queue-channels"]
    assert undone[2].endswith("from 2026-01-05T09:00+01:00 to 2026-01-05T10:00+01:00")
    assert json.loads(run("show").output)["schedules"] != second
    assert run("restore", "2").exit_code == 0
    assert json.loads(run("show").output) == {"version": 4, "schedules": second}
    assert run("clear").stdout == "version 5 is in force: no shifts\n"
    assert json.loads(run("show").output) == {"version": 5, "schedules": []}
    lines = run("versions").stdout.splitlines()
    assert [line[:3] for line in lines] == ["* 5", "  4", "  3", "  2", "  1"]
    assert lines[0].endswith("; no shifts")
    assert "; 3 shifts for 2 queue-channels, 2026-01-05T08:00+00:00 to 2026-01-05T11:00+00:00" in lines[-1]
    assert all(re.search(r"applied 20\d\d-\d\d-\d\dT\d\d:\d\d\+00:00;", line) for line in lines)
    assert (
        str(run("restore", "9").exception) == "there is no version 9 to return to; there are: 5, 4, 3, 2, 1"
    )


def test_another_program_s_columns_and_a_meal_within_a_shift(tmp_path: Path) -> None:
    file = tmp_path / "wfm.csv"
    file.write_text(
        "Agent;Date;From;To;What;Skill\n"
        "Anna;05.01.2026;09:00;17:00;contacts;billing\n"
        "Anna;05.01.2026;12:00;12:30;meal;\n"
    )
    maps = "who=Agent,start=Date+From,end=Date+To,activity=What,queue=Skill"
    done = run("apply", file, "--tz", "Europe/Berlin", "--map", maps)
    assert done.exit_code == 0, done.stderr
    found = [(one["start"][11:16], one["end"][11:16]) for one in json.loads(run("show").output)["schedules"]]
    assert found == [("08:00", "11:00"), ("11:30", "16:00")]
