"""What platforms report about agents: the event, and the contacts that agents have."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from .event import EARLIEST_MS, LATEST_MS, Event, Id, Name, Seconds

AgentStatus = Literal["available", "on_contact", "wrap", "break", "training", "meeting", "offline"]


class ContactInHand(Struct, gc=False, omit_defaults=True):
    """A contact that an agent has, as the platform says with the agent's state.

    Attributes:
        state: it rings, the two talk, the customer holds, or the agent wraps up.
        since: when that began, in milliseconds since the epoch.
    """

    contact_id: Id
    state: Literal["offered", "connected", "held", "wrap"]
    channel: Name = "voice"
    queue: Name | None = None
    since: Annotated[int, Meta(ge=EARLIEST_MS, le=LATEST_MS)] | None = None


class AgentState(Event, kw_only=True, tag="agent.state"):
    """What an agent does, and which queues the agent serves.

    Attributes:
        for_s: how long it lasts at most, where the platform says so: wrap-up has a limit on many.
        queue: the only queue in which it is so; ``None``: everywhere.
        queues: all queues that the agent serves now.
        slots: channel → how many contacts the agent may have at once.
        contacts: those that the agent has.
    """

    agent: Id
    state: AgentStatus
    reason: Name | None = None
    for_s: Seconds | None = None
    team: Name | None = None
    site: Name | None = None
    queue: Name | None = None
    queues: tuple[Name, ...] | None = None
    slots: dict[Name, Annotated[int, Meta(ge=0, le=1000)]] | None = None
    contacts: tuple[ContactInHand, ...] | None = None
