"""Lists of contacts in the shapes of other programs: what was meant is counted, whatever the columns are called and written."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from stream_app.ingest.dialects import canonical
from stream_app.ingest.files import FileError, FileRecord, Layout, RecordFile
from stream_app.ingest.replay import FileReplay, ReportRow, interval_rows, into_topic, report
from stream_app.kafka.producer import Record
from stream_app.model.targets import Targets
from stream_app.tables.call_list import CallList
from stream_app.tables.calls import Call
from stream_app.tables.mapping import ColumnMap
from tests.ingest.lists import BEGIN, Meant, Shape, columns, contacts, shape, written

MANY = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ISO = "Queued,Answered,Ended,Queue,Agent"
PLAIN = ColumnMap({"queued": ("start",), "queue": ("queue",), "talk_s": ("talk",), "wait_s": ("wait",)})


def reported(path: Path, layout: Layout) -> tuple[dict[tuple[str, str], ReportRow], FileReplay]:
    run = FileReplay(canonical.decode)
    rows = report([RecordFile(path, layout)], Targets(), run)
    return {(row.queue, row.channel): row for row in rows}, run


def calls(path: Path, layout: Layout) -> list[Call]:
    with RecordFile(path, layout) as file:
        assert file.calls is not None
        found = [*file.calls.calls]
    assert all(isinstance(call, Call) for call in found), found
    return [call for call in found if isinstance(call, Call)]


def listed(tmp_path: Path, text: str, layout: Layout | None = None) -> list[Call]:
    path = tmp_path / "list.csv"
    path.write_text(text)
    return calls(path, layout or Layout(calls=True))


def layout_of(of: Shape, dates: Any = None) -> Layout:
    return Layout(columns=ColumnMap(columns(of), dates=dates), zone=of.zone)


def ledger(meant: list[Meant]) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for c in meant:
        of = found.setdefault((c.queue, "voice"), Counter())
        of["offered"] += 1
        of["answered"] += c.is_answered
        of["handled"] += c.is_answered
        of["abandoned"] += c.became == "abandoned"
        of["left"] += c.became in {"voicemail", "overflow"}
        of["left_transfer"] += c.became == "overflow"
        if c.is_answered:
            of.update(wait_s=c.wait, talk_s=c.talk, hold_s=c.hold, wrap_s=c.wrap)
    return found


# --- what was meant ---


@MANY
@given(st.integers(0, 2**32))
def test_what_was_meant_is_counted(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    of = shape(chance)
    meant = contacts(chance, 40, BEGIN, 3_000)
    path = tmp_path / "list.csv"
    path.write_bytes(written(meant, of))
    rows, run = reported(path, layout_of(of))
    expected = ledger(meant)
    assert rows.keys() == expected.keys()
    for place, counts in expected.items():
        found = {name: getattr(rows[place], name) for name in counts}
        assert found == dict(counts)
    assert run.account.results == {"applied": len(meant)}


@MANY
@given(st.integers(0, 2**32))
def test_every_contact_is_in_the_interval_in_which_it_came(tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    of = shape(chance)
    meant = contacts(chance, 40, BEGIN, 3_000)
    path = tmp_path / "list.csv"
    path.write_bytes(written(meant, of))
    run = FileReplay(canonical.decode)
    rows = interval_rows([RecordFile(path, layout_of(of))], Targets(), run)
    step = 900_000
    expected = Counter((c.queue, int(c.queued.timestamp() * 1000) // step * step) for c in meant)
    assert Counter({(row.queue, row.start): row.offered for row in rows if row.offered}) == expected


@MANY
@given(st.integers(0, 2**32), st.booleans())
def test_reading_a_list_twice_or_in_another_order_is_the_same(tmp_path: Path, seed: int, twin: bool) -> None:
    """Without ids: they follow from what a row says, and two rows that say the same are two contacts."""
    chance = Random(seed)
    of = shape(chance)
    meant = contacts(chance, 12, BEGIN, 3_000)
    meant += meant[:1] if twin else []
    no_id = ColumnMap({f: names for f, names in columns(of).items() if f != "contact_id"})
    found = []
    for order in ("oldest", "newest", of.order):
        path = tmp_path / f"{order}.csv"
        path.write_bytes(written(meant, of._replace(order=order), ids=False))
        found.append(
            {call.contact_id: call.queued for call in calls(path, Layout(columns=no_id, zone=of.zone))}
        )
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(meant)


# --- the hour that occurs twice ---


@MANY
@given(st.integers(0, 2**32), st.sampled_from(["oldest", "newest"]))
def test_in_the_autumn_night_the_order_of_the_rows_tells_which_hour(
    tmp_path: Path, seed: int, order: str
) -> None:
    chance = Random(seed)
    of = shape(chance)._replace(zone="Europe/Berlin", order=order)
    meant = contacts(chance, 60, datetime(2026, 10, 24, 23, tzinfo=UTC), 240)
    path = tmp_path / "list.csv"
    path.write_bytes(written(meant, of))
    found = calls(path, layout_of(of))
    assert [call.queued for call in found] == [int(c.queued.timestamp()) * 1000 for c in meant]
    for call, c in zip(found, meant, strict=True):
        assert call.wait_unknown or call.ended == int(c.ended.timestamp()) * 1000


def test_a_list_in_no_order_takes_the_first_hour_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "start,queue,talk\n2026-10-25 02:30:00,a,5\n2026-10-20 02:30:00,a,5\n2026-10-25 02:10:00,a,5\n"
    )
    with RecordFile(path, Layout(zone="Europe/Berlin")) as file:
        assert file.calls is not None
        assert [call.queued for call in file.calls.calls if isinstance(call, Call)][1:] == [
            int(datetime(2026, 10, 25, 0, m, tzinfo=UTC).timestamp()) * 1000 for m in (10, 30)
        ]
        assert any("in the hour that the clock shows twice: 2" in note for note in file.calls.notes)
        assert any("in no order of time" in note for note in file.calls.notes)


# --- what a row says ---


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("answered,ended", "09:00:12,09:03:12", (12, 192, "answered")),  # hours without a date
        ("answered,ended", "23:59:59,00:00:30", (53_999, 54_030, "answered")),  # and past midnight
        ("wait,talk,hold", "12,0:03:00,30", (12, 222, "answered")),
        ("wait,talk,hold", "12,,", (None, 12, "abandoned")),
        ("duration,talk", "192,180", (12, 192, "answered")),  # a CDR's billsec
        ("duration,answered", "192,yes", (0, 192, "answered")),
        ("duration,answered", "40,no", (None, 40, "abandoned")),
        ("wait,abandoned", "40,YES", (None, 40, "abandoned")),
        ("wait_ms,talk_min,outcome", "12000,3,Handled", (12, 192, "answered")),
        ("wait,outcome", "7,left voicemail", (None, 7, "voicemail")),
        ("wait,outcome", "7,queue full", (None, 0, "full")),
        ("wait,outcome", "7,Callback requested", (None, 7, "callback")),
        ("wait,handle,wrap,answered", "7,100,20,1", (7, 87, "answered")),
        ("wait,answered", "7,1", (7, None, "answered")),  # nobody says how long they talked
    ],
)
def test_what_a_list_does_not_say_follows_from_what_it_says(
    tmp_path: Path, header: str, row: str, expected: tuple[int | None, int | None, str]
) -> None:
    [call] = listed(tmp_path, f"start,queue,{header}\n2026-01-05 09:00:00,q,{row}\n")
    since = [None if at is None else (at - call.queued) // 1000 for at in (call.answered, call.ended)]
    assert (*since, call.meaning) == expected


def test_outcomes_become_our_events(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    words = (
        "answered",
        "transferred",
        "no answer",
        "voicemail",
        "callback",
        "timeout",
        "overflow",
        "rejected",
        "closed",
    )
    path.write_text(
        "start,queue,wait,outcome\n" + "".join(f"2026-01-05 09:00,q,5,{word}\n" for word in words)
    )
    with RecordFile(path, Layout()) as file:
        [lines] = file.slices()
    kinds = [[type(event).__name__ for event in getattr(line.value, "events")] for line in lines]  # noqa: B009 - bytes have none
    assert kinds == [
        ["Queued", "Answered"],
        ["Queued", "Answered"],
        ["Queued", "Abandoned"],
        ["Queued", "LeftQueue"],
        ["Queued", "CallbackScheduled"],
        ["Queued", "LeftQueue"],
        ["Queued", "LeftQueue"],
        ["Refused"],
        ["Refused"],
    ]


def test_calls_that_the_centre_makes_are_not_offered(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "start,queue,direction,talk\n2026-01-05 09:00,q,Outbound,60\n2026-01-05 09:01,q,outbound,0\n"
        "2026-01-05 09:02,q,internal,60\n2026-01-05 09:03,q,inbound,60\n"
    )
    rows, run = reported(path, Layout())
    assert (rows["q", "voice"].offered, rows["q", "voice"].handled) == (1, 1)
    assert run.account.results == {"applied": 2, "ignored": 2}


def test_json_and_compressed_lists_are_read_alike(tmp_path: Path) -> None:
    rows = [{"start": f"2026-01-05 09:0{n}:00", "queue": "q", "talk": n + 5, "wait": None} for n in range(3)]
    texts = {
        "lines": "\n".join(map(json.dumps, rows)),
        "one": json.dumps(rows),
        "several": json.dumps(rows, indent=2),
        "csv": "start,queue,talk\n" + "\n".join(f"{row['start']},q,{row['talk']}" for row in rows),
    }
    found = set()
    for name, text in texts.items():
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()))
        found.add(tuple((call.queued, call.talk_s) for call in calls(path, Layout())))
    assert len(found) == 1
    assert len(found.pop()) == 3


# --- days and months ---


def test_days_and_months_that_no_row_tells_apart_are_asked_for(tmp_path: Path) -> None:
    text = "start,queue,talk\n05/01/2026 09:00,q,5\n06/01/2026 09:00,q,5\n"
    with pytest.raises(FileError, match=r"2: start: '05/01/2026 09:00' may be .* add dates:=day-first or"):
        listed(tmp_path, text)
    for dates, month in (("day-first", 1), ("month-first", 5)):
        [first, _] = listed(tmp_path, text, Layout(columns=ColumnMap(dates=dates)))  # type: ignore[arg-type]
        assert datetime.fromtimestamp(first.queued / 1000, UTC).month == month


# --- bad rows ---

BAD = {
    "no time": ("noon,q,5,1", "start: expected a date and a time"),
    "a day without an hour": ("2026-01-05,q,5,1", "start: expected a date and a time"),
    "a day that is none": ("2026-02-30 09:00,q,5,1", "start: expected a date and a time"),
    "another century": ("1926-01-05 09:00,q,5,1", "start: expected a time from 2000 to 2100"),
    "empty time": (",q,5,1", "start: is empty"),
    "no queue": ("2026-01-05 09:00,,5,1", "queue: is empty"),
    "a long queue": (f"2026-01-05 09:00,{'q' * 257},5,1", "queue: expected at most 256 characters, got 257"),
    "no duration": ("2026-01-05 09:00,q,long,1", "talk: expected a duration"),
    "a negative one": ("2026-01-05 09:00,q,-5,1", "talk: expected a duration"),
    "an endless one": ("2026-01-05 09:00,q,99999999,1", "talk: expected a duration of at most 31 days"),
    "more cells": ("2026-01-05 09:00,q,5,1,x", "the row has 5 cells, but the header has 4"),
    "a quote": ('"2026-01-05 09:00"x,q,5,1', "malformed CSV"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_named_with_line_and_column_and_its_neighbours_count(tmp_path: Path, name: str) -> None:
    row, said = BAD[name]
    good = "2026-01-05 09:00,q,5,1"
    path = tmp_path / "list.csv"
    path.write_text(f"start,queue,talk,wait\n{good}\n{row}\n{good}\n")
    rows, run = reported(path, Layout())
    assert rows["q", "voice"].offered == 2
    [complaint] = run.account.complaints
    assert complaint.startswith(f"{path}:3: ")
    assert said in complaint
    assert run.account.results == {"applied": 2, "dead_letter": 1}


def test_an_end_before_the_beginning_is_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(
        "start,queue,answered,ended\n2026-01-05 09:00,q,2026-01-05 08:00,\n2026-01-05 09:00,q,,2026-03-05 09:00\n"
    )
    _, run = reported(path, Layout())
    assert ["answered: expected a time after" in run.account.complaints[0], len(run.account.complaints)] == [
        True,
        2,
    ]
    assert "ended: expected a time at most 31 days after" in run.account.complaints[1]


def test_an_unknown_outcome_is_a_bad_row_until_a_map_says_what_it_means(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("start,queue,outcome\n2026-01-05 09:00,q,Zonk\n2026-01-05 09:01,q,answered\n")
    with RecordFile(path, Layout()) as file:
        assert [type(call).__name__ for call in file.calls.calls] == ["BadCallRow", "Call"]  # type: ignore[union-attr]
        assert "'Zonk' (1)" in (file.calls.remedy() or "")  # type: ignore[union-attr]
    mapped = Layout(columns=ColumnMap(outcomes={"zonk": "abandoned"}))
    assert [call.meaning for call in calls(path, mapped)] == ["abandoned", "answered"]


@MANY
@given(st.binary(max_size=400), st.integers(0, 3))
def test_hostile_bytes_are_bad_rows_or_a_named_error(tmp_path: Path, noise: bytes, place: int) -> None:
    good = b"2026-01-05 09:00,q,5\n"
    parts = [b"start,queue,talk\n", good, good]
    parts.insert(place, noise + b"\n")
    path = tmp_path / "list.csv"
    path.write_bytes(b"".join(parts))
    found: list[FileRecord] = []
    said = str(path)
    try:
        with RecordFile(path, Layout(calls=True)) as file:
            found = [line for lines in file.slices() for line in lines]
    except FileError as error:
        said = str(error)
    assert said.startswith(str(path))
    if place and said == str(path):
        assert len(found) >= 2


def test_a_damaged_file_counts_what_precedes_the_damage(tmp_path: Path) -> None:
    rows = b"".join(b"2026-01-05 09:00:%02d,q,%d\n" % (n % 60, n) for n in range(5_000))
    path = tmp_path / "list.csv.gz"
    path.write_bytes(gzip.compress(b"start,queue,talk\n" + rows)[:-2_000])
    run = FileReplay(canonical.decode)
    with pytest.raises(FileError, match="the gzip data ends too early"):
        report([RecordFile(path, Layout())], Targets(), run)
    assert run.account.results["applied"] > 100


# --- one list, and more of it ---


class _Sink:
    async def send(self, records: Sequence[Record]) -> None:
        raise AssertionError(records)


async def test_a_list_does_not_go_into_kafka(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("start,queue,talk\n2026-01-05 09:00,q,5\n")
    with pytest.raises(FileError, match="count it with --direct"):
        await into_topic([RecordFile(path, Layout())], _Sink(), FileReplay(canonical.decode))


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_list_that_has_grown_is_the_same_list_with_more_rows(tmp_path: Path, order: str) -> None:
    of = shape(Random(7))._replace(order=order, times="%Y-%m-%d %H:%M:%S", queued=("Call Start",))
    meant = contacts(Random(7), 50, BEGIN, 3_000)
    path = tmp_path / "list.csv"
    found = []
    for n in (20, 50):
        path.write_bytes(written(meant[:n], of))
        with RecordFile(path, layout_of(of)) as file:
            ids = [str((line.value or b"").decode()) for lines in file.slices() for line in lines]
            found.append((file.partition, ids))
    (before, some), (after, more) = found
    assert before == after
    less = {field: names for field, names in columns(of).items() if field not in {"agent", "hold_s"}}
    with RecordFile(path, Layout(columns=ColumnMap(less), zone=of.zone)) as file:
        assert file.partition == before, "with another map it is the same list"
    assert more[: len(some)] == some


def test_lists_of_two_days_may_overlap_at_midnight(tmp_path: Path) -> None:
    for name, rows in (("a", "2026-01-05 23:50:00,q,1800"), ("b", "2026-01-06 00:01:00,q,60")):
        (tmp_path / name).write_text(f"start,queue,talk\n{rows}\n")
    run = FileReplay(canonical.decode)
    files = [RecordFile(tmp_path / name, Layout()) for name in ("a", "b")]
    for file in files:
        with file:
            file.begins = next(file.slices())[0].value.events[0].at  # type: ignore[union-attr]
    [row] = report(files, Targets(), run)
    assert row.handled == 2


def test_a_long_list_in_no_order_is_put_into_order(tmp_path: Path) -> None:
    """Three months: without it, the oldest rows would come too late to count."""
    days = [datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=n) for n in range(90)]
    Random(3).shuffle(days)
    path = tmp_path / "list.csv"
    path.write_text("start,queue,talk\n" + "".join(f"{day:%Y-%m-%d %H:%M},q,60\n" for day in days))
    rows, run = reported(path, Layout())
    assert rows["q", "voice"].handled == 90
    assert run.account.results == {"applied": 90}


def test_rows_are_read_only_once_there_is_a_map(tmp_path: Path) -> None:
    for text, said in (
        ("when,queue,talk\n1,2,3\n", "queued: map the time at which contacts came"),
        ("start,talk\n1,2\n", "queue: map a column to it"),
        ("start,queue\n1,2\n", "nothing says which contacts were answered"),
    ):
        with pytest.raises(FileError, match=said):
            listed(tmp_path, text)
    assert isinstance(CallList("x", [], PLAIN, "UTC"), CallList)
