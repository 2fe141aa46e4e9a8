"""Agents as they are written. Times carry an offset, ``null`` is "not known"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from stream_app.model.live.agent_now import AgentNow
from stream_app.views.contacts.api import text_cell
from stream_app.views.stamping import Time, stamp
from stream_app.views.wire_agents import Slots

Doings = Literal["available", "on_contact", "wrap", "away", "offline"]
_TODAY: Final = "today, as far as the ledger knows; null: it is not known"


class AgentDay(Struct, frozen=True, gc=False):
    """What an agent has done today."""

    handled: int
    missed_offers: int


AgentDays = Callable[[str], AgentDay | None]
"""Agent → what the ledger knows of the agent's day."""


class OwnState(Struct, frozen=True, gc=False):
    """An agent's state in one queue."""

    state: str
    reason: str | None


class AgentContact(Struct, frozen=True, gc=False):
    """A contact that an agent has."""

    contact_id: str
    url: Annotated[str | None, Meta(description="Where its platform shows it, if that is set")]
    queue: Annotated[str | None, Meta(description="null: the platform does not say")]
    channel: str
    state: Annotated[
        str,
        Meta(
            description="`offered`, `connected`, `held`, `wrap`; `pending`: in writing, it waits for something else"
        ),
    ]
    since: Time


class AgentRow(Struct, frozen=True, gc=False):
    """An agent."""

    agent: Annotated[str, Meta(description="The id that events have")]
    doing: Annotated[Doings, Meta(description="A contact goes before wrap-up, and both before the state")]
    since: Annotated[Time | None, Meta(description="When that began; null: not known")]
    state: Annotated[
        str | None,
        Meta(
            description="As the platform tells it, apart from contacts; null: it tells nothing of this agent"
        ),
    ]
    reason: Annotated[str | None, Meta(description="Of the state, in the centre's own words")]
    work: Annotated[
        Literal["on_contact", "wrap"] | None,
        Meta(description="What the platform says of the agent's contacts"),
    ]
    limit_at: Annotated[
        Time | None,
        Meta(
            description="Until when the agent may do that: as the platform told, or by `[agents].limits` for the reason or "
            "the state; null: without end"
        ),
    ]
    team: str | None
    site: str | None
    queues: Annotated[list[str], Meta(description="Those that the agent serves, or has a contact of")]
    own_states: Annotated[
        dict[str, OwnState], Meta(description="Queue → the agent's state there, where it is another one")
    ]
    slots: Annotated[
        dict[str, Slots] | None,
        Meta(description="Channel → contacts that the agent may have at once; null: not told"),
    ]
    contacts: Annotated[list[AgentContact], Meta(description="Those that the agent has, the oldest first")]
    handled_today: Annotated[int | None, Meta(description=f"Contacts handled {_TODAY}")]
    missed_offers_today: Annotated[int | None, Meta(description=f"Contacts offered and not taken {_TODAY}")]
    over_limit: (
        Annotated[
            bool, Meta(description="Whether that is over; the stream leaves it out, as it changes with time")
        ]
        | UnsetType
    ) = UNSET


class AgentsAnswer(Struct, frozen=True):
    """A page of agents."""

    at: Time
    age_s: Annotated[float | None, Meta(description="Seconds behind real time at most; null: unknown")]
    stale: Annotated[bool, Meta(description="Do not act on these numbers")]
    told: Annotated[
        bool,
        Meta(description="Whether anybody tells agents' states; if not, only those with a contact are known"),
    ]
    total: Annotated[int, Meta(description="Number of agents, on all pages")]
    over_limit: Annotated[int, Meta(description="How many of them are over their limit")]
    doing: Annotated[dict[str, int], Meta(description="What they do → how many of them")]
    rows: list[AgentRow]
    next: Annotated[str | None, Meta(description="Path of the next page; null: this is the last one")]


class AgentChange(Struct, frozen=True):
    """Agents of ``/v1/agents/stream``: all of them, or those that changed."""

    at: Time
    age_s: float | None
    stale: bool
    told: bool
    rows: list[AgentRow]
    gone: Annotated[list[str], Meta(description="Agents who are not listed any more")]


def agent_row(
    now: AgentNow,
    limits: Mapping[str, float],
    link: Callable[[str], str | None],
    days: AgentDays | None = None,
    at: int | None = None,
) -> AgentRow:
    """Return an agent as it is written.

    Args:
        now: the agent.
        limits: state or reason → minutes.
        link: contact → its address in the platform.
        days: what the ledger knows of today.
        at: the moment, in milliseconds, for what changes with time alone; ``None`` leaves it out.
    """
    status = now.spell.status if now.spell is not None else None
    limit, day, used = now.limit(limits), days(now.agent) if days else None, now.used
    assert now.doing is not None  # noqa: S101 - such an agent is not listed
    return AgentRow(
        now.agent,
        now.doing,
        stamp(now.since) if now.since else None,
        status.state if status else None,
        status.reason if status else None,
        (status.work or None) if status else None,
        None if limit is None else stamp(limit),
        status.team if status else None,
        status.site if status else None,
        sorted(place.queue for place in now.places),
        {
            queue: OwnState(*own)
            for queue, own in (status.served.items() if status else ())
            if own != (status and status.state, status and status.reason)
        },
        None
        if status is None or status.slots is None
        else {
            channel: Slots(n, used.get(channel, 0), max(0, n - used.get(channel, 0)))
            for channel, n in status.slots.items()
        },
        [
            AgentContact(
                hand.contact,
                link(hand.contact),
                hand.queue or None,
                hand.channel,
                hand.state,
                stamp(hand.since),
            )
            for hand in now.hands
        ],
        day.handled if day else None,
        day.missed_offers if day else None,
        UNSET if at is None else limit is not None and limit < at,
    )


COLUMNS: Final = (
    *("agent", "doing", "since", "state", "reason", "work", "limit_at", "over_limit", "team", "site"),
    *("queues", "slots", "contacts", "contact_ids", "handled_today", "missed_offers_today"),
)
"""The columns of CSV: what is a list in JSON is a text here, its parts separated by semicolons."""


def cells(row: AgentRow) -> list[Any]:
    """Return a row's values in the order of ``COLUMNS``."""
    own = {queue: " ".join(filter(None, (one.state, one.reason))) for queue, one in row.own_states.items()}
    told = {
        "queues": "; ".join(f"{queue} ({own[queue]})" if queue in own else queue for queue in row.queues),
        "slots": "; ".join(
            f"{channel} {use.used} of {use.slots}" for channel, use in (row.slots or {}).items()
        ),
        "contacts": len(row.contacts),
        "contact_ids": "; ".join(contact.contact_id for contact in row.contacts),
    }
    return [text_cell(told[name] if name in told else getattr(row, name)) for name in COLUMNS]
