"""Columns of other programs: ours from theirs, and a file that can't be told is refused with its line."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.errors import InputError
from stream_app.tables import reading
from stream_app.tables.mapping import parse_map
from stream_app.tables.row import TableRow

KNOWN = ("start", "end", "minutes", "queue", "channel", "offered", "aht_s", "handled")
NEEDED = ("start", "minutes", "queue", "channel", "offered")


def read(text: str, *maps: str) -> list[TableRow]:
    return reading.read("v.csv", text.encode(), KNOWN, NEEDED, mapping=parse_map(maps, KNOWN))


def values(row: TableRow) -> dict[str, Any]:
    return {field: row.text(field) for field in KNOWN if row.said(field)}


def test_two_columns_a_constant_and_a_quoted_name() -> None:
    text = (
        'Date,Interval,Calls Offered,Avg Handle Time,Skill\n2026-01-05,09:00 - 09:30,"1,234",3:25,Billing\n'
    )
    maps = 'start=Date+Interval,contacts="Calls Offered",aht=Avg Handle Time,queue=Skill,channel:=chat,minutes:=30'
    [row] = read(text, maps)
    assert values(row) == {
        "start": "2026-01-05 09:00",
        "minutes": "30",
        "queue": "Billing",
        "channel": "chat",
        "offered": "1234",
        "aht_s": "205",
    }
    assert values(read(text, *maps.split(","))[0]) == values(row)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("31/12/2026 09:30", "2026-12-31T09:30:00"),
        ("12/31/2026 9:30 PM", "2026-12-31T21:30:00"),
        ("12/31/26 12:05 am", "2026-12-31T00:05:00"),
        ("31.12.2026 9:30", "2026-12-31T09:30:00"),
        ("05.01.2026 09:30", "2026-01-05T09:30:00"),
        ("2026/12/31 9:30", "2026-12-31T09:30:00"),
        ("2026-12-31T09:30:00Z/2026-12-31T10:00:00Z", "2026-12-31T09:30:00Z"),
        ("2026-12-31 09:30-10:00", "2026-12-31 09:30"),
        ("2026-12-31T09:30:00-05:00", "2026-12-31T09:30:00-05:00"),
    ],
)
def test_times_as_other_programs_write_them(theirs: str, ours: str) -> None:
    [row] = read(f"when;queue;offered\n{theirs};q;1\n", "start=when,minutes:=30")
    assert row.text("start") == ours


def test_the_whole_column_tells_days_from_months() -> None:
    text = "when,queue,offered\n05/01/2026 09:00,q,1\n{}/2026 09:00,q,1\n"
    days = read(text.format("13/01"), "start=when,minutes:=30")
    months = read(text.format("01/13"), "start=when,minutes:=30")
    assert [row.text("start")[:10] for row in days] == ["2026-01-05", "2026-01-13"]
    assert [row.text("start")[:10] for row in months] == ["2026-05-01", "2026-01-13"]
    with pytest.raises(InputError, match=r"v.csv:2: start: '05/01/2026 09:00' may be day/month or month/day"):
        read(text.format("06/01"), "start=when,minutes:=30")


@given(st.sampled_from([5, 15, 30, 60]), st.integers(2, 20), st.randoms())
def test_the_length_is_the_smallest_step_of_the_starts(step: int, count: int, chance: Any) -> None:
    lines = [f"2026-01-05 {n * step // 60:02}:{n * step % 60:02},q,1" for n in range(count)]
    chance.shuffle(lines)
    rows = read("\n".join(["when,queue,offered", *lines]), "start=when")
    assert {row.number("minutes") for row in rows} == {step}


@pytest.mark.parametrize(
    ("maps", "error"),
    [
        (["start=When"], "v.csv:2: --map start=When: no such column; there are 'when', 'queue', 'offered'"),
        (["queue=when"], "v.csv:2: start: map a column to it: --map 'start=…'"),
        (["start=when"], "v.csv:2: minutes: can't be told from one row; write --map 'minutes:=30'"),
    ],
)
def test_what_is_missing_is_said(maps: list[str], error: str) -> None:
    with pytest.raises(InputError) as caught:
        read("when,queue,offered\n2026-01-05 09:00,q,1\n", *maps)
    assert str(caught.value) == error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("sart=When", "unknown field 'sart'; did you mean 'start'?"),
        ("start=a,start=b", "start: this field is mapped twice"),
        ("contacts=a,offered=b", "offered: this field is mapped twice"),
        ("start", "expected FIELD=COLUMN, separated by commas, got 'start'"),
        ("start=", "expected FIELD=COLUMN, separated by commas, got 'start='"),
    ],
)
def test_a_wrong_option_is_said(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=r"expected|unknown|twice") as caught:
        parse_map([text], KNOWN)
    assert str(caught.value) == error


def test_without_the_option_nothing_is_mapped() -> None:
    assert parse_map([], KNOWN) is None


FILE = {
    "start": ["Date", "Interval"],
    "contacts": "Calls Offered",
    "channel": "=chat",
    "dates": "month-first",
}


def test_a_file_means_what_the_same_pairs_mean_inline() -> None:
    inline = parse_map(["start=Date+Interval,contacts=Calls Offered,channel:=chat,dates:=month-first"], KNOWN)
    assert parse_map([FILE], KNOWN) == inline
    other = parse_map(["channel==email", FILE, "start=When"], KNOWN)
    assert other is not None
    assert (other.constants, other.columns["start"]) == ({"channel": "email"}, ("When",))


def test_a_map_says_whether_days_or_months_come_first() -> None:
    text = "when,queue,offered\n05/01/2026 09:00,q,1\n"
    for dates, start in (("day-first", "2026-01-05T09:00:00"), ("month-first", "2026-05-01T09:00:00")):
        assert read(text, f"start=when,minutes:=30,dates:={dates}")[0].text("start") == start


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ({"sart": "When"}, "unknown field 'sart'; did you mean 'start'?"),
        ({"start": 3}, "start has no column; write start = "),
        ({"start": []}, "start has no column; write start = "),
        ({"outcomes": {"x": "won"}}, "outcomes: 'x': expected one of answered, "),
        ("dates:=us", "dates: expected day-first or month-first, got 'us'"),
        ("zone=Zone", "zone: expected the same for all rows; write zone:=Zone"),
    ],
)
def test_what_is_wrong_with_a_map_is_said(text: Any, error: str) -> None:
    with pytest.raises(ValueError, match=r"unknown|no column|expected") as caught:
        parse_map([text], KNOWN)
    assert str(caught.value).startswith(error)
