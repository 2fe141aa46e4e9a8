"""Whatever is counted: the columns of the rows say the same as the facts from which they were made."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import example, given

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.ledger.columns import IN_HAPPENINGS, IN_VISITS, fact_column
from stream_app.ledger.exploding import Exploder
from stream_app.model.facts import Fact, TakenBack
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.ledger import VisitRow, counted_by, join_rows, pack_row, unpack_facts, unpack_rows
from stream_app.model.targets import Targets
from stream_app.store.outbox import OutboxEntry
from tests.model.kept import Line
from tests.model.streams import line, streams

from .desk import P0, T0

KINDS = {"visits": IN_VISITS, **IN_HAPPENINGS}


def told(rows: bytes) -> Counter[Fact]:
    """The facts of rows."""
    facts: Counter[Fact] = Counter()
    for row in unpack_rows(rows):
        facts.update(counted_by(row.visit) if isinstance(row, VisitRow) else unpack_facts(row.facts))
    return Counter({fact: n for fact, n in facts.items() if not isinstance(fact, TakenBack)})


def in_columns(table: str, row: dict[str, Any]) -> list[Fact]:
    """The facts that a row's columns say."""
    return [
        kind(*(row[fact_column(kind, field)] for field in kind.__struct_fields__))
        for kind in KINDS.get(table, ())
        if row.get(fact_column(kind, "at")) is not None
    ]


def resumed_twice() -> list[Line]:
    """A customer who gives up and comes back, twice."""
    kinds = ["queued", "abandoned", "queued", "abandoned", "queued", "answered", "ended", "wrapped"]
    return [
        line(
            n,
            T0 + 5_000 * n,
            T0 + 5_000 * n,
            id=f"i{n}",
            type=f"contact.{kind}",
            contact_id="a",
            queue="q",
            **more,
        )
        for n, kind in enumerate(kinds)
        for more in [{"resumes": True} if kind == "queued" and n else {}]
    ]


@example(resumed_twice())
@given(streams(max_size=60).filter(bool))
def test_the_columns_say_what_the_facts_say(lines: list[Line]) -> None:
    fold = Fold(Targets(), noted=Noted(on=True))
    deltas = fold_records(fold, lines, 0, decode).deltas
    rows = [*(deltas.ledger or ())]
    for contact, visits in deltas.visits.items():
        rows += [pack_row(VisitRow(len(lines), n, contact, visit)) for n, visit in enumerate(visits)]
    packed = join_rows(rows)
    tables = Exploder(P0)(OutboxEntry(b"1-0", "t1", 0, len(lines), 0, 1, packed, b""))
    found = Counter(fact for table, some in tables.items() for row in some for fact in in_columns(table, row))
    assert found == told(packed)
