"""The simulated centre on Amazon Connect: contact events, agent events with heartbeats, contact records.

There each visit is a separate contact, with the visit before as its previous contact. All records of a chain of contacts have
the chain's first contact as key, so that they stay in one partition; so have agent events that tell hold and missed offers. All
other agent events have their agent as key.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from stream_app.model import events as e

from .connect_agents import AgentStream
from .payloads import Payload, PlatformContact, contact_event, record

_CHANNELS: Final = {"voice": "VOICE", "email": "EMAIL", "task": "TASK"}
_METHODS: Final = {"VOICE": "INBOUND", "EMAIL": "INBOUND"}
_LAST: Final = (e.Abandoned, e.LeftQueue, e.CallbackScheduled, e.Refused, e.Wrapped)
_HANDS: Final = {e.Answered: "CONNECTED", e.Transferred: "ENDED", e.Ended: "ENDED", e.Wrapped: None}
"""What a contact is to its agent from then on; ``None``: nothing more. Hold and offers have notices of their own."""
_json: Final = msgspec.json.Encoder()


class Connect:
    """Writes JSON; the key is the chain's first contact, or the agent."""

    def __init__(self) -> None:
        self._contacts: dict[tuple[str, int], PlatformContact] = {}
        self._agents = AgentStream()
        self._tell: Mapping[type[e.Event], Callable[[Any, PlatformContact], Iterator[Payload]]] = {
            e.Queued: self._queued,
            e.Answered: self._answered,
            e.Held: self._held,
            e.Resumed: self._resumed,
            e.Missed: self._missed,
            e.Refused: self._refused,
            e.CallbackScheduled: self._callback,
            e.Abandoned: self._abandoned,
            e.LeftQueue: self._left,
            e.Transferred: self._transferred,
            e.Ended: self._ended,
            e.Wrapped: self._wrapped,
        }

    def encode(self, event: e.Event) -> list[tuple[str, bytes]]:
        """Return the records that Connect would write, in its order: first the heartbeats since the last event."""
        beats = [(agent, _json.encode(payload)) for agent, payload in self._agents.heartbeats(event.at)]
        return beats + self._of(event)

    def _of(self, event: e.Event) -> list[tuple[str, bytes]]:
        if isinstance(event, e.AgentState):
            return [(event.agent, _json.encode(payload)) for payload in self._agents.becomes(event)]
        if isinstance(event, e.Held | e.Resumed) and event.channel != "voice":
            return []  # there is nothing to hold
        tell = self._tell.get(type(event))
        if tell is None or not isinstance(event, e.ContactEvent):
            return []
        place = event.contact_id, event.visit or 1
        contact = self._contacts.get(place) or self._new(event, place[1], "TRANSFER")
        said = [(contact.first, _json.encode(payload)) for payload in tell(event, contact)]
        if contact.agent is not None and type(event) in _HANDS:
            seen = self._agents.has(contact.agent, contact, event.at, _HANDS[type(event)])
            said.append((contact.agent, _json.encode(seen)))
        if isinstance(event, _LAST) or (isinstance(event, e.Ended) and event.by == "bot"):
            del self._contacts[place]
        return said

    def _new(self, event: e.ContactEvent, number: int, method: str) -> PlatformContact:
        """Create the contact of a visit; the first comes from outside."""

        def name(n: int) -> str:
            return str(uuid5(NAMESPACE_URL, f"{event.contact_id}/{n}"))

        channel = _CHANNELS.get(event.channel or "", "CHAT")
        contact = PlatformContact(
            id=name(number),
            first=name(1),
            previous=name(number - 1) if number > 1 else None,
            method=method if number > 1 else _METHODS.get(channel, "API"),
            channel=channel,
            queue=event.queue or "",
        )
        self._contacts[event.contact_id, number] = contact
        return contact

    def _following(self, event: e.ContactEvent, contact: PlatformContact, method: str) -> PlatformContact:
        following = self._new(event, (event.visit or 1) + 1, method)
        contact.next = following.id
        return following

    # --- waiting ---

    def _queued(self, event: e.Queued, contact: PlatformContact) -> Iterator[Payload]:
        if contact.queued is None:  # otherwise the transfer reported it
            if contact.method != "CALLBACK":
                yield contact_event(contact, "INITIATED", event.at)
            contact.queued = event.at
            yield contact_event(contact, "QUEUED", event.at)

    def _missed(self, event: e.Missed, contact: PlatformContact) -> Iterator[Payload]:
        yield self._agents.misses(event.agent or "nobody", contact, event.at)

    def _refused(self, event: e.Refused, contact: PlatformContact) -> Iterator[Payload]:
        """Represent a blocked contact, which Connect has no event for, as one that was never queued."""
        yield contact_event(contact, "INITIATED", event.at)
        yield from _over(contact, event.at, "CONTACT_FLOW_DISCONNECT")

    def _callback(self, event: e.CallbackScheduled, contact: PlatformContact) -> Iterator[Payload]:
        yield contact_event(self._following(event, contact, "CALLBACK"), "INITIATED", event.at)
        yield from _over(contact, event.at, "CONTACT_FLOW_DISCONNECT")

    def _abandoned(self, event: e.Abandoned, contact: PlatformContact) -> Iterator[Payload]:
        yield from _over(contact, event.at, "CUSTOMER_DISCONNECT")

    def _left(self, event: e.LeftQueue, contact: PlatformContact) -> Iterator[Payload]:
        yield from _over(contact, event.at, "CONTACT_FLOW_DISCONNECT")

    # --- talking ---

    def _answered(self, event: e.Answered, contact: PlatformContact) -> Iterator[Payload]:
        contact.answered, contact.agent = event.at, event.agent
        yield contact_event(contact, "CONNECTED_TO_AGENT", event.at)

    def _held(self, event: e.Held, contact: PlatformContact) -> Iterator[Payload]:
        contact.held = event.at
        yield self._agents.has(contact.agent or "nobody", contact, event.at, "CONNECTED_ONHOLD")

    def _resumed(self, event: e.Resumed, contact: PlatformContact) -> Iterator[Payload]:
        _resume(contact, event.at)
        yield self._agents.has(contact.agent or "nobody", contact, event.at, "CONNECTED")

    def _transferred(self, event: e.Transferred, contact: PlatformContact) -> Iterator[Payload]:
        """Queue the next contact before the agent leaves this one."""
        if event.to_queue is not None:
            following = self._following(event, contact, "TRANSFER")
            following.queue, following.queued = event.to_queue, event.at
            yield contact_event(following, "INITIATED", event.at)
            yield contact_event(following, "QUEUED", event.at)
        yield from _disconnected(contact, event.at, None)

    def _ended(self, event: e.Ended, contact: PlatformContact) -> Iterator[Payload]:
        if event.by == "bot":
            yield from _over(contact, event.at, "CONTACT_FLOW_DISCONNECT")
            return
        by = "AGENT_DISCONNECT" if event.by == "agent" else "CUSTOMER_DISCONNECT"
        yield from _disconnected(contact, event.at, by)

    def _wrapped(self, event: e.Wrapped, contact: PlatformContact) -> Iterator[Payload]:
        yield contact_event(contact, "COMPLETED", event.at, worked=event.at)
        yield record(contact, event.at)


def _over(contact: PlatformContact, at: int, reason: str) -> Iterator[Payload]:
    """Disconnect a contact that no agent had."""
    yield from _disconnected(contact, at, reason)
    yield contact_event(contact, "COMPLETED", at)
    yield record(contact, at)


def _disconnected(contact: PlatformContact, at: int, reason: str | None) -> Iterator[Payload]:
    _resume(contact, at)
    contact.over, contact.reason = at, reason
    yield contact_event(contact, "DISCONNECTED", at)


def _resume(contact: PlatformContact, at: int) -> None:
    if contact.held is not None:
        contact.hold, contact.held = contact.hold + at - contact.held, None
