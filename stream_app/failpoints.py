"""Failpoints: places where a test can make this process fail, chosen by the environment.

``STREAM_APP_FAILPOINTS="before_apply:exit:0.01,after_apply:sleep=5:once"``: name, action, and how often. The action
``exit`` kills the process as SIGKILL would, ``exit=S`` does so S seconds later, in the middle of whatever comes next,
``sleep=S`` blocks the task, ``busy=S`` blocks the whole loop. How often is a probability, ``once``, or ``n=K`` for the K-th
time. Without the variable a hit costs one dictionary look-up.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Mapping

from stream_app.errors import BadSettingsError


class Failpoints:
    """The failures that were requested for this process."""

    def __init__(self, spec: str = "", seed: int | None = None) -> None:
        self._points: dict[str, tuple[str, float, str]] = {}
        self._hits: dict[str, int] = {}
        self._random = random.Random(seed)
        for entry in filter(None, (part.strip() for part in spec.split(","))):
            name, _, rest = entry.partition(":")
            action, _, when = rest.partition(":")
            kind, _, amount = action.partition("=")
            if kind not in {"exit", "sleep", "busy"}:
                raise BadSettingsError(
                    f"STREAM_APP_FAILPOINTS: expected NAME:ACTION with the action exit, sleep=S or busy=S, got {entry!r}"
                )
            self._points[name] = (kind, float(amount or 0), when or "once")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Failpoints:
        """Read the failpoints from the environment."""
        return cls(environ.get("STREAM_APP_FAILPOINTS", ""))

    async def hit(self, name: str) -> None:
        """Pass a place that may fail, and fail there if it is due."""
        point = self._points.get(name)
        if point is None:
            return
        kind, amount, when = point
        self._hits[name] = hits = self._hits.get(name, 0) + 1
        if not self._due(when, hits):
            return
        print(f"failpoint {name} {kind}", file=sys.stderr, flush=True)  # noqa: T201 - the test that asked counts these
        if kind == "exit" and amount:
            threading.Timer(amount, os.kill, (os.getpid(), signal.SIGKILL)).start()
        elif kind == "exit":
            os.kill(os.getpid(), signal.SIGKILL)
        elif kind == "sleep":
            await asyncio.sleep(amount)
        else:
            time.sleep(amount)  # noqa: ASYNC251 - a stalled loop is what was asked for

    def _due(self, when: str, hits: int) -> bool:
        if when == "once":
            return hits == 1
        if when.startswith("n="):
            return hits == int(when[2:])
        return self._random.random() < float(when)
