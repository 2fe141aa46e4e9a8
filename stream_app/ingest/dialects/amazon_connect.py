"""Amazon Connect: contact events (EventBridge), contact records and agent events (Kinesis), told apart by their fields.

A contact is in at most one queue and a transfer makes a new contact, so an event's id is the contact's id and what happened to
it: a contact event and a contact record of the same happening are duplicates. The end of the wait is one happening (``left``),
and so is the end of the conversation (``ended``), however it is reported. docs/dialects.md has the mapping as a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest.joined import is_joined, objects_of
from stream_app.model import events as e

from . import Headers
from ._connect import (
    AGENT_QUEUES,
    JsonObject,
    Story,
    between,
    of_event,
    of_record,
    stamp,
    text,
)
from ._connect_agents import of_agent
from ._making import event_id, make
from ._reading import lowered, read_json

CONTACT_EVENTS: Final = "Amazon Connect Contact Event"
TELLS_MESSAGES: Final = False
_OUTBOUND: Final = frozenset({"OUTBOUND", "EXTERNAL_OUTBOUND", "AGENT_REPLY", "FLOW", "MONITOR"})
_NOT_BY_CUSTOMER: Final[Mapping[str, str]] = {
    "TRANSFERRED": "transfer",
    "CONTACT_FLOW_DISCONNECT": "flow",
    "EXPIRED": "expired",
    "API": "api",
    "AGENT_DISCONNECT": "agent",
    "AGENT_COMPLETED": "agent",
    "AGENT_NETWORK_DISCONNECT": "agent",
    "THIRD_PARTY_DISCONNECT": "third_party",
    "BARGED": "barged",
    "DISCARDED": "discarded",
    "SYSTEM_ERROR": "system_error",
}


def decode(value: bytes, headers: Headers = ()) -> Sequence[e.Event]:  # noqa: ARG001 - see the protocol
    """Return the events in a record, which may hold several JSON objects one after the other.

    Raises:
        UnreadableError: ``bad_utf8``, ``not_json``, ``too_deep`` or ``invalid``: of all of them, if one can't be read.
        UnknownTypeError: an event of EventBridge or of Connect that is not used; of several, all of them.
    """
    if is_joined(value) and len(several := [*objects_of(value)]) > 1:
        return _all_of(several)
    return _one(value)


def _all_of(values: Sequence[bytes]) -> Sequence[e.Event]:
    found: list[e.Event] = []
    unknown: list[UnknownTypeError] = []
    for value in values:
        try:
            found += _one(value)
        except UnknownTypeError as error:
            unknown.append(error)
    if len(unknown) == len(values):
        raise unknown[0]
    return found


def _one(value: bytes) -> Sequence[e.Event]:
    fields, told = lowered(read_json(value)), None
    if "detail" in fields:
        kind = text(fields, "detail-type") or CONTACT_EVENTS
        if kind != CONTACT_EVENTS:
            raise UnknownTypeError(kind)
        told = stamp(fields.get("time"))
        fields = lowered(fields["detail"])
    if "agentarn" in fields and "eventtype" in fields:
        return of_agent(fields)
    if "eventtype" in fields:
        return _contact_event(fields, told)
    if "contactid" in fields:
        return tuple(_record(of_record(fields)))
    raise UnreadableError("invalid", "neither a contact event, a contact record nor an agent event")


# --- contacts ---


def _contact_event(fields: JsonObject, told: int | None) -> Sequence[e.Event]:
    kind = (text(fields, "eventtype") or "").upper()
    tell = TOLD.get(kind)
    if tell is None:
        if kind in SILENT:
            return ()
        raise UnknownTypeError(kind)
    return tuple(tell(of_event(fields, told)))


def _record(story: Story) -> Iterator[e.Event]:
    if story.queue is None or story.enqueued is None or story.method in _OUTBOUND:
        return
    yield from _queued(story)
    if story.connected:
        yield from _answered(story)
    if story.disconnected is not None:
        yield from _over(story)
        yield from _wrapped(story)


def _initiated(story: Story) -> Iterator[e.Event]:
    """End the previous contact's wait: a callback, or a transfer from queue to queue, makes a new contact."""
    if story.previous is None:
        return
    at, left = story.initiated or story.told, event_id(story.previous, "left")
    if story.method == "CALLBACK":
        yield make(e.CallbackScheduled, id=left, at=at, contact_id=story.previous)
    elif story.method == "QUEUE_TRANSFER":
        yield make(e.LeftQueue, id=left, at=at, contact_id=story.previous, reason="transfer")


