"""What an agent does and which queues the agent serves, as the platform's ``agent.state`` events tell it.

``docs/semantics.md`` is the specification (*Agents*). Plain data, as it is stored: fields may be appended, with defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct, field, structs

from .events import AgentState, AgentStatus, ContactInHand

REMEMBERED_TELLINGS: Final = 8
WORK: Final = ("on_contact", "wrap")
"""States that an agent is in beside another one: on a contact during a break is both."""
AgentWork = Literal["", "on_contact", "wrap"]

Served = dict[str, tuple[str, str | None]]
"""Queue → the agent's state there, and its reason."""


class Telling(Struct, array_like=True, frozen=True, gc=False):
    """One ``agent.state`` as it is remembered; fields as there.

    Attributes:
        limit: when the state is over at the latest; 0: not told.
        by_itself: nobody told it: time ended the work, or the presence, before.
    """

    at: int
    state: AgentStatus
    reason: str | None = None
    queue: str | None = None
    queues: tuple[str, ...] | None = None
    team: str | None = None
    site: str | None = None
    limit: int = 0
    slots: dict[str, int] | None = None
    contacts: tuple[ContactInHand, ...] | None = None
    by_itself: bool = False

    @property
    def ends_presence(self) -> bool:
        """Whether it is the end of a presence that nobody told."""
        return self.by_itself and self.state == "offline"

    @classmethod
    def of(cls, event: AgentState) -> Telling:
        """Return what an event tells."""
        return cls(
            event.at,
            event.state,
            event.reason,
            event.queue,
            event.queues,
            event.team,
            event.site,
            event.at + round(event.for_s * 1000) if event.for_s is not None else 0,
            event.slots,
            event.contacts,
        )


class PresenceStatus(Struct, array_like=True, frozen=True, gc=False):
    """What an agent does at a moment.

    Attributes:
        state: what the agent is, apart from contacts.
        reason: of the state, in the centre's own words.
        work: what the platform says of the agent's contacts, where it does.
        served: the queues that the agent serves.
        limit: when the state is over at the latest, in milliseconds; 0: not told.
        slots: channel → how many contacts the agent may have at once; ``None``: not told.
        contacts: those that the platform says the agent has; ``None``: it does not say.
        unended: nobody told that the agent left; the time is over.
    """

    state: str = "offline"
    reason: str | None = None
    work: AgentWork = ""
    served: Served = {}
    team: str | None = None
    site: str | None = None
    limit: int = 0
    slots: dict[str, int] | None = None
    contacts: tuple[ContactInHand, ...] | None = None
    unended: bool = False

    def like(self, other: PresenceStatus) -> bool:
        """Return whether a spell goes on from one to the other."""
        return (
            self.state == other.state
            and self.reason == other.reason
            and self.work == other.work
            and self.team == other.team
            and self.site == other.site
            and self.served == other.served
        )

    def after(self, told: Telling) -> PresenceStatus:
        """Return the status after a telling."""
        if told.by_itself and told.state in WORK:
            return structs.replace(self, work="", limit=0)
        served = self.served
        if told.queues is not None:
            served = {queue: served.get(queue, (self.state, self.reason)) for queue in told.queues}
        state, reason, work = self.state, self.reason, self.work
        if told.state in WORK:
            work = "wrap" if told.state == "wrap" else "on_contact"
            if state == "offline":
                state, reason = "available", None
                served = dict.fromkeys(served, (state, reason))
        elif told.queue is None:
            state, reason, work = told.state, told.reason, ""
            served = {} if state == "offline" else dict.fromkeys(served, (state, reason))
        else:
            state, reason, served = _in_queue(self, served, told, told.queue)
            if told.state != "offline" or state == "offline":
                work = ""
        contacts = self.contacts if told.contacts is None else told.contacts
        if state == "offline":
            contacts = None
        elif told.contacts is not None:
            work = _work(told.contacts)
        return PresenceStatus(
            state,
            reason,
            work,
            served,
            told.team or self.team,
            told.site or self.site,
            told.limit,
            self.slots if told.slots is None else told.slots,
            contacts,
            told.by_itself,
        )


def _in_queue(
    now: PresenceStatus, served: Served, told: Telling, queue: str
) -> tuple[str, str | None, Served]:
    """Return state, reason and queues after a telling about one of them."""
    if told.state == "offline":
        served = {name: state for name, state in served.items() if name != queue}
        return (now.state, now.reason, served) if served else ("offline", told.reason, {})
    served = {**served, queue: (told.state, told.reason)}
    available = [reason for state, reason in served.values() if state == "available"]
    if not available:
        return told.state, told.reason, served
    same = now.state == "available"
    return "available", now.reason if same else available[0], served


def _work(contacts: tuple[ContactInHand, ...]) -> AgentWork:
    states = {contact.state for contact in contacts}
    if states & {"connected", "held"}:
        return "on_contact"
    return "wrap" if "wrap" in states else ""


class Spell(Struct, frozen=True, gc=False):
    """A stretch in which an agent's status is the same: [began, ended), in milliseconds; ``None``: it is not over.

    Attributes:
        unended: nobody told its end: it was closed by time.
    """

    status: PresenceStatus
    began: int
    ended: int | None
    unended: bool = False


class Presence(Struct, array_like=True, gc=False):
    """An agent, as told.

    Attributes:
        before: the status before the tellings that are remembered.
        began: when its spell began; 0: nothing was told before.
        forgot: ``at`` of the newest telling that is not remembered any more; 0: none.
        told: those that are, in order.
    """

    before: PresenceStatus = field(default_factory=PresenceStatus)
    began: int = 0
    forgot: int = 0
    told: tuple[Telling, ...] = ()

    @property
    def heard(self) -> int:
        """When the newest telling was, by its own time."""
        return self.told[-1].at if self.told else 0

    def is_too_late(self, at: int) -> bool:
        """Return whether a telling of that moment can't be put in its place any more."""
        return at < self.forgot

    def spells(self) -> Iterator[Spell]:
        """Yield the spells of which an end is remembered, and last the current one, in order."""
        status, began = self.before, self.began
        for told in self.told:
            then = status.after(told)
            if began and not status.like(then):
                if told.at > began:
                    yield Spell(status, began, told.at, told.ends_presence)
                began = told.at
            status, began = then, began or told.at
        yield Spell(status, began, None)

    def current(self) -> Spell:
        """Return the current spell."""
        *_, last = self.spells()
        return last

    def tell(self, telling: Telling) -> Presence:
        """Return the agent with one more telling, in its place."""
        place = len(self.told)
        while place and self.told[place - 1].at > telling.at:
            place -= 1
        return Presence(
            self.before, self.began, self.forgot, (*self.told[:place], telling, *self.told[place:])
        )

    def shortened(self) -> Presence:
        """Return the agent with no more tellings than are remembered."""
        now = self
        while len(now.told) > REMEMBERED_TELLINGS:
            oldest, *rest = now.told
            status = now.before.after(oldest)
            goes_on = now.began and status.like(now.before)
            now = Presence(status, now.began if goes_on else oldest.at, oldest.at, tuple(rest))
        return now


def work_over(limit: int) -> Telling:
    """Return the telling that ends work at its limit, and leaves the rest as it is."""
    return Telling(limit, "wrap", by_itself=True)


def ended_by_itself(heard: int, idle: int) -> Telling:
    """Return the telling that ends an agent's presence of whom nobody told anything for so long."""
    return Telling(heard + idle, "offline", by_itself=True)
