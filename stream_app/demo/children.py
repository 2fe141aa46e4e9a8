"""Child processes that never outlive us, each with its own log."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from stream_app.errors import StreamAppError

TAIL_LINES: Final = 25
_PR_SET_PDEATHSIG: Final = 1
_PACKAGES: Final = Path(__file__).parents[2]
_OURS: Final = ("STREAM_APP_", "KAFKA_", "REDIS_")

PYTHON: Final = (sys.executable, "-P", "-m")
"""Runs one of our modules; nothing is imported from the working directory."""


def environment(directory: Path, **settings: str) -> dict[str, str]:
    """Build the environment of a child: ours without the user's settings, and temporary files in our directory."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    path = os.pathsep.join(filter(None, [str(_PACKAGES), kept.get("PYTHONPATH")]))
    return kept | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "TMPDIR": str(directory)} | settings


def _die_with_parent() -> Callable[[], None] | None:
    """Return what a child does first, where the kernel supports this; elsewhere only the warden cleans up."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def promise() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died just before the promise
            os._exit(1)

    return promise


class Child:
    """A process, its group and its log.

    Attributes:
        name: its name for people.
        started: called with the process group of each child that starts.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str],
        *,
        started: Callable[[int], None],
        ends: bool = False,
    ) -> None:
        """Start it; ``ends``: it is expected to finish.

        Raises:
            StreamAppError: the program does not exist or can't be started.
        """
        self.name = name
        self.log = log
        self._ends = ends
        with log.open("ab") as output:
            try:
                # A session of its own: we handle Ctrl-C, in order. We have one thread: a function may run between fork and
                # exec, and the kernel's "parent", a thread, does not end before us.
                self.process = subprocess.Popen(  # noqa: S603 - the command is ours
                    command,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with_parent(),  # noqa: PLW1509 - see above
                )
            except OSError as error:
                raise StreamAppError(f"{name}: {command[0]}: {error.strerror}") from None
        started(self.process.pid)

    @property
    def alive(self) -> bool:
        """Whether it is running."""
        return self.process.poll() is None

    @property
    def done(self) -> bool:
        """Whether it has finished successfully, as expected."""
        return self._ends and self.process.poll() == 0

    def stop(self, patience_s: Callable[[], float]) -> None:
        """Ask it to end; kill its whole group when the patience is over, which may shrink meanwhile."""
        asked = time.monotonic()
        with suppress(ProcessLookupError):
            self.process.terminate()
        while self.alive and time.monotonic() - asked < patience_s():
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # with any children that it may have started
        self.process.wait()

    def obituary(self) -> str:
        """Return how it ended, and its last output."""
        code = self.process.returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{self.name} {how}; its log ends with:\n{self.tail()}"

    def tail(self) -> str:
        """Return the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:]) or "  (nothing)"
