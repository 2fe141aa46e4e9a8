"""The one clock for ages, windows and heartbeats: that of Redis. Any machine's own clock may be wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from redis.exceptions import NoPermissionError

from stream_app.clocks import wall_ms

_log = structlog.get_logger(__name__)


def ticks_ms() -> float:
    """Return a time of this process that nobody can set, ms since an arbitrary moment."""
    return time.monotonic_ns() / 1_000_000


def time_ms(reply: Sequence[int]) -> int:
    """Convert the reply of Redis's TIME to ms since the epoch."""
    seconds, micros = reply
    return int(seconds) * 1000 + int(micros) // 1000


class RedisClock:
    """Redis's clock as known from its replies; between them it advances by ``ticks``, also while Redis is unavailable.

    When during a round trip Redis read its clock is not known. So each reply only gives bounds for Redis's clock, and a slow
    reply changes nothing that a quick one has shown before.
    """

    def __init__(self, wall: Callable[[], int] = wall_ms, ticks: Callable[[], float] = ticks_ms) -> None:
        """Take two clocks: ``wall`` may be set at any moment, ``ticks`` never."""
        self.ticks = ticks
        self._wall = wall
        self._offset: float | None = None
        self._refused = False

    @property
    def known(self) -> bool:
        """Whether Redis has ever reported its time."""
        return self._offset is not None

    def now(self) -> int:
        """Return Redis's time, ms since the epoch; this machine's before the first reply."""
        return self.at(self.ticks())

    def at(self, tick: float) -> int:
        """Return what ``now`` was or will be at a moment in ticks."""
        return round(tick + (self._wall() - self.ticks() if self._offset is None else self._offset))

    def ahead_ms(self) -> int | None:
        """Return by how much this machine's wall clock is ahead of Redis's, ms; ``None`` before the first reply."""
        return self._wall() - self.now() if self.known else None

    def heard(self, time: int, asked: float) -> None:
        """Take in a reply of ``time``, ms, to a request sent at ``asked``, in ticks."""
        least, most = time - self.ticks(), time - asked
        self._offset = (least + most) / 2 if self._offset is None else min(max(self._offset, least), most)

    def answered(self, reply: Any, asked: float) -> None:
        """Take in a pipeline's reply to TIME, which may be an error.

        Without permission for TIME, this machine's clock is used, which may be wrong: that is logged once.
        """
        if isinstance(reply, NoPermissionError):
            if not self._refused:
                _log.warning(
                    "clock_not_allowed",
                    error="ages are measured by this machine's clock; allow TIME for this user",
                )
            self._refused = True
        elif isinstance(reply, Exception):
            raise reply
        else:
            self.heard(time_ms(reply), asked)
