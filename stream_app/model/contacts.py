"""Contacts as people look for them: what is asked, what is found, and the contract between those who ask and who know."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, Protocol, get_args

from msgspec import Struct

from stream_app.errors import StreamAppError

ContactOutcome = Literal[
    "waiting", "answered", "abandoned", "left", "contained", "ended_with_bot", "lost", "closed", "outbound"
]
OUTCOMES: Final[tuple[str, ...]] = get_args(ContactOutcome)
"""What became of a contact; the first one: nothing yet."""
WHEN: Final = (
    "started",
    "offered",
    "answered",
    "abandoned",
    "left",
    "decided",
    "lost",
    "responded",
    "queue_responded",
    "transferred",
    "handled",
    "unfinished",
    "called_out",
    "outbound_handled",
    "to_bot",
    "from_bot",
    "contained",
    "ended_with_bot",
)
"""What the range of a question may be about: when a contact started, or when that was counted of it."""


class ContactKey(NamedTuple):
    """A place in the list of all contacts, newest first. A visit that ends meanwhile keeps its place.

    Attributes:
        started: ms.
        contact_id: empty where it was forgotten.
        queue: like the others as in the ledger; of an open visit ``offset`` is larger than any.
    """

    started: int
    contact_id: str
    queue: str
    topic: str
    partition: int
    offset: int
    n: int


class ContactQuery(Struct, frozen=True, kw_only=True):
    """A question.

    Attributes:
        start, end: ``[start, end)``, ms.
        when: what must be in it, one of ``WHEN``.
        queues: names; ``None`` for all, like the next seven.
        after: the place after which a page begins.
        limit: the most contacts of a page.
    """

    start: int
    end: int
    when: str = "started"
    queues: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    teams: frozenset[str] | None = None
    customers: frozenset[str] | None = None
    outcomes: frozenset[str] | None = None
    cases: frozenset[str] | None = None
    contact_reasons: frozenset[str] | None = None
    after: ContactKey | None = None
    limit: int = 100


class FoundContact(Struct, frozen=True, kw_only=True):
    """A contact's visit to a queue. Times and durations are ms; ``None``: it did not happen, or is not known.

    Attributes:
        key: its place.
        open: it is not over yet.
        wait: until it was answered, was abandoned or left.
        in_target: whether that was within the answer target.
        short: whether it was a short abandonment.
        left_by: why it left the queue unanswered.
        version: of the settings by which it was counted; ``None`` while it is open.
    """

    key: ContactKey
    contact_id: str | None
    queue: str
    channel: str
    open: bool
    outcome: ContactOutcome
    wait: int | None
    in_target: bool | None
    short: bool | None
    left_by: str | None
    response: int | None
    talk: int | None
    hold: int | None
    wrap: int | None
    transferred: bool
    outbound: bool
    agent: str | None
    team: str | None
    site: str | None
    customer: str | None
    case: str | None
    priority: str | None
    contact_reason: str | None
    wrap_up_code: str | None
    version: int | None


class ContactPage(Struct, frozen=True):
    """What was found.

    Attributes:
        contacts: in order.
        total: how many there are on all pages.
        more: whether others come after the last one.
        unknown: stretches of the range of which contacts are missing, ``[start, end)``, ms.
    """

    contacts: list[FoundContact]
    total: int
    more: bool
    unknown: list[tuple[int, int]]


class ContactsAwayError(StreamAppError):
    """What knows the contacts does not answer now: try again."""


class ContactsMissingError(StreamAppError):
    """What is needed to look for contacts is not installed."""


class TooMuchAskedError(StreamAppError):
    """A question takes too long, or too much memory."""


class ContactFinder(Protocol):
    """What knows the contacts."""

    async def find(self, query: ContactQuery) -> ContactPage:
        """Return a page of contacts, newest first.

        Raises:
            ContactsAwayError: see there, like the others.
            ContactsMissingError: likewise.
            TooMuchAskedError: likewise.
        """
        ...
