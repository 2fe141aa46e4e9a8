"""What happens to a visit of which nobody speaks any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .counters import DAY, HOUR, MINUTE
from .rules import is_written

if TYPE_CHECKING:
    from .visits import Visit


def is_given_up(visit: Visit, now: int) -> bool:
    """Whether it was idle for longer than its state allows."""
    return now - visit.idle_since > _longest(visit)


def _longest(visit: Visit) -> int:
    days = visit.rules.idle_days * DAY
    match visit.state:
        case "waiting" | "with_bot":
            return 4 * HOUR if visit.channel == "voice" else days
        case "talking" | "held":
            return days if is_written(visit.channel) or visit.channel == "task" else 12 * HOUR
        case "wrapping":
            return 30 * MINUTE
        case "contained":
            return 48 * HOUR
        case _:  # abandoned, unanswered
            return HOUR
