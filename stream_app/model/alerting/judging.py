"""Alerts applied to interval rows: whether each would begin, continue or be silent at the end of an interval.

The same comparisons as in the expressions that Prometheus and Grafana evaluate, over what rows know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor
from typing import Final

from msgspec import Struct

from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.alerts import Burn, Stopped, Threshold, Traded
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.targets import QueueTargets

from .measured import Measured, RowHistory, unknown
from .rules import Condition, CustomRule

BEGINS, CONTINUES, SILENT = 2, 1, 0
_WEEK: Final = 7 * DAY // INTERVAL_MS
_HALF_HOUR: Final = "30m"
_MISSES: Final = 2.5


def rounded(value: float) -> float:
    """Round as the expressions do, so that a value at the edge is inside."""
    return floor(value * 10_000 + 0.5) / 10_000


class Judge(Struct, frozen=True):
    """One alert, applied to the rows of one queue and channel."""

    def state(self, rows: RowHistory, n: int, targets: QueueTargets) -> int | None:
        """Return ``BEGINS``, ``CONTINUES`` or ``SILENT`` at the end of interval ``n``; ``None`` if rows are missing."""
        raise NotImplementedError

    def unknown(self) -> Iterator[str]:
        """Yield why interval rows can't judge it."""
        raise NotImplementedError

    def has_targets(self, targets: QueueTargets) -> bool:  # noqa: ARG002 - for those that compare with one
        """Return whether a queue has the targets without which it is silent."""
        return True


class ConditionsJudge(Judge, frozen=True):
    """Conditions, joined."""

    rule: CustomRule

    def unknown(self) -> Iterator[str]:
        """Yield what rows do not know."""
        for one in self.rule.conditions:
            if why := unknown(one.entry, one.window):
                yield why

    def has_targets(self, targets: QueueTargets) -> bool:
        """Return whether all of its conditions, or any of them, have what they compare with."""
        has = (one.level is not None or one.kpi in targets.targets for one in self.rule.conditions)
        return any(has) if self.rule.join == "any" else all(has)

    def state(self, rows: RowHistory, n: int, targets: QueueTargets) -> int | None:
        """Judge all conditions."""
        found = [condition_state(one, rows, n, targets) for one in self.rule.conditions]
        known = [state for state in found if state is not None]
        if self.rule.join == "any":
            best = max(known, default=SILENT)
            return None if len(known) < len(found) and best == SILENT else best
        worst = min(known, default=BEGINS)
        return None if len(known) < len(found) and worst != SILENT else worst


def condition_state(one: Condition, rows: RowHistory, n: int, targets: QueueTargets) -> int | None:
    """Return the state of one condition."""
    found = rows.measured(one.entry, one.window, n, targets.policy)
    if found is None:
        return None
    if found.value is None or (one.minimum is not None and found.samples < one.minimum):
        return SILENT
    if one.level is not None:
        value = rounded(found.value)
        sign = 1 if one.side == "above" else -1
        past, edge = sign * value, sign * one.level
        clear = None if one.clear is None else sign * one.clear
    else:
        target = targets.targets.get(one.kpi)
        if target is None or (one.relative and target <= 0):
            return SILENT
        distance = target - found.value if one.side == "below" else found.value - target
        past, edge, clear = rounded(distance / target if one.relative else distance), one.by, one.clear
    if past > edge:
        return BEGINS
    return CONTINUES if clear is not None and past >= clear else SILENT


class BurnJudge(Judge, frozen=True):
    """An error budget that burns too fast, in a long and in a short window."""

    kpi: Kpi
    alert: Burn

    def unknown(self) -> Iterator[str]:
        """Yield what rows do not know."""
        for window in (self.alert.long, self.alert.short):
            if why := unknown(self.kpi, window):
                yield why

    def state(self, rows: RowHistory, n: int, targets: QueueTargets) -> int | None:
        """Judge the slower of the two windows."""
        alert, target = self.alert, targets.targets.get(self.kpi.name)
        long, short = (rows.measured(self.kpi, w, n, targets.policy) for w in (alert.long, alert.short))
        if long is None or short is None:
            return None
        budget = None if target is None else self.kpi.budget(target)
        if not budget or long.value is None or short.value is None:
            return SILENT
        if long.samples < alert.min_samples or short.samples < alert.min_samples // 4:
            return SILENT
        if self._missed(long) * long.samples <= _MISSES:
            return SILENT
        factor = rounded(min(self._missed(each) / budget for each in (long, short)))
        if factor > alert.factor:
            return BEGINS
        return CONTINUES if factor >= alert.clear else SILENT

    def _missed(self, found: Measured) -> float:
        value = found.value or 0.0
        return 1 - value if self.kpi.better == "higher" else value


class StoppedJudge(Judge, frozen=True):
    """Fewer contacts than usual at this hour of the week."""

    kpi: Kpi
    alert: Stopped

    def unknown(self) -> Iterator[str]:
        """Yield what rows do not know."""
        if why := unknown(self.kpi, _HALF_HOUR):
            yield why

    def state(self, rows: RowHistory, n: int, targets: QueueTargets) -> int | None:
        """Compare half an hour with the same of the last weeks; weeks without rows are left out."""
        now = rows.measured(self.kpi, _HALF_HOUR, n, targets.policy)
        before = [
            rows.measured(self.kpi, _HALF_HOUR, n, targets.policy, back=week * _WEEK)
            for week in range(1, self.alert.weeks + 1)
        ]
        counts = [found.samples for found in before if found is not None]
        if now is None or not counts:
            return None
        usual = _median(counts)
        if usual < self.alert.usual:
            return SILENT
        share = rounded(1 - now.samples / usual)
        if share > round(1 - self.alert.share, 4):
            return BEGINS
        return CONTINUES if share >= round(1 - self.alert.clear, 4) else SILENT


def _median(counts: list[int]) -> float:
    ordered, middle = sorted(counts), len(counts) // 2
    return ordered[middle] if len(counts) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


class UnknownJudge(Judge, frozen=True):
    """An alert that interval rows can't judge."""

    why: tuple[str, ...]

    def unknown(self) -> Iterator[str]:
        """Yield why not."""
        yield from self.why

    def state(self, rows: RowHistory, n: int, targets: QueueTargets) -> int | None:  # noqa: ARG002 - see the base
        """Return that it is not known."""
        return None


def built_in(kpi: Kpi, alert: Struct) -> Judge:
    """Return what judges an alert of the catalogue."""
    match alert:
        case Threshold():
            return ConditionsJudge(
                CustomRule(name="", severity="ticket", conditions=(threshold(kpi, alert),))
            )
        case Burn():
            return BurnJudge(kpi, alert)
        case Stopped():
            return StoppedJudge(kpi, alert)
        case Traded(against=against, window=window):
            whys = [unknown(one, window) for one in (kpi, BY_NAME[against])]
            return UnknownJudge(
                tuple(why for why in whys if why) or ("comparisons of weeks are not replayed",)
            )
    return UnknownJudge((f"alerts of the kind {type(alert).__name__.lower()} are not replayed",))


def threshold(kpi: Kpi, alert: Threshold) -> Condition:
    """Return the condition that a missed target is."""
    return Condition(
        kpi=kpi.name,
        side="below" if kpi.better == "higher" else "above",
        by=alert.tolerance,
        relative=alert.relative,
        clear=alert.clear,
        window=alert.window,
        minimum=alert.min_samples,
    )


def states(judge: Judge, rows: RowHistory, targets: QueueTargets) -> Sequence[int | None]:
    """Return the state at the end of each interval."""
    return [judge.state(rows, n, targets) for n in range(rows.length)]
