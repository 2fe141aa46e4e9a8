"""The trend of a KPI over the last six hours, interval by interval: the board's 15-minute cells in the snapshot's formulas.

A completed interval is computed once: it is read again only if its cells changed. Pure, like the board that it reads.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from msgspec import Struct

from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import Cell
from stream_app.model.kpis import HEADLINES
from stream_app.model.kpis.counters import (
    abandoned,
    answered,
    from_bot,
    left,
    lost,
    offered,
    to_bot,
)
from stream_app.model.kpis.measures import Choice, Level, Ratio
from stream_app.model.targets import QueueTargets, Targets

from .board import Board
from .formulas import Formula, added
from .running import INTERVAL_MS
from .snapshot import Snapshots

WHOLE: Final = 24
"""The number of completed intervals; the running one is the last step."""
TRENDS: Final = tuple(
    kpi
    for kpi in HEADLINES
    if isinstance(kpi.measure, Ratio | Choice)
    or (isinstance(kpi.measure, Level) and kpi.measure.read == "count")
)
"""The headlines that have a history: none is kept of the oldest waiting."""
_NAMES: Final = frozenset(kpi.name for kpi in TRENDS)
YOUNG_MS: Final = 10_000
"""A row younger than this is returned again: many wallboards cost no more than one."""
_JOINED: Final = offered + from_bot - to_bot - answered - abandoned - left - lost
"""By how many more contacts wait after an interval than before it."""

_Step = tuple[float | None, int]
"""value, samples"""


class KpiTrend(Struct, frozen=True, gc=False):
    """A KPI's steps; a level has no samples, and is measured at each step's end."""

    values: list[float | None]
    samples: list[int] | None = None


class QueueTrend(Struct, frozen=True, gc=False):
    """One queue and channel: KPI → its steps, oldest first."""

    queue: str
    channel: str
    lines: dict[str, KpiTrend]


class _Interval(Struct, frozen=True, gc=False):
    """One interval without the contacts that still wait.

    Attributes:
        packed: the cells that it was read from.
        terms: numerator and denominator, by KPI.
        steps: the same divided.
        joined: by how many contacts the queue grew.
    """

    packed: tuple[bytes, ...]
    terms: tuple[tuple[int, int], ...]
    steps: tuple[_Step, ...]
    joined: int


class _Known(Struct):
    """The cached intervals and row of a queue under one rule."""

    rule: QueueTargets
    intervals: dict[int, _Interval] = {}
    row: QueueTrend | None = None
    made_at: int = 0


def steps(now: int) -> list[int]:
    """Return the start of each step: the completed intervals, then the one that is running at ``now``."""
    running = now - now % INTERVAL_MS
    return [running - n * INTERVAL_MS for n in range(WHOLE, -1, -1)]


class Trends:
    """Makes rows one at a time, so that a caller that needs hundreds can do other work in between."""

    def __init__(self, board: Board, snapshots: Snapshots) -> None:
        """Read ``board``; ``snapshots`` of the headlines knows the rules and the formulas in force."""
        self._board = board
        self._snapshots = snapshots
        self._known: dict[QueueChannel, _Known] = {}

    def row(self, targets: Targets, queue: QueueChannel, now: int) -> QueueTrend:
        """Return the steps of a queue as of ``now``; the latest may be ``YOUNG_MS`` behind."""
        rule, formulas = self._snapshots.in_force(targets, queue)
        known = self._known.get(queue)
        if known is None or known.rule is not rule:
            known = self._known[queue] = _Known(rule)
        starts = steps(now)
        made = steps(known.made_at)[-1]
        if known.row is None or not 0 <= now - known.made_at < YOUNG_MS or made != starts[-1]:
            known.row, known.made_at = self._row(queue, known, formulas, starts), now
        return known.row

    def _row(
        self, queue: QueueChannel, known: _Known, formulas: list[Formula], starts: list[int]
    ) -> QueueTrend:
        ours = [f for f in formulas if f.kpi.name in _NAMES]
        for old in [start for start in known.intervals if start < starts[0]]:
            del known.intervals[old]
        intervals = [
            self._interval(queue, known, ours, start) for start in (*starts, starts[-1] + INTERVAL_MS)
        ]
        due = self._due(queue, starts[0])
        columns = [
            interval.steps
            if start not in due
            else tuple(
                _step(f, over, under, due[start], known.rule)
                for f, (over, under) in zip(ours, interval.terms, strict=True)
            )
            for start, interval in zip(starts, intervals, strict=False)
        ]
        lines = {
            f.kpi.name: KpiTrend([column[n][0] for column in columns], [column[n][1] for column in columns])
            for n, f in enumerate(ours)
        }
        depth = self._depth(queue, [interval.joined for interval in intervals])
        return QueueTrend(*queue, {k.name: lines.get(k.name) or KpiTrend(list(depth)) for k in TRENDS})

    def _interval(self, queue: QueueChannel, known: _Known, formulas: list[Formula], start: int) -> _Interval:
        packed = self._board.packed_interval(queue, start)
        found = known.intervals.get(start)
        if found is None or found.packed != packed:
            cell = self._board.interval(queue, start)
            terms = [f.terms(cell, 0, known.rule) for f in formulas]
            parts = tuple((int(t["over"]), int(t["under"])) for t in terms)
            done = tuple(_step(f, *p, 0, known.rule) for f, p in zip(formulas, parts, strict=True))
            found = known.intervals[start] = _Interval(packed, parts, done, self._joined(cell))
        return found

    def _joined(self, cell: Cell) -> int:
        numbers = self._board.numbers
        return sum(sign * cell.get(numbers.get(c.name, 0), 0) for sign, c in _JOINED.terms)

    def _due(self, queue: QueueChannel, first: int) -> dict[int, int]:
        """Return how many of the contacts that still wait were decided in each interval because T passed."""
        waiting = self._board.waiting.get(queue)
        out: dict[int, int] = {}
        for at in waiting.due if waiting else ():
            if first <= at <= self._board.now:
                out[at - at % INTERVAL_MS] = out.get(at - at % INTERVAL_MS, 0) + 1
        return out

    def _depth(self, queue: QueueChannel, joined: list[int]) -> list[float]:
        """Return how many waited at the end of each step: those who wait now, less later arrivals, plus later departures."""
        waiting = self._board.waiting.get(queue)
        depths = [len(waiting.queued) if waiting else 0]
        # A stamp slightly ahead of us, after the running interval, counts as waiting now and not earlier.
        later = [*joined[:-2], joined[-2] + joined[-1]]
        for change, _ in pairwise(reversed(later)):
            depths.append(depths[-1] - change)
        return [float(max(0, depth)) for depth in reversed(depths)]


def _step(formula: Formula, over: int, under: int, overdue: int, rule: QueueTargets) -> _Step:
    terms = {"over": over, "under": under}
    value = formula.value(added((terms, formula.terms({}, overdue, rule))) if overdue else terms, {})
    return value.value, value.samples
