"""What Amazon Connect says of a contact, read from a contact event or from a contact record into one shape.

Field names: Amazon Connect's data models of contact events and of contact records. Their case differs between versions, and
stamps without a value come as 1970: such a one was not stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from stream_app.errors import UnreadableError

from ._making import duration, milliseconds
from ._reading import lowered

Fields = Mapping[str, Any]
_CHANNELS: Final = {"VOICE": "voice", "CHAT": "chat", "TASK": "task", "EMAIL": "email"}
AGENT_QUEUES: Final = "agent"
"""The name of all queues that belong to one agent each: a label for each person would be too many, and about a person."""


class Story(Struct, kw_only=True):
    """A contact as far as it is told. Times in milliseconds, durations in seconds; ``None`` is not stated.

    Attributes:
        told: when this was said.
        queue: name of the queue that it waited in, if it was in one.
        previous: the contact that it came from by a transfer or callback.
        method: ``INBOUND``, ``TRANSFER``, ``CALLBACK``, …
        reason: how it was disconnected.
        connected: whether an agent had it.
        goes_on: it went to another contact, or out of Connect.
        answered: when an agent had it.
        worked: when the after contact work was over.
        whole: a record, which tells everything from the queue on.
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
    updated: int | None = None
    wait_s: float | None = None
    talk_s: float | None = None
    hold_s: float | None = None
    wrap_s: float | None = None


def of_event(event: Fields, told: int | None) -> Story:
    """A contact event; its keys in lower case.

    Raises:
        UnreadableError: ``invalid``: it names no contact.
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


def of_record(record: Fields) -> Story:
    """A contact record; its keys in lower case.

    Raises:
        UnreadableError: ``invalid``: it names no contact.
    """
    queue, agent = lowered(record.get("queue")), lowered(record.get("agent"))
    story = _story(record, queue, arn=text(queue, "arn"), agent=text(agent, "arn"))
    story.whole = True
    story.updated = stamp(record.get("lastupdatetimestamp"))
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


def _story(fields: Fields, queue: Fields, *, arn: str | None, agent: str | None) -> Story:
    contact = fields.get("contactid")
    if not isinstance(contact, str):
        raise UnreadableError("invalid", "Expected `str` - at `$.contactId`")
    return Story(
        contact=contact,
        channel=channel_of(fields),
        queue=_queue(queue, arn),
        agent=last_part(agent),
        method=(text(fields, "initiationmethod") or "").upper(),
        previous=text(fields, "previouscontactid"),
        reason=_reason(fields.get("disconnectreason")),
        initiated=stamp(fields.get("initiationtimestamp")),
        disconnected=stamp(fields.get("disconnecttimestamp")),
    )


def _queue(queue: Fields, arn: str | None) -> str | None:
    if (text(queue, "queuetype") or "").upper() == "AGENT" or "/queue/agent/" in (arn or ""):
        return AGENT_QUEUES
    return text(queue, "queuename", "name") or last_part(arn)


def _reason(reason: Any) -> str | None:
    """A text, or an object that holds it as its code."""
    if isinstance(reason, dict):
        reason = lowered(reason).get("code")
    return reason.upper() if isinstance(reason, str) and reason else None


def channel_of(fields: Fields) -> str | None:
    """The channel in our words; one that is new as it is, in lower case."""
    name = text(fields, "channel")
    return None if name is None else _CHANNELS.get(name.upper(), name.lower())


def text(fields: Fields, *names: str) -> str | None:
    """The first of these fields that has a text."""
    return next((found for name in names if isinstance(found := fields.get(name), str) and found), None)


def last_part(arn: str | None) -> str | None:
    """What an Amazon Resource Name names: what stands behind its last slash."""
    return arn.rpartition("/")[2] or None if arn else None


def stamp(moment: Any) -> int | None:
    """Milliseconds; ``None`` for what is no ISO 8601 time with an offset, of this century."""
    if not isinstance(moment, str):
        return None
    try:
        at = datetime.fromisoformat(moment)
        return milliseconds(at) if at.tzinfo else None
    except (ValueError, UnreadableError):
        return None


def between(begin: int | None, end: int | None) -> float | None:
    """Seconds; ``None`` if a stamp is missing, or if the clock ran backwards."""
    return None if begin is None or end is None else duration((end - begin) / 1000)
