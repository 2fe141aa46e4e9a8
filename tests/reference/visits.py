"""One open visit: which events it allows, whom it waits for, and the sums that it carries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .history import Life, told_of
from .rules import Rules, is_written

if TYPE_CHECKING:
    from .records import Event

Entry = tuple[int, dict[str, int]]  # time of the bucket, counters

TAKEN_BACK_WITHIN_MS = 600_000
STARTED_WITHIN_MS = 60_000

_MESSAGES = frozenset({"message.received", "message.sent"})
_BOTS = frozenset({"bot.started", "bot.handed_off"})
_LEAVINGS = frozenset({"contact.left_queue", "contact.transferred", "callback.scheduled"})
_ENDINGS = frozenset({"contact.transferred", "contact.ended", "contact.wrapped"})
_ANY = frozenset({"agent.missed"})
_ASKING = _ANY | _MESSAGES | _BOTS | _LEAVINGS | {"contact.answered", "contact.abandoned"}
_TALKING = _ANY | _MESSAGES | _BOTS | _ENDINGS
_ROWS = {
    "waiting": _ASKING,
    "with_bot": _ASKING | {"contact.ended"},
    "abandoned": _ANY | _LEAVINGS,
    "talking": _TALKING | {"contact.held"},
    "held": _TALKING | {"contact.resumed"},
    "wrapping": _ANY | _MESSAGES | {"contact.wrapped", "contact.transferred"},
    "unanswered": {"contact.wrapped"},
    "contained": {"contact.wrapped"},
}
_WRITTEN_ROWS = {
    "waiting": {"contact.ended", "contact.wrapped", "contact.held", "contact.resumed"},
    "with_bot": {"contact.wrapped", "contact.held", "contact.resumed"},
    "talking": {"contact.resumed"},
    "abandoned": {"contact.wrapped"},
}


def has_row(state: str, channel: str, event_type: str) -> bool:
    """Whether the table has a row for such an event, whatever the event says and whatever the visit met."""
    return event_type in _ROWS[state] or (
        is_written(channel) and event_type in _WRITTEN_ROWS.get(state, frozenset())
    )


@dataclass
class Request:
    """What a customer asked for, perhaps in several visits; as one of these visits sees it."""

    start: int
    open_before: int = 0  # business time until the visit's wait began
    answered: bool = False


class Durations(NamedTuple):
    """The work on a visit, and how long it was pending."""

    talk: int
    hold: int
    wrap: int
    pending: int


class Visit:
    """A contact's stay in a queue, with the bot, and with the people who answer; times and durations in ms."""

    def __init__(
        self,
        event: Event,
        at: int,
        opener: bytes,
        rules: Rules,
        *,
        number: int | None = None,
        priority: str = "",
    ) -> None:
        self.contact, self.number, self.priority = event.contact, number, priority
        self.place = event.place
        self.queue, self.channel = event.place
        self.written = is_written(self.channel)
        self.rules = rules  # `answer`, `bot`, `work` and those of replies, for all of its life
        self.opener = opener
        self.order = 0  # among all that were opened
        self.started = self.queued_at = at
        self.target = self.short = 0
        self.request = Request(at)
        self.state = "waiting"
        self.since = self.stirred = at  # of the last change of state, and of the latest event
        self.agent = ""  # who answered, or to whom it was assigned
        self.outbound = self.reopened = self.answered = False
        self.case_at: int | None = None  # when the case was reopened that opened it
        self.taken: set[str] = set()  # types of the events that this visit applied
        self.exact = False  # took an outcome with an exact beginning
        self.abandonment: list[Entry] = []  # all that it counted, while it may be taken back
        self.abandon_wait = 0
        self.was_bots = self.handed_off = False
        # Messages
        self.clock: int | None = (
            at  # the reply clock: since when the customer waits; None while it stands still
        )
        self.written_to = False  # by a person, and so after a hand-off
        self.queue_responded = self.responded = False
        self.asked = at  # the customer's last message
        self.assigned = 0  # when it was assigned last
        self.wrote: dict[str, int] = {}  # by agent, the last message
        # Sums
        self.spent: Counter[str] = Counter()  # in each state
        self.replying = 0  # work by replies
        self.stated: dict[str, int] = {}
        self.hold_began = self.was_reopened = False
        self.over_at: int | None = None  # when the conversation ended
        self.life = Life(told_of(event))

    # Which events it takes ----------------------------------------------------------------------------

    def allows(self, event: Event) -> bool:
        """Whether the table has a row for the event and the event fits this visit."""
        row = has_row(self.state, self.channel, event.type)
        if self.state == "waiting" and event.type == "contact.ended" and event.by == "bot":
            row = row or not self.handed_off
        if self.state in ("talking", "held") and self.assigns(event):
            row = True
        return row and self.fits(event)

    def assigns(self, event: Event) -> bool:
        """Whether an answer would only be an assignment here."""
        return event.type == "contact.answered" and self.rules.answer == "message"

    def has_taken(self, event: Event) -> bool:
        """Whether the event could belong to this visit, which had one of its type before."""
        return self.fits(event) and event.type in self.taken

    def fits(self, event: Event) -> bool:
        """Whether the event could belong to this visit, were it in the right state."""
        if event.visit is not None and self.number is not None and event.visit != self.number:
            return False
        if event.at < self.started - STARTED_WITHIN_MS:
            return False
        if self.state == "abandoned" and event.at > self.since + TAKEN_BACK_WITHIN_MS:
            return False
        return not event.queue or event.queue == self.queue

    # Waiting --------------------------------------------------------------------------------------------

    def waited(self, at: int) -> int:
        """The wait from being queued to `at`."""
        return max(0, at - self.queued_at)

    def wait(self, event: Event) -> int:
        """The wait that the event states, else the difference of the stamps."""
        return event.stated.get("wait", self.waited(event.at))

    @property
    def idle_since(self) -> int:
        """Since when nothing happened to it."""
        return max(self.since, self.stirred) if self.written else self.since

    # Messages -------------------------------------------------------------------------------------------

    def ask(self, at: int) -> None:
        """The customer writes."""
        self.asked = max(self.asked, at)
        if self.clock is None:
            self.clock = at

    def assign(self, event: Event) -> None:
        self.agent, self.assigned = event.agent or self.agent, max(self.assigned, event.at)

    def write(self, agent: str, at: int) -> None:
        """A person writes: which is work since there was something to write about."""
        since = max(self.asked, self.wrote.get(agent, self.asked), self.assigned)
        self.replying += min(max(0, at - since), self.rules.reply_work_cap)
        self.wrote[agent] = max(at, self.wrote.get(agent, at))
        self.written_to = True

    # Durations ------------------------------------------------------------------------------------------

    def change(self, state: str, at: int) -> None:
        """End the spell in this state and begin the next."""
        self.spent[self.state] += max(0, at - self.since)
        self.hold_began = self.hold_began or state == "held"
        self.state, self.since = state, at

    def state_durations(self, event: Event) -> None:
        """Durations that the event states replace the sums."""
        self.stated |= {name: ms for name, ms in event.stated.items() if name != "wait"}

    @property
    def estimated(self) -> bool:
        """Whether nobody said how long the work took, and it is taken from the replies."""
        return self.rules.work == "replies" and "talk" not in self.stated

    def durations(self) -> Durations:
        by_replies = self.rules.work == "replies"
        pends = by_replies or self.written
        found = {
            "talk": self.replying if by_replies else self.spent["talking"],
            "hold": 0 if pends else self.spent["held"],
            "wrap": 0 if by_replies else self.spent["wrapping"],
            **self.stated,
        }
        return Durations(**found, pending=self.spent["held"] if pends else 0)
