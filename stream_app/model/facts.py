"""Facts: what an event means for a visit. The closed set that KPIs may count.

Durations are milliseconds, times milliseconds since the epoch; ``at`` says to which bucket a fact belongs.
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


class Offered(Fact, frozen=True, gc=False):
    """A visit began."""


class Answered(Fact, frozen=True, gc=False):
    """An agent took the contact after ``wait``; ``in_target`` is wait ≤ T."""

    wait: int
    in_target: bool


class Responded(Fact, frozen=True, gc=False):
    """A human's first response, ``after`` the moment from which the customer waited for one."""

    after: int


class Abandoned(Fact, frozen=True, gc=False):
    """The customer gave up after ``wait``."""

    wait: int
    in_target: bool
    short: bool


class Left(Fact, frozen=True, gc=False):
    """The contact left the queue unanswered, but not by giving up."""

    wait: int
    in_target: bool


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


class Transferred(Fact, frozen=True, gc=False):
    """An agent passed a contact on."""


class Handled(Fact, frozen=True, gc=False):
    """The work on a visit is complete.

    Attributes:
        talk: time in conversation, hold left out.
        hold: time on hold.
        wrap: after-contact work.
        held: the contact was put on hold at least once.
        timed_out: nobody said that the wrap-up ended; ``wrap`` is 0.
    """

    talk: int
    hold: int
    wrap: int
    held: bool
    timed_out: bool = False


class Lost(Fact, frozen=True, gc=False):
    """A waiting visit whose end was never told."""


class Unfinished(Fact, frozen=True, gc=False):
    """An answered visit whose end was never told."""
