"""The exit code and the last line of ``replay`` and ``intervals``: alike, and they say what mends it."""

import shlex
import subprocess
from pathlib import Path

import pytest

from tests.commands.test_replay import QUEUE_LOG, REPLAY

TABLE = b"""time,callid,queuename,agent,event,data1,data2,data3
2026-11-22 08:00:00,A.1,sales,NONE,ENTERQUEUE,,555,1
"""
COMMANDS = (("replay", "--direct", "--report"), ("intervals", "--direct"))
HEADLESS = TABLE.partition(b"\n")[2]
TRUNCATED = b"\x1f\x8b\x08\0\0\0\0\0\0\3"


def run(*given: str) -> subprocess.CompletedProcess[bytes]:
    command = [*REPLAY[:-1], *given]
    return subprocess.run(command, capture_output=True, env={}, check=False, timeout=120)


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
