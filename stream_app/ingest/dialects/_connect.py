"""Amazon Connect's contact events and contact records, read into one shape.

Field names: Amazon Connect's data models of contact events and of contact records. Their case differs between versions, and
timestamps without a value come as 1970, which counts as not stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from stream_app.errors import UnreadableError

from ._making import duration, milliseconds
from ._reading import lowered

JsonObject = Mapping[str, Any]
_CHANNELS: Final = {"VOICE": "voice", "CHAT": "chat", "TASK": "task", "EMAIL": "email"}
AGENT_QUEUES: Final = "agent"
"""The one name of all agents' own queues: a label per person would be too many, and personal data."""


class Story(Struct, kw_only=True):
    """A contact, as far as it is known. Times in milliseconds, durations in seconds; ``None`` means not stated.

    Attributes:
        told: time of the message.
        queue: name of the queue in which it waited, if it was in one.
        previous: the contact from which it came by a transfer or callback.
        method: ``INBOUND``, ``TRANSFER``, ``CALLBACK``, …
        reason: how it was disconnected.
        connected: whether it was connected to an agent.
        goes_on: whether it continues as another contact, or outside of Connect.
        answered: when it was connected to an agent.
        worked: when the after contact work ended.
        whole: whether it is a record, which has everything from the queue on.
    """

    contact: str
    channel: str | None
    queue: str | None
    agent: str | None
    method: str
    previous: str | None = None
    reason: str | None = None
    whole: bool = False
    connected: bool = False
    goes_on: bool = False
    told: int | None = None
    initiated: int | None = None
    enqueued: int | None = None
    dequeued: int | None = None
    answered: int | None = None
    disconnected: int | None = None
    worked: int | None = None
    wait_s: float | None = None
    talk_s: float | None = None
    hold_s: float | None = None
    wrap_s: float | None = None


def of_event(event: JsonObject, told: int | None) -> Story:
    """Read a contact event; its keys are in lower case.

    Raises:
        UnreadableError: ``invalid``: it has no contact id.
    """
    queue, agent = lowered(event.get("queueinfo")), lowered(event.get("agentinfo"))
    story = _story(event, queue, arn=text(queue, "queuearn", "arn"), agent=text(agent, "agentarn", "arn"))
    story.told = told
    story.enqueued = stamp(queue.get("enqueuetimestamp"))
    story.dequeued = story.disconnected
    story.answered = stamp(agent.get("connectedtoagenttimestamp"))
    # Payloads of 2021 name the agent and no time.
    story.connected = story.answered is not None or (
        story.agent is not None and "connectedtoagenttimestamp" not in agent
    )
    story.worked = stamp(agent.get("aftercontactworkendtimestamp"))
    story.hold_s = duration(agent.get("agentinitiatedholdduration"))
    story.wrap_s = duration(agent.get("aftercontactworkduration"))
    if story.hold_s is not None and (spoken := between(story.answered, story.disconnected)) is not None:
        story.talk_s = duration(spoken - story.hold_s)
    return story


def of_record(record: JsonObject) -> Story:
    """Read a contact record; its keys are in lower case.

    Raises:
        UnreadableError: ``invalid``: it has no contact id.
    """
    queue, agent = lowered(record.get("queue")), lowered(record.get("agent"))
    story = _story(record, queue, arn=text(queue, "arn"), agent=text(agent, "arn"))
    story.whole = True
    story.enqueued = stamp(queue.get("enqueuetimestamp"))
    story.dequeued = stamp(queue.get("dequeuetimestamp"))
    story.answered = stamp(agent.get("connectedtoagenttimestamp"))
    story.connected = story.answered is not None
    story.worked = stamp(agent.get("aftercontactworkendtimestamp"))
    story.goes_on = "nextcontactid" in record or "transfercompletedtimestamp" in record
    story.wait_s = duration(queue.get("duration"))
    story.talk_s = duration(agent.get("agentinteractionduration"))
    story.hold_s = duration(agent.get("customerholdduration"))
    story.wrap_s = duration(agent.get("aftercontactworkduration"))
    return story


def _story(fields: JsonObject, queue: JsonObject, *, arn: str | None, agent: str | None) -> Story:
    contact = fields.get("contactid")
    if not isinstance(contact, str):
        raise UnreadableError("invalid", "Expected `str` - at `$.contactId`")
    return Story(
        contact=contact,
        channel=channel_of(fields),
        queue=queue_of(queue, arn),
        agent=last_part(agent),
        method=(text(fields, "initiationmethod") or "").upper(),
        previous=text(fields, "previouscontactid"),
        reason=_reason(fields.get("disconnectreason")),
        initiated=stamp(fields.get("initiationtimestamp")),
        disconnected=stamp(fields.get("disconnecttimestamp")),
    )


def queue_of(queue: JsonObject, arn: str | None) -> str | None:
    """Return a queue's name; where it has none, the last part of its ARN."""
    if (text(queue, "queuetype") or "").upper() == "AGENT" or "/queue/agent/" in (arn or ""):
        return AGENT_QUEUES
    return text(queue, "queuename", "name") or last_part(arn)


def _reason(reason: Any) -> str | None:
    """Read a reason: a text, or an object with the text as its code."""
    if isinstance(reason, dict):
        reason = lowered(reason).get("code")
    return reason.upper() if isinstance(reason, str) and reason else None


def channel_of(fields: JsonObject) -> str | None:
    """Return the canonical channel; an unknown one as it is, in lower case.

    A queued callback is a call that nobody waits for on the line, as long as it takes: a channel of its own.
    """
    name = text(fields, "channel")
    if (text(fields, "initiationmethod") or "").upper() == "CALLBACK" and (
        name or "VOICE"
    ).upper() == "VOICE":
        return "callback"
    return None if name is None else _CHANNELS.get(name.upper(), name.lower())


def text(fields: JsonObject, *names: str) -> str | None:
    """Return the first of these fields that is a non-empty text."""
    return next((found for name in names if isinstance(found := fields.get(name), str) and found), None)


def last_part(arn: str | None) -> str | None:
    """Return the last part of an Amazon Resource Name, after its last slash."""
    return arn.rpartition("/")[2] or None if arn else None


def stamp(moment: Any) -> int | None:
    """Convert an ISO 8601 time to milliseconds; ``None`` unless it has an offset and is of this century."""
    if not isinstance(moment, str):
        return None
    try:
        at = datetime.fromisoformat(moment)
        return milliseconds(at) if at.tzinfo else None
    except (ValueError, UnreadableError):
        return None


def between(begin: int | None, end: int | None) -> float | None:
    """Return the seconds between two times; ``None`` if one is missing, or if the clock ran backwards."""
    return None if begin is None or end is None else duration((end - begin) / 1000)
