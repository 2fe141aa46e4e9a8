"""One open visit: the rows of the state table that allow an event, and the sums that it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import Event

Entry = tuple[int, dict[str, int]]  # time of the bucket, counters

TAKEN_BACK_WITHIN_MS = 600_000

_MESSAGES = frozenset({"message.received", "message.sent", "bot.handed_off"})
_LEAVINGS = frozenset({"contact.left_queue", "contact.transferred", "callback.scheduled"})
_ENDINGS = frozenset({"contact.transferred", "contact.ended", "contact.wrapped"})
_ANY = frozenset({"agent.missed"})
ROWS = {
    "waiting": _ANY | _MESSAGES | _LEAVINGS | {"contact.answered", "contact.abandoned"},
    "abandoned": _ANY | _LEAVINGS,
    "talking": _ANY | _MESSAGES | _ENDINGS | {"contact.held"},
    "held": _ANY | _MESSAGES | _ENDINGS | {"contact.resumed"},
    "wrapping": _ANY | {"contact.wrapped", "contact.transferred"},
}


class Visit:
    """A contact's stay in a queue and with the agent who answers; times and durations in ms."""

    def __init__(self, event: Event, at: int, opener: bytes, limits: tuple[int, int]) -> None:
        self.contact, self.number = event.contact, event.visit
        self.place = event.place
        self.queue, self.channel = event.place
        self.opener = opener
        self.target, self.short = limits
        self.queued_at = at
        self.state = "waiting"
        self.since = at  # of the last change of state
        self.agent = ""  # who answered
        self.outbound = False
        self.taken: set[str] = set()  # types of the events that this visit applied
        self.clock: int | None = None  # when the response clock was started; None while it stands still
        self.met_bot = self.responded = self.hold_began = self.states_durations = False
        self.talk = self.hold = self.wrap = 0
        self.abandonment: list[Entry] = []  # all that it counted, while it may be taken back
        self.abandon_wait = 0
        self.exact = False  # took an outcome with an exact beginning

    def allows(self, event: Event) -> bool:
        """Whether the table has a row for the event and the event fits this visit."""
        by_bot = self.state == "waiting" and event.type == "contact.ended" and event.by == "bot"
        return (by_bot or event.type in ROWS[self.state]) and self.fits(event)

    def has_taken(self, event: Event) -> bool:
        """Whether the event could belong to this visit, which had one of its type before."""
        return self.fits(event) and event.type in self.taken

    def fits(self, event: Event) -> bool:
        """Whether the event could belong to this visit, were it in the right state."""
        if event.visit is not None and self.number is not None and event.visit != self.number:
            return False
        if event.at < self.queued_at - 60_000:
            return False
        if self.state == "abandoned" and event.at > self.since + TAKEN_BACK_WITHIN_MS:
            return False
        return not event.queue or event.queue == self.queue

    def waited(self, at: int) -> int:
        """The wait from being queued to `at`."""
        return max(0, at - self.queued_at)

    def wait(self, event: Event) -> int:
        """The wait that the event states, else the difference of the stamps."""
        return event.stated.get("wait", self.waited(event.at))

    def hear(self, event: Event) -> None:
        """A customer's message starts a clock that stands still; a hand-off starts it anew until the response."""
        if event.type == "message.received":
            if self.clock is None:
                self.clock = event.at
        elif not self.responded:
            self.clock = event.at

    def change(self, state: str, at: int) -> None:
        """End the spell in this state and begin the next."""
        spell = max(0, at - self.since)
        if self.state == "talking":
            self.talk += spell
        elif self.state == "held":
            self.hold += spell
        elif self.state == "wrapping":
            self.wrap += spell
        self.hold_began = self.hold_began or state == "held"
        self.state, self.since = state, at

    def state_durations(self, event: Event) -> None:
        """Durations that the event states replace the sums of the spells."""
        self.talk = event.stated.get("talk", self.talk)
        self.hold = event.stated.get("hold", self.hold)
        if event.type == "contact.wrapped":
            self.wrap = event.stated.get("wrap", self.wrap)
        self.states_durations = self.states_durations or not {"talk", "hold", "wrap"}.isdisjoint(event.stated)
