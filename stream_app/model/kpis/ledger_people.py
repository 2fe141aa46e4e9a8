"""The entries of the ledger's KPIs of agents' time. ``docs/semantics.md`` defines them."""

from __future__ import annotations

from typing import Final

from .from_ledger import FromLedger, LedgerCount, LedgerShare, only
from .measures import Unit

_BY: Final = ("state", "reason")

PEOPLE_ENTRIES: Final[tuple[FromLedger, ...]] = (
    FromLedger(
        name="occupancy",
        title="Occupancy",
        doc="Share of the time in which agents are on contacts, in wrap-up or available that they spend on contacts or in "
        "wrap-up. Several chats at once count once.",
        unit=Unit.RATIO,
        better="lower",
        measures=only(LedgerShare("agent_time", "working_ms", "staffed_ms")),
        tier="operational",
        leading=True,
        target=0.85,
        target_why="above 85 % for long, people burn out and leave",
        misleads="It follows from demand and staffing: an agent can't improve it. Small teams need a lower one.",
        pairs=("utilisation", "service_level"),
        agents=True,
        also_by=_BY,
    ),
    FromLedger(
        name="utilisation",
        title="Utilisation",
        doc="Share of signed-in time that agents spend on contacts, in wrap-up or available.",
        unit=Unit.RATIO,
        better="higher",
        measures=only(LedgerShare("agent_time", "staffed_ms", "signed_in_ms")),
        tier="operational",
        target=0.75,
        target_why="360 of 480 minutes: breaks, meetings and training need the rest",
        misleads="Training that is left out raises it.",
        pairs=("occupancy", "training_compliance"),
        agents=True,
        also_by=_BY,
    ),
    FromLedger(
        name="signed_in_time",
        title="Signed-in time",
        doc="Time in which agents are signed in: on contacts, in wrap-up, available, or away.",
        unit=Unit.SECONDS,
        better="higher",
        measures=only(
            LedgerCount(
                "agent_time", "signed_in_ms", parts=("on_contact_ms", "wrap_ms", "available_ms", "away_ms")
            )
        ),
        tier="operational",
        target_why="none: schedules say how much is needed",
        misleads="An agent who forgets to sign out is signed in: what nobody ended is left out, once it is closed.",
        pairs=("utilisation", "occupancy"),
        agents=True,
        also_by=_BY,
    ),
    FromLedger(
        name="contacts_at_once",
        title="Contacts at once",
        doc="Work time of contacts for each hour that agents spend on them: 1 where everybody has one contact at a time.",
        unit=Unit.TIMES,
        better="higher",
        measures=only(LedgerShare("shared_work", "worked_ms", "shared_ms")),
        tier="operational",
        target_why="none: two or three chats at once are usual",
        misleads="More at once is slower for each: read it with queue_response and csat.",
        pairs=("occupancy", "csat"),
    ),
    FromLedger(
        name="shared_handle_time",
        title="Handle time, shared",
        doc="Agents' time for each handled contact: a minute with three chats at once is twenty seconds of each.",
        unit=Unit.SECONDS,
        better="lower",
        measures=only(LedgerShare("shared_work", "shared_ms", "handled")),
        tier="operational",
        target_why="none: it depends on what contacts are about",
        misleads="Work of contacts that are not over yet is in it, and they are not.",
        pairs=("handle_time", "contacts_at_once"),
    ),
)
