"""Every kind of fact has its columns, and what was counted is in them; engines that are not ours read the files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import msgspec
import pytest

from stream_app.errors import StreamAppError
from stream_app.ledger.columns import IN_HAPPENINGS, IN_VISITS, TABLES, fact_column
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.parquet_files import FileKey, OpenFile, knows, read_rows
from stream_app.ledger.tables import IDENTITY, LedgerColumn, LedgerTable
from stream_app.model.facts import (
    Abandoned,
    Answered,
    CsatAnswered,
    Fact,
    Handled,
    Missed,
    Offered,
    Sold,
)
from stream_app.model.fold.visit import VisitNotes
from stream_app.model.kpis import STORED
from stream_app.model.ledger import (
    KINDS,
    Happening,
    HappeningKind,
    StoredRow,
    VisitRow,
    join_rows,
    pack_row,
    take_back,
)
from stream_app.store.outbox import OutboxEntry

from .desk import P0, T0, visit_row


def exploded(*rows: StoredRow) -> dict[str, list[dict[str, object]]]:
    return Exploder(P0)(
        OutboxEntry(b"1-0", "t1", 0, 10, T0, 3, join_rows([pack_row(row) for row in rows]), b"")
    )


def counting(*facts: Fact) -> VisitRow:
    row = visit_row(4, 1)
    return msgspec.structs.replace(
        row, visit=msgspec.structs.replace(row.visit, notes=VisitNotes(1, pack_row(facts)))
    )


def test_every_kind_of_fact_is_in_one_table_and_every_field_in_a_column() -> None:
    kinds = [*IN_VISITS, *(kind for some in IN_HAPPENINGS.values() for kind in some)]
    assert {*kinds} == {*KINDS}
    assert len(kinds) == len({*kinds})
    for table, some in {"visits": IN_VISITS, **IN_HAPPENINGS}.items():
        columns = [column.name for column in TABLES[table].columns]
        assert len(columns) == len({*columns})
        assert {fact_column(kind, field) for kind in some for field in kind.__struct_fields__} <= {*columns}
    assert {part.fact for part in STORED} <= {*kinds}


def test_every_table_has_the_identity_of_its_rows_and_their_time() -> None:
    for table in TABLES.values():
        assert {*IDENTITY} <= {column.name for column in table.columns}
        assert {column.name: column.kind for column in table.columns}[table.time] == "moment"


def test_what_was_taken_back_does_not_count() -> None:
    gave_up, answer = Abandoned(T0 + 9, T0, 9, True, False), Answered(T0 + 20, T0, 20, True)
    unknown = Handled(T0 - 9, 1, 1, 1, False)
    row = counting(Offered(T0), gave_up, answer)
    take_back(row.visit, (gave_up, unknown))
    (found,) = exploded(row)["visits"]
    assert (found["offset"], found["n"], found["version"], found["topic_id"]) == (4, 1, 3, "t1")
    assert (found["answered_at"], found["answered_wait_ms"]) == (T0 + 20, 20)
    assert not {"abandoned_at", "handled_at"} & {*found}


def test_a_fact_without_columns_is_not_dropped_in_silence() -> None:
    with pytest.raises(StreamAppError, match="table visits has no columns for Missed"):
        exploded(counting(Missed(T0)))


def test_happenings_go_to_their_tables() -> None:
    def happening(kind: HappeningKind, *facts: Fact, **about: object) -> Happening:
        return Happening(
            7, 0, kind, 1, "c", "q", "voice", 0, "ann", None, None, "cu", "ca", about, pack_row(facts)
        )

    tables = exploded(
        happening("opinion", Sold(T0, 50_000, 3)),
        happening("case", event="escalated", at=T0, tier=2, opened_at=T0 - 5),
        happening("customer", event="valued", at=T0, purchase_value=9.5, unknown="x"),
    )
    assert tables["opinions"][0]["sold_amount"] == 50_000
    assert tables["opinions"][0]["at"] == T0
    case, customer = tables["cases"][0], tables["customers"][0]
    assert (case["event"], case["case"], case["contact_id"], case["opened_at"]) == (
        "escalated",
        "ca",
        "c",
        T0 - 5,
    )
    assert (customer["customer"], customer["purchase_value"]) == ("cu", 9.5)
    assert "unknown" not in customer


def test_duckdb_reads_the_files(tmp_path: Path) -> None:
    rows = exploded(*(visit_row(offset, at=T0 + offset * 977) for offset in range(300)))["visits"]
    file = OpenFile(FileKey("visits", "2026-11-22", "t1"), TABLES["visits"], tmp_path)
    file.write(TABLES["visits"].batch(rows))
    finished = file.finish()
    assert finished is not None
    sums = "count(*), sum(answered_wait_ms), sum(epoch_ms(started_at)), min(queue), count(abandoned_at)"
    found = (
        duckdb.read_parquet(str(finished.path)).aggregate(f"{sums}, count(DISTINCT contact_id)").fetchall()
    )
    assert found == [(300, 300 * 7_000, sum(T0 + n * 977 for n in range(300)), "sales", 0, 300)]
    described = finished.described
    assert (described.since, described.until) == (T0, T0 + 299 * 977)


def test_files_of_an_earlier_version_lack_columns_and_those_of_a_later_one_are_left_alone(
    tmp_path: Path,
) -> None:
    table = TABLES["offers"]
    earlier = LedgerTable("offers", table.columns[:-1], "at")
    later = LedgerTable("offers", (*table.columns, LedgerColumn("new", "text")), "at")
    rows = [{"topic_id": "t1", "partition": 0, "offset": 1, "n": 0, "version": 1, "sign": 1, "at": T0}]
    for version, known in ((earlier, True), (later, False)):
        file = OpenFile(FileKey("offers", "2026-11-22", "t1"), version, tmp_path)
        file.write(version.batch(rows))
        finished = file.finish()
        assert finished is not None
        assert knows(finished.path, table) == known
        if known:
            (read,) = read_rows(finished.path, table)
            assert read.to_pylist()[0]["missed_at"] is None
            assert read.schema == table.schema


def test_an_opinion_stands_where_it_counts_and_not_where_it_was_told() -> None:
    """A second answer in place of the first counts when the first was given."""
    about = {"event": "answered", "at": T0 + 90, "kind": "csat", "score": 1}
    row = Happening(
        7,
        0,
        "opinion",
        1,
        "c",
        "q",
        "voice",
        0,
        None,
        None,
        None,
        None,
        None,
        about,
        pack_row((CsatAnswered(T0, False),)),
    )
    (found,) = exploded(row)["opinions"]
    assert (found["at"], found["csat_answered_at"]) == (T0, T0)
