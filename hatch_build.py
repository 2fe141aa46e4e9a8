"""Hatch's build hook: a wheel has the hot path compiled, where there is a C compiler, and is pure Python where there is none.

``STREAM_APP_COMPILED=0`` compiles nothing, ``1`` fails where it can't. An editable installation always runs as Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompilingHook(BuildHookInterface[Any]):
    """Adds what ``scripts/compile`` makes to a wheel."""

    PLUGIN_NAME = "custom"
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; see ``BuildHookInterface``."""
        wish = os.environ.get("STREAM_APP_COMPILED", "")
        if version != "standard" or wish == "0":
            return
        self._folder = tempfile.TemporaryDirectory()
        made = Path(self._folder.name)
        script = Path(self.root) / "scripts" / "compile"
        command = [sys.executable, str(script), str(made)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
        if done.returncode:
            if wish == "1":
                raise RuntimeError(
                    f"can't compile, which STREAM_APP_COMPILED=1 demands:\n{done.stdout}{done.stderr}"
                )
            self.app.display_warning("not compiled, so the wheel is pure Python (is a C compiler there?)")
            return
        build_data |= {"pure_python": False, "infer_tag": True}
        build_data["force_include"] |= {str(file): str(file.relative_to(made)) for file in made.rglob("*.so")}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was made on the way."""
        del version, build_data, artifact_path
        if self._folder:
            self._folder.cleanup()
