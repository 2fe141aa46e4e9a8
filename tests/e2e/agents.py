"""What Redis and the ledger hold of agents, decoded by itself, and said as the reference says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tests.reference.agents import Spell, steps
from tests.reference.tellings import Hand, Status, Telling


def stored(agents: Mapping[bytes, bytes]) -> dict[str, tuple[Status, int]]:
    """Agent → the status now, and when its spell began."""
    return {agent.decode(): _now(*msgspec.msgpack.decode(packed)) for agent, packed in agents.items()}


def _now(before: list[Any], began: int, _forgot: int, told: list[list[Any]]) -> tuple[Status, int]:
    state, reason, work, served, team, site, limit, slots, contacts, *_ = before
    places = {queue: (here, why or "") for queue, (here, why) in served.items()}
    status = Status(
        state, reason or "", work, places, team or "", site or "", limit or None, slots, _hands(contacts)
    )
    *_, (began, _, status) = steps([_telling(*one) for one in told], status, began)
    return status, began


def _telling(
    at: int,
    state: str,
    reason: str | None,
    queue: str | None,
    queues: list[str] | None,
    *rest: Any,
) -> Telling:
    team, site, limit, slots, contacts, by_itself = rest
    where = None if queues is None else tuple(queues)
    texts = team or "", site or ""
    return Telling(
        at,
        state,
        reason or "",
        queue or "",
        where,
        *texts,
        limit or None,
        slots,
        _hands(contacts),
        by_itself,
    )


def _hands(contacts: list[dict[str, Any]] | None) -> tuple[Hand, ...] | None:
    if contacts is None:
        return None
    return tuple(
        Hand(c["contact_id"], c["state"], c.get("channel", "voice"), c.get("queue") or "", c.get("since"))
        for c in contacts
    )


def settled(now: Status, began: int) -> tuple[Status, int]:
    """Return the status once work has ended at its limit, and since when: partitions come to it at different times."""
    if not now.work or now.limit is None:
        return now, began
    return now._replace(work="", limit=None), now.limit


def spells(rows: Iterable[Mapping[str, Any]]) -> list[Spell]:
    """What the rows of the ledger's table add up to, sorted."""
    found: Counter[Spell] = Counter()
    for row in rows:
        found[_spell(row)] += row["sign"]
    assert min(found.values(), default=0) >= 0, "nothing is taken back that was not there"
    return sorted(found.elements())


def _spell(row: Mapping[str, Any]) -> Spell:
    return Spell(
        row["agent"],
        _ms(row["began_at"]),
        _ms(row["ended_at"]),
        row["agent_state"],
        row["reason"] or "",
        row["work"] or "",
        tuple(sorted(row["queues"] or ())),
        tuple(sorted(row["away_queues"] or ())),
        row["team"] or "",
        row["site"] or "",
        row["unended"],
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
