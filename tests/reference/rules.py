"""What the settings say about a queue and channel, and what holds where they say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .counters import HOUR, MINUTE
from .hours import WITHIN_MS, open_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from .counters import Key
    from .hours import Calendar

SPOKEN = frozenset({"voice", "video", "callback", "task"})
LETTERS = frozenset({"email", "messaging", "social"})  # nobody sits waiting for the answer
NO_DEMAND = frozenset({"spam", "merged", "duplicate", "test", "closed"})
SECOND = 1_000


def is_written(channel: str) -> bool:
    return channel not in SPOKEN


class Rules(NamedTuple):
    """The settings of a queue and channel; durations in ms. The defaults are those of a call."""

    answer: str = "assignment"  # or "message": what answers
    bot: str = "acknowledges"  # or "talks"
    work: str = "stamps"  # or "replies"
    reply_target: int | None = None
    reply_work_cap: int = 600 * SECOND
    clock: str = "wall"  # or "business"
    not_demand: frozenset[str] = frozenset()
    request_gap: int = 1_800 * SECOND
    containment_return: int = 24 * HOUR
    idle_days: int = 30
    calendar: Calendar | None = None

    def open(self, a: int, b: int) -> int:
        """The part of [a, b) within business hours."""
        return open_ms(self.calendar, a, b)

    def elapsed(self, a: int, b: int) -> int:
        """The time from a to b by the promised clock."""
        return self.open(a, b) if self.clock == "business" else max(0, b - a)

    def promised(self, start: int, limits: tuple[int, int]) -> tuple[int, int]:
        """The answer target and the short-abandon threshold of a wait that starts then, by the promised clock."""
        target, short = (self._due(start, ms) - start for ms in limits)
        return target, min(short, target) if limits[1] else 0

    def _due(self, start: int, ms: int) -> int:
        if self.clock == "business" and self.calendar is not None:
            due = self.calendar.after(start, ms)
            if due is not None and due <= start + WITHIN_MS:
                return due
        return start + ms


def usual(channel: str, calendar: Calendar | None = None, *, tells_messages: bool = True) -> Rules:
    """What holds in a channel where the settings name at most a calendar."""
    if not is_written(channel):
        return Rules(calendar=calendar)
    letters = channel in LETTERS
    return Rules(
        answer="message" if tells_messages else "assignment",
        bot="acknowledges" if channel == "email" else "talks",
        work="replies" if letters and tells_messages else "stamps",
        clock="business" if letters and calendar is not None else "wall",
        not_demand=NO_DEMAND,
        idle_days=180,
        calendar=calendar,
    )


def usual_targets(_queue: str, channel: str, _queued_at: int) -> tuple[int, int]:
    """The answer target and the short-abandon threshold: 20 s for voice, 60 s chat, 1 h e-mail and callback; 5 s."""
    target = {"voice": 20 * SECOND, "email": HOUR, "callback": HOUR}.get(channel, MINUTE)
    return target, 5 * SECOND


class Policy:
    """All that the settings say, by queue and channel."""

    def __init__(
        self,
        targets: Callable[[str, str, int], tuple[int, int]],
        rules: Callable[[str, str], Rules] | None,
        priority_targets: Callable[[str, str, str], tuple[int, int] | None] | None,
        *,
        tells_messages: bool,
    ) -> None:
        self._targets, self._rules, self._priority_targets = targets, rules, priority_targets
        self.tells_messages = tells_messages

    def of(self, place: Key) -> Rules:
        """What holds now."""
        if self._rules is None:
            return usual(place[1], tells_messages=self.tells_messages)
        return self._rules(*place)

    def promised(self, place: Key, start: int, priority: str) -> tuple[int, int]:
        """T and the short threshold of a wait that starts then."""
        limits = None
        if priority and self._priority_targets is not None:
            limits = self._priority_targets(*place, priority)
        return self.of(place).promised(start, limits or self._targets(*place, start))

    def by_message(self, channel: str) -> bool:
        """Whether it is known when the customer is written to: else who answered, responded."""
        return is_written(channel) and self.tells_messages
