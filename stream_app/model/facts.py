"""Facts: what an event means for a visit. The closed set that KPIs may count.

Durations are milliseconds, times milliseconds since the epoch; ``at`` says to which bucket a fact belongs. Scores are whole
numbers in the parts that their fields name, so that they add up exactly.
"""

from msgspec import Struct


class Fact(Struct, frozen=True, gc=False):
    """Something that happened to a contact in a queue.

    Attributes:
        queue: the queue's name.
        channel: ``voice``, ``chat``, ``email``, …
        at: when it counts.
    """

    queue: str
    channel: str
    at: int


class TakenBack(Fact, frozen=True, gc=False):
    """Facts that turned out not to be: each is subtracted from where it was counted."""

    facts: tuple[Fact, ...]


# --- waiting ---


class Offered(Fact, frozen=True, gc=False):
    """A visit began."""


class WaitOver(Fact, frozen=True, gc=False):
    """A visit waits no longer; it is one of the contacts that were queued with it, at ``queued_at``."""

    queued_at: int


class Answered(WaitOver, frozen=True, gc=False):
    """An agent took the contact after ``wait``; ``in_target`` is wait ≤ T.

    Attributes:
        stated: the platform said so itself; otherwise the wait is the difference of two stamps.
    """

    wait: int
    in_target: bool
    stated: bool = False


class Abandoned(WaitOver, frozen=True, gc=False):
    """The customer gave up after ``wait``."""

    wait: int
    in_target: bool
    short: bool


class Undone(Fact, frozen=True, gc=False):
    """The abandonment of this moment was none: the customer came back to the same wait, or had been passed on."""


class Left(WaitOver, frozen=True, gc=False):
    """The contact left the queue unanswered, but not by giving up; ``callback``: it is to be called back."""

    wait: int
    in_target: bool
    callback: bool = False


class Decided(Fact, frozen=True, gc=False):
    """Exactly one a visit: at its outcome, or at queued + T if it still waited then.

    Attributes:
        abandoned_later: decided by the passing of T, and abandoned after that.
    """

    abandoned_later: bool = False


class Refused(Fact, frozen=True, gc=False):
    """A contact never got in."""


class Missed(Fact, frozen=True, gc=False):
    """It rang at an agent who did not take it."""


class BotServed(Fact, frozen=True, gc=False):
    """The wait of a contact that met a bot is over; ``contained``: it ended there, and no human was needed."""

    contained: bool


class Lost(WaitOver, frozen=True, gc=False):
    """A waiting visit whose end was never told."""


# --- talking and writing ---


class Responded(Fact, frozen=True, gc=False):
    """A human's first response, ``after`` the moment from which the customer waited for one.

    Attributes:
        after_open: of that, the time within the queue's business hours.
    """

    after: int
    after_open: int


class Replied(Fact, frozen=True, gc=False):
    """A human's reply to what the customer wrote, the first response included; fields as in ``Responded``."""

    after: int
    after_open: int


class Transferred(Fact, frozen=True, gc=False):
    """An agent passed a contact on."""


class Handled(Fact, frozen=True, gc=False):
    """The work on a visit is complete.

    Attributes:
        talk: time in conversation, hold left out.
        hold: time on hold.
        wrap: after-contact work.
        held: the contact was put on hold at least once.
        transferred: it was passed on.
        stated: the platform stated a duration itself, and it was preferred over the difference of stamps.
        timed_out: nobody said that the wrap-up ended; ``wrap`` is 0.
    """

    talk: int
    hold: int
    wrap: int
    held: bool
    transferred: bool = False
    stated: bool = False
    timed_out: bool = False


class Unfinished(Fact, frozen=True, gc=False):
    """An answered visit whose end was never told."""


class CalledOut(Fact, frozen=True, gc=False):
    """A customer took a call that the centre made."""


class OutboundHandled(Fact, frozen=True, gc=False):
    """The work on such a call is complete; fields as in ``Handled``."""

    talk: int
    hold: int
    wrap: int


# --- what customers, reviewers and machines say of it ---


class CsatAnswered(Fact, frozen=True, gc=False):
    """A satisfaction survey; ``satisfied`` as the queue's settings have it."""

    satisfied: bool


class NpsAnswered(Fact, frozen=True, gc=False):
    """Would you recommend us, 0 to 10: a promoter says 9 or 10, a detractor 6 or less."""

    promoter: bool
    detractor: bool


class CesAnswered(Fact, frozen=True, gc=False):
    """How much effort was it: ``effort`` in thousandths, 1,000 (none) to 7,000, whatever the survey's scale."""

    effort: int


class Reviewed(Fact, frozen=True, gc=False):
    """A person's quality review.

    Attributes:
        score: ten-thousandths, 0 to 10,000.
        judged: whether it says if the rules were kept.
        compliant: they were.
    """

    score: int
    judged: bool
    compliant: bool


class AutoReviewed(Reviewed, frozen=True, gc=False):
    """The same by a machine: kept apart, for it reads every contact and a person reads some."""


class Sentiment(Fact, frozen=True, gc=False):
    """The mood of a contact: ``score`` in thousandths, -1,000 to 1,000."""

    score: int


class Predicted(Fact, frozen=True, gc=False):
    """The CSAT that it lets expect: ``csat`` in thousandths, 1,000 to 5,000."""

    csat: int


class Sold(Fact, frozen=True, gc=False):
    """Money came of it.

    Attributes:
        amount: ten-thousandths of the currency's unit.
        currency: its place in ``model.currencies``.
    """

    amount: int
    currency: int
