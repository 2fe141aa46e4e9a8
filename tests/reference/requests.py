"""A customer's request, which may go through several visits of the contact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .visits import Request

if TYPE_CHECKING:
    from .memory import Memory
    from .rules import Policy
    from .visits import Visit

_GOES_ON = ("waiting", "talking", "held", "wrapping")


def go_on(visit: Visit, memory: Memory, policy: Policy) -> None:
    """The visit, which is about to open, goes on with the request of a former one, if there is one."""
    former = _former(visit, memory, policy)
    if former is None:
        return
    there, before, now = policy.of(former.place), former.queued_at, visit.queued_at
    spent = there.open(before, now) if now >= before else -there.open(now, before)
    visit.request = Request(
        min(former.request.start, now),
        max(0, former.request.open_before + spent),
        former.request.answered,
    )
    visit.clock = former.clock
    memory.forget_ended(visit.contact)


def _former(visit: Visit, memory: Memory, policy: Policy) -> Visit | None:
    """Of the contact's visits that it may go on with, the one that was opened last."""
    if visit.outbound:
        return None
    under_way = [v for v in memory.newest_first(visit.contact) if v.state in _GOES_ON and not v.outbound]
    gap = policy.of(visit.place).request_gap
    over = [ended.visit for ended in memory.ended(visit.contact) if visit.queued_at - ended.at <= gap]
    return max(under_way + over, key=lambda v: v.order, default=None)
