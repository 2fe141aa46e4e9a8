"""In how many of a day's 15-minute intervals a KPI met its target, updated by changes."""

from __future__ import annotations

from stream_app.model.events import QueueChannel
from stream_app.model.kpis.measures import Value
from stream_app.model.targets import QueueTargets
from stream_app.model.windows import KEPT

from .board import Board
from .formulas import Formula, Terms
from .running import INTERVAL_MS

_Sums = dict[int, tuple[int, int]]


class IntervalCompliance:
    """The terms of each 15-minute interval by queue; an interval is read again only after it changed."""

    def __init__(self, board: Board) -> None:
        """Read ``board``, and take from it which intervals changed."""
        self._board = board
        self._kept: dict[QueueChannel, _Sums] = {}

    def terms(self, queue: QueueChannel, rule: QueueTargets, formula: Formula, day: int) -> Terms:
        """Return ``over``: completed intervals that met the target; ``under``: those that had samples.

        Args:
            queue: the queue and channel.
            rule: its targets.
            formula: that of the KPI that has the target.
            day: when the queue's day began.
        """
        board = self._board
        sums = self._kept.setdefault(queue, {})
        for bucket in board.changed_intervals.pop(queue, ()):
            sums[bucket] = _parts(formula.terms(board.interval(queue, bucket), 0, rule))
        for old in [bucket for bucket in sums if bucket < board.now - KEPT[INTERVAL_MS]]:
            del sums[old]
        target, waiting = rule.targets.get(formula.kpi.name), board.waiting.get(queue)
        if target is None:
            return {"over": 0, "under": 0}
        due = {at - at % INTERVAL_MS for at in waiting.due} if waiting else set()
        met = had = 0
        for bucket in {*sums, *due}:
            if not day <= bucket <= board.now - INTERVAL_MS:
                continue
            over, under = sums.get(bucket, (0, 0))
            if waiting and bucket in due:  # a contact that still waits was decided when T passed
                more = _parts(formula.terms({}, waiting.overdue(bucket, bucket + INTERVAL_MS - 1), rule))
                over, under = over + more[0], under + more[1]
            if under > 0:
                had += 1
                met += over / under >= target
        return {"over": met, "under": had}

    def forget(self) -> None:
        """Read everything again: targets or numbers changed."""
        self._kept.clear()
        self._board.mark_intervals()


def _parts(terms: Terms) -> tuple[int, int]:
    return int(terms["over"]), int(terms["under"])


def value(terms: Terms) -> Value:
    """Return the share of intervals that met the target."""
    met, had = _parts({"over": 0, "under": 0, **terms})
    return Value(met / had if had else None, had)
