"""What written contacts have and calls have not, as settings of a queue; and the hours in which a queue is at work."""

from typing import Final

from msgspec import Struct

from stream_app.model.durations import DAY, HOUR

_THURSDAY: Final = 3
"""The weekday of 1970-01-01, Monday is 0."""


def weekday(day: int) -> int:
    """Return the weekday of a day, counted from 1970-01-01; Monday is 0."""
    return (day + _THURSDAY) % 7


class Writing(Struct, frozen=True):
    """How people and bots write, as shares.

    Attributes:
        bot_given_up: of the contacts with a bot, those whose customer gives up on it.
        acknowledged: of the contacts, those that get an automatic acknowledgement.
        junk: of the contacts that wait for people, those that turn out to be spam, or to be merged into another one.
        unanswered: of the contacts that an agent gets, those that are closed without a reply.
        notes: of the conversations, those with a note among colleagues.
        pending: of the conversations, those that wait for the customer after the first reply, while the agent does other
            work, for ``pending_s`` on average.
        returns: of the handled contacts, those whose case is reopened within two hours, and who wait again.
        stated: of the conversations, those whose work the platform states when they end.
        assigns: whether the platform reports when an agent begins with a contact; without it, nobody knows since when an
            agent has worked on a reply.
    """

    bot_given_up: float = 0.0
    acknowledged: float = 0.0
    junk: float = 0.0
    unanswered: float = 0.0
    notes: float = 0.0
    pending: float = 0.0
    pending_s: float = 3600.0
    returns: float = 0.0
    stated: float = 0.0
    assigns: bool = True

    def wrong(self) -> str | None:
        """Return the name of a share that is none, or from which a contact would never come to an end."""
        shares = (
            "bot_given_up",
            "acknowledged",
            "junk",
            "unanswered",
            "notes",
            "pending",
            "returns",
            "stated",
        )
        bad = (name for name in shares if not 0 <= getattr(self, name) <= 1)
        return next(bad, "pending_s" if self.pending_s <= 0 else "returns" if self.returns == 1 else None)


PLAIN: Final = Writing()


class WorkingHours(Struct, frozen=True):
    """When a queue is at work: from one hour of the centre's clock to another, except on some weekdays and dates."""

    opens: int
    closes: int
    rests: tuple[int, ...]
    holidays: frozenset[int]
    offset: int

    def within(self, a: int, b: int) -> int:
        """Return how much of the time from ``a`` to ``b`` is at work."""
        a, b = a + self.offset, b + self.offset
        total = 0
        for day in range(a // DAY, b // DAY + 1):
            if weekday(day) not in self.rests and day not in self.holidays:
                begin, end = day * DAY + self.opens * HOUR, day * DAY + self.closes * HOUR
                total += max(0, min(b, end) - max(a, begin))
        return total
