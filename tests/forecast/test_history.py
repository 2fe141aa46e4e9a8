"""Files of interval rows: three ways to write the same, and a gallery of what is refused."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from stream_app.errors import InputError
from stream_app.forecast.history import HistoryRow, read

ROW: dict[str, Any] = {
    "start": "2026-01-05T08:00:00+01:00",
    "minutes": 15,
    "queue": "billing",
    "channel": "voice",
    "offered": 12,
    "handled": 10,
    "talk_s": 2400.5,
    "hold_s": 100,
    "wrap_s": 300,
    "final": True,
}
LATER = ROW | {"start": "2026-01-05T07:15:00Z", "offered": 9, "queue": "sales"}
FOUND = {
    ("billing", "voice"): [
        HistoryRow(datetime(2026, 1, 5, 7, tzinfo=UTC), 15, "billing", "voice", 12, 10, 2800.5)
    ],
    ("sales", "voice"): [
        HistoryRow(datetime(2026, 1, 5, 7, 15, tzinfo=UTC), 15, "sales", "voice", 9, 10, 2800.5)
    ],
}


def table(*rows: dict[str, Any], delimiter: str = ",") -> bytes:
    def cell(value: Any) -> str:
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    lines = [delimiter.join(rows[0]), *(delimiter.join(map(cell, row.values())) for row in rows)]
    return "\n".join(lines).encode() + b"\n"


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(table(ROW, LATER), id="csv"),
        pytest.param(table(ROW, LATER, delimiter=";"), id="semicolons"),
        pytest.param(table(ROW, LATER, delimiter="\t").replace(b"\n", b"\r\n"), id="tabs and crlf"),
        pytest.param(b"\xef\xbb\xbf" + table(ROW, LATER), id="byte order mark"),
        pytest.param(lines(LATER, ROW), id="ndjson"),
        pytest.param(lines(ROW) + b"\n" + lines(LATER)[:-1], id="ndjson with an empty line and no end"),
        pytest.param(json.dumps([ROW, LATER]).encode(), id="json"),
        pytest.param(b"\n " + json.dumps([LATER, ROW], indent=2).encode(), id="json, indented"),
        pytest.param(lines(ROW | {"answered": 1, "policy": "x"}, LATER), id="fields that are not ours"),
        pytest.param(
            json.dumps({"at": "x", "rows": [ROW, LATER], "next": None, "revision": 5}, indent=1).encode(),
            id="what the API answers",
        ),
    ],
)
def test_the_same_rows_however_they_are_written(data: bytes) -> None:
    assert read(data, "volumes").history == FOUND


def test_rows_that_are_not_final_are_passed_over_and_counted() -> None:
    volumes = read(table(ROW, LATER | {"final": False}), "volumes")
    assert (list(volumes.history), volumes.unfinished) == ([("billing", "voice")], 1)


def test_rows_of_outages_are_left_out_and_counted() -> None:
    for write in (table, lines):
        volumes = read(write(ROW | {"outage": None}, LATER | {"outage": "the carrier was down"}), "volumes")
        assert (list(volumes.history), volumes.outages) == ([("billing", "voice")], 1)


def test_times_of_handling_may_be_missing_all_together() -> None:
    plain = {name: ROW[name] for name in ("start", "minutes", "queue", "channel", "offered")}
    empty = ROW | dict.fromkeys(("handled", "talk_s", "hold_s", "wrap_s"))
    for data in (table(plain), lines(plain), lines(empty), table(empty)):
        ((row,),) = read(data, "volumes").history.values()
        assert (row.handled, row.handle_s) == (None, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": "2026-01-05T08:00:00"}, "start: '2026-01-05T08:00:00' has no offset and there is no tz"),
        ({"start": "yesterday"}, "start: expected a time like 2026-01-05T08:00:00+01:00, got 'yesterday'"),
        ({"start": None}, "start: is missing"),
        (
            {"start": "2026-01-05T08:07:00Z"},
            "start: expected a multiple of 15 minutes, got '2026-01-05T08:07:00Z'",
        ),
        (
            {"start": "2026-01-05T08:00:01Z"},
            "start: expected a multiple of 15 minutes, got '2026-01-05T08:00:01Z'",
        ),
        ({"start": "0001-01-01T00:00:00+02:00"}, "start: '0001-01-01T00:00:00+02:00' is out of range"),
        ({"minutes": 20}, "minutes: expected one of 5, 10, 15, 30, 60; got 20"),
        ({"minutes": 120}, "minutes: expected one of 5, 10, 15, 30, 60; got 120"),
        ({"minutes": None}, "minutes: is missing"),
        ({"queue": None}, "queue: is missing"),
        ({"channel": None}, "channel: is missing"),
        ({"offered": None}, "offered: is missing"),
        ({"offered": -1}, "offered: expected a non-negative whole number"),
        ({"offered": 1.5}, "offered: "),
        ({"offered": "many"}, "offered: expected a non-negative whole number, got 'many'"),
        ({"offered": 10**9}, "expected at most 10,000,000"),
        ({"offered": "9" * 5000}, "expected at most 10,000,000"),
        ({"handled": None}, "handled: is missing"),
        ({"talk_s": None}, "talk_s: is missing"),
        ({"hold_s": "nan"}, "hold_s: expected a non-negative number like 12 or 12.5, got 'nan'"),
        ({"wrap_s": -1}, "expected a non-negative number like 12 or 12.5"),
        ({"wrap_s": 10**9}, "expected at most 10,000,000"),
        ({"wrap_s": "1:30"}, "wrap_s: expected a non-negative number like 12 or 12.5, got '1:30'"),
        ({"final": "perhaps"}, "final: expected true or false, got 'perhaps'"),
    ],
)
@pytest.mark.parametrize("write", [table, lines, lambda *rows: json.dumps(rows, indent=0).encode()])
def test_what_is_wrong_names_line_and_field(change: dict[str, Any], said: str, write: Any) -> None:
    wrong = ROW | change
    with pytest.raises(InputError) as caught:
        read(write(LATER, wrong), "volumes")
    message = str(caught.value)
    (field,) = change
    line = {b"s": 3, b"{": 2, b"[": 14}[write(LATER)[:1]]
    assert message.startswith(f"volumes:{line}: {field}: ")
    assert said in message
    assert "\n" not in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "volumes:1: the file is empty"),
        (b" \n", "volumes:1: the file is empty"),
        (
            gzip.compress(table(ROW)),
            "volumes:1: this is a gzip file; unpack it first: zcat volumes",
        ),
        (table(ROW).decode().encode("utf-16"), "volumes:1: expected UTF-8 text"),
        (table(ROW) + b"\xff\n", "volumes:3: expected UTF-8 text"),
        (
            b"start,minutes,queue,channel\n",
            "volumes:1: offered: the column is missing",
        ),
        (b"start,minutes,queue,channel,offered,offered\n", "volumes:1: offered: two columns have this name"),
        (b"start,minutes,queue,channel,offered\n", "volumes:1: the file has no rows"),
        (table(ROW)[:-20] + b"\n", "volumes:2: expected 10 cells, got 7"),
        (table(ROW) + b'"never closed\n', "volumes:3: "),
        (lines(ROW) + b"{\n", "volumes:2: expected a JSON object"),
        (lines(ROW) + b"[1]\n", "volumes:2: expected an object for each row, got [1]"),
        (b"[\n1]", "volumes:2: expected an object for each row, got 1"),
        (b"[\n{}\n", "volumes:2: expected a JSON list of rows"),
        (b"[\n{},\n}]", "volumes:3: expected a JSON list of rows"),
        (table(ROW, ROW), "volumes:3: start: duplicates line 2: billing voice 2026-01-05T07:00Z"),
        (
            table(ROW | {"minutes": 30}, LATER | {"queue": "billing"}),
            "volumes:3: start: overlaps the 30 minutes of line 2",
        ),
        (table(ROW | {"final": False}), "volumes:1: found no final row"),
        (table(ROW | {"outage": "power"}), "volumes:1: found no final row outside of outages"),
        (
            json.dumps({"rows": [ROW], "next": "/v1/intervals?cursor=x"}).encode(),
            "volumes:1: next: this is one of several pages; put all rows into one file",
        ),
    ],
)
def test_what_is_wrong_with_a_file(data: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(data, "volumes")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_what_was_estimated_is_read_and_unknown_where_it_is_not_said() -> None:
    head = "start,minutes,queue,channel,offered,handled,talk_s,hold_s,wrap_s,estimated_s\n"
    text = (
        head
        + "2026-01-05T08:00Z,15,post,email,9,8,800,0,0,200\n2026-01-05T08:15Z,15,post,email,9,8,800,0,0,\n"
    )
    rows = read(text.encode(), "v.csv").history["post", "email"]
    assert [row.estimated_s for row in rows] == [200, None]
