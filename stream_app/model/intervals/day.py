"""A day of interval rows of one queue and channel, as it is published: what partitions counted, added up. Pure.

Days and intervals are those of UTC; a day is numbered from the epoch, an interval from 0 to 95 within it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from msgspec import Struct, field

from stream_app.model.durations import DAY

from .columns import FLOW, INTERVAL_MS, MINUTES, IntervalRow
from .counting import INTERVALS_A_DAY, NUMBERS, Amounts, add_amounts, compact, flow, spread
from .row import depths, row_of


class Kept(Struct, array_like=True):
    """One row; also its stored form, so fields may be appended, never moved.

    Attributes:
        counted: by place, see ``model.intervals.counting``; zeros at the end are left out.
        depth: contacts in the queue when it began.
        version: 0 while it is open, 1 when it became final, one more at each change since.
        stamp: its revision, less that of the start of its day.
    """

    counted: list[int]
    depth: int = 0
    version: int = 0
    stamp: int = 0


class PublishedDay(Struct, array_like=True):
    """A day; also its stored form.

    Attributes:
        opening: contacts in the queue at its start.
        rows: by interval; ``None`` where nothing is known.
        settled: numbers of the partitions that count nothing in it any more and have let go of their rows.
        base: interval → what those had counted, where others still count; ``None``: it is what stands in ``rows``.
        recorded: number of a recording's partition → interval → who came less who went. Whoever waits where a recording ends is
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
        touched: intervals whose rows are not what they were.
        changed: anything has changed.
    """

    def __init__(self, number: int, day: PublishedDay | None) -> None:
        """``None`` is a day that is new."""
        self.number = number
        self.day = PublishedDay() if day is None else day
        self.touched: set[int] = set()
        self.changed = day is None

    def row(self, interval: int) -> Kept | None:
        """Return what is known of an interval."""
        rows = self.day.rows
        return rows[interval] if interval < len(rows) else None

    def count(self, interval: int, by_partition: Mapping[int, Amounts], recordings: Collection[int]) -> None:
        """Take what partitions have counted for what the row is now.

        Args:
            interval: of the day.
            by_partition: number of a partition → its amounts.
            recordings: numbers of partitions that are recordings.
        """
        day = self.day
        open_ones = {n: amounts for n, amounts in by_partition.items() if n not in day.settled}
        if not open_ones and day.settled and day.base is None:
            return
        if day.settled and day.base is None:
            day.base = self._as_it_stands()
        total = spread(day.base.get(interval, []) if day.base else [])
        for number, amounts in open_ones.items():
            add_amounts(total, amounts)
            if number in recordings:
                self._record(number, interval, flow(amounts))
        self._put(interval, compact(total))

    def settle(self, partition: int, rows: Mapping[int, Amounts], *, last: bool) -> None:
        """Take over the rows of a partition: from now on their amounts are a part of the day.

        Args:
            partition: its number.
            rows: interval → what it had counted.
            last: no other partition keeps rows of this day.
        """
        day = self.day
        if last:  # rows are the sum of what is settled, and say it all
            day.base = None
        else:
            if day.base is None:
                day.base = self._as_it_stands() if day.settled else {}
            for interval, amounts in rows.items():
                total = spread(day.base.get(interval, []))
                add_amounts(total, amounts)
                day.base[interval] = compact(total)
        day.settled.append(partition)
        self.changed = True

    def _as_it_stands(self) -> dict[int, list[int]]:
        return {n: list(kept.counted) for n, kept in enumerate(self.day.rows) if kept}

    def _record(self, partition: int, interval: int, net: int) -> None:
        nets = self.day.recorded.setdefault(partition, {})
        if nets.get(interval, 0) != net:
            nets[interval] = net
            self.changed = True

    def zero(self, interval: int) -> None:
        """Nobody came, and that is known."""
        if self.row(interval) is None:
            self._put(interval, [])

    def _put(self, interval: int, counted: list[int]) -> None:
        rows, row = self.day.rows, self.row(interval)
        if row is not None and row.counted == counted:
            return
        rows.extend([None] * (interval + 1 - len(rows)))
        if row is None:
            rows[interval] = Kept(counted)
        else:
            row.counted = counted
        self.touched.add(interval)
        self.changed = True

    def chain(
        self, opening: int, carried: Mapping[int, int], last: Callable[[int], int]
    ) -> tuple[int, dict[int, int]]:
        """Let the depth of the queue run through the day.

        Args:
            opening: contacts in the queue at its start, by what is live.
            carried: number of a recording's partition → those by a recording.
            last: number of a recording's partition → start of the last interval in which it tells of the queue.

        Returns:
            The same at the end of the day.
        """
        day, begin = self.day, self.number * DAY
        waiting = {number: n for number, n in carried.items() if n and last(number) >= begin}
        if (day.opening, day.carried) != (opening, waiting):
            day.opening, day.carried, self.changed = opening, dict(waiting), True
        for interval, row in enumerate(day.rows):
            if row is None:
                continue
            depth = opening + sum(waiting.values())
            if row.depth != depth:
                row.depth = depth
                self.touched.add(interval)
                self.changed = True
            opening += sum(row.counted[FLOW : FLOW + MINUTES])
            for number, nets in day.recorded.items():
                net = nets.get(interval, 0)
                opening -= net
                waiting[number] = waiting.get(number, 0) + net
            for number in [n for n in waiting if last(n) <= begin + interval * INTERVAL_MS]:
                del waiting[number]
        return opening, {number: n for number, n in waiting.items() if n}

    def finish(self, final: int, revision: int) -> tuple[list[int], int]:
        """Give numbers to rows that became final, or have changed since.

        Args:
            final: rows that end by then are final.
            revision: the last number that was given.

        Returns:
            The intervals that were numbered, and the last number.
        """
        begin, base = self.number * DAY, self.number * DAY * NUMBERS
        numbered = []
        for interval, row in enumerate(self.day.rows):
            if row is None or begin + (interval + 1) * INTERVAL_MS > final:
                continue
            if row.version == 0 or interval in self.touched:
                revision += 1
                row.version += 1
                row.stamp = revision - base
                numbered.append(interval)
        self.changed = self.changed or bool(numbered)
        self.touched.clear()
        return numbered, revision


def rows_of(
    number: int, day: PublishedDay, queue: str, channel: str, revised: tuple[int, int] | None = None
) -> Iterator[IntervalRow]:
    """Return a day's rows; with ``revised`` only those with a revision above the first and up to the second."""
    begin = number * DAY
    for interval, row in enumerate(day.rows[:INTERVALS_A_DAY]):
        if row is None:
            continue
        revision = begin * NUMBERS + row.stamp if row.version else 0
        if revised is None or revised[0] < revision <= revised[1]:
            yield row_of(
                (begin + interval * INTERVAL_MS, queue, channel),
                row.counted,
                backlog_start=row.depth,
                backlog_max=depths(row.counted[FLOW : FLOW + MINUTES], row.depth)[0],
                final=row.version > 0,
                revision=revision,
                version=row.version,
            )
