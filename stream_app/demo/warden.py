"""Cleans up if the demo is killed: ``python -m stream_app.demo.warden DIRECTORY``.

The demo holds the other end of standard input: it writes the process groups that it starts, one per line, and an empty line
after it has cleaned up itself. If the input ends without that, everything left is killed and removed.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TRIES = 100
_PAUSE_S = 0.05


def main() -> None:
    """Wait for the demo's end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when the demo has
    groups: set[int] = set()
    for line in sys.stdin:
        word = line.strip()
        if not word:
            return
        groups.add(int(word))
    clear(groups, Path(sys.argv[1]))


def clear(groups: Iterable[int], directory: Path) -> None:
    """Kill process groups and remove a directory that they may still be writing to."""
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    for _ in range(_TRIES):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main()
