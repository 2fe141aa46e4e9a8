"""Interval rows in memory, kept as the port says, and rows to put there."""

from __future__ import annotations

from collections.abc import Collection
from random import Random

from msgspec import structs

from stream_app.errors import StoreUnavailableError
from stream_app.model.interval_rows import IntervalRow
from stream_app.model.intervals import QUARTER

MONDAY = 1_767_571_200_000  # 2026-01-05T00:00Z
HOUR = 3_600_000


class Kept:
    """Rows by place and time. Closing one, or changing a closed one, gives it the next revision.

    Attributes:
        asked: stretches of time that were read.
        down: nothing answers.
    """

    def __init__(self, rows: Collection[IntervalRow] = ()) -> None:
        self.by_key: dict[tuple[str, str, int], IntervalRow] = {}
        self.asked: list[tuple[int, int]] = []
        self.down = False
        self._changes = 0
        for row in rows:
            self.put(row)

    def put(self, row: IntervalRow) -> None:
        self._changes += 1
        self.by_key[row.queue, row.channel, row.start] = row

    def close(self, key: tuple[str, str, int], revision: int, **changes: int) -> None:
        row = self.by_key[key]
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
        return [
            row
            for (queue, channel, at), row in sorted(self.by_key.items())
            if start <= at < end
            and (queues is None or queue in queues)
            and (channels is None or channel in channels)
        ]

    async def since(
        self,
        revision: int,
        limit: int,
        queues: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> list[IntervalRow]:
        self._check()
        found = [
            row
            for row in self.by_key.values()
            if row.final
            and row.revision > revision
            and (queues is None or row.queue in queues)
            and (channels is None or row.channel in channels)
        ]
        return sorted(found, key=lambda row: row.revision)[:limit]

    async def newest(self) -> int:
        self._check()
        return max((row.revision for row in self.by_key.values()), default=0)

    async def state(self) -> str:
        self._check()
        return f"state {self._changes}"

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
        structs.replace(busy(at, queue, channel), final=True, revision=at + QUARTER + n, version=1)
        for at in range(start, end, QUARTER)
    ]
