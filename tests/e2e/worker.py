"""A ``stream-app worker`` of the tests' own: a real process with a log."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.services.process import wait_until


class Worker:
    """One worker process, from start to whatever end."""

    program: Sequence[str] = (sys.executable, "-m", "stream_app")
    command = "worker"

    def __init__(self, log: Path, **environment: str) -> None:
        self.log = log
        self.env = {
            "PATH": os.environ["PATH"],
            "STREAM_APP_METRICS_PORT": "0",
            "STREAM_APP_INTERVALS_TOPIC": "",  # one broker for many tests: who tests it names one
            "STREAM_APP_SESSION_TIMEOUT_MS": "6000",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> Worker:
        """Start it; ``more`` is added to its environment this time only."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.program, self.command],
                env={**self.env, **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; negative for a signal."""
        return self._process.poll() if self._process else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.running:
            os.kill(self.pid, number)

    def wait(self, timeout_s: float = 20.0) -> int:
        """Wait for its end; gives the exit code."""
        wait_until(lambda: not self.running, timeout_s, "the worker ends")
        assert self._process is not None
        return self._process.returncode

    def stop(self) -> int:
        """SIGTERM, and how it exited."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """End it, whatever state it is in."""
        if self.running:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            self.wait()

    def count(self, pattern: str) -> int:
        """How often something stands in its log."""
        return len(re.findall(pattern, self.log.read_text(errors="replace"))) if self.log.exists() else 0


class LedgerProcess(Worker):
    """A writer of the ledger, as operators start it, that files every second."""

    command = "ledger"

    def __init__(
        self, log: Path, redis_url: str, ledger: object, before: Sequence[str] = (), **environment: str
    ) -> None:
        self.program = (*before, *Worker.program)
        super().__init__(
            log,
            REDIS_URL=redis_url,
            STREAM_APP_LEDGER=str(ledger),
            STREAM_APP_LEDGER_EVERY_S="1",
            **environment,
        )


@contextmanager
def closing(workers: list[Worker]) -> Iterator[None]:
    """End all of them, whatever state they are in."""
    try:
        yield
    finally:
        for worker in workers:
            worker.close()


def environment(bootstrap: str, redis_url: str, topic: str, **more: str) -> Mapping[str, str]:
    """What a worker needs to know.

    Records of tests are of fixed days, which go by: their rows must not fall out while a test looks.
    """
    return {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "REDIS_URL": redis_url,
        "STREAM_APP_TOPIC": topic,
        "STREAM_APP_GROUP": f"group-{topic}",
        "STREAM_APP_INTERVALS_DAYS": "3660",
        **more,
    }
