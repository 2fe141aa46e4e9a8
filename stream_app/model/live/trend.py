"""How a KPI went in the last six hours, quarter by quarter: the board's 15-minute cells through the snapshot's formulas.

What is over is computed once: a quarter is read again only if its cells changed. Pure, like the board that it reads.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from msgspec import Struct

from .board import Board
from .formulas import Formula, added
from .kpis import HEADLINES
from .kpis.counters import abandoned, answered, left, lost, offered
from .measures import Choice, Level, Ratio
from .running import QUARTER, Queue
from .snapshot import Snapshots
from .tally import Cell
from .targets import Rule, Targets

WHOLE: Final = 24
"""So many quarters that are over; the running one is the last step."""
TRENDS: Final = tuple(
    kpi
    for kpi in HEADLINES
    if isinstance(kpi.measure, Ratio | Choice)
    or (isinstance(kpi.measure, Level) and kpi.measure.read == "count")
)
"""The headlines that have a past: of the oldest waiting nothing is kept."""
_NAMES: Final = frozenset(kpi.name for kpi in TRENDS)
YOUNG_MS: Final = 10_000
"""A row that was made so short a time ago is given again: many wallboards cost no more than one."""
_JOINED: Final = offered - answered - abandoned - left - lost
"""By how much more contacts wait after a stretch of time than before it."""

_Step = tuple[float | None, int]
"""value, samples"""


class Line(Struct, frozen=True):
    """A KPI's steps; a level has no samples, and is that of each step's end."""

    values: list[float | None]
    samples: list[int] | None = None


class TrendRow(Struct, frozen=True):
    """One queue and channel: KPI → its steps, oldest first."""

    queue: str
    channel: str
    lines: dict[str, Line]


class _Quarter(Struct, frozen=True):
    """What one quarter comes to without those who still wait.

    Attributes:
        packed: the cells that it was read from.
        terms: over and under the line, by KPI.
        steps: the same divided.
        joined: by how much the queue became longer.
    """

    packed: tuple[bytes, ...]
    terms: tuple[tuple[int, int], ...]
    steps: tuple[_Step, ...]
    joined: int


class _Known(Struct):
    """What is remembered of a queue under one rule."""

    rule: Rule
    quarters: dict[int, _Quarter] = {}
    row: TrendRow | None = None
    made_at: int = 0


def steps(now: int) -> list[int]:
    """When each step began: the whole quarters, then the one that runs at ``now``."""
    running = now - now % QUARTER
    return [running - n * QUARTER for n in range(WHOLE, -1, -1)]


class Trends:
    """Makes rows, one at a time, so that whoever asks for hundreds may do other things between them."""

    def __init__(self, board: Board, snapshots: Snapshots) -> None:
        """``board`` is read; ``snapshots`` of the headlines knows the rules and the formulas in force."""
        self._board = board
        self._snapshots = snapshots
        self._known: dict[Queue, _Known] = {}

    def row(self, targets: Targets, queue: Queue, now: int) -> TrendRow:
        """The steps of a queue as of ``now``; the latest may be ``YOUNG_MS`` behind."""
        rule, formulas = self._snapshots.in_force(targets, queue)
        known = self._known.get(queue)
        if known is None or known.rule is not rule:
            known = self._known[queue] = _Known(rule)
        starts = steps(now)
        made = steps(known.made_at)[-1]
        if known.row is None or not 0 <= now - known.made_at < YOUNG_MS or made != starts[-1]:
            known.row, known.made_at = self._row(queue, known, formulas, starts), now
        return known.row

    def _row(self, queue: Queue, known: _Known, formulas: list[Formula], starts: list[int]) -> TrendRow:
        ours = [f for f in formulas if f.kpi.name in _NAMES]
        for old in [start for start in known.quarters if start < starts[0]]:
            del known.quarters[old]
        quarters = [self._quarter(queue, known, ours, start) for start in (*starts, starts[-1] + QUARTER)]
        due = self._due(queue, starts[0])
        columns = [
            quarter.steps
            if start not in due
            else tuple(
                _step(f, over, under, due[start], known.rule)
                for f, (over, under) in zip(ours, quarter.terms, strict=True)
            )
            for start, quarter in zip(starts, quarters, strict=False)
        ]
        lines = {
            f.kpi.name: Line([column[n][0] for column in columns], [column[n][1] for column in columns])
            for n, f in enumerate(ours)
        }
        depth = self._depth(queue, [quarter.joined for quarter in quarters])
        return TrendRow(*queue, {k.name: lines.get(k.name) or Line(list(depth)) for k in TRENDS})

    def _quarter(self, queue: Queue, known: _Known, formulas: list[Formula], start: int) -> _Quarter:
        packed = self._board.packed_quarter(queue, start)
        found = known.quarters.get(start)
        if found is None or found.packed != packed:
            cell = self._board.quarter(queue, start)
            terms = [f.terms(cell, 0, known.rule) for f in formulas]
            parts = tuple((int(t["over"]), int(t["under"])) for t in terms)
            done = tuple(_step(f, *p, 0, known.rule) for f, p in zip(formulas, parts, strict=True))
            found = known.quarters[start] = _Quarter(packed, parts, done, self._joined(cell))
        return found

    def _joined(self, cell: Cell) -> int:
        numbers = self._board.numbers
        return sum(sign * cell.get(numbers.get(c.name, 0), 0) for sign, c in _JOINED.terms)

    def _due(self, queue: Queue, first: int) -> dict[int, int]:
        """Quarter → how many of those who still wait were decided in it by the passing of T alone."""
        waiting = self._board.waiting.get(queue)
        out: dict[int, int] = {}
        for at in waiting.due if waiting else ():
            if first <= at <= self._board.now:
                out[at - at % QUARTER] = out.get(at - at % QUARTER, 0) + 1
        return out

    def _depth(self, queue: Queue, joined: list[int]) -> list[float]:
        """How many waited at the end of each step: those who wait now, less who came since, and more who went."""
        waiting = self._board.waiting.get(queue)
        depths = [len(waiting.queued) if waiting else 0]
        # What is stamped a little ahead of us, behind the running quarter, waits now and not earlier.
        later = [*joined[:-2], joined[-2] + joined[-1]]
        for change, _ in pairwise(reversed(later)):
            depths.append(depths[-1] - change)
        return [float(max(0, depth)) for depth in reversed(depths)]


def _step(formula: Formula, over: int, under: int, overdue: int, rule: Rule) -> _Step:
    terms = {"over": over, "under": under}
    value = formula.value(added((terms, formula.terms({}, overdue, rule))) if overdue else terms, {})
    return value.value, value.samples
