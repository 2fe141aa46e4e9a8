"""What leaves as a file: our CSV comes back the same, imports are what their programs document, and Parquet is typed."""

from __future__ import annotations

import csv
import io
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st
from msgspec import structs, to_builtins

from stream_app.forecast import history
from stream_app.model.intervals.columns import WRITTEN
from stream_app.model.targets import Targets
from stream_app.tables.escaping import is_formula, marked, unmarked
from stream_app.tables.reading import read
from stream_app.views.intervals import parquet
from stream_app.views.intervals.formats import COLUMNS, header, table
from stream_app.views.intervals.wire import IntervalsRow, of, wired
from stream_app.workforce import volumes
from tests.views.serving import Served

from .kept import MONDAY, Kept, busy, stretch

UTC_ZONE = ZoneInfo("UTC")
RANGE = "from=2026-01-05&to=2026-01-07"


def written(**changes: Any) -> IntervalsRow:
    row = of(busy(MONDAY, "billing"), UTC_ZONE, "without_short_abandons", None)
    return structs.replace(row, **changes)


def nobody(_: str) -> None:
    return None


# --- our own ---


def test_the_reader_knows_the_fields_that_are_written() -> None:
    assert COLUMNS == WRITTEN


@given(st.text())
def test_a_mark_is_taken_off_again_and_what_is_written_is_no_formula(name: str) -> None:
    cell = marked(name)
    assert unmarked(cell) == name
    assert not is_formula(cell)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=cmd()", "'=cmd()"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),  # noqa: RUF001 - the wide one is meant
        ("'=1", "''=1"),
        ("o'clock", "o'clock"),
        ("'tis", "'tis"),
        ("a=b", "a=b"),
    ],
)
def test_which_names_are_marked(name: str, cell: str) -> None:
    assert marked(name) == cell


@pytest.mark.parametrize(
    "name", ['=HYPERLINK("http://x")', "a,b", 'say "hi"', "two\nlines", "'=x", "ä €", "-"]
)
def test_a_queue_of_any_name_comes_back_the_same_and_runs_nowhere(name: str) -> None:
    text = table([written(queue=name)], "csv", nobody)
    cells = list(csv.reader(io.StringIO(text, newline="")))
    assert not is_formula(cells[1][2])
    (row,) = read("rows.csv", text.encode(), WRITTEN, ())
    assert row.text("queue") == name


def test_csv_has_every_field_in_order_and_comes_back_through_the_strict_reader() -> None:
    rows = [
        written(),
        written(
            start="2026-01-05T00:15:00+00:00",
            service_level=None,
            backlog_start=None,
            outage="=power, out",
            final=True,
        ),
    ]
    text = table(rows, "csv", nobody)
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert text.count("\r\n") == 3
    for row, found in zip(rows, read("rows.csv", text.encode(), WRITTEN, WRITTEN), strict=True):
        for name, value in to_builtins(row).items():
            if value is None:
                assert not found.said(name)
            elif isinstance(value, bool):
                assert found.truth(name, default=not value) is value
            elif isinstance(value, str):
                assert found.text(name) == value
            else:
                assert found.number(name) == value


async def test_what_the_route_answers_is_read_by_forecast_and_staffing(rows: Served) -> None:
    _, _, answer = await rows.get(f"/v1/intervals?{RANGE}&format=json&limit=10000")
    for form in ("json", "csv"):
        body = await raw(rows, f"{RANGE}&format={form}&limit=10000")
        found = history.read(body, "rows")
        assert {key: len(of) for key, of in found.history.items()} == {
            ("billing", "voice"): 192,
            ("sales", "chat"): 192,
            ("sales", "voice"): 192,
        }
        assert sum(r.offered for of in found.history.values() for r in of) == sum(
            r["offered"] for r in answer["rows"]
        )
    with pytest.raises(Exception, match=r"rows:1: next: this is one of several pages"):
        history.read(await raw(rows, f"{RANGE}&limit=5"), "rows")


async def test_staffing_reads_days_and_hours_too(rows: Served, kept: Kept) -> None:
    for row in stretch(MONDAY, MONDAY + 172_800_000, "tidy"):  # nobody is handled in no time
        kept.put(structs.replace(row, handled=4, talk_ms=400_000, hold_ms=0, wrap_ms=0))
    for interval in ("15m", "1h", "1d"):
        body = await raw(rows, f"{RANGE}&interval={interval}&format=csv&queue=tidy")
        assert {v.handle_s for v in volumes.read("rows", body)} == {100.0}


async def raw(served: Served, query: str) -> bytes:
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{served.url}/v1/intervals?{query}") as answer,
    ):
        assert answer.status == 200
        return await answer.read()


# --- imports ---

PLAIN = {
    "start": "2026-01-05T09:00:00+01:00",
    "queue": "billing",
    "offered": 12,
    "handled": 8,
    "talk_s": 1200.5,
    "hold_s": 40.0,
    "wrap_s": 200.001,
    "average_handle_time_s": 180.063,
    "final": True,
}


