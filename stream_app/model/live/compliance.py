"""In how many of a day's quarters of an hour a KPI met its target, kept up to date by what changes."""

from __future__ import annotations

from .board import Board
from .formulas import Formula, Terms
from .measures import Value
from .running import QUARTER, Queue
from .targets import Rule
from .windows import KEPT

_Sums = dict[int, tuple[int, int]]


class Intervals:
    """The over and under of each quarter of an hour by queue; a quarter is read again only after it changed."""

    def __init__(self, board: Board) -> None:
        """``board`` is read; which quarters changed is taken off it."""
        self._board = board
        self._kept: dict[Queue, _Sums] = {}

    def terms(self, queue: Queue, rule: Rule, formula: Formula, day: int) -> Terms:
        """``over``: quarters that are over and met the target; ``under``: those that had samples.

        Args:
            queue: whose.
            rule: its settings.
            formula: of the KPI that is to meet its target.
            day: when the queue's day began.
        """
        board = self._board
        sums = self._kept.setdefault(queue, {})
        for bucket in board.quarters.pop(queue, ()):
            sums[bucket] = _parts(formula.terms(board.quarter(queue, bucket), 0, rule))
        for old in [bucket for bucket in sums if bucket < board.now - KEPT[QUARTER]]:
            del sums[old]
        target, waiting = rule.targets.get(formula.kpi.name), board.waiting.get(queue)
        if target is None:
            return {"over": 0, "under": 0}
        due = {at - at % QUARTER for at in waiting.due} if waiting else set()
        met = had = 0
        for bucket in {*sums, *due}:
            if not day <= bucket <= board.now - QUARTER:
                continue
            over, under = sums.get(bucket, (0, 0))
            if waiting and bucket in due:  # who still waits was decided when T had passed
                more = _parts(formula.terms({}, waiting.overdue(bucket, bucket + QUARTER - 1), rule))
                over, under = over + more[0], under + more[1]
            if under > 0:
                had += 1
                met += over / under >= target
        return {"over": met, "under": had}

    def forget(self) -> None:
        """Settings or numbers changed: read all again."""
        self._kept.clear()
        self._board.mark_quarters()


def _parts(terms: Terms) -> tuple[int, int]:
    return int(terms["over"]), int(terms["under"])


def value(terms: Terms) -> Value:
    """The share of quarters that met the target."""
    met, had = _parts({"over": 0, "under": 0, **terms})
    return Value(met / had if had else None, had)
