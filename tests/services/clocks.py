"""Processes whose wall clock is wrong: libfaketime tells them another time, and leaves monotonic clocks alone."""

from functools import cache

from .process import run_tool


def skewed(seconds: int) -> dict[str, str]:
    """The environment of a process whose clock is so far ahead of this machine's; nothing for 0."""
    if not seconds:
        return {}
    # The library knows monotonic clocks by either name, depending on its version.
    real = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    return {"LD_PRELOAD": _library(), "FAKETIME": f"{seconds:+d}s", **real}


@cache
def _library() -> str:
    """Where the library is; its wrapper knows, and would itself stand between a test and the process's signals."""
    said = run_tool("faketime", "-m", "-f", "+0s", "env")
    return next(line.partition("=")[2] for line in said.splitlines() if line.startswith("LD_PRELOAD="))
