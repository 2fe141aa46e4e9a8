"""An agent now, and what the agents of a queue do: plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from stream_app.model.durations import MINUTE
from stream_app.model.presence import Spell

Doing = Literal["available", "on_contact", "wrap", "away"]
DOING: Final[tuple[Doing, ...]] = ("available", "on_contact", "wrap", "away")
"""What agents of a queue do. Who is offline is not there."""


class InHand(NamedTuple):
    """A contact that an agent has.

    Attributes:
        state: ``offered``, ``connected``, ``held``, ``wrap``, or ``pending``: in writing, it waits for something else.
        since: when that began, in milliseconds.
    """

    contact: str
    queue: str
    channel: str
    state: str
    since: int


class PartInQueue(NamedTuple):
    """An agent's part in a queue.

    Attributes:
        room: channel, how many contacts of it the agent may have at once, and how many of these the agent has; empty if that
            is not told, or the agent is not available there.
    """

    queue: str
    doing: Doing
    since: int
    room: tuple[tuple[str, int, int], ...]


class AgentNow(Struct, frozen=True):
    """An agent now.

    Attributes:
        doing: ``offline``, or what the agent does; ``None``: nobody tells the agent's states, and there is no contact either.
        since: when that began, in milliseconds; 0: unknown.
        spell: what the platform tells; ``None``: nothing.
        hands: the contacts that the agent has, the oldest first.
        places: the queues that the agent serves, or has a contact of.
    """

    agent: str
    doing: Doing | Literal["offline"] | None
    since: int
    spell: Spell | None
    hands: tuple[InHand, ...]
    places: tuple[PartInQueue, ...] = ()

    @property
    def used(self) -> dict[str, int]:
        """How many contacts the agent has of each channel; what is only offered is none yet, and what is pending none now."""
        used: dict[str, int] = {}
        for hand in self.hands:
            if hand.state not in {"offered", "pending"}:
                used[hand.channel] = used.get(hand.channel, 0) + 1
        return used

    def limit(self, limits: Mapping[str, float]) -> int | None:
        """Return until when the agent may do that, in milliseconds; ``None``: without end.

        What the platform told goes first, then the limit of the reason, then that of the state.

        Args:
            limits: state or reason → minutes.
        """
        status = self.spell.status if self.spell is not None else None
        if self.doing in {None, "offline"}:
            return None
        working = self.doing in {"on_contact", "wrap"}
        if status is not None and status.limit and status.work == (self.doing if working else ""):
            return status.limit
        names = (self.doing,) if working or status is None else (status.reason, status.state)
        minutes = next((limits[name] for name in names if name is not None and name in limits), None)
        return None if minutes is None else self.since + round(minutes * MINUTE)


class DoingNow(Struct, frozen=True, gc=False):
    """How many agents do something; ``since``: when the one began who has done it the longest, in milliseconds."""

    count: int
    since: int | None


class SlotUse(Struct, frozen=True, gc=False):
    """How many contacts of a channel agents may have at once, and how many of these they have."""

    slots: int
    used: int

    @property
    def free(self) -> int:
        """How many more they may have."""
        return self.slots - self.used


class AgentCounts(Struct, frozen=True, gc=False):
    """What the agents of a queue do; ``slots``: channel → those of who is available."""

    doing: Mapping[Doing, DoingNow]
    slots: Mapping[str, SlotUse]


def doing_of(spell: Spell | None, hands: tuple[InHand, ...]) -> tuple[Doing | Literal["offline"] | None, int]:
    """Return what an agent does, and since when: a contact goes before wrap-up, and both before what is told."""
    for doing, states in (("on_contact", {"connected", "held"}), ("wrap", {"wrap"})):
        since = [hand.since for hand in hands if hand.state in states]
        if spell is not None and spell.status.work == doing:
            since.append(spell.began)
        if since:
            return doing, min(since)  # type: ignore[return-value]
    if spell is None:
        return None, 0
    state = spell.status.state
    return state if state in {"available", "offline"} else "away", spell.began  # type: ignore[return-value]


def places_of(now: AgentNow) -> Iterator[PartInQueue]:
    """Yield an agent's part in each queue that the agent serves, or has a contact of."""
    status = now.spell.status if now.spell is not None else None
    served = {} if status is None else status.served
    used = now.used
    room = tuple(
        (channel, n, min(n, used.get(channel, 0))) for channel, n in ((status and status.slots) or {}).items()
    )
    working = now.doing in {"on_contact", "wrap"}
    for queue in {*served, *(hand.queue for hand in now.hands if working and hand.queue)}:
        is_available = served.get(queue, ("", None))[0] == "available"
        doing: Doing = now.doing if working else "available" if is_available else "away"  # type: ignore[assignment]
        yield PartInQueue(queue, doing, now.since, room if is_available else ())
