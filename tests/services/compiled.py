"""The package with its hot path compiled, made once for these sources."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MADE: Final = ROOT / ".cache" / "compiled"
TESTED: Final = "0"
OPTIMIZED: Final = "3"
_KEPT: Final = 4


@cache
def compiled_package(level: str = TESTED) -> Path:
    """Return the folder that is to be imported from; the first who asks compiles, which takes half a minute.

    Args:
        level: how much the C compiler optimizes: 0, which is quick, or 3, as in wheels.
    """
    sources = sorted((ROOT / "stream_app").rglob("*.py"))
    told = hashlib.sha256(f"{sys.version} {level}".encode())
    for source in (*sources, ROOT / "scripts" / "compile"):
        told.update(b"%s\0%s\0" % (str(source.relative_to(ROOT)).encode(), source.read_bytes()))
    MADE.mkdir(parents=True, exist_ok=True)
    folder = MADE / told.hexdigest()[:16]
    with (MADE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _compile(folder, level)
            for old in sorted(MADE.glob("?" * 16), key=lambda one: one.stat().st_mtime)[:-_KEPT]:
                shutil.rmtree(old)
    os.utime(folder)
    return folder


def _compile(folder: Path, level: str) -> None:
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    command = [sys.executable, str(ROOT / "scripts" / "compile"), str(part)]
    env = os.environ | {"MYPYC_OPT_LEVEL": level}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout[-5_000:] + done.stderr[-5_000:]
    part.rename(folder)  # only a whole one gets the name


def compiled_environment(level: str = TESTED) -> dict[str, str]:
    """Return what makes a Python process import it, wherever it is started."""
    return {"PYTHONPATH": str(compiled_package(level)), "PYTHONSAFEPATH": "1"}
