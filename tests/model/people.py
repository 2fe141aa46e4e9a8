"""What is kept of agents, as the reference says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from stream_app.model.events import ContactInHand
from stream_app.model.ledger import Happening, StoredRow
from stream_app.model.presence import Presence, PresenceStatus
from tests.reference.agents import Spell
from tests.reference.tellings import Hand, Status as Expected


def agents(known: Mapping[str, Presence]) -> dict[str, tuple[Expected, int]]:
    """Agent → the status now, and when its spell began."""
    current = {agent: presence.current() for agent, presence in known.items()}
    return {agent: (_status(spell.status), spell.began) for agent, spell in current.items()}


def spells(rows: Iterable[StoredRow]) -> list[Spell]:
    """What the ledger's rows of spells add up to, sorted."""
    found: Counter[Spell] = Counter()
    for row in rows:
        if isinstance(row, Happening) and row.kind == "spell":
            found[_spell(row)] += row.sign
    assert min(found.values(), default=0) >= 0, "nothing is taken back that was not noted"
    return sorted(found.elements())


def _spell(row: Happening) -> Spell:
    about = row.about or {}
    return Spell(
        row.agent or "",
        about["began_at"],
        about["ended_at"],
        about["agent_state"],
        about["reason"] or "",
        about["work"] or "",
        tuple(sorted(about["queues"])),
        tuple(sorted(about["away_queues"])),
        row.team or "",
        row.site or "",
        about["unended"],
    )


def _status(status: PresenceStatus) -> Expected:
    hands = status.contacts
    return Expected(
        status.state,
        status.reason or "",
        status.work,
        {queue: (state, reason or "") for queue, (state, reason) in status.served.items()},
        status.team or "",
        status.site or "",
        status.limit or None,
        status.slots,
        None if hands is None else tuple(_hand(hand) for hand in hands),
    )


def _hand(hand: ContactInHand) -> Hand:
    return Hand(hand.contact_id, hand.state, hand.channel, hand.queue or "", hand.since)
