"""Snapshot: what is true now, computed in one place for every reader.

``take`` turns a board into plain data. Values are in base units (seconds, ratios 0…1, contacts); ``None`` is
"no data".
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct, structs

from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import Cell, add_into
from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Derived, IntervalsMet, Level, Value
from stream_app.model.pieces import Pieces, whole
from stream_app.model.targets import QueueTargets, Targets
from stream_app.model.windows import WINDOWS

from . import compliance
from .board import EVERYONE, Board, Running
from .formulas import Formula, Terms, added, counts, formula
from .judging import RECENT
from .levels import ages, level
from .next_wait import NextWaits
from .over_limit import OverLimit
from .rows import By, Chosen, KpiValues, QueueGroup, QueueRow, RowPlace, Snapshot, everywhere, together
from .running import AtRisk
from .wait_histograms import WaitHistogram, waits

TODAY: Final = "today"

_MadeFrom = tuple[Running, int, int, int]
"""The sums of a window, their version, how many contacts are overdue, and which 15-minute interval is running."""


class _Cached(Struct, gc=False):
    """A row, and what its parts were made from."""

    row: QueueRow
    change: tuple[int, int]
    made_from: dict[str, _MadeFrom]


class Snapshots:
    """Takes snapshots of a board; what did not change is the same object as before."""

    def __init__(self, board: Board, kpis: Sequence[Kpi] = KPIS) -> None:
        """Read ``board``, and take from it which intervals changed, if one of the KPIs needs that.

        Args:
            board: the source.
            kpis: the KPIs of the rows; fewer are computed faster.
        """
        self._board = board
        self._kpis = kpis
        self._met = tuple((kpi, kpi.measure.kpi) for kpi in kpis if isinstance(kpi.measure, IntervalsMet))
        self._numbers: dict[str, int] = {}
        self._formulas: dict[str, list[Formula]] = {}
        self._rules: dict[QueueChannel, QueueTargets] = {}
        self._targets: Targets | None = None
        self._places: dict[QueueChannel, RowPlace] = {}
        self._cached: dict[tuple[QueueChannel, tuple[str, ...]], _Cached] = {}
        self._values: dict[tuple[QueueChannel, str], tuple[_MadeFrom, KpiValues]] = {}
        self._everyone: dict[str, tuple[tuple[Running, int], KpiValues]] = {}
        self._waits_of: tuple[tuple[int, int], NextWaits] | None = None
        self._over_limit = OverLimit(board.people)
        self._intervals = compliance.IntervalCompliance(board)

    def take(
        self, targets: Targets, windows: Collection[str] = WINDOWS, chosen: Chosen = everywhere
    ) -> Snapshot:
        """Return the board as of its ``now``, under these targets; only these windows and rows, as others cost time."""
        return whole(self.taken(targets, windows, chosen))

    def taken(
        self, targets: Targets, windows: Collection[str] = WINDOWS, chosen: Chosen = everywhere
    ) -> Pieces[Snapshot]:
        """Do the work of ``take`` row by row; the board must not change meanwhile, or rows are of several moments."""
        self._under(targets)
        windows = _in_order(windows)
        rows: list[QueueRow] = []
        for queue in self._queues(chosen):
            rows.append(self._row(queue, windows))
            yield
        everyone = {name: self._of_everyone(name, targets) for name in windows}
        over = self._over_limit.counts(targets.agents.limits, self._board.now)
        return Snapshot(self._board.now, rows, everyone, over)

    def at_risk(self, targets: Targets, chosen: Chosen = everywhere) -> list[AtRisk]:
        """Return open contacts whose predicted CSAT is below their queue's limit, the worst first."""
        self._under(targets)
        found = [one for queue in self._queues(chosen) for one in self._at_risk(queue)]
        return sorted(found, key=lambda one: (one.predicted, one.queued_at, one.contact))

    def waits(self, targets: Targets, chosen: Chosen = everywhere) -> list[WaitHistogram]:
        """Return how long today's contacts of each chosen row waited."""
        return whole(self.waited(targets, chosen))

    def waited(self, targets: Targets, chosen: Chosen = everywhere) -> Pieces[list[WaitHistogram]]:
        """Do the work of ``waits`` row by row."""
        self._under(targets)
        out: list[WaitHistogram] = []
        for queue in self._queues(chosen):
            rule = self._rule(queue)
            cell = self._board.running(TODAY, rule.zone).sums.get(queue, {})
            out.append(waits(*queue, cell, rule, self._numbers))
            yield
        return out

    def queues(self, targets: Targets, chosen: Chosen = everywhere) -> list[QueueChannel]:
        """Return the queues of the chosen rows, in order."""
        self._under(targets)
        return list(self._queues(chosen))

    def in_force(self, targets: Targets, queue: QueueChannel) -> tuple[QueueTargets, list[Formula]]:
        """Return a queue's targets and the formulas of its windowed KPIs; the same objects as long as nothing changes."""
        self._under(targets)
        rule = self._rule(queue)
        return rule, self._of_policy(rule.policy)

    def groups(
        self,
        targets: Targets,
        by: By,
        windows: Collection[str] = WINDOWS,
        chosen: Chosen = everywhere,
    ) -> list[QueueGroup]:
        """Roll the chosen rows up, by name; each under its own policy and day; only these windows."""
        return whole(self.grouped(targets, by, windows, chosen))

    def grouped(
        self,
        targets: Targets,
        by: By,
        windows: Collection[str] = WINDOWS,
        chosen: Chosen = everywhere,
    ) -> Pieces[list[QueueGroup]]:
        """Do the work of ``groups`` row by row."""
        self._under(targets)
        members: dict[str | None, list[QueueChannel]] = {}
        for queue in self._queues(chosen):
            members.setdefault(getattr(self._place(queue), by), []).append(queue)
        windows = _in_order(windows)
        out: list[QueueGroup] = []
        for name in sorted(members, key=lambda n: (n is None, n or "")):
            group = yield from self._group(name, members[name], windows)
            out.append(group)
        return out

    def _under(self, targets: Targets) -> None:
        board = self._board
        if targets is not self._targets or board.numbers != self._numbers:
            self._targets, self._numbers = targets, dict(board.numbers)
            self._formulas, self._rules, self._places, self._everyone = {}, {}, {}, {}
            self._cached, self._values = {}, {}
            self._intervals.forget()

    def _queues(self, chosen: Chosen) -> Iterable[QueueChannel]:
        queues = (queue for queue in self._board.queues() if queue != EVERYONE)
        return queues if chosen is everywhere else (q for q in queues if chosen(self._place(q)))

    def _place(self, queue: QueueChannel) -> RowPlace:
        place = self._places.get(queue)
        if place is None:
            rule = self._rule(queue)
            place = self._places[queue] = RowPlace(*queue, rule.site, rule.partner, rule.unit)
        return place

    def _rule(self, queue: QueueChannel) -> QueueTargets:
        rule = self._rules.get(queue)
        if rule is None and self._targets is not None:
            rule = self._rules[queue] = self._targets.rule(*queue)
        assert rule is not None  # noqa: S101 - `_under` comes first
        return rule

    # --- rows ---

    def _row(self, queue: QueueChannel, names: tuple[str, ...]) -> QueueRow:
        board, rule = self._board, self._rule(queue)
        waiting = board.waiting.get(queue)
        waits = waiting is not None and bool(waiting.queued)
        is_open = rule.calendar is None or rule.calendar.is_open(board.now)
        made_from = {name: self._made_from(queue, name) for name in names}
        next_wait = self._next_waits().of(queue, rule)  # it changes with other queues, too
        cached = self._cached.get((queue, names))
        change = board.changes[queue], board.people.version(queue[0])
        if cached and cached.change == change and cached.made_from == made_from and not ages(board, queue):
            if (cached.row.open, cached.row.next_wait) != (is_open, next_wait):
                cached.row = structs.replace(cached.row, open=is_open, next_wait=next_wait)
            return cached.row
        if cached and cached.made_from == made_from:
            windows = cached.row.windows
        else:
            windows = {name: self._window(queue, name, made_from[name]) for name in names}
        recent = windows.get(RECENT) or self._window(queue, RECENT, self._made_from(queue, RECENT))
        totals = board.totals.get(queue) or dict.fromkeys(TOTALS, 0)
        levels = self._levels(queue)
        row = QueueRow(
            *queue,
            rule.policy,
            rule.targets,
            levels,
            windows,
            dict(totals),
            rule.site,
            partner=rule.partner,
            unit=rule.unit,
            open=is_open,
            clock="business" if rule.by_business_hours else "wall",
            too_good=rule.too_good,
            late=waiting.overdue(0, board.now) if waiting is not None and waits else 0,
            counts={name: counts(made_from[name][0].sums.get(queue, {}), self._numbers) for name in names},
            recent=recent,
            live=dict(board.live.get(queue) or dict.fromkeys(TOTALS, 0)),
            agents=board.people.counts(queue[0]),
            next_wait=next_wait,
        )
        self._cached[queue, names] = _Cached(row, change, made_from)
        return row

    def _next_waits(self) -> NextWaits:
        """Return expected waits as of now."""
        now = self._board.now, self._board.people.changes
        if self._waits_of is None or self._waits_of[0] != now:
            self._waits_of = now, NextWaits(self._board, self._numbers)
        return self._waits_of[1]

    def _window(self, queue: QueueChannel, name: str, made_from: _MadeFrom) -> KpiValues:
        cached = self._values.get((queue, name))
        if cached and cached[0] == made_from:
            return cached[1]
        running, _, overdue, _ = made_from
        cell, rule = running.sums.get(queue, {}), self._rule(queue)
        values = {f.kpi.name: f.of(cell, overdue, rule) for f in self._of_policy(rule.policy)}
        if name == TODAY:
            values |= {
                kpi.name: compliance.value(self._compliance(queue, of, running)) for kpi, of in self._met
            }
        self._values[queue, name] = (made_from, values)
        return values

    def _value(self, queue: QueueChannel, kpi: str, window: str) -> Value:
        """Return one value, whether its window is wanted or not."""
        made_from = self._made_from(queue, window)
        cached = self._values.get((queue, window))
        if cached and cached[0] == made_from:
            return cached[1][kpi]
        running, _, overdue, _ = made_from
        return self._formula(queue, kpi).of(running.sums.get(queue, {}), overdue, self._rule(queue))

    def _made_from(self, queue: QueueChannel, window: str) -> _MadeFrom:
        board = self._board
        running = board.running(window, self._rule(queue).zone)
        waiting = board.waiting.get(queue)
        overdue = waiting.overdue(running.start, board.now) if waiting is not None and waiting.queued else 0
        interval = running.last if window == TODAY else 0  # compliance may change as intervals end
        return running, running.versions.get(queue, 0), overdue, interval

    def _compliance(self, queue: QueueChannel, kpi: str, running: Running) -> Terms:
        return self._intervals.terms(queue, self._rule(queue), self._formula(queue, kpi), running.start)

    def _formula(self, queue: QueueChannel, kpi: str) -> Formula:
        return next(f for f in self._of_policy(self._rule(queue).policy) if f.kpi.name == kpi)

    def _of_policy(self, policy: str) -> list[Formula]:
        found = self._formulas.get(policy)
        if found is None:
            made = (formula(kpi, policy, self._numbers) for kpi in self._kpis)
            found = self._formulas[policy] = [one for one in made if one]
        return found

    # --- levels ---

    def _levels(self, queue: QueueChannel) -> dict[str, float | None]:
        """Compute the KPIs without a window: from the open visits, or derived from others."""
        out: dict[str, float | None] = {}
        for kpi in self._kpis:
            match kpi.measure:
                case Level(read="at_risk"):
                    out[kpi.name] = len(self._at_risk(queue))
                case Level() as read:
                    found = level(self._board, queue, self._rule(queue), read)
                    out[kpi.name] = found if found is None or kpi.unit.parts == 1 else found / kpi.unit.parts
                case Derived(of=of, how=how):
                    out[kpi.name] = how(
                        *(out[name] if w is None else self._value(queue, name, w) for name, w in of)
                    )
        return out

    def _at_risk(self, queue: QueueChannel) -> list[AtRisk]:
        moods = self._board.moods.get(queue)
        if not moods:
            return []
        limit = round(self._rule(queue).risk_below * 1000)
        return [one for one in moods.elements() if one.predicted < limit]

    # --- several queues ---

    def _group(
        self, name: str | None, queues: list[QueueChannel], wanted: tuple[str, ...]
    ) -> Pieces[QueueGroup]:
        windows: dict[str, KpiValues] = {}
        for window in wanted:
            cells: Cell = {}
            terms: dict[str, Terms] = {}
            formulas: dict[str, Formula] = {}
            for queue in queues:
                rule = self._rule(queue)
                running, _, overdue, _ = self._made_from(queue, window)
                cell = running.sums.get(queue, {})
                add_into(cells, cell)
                for one in self._of_policy(rule.policy):
                    formulas[one.kpi.name] = one
                    mine = one.terms(cell, overdue, rule)
                    terms[one.kpi.name] = added((terms.get(one.kpi.name, {}), mine))
                if window == TODAY:
                    for kpi, of in self._met:
                        mine = self._compliance(queue, of, running)
                        terms[kpi.name] = added((terms.get(kpi.name, {}), mine))
                yield
            windows[window] = {
                kpi: formulas[kpi].value(total, cells) if kpi in formulas else compliance.value(total)
                for kpi, total in terms.items()
            }
        rows: list[QueueRow] = []
        for queue in queues:
            rows.append(self._row(queue, wanted))
            yield
        return QueueGroup(
            name, len(queues), {kpi.name: together(kpi, rows) for kpi in self._kpis if kpi.is_level}, windows
        )

    def _of_everyone(self, window: str, targets: Targets) -> KpiValues:
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


def _in_order(windows: Collection[str]) -> tuple[str, ...]:
    """Return windows in the order of the catalogue, whatever order was requested."""
    return tuple(name for name in WINDOWS if name in windows)
