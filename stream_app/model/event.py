"""What every event says, and the types of its fields."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=128)]
LONGEST_NAME: Final = 256
"""Characters; twice what any platform that we read allows for a queue."""
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Any that can be stored."""
Seconds = Annotated[float, Meta(ge=0, le=31_536_000)]

QueueChannel = tuple[str, str]
"""(queue, channel): everything is counted per queue and channel."""

EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01: a smaller number is seconds where milliseconds were meant
LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01

if TYPE_CHECKING:
    Stamp = int  # past the dialects, times are milliseconds only
else:
    Stamp = Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)] | Annotated[datetime, Meta(tz=True)]

Direction = Literal["inbound", "outbound"]


class Event(Struct, kw_only=True, gc=False, omit_defaults=True, tag_field="type"):
    """The fields of every event.

    Attributes:
        id: unique event id, the same when a producer sends it again.
        at: when it happened, in milliseconds since the epoch (UTC).
        repeatable: whether a visit may take several of this type, so that only ids reveal duplicates.
    """

    id: Id
    at: Stamp
    repeatable: ClassVar[bool] = True


class ContactEvent(Event, kw_only=True):
    """An event of one contact.

    Attributes:
        contact_id: the contact; the Kafka key.
        visit: the visit number, where the platform knows it.
        case: the customer's issue, which may span contacts.
        contact_reason: what the contact is about, in the centre's own words for it.
        wrap_up_code: what became of it, in the centre's own codes.
        bit: this type's bit in a visit's set of types seen.
    """

    contact_id: Id
    visit: Number | None = None
    queue: Name | None = None
    channel: Name | None = None
    direction: Direction = "inbound"
    agent: Id | None = None
    team: Name | None = None
    site: Name | None = None
    customer: Id | None = None
    case: Id | None = None
    contact_reason: Name | None = None
    wrap_up_code: Name | None = None
    bit: ClassVar[int] = 0