def _queued(story: Story) -> Iterator[e.Event]:
    if story.method in _OUTBOUND:
        return
    at = story.enqueued or story.told
    yield _event(story, e.Queued, "queued", at, recurs=True)
    if story.method == "TRANSFER" and story.previous is not None and story.queue != AGENT_QUEUES:
        # An agent's contact goes to a queue; to an agent's own it may be no more than a question between colleagues.
        yield make(
            e.Transferred,
            id=event_id(story.previous, "ended"),
            at=at,
            contact_id=story.previous,
            to_queue=story.queue,
        )


def _answered(story: Story) -> Iterator[e.Event]:
    if not _outside(story):
        yield _event(story, e.Answered, "answered", story.answered or story.told, wait_s=_wait(story))


def _over(story: Story) -> Iterator[e.Event]:
    """End the conversation or the wait of a disconnected contact."""
    if _outside(story):
        return
    at, wait = story.disconnected or story.told, _wait(story)
    if story.connected:
        spent = {"wait_s": wait, "talk_s": story.talk_s, "hold_s": story.hold_s}
        if story.goes_on or story.reason == "TRANSFERRED":
            yield _event(story, e.Transferred, "ended", at, **spent)
        else:
            yield _event(story, e.Ended, "ended", at, by=_by(story), **spent)
    elif story.enqueued is not None:
        at = story.dequeued or at
        if (reason := _left(story)) is not None:
            yield _event(story, e.LeftQueue, "left", at, wait_s=wait, reason=reason)
        else:
            yield _event(story, e.Abandoned, "left", at, wait_s=wait)


def _wrapped(story: Story) -> Iterator[e.Event]:
    """End the after contact work, if there was any."""
    if story.connected and not _outside(story):
        at = story.worked or story.disconnected or story.told
        spent = {"talk_s": story.talk_s, "hold_s": story.hold_s, "wrap_s": story.wrap_s}
        if story.wrap_s is None and story.worked is None:
            spent["wrap_s"] = 0.0
        yield _event(story, e.Wrapped, "wrapped", at, wait_s=_wait(story), **spent)


TOLD: Final[Mapping[str, Callable[[Story], Iterator[e.Event]]]] = {
    "INITIATED": _initiated,
    "QUEUED": _queued,
    "CONNECTED_TO_AGENT": _answered,
    "DISCONNECTED": _over,
    "COMPLETED": _wrapped,
}
"""Contact events that become events."""
SILENT: Final = frozenset(
    {"CONNECTED_TO_SYSTEM", "CONTACT_DATA_UPDATED", "AMD_DISABLED", "PAUSED", "RESUMED", "WEBRTC_API"}
)
"""Contact events that change no visit."""


def _event(story: Story, kind: type[e.ContactEvent], what: str, at: int | None, **fields: Any) -> e.Event:
    if at is None:
        raise UnreadableError("invalid", f"no time says when it was {what}")
    # Told with its queue, an outcome makes up for a lost beginning. A record has told the beginning already: as a duplicate of
    # a contact that is over and done with, its outcomes must not begin another visit, nor one in a queue of another name.
    queue = None if story.whole and kind is not e.Queued else story.queue
    event: e.Event = make(
        kind,
        id=event_id(story.contact, what),
        beginning=_beginning(story),
        at=at,
        contact_id=story.contact,
        queue=queue,
        channel=story.channel,
        agent=story.agent if story.connected and kind is not e.Queued else None,
        **fields,
    )
    return event


def _beginning(story: Story) -> dict[str, Any] | None:
    """Return when a contact was queued and answered, for each outcome: events come in any order, or not at all."""
    if story.enqueued is None or story.whole:
        return None
    began = {"id": event_id(story.contact, "queued"), "at": story.enqueued}
    return began if story.answered is None else {**began, "answered_at": story.answered}


def _outside(story: Story) -> bool:
    """Return whether the contact was never in a queue, and so has no visit."""
    return story.queue is None or story.method in _OUTBOUND


def _wait(story: Story) -> float | None:
    if story.wait_s is not None:
        return story.wait_s
    return between(story.enqueued, story.answered if story.connected else story.dequeued)


def _by(story: Story) -> str | None:
    reason = (story.reason or "").removesuffix("_DISCONNECT").lower()
    return reason if reason in {"customer", "agent"} else None


def _left(story: Story) -> str | None:
    """Return why a contact left its queue unanswered; ``None`` if the customer abandoned."""
    if story.method == "CALLBACK":
        return "callback"
    if story.goes_on:
        return "transfer"
    return _NOT_BY_CUSTOMER.get(story.reason or "")
