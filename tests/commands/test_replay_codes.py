"""The exit code and the last line of ``replay`` and ``intervals``: alike, and they say what mends it."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.commands.test_replay import QUEUE_LOG, REPLAY
from tests.services.command import run_command, run_command_bytes

TABLE = b"""time,callid,queuename,agent,event,data1,data2,data3
2026-11-22 08:00:00,A.1,sales,NONE,ENTERQUEUE,,555,1
"""
COMMANDS = (("replay", "--direct", "--report"), ("intervals", "--direct"))
HEADLESS = TABLE.partition(b"\n")[2]
TRUNCATED = b"\x1f\x8b\x08\0\0\0\0\0\0\3"


def run(*given: str) -> subprocess.CompletedProcess[bytes]:
    return run_command_bytes(*given, env={})


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("text", "options", "code", "said"),
    [
        (b"", (), 0, ""),
        (TRUNCATED, (), 65, "the gzip data ends too early"),
        (b"nothing\n", (), 65, "no line is an event of the dialect canonical"),
        (HEADLESS, ("--dialect", "asterisk"), 65, "(echo time,callid,queuename,"),
        (b"1767607300|1|q|NONE|OWN|1\n", ("--dialect", "asterisk"), 65, "no line is an event"),
        (
            QUEUE_LOG + b"1767607400|1|q|NONE|OWN|1\n",
            ("--dialect", "asterisk"),
            0,
            "1 record of types that asterisk",
        ),
    ],
    ids=["empty", "truncated", "unreadable", "a table without header", "only unknown events", "some unknown"],
)
def test_codes_and_last_lines(
    tmp_path: Path, *, command: tuple[str, ...], text: bytes, options: tuple[str, ...], code: int, said: str
) -> None:
    path = tmp_path / "recorded"
    path.write_bytes(text)
    done = run(*command, *options, str(path))
    assert done.returncode == code
    assert said in done.stderr.decode()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("text", [QUEUE_LOG, TABLE], ids=["log", "table"])
def test_the_command_of_the_last_line_mends_it(tmp_path: Path, command: tuple[str, ...], text: bytes) -> None:
    path = tmp_path / "queue log"
    path.write_bytes(text)
    wrong = run(*command, str(path))
    assert wrong.returncode == 65
    name, *again = shlex.split(wrong.stderr.decode().splitlines()[-1].partition("; run: ")[2])
    assert (name, run(*again).returncode) == ("stream-app", 0)


# --- local times ---


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_times_that_were_read_as_utc_without_a_word_are_said(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(TABLE)
    told = run(*command, "--dialect", "asterisk", str(path))
    said, _, again = (
        told.stderr.decode().splitlines()[-1 if command[0] == "replay" else -2].partition("run: ")
    )
    assert "times without an offset were read as UTC" in said
    _, *words = shlex.split(again)
    mended = run(*[word.replace("ZONE", "Europe/Berlin") for word in words])
    assert mended.returncode == told.returncode == 0
    assert b"offset" not in mended.stderr
    assert b"offset" not in run(*command, "--dialect", "asterisk", "--zone", "UTC", str(path)).stderr


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("zone", [(), ("--zone", "America/New_York")], ids=["no zone", "another zone"])
def test_local_times_later_than_now_ask_for_their_zone(
    tmp_path: Path, command: tuple[str, ...], zone: tuple[str, ...]
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(TABLE.replace(b"2026-11-22", b"2099-11-22"))
    text = run(*command, "--dialect", "asterisk", *zone, str(path)).stderr.decode()
    assert f"is later than now, in the zone {zone[1] if zone else 'UTC'}: are these local times?" in text
    assert "--zone ZONE" in text
    assert text.count("--zone") == 1


OWN_TABLE = b"""id,type,at,contact_id,queue,channel
1,contact.queued,2026-10-25 02:30:00,c,sales,voice
2,contact.abandoned,2026-10-25 02:10:00,c,sales,voice
3,contact.queued,2026-10-25T02:20:00Z,d,sales,voice
"""
"""Clocks go back in Berlin: the second row is forty minutes after the first one."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_table_of_our_own_events_has_local_times(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(OWN_TABLE)
    form = ("--format", "json") if command[0] == "intervals" else ()
    lost = run(*command, *form, str(path)).stderr.decode()
    said = next(
        line for line in lost.splitlines() if "times without an offset need their zone; run: " in line
    )
    _, *again = shlex.split(said.partition("run: ")[2])
    mended = run(*[word.replace("ZONE", "Europe/Berlin") for word in again])
    rows = json.loads(mended.stdout)
    assert (
        mended.returncode,
        sum(row["offered"] for row in rows),
        sum(row["abandoned"] for row in rows),
    ) == (0, 2, 1)
    if command[0] == "intervals":
        assert sum(row["abandon_wait_s"] for row in rows) == 40 * 60


