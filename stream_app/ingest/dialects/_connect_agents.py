"""Amazon Connect's agent event stream: what agents do, which queues they serve, and the contacts that they have.

Each event has a snapshot of the agent, complete in itself; heartbeats have one, too, every two minutes. Field names: Amazon
Connect's data model of agent event streams.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.model import events as e

from ._connect import AGENT_QUEUES, JsonObject, channel_of, last_part, queue_of, stamp, text
from ._making import cut, event_id, make, not_ready
from ._reading import lowered

KINDS: Final = frozenset({"LOGIN", "LOGOUT", "STATE_CHANGE", "HEART_BEAT"})
_MISSED: Final = frozenset({"MISSED", "REJECTED"})
_IN_HAND: Final = {
    "INCOMING": "offered",
    "PENDING": "offered",
    "CONNECTING": "offered",
    "CONNECTED": "connected",
    "CONNECTED_ONHOLD": "held",
    "ENDED": "wrap",
}
"""States of contacts that an agent has; in all others the agent has them no more, or not now."""
_STATES: Final[dict[str, e.AgentStatus]] = {"ROUTABLE": "available", "OFFLINE": "offline"}
_NAMES: Final[dict[str, e.AgentStatus]] = {"Available": "available", "Offline": "offline"}


def of_agent(fields: JsonObject) -> Sequence[e.Event]:
    """Return the events in an agent event; its keys are in lower case.

    Raises:
        UnreadableError: ``invalid``: it has no agent or no time.
        UnknownTypeError: an event that is not used.
    """
    kind = (text(fields, "eventtype") or "").upper()
    if kind not in KINDS:
        raise UnknownTypeError(kind)
    agent, at = last_part(text(fields, "agentarn")), stamp(fields.get("eventtimestamp"))
    if agent is None or at is None:
        raise UnreadableError("invalid", "an agent event has `AgentARN` and `EventTimestamp`")
    now, before = lowered(fields.get("currentagentsnapshot")), lowered(fields.get("previousagentsnapshot"))
    told = event_id(agent, "state", text(fields, "eventid") or at)
    return (
        *_offers(now, before, agent, at),
        *_presence(now, {"id": told, "at": at, "agent": agent}, logout=kind == "LOGOUT"),
    )


def _offers(now: JsonObject, before: JsonObject, agent: str, at: int) -> Iterator[e.Event]:
    """Yield the changes between an agent and the contacts."""
    former = {contact["contactid"]: _state(contact) for contact in _contacts(before)}
    for contact in _contacts(now):
        name, state = contact["contactid"], _state(contact)
        was = former.get(name)
        # On hold, the state's own stamp goes on saying when the conversation began.
        kind: type[e.ContactEvent] | None = None
        when, what = at, ""
        if state in _MISSED and was != state:
            kind, when, what = e.Missed, stamp(contact.get("statestarttimestamp")) or at, "missed"
        elif state == "CONNECTED_ONHOLD" and was == "CONNECTED":
            kind, what = e.Held, "held"
        elif state == "CONNECTED" and was == "CONNECTED_ONHOLD":
            kind, what = e.Resumed, "resumed"
        if kind is not None:
            yield make(
                kind,
                id=event_id(name, what, agent, when),
                at=when,
                contact_id=name,
                channel=channel_of(contact),
                agent=agent,
            )


def _presence(now: JsonObject, about: dict[str, Any], *, logout: bool) -> Iterator[e.Event]:
    """Yield the agent's state, queues, slots and contacts; nothing for a snapshot without a status."""
    if logout:
        yield make(e.AgentState, **about, state="offline")
        return
    status = lowered(now.get("agentstatus"))
    name = text(status, "name")
    if name is None:
        return
    known = _STATES.get((text(status, "type") or "").upper()) or _NAMES.get(name)
    state = known or not_ready(name)
    profile = lowered(lowered(now.get("configuration")).get("routingprofile"))
    contacts: list[dict[str, Any]] | None = None
    if isinstance(now.get("contacts"), list):
        contacts = [*_in_hand(now)]
    if state == "wrap" and not contacts:
        contacts = None  # the status says that the agent wraps up; that there is no contact would deny it
    yield make(
        e.AgentState,
        **about,
        state=state,
        reason=None if known else cut(name),
        queues=_queues(profile),
        slots=_slots(profile),
        contacts=contacts,
    )


def _in_hand(now: JsonObject) -> Iterator[dict[str, Any]]:
    for contact in _contacts(now):
        if (state := _IN_HAND.get(_state(contact))) is not None:
            queue = lowered(contact.get("queue"))
            had = {
                "contact_id": contact["contactid"],
                "state": state,
                "channel": channel_of(contact),
                "queue": queue_of(queue, text(queue, "arn")),
                "since": stamp(contact.get("statestarttimestamp")),
            }
            yield {name: field for name, field in had.items() if field is not None}


def _queues(profile: JsonObject) -> list[str] | None:
    """Return the queues from which the agent gets contacts; not the agent's own, which no other agent serves."""
    inbound = profile.get("inboundqueues")
    if not isinstance(inbound, list):
        return None
    named = (queue_of(queue, text(queue, "arn")) for queue in map(lowered, inbound))
    return list(dict.fromkeys(name for name in named if name is not None and name != AGENT_QUEUES))


def _slots(profile: JsonObject) -> dict[str, int] | None:
    """Return channel → how many contacts the agent may have at once."""
    concurrency = profile.get("concurrency")
    if not isinstance(concurrency, list):
        return None
    slots = {}
    for one in map(lowered, concurrency):
        channel, most = channel_of(one), one.get("maximumslots")
        if channel is not None and type(most) is int:
            slots[channel] = most
    return slots


def _contacts(snapshot: JsonObject) -> list[dict[str, Any]]:
    found = snapshot.get("contacts")
    contacts = [lowered(contact) for contact in found] if isinstance(found, list) else []
    return [contact for contact in contacts if isinstance(contact.get("contactid"), str)]


def _state(contact: JsonObject) -> str:
    return (text(contact, "state") or "").upper()
