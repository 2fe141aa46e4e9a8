"""Snapshot: what is true now, computed in one place for every reader.

``take`` turns a board into plain data. Values are in base units (seconds, ratios 0…1, contacts); ``None`` is
"no data".
"""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from math import ceil
from typing import Final

from msgspec import Struct

from .board import EVERYONE, Board, Queue, Running
from .kpi import Kpi
from .kpis import KPIS, TOTALS, decided
from .measures import Level, Ratio, Sum, Unit
from .sketch import BUCKETS, estimate
from .tally import SHIFT, Cell
from .targets import Rule, Targets
from .windows import WINDOWS

PERCENTILES: Final[dict[str, float]] = {"p50": 0.50, "p90": 0.90, "p95": 0.95}
_NOTHING: Final[dict[str, float | None]] = dict.fromkeys(PERCENTILES)
_SECONDS: Final = [estimate(index) / Unit.SECONDS.parts for index in range(BUCKETS)]

Values = dict[str, "Value"]
"""KPI → value."""


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
    windows: dict[str, Values]
    totals: dict[str, int]


class Snapshot(Struct, frozen=True):
    """Everything that a view shows.

    Attributes:
        at: milliseconds since the epoch.
        rows: sorted by queue and channel.
        everyone: window → KPI → mean and percentiles over all queues; ``today`` is that of the default zone.
    """

    at: int
    rows: list[Row]
    everyone: dict[str, Values]


_Terms = tuple[tuple[int, int], ...]  # sign, counter's number


class _Formula(Struct, frozen=True):
    """A ratio under one policy, in the store's numbers: hundreds of queues are computed again and again."""

    kpi: str
    parts: int
    over: _Terms
    under: _Terms
    decided: tuple[int, int]  # how often the counter stands above and below the line
    spread: int | None
    spreads: bool

    def value(self, cell: Cell, overdue: int) -> Value:
        """The KPI over a window's sums; ``overdue`` were decided by the passing of time alone."""
        get = cell.get
        samples = overdue * self.decided[1]
        for sign, number in self.under:
            samples += sign * get(number, 0)
        value = None
        if samples > 0:
            total = overdue * self.decided[0]
            for sign, number in self.over:
                total += sign * get(number, 0)
            value = total / (samples * self.parts)
        return Value(value, max(0, samples), percentiles(cell, self.spread) if self.spreads else None)


def _formula(kpi: Kpi, ratio: Ratio, numbers: Mapping[str, int]) -> _Formula:
    parts = [Sum.of(part).terms for part in (ratio.numerator, ratio.denominator)]
    over, under = (
        tuple(
            (sign, numbers[c.name]) for sign, c in terms if c.name in numbers
        )  # else nobody ever counted it
        for terms in parts
    )
    above, below = (sum(sign for sign, c in terms if c is decided) for terms in parts)
    spread = numbers.get(kpi.spread.name) if kpi.spread else None
    return _Formula(kpi.name, kpi.unit.parts, over, under, (above, below), spread, kpi.spread is not None)


class _Cached(Struct):
    """A row, and from what its parts were made."""

    row: Row
    change: int
    made_from: dict[str, tuple[Running, int, int]]


