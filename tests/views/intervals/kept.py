"""Interval rows in memory, and rows to put there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from random import Random

from msgspec import structs

from stream_app.errors import StoreUnavailableError
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.store.intervals.memory import MemoryIntervals

MONDAY = 1_767_571_200_000  # 2026-01-05T00:00Z
HOUR = 3_600_000


class Kept(MemoryIntervals):
    """The rows in memory, for whoever wants to see what was asked, and to take the store away.

    Attributes:
        asked: stretches of time that were read.
        down: nothing answers.
    """

    def __init__(self, rows: Iterable[IntervalRow] = ()) -> None:
        self.asked: list[tuple[int, int]] = []
        self.down = False
        super().__init__(rows)

    def load(self, rows: Iterable[IntervalRow]) -> None:
        """Put rows, and forget those that there were of their queues and channels."""
        rows = [*rows]
        for place in {(row.queue, row.channel) for row in rows}:
            self._rows.pop(place, None)
        for row in rows:
            self.put(row)

    def by_key(self) -> dict[tuple[str, str, int], IntervalRow]:
        """Return the rows by queue, channel and start."""
        return {(row.queue, row.channel, row.start): row for row in self.every()}

    def drop(self, *keys: tuple[str, str, int]) -> None:
        """Forget rows."""
        for queue, channel, start in keys:
            mine = self._rows[queue, channel]
            self._rows[queue, channel] = [row for row in mine if row.start != start]

    def close(self, key: tuple[str, str, int], revision: int, **changes: int) -> None:
        """Make a row final, or change one that is, by a revision."""
        row = self.by_key()[key]
        self.put(structs.replace(row, final=True, revision=revision, version=row.version + 1, **changes))

    async def rows(
        self,
        start: int,
        end: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        self._check()
        self.asked.append((start, end))
        return await super().rows(start, end, queues, channels)

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        self._check()
        return await super().since(revision, limit, queues, channels)

    async def newest(self) -> int:
        self._check()
        return await super().newest()

    async def state(self) -> str:
        self._check()
        return await super().state()

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailableError("redis is away")


def busy(
    start: int, queue: str = "billing", channel: str = "voice", seed: int = 0, **rest: int
) -> IntervalRow:
    """A quarter in which something happened; the same arguments give the same row."""
    rng = Random(f"{start} {queue} {channel} {seed}")
    answered, abandoned, left, lost, waiting = (rng.randrange(n) for n in (20, 8, 3, 2, 3))
    handled = rng.randrange(20)
    row = IntervalRow(
        start=start,
        minutes=15,
        queue=queue,
        channel=channel,
        offered=answered + abandoned + left + lost + waiting,
        answered=answered,
        answered_in_target=rng.randrange(answered + 1),
        abandoned=abandoned,
        abandoned_in_target=abandoned // 2,
        abandoned_short=abandoned // 3,
        left=left,
        left_in_target=left // 2,
        lost=lost,
        refused=rng.randrange(2),
        handled=handled,
        talk_ms=handled * rng.randrange(300_000),
        hold_ms=handled * rng.randrange(10_000),
        wrap_ms=handled * rng.randrange(50_000),
        wait_ms=answered * rng.randrange(60_001),
        abandon_wait_ms=abandoned * rng.randrange(60_001),
        longest_wait_ms=rng.randrange(600_000),
        backlog_start=rng.randrange(5),
        backlog_max=5 + rng.randrange(5),
    )
    return structs.replace(row, **rest)


def stretch(
    start: int, end: int, queue: str = "billing", channel: str = "voice", n: int = 0
) -> list[IntervalRow]:
    """Final quarters without a gap, numbered by their end, and by ``n`` where several end together."""
    return [
        structs.replace(busy(at, queue, channel), final=True, revision=at + INTERVAL_MS + n, version=1)
        for at in range(start, end, INTERVAL_MS)
    ]
