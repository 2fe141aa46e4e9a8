"""What the expected wait of each queue and channel rests on, as the board has it now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from stream_app.model.events import QueueChannel
from stream_app.model.kpis.counters import (
    abandon_wait_ms,
    abandoned,
    answer_wait_ms,
    handled,
    hold_ms,
    talk_ms,
    wrap_ms,
)
from stream_app.model.kpis.sums import Counter as CounterPart
from stream_app.model.targets import QueueTargets
from stream_app.model.targets.conversations import is_written

from .board import Board
from .expected_wait import ExpectedWait, StaffThere, expected_wait

_WINDOWS: Final = ("30m", "today")
"""How long work takes is looked up in the first of these with enough contacts."""
_ENOUGH: Final = 5
_ENOUGH_GAVE_UP: Final = 10
_DEFERRED: Final = frozenset({"email", "callback", "task"})
"""Nobody holds the line: how long it takes depends on when somebody gets to it."""


class InLine(Struct, frozen=True):
    """A contact that waits.

    Attributes:
        queued_at: since when, in milliseconds.
        place: how many are taken before it, and one.
        wait: how long it has yet to wait; ``None``: it is not known.
    """

    contact: str
    queue: str
    channel: str
    queued_at: int
    place: int
    wait: ExpectedWait | None


class NextWaits:
    """Expected waits, as of one moment of the board."""

    def __init__(self, board: Board, numbers: Mapping[str, int]) -> None:
        """Look who is there; ``numbers`` are those of counters."""
        self._board = board
        self._numbers = numbers
        self._waiting = Counter[str]()
        for (queue, channel), waiting in board.waiting.items():
            if not _has_slots(board, (queue, channel)):
                self._waiting[queue] += len(waiting.queued)
        self._agents: dict[str, float] = defaultdict(float)
        self._available: dict[str, float] = defaultdict(float)
        self._share()

    def _share(self) -> None:
        """Share agents who serve several queues between them, by who waits there, and one more where somebody is to come."""
        for (queues, is_available), n in self._board.people.staff().items():
            elsewhere = sum(self._waiting[queue] for queue in queues)
            for queue in queues:
                part = n * (self._waiting[queue] + 1) / (elsewhere + 1)
                self._agents[queue] += part
                if is_available:
                    self._available[queue] += part

    def of(self, queue: QueueChannel, rule: QueueTargets, ahead: int | None = None) -> ExpectedWait | None:
        """Return how long a contact has yet to wait; ``None``: it is not known.

        Args:
            queue: its queue and channel.
            rule: its targets.
            ahead: how many are before it; ``None``: all who wait now, since it comes next.
        """
        staff = self._staff(queue, rule)
        if staff is None:
            return None
        if ahead is None:
            waiting = self._board.waiting.get(queue)
            own = 0 if waiting is None else len(waiting.queued)
            ahead = own if _has_slots(self._board, queue) else self._waiting[queue[0]]
        return expected_wait(ahead, staff)

    def lines(self, rule_of: Callable[[QueueChannel], QueueTargets]) -> Iterator[InLine]:
        """Yield all who wait, line by line, who came first first; an agent's time is shared by all channels of a queue."""
        lines: dict[QueueChannel, list[tuple[int, str, str]]] = defaultdict(list)
        for contact, (queue, channel), queued_at in self._board.in_line():
            shared = (queue, channel if _has_slots(self._board, (queue, channel)) else "")
            lines[shared].append((queued_at, contact, channel))
        for (queue, _), line in sorted(lines.items()):
            for ahead, (queued_at, contact, channel) in enumerate(sorted(line)):
                wait = self.of((queue, channel), rule_of((queue, channel)), ahead)
                yield InLine(contact, queue, channel, queued_at, ahead + 1, wait)

    def _staff(self, queue: QueueChannel, rule: QueueTargets) -> StaffThere | None:
        name, channel = queue
        counts = self._board.people.counts(name)
        if counts is None or rule.clock != "wall" or channel in _DEFERRED:
            return None
        handle_s = self._handle_s(queue, rule)
        if handle_s is None:
            return None
        patience_s = self._patience_s(queue, rule)
        slots = counts.slots.get(channel)
        if slots is not None:
            return StaffThere(slots.slots, slots.free, handle_s, patience_s)
        at_once = rule.at_once if is_written(channel) else 1.0
        return StaffThere(at_once * self._agents[name], at_once * self._available[name], handle_s, patience_s)

    def _handle_s(self, queue: QueueChannel, rule: QueueTargets) -> float | None:
        for window in _WINDOWS:
            contacts = self._sum(queue, rule, window, handled)
            if contacts >= _ENOUGH:
                work = sum(self._sum(queue, rule, window, part) for part in (talk_ms, hold_ms, wrap_ms))
                return work / contacts / 1000
        return None

    def _patience_s(self, queue: QueueChannel, rule: QueueTargets) -> float:
        """Return the mean patience of an exponential one: all time waited, for each who gave up; else as it is set."""
        gave_up = self._sum(queue, rule, "today", abandoned)
        if gave_up < _ENOUGH_GAVE_UP:
            return rule.patience_s
        waited = sum(self._sum(queue, rule, "today", part) for part in (answer_wait_ms, abandon_wait_ms))
        return waited / gave_up / 1000 or rule.patience_s

    def _sum(self, queue: QueueChannel, rule: QueueTargets, window: str, part: CounterPart) -> int:
        cell = self._board.running(window, rule.zone).sums.get(queue, {})
        return cell.get(self._numbers.get(part.name, -1), 0)


def _has_slots(board: Board, queue: QueueChannel) -> bool:
    counts = board.people.counts(queue[0])
    return counts is not None and queue[1] in counts.slots
