"""The centre's last weeks, counted into the demo's Redis: ``python -m stream_app.demo.past FILE START LENGTH TIME RATE SEED``.

What the centre did is simulated as fast as it goes and handed to ``replay --direct``, which counts it as a worker would.
FILE says how far that is, from 0 to 1. Both are children of ours, in our process group.
"""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stream_app.simulation.incidents import milliseconds

from .children import PYTHON

_CHUNK: Final = 1 << 20
_AT: Final = re.compile(rb'"at":(\d+)[,}]')
"""With what stands behind it: a number that a chunk cuts off is another number."""


def main() -> None:
    """Run both to their end; exits with the code of whichever failed."""
    file, start, length, time_of_day, rate, seed = sys.argv[1:]
    first, span = int(start), milliseconds(length)
    simulate = [
        *PYTHON,
        "stream_app",
        "simulate",
        "--out",
        "-",
        "--start",
        rfc3339(first),
        "--duration",
        length,
    ]
    simulate += ["--time-of-day", time_of_day, "--rate", rate, "--seed", seed]
    telling = subprocess.Popen(simulate, stdout=subprocess.PIPE)  # noqa: S603 - what we start is what we wrote
    counting = subprocess.Popen(  # noqa: S603 - same
        [*PYTHON, "stream_app", "replay", "--direct", "-"], stdin=subprocess.PIPE
    )
    assert telling.stdout is not None  # noqa: S101 - pipes, see above
    assert counting.stdin is not None  # noqa: S101 - same
    progress = Path(file)
    try:
        while chunk := telling.stdout.read(_CHUNK):
            counting.stdin.write(chunk)
            if stamps := _AT.findall(chunk[-1000:]):
                _tell(progress, (int(stamps[-1]) - first) / span)
        counting.stdin.close()
    except BrokenPipeError:
        telling.kill()
    code = counting.wait() or telling.wait()
    if not code:
        _tell(progress, 1.0)
    sys.exit(code)


def _tell(file: Path, share: float) -> None:
    """Replace the file as a whole: whoever reads it never sees half a number."""
    new = file.with_suffix(".new")
    new.write_text(f"{share:.4f}")
    new.rename(file)


def rfc3339(ms: int) -> str:
    """A moment as ``simulate --start`` takes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


if __name__ == "__main__":
    main()
