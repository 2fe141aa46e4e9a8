"""Events: what the platform reported, in one canonical vocabulary.

One class per type; ``TYPES`` maps wire names to classes. An event knows nothing of queues' targets, of other events or of
the clock. Field meanings are those of the event reference in ``docs/events.md``.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct

from .agent_states import AgentState, AgentStatus, ContactInHand
from .customers import CustomerJoined, CustomerLeft, CustomerValued
from .event import (
    EARLIEST_MS,
    LATEST_MS,
    LONGEST_NAME,
    ContactEvent,
    Direction,
    Event,
    Id,
    Name,
    Number,
    QueueChannel,
    Seconds,
    Stamp,
    Whole,
)
from .feedback import QualityScored, SaleRecorded, SentimentScored, SurveyAnswered, SurveySent

__all__ = [
    "EARLIEST_MS",
    "LATEST_MS",
    "LONGEST_NAME",
    "AgentState",
    "AgentStatus",
    "ContactEvent",
    "ContactInHand",
    "CustomerJoined",
    "CustomerLeft",
    "CustomerValued",
    "Direction",
    "Event",
    "Id",
    "Name",
    "Number",
    "QualityScored",
    "QueueChannel",
    "SaleRecorded",
    "Seconds",
    "SentimentScored",
    "Stamp",
    "SurveyAnswered",
    "SurveySent",
    "Whole",
]


class Queued(ContactEvent, kw_only=True, tag="contact.queued"):
    """A visit to a queue starts.

    Attributes:
        priority: its name or number in the settings, if the queue has targets of their own for it.
        resumes: the customer came back to the wait that was given up.
        reopens: the same request again, after it was closed: nothing new is offered.
        recurs: the platform reports it again for weeks, with each copy of the contact's record: its id is remembered as long.
    """

    queue: Name
    channel: Name = "voice"
    priority: Name | Whole | None = None
    resumes: bool = False
    reopens: bool = False
    recurs: bool = False
    repeatable: ClassVar[bool] = False


class Beginning(Struct, frozen=True, gc=False):
    """How a visit began, sent with its outcome in case the beginning itself is lost or late.

    Attributes:
        id: that of its ``contact.queued``, if one comes; otherwise any id that no other visit has.
        at: when it was queued, in milliseconds since the epoch.
        answered_at: when an agent was connected; ``None`` if none was.
        exact: ``at`` is true to two seconds, so that with the queue it tells which visit is meant, even if the platform calls
            the contact by another id since.
    """

    id: Id
    at: Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)]
    answered_at: Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)] | None = None
    exact: bool | None = None


class Outcome(ContactEvent, kw_only=True):
    """The end of a wait or of a conversation."""

    beginning: Beginning | None = None


class Answered(Outcome, kw_only=True, tag="contact.answered"):
    """An agent is connected."""

    wait_s: Seconds | None = None
    repeatable: ClassVar[bool] = False


class Held(ContactEvent, kw_only=True, tag="contact.held"):
    """Hold begins."""


class Resumed(ContactEvent, kw_only=True, tag="contact.resumed"):
    """Hold ends."""


class Missed(ContactEvent, kw_only=True, tag="agent.missed"):
    """Ring no answer: the contact was offered to an agent who did not take it."""


class BotStarted(ContactEvent, kw_only=True, tag="bot.started"):
    """A bot takes the contact: until it hands over, nobody waits for a person."""


class HandedOff(ContactEvent, kw_only=True, tag="bot.handed_off"):
    """A bot passes the contact to people; the wait for a person starts here."""


class CallbackScheduled(Outcome, kw_only=True, tag="callback.scheduled"):
    """The contact asked to be called back; it waits again at its next ``contact.queued``."""

    due: Stamp | None = None
    wait_s: Seconds | None = None
    repeatable: ClassVar[bool] = False


class Transferred(Outcome, kw_only=True, tag="contact.transferred"):
    """The visit ends in a transfer (while waiting: flow-out)."""

    to_queue: Name | None = None
    to_agent: Id | None = None
    kind: Name | None = None
    wait_s: Seconds | None = None
    talk_s: Seconds | None = None
    hold_s: Seconds | None = None
    repeatable: ClassVar[bool] = False


class LeftQueue(Outcome, kw_only=True, tag="contact.left_queue"):
    """Flow-out: left unanswered without giving up, by callback, overflow, timeout or voicemail."""

    reason: Name | None = None
    wait_s: Seconds | None = None
    repeatable: ClassVar[bool] = False


class Refused(ContactEvent, kw_only=True, tag="contact.refused"):
    """Blocked, never queued: full, closed, no agents."""

    queue: Name
    channel: Name = "voice"
    reason: Name | None = None


class Abandoned(Outcome, kw_only=True, tag="contact.abandoned"):
    """The customer gave up while waiting; a platform may take that back, so that a visit may see several."""

    wait_s: Seconds | None = None


class Ended(Outcome, kw_only=True, tag="contact.ended"):
    """The conversation is over, wrap-up begins."""

    by: Name | None = None
    talk_s: Seconds | None = None
    hold_s: Seconds | None = None
    repeatable: ClassVar[bool] = False


class Wrapped(Outcome, kw_only=True, tag="contact.wrapped"):
    """Wrap-up is over; the contact is handled."""

    talk_s: Seconds | None = None
    hold_s: Seconds | None = None
    wrap_s: Seconds | None = None
    repeatable: ClassVar[bool] = False


class Message(ContactEvent, kw_only=True):
    """A message of either side.

    Attributes:
        auto: an acknowledgement, or out of office: it changes nothing.
        private: a note that the customer does not see: it is no message.
    """

    auto: bool = False
    private: bool = False


class MessageReceived(Message, kw_only=True, tag="message.received"):
    """A message from the customer."""


class MessageSent(Message, kw_only=True, tag="message.sent"):
    """A message to the customer; one from a bot does not count as a reply."""

    bot: bool = False


class Case(Event, kw_only=True):
    """An event of a customer's issue, which may span contacts.

    Attributes:
        opened_at: when it was opened, where the platform knows it.
        tier: the level of support that has it.
    """

    case: Id
    contact_id: Id | None = None
    tier: Whole | None = None
    queue: Name | None = None
    channel: Name | None = None
    agent: Id | None = None
    team: Name | None = None
    site: Name | None = None
    customer: Id | None = None
    opened_at: Stamp | None = None


class CaseOpened(Case, kw_only=True, tag="case.opened"):
    """It was opened."""


class CaseResolved(Case, kw_only=True, tag="case.resolved"):
    """It was solved."""


class CaseReopened(Case, kw_only=True, tag="case.reopened"):
    """It was not solved after all; with a queue, the contact is there again."""

    channel: Name = "voice"
    visit: Number | None = None


class CaseEscalated(Case, kw_only=True, tag="case.escalated"):
    """It was escalated to the next tier."""


class PlatformRestarted(Event, kw_only=True, tag="platform.restarted"):
    """A telephony server restarted: its calls are gone, though nobody reports their end.

    Attributes:
        source: the server, where its name precedes a hyphen in the ids of its contacts; ``None`` means all contacts.
    """

    source: Name | None = None


class Training(Event, kw_only=True):
    """An event of an agent's training.

    Attributes:
        course: what is taught: with the agent, what the event is about.
    """

    agent: Id
    course: Name
    team: Name | None = None
    site: Name | None = None


class TrainingAssigned(Training, kw_only=True, tag="training.assigned"):
    """An agent has to complete a course; ``due_at``: by when."""

    due_at: Stamp


class TrainingCompleted(Training, kw_only=True, tag="training.completed"):
    """An agent completed a course."""


CONTACT_TYPES: Final[tuple[type[ContactEvent], ...]] = (
    Queued, Answered, Held, Resumed, Missed, HandedOff, CallbackScheduled, Transferred, LeftQueue, Refused,
    Abandoned, Ended, Wrapped, MessageReceived, MessageSent, BotStarted,
)  # fmt: skip
"""Types that the visit's lifecycle listens to. Their places are stored, as bits: add at the end."""

OTHER_TYPES: Final[tuple[type[Event], ...]] = (
    CaseResolved, CaseReopened, CaseEscalated, SurveySent, SurveyAnswered, QualityScored, SentimentScored, SaleRecorded,
    AgentState, PlatformRestarted, CustomerJoined, CustomerLeft, CustomerValued, CaseOpened,
    TrainingAssigned, TrainingCompleted,
)  # fmt: skip

for _n, _type in enumerate(CONTACT_TYPES):
    _type.bit = 1 << _n

TYPES: Final[dict[str, type[Event]]] = {
    str(t.__struct_config__.tag): t for t in (*CONTACT_TYPES, *OTHER_TYPES)
}
"""Wire name → class."""


def type_name(event: Event | type[Event]) -> str:
    """Return the wire name of an event or of its class."""
    config: Any = event.__struct_config__
    return str(config.tag)


def key(event: Event) -> str:
    """Return the Kafka key: the contact, or whatever else the event is about."""
    for name in ("contact_id", "case", "agent", "customer", "source"):
        if (value := getattr(event, name, None)) is not None:
            return str(value)
    return event.id
