"""KPIs as interval rows know them: over windows that end where a 15-minute interval ends.

Rows count a contact where it was queued, with its outcome, whenever that was; live windows count when something happens. So
what is computed here is the live number of about that time, and not of a moment between two intervals. What rows do not hold
is reported by name, and never estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Final

from msgspec import Struct

from stream_app.model.durations import MINUTE
from stream_app.model.intervals.columns import COLUMNS, INTERVAL_MS, IntervalRow
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Choice, Either, Level, Ratio, WindowCount
from stream_app.model.kpis.sums import Sum
from stream_app.model.windows import WINDOWS, midnight

_COUNTED: Final[dict[str, Callable[[IntervalRow], int]]] = {
    name: attrgetter(name)
    for name in (
        *("offered", "answered", "answered_in_target", "abandoned", "abandoned_in_target", "abandoned_short"),
        *(
            "left",
            "left_in_target",
            "lost",
            "refused",
            "handled",
            "talk_ms",
            "hold_ms",
            "wrap_ms",
            "abandon_wait_ms",
            "closed_unanswered",
        ),
        *(name for name, column in COLUMNS.items() if column.counter is not None),
    )
} | {
    "answer_wait_ms": attrgetter("wait_ms"),
    "decided": attrgetter("demand"),  # each of them is decided, or will be
    "abandoned_late": lambda row: row.abandoned - row.abandoned_in_target,
    "decided_then_abandoned": lambda row: row.abandoned - row.abandoned_in_target,
}
"""Name of a counter → what it is in a row."""


class Measured(Struct, frozen=True):
    """A KPI over a window. ``value`` is ``None`` where there is nothing to divide by."""

    value: float | None
    samples: int


def unknown(kpi: Kpi, window: str | None) -> str | None:
    """Return why interval rows can't tell a KPI over a window; ``None`` if they can."""
    if isinstance(kpi.measure, Level) and kpi.measure.read == "count":
        return None
    if kpi.is_level or not isinstance(kpi.measure, Ratio | Choice | Either | WindowCount):
        return f"{kpi.name} is not in interval rows: it is known only at the moment itself"
    missing = sorted({c.name for c in kpi.measure.counters} - _COUNTED.keys())
    if missing:
        return f"{kpi.name} is not in interval rows: they do not count {', '.join(missing)}"
    span = WINDOWS[window or "today"].span
    if span is not None and span % INTERVAL_MS:
        return (
            f"{kpi.name} over {window} is shorter than the rows, which are of {INTERVAL_MS // MINUTE} minutes"
        )
    return None


class RowHistory:
    """The final rows of one queue and channel, in 15-minute steps without holes: what is missing is known to be."""

    def __init__(self, rows: Sequence[IntervalRow], zone: str) -> None:
        """Take rows in chronological order, at least one, no two of one time; ``zone`` is where the day begins."""
        self.first = rows[0].start
        self.length = (rows[-1].start - self.first) // INTERVAL_MS + 1
        self._zone = zone
        self._rows: list[IntervalRow | None] = [None] * self.length
        for row in rows:
            self._rows[(row.start - self.first) // INTERVAL_MS] = row
        self._missing = _running(int(row is None) for row in self._rows)
        self._sums: dict[str, list[int]] = {}

    def end(self, n: int) -> int:
        """Return where interval ``n`` ends, ms."""
        return self.first + (n + 1) * INTERVAL_MS

    @property
    def missing(self) -> int:
        """Intervals between the first and the last without a row."""
        return self._missing[-1]

    def measured(self, kpi: Kpi, window: str | None, n: int, policy: str, back: int = 0) -> Measured | None:
        """Return a KPI at the end of interval ``n``, or ``back`` intervals before; ``None`` if that is not known."""
        n -= back
        if isinstance(kpi.measure, Level):
            after = self._rows[n + 1] if 0 <= n + 1 < self.length else None
            depth = None if after is None else after.backlog_start
            return None if depth is None else Measured(float(depth), depth)
        begin, until = self._window(window or "today", n), n + 1
        if begin < 0 or self._missing[until] - self._missing[begin]:
            return None

        def total(part: Sum) -> int:
            return sum(sign * self._total(c.name, begin, until) for sign, c in part.terms)

        if isinstance(kpi.measure, WindowCount):
            count = total(Sum.of(kpi.measure.of))
            return Measured(float(count), count)
        ratio = kpi.ratio(policy)
        if ratio is None:
            return None
        over, under = total(Sum.of(ratio.numerator)), total(Sum.of(ratio.denominator))
        value = ratio.times * over / (under * kpi.unit.parts) if under > 0 else None
        return Measured(value, max(0, under))

    def _window(self, name: str, n: int) -> int:
        """Return the first interval of a window that ends with interval ``n``."""
        window = WINDOWS[name]
        end = self.end(n)
        start = end - window.span if window.span is not None else min(end, midnight(end, self._zone))
        return (start - self.first) // INTERVAL_MS

    def _total(self, counter: str, begin: int, until: int) -> int:
        sums = self._sums.get(counter)
        if sums is None:
            read = _COUNTED[counter]
            sums = self._sums[counter] = _running(0 if row is None else read(row) for row in self._rows)
        return sums[until] - sums[begin]


def _running(amounts: Iterable[int]) -> list[int]:
    return [*accumulate(amounts, initial=0)]


def by_place(rows: Iterable[IntervalRow]) -> Mapping[tuple[str, str], list[IntervalRow]]:
    """Return the final 15-minute rows of each queue and channel, in chronological order."""
    found: dict[tuple[str, str], list[IntervalRow]] = {}
    for row in sorted(rows, key=attrgetter("queue", "channel", "start")):
        if row.final:
            found.setdefault((row.queue, row.channel), []).append(row)
    return found