class Snapshots:
    """Takes snapshots of a board; what did not change is the same object as before."""

    def __init__(self, board: Board) -> None:
        """``board`` is read, never written."""
        self._board = board
        self._numbers: dict[str, int] = {}
        self._formulas: dict[str, list[_Formula]] = {}
        self._rules: dict[Queue, Rule] = {}
        self._targets: Targets | None = None
        self._cached: dict[Queue, _Cached] = {}
        self._everyone: dict[str, tuple[tuple[Running, int], Values]] = {}

    def take(self, targets: Targets) -> Snapshot:
        """The board as of its ``now``, under these settings."""
        board = self._board
        if targets is not self._targets or board.numbers != self._numbers:
            self._targets, self._numbers = targets, dict(board.numbers)
            self._formulas, self._rules, self._cached, self._everyone = {}, {}, {}, {}
        rows = [self._row(queue, targets) for queue in board.queues() if queue != EVERYONE]
        return Snapshot(board.now, rows, {name: self._of_everyone(name, targets) for name in WINDOWS})

    def _row(self, queue: Queue, targets: Targets) -> Row:
        board = self._board
        rule = self._rules.get(queue)
        if rule is None:
            rule = self._rules[queue] = targets.rule(*queue)
        waiting = board.waiting.get(queue)
        waits = waiting is not None and bool(waiting.queued)
        made_from = {}
        for name in WINDOWS:
            running = board.running(name, rule.zone)
            overdue = waiting.overdue(running.start, board.now) if waiting is not None and waits else 0
            made_from[name] = (running, running.versions.get(queue, 0), overdue)
        cached, change = self._cached.get(queue), board.changes[queue]
        if cached and cached.change == change and cached.made_from == made_from and not waits:
            return cached.row
        windows, totals = (cached.row.windows, cached.row.totals) if cached else ({}, {})
        if not cached or cached.made_from != made_from:
            windows = {
                name: windows[name]
                if cached and cached.made_from[name] == made_from[name]
                else self._values(rule, made_from[name][0].sums.get(queue, {}), made_from[name][2])
                for name in WINDOWS
            }
        if not cached or cached.change != change:
            total = board.totals.get(queue, {})
            totals = {c.name: total.get(self._numbers.get(c.name, 0), 0) for c in TOTALS}
        row = Row(*queue, rule.policy, rule.targets, self._levels(queue), windows, totals)
        self._cached[queue] = _Cached(row, change, made_from)
        return row

    def _of_everyone(self, window: str, targets: Targets) -> Values:
        rule = targets.rule(*EVERYONE)
        running = self._board.running(window, rule.zone)
        made_from = (running, running.versions.get(EVERYONE, 0))
        cached = self._everyone.get(window)
        if cached and cached[0] == made_from:
            return cached[1]
        values = self._values(rule, running.sums[EVERYONE], 0)
        spread = {kpi: value for kpi, value in values.items() if value.percentiles is not None}
        self._everyone[window] = (made_from, spread)
        return spread

    def _levels(self, queue: Queue) -> dict[str, float | None]:
        waiting = self._board.waiting.get(queue)
        queued = waiting.queued if waiting else []
        out: dict[str, float | None] = {}
        for kpi in KPIS:
            if isinstance(kpi.measure, Level):
                if kpi.measure.read == "count":
                    out[kpi.name] = len(queued)
                else:  # nobody waits: an alert on the oldest must be able to resolve
                    out[kpi.name] = max(0, self._board.now - queued[0]) / kpi.unit.parts if queued else 0.0
        return out

    def _values(self, rule: Rule, cell: Cell, overdue: int) -> Values:
        formulas = self._formulas.get(rule.policy)
        if formulas is None:
            ratios = ((kpi, kpi.ratio(rule.policy)) for kpi in KPIS)
            formulas = self._formulas[rule.policy] = [
                _formula(kpi, ratio, self._numbers) for kpi, ratio in ratios if ratio
            ]
        return {formula.kpi: formula.value(cell, overdue) for formula in formulas}


def percentiles(cell: Mapping[int, int], number: int | None) -> dict[str, float | None]:
    """The percentiles of one sketch in a cell, in seconds; one pass for all of them."""
    if number is None:  # the store knows nothing of this sketch yet
        return _NOTHING
    first = number << SHIFT
    end = first + BUCKETS
    keys = sorted([key for key in cell if first <= key < end])
    if not keys:
        return _NOTHING
    seen = list(accumulate([cell[key] for key in keys]))
    n = seen[-1]
    return {name: _SECONDS[keys[bisect_left(seen, ceil(q * n))] - first] for name, q in PERCENTILES.items()}
