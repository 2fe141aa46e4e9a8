"""A visit: (contact, queue, visit number), as it is kept while it is open. Times and durations are milliseconds."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from msgspec import Struct

from stream_app.model import events as e


class VisitState(IntEnum):
    """The state of a visit. The numbers are stored: add, never renumber."""

    WAITING = 1
    TALKING = 2
    HELD = 3
    WRAPPING = 4
    ABANDONED = 5
    CLOSED = 9


WAITING, TALKING, HELD, WRAPPING, ABANDONED, CLOSED = (int(state) for state in VisitState)

QUEUED: Final = e.Queued.bit
"""In ``seen`` of every visit but outbound ones."""
STATED: Final = 1 << 31
"""In ``seen``, above all types: the platform stated a duration of the conversation."""
CAME_BACK: Final = 1 << 32
"""In ``seen`` of an abandoned visit: the contact began another one since, so nobody needs to call back."""
EXACT: Final = 1 << 33
"""In ``seen``: the platform tells visits by queue and second, whatever it calls the contact."""


class Visit(Struct, array_like=True, gc=False):
    """One open visit; also its stored form, so fields may be appended, never moved.

    Attributes:
        queued_at: when it began.
        since: the last change of state.
        answer_target: T when it was queued.
        short_abandon: the short-abandon threshold when it was queued; 0: no abandonment is short.
        opener: hash of the event id that opened it.
        seen: bits of the event types it has taken, and ``STATED``.
        clock: when the customer began to wait for a reply; 0 if not waiting, or, before the first one, since ``queued_at``.
        responded: the first response was given.
        talk: time spent talking so far.
        hold: time spent on hold so far.
        held: was on hold at least once.
        wait: how long it waited, once it is abandoned.
        predicted: the CSAT predicted from its sentiment, in thousandths; 0 if unknown.
    """

    queue: str
    channel: str
    state: int
    queued_at: int
    since: int
    answer_target: int
    short_abandon: int
    opener: bytes
    seen: int = 0
    number: int | None = None
    agent: str | None = None
    clock: int = 0
    responded: bool = False
    talk: int = 0
    hold: int = 0
    held: bool = False
    wait: int = 0
    predicted: int = 0

    @property
    def due(self) -> int:
        """The latest moment of its decision: an outcome that comes later has missed T."""
        return self.queued_at + self.answer_target

    def is_short(self, wait: int) -> bool:
        """Return whether an abandonment after this wait is a short one; with a threshold of 0 none is."""
        return wait <= self.short_abandon > 0

    @property
    def outbound(self) -> bool:
        """Whether it began with an outbound call."""
        return not self.seen & QUEUED


Visits = tuple[Visit, ...]
"""A contact's open visits, oldest first. Nearly always one; a tuple is one object less than a list to keep and look up."""
