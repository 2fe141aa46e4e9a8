"""Exact beginnings: which visit an outcome means, whatever the platform calls the contact by now.

Platforms that keep a log of calls may tell one end with several lines, and give a call another id in the middle. What they
always say right is the queue, the second in which the call entered it, and the agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from stream_app.model import events as e

from .matching import fits
from .seen import fingerprint
from .visit import ABANDONED, HELD, TALKING, WAITING, WRAPPING, Visit, Visits

NEAR: Final = 2_000
"""How far an exact beginning may be off: platforms that log whole seconds round several times."""
_WITH_AGENT: Final = frozenset({TALKING, HELD, WRAPPING})


def nearest(visits: Visits, event: e.Outcome, at: int) -> Visit | None:
    """Return the visit that an event fits and that was queued near a moment: of several the nearest, then the newest."""
    found, least = None, NEAR
    for visit in visits:
        off = abs(visit.queued_at - at)
        if off <= least and fits(visit, event):
            found, least = visit, off
    return found


def renamed(open_: Iterable[tuple[str, Visits]], event: e.Outcome, at: int) -> tuple[str, Visit] | None:
    """Return the contact and the visit that an event with an exact beginning means, under another contact's id.

    It looks at all open visits, which takes long where there are many: only an event that its own contact can't take asks.
    """
    place = event.queue, event.channel or "voice"
    near = [
        (contact, visit)
        for contact, visits in open_
        if contact != event.contact_id
        for visit in visits
        if abs(visit.queued_at - at) <= NEAR and (visit.queue, visit.channel) == place and fits(visit, event)
    ]
    if event.agent is not None:
        answered = [one for one in near if one[1].state in _WITH_AGENT and one[1].agent == event.agent]
    else:
        answered = []
    found = (
        answered
        or [one for one in near if one[1].state == WAITING]
        or [one for one in near if one[1].state == ABANDONED and abs(one[1].since - event.at) <= NEAR]
    )
    return min(found, key=lambda one: abs(one[1].queued_at - at), default=None)


def stays_of(contact: str, visit: Visit) -> tuple[bytes, ...]:
    """Return what a visit is remembered by when it is over: its contact and second, and its agent and second."""
    second = visit.queued_at // 1000
    by_contact = _stay(visit.queue, visit.channel, "contact", contact, second)
    if visit.agent is None:
        return (by_contact,)
    return by_contact, _stay(visit.queue, visit.channel, "agent", visit.agent, second)


def stays_meant(event: e.Outcome, at: int) -> Iterator[bytes]:
    """Yield what the visit of an event with an exact beginning may be remembered by, if it is over."""
    queue, channel, second, far = str(event.queue), event.channel or "voice", at // 1000, NEAR // 1000
    for s in range(second - far, second + far + 1):
        yield _stay(queue, channel, "contact", event.contact_id, s)
        if event.agent is not None:
            yield _stay(queue, channel, "agent", event.agent, s)


def _stay(queue: str, channel: str, of: str, who: str, second: int) -> bytes:
    return fingerprint(f"stay|{queue}|{channel}|{of}|{who}|{second}")
