"""The ledger of truth: what really happened, to compare with the results of the pipeline.

Kept by the simulation from its own durations, not derived from its events. An entry is made just before its event is emitted,
so that the ledger is right when a reader has taken the last event.
"""

from msgspec import Struct

Activity = tuple[str, str | None, str]
"""An agent's state, its reason, and the work beside it: ``on_contact``, ``wrap`` or none."""


class LedgerRow(Struct):
    """The truth about one queue and channel. Durations are milliseconds.

    Attributes:
        arrivals: contacts that came from outside, blocked ones included.
        offered: visits to the queue, also by transfer and callback; not those that are reopened.
        to_bot: those of them that were a bot's first; from_bot: those that it passed on to people.
        bot_contained: those that it resolved; bot_abandoned: those whose customer gave up on it.
        answered: in writing, by an agent's first message. Waits are those for people.
        left: those that left unanswered without giving up; closed_unanswered: those that an agent closed without a word.
        handled: visits whose wrap-up is over; the sums of talk, hold and wrap contain only these. Where work is found from
            replies, talk is that, and handled_estimated and estimated_ms are the same again; where it was stated, talk is what
            was stated, and handled_stated the same again.
        held: the handled visits with a hold.
        responded: requests that people answered, since people knew of them.
        queue_responded: visits in which a person wrote.
        replies: an agent's messages for which a customer waited.
        conversations: the handled visits that ended in no transfer; from the request to the end.
        …_open_ms: the part of a wait in which the queue was at work.
    """

    arrivals: int = 0
    offered: int = 0
    to_bot: int = 0
    from_bot: int = 0
    bot_contained: int = 0
    bot_abandoned: int = 0
    answered: int = 0
    abandoned: int = 0
    left: int = 0
    closed_unanswered: int = 0
    refused: int = 0
    missed: int = 0
    transferred: int = 0
    reopened: int = 0
    handled: int = 0
    handled_estimated: int = 0
    handled_stated: int = 0
    held: int = 0
    responded: int = 0
    queue_responded: int = 0
    replies: int = 0
    conversations: int = 0
    answer_wait_ms: int = 0
    abandon_wait_ms: int = 0
    left_wait_ms: int = 0
    response_ms: int = 0
    queue_response_ms: int = 0
    reply_ms: int = 0
    answer_open_ms: int = 0
    abandon_open_ms: int = 0
    response_open_ms: int = 0
    queue_response_open_ms: int = 0
    reply_open_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_ms: int = 0
    estimated_ms: int = 0
    pending_ms: int = 0
    conversation_ms: int = 0

    @property
    def with_bot(self) -> int:
        """The visits that are with a bot."""
        return self.to_bot - self.from_bot - self.bot_contained - self.bot_abandoned

    @property
    def waiting(self) -> int:
        """The visits that wait for people."""
        offered = self.offered - self.to_bot + self.from_bot
        return offered - self.answered - self.abandoned - self.left

    @property
    def abandonment(self) -> float:
        """The share of those offered to people that gave up."""
        return self.abandoned / (self.offered - self.to_bot + self.from_bot)

    @property
    def handle_s(self) -> float:
        """The mean handle time in seconds."""
        return (self.talk_ms + self.hold_ms + self.wrap_ms) / self.handled / 1000


class Attended(Struct):
    """The truth about one agent.

    Attributes:
        doing: what the agent does, since ``since``.
        spent: how long the agent did what until then, milliseconds.
        talking, wrapping: the contacts that the agent has, and those that are wrapped up.
        comes: how often the agent came.
        forgotten: how often the agent left without logging off.
    """

    doing: Activity = ("offline", None, "")
    since: int = 0
    spent: dict[Activity, int] = {}
    talking: int = 0
    wrapping: int = 0
    comes: int = 0
    forgotten: int = 0

    def becomes(self, state: str, reason: str | None, at: int) -> None:
        """Enter a change of the state."""
        self.comes += state != "offline" and self.doing[0] == "offline"
        self._do(state, reason, at)

    def has(self, at: int, *, talking: int = 0, wrapping: int = 0) -> None:
        """Enter contacts that begin or, with -1, end."""
        self.talking += talking
        self.wrapping += wrapping
        self._do(*self.doing[:2], at)

    def until(self, at: int) -> dict[Activity, int]:
        """Return how long the agent did what until a moment."""
        spent = dict(self.spent)
        if self.since:
            spent[self.doing] = spent.get(self.doing, 0) + at - self.since
        return spent

    def _do(self, state: str, reason: str | None, at: int) -> None:
        work = "" if state == "offline" else "on_contact" if self.talking else "wrap" if self.wrapping else ""
        doing = (state, reason, work)
        if doing != self.doing or not self.since:
            self.spent = self.until(at)
            self.doing, self.since = doing, at


class Ledger:
    """The ledger's rows by (queue, channel).

    Attributes:
        rows: what happened.
        untold: the same to a platform that tells of no messages: agents answer when they get a contact, and bots are unknown.
            Only outcomes, waits and handle times.
        work: how long agents had the contacts that ended on a day, waits for customers left out, by queue and channel and by
            the day of the centre's clock (counted from 1970-01-01), milliseconds. It is known of no platform: a contact that
            nobody answered, writing that no message shows and wrap-up are in it. With several contacts at once it overlaps.
        people: what each agent did, from when the agent first came or had a contact.
        events: the number of emitted events.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], LedgerRow] = {}
        self.untold: dict[tuple[str, str], LedgerRow] = {}
        self.work: dict[tuple[str, str], dict[int, int]] = {}
        self.people: dict[str, Attended] = {}
        self.events = 0

    def row(self, queue: str, channel: str) -> LedgerRow:
        """Return the row of a queue and channel."""
        return self.rows.setdefault((queue, channel), LedgerRow())
