"""Our command line, run to its end in a process of its own that need not import anything: most of a start is imports.

A server of :mod:`multiprocessing` has imported all commands, and what they import later (``imported``), once for all tests of
this process, and forks. Streams, environment, working directory, signals and exit codes are those of a process that a shell
starts. That ``python -m stream_app`` is one, too, is shown where something goes in or out while it runs.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from stream_app.subprocess import Process

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.services.imported"])


class ForkedProcess(Process):
    """A process that computes, forked from there, too; where all cores are busy with tests, a low priority is none."""

    context = _context
    nice = 0


def run_command_bytes(
    *words: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    timeout_s: float = 120.0,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``stream-app`` with these words, and return how it ended and what it wrote.

    Args:
        words: as on the command line.
        env: all of its environment; ``None``: that of the tests.
        cwd: where; ``None``: where the tests run.
        stdin: what it is given to read.
        timeout_s: when it is killed.

    Raises:
        subprocess.TimeoutExpired: it was killed.
    """
    told = ["stream-app", *map(str, words)]
    environ = dict(os.environ if env is None else env)
    with tempfile.TemporaryDirectory(prefix="stream-app-command-") as name:
        streams = [Path(name) / stream for stream in ("stdin", "stdout", "stderr")]
        for stream in streams:
            stream.write_bytes(stdin if stream.name == "stdin" else b"")
        process = _context.Process(target=_run, args=(told, environ, str(cwd or Path.cwd()), streams))
        process.start()
        process.join(timeout_s)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(told, timeout_s, *(path.read_bytes() for path in streams[1:]))
        assert process.exitcode is not None
        out, err = (path.read_bytes() for path in streams[1:])
        return subprocess.CompletedProcess(told, process.exitcode, out, err)


def run_command(
    *words: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    timeout_s: float = 120.0,
) -> subprocess.CompletedProcess[str]:
    """Do what ``run_command_bytes`` does with text."""
    done = run_command_bytes(*words, env=env, cwd=cwd, stdin=stdin.encode(), timeout_s=timeout_s)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def _run(words: list[str], env: dict[str, str], cwd: str, streams: list[Path]) -> None:
    """Become the command, in the forked process."""
    for number, path in enumerate(streams):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND if number else os.O_RDONLY), number)
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115 - by number
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115 - same
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
    sys.argv = words
    from stream_app.__main__ import main

    main()
