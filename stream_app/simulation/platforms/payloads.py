"""Payloads of Amazon Connect, from a contact's history: contact events, contact records, agent events."""

from collections.abc import Callable
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from stream_app.simulation.wire import rfc3339

INSTANCE: Final = "arn:aws:connect:eu-central-1:111122223333:instance/simulated"
Payload = dict[str, Any]


class PlatformContact(Struct):
    """A visit as a Connect contact, as far as known. Times and ``hold`` in milliseconds."""

    id: str
    first: str
    previous: str | None
    method: str
    channel: str
    queue: str
    queued: int | None = None
    answered: int | None = None
    over: int | None = None
    agent: str | None = None
    held: int | None = None
    hold: int = 0
    reason: str | None = None
    next: str | None = None


def contact_event(contact: PlatformContact, kind: str, at: int, worked: int | None = None) -> Payload:
    """Build what EventBridge delivers; ``worked``: when the after-contact work was over."""
    detail: Payload = {
        "eventType": kind,
        "contactId": contact.id,
        "initialContactId": contact.first if contact.previous else None,
        "previousContactId": contact.previous,
        "channel": contact.channel,
        "instanceArn": INSTANCE,
        "initiationMethod": contact.method,
        "initiationTimestamp": rfc3339(at if contact.queued is None else contact.queued),
    }
    if contact.queued is not None:
        queue = {"queueArn": f"{INSTANCE}/queue/{contact.queue}", "queueType": "STANDARD"}
        detail["queueInfo"] = {**queue, "enqueueTimestamp": rfc3339(contact.queued)}
    if contact.answered is not None:
        agent: Payload = {"agentArn": f"{INSTANCE}/agent/{contact.agent}"}
        agent["connectedToAgentTimestamp"] = rfc3339(contact.answered)
        if contact.over is not None:
            agent["agentInitiatedHoldDuration"] = round(contact.hold / 1000)
        if worked is not None and contact.over is not None:
            agent |= _work(contact.over, worked, "afterContactWork", rfc3339)
        detail["agentInfo"] = agent
    if contact.over is not None:
        detail["disconnectTimestamp"] = rfc3339(contact.over)
        detail["disconnectReason"] = contact.reason
    envelope = {"version": "0", "detail-type": "Amazon Connect Contact Event", "source": "aws.connect"}
    return {**envelope, "time": _whole(at), "resources": [INSTANCE], "detail": detail}


def record(contact: PlatformContact, at: int) -> Payload:
    """Build a contact record; it has whole seconds only."""
    over = at if contact.over is None else contact.over
    record: Payload = {
        "AWSContactTraceRecordFormatVersion": "2017-03-10",
        "ContactId": contact.id,
        "InitialContactId": contact.first if contact.previous else None,
        "PreviousContactId": contact.previous,
        "NextContactId": contact.next,
        "Channel": contact.channel,
        "InitiationMethod": contact.method,
        "DisconnectTimestamp": _whole(over),
        "DisconnectReason": contact.reason,
        "LastUpdateTimestamp": _whole(at),
        "InstanceARN": INSTANCE,
        "Queue": None,
        "Agent": None,
    }
    if contact.queued is not None:
        left = over if contact.answered is None else contact.answered
        record["Queue"] = {
            "ARN": f"{INSTANCE}/queue/{contact.queue}",
            "Name": contact.queue,
            "EnqueueTimestamp": _whole(contact.queued),
            "DequeueTimestamp": _whole(left),
            "Duration": left // 1000 - contact.queued // 1000,
        }
    if contact.answered is not None:
        hold = round(contact.hold / 1000)
        record["Agent"] = {
            "ARN": f"{INSTANCE}/agent/{contact.agent}",
            "ConnectedToAgentTimestamp": _whole(contact.answered),
            "AgentInteractionDuration": max(0, over // 1000 - contact.answered // 1000 - hold),
            "CustomerHoldDuration": hold,
            **_work(over, at, "AfterContactWork", _whole),
        }
    return record


def _work(begin: int, end: int, name: str, stamp: Callable[[int], str]) -> Payload:
    return {
        f"{name}StartTimestamp": stamp(begin),
        f"{name}EndTimestamp": stamp(end),
        f"{name}Duration": end // 1000 - begin // 1000,
    }


def in_hand(contact: PlatformContact, at: int, state: str) -> Payload:
    """Build a contact for an agent's snapshot. On hold, its stamp goes on saying when the conversation began."""
    since = contact.answered if state.startswith("CONNECTED") else contact.over if state == "ENDED" else None
    since = at if since is None else since
    return {
        "ContactId": contact.id,
        "Channel": contact.channel,
        "State": state,
        "StateStartTimestamp": rfc3339(since),
        "Queue": {"ARN": f"{INSTANCE}/queue/{contact.queue}", "Name": contact.queue},
    }


def agent_event(agent: str, n: int, kind: str, at: int, *, now: Payload, before: Payload | None) -> Payload:
    """Build the ``n``-th notice of the agent event stream about an agent, with the agent's snapshots."""
    return {
        "AgentARN": f"{INSTANCE}/agent/{agent}",
        "EventId": str(uuid5(NAMESPACE_URL, f"{agent}/{n}")),
        "EventTimestamp": rfc3339(at),
        "EventType": kind,
        "InstanceARN": INSTANCE,
        "CurrentAgentSnapshot": now,
        "PreviousAgentSnapshot": before,
        "Version": "2017-10-01",
    }


def _whole(at: int) -> str:
    return rfc3339(at // 1000 * 1000)[:19] + "Z"
