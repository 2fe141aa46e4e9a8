"""Plays events at their time: as fast as possible, or at the pace of a clock."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from stream_app.model.events import Event

SLICE: Final = 2_000
"""Events between two checks of the clock and for cancellation."""
TICK_S: Final = 0.05


class EventSink(Protocol):
    """The destination of events."""

    async def put(self, events: Sequence[Event]) -> None:
        """Store events; returns when they are safe."""


class CentreClock(Struct, frozen=True):
    """The centre's clock as a function of the wall clock; all in milliseconds since the epoch.

    Attributes:
        start: the centre's clock at ``wall``.
        speed: seconds of the centre per second; infinite means unpaced.
        live: whether the centre's clock can't overtake the wall clock.
    """

    start: int
    wall: int
    speed: float
    live: bool

    def reached(self, now: int) -> float:
        """Return the centre's clock when the wall clock is at ``now``."""
        if self.speed == float("inf"):
            return now if self.live else self.speed
        clock = self.start + (now - self.wall) * self.speed
        return min(clock, now) if self.live else clock


class PlayProgress(Struct):
    """The progress of a play.

    Attributes:
        events: handed over so far.
        at: stamp of the last one, ms; 0 before the first.
        behind_ms: how late the last one was.
    """

    events: int = 0
    at: int = 0
    behind_ms: float = 0.0


async def play(
    events: Iterator[Event],
    pace: CentreClock,
    sink: EventSink,
    told: Callable[[PlayProgress], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> PlayProgress:
    """Hand events over when they are due, until there are no more."""
    progress = PlayProgress()
    upcoming = next(events, None)
    while upcoming is not None:
        reached = pace.reached(int(clock() * 1000))
        due: list[Event] = []
        while upcoming is not None and upcoming.at <= reached and len(due) < SLICE:
            due.append(upcoming)
            upcoming = next(events, None)
        if due:
            await sink.put(due)
            progress.events += len(due)
            progress.at = due[-1].at
            full = len(due) == SLICE
            progress.behind_ms = max(0.0, reached - due[-1].at) if full and reached < float("inf") else 0.0
        told(progress)
        await asyncio.sleep(0 if len(due) == SLICE else TICK_S)
    return progress
