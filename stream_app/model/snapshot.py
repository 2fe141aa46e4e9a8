"""Snapshot: what is true now, computed in one place for every reader.

``take`` turns a board into plain data. Values are in base units (seconds, ratios 0…1, contacts); ``None`` is "no data".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from .board import EVERYONE, Board, Queue
from .kpi import Kpi
from .kpis import KPIS, TOTALS
from .measures import Level, Sums, percentile
from .tally import SHIFT, Cell, is_sketch
from .targets import Rule, Targets
from .windows import WINDOWS

PERCENTILES: Final[dict[str, float]] = {"p50": 0.50, "p90": 0.90, "p95": 0.95}


class Value(Struct, frozen=True):
    """A KPI in a window.

    Attributes:
        value: in the KPI's unit.
        samples: the denominator, what the value rests on.
        percentiles: ``p50``, ``p90``, ``p95`` in seconds, for KPIs with a distribution.
    """

    value: float | None
    samples: int
    percentiles: dict[str, float | None] | None = None


class Row(Struct, frozen=True):
    """One queue and channel.

    Attributes:
        policy: the name of the service level's formula.
        targets: KPI → target.
        levels: KPI → value now.
        windows: window → KPI → value.
        totals: ``offered``, ``answered``, ``abandoned``, ``handled`` since the beginning.
    """

    queue: str
    channel: str
    policy: str
    targets: dict[str, float]
    levels: dict[str, float | None]
    windows: dict[str, dict[str, Value]]
    totals: dict[str, int]


class Snapshot(Struct, frozen=True):
    """Everything that a view shows.

    Attributes:
        at: milliseconds since the epoch.
        rows: sorted by queue and channel.
        everyone: window → KPI → percentiles over all queues.
    """

    at: int
    rows: list[Row]
    everyone: dict[str, dict[str, Value]]


class Snapshots:
    """Takes snapshots of a board; a row is computed again only if it changed."""

    def __init__(self, board: Board) -> None:
        """``board`` is read, never written."""
        self._board = board
        self._names: dict[int, str] = {}
        self._rules: dict[Queue, Rule] = {}
        self._targets: Targets | None = None
        self._rows: dict[Queue, tuple[object, Row]] = {}

    def take(self, targets: Targets) -> Snapshot:
        """The board as of its ``now``, under these settings."""
        if targets is not self._targets:
            self._targets, self._rules, self._rows = targets, {}, {}
        board = self._board
        self._names = {number: name for name, number in board.numbers.items()}
        queues = sorted(queue for queue in board.changes if queue != EVERYONE)
        rows = [self._row(queue) for queue in queues]
        rule = targets.rule(*EVERYONE)
        everyone = {
            name: {
                kpi: value
                for kpi, value in self._values(rule, board.running(name, "UTC").sums[EVERYONE], 0).items()
                if value.percentiles is not None
            }
            for name in WINDOWS
        }
        return Snapshot(board.now, rows, everyone)

    def _row(self, queue: Queue) -> Row:
        board = self._board
        rule = self._rules.get(queue)
        if rule is None and self._targets is not None:
            rule = self._rules[queue] = self._targets.rule(*queue)
        assert rule is not None  # noqa: S101 - take() sets the targets first
        runnings = {name: board.running(name, rule.zone) for name in WINDOWS}
        waiting = board.waiting.get(queue)
        overdue = {
            name: waiting.overdue(running.start, board.now) if waiting and waiting.queued else 0
            for name, running in runnings.items()
        }
        stamp = (board.changes[queue], tuple(overdue.values()))
        cached = self._rows.get(queue)
        if cached and cached[0] == stamp and not (waiting and waiting.queued):
            return cached[1]
        if cached and cached[0] == stamp:
            windows, totals = cached[1].windows, cached[1].totals
        else:
            windows = {
                name: self._values(rule, running.sums.get(queue, {}), overdue[name])
                for name, running in runnings.items()
            }
            total = board.totals.get(queue, {})
            totals = {c.name: total.get(board.numbers[c.name], 0) for c in TOTALS}
        row = Row(*queue, rule.policy, rule.targets, self._levels(queue), windows, totals)
        self._rows[queue] = (stamp, row)
        return row

    def _levels(self, queue: Queue) -> dict[str, float | None]:
        waiting = self._board.waiting.get(queue)
        queued = waiting.queued if waiting else []
        out: dict[str, float | None] = {}
        for kpi in KPIS:
            if isinstance(kpi.measure, Level):
                if kpi.measure.read == "count":
                    out[kpi.name] = len(queued)
                else:  # nobody waits: the oldest has waited for nothing, and an alert on it must be able to resolve
                    out[kpi.name] = max(0, self._board.now - queued[0]) * kpi.unit.scale if queued else 0.0
        return out

    def _values(self, rule: Rule, cell: Cell, overdue: int) -> dict[str, Value]:
        sums = {self._names[n]: v for n, v in cell.items() if n in self._names}
        if overdue:
            sums["decided"] = sums.get("decided", 0) + overdue
        return {kpi.name: self._value(kpi, rule.policy, sums, cell) for kpi in KPIS if kpi.windows}

    def _value(self, kpi: Kpi, policy: str, sums: Sums, cell: Cell) -> Value:
        ratio = kpi.ratio(policy)
        value = ratio.value(sums) if ratio else None
        return Value(
            None if value is None else value * kpi.unit.scale,
            ratio.samples(sums) if ratio else 0,
            percentiles(cell, self._board.numbers[kpi.spread.name]) if kpi.spread else None,
        )


def percentiles(cell: Mapping[int, int], number: int) -> dict[str, float | None]:
    """The percentiles of one sketch in a cell, in seconds."""
    base = number << SHIFT
    counts = {key - base: n for key, n in cell.items() if is_sketch(key) and key >> SHIFT == number}
    return {name: percentile(q, counts) for name, q in PERCENTILES.items()}
