"""What holds in a channel: which are written, who answers there, by which clock. The defaults of ``docs/semantics.md``."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Clock = Literal["wall", "business"]
Bot = Literal["talks", "acknowledges"]
Answer = Literal["message", "assignment"]
WorkFrom = Literal["stamps", "replies"]

SPOKEN: Final = frozenset({"voice", "video", "callback", "task"})
"""Channels in which nobody writes; every other one is a written one."""
DEFERRED: Final = frozenset({"email", "messaging", "social"})
"""Written channels in which nobody waits at the screen: an answer may come tomorrow, and work is done reply by reply."""
NO_DEMAND: Final = ("spam", "merged", "duplicate", "test", "closed")
"""Reasons for which written contacts leave that nobody needed to answer."""
IDLE_DAYS: Final = 180
SPOKEN_IDLE_DAYS: Final = 30
WORK_CAP_S: Final = 600.0
REQUEST_GAP_S: Final = 1800.0
CONTAINMENT_H: Final = 24.0
LONGEST_CONTAINMENT_H: Final = 48.0


class PriorityTargets(Struct, frozen=True):
    """The targets of a priority, in milliseconds.

    Attributes:
        answer_target: T.
        short_abandon: the short-abandon threshold.
        reply_target: how long a reply after the first may take; -1: no such target.
    """

    answer_target: int
    short_abandon: int
    reply_target: int = -1


def is_written(channel: str) -> bool:
    """Return whether contacts of a channel write."""
    return channel not in SPOKEN


def bots(channel: str) -> Bot:
    """Return what a bot's message is in a channel."""
    return "talks" if is_written(channel) and channel != "email" else "acknowledges"


def work(channel: str) -> WorkFrom:
    """Return how the work on a channel's contacts is found where nobody states it."""
    return "replies" if channel in DEFERRED else "stamps"


def clock(channel: str, *, has_hours: bool) -> Clock:
    """Return which clock a channel's targets run by."""
    return "business" if has_hours and channel in DEFERRED else "wall"


def not_demand(channel: str) -> tuple[str, ...]:
    """Return the reasons for leaving that are no demand in a channel."""
    return NO_DEMAND if is_written(channel) else ()


def idle_days(channel: str) -> int:
    """Return for how many days a channel's contacts may be idle; 0 for calls, which end after hours."""
    if channel == "voice":
        return 0
    return IDLE_DAYS if is_written(channel) else SPOKEN_IDLE_DAYS
