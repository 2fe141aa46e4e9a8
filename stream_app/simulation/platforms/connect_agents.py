"""The agents of the simulated centre on Amazon Connect: their status, their contacts, and heartbeats in between."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from stream_app.model import events as e
from stream_app.model.durations import HOUR, MINUTE
from stream_app.model.presence import WORK
from stream_app.simulation.wire import rfc3339

from .payloads import INSTANCE, Payload, PlatformContact, agent_event, in_hand

HEARTBEAT: Final = 2 * MINUTE
BEATS_AFTER_LOGOUT: Final = HOUR
_CHANNELS: Final = {"voice": "VOICE", "email": "EMAIL", "task": "TASK"}


class _Agent(Struct):
    """An agent of Connect.

    Attributes:
        name, kind, since: of the status.
        contacts: id → the contact as the snapshot has it.
        profile: the routing profile, as far as it is known.
        notices: how many events there were about the agent.
        left: when the agent logged out.
        snapshot: the last one.
    """

    name: str
    kind: str
    since: int
    contacts: dict[str, Payload] = {}
    profile: Payload | None = None
    notices: int = 0
    left: int | None = None
    snapshot: Payload = {}

    def picture(self, *more: Payload) -> Payload:
        """Build the snapshot of now, with more contacts."""
        now: dict[str, Any] = {
            "AgentStatus": {"Name": self.name, "Type": self.kind, "StartTimestamp": rfc3339(self.since)},
            "Contacts": [*self.contacts.values(), *more],
        }
        if self.profile is not None:
            now["Configuration"] = {"RoutingProfile": self.profile}
        return now


class AgentStream:
    """The agent event stream."""

    def __init__(self) -> None:
        self._agents: dict[str, _Agent] = {}
        # Who logged in → when the last event was; the earliest first.
        self._told: OrderedDict[str, int] = OrderedDict()

    def heartbeats(self, until: int) -> Iterator[tuple[str, Payload]]:
        """Yield agent and notice of all heartbeats that are due until a moment, in order."""
        while self._told:
            name, last = next(iter(self._told.items()))
            if last + HEARTBEAT > until:
                return
            agent = self._agents[name]
            if agent.left is not None and last + HEARTBEAT > agent.left + BEATS_AFTER_LOGOUT:
                del self._told[name]
                continue
            yield name, self._tell(name, "HEART_BEAT", last + HEARTBEAT)

    def becomes(self, event: e.AgentState) -> Iterator[Payload]:
        """Yield the notice of another status. Wrap-up is none: the contact says it."""
        if event.state in WORK:
            return
        agent = self._agents.get(event.agent)
        came = event.queues is not None
        if agent is None:
            agent = self._agents[event.agent] = _Agent("Offline", "OFFLINE", event.at)
        if came:
            agent.profile = {
                "Name": "simulated",
                "Concurrency": [
                    {"Channel": _CHANNELS.get(channel, "CHAT"), "AvailableSlots": n, "MaximumSlots": n}
                    for channel, n in (event.slots or {}).items()
                ],
                "InboundQueues": [
                    {"ARN": f"{INSTANCE}/queue/{queue}", "Name": queue} for queue in event.queues or ()
                ],
            }
        name = event.reason or event.state.capitalize()
        if name == agent.name and not came:
            return
        kind = {"available": "ROUTABLE", "offline": "OFFLINE"}.get(event.state, "CUSTOM")
        agent.name, agent.kind, agent.since = name, kind, event.at
        agent.left = event.at if event.state == "offline" else None
        yield self._tell(
            event.agent, "LOGIN" if came else "LOGOUT" if agent.left else "STATE_CHANGE", event.at
        )

    def has(self, name: str, contact: PlatformContact, at: int, state: str | None) -> Payload:
        """Return the notice that a contact of the agent is in another state now; ``None``: it is gone."""
        agent = self._agent(name, contact, at)
        if state is None:
            agent.contacts.pop(contact.id, None)
        else:
            agent.contacts[contact.id] = in_hand(contact, at, state)
        return self._tell(name, "STATE_CHANGE", at)

    def misses(self, name: str, contact: PlatformContact, at: int) -> Payload:
        """Return the notice that the agent did not take a contact."""
        agent = self._agent(name, contact, at)
        agent.snapshot = agent.picture(in_hand(contact, at, "CONNECTING"))
        return self._tell(name, "STATE_CHANGE", at, in_hand(contact, at, "MISSED"))

    def _agent(self, name: str, contact: PlatformContact, at: int) -> _Agent:
        """Return an agent; who had contacts before anything was told is available."""
        since = at if contact.queued is None else contact.queued
        return self._agents.setdefault(name, _Agent("Available", "ROUTABLE", since))

    def _tell(self, name: str, kind: str, at: int, *more: Payload) -> Payload:
        agent = self._agents[name]
        before, agent.snapshot = agent.snapshot or None, agent.picture(*more)
        agent.notices += 1
        if agent.profile is not None:
            self._told[name] = at
            self._told.move_to_end(name)
        return agent_event(name, agent.notices, kind, at, now=agent.snapshot, before=before)
