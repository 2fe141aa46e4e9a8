"""The wheel: compiled where there is a C compiler, pure Python where there is none, and never half of either."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
LOOK: Final = "from stream_app.model.fold.arrays import COMPILED; from stream_app.model.fold.fold import Fold; print(COMPILED)"


def _wheel(into: Path, **env: str) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(into),
        str(ROOT),
    ]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = into.glob("*.whl")
    return wheel


@pytest.mark.chaos  # it fetches the build's own requirements, and compiles
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("compiler", "compiled"), [("cc", True), ("/nowhere/cc", False)])
def test_a_wheel_is_compiled_where_there_is_a_compiler(
    tmp_path: Path, compiler: str, *, compiled: bool
) -> None:
    wheel = _wheel(tmp_path / "dist", CC=compiler)
    assert wheel.name.endswith("-py3-none-any.whl") is not compiled
    target = tmp_path / "site"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(target),
        str(wheel),
    ]
    subprocess.run(install, check=True)
    assert any(target.rglob("*.so")) is compiled
    env = {**os.environ, "PYTHONPATH": str(target), "PYTHONSAFEPATH": "1"}
    done = subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == f"{compiled}\n"
    told = [sys.executable, "-m", "stream_app", "check", "--offline"]
    shown = subprocess.run(told, env=env, capture_output=True, text=True, check=False).stdout
    assert ("the fold runs compiled" in shown) is compiled
