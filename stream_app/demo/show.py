"""The demo from its first process to its last."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final, TextIO

from msgspec import Struct

from stream_app.errors import StreamAppError
from stream_app.simulation.incidents import milliseconds

from . import page, places
from .children import PYTHON, Child, environment
from .warden import clear

READY_S: Final = 60.0
PATIENCE_S: Final = 8.0
BRIEF_PATIENCE_S: Final = 2.0
"""Once one has died: the others may wait for it in vain."""
POLL_S: Final = 0.1
STATUS_S: Final = 1.0
STATUS_LOGGED_S: Final = 30.0
HISTORY_EVENTS: Final = 60_000
"""So many events from before the start fit well into what the broker keeps."""
HISTORY_S: Final = 2_700
TIME_OF_DAY: Final = 14 * 60
"""What the centre's clock shows at the start, in minutes: six hours after it opened, there is a day to look back on."""


class Wishes(Struct, frozen=True, kw_only=True):
    """The command's options; ``duration_s`` is ``None`` for no end, ``past`` for none."""

    rate: float = 10.0
    seed: int = 1
    port: int = 8080
    incidents: list[str] = []
    duration_s: float | None = None
    past: str | None = "30d"


class StoppedError(Exception):
    """Somebody wants it to end."""


class Show:
    """Everything that runs. One thread, so that signals and children are simple."""

    def __init__(self, wishes: Wishes, out: TextIO) -> None:
        self._wishes = wishes
        self._out = out
        self._children: list[Child] = []
        self._signals = 0
        self._directory = Path(tempfile.mkdtemp(prefix="stream-app-demo-"))
        self._progress = self._directory / "past.progress"
        self._warden = subprocess.Popen(  # noqa: S603 - what we start is what we wrote
            [*PYTHON, "stream_app.demo.warden", str(self._directory)],
            env=environment(self._directory),
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self) -> None:
        """Start all, show where to look, and stop all when told to, or when the time is over.

        Raises:
            StreamAppError: a child died or did not get ready; all the others are stopped by then.
        """
        with self._signals_heard():
            try:
                port = self._start()
                self._watch(port)
            except StoppedError:
                pass
            finally:
                self._stop()

    # --- starting ---

    def _start(self) -> int:
        wishes = self._wishes
        port = places.port_from(wishes.port)
        if port != wishes.port:
            self._say(f"Port {wishes.port} is taken, so this is on {port}.")
        env = self._servers()
        self._child("worker", [*PYTHON, "stream_app", "worker"], env)
        self._child("api", [*PYTHON, "stream_app", "serve", "--host", places.HOST, "--port", str(port)], env)
        history = max(1, min(HISTORY_S, round(HISTORY_EVENTS / wishes.rate)))
        incidents = [word for incident in wishes.incidents for word in ("--incident", incident)]
        options = [
            "--rate",
            str(wishes.rate),
            "--seed",
            str(wishes.seed),
            "--history",
            f"{history}s",
            "--time-of-day",
            _clock(TIME_OF_DAY),
            *incidents,
        ]
        self._child("simulator", [*PYTHON, "stream_app", "simulate", *options], env)
        if wishes.past:
            self._begin_past(wishes.past, history, env)
        self._say(f"Starting the worker, the API and a contact centre of {wishes.rate:g} events a second …")
        self._wait(lambda: page.is_ready(port), "the API did not get ready", tails=("worker", "api"))
        self._say("")
        self._say(f"  Wallboard    http://{places.HOST}:{port}/")
        self._say(f"  Planning     http://{places.HOST}:{port}/plan")
        self._say(f"  API          http://{places.HOST}:{port}/docs")
        self._say(f"  Prometheus   http://{places.HOST}:{port}/metrics")
        self._say(f"  Kafka        {env['KAFKA_BOOTSTRAP_SERVERS']}")
        self._say(f"  Redis        {env['REDIS_URL']}")
        self._say("")
        if wishes.past:
            self._say(
                f"The last {wishes.past} are being counted: until then, today and the trends are not whole."
            )
        self._say("Ctrl-C stops it and leaves nothing behind.")
        return port

    def _begin_past(self, length: str, history_s: int, env: dict[str, str]) -> None:
        """Count what was before the simulator's history, beside everything else."""
        start = round((time.time() - history_s) * 1000) - milliseconds(length)
        words = [str(start), length, _clock(TIME_OF_DAY - history_s // 60)]
        words += [str(self._wishes.rate), str(self._wishes.seed + 1)]
        command = [*PYTHON, "stream_app.demo.past", str(self._progress), *words]
        self._child("past", ["nice", *command] if shutil.which("nice") else command, env, ends=True)

    def _servers(self) -> dict[str, str]:
        """Start broker and Redis; gives the environment of whoever uses them."""
        places.need_broker()
        program, port = places.redis_program(), places.free_port()
        bare = environment(self._directory)
        address = self._directory / "broker.address"
        self._say("Starting the embedded broker and Redis …")
        self._child("broker", [*PYTHON, "stream_app.demo.broker", str(address)], bare)
        options = {
            "bind": places.HOST,
            "port": str(port),
            "dir": str(self._directory),
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._child("redis", [program, *flags], bare)
        self._wait(address.exists, "the broker did not get ready", tails=("broker",))
        self._wait(lambda: places.redis_answers(port), "Redis did not get ready", tails=("redis",))
        return environment(
            self._directory,
            KAFKA_BOOTSTRAP_SERVERS=address.read_text(),
            REDIS_URL=f"redis://{places.HOST}:{port}/0",
        )

    def _child(self, name: str, command: list[str], env: dict[str, str], *, ends: bool = False) -> None:
        self._check()  # no more children once somebody wants an end
        log = self._directory / f"{name}.log"
        child = Child(name, command, log, env, started=self._entrust, ends=ends)
        self._children.append(child)

    def _entrust(self, group: int) -> None:
        stdin = self._warden.stdin
        assert stdin is not None  # noqa: S101 - a pipe, see above
        stdin.write(f"{group}\n")
        stdin.flush()

    def _wait(self, condition: Callable[[], bool], complaint: str, tails: tuple[str, ...]) -> None:
        deadline = time.monotonic() + READY_S
        while not condition():
            self._check()
            if time.monotonic() > deadline:
                said = [f"{c.name} said last:\n{c.tail()}" for c in self._children if c.name in tails]
                raise StreamAppError("\n".join([f"{complaint} within {READY_S:g} s", *said]))
            time.sleep(POLL_S)

    # --- running ---

    def _watch(self, port: int) -> None:
        """A line that says how it goes, until the end."""
        began = time.monotonic()
        end = None if self._wishes.duration_s is None else began + self._wishes.duration_s
        live = self._out.isatty()
        shown = 0.0
        while end is None or time.monotonic() < end:
            self._check()
            now = time.monotonic()
            if now - shown >= (STATUS_S if live else STATUS_LOGGED_S):
                shown = now
                minutes, seconds = divmod(int(now - began), 60)
                line = (
                    f"{minutes}:{seconds:02} {page.look(port) or 'no answer from the API'}{self._counted()}"
                )
                self._say(f"\r\x1b[K{line}" if live else line, end="" if live else "\n")
            time.sleep(POLL_S)

    def _counted(self) -> str:
        """How much of the past is counted, while it is not all."""
        past = next((child for child in self._children if child.name == "past"), None)
        if past is None or past.done:
            return ""
        share = 0.0
        with suppress(OSError, ValueError):
            share = float(self._progress.read_text())
        return f"; {share:.0%} of the last {self._wishes.past} counted"

    def _check(self) -> None:
        """Stop where somebody wants it, or where a child died."""
        if self._signals:
            raise StoppedError
        for child in self._children:
            if not (child.alive or child.done):
                raise StreamAppError(child.obituary())

    # --- stopping ---

    def _stop(self) -> None:
        """Stop all: who writes first, who keeps last. A second signal makes it quick."""
        if self._children and self._out.isatty():
            self._say("\r\x1b[KStopping …")
        before = self._signals
        well = all(child.alive or child.done for child in self._children)
        patience = PATIENCE_S if well else BRIEF_PATIENCE_S
        order = ("past", "simulator", "worker", "api", "redis", "broker")
        for child in sorted(self._children, key=lambda child: order.index(child.name)):
            child.stop(lambda: 0.0 if self._signals > before else patience)
        clear((), self._directory)
        with suppress(OSError):
            self._warden.communicate("\n")
        self._say("Stopped; nothing is left.")

    @contextmanager
    def _signals_heard(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        former = {number: signal.signal(number, self._hear) for number in numbers}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _say(self, text: str, end: str = "\n") -> None:
        with suppress(OSError):  # whoever read it may be gone
            print(text, end=end, file=self._out, flush=True)


def _clock(minutes: int) -> str:
    """Minutes of a day as a clock shows them."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def run(wishes: Wishes) -> None:
    """Run the demo on standard output; see ``Show.run``."""
    Show(wishes, sys.stdout).run()