def test_connect_byte_by_byte() -> None:
    rows = [
        written(**PLAIN),
        written(**PLAIN | {"channel": "chat", "start": "2026-01-05T09:30:00+01:00", "minutes": 30}),
        written(
            **PLAIN
            | {"handled": 0, "average_handle_time_s": None, "talk_s": 0.0, "hold_s": 0.0, "wrap_s": 0.0}
        ),
    ]
    ids = Targets.of({"queues": {"billing": {"external_id": "0f-1"}}}).external_id
    assert table(rows, "connect", ids).encode() == (
        b"QueueName,QueueId,ChannelType,TimeStamp,IntervalDuration,IncomingContactVolume,AverageHandleTime,ContactsHandled\r\n"
        b"billing,0f-1,VOICE,2026-01-05T08:00:00Z,15mins,12,180.063,8\r\n"
        b"billing,0f-1,CHAT,2026-01-05T08:30:00Z,30mins,12,180.063,8\r\n"
        b"billing,0f-1,VOICE,2026-01-05T08:00:00Z,15mins,12,0,0\r\n"
    )
    assert table(rows[:1], "connect", nobody).splitlines()[1].startswith("billing,,VOICE,")


def test_genesys_byte_by_byte() -> None:
    rows = [
        written(**PLAIN),
        written(
            **PLAIN | {"channel": "messaging", "queue": "a, b", "talk_s": 360.0, "hold_s": 0.0, "wrap_s": 0.0}
        ),
    ]
    assert table(rows, "genesys", nobody).encode() == (
        b"Interval Start UTC Date,Queue,Media Type,Skill Set,Language,Offered,Interactions Handled,"
        b"Total Handle Time (Seconds)\r\n"
        b"2026-01-05T08:00:00Z,billing,Voice,,,12,8,1440.501\r\n"
        b'2026-01-05T08:00:00Z,"a, b",Message,,,12,8,360\r\n'
    )


@pytest.mark.parametrize("form", ["connect", "genesys"])
async def test_an_import_has_final_rows_of_known_channels_without_outages_only(
    rows: Served, kept: Kept, form: str
) -> None:
    kept.put(busy(MONDAY, "open"))
    for queue, channel in (("letters", "social"), ("=run()", "voice")):
        kept.put(structs.replace(busy(MONDAY, queue, channel), final=True, revision=1, version=1))
    rows.targets = Targets.of(
        {
            "outages": [
                {
                    "from": "2026-01-05T00:00:00Z",
                    "to": "2026-01-06T00:00:00Z",
                    "queues": ["sales"],
                    "reason": "x",
                }
            ]
        }
    )
    body = (await raw(rows, f"{RANGE}&format={form}&limit=10000")).decode()
    lines = body.split("\r\n")
    assert lines[0] + "\r\n" == header(form)
    assert len(lines) - 2 == 192 + 2 * 96
    for name in ("open", "letters", "run()"):
        assert name not in body
    half = (await raw(rows, f"{RANGE}&format={form}&interval=30m&tz=Asia/Kathmandu&queue=billing")).decode()
    assert "2026-01-05T18:15:00Z" in half
    paged = (await raw(rows, f"{RANGE}&format={form}&limit=7")).decode()
    assert paged.count("\r\n") == 8


# --- parquet ---


async def test_parquet_is_typed_and_reads_back_as_json_has_it(rows: Served) -> None:
    query = f"{RANGE}&tz=Europe/Berlin&interval=1h&limit=10000"
    _, _, answer = await rows.get(f"/v1/intervals?{query}")
    file = pq.ParquetFile(io.BytesIO(await raw(rows, f"{query}&format=parquet")))
    schema = file.schema_arrow
    assert schema.field("start").type == pa.timestamp("ms", tz="UTC")
    assert not schema.field("offered").nullable
    assert schema.field("service_level").nullable
    assert schema.metadata[b"zone"] == b"Europe/Berlin"
    assert schema.names == list(COLUMNS)
    for row, expected in zip(file.read().to_pylist(), answer["rows"], strict=True):
        for name in ("start", "revised_at"):
            at = datetime.fromisoformat(expected[name]) if expected[name] else None
            assert row[name] == (at and at.astimezone(UTC))
        assert {k: v for k, v in row.items() if k not in {"start", "revised_at"}} == {
            k: v for k, v in expected.items() if k not in {"start", "revised_at"}
        }


def test_parquet_is_written_in_groups_and_may_have_no_row() -> None:
    many = [written()] * (2 * parquet.GROUP + 1)
    file = pq.ParquetFile(io.BytesIO(parquet.to_bytes(many, "UTC")))
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [5_000, 5_000, 1]
    assert pq.read_table(io.BytesIO(parquet.to_bytes([], "UTC"))).num_rows == 0


async def test_without_pyarrow_it_is_said_how_to_install_it(
    rows: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    status, headers, problem = await rows.get(f"/v1/intervals?{RANGE}&format=parquet")
    assert (status, headers["Content-Type"]) == (501, "application/problem+json")
    assert problem["detail"] == "parquet needs pyarrow: pip install '.[parquet]' in a checkout of stream-app"
    assert (problem["parameter"], "csv" in problem["allowed"]) == ("format", True)


def test_each_queue_has_its_own_policy_unless_one_is_asked_for() -> None:
    targets = Targets.of({"queues": {"billing": {"policy": "answered_only"}}})
    rows = [busy(MONDAY, "billing"), busy(MONDAY, "sales")]
    assert [wired(UTC_ZONE, targets, None)(row).policy for row in rows] == [
        "answered_only",
        "without_short_abandons",
    ]
    assert {wired(UTC_ZONE, targets, "removed_within")(row).policy for row in rows} == {"removed_within"}
