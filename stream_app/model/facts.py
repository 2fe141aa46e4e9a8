"""Facts: the meaning of an event for a visit. The closed set that KPIs may count.

A fact belongs to a queue and a channel, which whoever counts it knows. It is kept as an array that begins with the number of
its kind: append fields, with defaults, and never give a number again.

Durations are milliseconds, times milliseconds since the epoch; ``at`` determines a fact's bucket. Scores are whole numbers in
the parts that their fields name, so that they add up exactly.
"""

from msgspec import Struct

from .reasons import LeftBy, RefusedBy


class Fact(Struct, frozen=True, gc=False, array_like=True):
    """Something that happened to a contact in a queue.

    Attributes:
        at: the time at which it counts.
    """

    at: int


class TakenBack(Fact, frozen=True, gc=False, tag=1):
    """Facts that turned out to be wrong: each is subtracted from where it was counted."""

    facts: tuple[Fact, ...]


# --- waiting ---


class Offered(Fact, frozen=True, gc=False, tag=2):
    """A visit began."""


class WaitOver(Fact, frozen=True, gc=False):
    """A wait is over; the visit counts among the contacts that were queued with it, at ``queued_at``."""

    queued_at: int


class Answered(WaitOver, frozen=True, gc=False, tag=3):
    """An agent took the contact after ``wait``; ``in_target`` is wait ≤ T.

    Attributes:
        stated: the platform stated the wait; otherwise it is the difference of two stamps.
        wait_open: the part of the wait within the queue's business hours.
    """

    wait: int
    in_target: bool
    stated: bool = False
    wait_open: int = 0


class Abandoned(WaitOver, frozen=True, gc=False, tag=4):
    """The customer gave up after ``wait``; fields as in ``Answered``."""

    wait: int
    in_target: bool
    short: bool
    wait_open: int = 0


class Undone(Fact, frozen=True, gc=False, tag=5):
    """The abandonment of this moment is undone: the customer came back to the same wait, or had been passed on."""


class Left(WaitOver, frozen=True, gc=False, tag=6):
    """Flow-out: the contact left the queue unanswered, but did not give up; ``callback``: it is to be called back.

    Attributes:
        reason: why, as it is counted.
        demand: whether it is a sample of ratios: spam and duplicates are not.
    """

    wait: int
    in_target: bool
    callback: bool = False
    reason: LeftBy = "other"
    demand: bool = True


class Decided(Fact, frozen=True, gc=False, tag=7):
    """The decision of a visit, exactly one each: at its outcome, or at queued + T if it was still waiting then.

    Attributes:
        abandoned_later: decided because T passed, and abandoned after that.
    """

    abandoned_later: bool = False


class Refused(Fact, frozen=True, gc=False, tag=8):
    """A blocked contact, which was never queued; ``reason``: why, as it is counted."""

    reason: RefusedBy = "other"


class Missed(Fact, frozen=True, gc=False, tag=9):
    """Ring no answer: the contact was offered to an agent who did not take it."""


class Lost(WaitOver, frozen=True, gc=False, tag=10):
    """A waiting visit whose outcome is unknown."""


# --- talking and writing ---


class Responded(Fact, frozen=True, gc=False, tag=11):
    """A person's first response to a request, ``after`` the customer began to wait for one.

    Attributes:
        after_open: the part of it within business hours, of all queues in which it was.
        here: the part of ``after`` in this queue.
        before_open: the part of ``after_open`` in other queues.
    """

    after: int
    after_open: int
    here: int
    before_open: int = 0


class QueueResponded(Fact, frozen=True, gc=False, tag=12):
    """A person's first message in a visit, ``wait`` after its wait began; fields as in ``Answered``."""

    wait: int
    wait_open: int


class Replied(Fact, frozen=True, gc=False, tag=13):
    """A person's reply to a customer's message, the answer included.

    Attributes:
        after: since the customer began to wait for it.
        after_open: the part of it within the queue's business hours.
        target: how long it may take; -1: it has no target.
        in_target: it took no longer, by the clock that was promised.
        due: it has a target.
        first: it is the answer.
    """

    after: int
    after_open: int
    target: int = -1
    in_target: bool = False
    due: bool = False
    first: bool = False


class Reopened(Fact, frozen=True, gc=False, tag=14):
    """A customer came back with the same request after it was closed."""


class Transferred(Fact, frozen=True, gc=False, tag=15):
    """An agent passed a contact on."""


