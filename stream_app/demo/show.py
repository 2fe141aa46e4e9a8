"""The demo, from its first process to its last."""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Final, TextIO
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream_app.errors import StreamAppError
from stream_app.simulation.incidents import milliseconds

from . import page, planning, ports
from .children import PYTHON, Child, environment
from .warden import clear

LEDGER: Final = ("duckdb", "pyarrow")
"""What a ledger needs; without one the demo shows no contacts."""
READY_S: Final = 60.0
PATIENCE_S: Final = 8.0
BRIEF_PATIENCE_S: Final = 2.0
"""After one has died: the others may be waiting for it in vain."""
POLL_S: Final = 0.1
STATUS_S: Final = 1.0
STATUS_LOGGED_S: Final = 30.0
HISTORY_EVENTS: Final = 60_000
"""How many events from before the start fit well into what the broker keeps."""
HISTORY_S: Final = 2_700


class DemoOptions(Struct, frozen=True, kw_only=True):
    """The command's options; ``duration_s`` is ``None`` for no end, ``past`` for none."""

    rate: float = 10.0
    seed: int = 1
    port: int = 8080
    incidents: list[str] = []
    duration_s: float | None = None
    past: str | None = "56d"


class StoppedError(Exception):
    """The demo was asked to end."""


class Show:
    """All processes of the demo. One thread, so that signals and children are simple."""

    def __init__(self, options: DemoOptions, out: TextIO) -> None:
        self._options = options
        self._out = out
        self._children: list[Child] = []
        self._signals = 0
        self._directory = Path(tempfile.mkdtemp(prefix="stream-app-demo-"))
        self._progress = self._directory / "past.progress"
        now = datetime.now(UTC)
        self._zone = planning.zone_at(now)
        self._holidays = planning.holidays(now.astimezone(ZoneInfo(self._zone)).date())
        self._warden = subprocess.Popen(  # noqa: S603 - the command is ours
            [*PYTHON, "stream_app.demo.warden", str(self._directory)],
            env=environment(self._directory),
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self) -> None:
        """Start everything, show where to look, and stop on a signal or when the time is over.

        Raises:
            StreamAppError: a child died or did not become ready; all the others are stopped by then.
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
        options = self._options
        port = ports.port_from(options.port)
        if port != options.port:
            self._say(f"Port {options.port} is in use; using {port} instead.")
        env = self._servers()
        self._apply_targets(env)
        if all(map(find_spec, LEDGER)):
            env["STREAM_APP_LEDGER"] = str(self._directory / "ledger")
            env["STREAM_APP_LEDGER_EVERY_S"] = "5"
            self._child("ledger", [*PYTHON, "stream_app", "ledger"], env | {"STREAM_APP_METRICS_PORT": "0"})
        self._child("worker", [*PYTHON, "stream_app", "worker"], env)
        self._child("api", [*PYTHON, "stream_app", "serve", "--host", ports.HOST, "--port", str(port)], env)
        history = max(1, min(HISTORY_S, round(HISTORY_EVENTS / options.rate)))
        incidents = [word for incident in options.incidents for word in ("--incident", incident)]
        words = [
            "--rate",
            str(options.rate),
            "--seed",
            str(options.seed),
            "--history",
            f"{history}s",
            *planning.week_options(self._zone, self._holidays),
            *incidents,
        ]
        self._child("simulator", [*PYTHON, "stream_app", "simulate", *words], env)
        if options.past:
            self._begin_past(options.past, history, env)
        self._say(
            f"Starting the worker, the API and a contact centre with {options.rate:g} events a second …"
        )
        self._wait(lambda: page.is_ready(port), "the API was not ready", tails=("worker", "api"))
        self._say("")
        self._say(f"  Wallboard    http://{ports.HOST}:{port}/")
        self._say(f"  Planning     http://{ports.HOST}:{port}/plan")
        self._say(f"  API          http://{ports.HOST}:{port}/docs")
        self._say(f"  Prometheus   http://{ports.HOST}:{port}/metrics")
        self._say(f"  Kafka        {env['KAFKA_BOOTSTRAP_SERVERS']}")
        self._say(f"  Redis        {env['REDIS_URL']}")
        self._say("")
        if options.past:
            self._say(
                f"Back-filling the last {options.past} in the background: until then, today, the trends and the plan are "
                "incomplete."
            )
        self._say("Ctrl-C stops everything and leaves nothing behind.")
        return port

    def _apply_targets(self, env: dict[str, str]) -> None:
        """Put the centre's targets in force before anything is counted: without an incident, nothing is off target."""
        file = self._directory / "targets.toml"
        centre = planning.planned(self._options.rate, self._holidays)
        file.write_text(planning.targets(centre, self._zone, self._holidays))
        command = [*PYTHON, "stream_app", "config", "apply", str(file)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise StreamAppError(f"the demo's targets were not applied: {done.stderr.strip()}")

    def _begin_past(self, length: str, history_s: int, env: dict[str, str]) -> None:
        """Count what was before the simulator's history, beside everything else."""
        start = round((time.time() - history_s) * 1000) - milliseconds(length)
        words = [str(start), length, str(self._options.rate), str(self._options.seed + 1), self._zone]
        words += map(str, self._holidays)
        command = [*PYTHON, "stream_app.demo.past", str(self._progress), *words]
        self._child("past", ["nice", *command] if shutil.which("nice") else command, env, ends=True)

    def _servers(self) -> dict[str, str]:
        """Start broker and Redis; return the environment for their clients."""
        ports.need_broker()
        program, port = ports.redis_program(), ports.free_port()
        bare = environment(self._directory)
        address = self._directory / "broker.address"
        self._say("Starting the embedded broker and Redis …")
        self._child("broker", [*PYTHON, "stream_app.demo.broker", str(address)], bare)
        options = {
            "bind": ports.HOST,
            "port": str(port),
            "dir": str(self._directory),
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._child("redis", [program, *flags], bare)
        self._wait(address.exists, "the broker was not ready", tails=("broker",))
        self._wait(lambda: ports.redis_answers(port), "Redis was not ready", tails=("redis",))
        return environment(
            self._directory,
            KAFKA_BOOTSTRAP_SERVERS=address.read_text(),
            REDIS_URL=f"redis://{ports.HOST}:{port}/0",
        )

    def _child(self, name: str, command: list[str], env: dict[str, str], *, ends: bool = False) -> None:
        self._check()  # no more children once an end was requested
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
                said = [f"last output of {c.name}:\n{c.tail()}" for c in self._children if c.name in tails]
                raise StreamAppError("\n".join([f"{complaint} within {READY_S:g} s", *said]))
            time.sleep(POLL_S)

    # --- running ---

    def _watch(self, port: int) -> None:
        """Print status lines until the end."""
        began = time.monotonic()
        end = None if self._options.duration_s is None else began + self._options.duration_s
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
        """Return how much of the past is counted, until it is complete."""
        past = next((child for child in self._children if child.name == "past"), None)
        if past is None or past.done:
            return ""
        share = 0.0
        with suppress(OSError, ValueError):
            share = float(self._progress.read_text())
        return f"; {share:.0%} of the last {self._options.past} counted"

    def _check(self) -> None:
        """Stop if an end was requested, or if a child died."""
        if self._signals:
            raise StoppedError
        for child in self._children:
            if not (child.alive or child.done):
                raise StreamAppError(child.obituary())

    # --- stopping ---

    def _stop(self) -> None:
        """Stop everything: writers first, stores last. A second signal makes it quick."""
        if self._children and self._out.isatty():
            self._say("\r\x1b[KStopping …")
        before = self._signals
        well = all(child.alive or child.done for child in self._children)
        patience = PATIENCE_S if well else BRIEF_PATIENCE_S
        order = ("targets", "past", "simulator", "worker", "ledger", "api", "redis", "broker")
        for child in sorted(self._children, key=lambda child: order.index(child.name)):
            child.stop(lambda: 0.0 if self._signals > before else patience)
        clear((), self._directory)
        with suppress(OSError):
            self._warden.communicate("\n")
        self._say("Stopped; nothing is left behind.")

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
        with suppress(OSError):  # the reader may be gone
            print(text, end=end, file=self._out, flush=True)


def run(options: DemoOptions) -> None:
    """Run the demo on standard output; see ``Show.run``."""
    Show(options, sys.stdout).run()
