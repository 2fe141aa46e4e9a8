"""``stream-app schedules``: the whole roster or nothing, versioned, and without anybody's name."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import redis
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.commands.schedules import packed, read
from stream_app.errors import QuarantinedError
from stream_app.model.interval_rows import IntervalRow
from stream_app.store import keys
from stream_app.store.redis import RedisStore
from stream_app.store.schedules import RedisSchedules
from stream_app.workforce import schedules
from stream_app.workforce.schedules import Shift

from .published import publish

DOCS = Path(__file__).parents[2] / "docs"
ROSTER = """\
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


def written(path: Path, text: str = ROSTER) -> Path:
    file = path / "roster.csv"
    file.write_text(text)
    return file


def test_what_is_applied_is_in_force_and_the_same_again_keeps_its_version(tmp_path: Path) -> None:
    file = written(tmp_path)
    words = """\
version 1 is in force: 3 stretches of 2 queue-channels
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
    written(tmp_path, ROSTER.replace("18", "19"))
    assert run("apply", file).output.startswith("version 2 is in force")
    assert json.loads(run("show").output)["version"] == 2


def test_one_of_each_and_standard_input() -> None:
    head, one, *_ = ROSTER.replace(",18,", ",1,").splitlines()
    done = run("apply", "-", "--tz", "Europe/Berlin", stdin=f"{head}\n{one}\n")
    assert done.exit_code == 0
    assert done.stdout == (
        "version 1 is in force: 1 stretch of 1 queue-channel\n"
        "billing (voice): up to 1 person at once, from 2026-01-05T09:00+01:00 to 2026-01-05T12:00+01:00\n"
    )
    wrong = run("apply", "-", stdin=ROSTER.replace("meal", "maintenance"))
    assert wrong.stderr.startswith("stream-app: -:5: activity: 'maintenance' is none that is known")


PAST = "stream-app: the roster lies wholly in the past: its last stretch ended at 2026-01-05T11:00+00:00\n"


def test_a_roster_of_the_past_is_said_and_one_of_the_future_is_not(tmp_path: Path) -> None:
    assert run("apply", written(tmp_path)).stderr.endswith(PAST)
    later = ROSTER.replace(",letters,6,2026", ",letters,6,2126").replace("00Z,2026", "00Z,2126")
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
    assert run("apply", written(tmp_path)).stderr.startswith(f"{begin}no queue was seen yet: ")
    asyncio.run(_saw(redis_url, ("Billing", "voice"), ("care", "voice"), ("sales", "email")))
    apart = ROSTER.replace("billing,voice\nben", "sales,voice\nben").replace("billing,email", "care,e-mail")
    said = run("apply", written(tmp_path, apart))
    assert said.exit_code == 0
    assert said.stderr.removesuffix(PAST).splitlines() == [
        f"{begin}billing (voice): no queue called 'billing' was ever seen; did you mean 'Billing'?",
        f"{begin}care (e-mail): no channel called 'e-mail' was ever seen; did you mean 'email'?",
        f"{begin}sales (voice): sales was seen with other channels only: email",
    ]


def test_before_the_first_there_is_none() -> None:
    assert json.loads(run("show").output) == {"version": 0, "schedules": []}


def test_nobody_s_name_is_stored(tmp_path: Path, redis_url: str) -> None:
    run("apply", written(tmp_path))
    with redis.Redis.from_url(redis_url) as client:
        stored = b"".join(client.get(key) for key in client.keys("kpi:schedules*"))
    assert b"billing" in stored
    for word in (b"anna", b"ben", b"phones"):
        assert word not in stored


def test_stretches_of_the_same_people_are_added_up_and_mean_the_same(tmp_path: Path) -> None:
    """Whoever sums them over a time gets what the file says."""
    together = read(written(tmp_path), None)
    apart = schedules.read("roster.csv", ROSTER.encode())
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
            "3: end: 2026-01-05T12:00 is not later than start",
        ),
        (
            "Europe/Berlin,contacts,billing,voice\nanna",
            "Europe/Berln,contacts,billing,voice\nanna",
            "2: tz: no time zone is called 'Europe/Berln'",
        ),
        (
            "12:00,2026-01-05T12:30",
            "11:30,2026-01-05T12:30",
            "5: start: anna is scheduled twice then, in line 3 too",
        ),
        ("meal", "maintenance", "5: activity: 'maintenance' is none that is known"),
        (",phones,18", ",phones,many", "2: people: 'many' is no number"),
        (
            ",letters,6,2026-01-05T08:00:00Z",
            ",letters,6,2026-01-05T08:00:00",
            "6: start: '2026-01-05T08:00:00' has no offset, and there is no tz",
        ),
        ("activity", "aktivity", "1: activity: there is no such column; is it 'aktivity'?"),
        ("contacts,billing,email", "contacts,,email", "6: queue: is missing"),
        ("people", "peopel", "2: peopel: no field is called so; did you mean 'people'?"),
        ("people", "peaple", "2: peaple: no field is called so; did you mean 'people'?"),
        ("who,", "WHO,", "2: WHO: no field is called so; did you mean 'who'?"),
        ("channel\n", "chanenl\n", "2: chanenl: no field is called so; did you mean 'channel'?"),
    ],
)
def test_a_wrong_roster_names_file_line_and_field_and_nothing_is_imported(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    file = written(tmp_path)
    run("apply", file)
    before = run("show").output
    assert old in ROSTER
    file.write_text(ROSTER.replace(old, new, 1))
    refused = run("apply", file)
    assert refused.exit_code == 65
    assert refused.stderr.startswith(f"stream-app: {file}:{words}")
    assert refused.stderr.count("\n") == 1
    assert run("show").output == before


def test_a_store_that_is_away_is_exit_code_1_and_the_page_has_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stream_app", "schedules", "apply", str(written(tmp_path))]
    environ = os.environ | {"REDIS_URL": "redis://127.0.0.1:1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("stream-app: ")
    assert "| 1 | Redis is away: nothing was imported |" in (DOCS / "planning.md").read_text()


def test_a_zone_for_times_without_one(tmp_path: Path) -> None:
    file = written(tmp_path, ROSTER.replace("08:00:00Z", "08:00:00").replace("09:00:00Z", "09:00:00"))
    assert run("apply", file).exit_code == 65
    assert run("apply", file, "--tz", "UTC").exit_code == 0
    wrong = run("apply", file, "--tz", "Mars/Olympus")
    assert "--tz: no time zone is called 'Mars/Olympus'" in str(wrong.exception)


async def test_a_roster_that_is_gone_is_not_guessed(tmp_path: Path, redis_url: str) -> None:
    store = RedisSchedules(redis_url)
    assert await store.apply(packed(read(written(tmp_path), None))) == 1
    assert (await store.current())[0] == await store.version() == 1
    with redis.Redis.from_url(redis_url) as client:
        client.delete("kpi:schedules:1")
    with pytest.raises(QuarantinedError, match="kpi:schedules:1 is missing"):
        await store.current()
    await store.close()
