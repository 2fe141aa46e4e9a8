"""From the rows of an outbox entry to rows of the tables, a name → value each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from stream_app.errors import StreamAppError
from stream_app.model.facts import Fact
from stream_app.model.fold.visit import VisitNotes
from stream_app.model.ledger import KINDS, Happening, VisitRow, counted_by, unpack_facts, unpack_rows
from stream_app.model.ports import Partition
from stream_app.store.outbox import OutboxEntry

from .columns import IN_HAPPENINGS, IN_VISITS, TABLE_OF, TABLES, fact_column

_FIELDS: Final = {
    kind: tuple((field, fact_column(kind, field)) for field in kind.__struct_fields__) for kind in KINDS
}
_HELD: Final = {"visits": {*IN_VISITS}, **{name: {*kinds} for name, kinds in IN_HAPPENINGS.items()}}


class Exploder:
    """Makes the tables' rows of a partition's entries."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition.number

    def __call__(self, entry: OutboxEntry) -> dict[str, list[dict[str, Any]]]:
        """Return table → rows.

        Raises:
            StreamAppError: the rows are not ours, or a fact has no column in its table.
        """
        out: dict[str, list[dict[str, Any]]] = {}
        for row in unpack_rows(entry.rows):
            common = {
                "topic_id": entry.topic_id,
                "partition": self._partition,
                "offset": row.offset,
                "n": row.n,
                "version": entry.version,
            }
            if isinstance(row, VisitRow):
                out.setdefault("visits", []).append(common | _visit(row))
            else:
                out.setdefault(TABLE_OF[row.kind], []).append(common | _happening(row))
        return out


def _visit(row: VisitRow) -> dict[str, Any]:
    visit = row.visit
    notes = visit.notes or VisitNotes()
    return {
        "contact_id": row.contact,
        "started_at": visit.started,
        "queue": visit.queue,
        "channel": visit.channel,
        "agent": visit.agent,
        **_whose(notes),
        "priority": None if visit.priority is None else str(visit.priority),
        "contact_reason": notes.contact_reason,
        "wrap_up_code": notes.wrap_up_code,
        "outbound": visit.outbound,
        **_facts("visits", counted_by(visit)),
    }


def _happening(row: Happening) -> dict[str, Any]:
    table = TABLE_OF[row.kind]
    facts, about = unpack_facts(row.facts), row.about or {}
    names = {column.name for column in TABLES[table].columns}
    values = {
        "contact_id": row.contact,
        "queue": row.queue,
        "channel": row.channel,
        "agent": row.agent,
        **_whose(row),
        "sign": row.sign,
        "visit_started_at": row.visit_started or None,
        **{name: str(value) if name == "priority" else value for name, value in about.items()},
        "at": min((fact.at for fact in facts), default=about.get("at")),  # when it counts, if it does
        **_facts(table, facts),
    }
    return {name: value for name, value in values.items() if name in names}


def _whose(of: VisitNotes | Happening) -> dict[str, Any]:
    return {
        "team": of.team,
        "site": of.site,
        "customer": of.customer,
        "case": of.case,
    }


def _facts(table: str, counted: Iterable[Fact]) -> dict[str, Any]:
    """Return the columns of facts."""
    values: dict[str, Any] = {}
    for fact in counted:
        if type(fact) not in _HELD.get(table, ()):
            raise StreamAppError(f"ledger: table {table} has no columns for {type(fact).__name__}")
        for field, column in _FIELDS[type(fact)]:
            values[column] = getattr(fact, field)
    return values