class Handled(Fact, frozen=True, gc=False, tag=16):
    """The work on a visit is complete.

    Attributes:
        talk: time in conversation, hold left out.
        hold: time on hold.
        wrap: after-contact work.
        held: the contact was put on hold at least once.
        transferred: it was transferred.
        stated: the platform stated a duration, which takes precedence over the difference of stamps.
        timed_out: the end of the wrap-up was never reported; ``wrap`` is 0.
        pending: time in which a written conversation waited for something else.
        estimated: the work was found from the replies.
        estimate: the talk time, if it was.
        concluded: the conversation ended here, and was not transferred.
        lasted: from the request to the end of the conversation, if it ended here.
    """

    talk: int
    hold: int
    wrap: int
    held: bool
    transferred: bool = False
    stated: bool = False
    timed_out: bool = False
    pending: int = 0
    estimated: bool = False
    estimate: int = 0
    concluded: bool = False
    lasted: int = 0


class Unfinished(Fact, frozen=True, gc=False, tag=17):
    """An answered visit whose end was never reported."""


class CalledOut(Fact, frozen=True, gc=False, tag=18):
    """An outbound call that the customer took."""


class OutboundHandled(Fact, frozen=True, gc=False, tag=19):
    """The work on an outbound call is complete; fields as in ``Handled``."""

    talk: int
    hold: int
    wrap: int


# --- bots ---


class ToBot(Fact, frozen=True, gc=False, tag=20):
    """A visit was with a bot from the moment at which it was queued: nobody waited for a person."""


class FromBot(Fact, frozen=True, gc=False, tag=21):
    """A bot handed off to people, and the wait for a person began."""


class Contained(Fact, frozen=True, gc=False, tag=22):
    """A bot resolved a contact without a person."""


class Returned(Fact, frozen=True, gc=False, tag=23):
    """The containment of this moment did not last: the contact came back."""


class EndedWithBot(Fact, frozen=True, gc=False, tag=24):
    """A contact ended with a bot, and was not resolved."""


# --- feedback by customers, reviewers and machines ---


class Surveyed(Fact, frozen=True, gc=False, tag=25):
    """A customer was asked for an opinion of a kind: ``csat``, ``nps``, ``ces`` or ``fcr``."""

    kind: str


class SurveyReturned(Fact, frozen=True, gc=False, tag=26):
    """The customer gave it, within two days; ``at`` is when the survey was sent."""

    kind: str


class CsatAnswered(Fact, frozen=True, gc=False, tag=27):
    """A satisfaction survey; ``satisfied`` as defined by the queue's targets, ``dissatisfied`` the lowest of three classes."""

    satisfied: bool
    dissatisfied: bool = False


class NpsAnswered(Fact, frozen=True, gc=False, tag=28):
    """Would you recommend us, 0 to 10: a promoter answers 9 or 10, a detractor 6 or less."""

    promoter: bool
    detractor: bool


class CesAnswered(Fact, frozen=True, gc=False, tag=29):
    """How much effort was it: ``effort`` in thousandths, 1,000 (none) to 7,000, whatever the survey's scale."""

    effort: int


class Reviewed(Fact, frozen=True, gc=False, tag=30):
    """A person's quality review.

    Attributes:
        score: ten-thousandths, 0 to 10,000.
        judged: whether it states if the rules were followed.
        compliant: they were.
    """

    score: int
    judged: bool
    compliant: bool


class AutoReviewed(Reviewed, frozen=True, gc=False, tag=31):
    """A review by a machine: counted apart, because machines read every contact and people only some."""


class Sentiment(Fact, frozen=True, gc=False, tag=32):
    """The mood of a contact: ``score`` in thousandths, -1,000 to 1,000."""

    score: int


class Predicted(Fact, frozen=True, gc=False, tag=33):
    """A predicted CSAT: ``csat`` in thousandths, 1,000 to 5,000."""

    csat: int


class Sold(Fact, frozen=True, gc=False, tag=34):
    """A sale.

    Attributes:
        amount: ten-thousandths of the currency's unit.
        currency: its place in ``model.currencies``.
        kind: what sort of sale, as the event says; empty: it does not say.
    """

    amount: int
    currency: int
    kind: str = ""


class FcrAnswered(Fact, frozen=True, gc=False, tag=35):
    """Was it resolved at the first contact, as the customer says; ``resolved``: it was."""

    resolved: bool


Facts = tuple[Fact, ...]
"""The meaning of one event, in order."""
