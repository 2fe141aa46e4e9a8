"""Parts of the board: waiting contacts, contacts at risk, abandoned contacts, and the running sums of a window."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from typing import Final

from msgspec import Struct

from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import Cell, unpack_cell
from stream_app.model.fold.visit import VisitState
from stream_app.model.windows import Window

EVERYONE: Final[QueueChannel] = ("", "")
"""All queues and channels together, for percentiles that can't be averaged afterwards."""

INTERVAL_MS: Final = 900_000
"""The resolution of a day's intervals."""
Bucket = tuple[int, int]
"""(resolution, start)"""
WaitingQueue = tuple[QueueChannel, int, int]
"""(queue, queued, due)"""
TalkingQueue = tuple[QueueChannel, int, int]
"""(queue, state, since when the customer waits for a message)"""


class Waiting:
    """The waiting contacts of a queue: when each was queued, and when each is decided at the latest. Sorted."""

    __slots__ = ("due", "queued")

    def __init__(self) -> None:
        self.queued: list[int] = []
        self.due: list[int] = []

    def add(self, queued: int, due: int) -> None:
        """Add a contact that begins to wait."""
        insort(self.queued, queued)
        insort(self.due, due)

    def remove(self, queued: int, due: int) -> None:
        """Remove a contact that no longer waits."""
        del self.queued[bisect_left(self.queued, queued)]
        del self.due[bisect_left(self.due, due)]

    def overdue(self, start: int, now: int) -> int:
        """Return how many were, or will be, decided because T passed between ``start`` and ``now``, both inclusive."""
        return max(0, bisect_right(self.due, now) - bisect_left(self.due, start))


class Talks:
    """The open conversations of a queue: how many are in which state, and since when customers wait for a message.

    Attributes:
        states: state → how many.
        owed: how many wait for a person, or for a person's message.
        awaiting: since when they wait for a message, those who do, sorted.
        by_bot: since when those wait who wait for a bot's, sorted.
    """

    __slots__ = ("awaiting", "by_bot", "owed", "states")

    def __init__(self) -> None:
        self.states: Counter[int] = Counter()
        self.owed = 0
        self.awaiting: list[int] = []
        self.by_bot: list[int] = []

    def add(self, state: int, clock: int) -> None:
        """Add a visit, with its reply clock."""
        self.states[state] += 1
        self.owed += _is_owed(state, clock)
        if clock:
            insort(self._clocks(state), clock)

    def remove(self, state: int, clock: int) -> None:
        """Remove one."""
        self.states[state] -= 1
        self.owed -= _is_owed(state, clock)
        if clock:
            clocks = self._clocks(state)
            del clocks[bisect_left(clocks, clock)]

    def _clocks(self, state: int) -> list[int]:
        return self.by_bot if state == VisitState.WITH_BOT else self.awaiting


def _is_owed(state: int, clock: int) -> bool:
    return state == VisitState.WAITING or (state != VisitState.WITH_BOT and clock > 0)


class AtRisk(Struct, frozen=True):
    """An open contact with a predicted CSAT (in thousandths), when it was queued, and its state."""

    contact: str
    queue: str
    channel: str
    predicted: int
    queued_at: int
    state: int
    agent: str | None


class GaveUp(Struct, frozen=True):
    """A contact that gave up and did not come back to the same visit.

    Attributes:
        at: when it gave up.
        waited: how long it had waited, in milliseconds.
        short: within the short-abandon threshold under which it was queued.
    """

    contact: str
    queue: str
    channel: str
    at: int
    waited: int
    short: bool


class Running:
    """The sums of one window in one zone.

    Attributes:
        start: the start of its first bucket.
        last: the start of its last bucket, the one that holds now.
        sums: per queue, and of ``EVERYONE``.
        versions: per queue, a number that grows whenever its sums change.
    """

    def __init__(self, window: Window, zone: str, now: int) -> None:
        self.window = window
        self.zone = zone
        self.start = window.start(now, zone)
        self.last = now - now % window.resolution
        self.sums: dict[QueueChannel, Cell] = {EVERYONE: {}}
        self.versions: dict[QueueChannel, int] = {}

    def holds(self, resolution: int, bucket: int) -> bool:
        """Return whether a bucket lies in the window."""
        return resolution == self.window.resolution and self.start <= bucket <= self.last

    def add(self, queue: QueueChannel, cell: Cell, sign: int = 1) -> None:
        """Add a cell to the sums, or subtract it."""
        for whose in (queue, EVERYONE):
            self.versions[whose] = self.versions.get(whose, 0) + 1
            sums = self.sums.get(whose)
            if sums is None:
                sums = self.sums[whose] = {}
            for number, n in cell.items():
                left = sums.get(number, 0) + sign * n
                if left:
                    sums[number] = left
                else:
                    sums.pop(number, None)


def difference(before: bytes | None, after: bytes | None) -> Cell:
    """Return what to add to turn one packed cell into the other."""
    out = unpack_cell(after) if after else {}
    for number, n in unpack_cell(before).items() if before else ():
        left = out.get(number, 0) - n
        if left:
            out[number] = left
        else:
            out.pop(number, None)
    return out
