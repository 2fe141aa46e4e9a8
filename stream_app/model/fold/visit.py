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
    WITH_BOT = 6
    UNANSWERED = 7
    CONTAINED = 8
    CLOSED = 9
    ENDED = 10
    """Over, and no visit any more: remembered because the request may go on in another queue."""
    REOPENING = 11
    """No visit, but a mark: the contact's case was reopened."""
    SURVEYED = 12
    """No visit: a survey, of the kind in ``agent``, was sent at ``queued_at``, and was not returned."""
    RATED = 13
    """No visit: an opinion, of the kind in ``agent``, given first at ``queued_at`` and last at ``clock``; ``wait`` is what it
    counted as, and ``responded`` whether it returned a survey."""


(
    WAITING,
    TALKING,
    HELD,
    WRAPPING,
    ABANDONED,
    WITH_BOT,
    UNANSWERED,
    CONTAINED,
    CLOSED,
    ENDED,
    REOPENING,
    SURVEYED,
    RATED,
) = (int(state) for state in VisitState)

REMEMBERED: Final = ENDED
"""From this state on, what is kept is no visit: no event belongs to it."""

CONVERSING: Final = frozenset({WAITING, TALKING, HELD})
"""Open, for people."""
OVER: Final = frozenset({ABANDONED, UNANSWERED, CONTAINED, ENDED, REOPENING, SURVEYED, RATED})
"""Kept, but over: nobody waits or works any more."""
QUEUED: Final = e.Queued.bit
"""In ``seen`` of every visit but outbound ones."""
STATED: Final = 1 << 31
"""In ``seen``, above all types, which have the bits below 20: the platform stated a duration of the conversation."""
CAME_BACK: Final = 1 << 32
"""In ``seen`` of an abandoned visit: the contact began another one since, so nobody needs to call back."""
EXACT: Final = 1 << 33
"""In ``seen``: the platform tells visits by queue and second, whatever it calls the contact."""
WRITTEN: Final = 1 << 20
"""In ``seen``: its channel is a written one."""
BY_MESSAGE: Final = 1 << 21
"""In ``seen``: a person's message answers it, and ``contact.answered`` is an assignment."""
TELLS: Final = 1 << 22
"""In ``seen``: its source tells messages."""
BOT_TALKS: Final = 1 << 23
"""In ``seen``: a bot's message is a conversation, no acknowledgement."""
BY_REPLIES: Final = 1 << 24
"""In ``seen``: the work on it is found from the replies."""
HANDED_OFF: Final = 1 << 25
"""In ``seen``: it was with a bot, and was passed on to people."""
OWED: Final = 1 << 26
"""In ``seen``: no person's message came since it was handed off, so no bot's message changes anything."""
MET: Final = 1 << 27
"""In ``seen``: a person wrote in it."""
REOPENED: Final = 1 << 28
"""In ``seen``: it is the same request again, and was not offered; or the customer wrote after the end and had a reply."""

GOES_ON: Final = 1 << 29
"""In ``seen``: it ended by a transfer, or left the queue so that the request may go on in another one."""

TALK_STATED: Final = 1 << 30
"""In ``seen``: the platform stated the talk time."""


class VisitNotes(Struct, array_like=True, gc=False):
    """What the ledger keeps of a visit, and counting does not need; also its stored form, like a visit's own.

    Attributes:
        told: how often it counted something.
        counted: what, packed (see ``model.ledger.counted_by``).
        team: whose it was, like the next three.
        contact_reason: as the events say.
        wrap_up_code: likewise.
    """

    told: int = 0
    counted: bytes = b""
    team: str | None = None
    site: str | None = None
    customer: str | None = None
    case: str | None = None
    contact_reason: str | None = None
    wrap_up_code: str | None = None


class Visit(Struct, array_like=True, gc=False):
    """One open visit; also its stored form, so fields may be appended, never moved.

    Attributes:
        queued_at: when its wait for a person began.
        since: the last change of state.
        answer_target: T of its wait: how long that may be by the wall clock, whichever clock was promised.
        short_abandon: the short-abandon threshold, likewise; 0: no abandonment is short.
        opener: hash of the event id that opened it.
        seen: bits of the event types it has taken, and those above.
        clock: since when the customer waits for a message; 0 if not.
        responded: the request was answered, in this visit or a former one.
        talk: time spent talking so far, or the work on replies.
        hold: time spent on hold so far.
        held: was on hold at least once.
        wait: how long it waited, once it is abandoned.
        predicted: the CSAT predicted from its sentiment, in thousandths; 0 if unknown.
        began: when it was queued, where its wait began later, with a hand-off; 0: at ``queued_at``.
        asked_at: when the request began, where another visit came before; 0: at ``queued_at``.
        asked_open: how much business time the request had taken at ``queued_at``.
        active: when somebody was active last, in written channels.
        heard_at: the customer's last message, where work is found from replies; 0: the request.
        assigned_at: the last assignment; 0: none.
        wrote: agent → last message, where work is found from replies.
        reply_target: how long a reply after the first may take; -1: no such target.
        work_cap: the most work that a reply may have been.
        pending: time in which a written conversation waited for something else.
        priority: as it was queued with.
        idle_days: after how many days without activity it is closed, unless its state says it; 0: what former versions did.
        notes: for the ledger, where there is one.
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
    began: int = 0
    asked_at: int = 0
    asked_open: int = 0
    active: int = 0
    heard_at: int = 0
    assigned_at: int = 0
    wrote: dict[str, int] | None = None
    reply_target: int = -1
    work_cap: int = 0
    pending: int = 0
    priority: str | int | None = None
    idle_days: int = 0
    notes: VisitNotes | None = None

    @property
    def due(self) -> int:
        """The latest moment of its decision: an outcome that comes later has missed T."""
        return self.queued_at + self.answer_target

    def is_short(self, wait: int) -> bool:
        """Return whether an abandonment after this wait is a short one; with a threshold of 0 none is."""
        return wait <= self.short_abandon > 0

    @property
    def outbound(self) -> bool:
        """Whether it began with an outbound call or message."""
        return not self.seen & QUEUED

    @property
    def started(self) -> int:
        """When it was queued, whether or not a bot took it then."""
        return self.began or self.queued_at

    @property
    def asked(self) -> int:
        """When the customer's request began."""
        return self.asked_at or self.queued_at


Visits = tuple[Visit, ...]
"""A contact's open visits, oldest first. Nearly always one; a tuple is one object less than a list to keep and look up."""
