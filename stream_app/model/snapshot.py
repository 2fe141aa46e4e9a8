"""Snapshot: what is true now, computed in one place for every reader.

``take`` turns a board into plain data. Values are in base units (seconds, ratios 0…1, contacts); ``None`` is
"no data".
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal

from msgspec import Struct

from . import compliance
from .board import EVERYONE, Board, Queue, Running
from .formulas import PERCENTILES, Formula, Terms, added, formula, percentiles
from .kpi import Kpi
from .kpis import KPIS, TOTALS
from .measures import Derived, IntervalsMet, Level, Value
from .running import AtRisk
from .tally import Cell, add_into
from .targets import Rule, Targets
from .windows import WINDOWS

__all__ = ["PERCENTILES", "Group", "Row", "Snapshot", "Snapshots", "Value", "Values", "percentiles"]

Values = dict[str, Value]
"""KPI → value."""
By = Literal["site", "unit", "channel", "queue"]
TODAY: Final = "today"
_COMPLIANCE: Final = tuple((kpi, kpi.measure.kpi) for kpi in KPIS if isinstance(kpi.measure, IntervalsMet))


class Row(Struct, frozen=True):
    """One queue and channel.

    Attributes:
        policy: the name of the service level's formula.
        targets: KPI → target.
        levels: KPI → value now.
        windows: window → KPI → value.
        totals: ``offered``, ``answered``, ``abandoned``, … since the beginning.
        site: where it is worked; ``partner``: by somebody else.
        unit: the business unit that it belongs to.
    """

    queue: str
    channel: str
    policy: str
    targets: dict[str, float]
    levels: dict[str, float | None]
    windows: dict[str, Values]
    totals: dict[str, int]
    site: str | None = None
    partner: bool = False
    unit: str | None = None


class Group(Struct, frozen=True):
    """Several queues and channels together: the sums of what their rows are made of.

    Attributes:
        name: the site, unit, channel or queue; ``None`` for those of which nobody said.
        queues: how many rows are in it.
        levels: the sum of the rows', or the largest, as the KPI has it; ``None`` where one of them is not known.
        windows: as in a row.
    """

    name: str | None
    queues: int
    levels: dict[str, float | None]
    windows: dict[str, Values]


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


_MadeFrom = tuple[Running, int, int, int]
"""The sums of a window, which of their versions, how many are overdue, and which quarter of an hour runs."""


class _Cached(Struct):
    """A row, and from what its parts were made."""

    row: Row
    change: int
    made_from: dict[str, _MadeFrom]


class Snapshots:
    """Takes snapshots of a board; what did not change is the same object as before."""

    def __init__(self, board: Board) -> None:
        """``board`` is read; which intervals changed is taken off it."""
        self._board = board
        self._numbers: dict[str, int] = {}
        self._formulas: dict[str, list[Formula]] = {}
        self._rules: dict[Queue, Rule] = {}
        self._targets: Targets | None = None
        self._cached: dict[Queue, _Cached] = {}
        self._everyone: dict[str, tuple[tuple[Running, int], Values]] = {}
        self._intervals = compliance.Intervals(board)

    def take(self, targets: Targets) -> Snapshot:
        """The board as of its ``now``, under these settings."""
        self._under(targets)
        rows = [self._row(queue) for queue in self._queues()]
        return Snapshot(self._board.now, rows, {name: self._of_everyone(name, targets) for name in WINDOWS})

    def at_risk(self, targets: Targets) -> list[AtRisk]:
        """Open contacts whose predicted CSAT is below their queue's limit, the worst first."""
        self._under(targets)
        found = [one for queue in self._board.moods for one in self._at_risk(queue)]
        return sorted(found, key=lambda one: (one.predicted, one.queued_at, one.contact))

    def groups(
        self,
        targets: Targets,
        by: By,
        chosen: Callable[[Row], bool] = lambda _: True,
        windows: Iterable[str] = WINDOWS,
    ) -> list[Group]:
        """The chosen rows rolled up, by name; each under its own policy and day; only these windows."""
        self._under(targets)
        members: dict[str | None, list[Queue]] = {}
        for queue in self._queues():
            row = self._row(queue)
            if chosen(row):
                members.setdefault(getattr(row, by), []).append(queue)
        return [
            self._group(name, members[name], windows)
            for name in sorted(members, key=lambda n: (n is None, n or ""))
        ]

    def _under(self, targets: Targets) -> None:
        board = self._board
        if targets is not self._targets or board.numbers != self._numbers:
            self._targets, self._numbers = targets, dict(board.numbers)
            self._formulas, self._rules, self._cached, self._everyone = {}, {}, {}, {}
            self._intervals.forget()

    def _queues(self) -> Iterable[Queue]:
        return (queue for queue in self._board.queues() if queue != EVERYONE)

    def _rule(self, queue: Queue) -> Rule:
        rule = self._rules.get(queue)
        if rule is None and self._targets is not None:
            rule = self._rules[queue] = self._targets.rule(*queue)
        assert rule is not None  # noqa: S101 - `_under` comes first
        return rule

    # --- rows ---

    def _row(self, queue: Queue) -> Row:
        board, rule = self._board, self._rule(queue)
        waiting = board.waiting.get(queue)
        waits = waiting is not None and bool(waiting.queued)
        made_from = {name: self._made_from(queue, name) for name in WINDOWS}
        cached, change = self._cached.get(queue), board.changes[queue]
        if cached and cached.change == change and cached.made_from == made_from and not waits:
            return cached.row
        windows = cached.row.windows if cached else {}
        if not cached or cached.made_from != made_from:
            windows = {
                name: windows[name]
                if cached and cached.made_from[name] == made_from[name]
                else self._values(queue, running.sums.get(queue, {}), overdue, running)
                for name, (running, _, overdue, _) in made_from.items()
            }
        totals = board.totals.get(queue) or dict.fromkeys(TOTALS, 0)
        levels = self._levels(queue, windows)
        row = Row(
            *queue,
            rule.policy,
            rule.targets,
            levels,
            windows,
            dict(totals),
            rule.site,
            partner=rule.partner,
            unit=rule.unit,
        )
        self._cached[queue] = _Cached(row, change, made_from)
        return row

    def _made_from(self, queue: Queue, window: str) -> _MadeFrom:
        board = self._board
        running = board.running(window, self._rule(queue).zone)
        waiting = board.waiting.get(queue)
        overdue = waiting.overdue(running.start, board.now) if waiting is not None and waiting.queued else 0
        quarter = running.last if window == TODAY else 0  # with each that is over, compliance may change
        return running, running.versions.get(queue, 0), overdue, quarter

    def _values(self, queue: Queue, cell: Cell, overdue: int, running: Running) -> Values:
        rule = self._rule(queue)
        values = {f.kpi.name: f.of(cell, overdue, rule) for f in self._of_policy(rule.policy)}
        if running.window.name == TODAY:
            values |= {
                kpi.name: compliance.value(self._compliance(queue, of, running)) for kpi, of in _COMPLIANCE
            }
        return values

    def _compliance(self, queue: Queue, kpi: str, running: Running) -> Terms:
        rule = self._rule(queue)
        judged = next(f for f in self._of_policy(rule.policy) if f.kpi.name == kpi)
        return self._intervals.terms(queue, rule, judged, running.start)

    def _of_policy(self, policy: str) -> list[Formula]:
        found = self._formulas.get(policy)
        if found is None:
            made = (formula(kpi, policy, self._numbers) for kpi in KPIS)
            found = self._formulas[policy] = [one for one in made if one]
        return found

    # --- levels ---

    def _levels(self, queue: Queue, windows: dict[str, Values]) -> dict[str, float | None]:
        waiting = self._board.waiting.get(queue)
        queued = waiting.queued if waiting else []
        # Nobody waits: an alert on the oldest must be able to resolve.
        oldest = float(max(0, self._board.now - queued[0])) if queued else 0.0
        return _levels(len(queued), oldest, len(self._at_risk(queue)), windows)

    def _at_risk(self, queue: Queue) -> list[AtRisk]:
        moods = self._board.moods.get(queue)
        if not moods:
            return []
        limit = round(self._rule(queue).risk_below * 1000)
        return [one for one in moods.elements() if one.predicted < limit]

    # --- several queues ---

    def _group(self, name: str | None, queues: list[Queue], wanted: Iterable[str]) -> Group:
        windows: dict[str, Values] = {}
        for window in wanted:
            cells: Cell = {}
            terms: dict[str, list[Terms]] = {}
            formulas: dict[str, Formula] = {}
            for queue in queues:
                rule = self._rule(queue)
                running, _, overdue, _ = self._made_from(queue, window)
                cell = running.sums.get(queue, {})
                add_into(cells, cell)
                for one in self._of_policy(rule.policy):
                    formulas[one.kpi.name] = one
                    terms.setdefault(one.kpi.name, []).append(one.terms(cell, overdue, rule))
                if window == TODAY:
                    for kpi, of in _COMPLIANCE:
                        terms.setdefault(kpi.name, []).append(self._compliance(queue, of, running))
            windows[window] = {
                kpi: formulas[kpi].value(added(parts), cells)
                if kpi in formulas
                else compliance.value(added(parts))
                for kpi, parts in terms.items()
            }
        rows = [self._row(queue) for queue in queues]
        return Group(
            name, len(queues), {kpi.name: _together(kpi, rows) for kpi in KPIS if kpi.is_level}, windows
        )

    def _of_everyone(self, window: str, targets: Targets) -> Values:
        rule = targets.rule(*EVERYONE)
        running = self._board.running(window, rule.zone)
        made_from = (running, running.versions.get(EVERYONE, 0))
        cached = self._everyone.get(window)
        if cached and cached[0] == made_from:
            return cached[1]
        sums = running.sums[EVERYONE]
        spread = {f.kpi.name: f.of(sums, 0, rule) for f in self._of_policy(rule.policy) if f.kpi.spread}
        self._everyone[window] = (made_from, spread)
        return spread


def _together(kpi: Kpi, rows: list[Row]) -> float | None:
    levels = [row.levels[kpi.name] for row in rows]
    known = [level for level in levels if level is not None]
    if len(known) < len(levels):
        return None
    return sum(known) if kpi.adds else max(known)


def _levels(
    waiting: int, oldest_ms: float, at_risk: int, windows: dict[str, Values]
) -> dict[str, float | None]:
    """The KPIs without a window: read off the open visits, and what follows from others."""
    read: dict[str, float] = {"count": waiting, "oldest": oldest_ms, "at_risk": at_risk}
    out: dict[str, float | None] = {}
    for kpi in KPIS:
        match kpi.measure:
            case Level(read=what):
                out[kpi.name] = read[what] / kpi.unit.parts if what == "oldest" else read[what]
            case Derived(of=of, how=how):
                arguments = (out[name] if window is None else windows[window][name] for name, window in of)
                out[kpi.name] = how(*arguments)
    return out
