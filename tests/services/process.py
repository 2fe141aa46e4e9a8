"""A server process that a test starts, breaks and stops; and waiting for a condition, not for a while."""

import asyncio
import atexit
import inspect
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar, overload

T = TypeVar("T")

HOST = "127.0.0.1"
POLL_S = 0.02

_running: weakref.WeakSet["ServerProcess"] = weakref.WeakSet()
# With `setpriv --pdeathsig` a server dies when the *thread* that started it ends. This one lives as long as
# we do, unlike the threads of asyncio.to_thread(), which end with their event loop.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_given_ports: set[int] = set()
_SHARES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


class ServiceError(AssertionError):
    """A server did not start, stop or answer as it should; carries the tail of its log."""


def free_port(below: int = 32_000) -> int:
    """Return a port of 127.0.0.1 that nobody listens on, and that is never handed out again by this process.

    It lies below the kernel's ephemeral range. From that range a client that retries a dead server's port can
    be given the very same port as its source, connects to itself, and the server can't come back. Of tests that
    run side by side each process takes its own share.
    """
    while True:
        port = random.randrange(20_000 + _SHARE, below, _SHARES)
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        _given_ports.add(port)
        return port


def accepts(port: int) -> bool:
    """Whether something on 127.0.0.1 accepts a connection to `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def wait_until(condition: Callable[[], T], timeout_s: float = 10.0, what: str = "") -> T:
    """Poll `condition` until it is true and return what it said; TimeoutError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        if result := condition():
            return result
        if time.monotonic() >= deadline:
            raise TimeoutError(_gave_up(condition, timeout_s, what, result))
        time.sleep(POLL_S)


@overload
async def until(
    condition: Callable[[], Awaitable[T]],
    timeout_s: float = ...,
    what: str = ...,
    progress: Callable[[], object] | None = ...,
) -> T: ...
@overload
async def until(
    condition: Callable[[], T],
    timeout_s: float = ...,
    what: str = ...,
    progress: Callable[[], object] | None = ...,
) -> T: ...
async def until(
    condition: Callable[[], Any],
    timeout_s: float = 10.0,
    what: str = "",
    progress: Callable[[], object] | None = None,
) -> Any:
    """Do what `wait_until` does in a coroutine; `condition` may be one too.

    With `progress` the time begins anew whenever that returns something else: however slow the machine is, what gets on is
    waited for, and what stands still is given up.
    """
    deadline, reached = time.monotonic() + timeout_s, progress() if progress else None
    while True:
        result = condition()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if progress and (now := progress()) != reached:
            deadline, reached = time.monotonic() + timeout_s, now
        elif time.monotonic() >= deadline:
            stood = f", nor any progress since {reached!r}" if progress else ""
            raise TimeoutError(_gave_up(condition, timeout_s, what, result) + stood)
        await asyncio.sleep(POLL_S)


def _gave_up(condition: Callable[[], object], timeout_s: float, what: str, last: object) -> str:
    name = what or getattr(condition, "__qualname__", repr(condition))
    return f"not within {timeout_s:g} s: {name} (last answer: {last!r})"


class ServerProcess(ABC):
    """One server, one process, one temporary directory that is kept over restarts and removed by `close`.

    All methods block; in a coroutine that must go on meanwhile use `await asyncio.to_thread(server.restart)`.
    """

    name: str
    start_timeout_s = 30.0
    stop_timeout_s = 20.0

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=f"stream-app-{self.name}-"))
        self.log = self.directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False
        # Also for a server that never ran: `close` at exit removes the directory.
        _running.add(self)

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line of the server in the foreground."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether the server answers; asked again and again until it does."""

    @property
    def pid(self) -> int:
        """The server's process id; ServiceError when it does not run."""
        if not self.running:
            raise ServiceError(self._report("does not run"))
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there (paused counts)."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process and return at once, for tests that look at a server which is not ready yet."""
        if self.running:
            raise ServiceError(self._report("runs already"))
        binary, *arguments = self.command()
        found = shutil.which(binary)
        if found is None:
            raise ServiceError(f"{self.name}: no {binary} here; scripts/setup installs what the tests need")
        # The server must not outlive us even when we are killed, and Ctrl-C is ours to handle, in order.
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self.log.open("ab") as log:
            self._process = _spawner.submit(
                subprocess.Popen,
                [*guard, found, *arguments],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ).result()

    def start(self) -> Self:
        """Start the process and wait until it is ready."""
        self.launch()
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait until the server answers; ServiceError with the log's tail if it exits or takes too long."""
        try:
            wait_until(lambda: not self.running or self.ready(), self.start_timeout_s)
        except TimeoutError:
            self.kill()
            raise ServiceError(self._report(f"not ready within {self.start_timeout_s:g} s")) from None
        if not self.running:
            raise ServiceError(self._report(f"exited with {self._exit_code()} before it was ready"))

    def stop(self) -> None:
        """Ask it to stop (SIGTERM) and wait; ServiceError if it does not. Nothing happens if it is down."""
        if self._process is None:
            return
        self.resume()
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(self.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServiceError(self._report(f"did not stop within {self.stop_timeout_s:g} s")) from None
        self._process = None

    def kill(self) -> None:
        """End it at once (SIGKILL), paused or not, and wait until it is gone."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process, self._paused = None, False

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same port and directory."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay, nothing answers. Returns when it is frozen."""
        process = self.pid
        self._signal(signal.SIGSTOP)
        self._paused = True
        wait_until(lambda: _state(process) == "T", what=f"{self.name} is frozen")

    def resume(self) -> None:
        """Let a frozen server go on (SIGCONT)."""
        if self._paused:
            self._signal(signal.SIGCONT)
            self._paused = False

    def close(self) -> None:
        """Kill it and remove its directory; nothing is left of it."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        _running.discard(self)

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.close()

    def log_tail(self, lines: int = 40) -> str:
        """Return the last lines that the server wrote."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        # Popen polls first, so a process that is gone, whose id may be someone else's now, is never hit.
        if self._process is not None:
            self._process.send_signal(number)

    def _exit_code(self) -> int | None:
        return None if self._process is None else self._process.returncode

    def _report(self, what: str) -> str:
        return f"{self.name} {what}; its log ends with:\n{self.log_tail() or '(nothing)'}"


def _state(pid: int) -> str:
    """Return the kernel's one-letter state of a process, or nothing where it is gone."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return ""
    # The command stands in brackets and may hold anything, so look behind the last one.
    return status.rpartition(")")[2].split()[0]


@atexit.register
def _close_all() -> None:
    for server in list(_running):
        server.close()


def run_tool(name: str, *args: str | Path) -> str:
    """Run a server's tool and return what it says; ServiceError with it if it fails, or is not there."""
    tool = shutil.which(name)
    if tool is None:
        raise ServiceError(f"no {name} here; scripts/setup installs it")
    done = subprocess.run([tool, *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceError(f"{name} {args[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr
