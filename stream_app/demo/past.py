"""The centre's last weeks, counted into the demo's Redis, and its schedule.

``python -m stream_app.demo.past FILE START LENGTH RATE SEED ZONE HOLIDAY…``: the centre is simulated as fast as possible and
piped into ``replay --direct``, which counts it like a worker. All but the last days have only the events that interval rows
count, which makes eight weeks as quick as four would be. FILE has the progress, from 0 to 1. All are children of ours, in our
process group.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from stream_app.simulation.incidents import milliseconds

from . import planning
from .children import PYTHON

WHOLE: Final = milliseconds("2d")
"""The last days have every event: their customers, messages and agents are looked at."""
_CHUNK: Final = 1 << 20
_AT: Final = re.compile(rb'"at":(\d+)[,}]')
"""With the character after it: a number cut off by a chunk would be a different number."""


def main() -> None:
    """Run all to their end; exit with the code of the first that failed."""
    file, start, length, rate, seed, zone, *days = sys.argv[1:]
    first, progress = int(start), Path(file)
    last = first + milliseconds(length)
    _apply_schedule(
        progress.with_name("schedule.csv"), float(rate), zone, last, map(date.fromisoformat, days)
    )
    brief = max(first, last - WHOLE)
    for begin, end, options in ((first, brief, ["--brief"]), (brief, last, [])):
        if begin == end:
            continue
        centre = ["--rate", rate, "--seed", seed, *planning.week_options(zone, map(date.fromisoformat, days))]
        span = ["--start", rfc3339(begin), "--duration", f"{(end - begin) // 1000}s"]
        code = _count([*span, *centre, *options], lambda at: _tell(progress, (at - first) / (last - first)))
        if code:
            sys.exit(code)
    _tell(progress, 1.0)


def _count(options: list[str], tell: Callable[[int], None]) -> int:
    """Simulate and count; return the exit code of the one that failed, or 0."""
    telling = subprocess.Popen(  # noqa: S603 - the command is ours
        [*PYTHON, "stream_app", "simulate", "--out", "-", *options], stdout=subprocess.PIPE
    )
    counting = subprocess.Popen(  # noqa: S603 - same
        [*PYTHON, "stream_app", "replay", "--direct", "-"], stdin=subprocess.PIPE
    )
    assert telling.stdout is not None  # noqa: S101 - pipes, see above
    assert counting.stdin is not None  # noqa: S101 - same
    try:
        while chunk := telling.stdout.read(_CHUNK):
            counting.stdin.write(chunk)
            if stamps := _AT.findall(chunk[-1000:]):
                tell(int(stamps[-1]))
        counting.stdin.close()
    except BrokenPipeError:
        telling.kill()
    return counting.wait() or telling.wait()


def _apply_schedule(file: Path, rate: float, zone: str, now: int, days: "map[date]") -> None:
    centre = planning.planned(rate, days)
    today = datetime.fromtimestamp(now / 1000, ZoneInfo(zone)).date()
    file.write_text(planning.schedule(centre, zone, today))
    command = [*PYTHON, "stream_app", "schedules", "apply", str(file), "--allow-new"]
    subprocess.run(command, check=True)  # noqa: S603 - the command is ours


def _tell(file: Path, share: float) -> None:
    """Replace the file as a whole: a reader never sees half a number."""
    new = file.with_suffix(".new")
    new.write_text(f"{share:.4f}")
    new.rename(file)


def rfc3339(ms: int) -> str:
    """Format a moment for ``simulate --start``."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


if __name__ == "__main__":
    main()
