"""A day of interval rows of one queue and channel, as it is published: what partitions counted, added up. Pure.

Days and quarters are those of UTC; a day is numbered from the epoch, a quarter from 0 to 95 within it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from msgspec import Struct, field

from .interval_rows import IntervalRow, depths, row_of
from .intervals import (
    DAY,
    FLOW,
    MINUTES,
    NUMBERS,
    QUARTER,
    QUARTERS,
    Amounts,
    add_amounts,
    compact,
    flow,
    spread,
)


class Kept(Struct, array_like=True):
    """One row; also its stored form, so fields may be appended, never moved.

    Attributes:
        counted: by place, see ``model.intervals``; zeros at the end are left out.
        depth: contacts in the queue when it began.
        version: 0 while it is open, 1 when it became final, one more at each change since.
        stamp: its revision, less that of the start of its day.
    """

    counted: list[int]
    depth: int = 0
    version: int = 0
    stamp: int = 0


class Day(Struct, array_like=True):
    """A day; also its stored form.

    Attributes:
        opening: contacts in the queue at its start.
        rows: by quarter; ``None`` where nothing is known.
        settled: numbers of the partitions that count nothing in it any more and have let go of their rows.
        base: quarter → what those had counted, where others still count; ``None``: it is what stands in ``rows``.
        recorded: number of a recording's partition → quarter → who came less who went. Whoever waits where a recording ends is
            watched no longer, and in no depth after it.
        carried: number of a recording's partition → how many wait by it at the start of the day.
    """

    opening: int = 0
    rows: list[Kept | None] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    base: dict[int, list[int]] | None = None
    recorded: dict[int, dict[int, int]] = field(default_factory=dict)
    carried: dict[int, int] = field(default_factory=dict)


class DayRows:
    """A day that is being changed.

    Attributes:
        number: of the day.
        day: what is stored of it.
        touched: quarters whose rows are not what they were.
        changed: anything has changed.
    """

    def __init__(self, number: int, day: Day | None) -> None:
        """``None`` is a day that is new."""
        self.number = number
        self.day = Day() if day is None else day
        self.touched: set[int] = set()
        self.changed = day is None

    def row(self, quarter: int) -> Kept | None:
        """What is known of a quarter."""
        rows = self.day.rows
        return rows[quarter] if quarter < len(rows) else None

    def count(self, quarter: int, by_partition: Mapping[int, Amounts], recordings: Collection[int]) -> None:
        """Take what partitions have counted for what the row is now.

        Args:
            quarter: of the day.
            by_partition: number of a partition → its amounts.
            recordings: numbers of partitions that are recordings.
        """
        day = self.day
        open_ones = {n: amounts for n, amounts in by_partition.items() if n not in day.settled}
        if not open_ones and day.settled and day.base is None:
            return
        if day.settled and day.base is None:
            day.base = self._as_it_stands()
        total = spread(day.base.get(quarter, []) if day.base else [])
        for number, amounts in open_ones.items():
            add_amounts(total, amounts)
            if number in recordings:
                self._record(number, quarter, flow(amounts))
        self._put(quarter, compact(total))

    def settle(self, partition: int, rows: Mapping[int, Amounts], *, last: bool) -> None:
        """A partition lets go of its rows: from now on their amounts are a part of the day.

        Args:
            partition: its number.
            rows: quarter → what it had counted.
            last: no other partition keeps rows of this day.
        """
        day = self.day
        if last:  # rows are the sum of what is settled, and say it all
            day.base = None
        else:
            if day.base is None:
                day.base = self._as_it_stands() if day.settled else {}
            for quarter, amounts in rows.items():
                total = spread(day.base.get(quarter, []))
                add_amounts(total, amounts)
                day.base[quarter] = compact(total)
        day.settled.append(partition)
        self.changed = True

    def _as_it_stands(self) -> dict[int, list[int]]:
        return {n: list(kept.counted) for n, kept in enumerate(self.day.rows) if kept}

    def _record(self, partition: int, quarter: int, net: int) -> None:
        nets = self.day.recorded.setdefault(partition, {})
        if nets.get(quarter, 0) != net:
            nets[quarter] = net
            self.changed = True

    def zero(self, quarter: int) -> None:
        """Nobody came, and that is known."""
        if self.row(quarter) is None:
            self._put(quarter, [])

    def _put(self, quarter: int, counted: list[int]) -> None:
        rows, row = self.day.rows, self.row(quarter)
        if row is not None and row.counted == counted:
            return
        rows.extend([None] * (quarter + 1 - len(rows)))
        if row is None:
            rows[quarter] = Kept(counted)
        else:
            row.counted = counted
        self.touched.add(quarter)
        self.changed = True

    def chain(
        self, opening: int, carried: Mapping[int, int], last: Callable[[int], int]
    ) -> tuple[int, dict[int, int]]:
        """Let the depth of the queue run through the day.

        Args:
            opening: contacts in the queue at its start, by what is live.
            carried: number of a recording's partition → those by a recording.
            last: number of a recording's partition → start of the last quarter in which it tells of the queue.

        Returns:
            The same at the end of the day.
        """
        day, begin = self.day, self.number * DAY
        waiting = {number: n for number, n in carried.items() if n and last(number) >= begin}
        if (day.opening, day.carried) != (opening, waiting):
            day.opening, day.carried, self.changed = opening, dict(waiting), True
        for quarter, row in enumerate(day.rows):
            if row is None:
                continue
            depth = opening + sum(waiting.values())
            if row.depth != depth:
                row.depth = depth
                self.touched.add(quarter)
                self.changed = True
            opening += sum(row.counted[FLOW : FLOW + MINUTES])
            for number, nets in day.recorded.items():
                net = nets.get(quarter, 0)
                opening -= net
                waiting[number] = waiting.get(number, 0) + net
            for number in [n for n in waiting if last(n) <= begin + quarter * QUARTER]:
                del waiting[number]
        return opening, {number: n for number, n in waiting.items() if n}

    def finish(self, final: int, revision: int) -> tuple[list[int], int]:
        """Number what became final, or changed since it was.

        Args:
            final: rows that end by then are final.
            revision: the last number that was given.

        Returns:
            The quarters that were numbered, and the last number.
        """
        begin, base = self.number * DAY, self.number * DAY * NUMBERS
        numbered = []
        for quarter, row in enumerate(self.day.rows):
            if row is None or begin + (quarter + 1) * QUARTER > final:
                continue
            if row.version == 0 or quarter in self.touched:
                revision += 1
                row.version += 1
                row.stamp = revision - base
                numbered.append(quarter)
        self.changed = self.changed or bool(numbered)
        self.touched.clear()
        return numbered, revision


def rows_of(
    number: int, day: Day, queue: str, channel: str, revised: tuple[int, int] | None = None
) -> Iterator[IntervalRow]:
    """A day's rows as they are read; with ``revised`` those whose revision is larger than the first and at most the second."""
    begin = number * DAY
    for quarter, row in enumerate(day.rows[:QUARTERS]):
        if row is None:
            continue
        revision = begin * NUMBERS + row.stamp if row.version else 0
        if revised is None or revised[0] < revision <= revised[1]:
            yield row_of(
                (begin + quarter * QUARTER, queue, channel),
                row.counted,
                backlog_start=row.depth,
                backlog_max=depths(row.counted[FLOW : FLOW + MINUTES], row.depth)[0],
                final=row.version > 0,
                revision=revision,
                version=row.version,
            )
