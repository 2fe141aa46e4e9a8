"""A day of interval rows of one queue and channel, as it is published: what partitions counted, added up. Pure.

Days and quarters are those of UTC; a day is numbered from the epoch, a quarter from 0 to 95 within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from .interval_rows import IntervalRow, depths, row_of
from .intervals import DAY, FLOW, MINUTES, QUARTER, QUARTERS, Amounts, add_amounts, compact, spread


class Kept(Struct, array_like=True):
    """One row; also its stored form, so fields may be appended, never moved.

    Attributes:
        counted: by place, see ``model.intervals``; zeros at the end are left out.
        depth: contacts in the queue when it began.
        version: 0 while it is open, 1 when it became final, one more at each change since.
        stamp: its revision, less the start of its day.
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
        base: quarter → what those had counted, where others still count; empty: it is what stands in ``rows``.
        over: number of a recording's partition → (the last quarter in which it tells of this queue, how many wait then):
            nobody watches them any longer, so they are in no depth after it.
    """

    opening: int = 0
    rows: list[Kept | None] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    base: dict[int, list[int]] = field(default_factory=dict)
    over: dict[int, tuple[int, int]] = field(default_factory=dict)


class DayRows:
    """A day that is being changed.

    Attributes:
        number: of the day.
        day: what is stored of it.
        touched: quarters whose rows are not what they were.
        changed: anything has changed.
    """

    def __init__(self, number: int, day: Day | None, opening: int = 0) -> None:
        """``opening`` is that of a day that is new."""
        self.number = number
        self.day = Day(opening) if day is None else day
        self.touched: set[int] = set()
        self.changed = day is None

    def row(self, quarter: int) -> Kept | None:
        """What is known of a quarter."""
        rows = self.day.rows
        return rows[quarter] if quarter < len(rows) else None

    def count(self, quarter: int, by_partition: Mapping[int, Amounts]) -> None:
        """Take what partitions have counted, by their numbers, for what the row is now."""
        day, row = self.day, self.row(quarter)
        total: Amounts = {}
        if day.settled:
            if not day.base and any(number not in day.settled for number in by_partition):
                day.base = {n: list(kept.counted) for n, kept in enumerate(day.rows) if kept}
            total = spread(day.base.get(quarter, []) if day.base else row.counted if row else [])
        for number, amounts in by_partition.items():
            if number not in day.settled:
                add_amounts(total, amounts)
        self._put(quarter, compact(total))

    def settle(self, partition: int, rows: Mapping[int, Amounts], *, last: bool) -> None:
        """A partition lets go of its rows: from now on their amounts are a part of the day.

        Args:
            partition: its number.
            rows: quarter → what it had counted.
            last: no other partition keeps rows of this day.
        """
        day = self.day
        if day.settled and not day.base and not last:
            day.base = {n: list(kept.counted) for n, kept in enumerate(day.rows) if kept}
        for quarter, amounts in rows.items():
            total = spread(day.base.get(quarter, []))
            add_amounts(total, amounts)
            day.base[quarter] = compact(total)
        day.settled.append(partition)
        if last:  # rows are the sum of what is settled, and say it all
            day.base = {}
        self.changed = True

    def end_recording(self, partition: int, quarter: int, waiting: int) -> None:
        """A recording tells nothing of this queue after a quarter, when so many wait."""
        if self.day.over.get(partition) != (quarter, waiting):
            self.day.over[partition] = (quarter, waiting)
            self.changed = True

    def go_on_recording(self, partition: int) -> None:
        """It does tell more, of another day."""
        if self.day.over.pop(partition, None):
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

    def chain(self, opening: int) -> int:
        """Let the depth of the queue run through the day; gives it as of the day's end."""
        day = self.day
        if day.opening != opening:
            day.opening, self.changed = opening, True
        over: dict[int, int] = {}
        for quarter, waiting in day.over.values():
            over[quarter] = over.get(quarter, 0) + waiting
        depth = opening
        for quarter, row in enumerate(day.rows):
            if row is None:
                continue
            if row.depth != depth:
                row.depth = depth
                self.touched.add(quarter)
                self.changed = True
            depth += sum(row.counted[FLOW : FLOW + MINUTES]) - over.get(quarter, 0)
        return depth

    def closing(self) -> int:
        """The depth at its end, as it stands."""
        flows = (sum(row.counted[FLOW : FLOW + MINUTES]) for row in self.day.rows if row)
        return self.day.opening + sum(flows) - sum(waiting for _, waiting in self.day.over.values())

    def finish(self, final: int, revision: int) -> tuple[list[int], int]:
        """Number what became final, or changed since it was.

        Args:
            final: rows that end by then are final.
            revision: the last number that was given.

        Returns:
            The quarters that were numbered, and the last number.
        """
        begin = self.number * DAY
        numbered = []
        for quarter, row in enumerate(self.day.rows):
            if row is None or begin + (quarter + 1) * QUARTER > final:
                continue
            if row.version == 0 or quarter in self.touched:
                revision += 1
                row.version += 1
                row.stamp = revision - begin
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
        revision = begin + row.stamp if row.version else 0
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
