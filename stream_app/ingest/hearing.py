"""How long ago things happened, in a process whose wall clock may be wrong, or be set at any moment."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from stream_app.clocks import wall_ms

ENDS: Final = 600
"""The most moments that are remembered of a partition that is behind."""


def ticks_ms() -> int:
    """Return a time of this process that nobody can set, ms since an arbitrary moment."""
    return time.monotonic_ns() // 1_000_000


class Hearing:
    """What a worker learns about a partition from the broker, from one heartbeat to the next."""

    def __init__(self, wall: Callable[[], int] = wall_ms, ticks: Callable[[], int] = ticks_ms) -> None:
        """Take two clocks: ``wall`` may be set at any moment, ``ticks`` never."""
        self.wall = wall
        self._ticks = ticks
        self._asked: int | None = None
        self._heard = self._heard_at = 0
        self._ends: deque[tuple[int, int]] = deque()

    def ago(self, heard: int) -> int:
        """Return how long ago the broker last answered, given the wall clock's time of the answer; ms.

        A new answer came since the last call, whatever the wall clock says: it may have been set meanwhile.
        """
        now = self._ticks()
        if self._asked is None or heard != self._heard:
            ago = max(0, self.wall() - heard)
            self._heard_at = now - (ago if self._asked is None else min(ago, now - self._asked))
        self._asked, self._heard = now, heard
        return now - self._heard_at

    def waits(self, position: int, end: int) -> int | None:
        """Return for how long the record at ``position`` is known to have been in a log that goes on to ``end``; ms.

        ``None`` if there is no such record. Timestamps of records are not used: their producer's clock may be wrong.
        """
        now = self._ticks()
        while self._ends and self._ends[0][1] <= position:
            self._ends.popleft()
        if end <= position:
            return None
        if not self._ends or end > self._ends[-1][1]:
            self._ends.append((now, end))
        if len(self._ends) > ENDS:  # the first one proves how long; of the others, every second one will do
            self._ends = deque(list(self._ends)[::2])
        return now - self._ends[0][0]
