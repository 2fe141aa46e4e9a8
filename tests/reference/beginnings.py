"""Outcomes that state how their visit began: what is made up for before they are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .counters import MINUTE
from .memory import fingerprint, stay
from .visits import has_row
from .vocabulary import REPEATABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .memory import Memory
    from .records import Beginning, Event
    from .steps import Steps
    from .visits import Visit

SECOND = 1_000
BEGINS_WITHIN_MS = 55 * MINUTE
NEAR_MS = 2 * SECOND
_ENDS_A_CONVERSATION = ("contact.transferred", "contact.ended", "contact.wrapped")


def stated(event: Event) -> Beginning | None:
    """The beginning that the event states, if it has a meaning."""
    beginning = event.beginning if event.queue and not event.outbound else None
    if beginning is None or beginning.at > event.at + MINUTE:
        return None
    answered_at = beginning.answered_at
    if answered_at is not None and not beginning.at <= answered_at <= event.at:
        return beginning._replace(answered_at=None)
    return beginning


class Beginnings:
    """Finds the visits of outcomes, and opens those that were lost."""

    def __init__(self, memory: Memory, steps: Steps, open_visit: Callable[[Event, int, bytes], None]) -> None:
        self._memory, self._steps, self._open = memory, steps, open_visit

    def meant(self, event: Event, beginning: Beginning) -> list[Visit] | None:
        """The visit that an exact beginning tells, if one is open; None if it is over."""
        if own := self._near(self._memory.newest_first(event.contact), event, beginning.at):
            return [own]
        if self._is_over(event, beginning.at):
            return None
        other = self._renamed(event, beginning.at)
        if other:
            self._memory.rename(other, event.contact)
        return [other] if other else []

    def _near(self, visits: Iterable[Visit], event: Event, at: int) -> Visit | None:
        """Of visits that the event fits, the one queued nearest to `at`, if that is near; the first of several."""
        near = [v for v in visits if v.fits(event) and abs(v.queued_at - at) <= NEAR_MS]
        return min(near, key=lambda v: abs(v.queued_at - at)) if near else None

    def _is_over(self, event: Event, at: int) -> bool:
        """Whether the visit is remembered that the event means."""
        seconds = range(at // SECOND - 2, at // SECOND + 3)
        who = [("contact", event.contact), *([("agent", event.agent)] if event.agent else [])]
        return any(self._memory.knows(stay(event.place, of, name, s)) for of, name in who for s in seconds)

    def _renamed(self, event: Event, at: int) -> Visit | None:
        """Another contact's visit that the event means."""
        everyone = sorted(self._memory, key=lambda v: v.order)
        others = [v for v in everyone if v.contact != event.contact and v.place == event.place]
        kinds: list[Callable[[Visit], bool]] = [
            lambda v: (
                v.state in ("talking", "held", "wrapping") and event.agent != "" and v.agent == event.agent
            ),
            lambda v: v.state == "waiting",
            lambda v: v.state == "abandoned" and abs(v.since - event.at) <= NEAR_MS,
        ]
        found = (self._near(filter(kind, others), event, at) for kind in kinds)
        return next(filter(None, found), None)

    def make_up(self, event: Event, beginning: Beginning, meant: list[Visit]) -> bool:
        """Make up for what was lost of the beginning; False if the outcome is a duplicate."""
        opener = fingerprint(beginning.id)
        visits = meant or self._memory.newest_first(event.contact)
        ready = [
            v
            for v in visits
            if v.opener == opener
            or v.allows(event)
            or (v.state == "waiting" and v.fits(event))
            or (event.type not in REPEATABLE and v.has_taken(event))
        ]
        minute = self._memory.now // MINUTE * MINUTE
        ends_a_wait = has_row("waiting", event.place[1], event.type) or (
            event.type == "contact.ended" and event.by == "bot"
        )
        if (
            not (meant or ready)
            and (ends_a_wait or beginning.answered_at is not None)
            and beginning.at >= minute - BEGINS_WITHIN_MS
        ):
            if self._memory.knows(opener):
                return False
            self._open(event, beginning.at, opener)
        visits = meant or self._memory.newest_first(event.contact)
        waiting = next((v for v in visits if v.state == "waiting" and v.fits(event)), None)
        at = beginning.answered_at
        if waiting and at is not None and event.type in _ENDS_A_CONVERSATION:
            self._steps.answer(waiting, at, event.agent, waiting.waited(at), stated=False)
            waiting.taken.add("contact.answered")
        return True
