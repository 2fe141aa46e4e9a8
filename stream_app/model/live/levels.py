"""Levels of a queue: how many wait and for how long, read off its open visits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from stream_app.model.events import QueueChannel
from stream_app.model.fold.visit import CONVERSING, HELD, WITH_BOT
from stream_app.model.kpis.measures import Level, LevelRead
from stream_app.model.targets import QueueTargets
from stream_app.model.targets.conversations import is_written

from .board import Board
from .running import Talks, Waiting

_NOBODY: Final = Waiting()
_SILENCE: Final = Talks()
_Read = Callable[[Waiting, Talks, QueueTargets, int], float]


def ages(board: Board, queue: QueueChannel) -> bool:
    """Return whether levels of a queue change by the passing of time alone."""
    waiting, talks = board.waiting.get(queue), board.talks.get(queue)
    return bool((waiting and waiting.queued) or (talks and (talks.awaiting or talks.by_bot)))


def level(board: Board, queue: QueueChannel, rule: QueueTargets, measure: Level) -> float | None:
    """Return a level as it is stored, in contacts or milliseconds; ``None`` where the channel has no such thing."""
    if measure.is_written and not is_written(queue[1]):
        return None
    waiting, talks = board.waiting.get(queue) or _NOBODY, board.talks.get(queue) or _SILENCE
    return _READS[measure.read](waiting, talks, rule, board.now)


def _oldest(since: Sequence[int], rule: QueueTargets, now: int) -> float:
    """Return how long the first has waited, by the promised clock; 0 without any, so that an alert on it can resolve."""
    if not since:
        return 0.0
    if rule.by_business_hours and rule.calendar is not None:
        return rule.calendar.within(since[0], now)
    return max(0, now - since[0])


_READS: Final[dict[LevelRead, _Read]] = {
    "count": lambda waiting, _talks, _rule, _now: len(waiting.queued),
    "oldest": lambda waiting, _talks, rule, now: _oldest(waiting.queued, rule, now),
    "awaiting": lambda _waiting, talks, _rule, _now: talks.owed,
    "oldest_awaiting": lambda _waiting, talks, rule, now: _oldest(talks.awaiting, rule, now),
    "open": lambda _waiting, talks, _rule, _now: sum(talks.states[state] for state in CONVERSING),
    "pending": lambda _waiting, talks, _rule, _now: talks.states[HELD],
    "with_bot": lambda _waiting, talks, _rule, _now: talks.states[WITH_BOT],
    "oldest_by_bot": lambda _waiting, talks, _rule, now: max(0, now - talks.by_bot[0]) if talks.by_bot else 0,
}
