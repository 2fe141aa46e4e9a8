"""One open visit: the rows of the state table that allow an event, and the sums that it carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import Event

_MESSAGES = frozenset({"message.received", "message.sent", "bot.handed_off"})
_CONVERSATION = _MESSAGES | {"contact.transferred", "contact.ended", "contact.wrapped"}
ROWS = {
    "waiting": _MESSAGES
    | {
        "contact.answered",
        "agent.missed",
        "contact.abandoned",
        "contact.left_queue",
        "contact.transferred",
        "callback.scheduled",
    },
    "talking": _CONVERSATION | {"contact.held"},
    "held": _CONVERSATION | {"contact.resumed"},
    "wrapping": frozenset({"contact.wrapped"}),
}


class Visit:
    """A contact's stay in a queue and with the agent who answers; times and durations in ms."""

    def __init__(self, event: Event, opener: bytes, target: int, short: int) -> None:
        self.contact, self.queue, self.channel = event.contact, event.queue, event.channel
        self.number = event.visit
        self.opener = opener
        self.target, self.short = target, short
        self.queued_at = event.at
        self.state = "waiting"
        self.since = event.at  # of the last change of state
        self.agent = ""  # who answered
        self.taken: set[str] = set()  # types of the events that this visit applied
        self.clock: int | None = None  # the response clock
        self.responded = self.hold_began = False
        self.talk = self.hold = self.wrap = 0

    def allows(self, event: Event) -> bool:
        """Whether the table has a row for the event and the event fits this visit."""
        return event.type in ROWS[self.state] and self._may_own(event)

    def has_taken(self, event: Event) -> bool:
        """Whether the event could belong to this visit, which had one of its type before."""
        return self._may_own(event) and event.type in self.taken

    def _may_own(self, event: Event) -> bool:
        if event.visit is not None and self.number is not None and event.visit != self.number:
            return False
        if event.at < self.queued_at - 60_000:
            return False
        return not event.queue or event.queue == self.queue

    def wait(self, event: Event) -> int:
        """The wait that the event states, else the difference of the stamps."""
        return event.stated.get("wait", max(0, event.at - self.queued_at))

    def start_clock(self, event: Event) -> None:
        """A customer's message starts the response clock if nothing has yet, a hand-off starts it anew."""
        if not self.responded and (self.clock is None or event.type == "bot.handed_off"):
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