# --- overlapping files ---


def test_files_that_overlap_end_a_count_into_redis_too(tmp_path: Path, redis_url: str) -> None:
    """Two copies of a log, or of a part of it, would count twice."""
    lines = [f"{1_767_607_200 + 100 * n}|c{n}|sales|NONE|ENTERQUEUE||555|1\n" for n in range(9)]
    names = {"new": lines[4:], "old": lines[:7]}
    for name, part in names.items():
        (tmp_path / name).write_text("".join(part))
    files = [str(tmp_path / name) for name in names]
    done = run_command("replay", "--direct", "--dialect", "asterisk", *files, env={"REDIS_URL": redis_url})
    assert done.returncode == 65
    assert (
        f"{files[0]}:1: begins at 2026-01-05T10:06:40Z, but {files[1]}, which is read before it"
        in done.stderr
    )
    assert "applied 7\n" in done.stderr  # those of the first file, as in a replay into Kafka


# --- lines that come too late ---

DAY = 86_400


def log_line(day: float, call: str) -> bytes:
    return f"{1_767_600_000 + round(day * DAY)}|{call}|sales|NONE|ENTERQUEUE||555|1\n".encode()


def own_line(day: float, call: str) -> bytes:
    at = (1_767_600_000 + round(day * DAY)) * 1000
    event = {
        "id": call,
        "type": "contact.queued",
        "at": at,
        "contact_id": call,
        "queue": "sales",
        "channel": "voice",
    }
    return json.dumps(event).encode() + b"\n"


def offered(done: subprocess.CompletedProcess[bytes]) -> int:
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return sum(row["offered"] for row in rows)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(("line", "dialect"), [(log_line, "asterisk"), (own_line, "canonical")])
@pytest.mark.parametrize("wrong", [0, 4])
def test_one_stamp_far_ahead_is_named_and_the_command_leaves_it_out(
    tmp_path: Path, command: tuple[str, ...], line: Any, dialect: str, wrong: int
) -> None:
    days = [0, 1, 2, 3, 4, 5, 6]
    path = tmp_path / "a log"
    path.write_bytes(b"".join(line(400 if n == wrong else day, f"c{n}") for n, day in enumerate(days)))
    form = ("--format", "json") if command[0] == "intervals" else ()
    told = run(*command, "--dialect", dialect, *form, str(path))
    said = next(row for row in told.stderr.decode().splitlines() if "too late to count" in row)
    assert f"{6 - wrong} record" in said
    assert f"the first at {path}:{wrong + 2} (" in said
    assert f"line {wrong + 1} before it is stamped 2027-02-09T" in said
    mended = shell(said.partition("run: ")[2])
    assert (mended.returncode, offered(mended)) == (0, 6)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(("line", "dialect"), [(log_line, "asterisk"), (own_line, "canonical")])
def test_files_joined_in_the_wrong_order_are_sorted_by_the_command(
    tmp_path: Path, command: tuple[str, ...], line: Any, dialect: str
) -> None:
    """As `cat queue_log queue_log-20260105` joins them."""
    days = [6, 6.1, 6.2, 0, 0.1, 0.2]
    path = tmp_path / "joined"
    path.write_bytes(b"".join(line(day, f"c{n}") for n, day in enumerate(days)))
    form = ("--format", "json") if command[0] == "intervals" else ()
    told = run(*command, "--dialect", dialect, *form, str(path))
    said = next(row for row in told.stderr.decode().splitlines() if "too late to count" in row)
    assert f"3 records came too late to count, the first at {path}:4 (" in said
    assert "the lines are not in the order of time; sort them, run: cat " in said
    again = said.partition("run: ")[2]
    if dialect == "canonical":  # not every machine has jq
        assert "| jq -c -s 'sort_by(.at)[]' |" in again
    else:
        mended = shell(again)
        assert (mended.returncode, offered(mended)) == (0, 6)


def test_a_pipe_out_of_order_is_told_to_name_its_files() -> None:
    joined = b"".join(log_line(day, f"c{day}") for day in (6, 6.1, 0, 0.1))
    done = run_command_bytes(*COMMANDS[0], "--dialect", "asterisk", "-", stdin=joined, env={})
    assert "name the files instead of -" in done.stderr.decode().splitlines()[-1]


def shell(command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command of a last line as it stands, with this program in place of the installed one."""
    ours = shlex.join(REPLAY[:-1])
    return subprocess.run(
        ["bash", "-c", command.replace("stream-app ", f"{ours} ", 1)],
        capture_output=True,
        check=False,
        timeout=120,
    )
