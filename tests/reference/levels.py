"""Values of a moment: who waits for people, who for a reply, and who is with a bot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .counters import Key
    from .rules import Policy
    from .visits import Visit


@dataclass
class Levels:
    """Numbers of visits, and times in ms."""

    backlog: int = 0
    oldest_waiting: int = 0
    awaiting_reply: int = 0
    oldest_awaiting_reply: int = 0
    open_conversations: int = 0
    pending: int = 0
    with_bot: int = 0
    oldest_unanswered_by_bot: int = 0


def levels(visits: Iterable[Visit], policy: Policy, now: int) -> dict[Key, Levels]:
    """The levels of every queue and channel in which a visit is open that is not over."""
    found: dict[Key, Levels] = {}
    for visit in visits:
        if visit.state in ("waiting", "with_bot", "talking", "held", "wrapping"):
            _add(found.setdefault(visit.place, Levels()), visit, policy, now)
    return found


def _add(of: Levels, visit: Visit, policy: Policy, now: int) -> None:
    """Add one visit; the time since the earliest of several moments is the longest of their times."""
    promised = policy.of(visit.place).elapsed
    waits, talks = visit.state == "waiting", visit.state in ("talking", "held")
    if waits:
        of.backlog += 1
        of.oldest_waiting = max(of.oldest_waiting, promised(visit.queued_at, now))
    if visit.written and (waits or (talks and visit.clock is not None)):
        of.awaiting_reply += 1
        if visit.clock is not None:
            of.oldest_awaiting_reply = max(of.oldest_awaiting_reply, promised(visit.clock, now))
    if visit.written and (waits or talks):
        of.open_conversations += 1
        of.pending += visit.state == "held"
    if visit.state == "with_bot":
        of.with_bot += 1
        if visit.clock is not None:
            of.oldest_unanswered_by_bot = max(of.oldest_unanswered_by_bot, now - visit.clock)
