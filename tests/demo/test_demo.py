"""``stream-app demo`` for real: all servers, live numbers, and nothing left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from stream_app.demo import page, ports
from tests.services.command import run_command
from tests.services.process import ServerProcess, wait_until

NUMBERS_S = 15.0
GONE_S = 15.0
CHILDREN = {"warden", "broker", "redis", "worker", "ledger", "serve", "simulate"}
OF_THE_PAST = {"past", "replay", "schedules", "config"}


class Demo(ServerProcess):
    """The demo, with a directory for temporary files."""

    name = "demo"
    start_timeout_s = 60.0

    def __init__(
        self, *options: str, port: int | None = None, shown: int | None = None, past: str = "0"
    ) -> None:
        super().__init__()
        self.wanted = port or ports.free_port()
        self.port = shown or self.wanted
        self.scratch = self.directory / "scratch"
        self.scratch.mkdir()
        self._options = ("--past", past, *options)

    def command(self) -> list[str]:
        """Run the demo."""
        demo = [sys.executable, "-m", "stream_app", "demo", "--port", str(self.wanted), *self._options]
        return ["env", f"TMPDIR={self.scratch}", *demo]

    def ready(self) -> bool:
        """Whether it has printed its addresses."""
        return "Ctrl-C stops" in self.log_tail()

    def family(self) -> list[psutil.Process]:
        """All that it started, but for processes that serve computes in, which come and go."""
        return [one for one in psutil.Process(self.pid).children(recursive=True) if not computes(one)]

    def rows(self) -> list[dict[str, Any]]:
        """The API's current answer."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/now") as answer:
            rows: list[dict[str, Any]] = json.load(answer)["rows"]
            return rows

    def offered(self) -> int:
        """Contacts so far."""
        return sum(row["totals"]["offered"] for row in self.rows())

    def end(self) -> int:
        """The exit code of one that ends by itself."""
        assert self._process is not None
        return self._process.wait(60)


@pytest.fixture
def seen() -> Iterator[list[psutil.Process]]:
    """Processes of a demo: when the test is over, none is left."""
    family: list[psutil.Process] = []
    yield family
    _, alive = psutil.wait_procs(family, timeout=GONE_S)
    for process in alive:
        process.kill()
    assert not alive


def computes(process: psutil.Process) -> bool:
    try:
        return "from multiprocessing." in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # it has ended meanwhile, whatever it was
        return False


def role(process: psutil.Process) -> str:
    words = " ".join(process.cmdline())
    return next(
        (
            name
            for name in CHILDREN | OF_THE_PAST
            if f" {name}" in words or f".{name}" in words or f"/{name}" in words
        ),
        words,
    )


def checked(shown: str) -> subprocess.CompletedProcess[str]:
    """What `stream-app check` says of the servers whose addresses the demo has printed."""
    names = {"Kafka": "KAFKA_BOOTSTRAP_SERVERS", "Redis": "REDIS_URL"}
    printed = {
        name: address for word, name in names.items() for address in re.findall(rf"  {word} +(\S+)", shown)
    }
    assert printed.keys() == set(names.values())
    return run_command("check", env=os.environ | printed)


def test_numbers_move_and_ctrl_c_leaves_nothing_behind(seen: list[psutil.Process]) -> None:
    taken = ports.free_port()
    free = ports.port_from(taken + 1)
    with socket.create_server((ports.HOST, taken)), Demo(port=taken, shown=free) as demo:
        assert f"Port {taken} is in use; using {free} instead." in demo.log_tail()
        assert f"http://127.0.0.1:{free}/" in demo.log_tail()
        seen += demo.family()
        assert sorted(map(role, seen)) == sorted(CHILDREN)
        before = wait_until(demo.offered, NUMBERS_S)
        wait_until(lambda: demo.offered() > before, NUMBERS_S)
        wait_until(
            lambda: {row["channel"] for row in demo.rows()} == {"voice", "chat", "email", "messaging"},
            NUMBERS_S,
        )
        level = next(row for row in demo.rows() if row["queue"] == "billing")["windows"]["30m"][
            "service_level"
        ]
        assert level["samples"] > 100
        assert 0 < level["value"] <= 1
        assert page.is_ready(free)
        found = checked(demo.log_tail(1000))
        assert found.returncode == 0, found.stdout
        assert "ok    kafka reading" in found.stdout
        os.kill(demo.pid, signal.SIGINT)
        assert demo.end() == 0
        assert not list(demo.scratch.iterdir())
        assert "Traceback" not in demo.log_tail(1000)
        assert not [process for process in seen if process.is_running()]


def test_the_days_before_are_counted_and_killed_it_leaves_nothing_behind_either(
    seen: list[psutil.Process],
) -> None:
    with Demo(past="1d") as demo:
        seen += demo.family()
        past = next(process for process in seen if role(process) == "past")

        def counted() -> bool:
            return not past.is_running() or past.status() == psutil.STATUS_ZOMBIE

        wait_until(counted, 120, "the past is counted")
        wait_until(lambda: demo.offered() > 15_000, NUMBERS_S)  # the live traffic's are about 3,000
        rows = demo.rows()
        # Whoever was in a queue when the past ended does not wait there now.
        assert sum(row["levels"]["backlog"] for row in rows) < 300
        assert max(row["levels"]["oldest_waiting"] for row in rows if row["channel"] == "voice") < 3_600
        assert page.is_ready(demo.port)
        seen += [process for process in demo.family() if process not in seen]
        demo.kill()
        wait_until(lambda: not list(demo.scratch.iterdir()), GONE_S)


@pytest.mark.parametrize("victim", ["worker", pytest.param("redis", marks=pytest.mark.chaos)])
def test_the_death_of_a_child_ends_it_with_the_log(seen: list[psutil.Process], victim: str) -> None:
    with Demo() as demo:
        seen += demo.family()
        next(process for process in seen if role(process) == victim).kill()
        assert demo.end() == 1
        assert f"stream-app: {victim} was killed by signal 9; its log ends with:" in demo.log_tail(1000)
        assert not list(demo.scratch.iterdir())


def test_it_ends_when_its_time_is_over_or_on_sigterm(seen: list[psutil.Process]) -> None:
    with Demo("--duration", "1s", "--incident", "spike@1m", "--rate", "2") as demo:
        assert demo.end() == 0
        assert not list(demo.scratch.iterdir())
    with Demo() as demo:
        demo.stop()  # while it starts, or later
        assert not list(demo.scratch.iterdir())
    assert not seen


def test_a_signal_while_it_starts_is_heard(seen: list[psutil.Process]) -> None:
    demo = Demo()
    try:
        demo.launch()
        wait_until(lambda: len(demo.family()) > 1, 20)
        seen += demo.family()
        os.kill(demo.pid, signal.SIGTERM)
        assert demo.end() == 0
        assert not list(demo.scratch.iterdir())
    finally:
        demo.close()


@pytest.mark.parametrize("option", ["--incident=flood@1m", "--duration=soon"])
def test_a_wrong_option_is_named_before_anything_starts(tmp_path: Path, option: str) -> None:
    done = run_command("demo", option, env=os.environ | {"TMPDIR": str(tmp_path)})
    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.startswith(f"stream-app: {option.partition('=')[0]}")
    assert not list(tmp_path.iterdir())
