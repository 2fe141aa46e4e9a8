"""Interval rows from CSV and JSON: both read the same, and what is wrong is one line with file, line and field."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from stream_app.errors import InputError
from stream_app.workforce.volumes import Volume, handle_times, read

HEAD = "start,minutes,queue,channel,offered,handled,talk_s,hold_s,wrap_s,patience_s"
NINE = "2026-01-05T09:00:00+01:00,30,billing,voice,100,98,14700,980,1960,120"
HALF = "2026-01-05T09:30:00+01:00,30,billing,voice,130,120,18000,1200,2400,"


def csv(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines, ""]).encode()


def test_a_row() -> None:
    [row] = read("v.csv", csv(NINE))
    assert row.start == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert row.start.utcoffset() == timedelta(hours=1)
    assert (row.minutes, row.queue, row.channel, row.offered, row.handled) == (
        30,
        "billing",
        "voice",
        100,
        98,
    )
    assert (row.handle_s, row.patience_s) == (180, 120)


def test_csv_and_json_say_the_same() -> None:
    json = b"""[
      {"start": "2026-01-05T09:30:00+01:00", "minutes": 30, "queue": "billing", "channel": "voice", "offered": 130,
       "handled": 120, "talk_s": 18000, "hold_s": 1200, "wrap_s": 2400, "patience_s": null, "answered": 122},
      {"start": "2026-01-05T09:00:00+01:00", "minutes": 30, "queue": "billing", "channel": "voice", "offered": 100,
       "handled": 98, "talk_s": 14700, "hold_s": 980, "wrap_s": 1960, "patience_s": 120}
    ]"""
    rows = read("v.csv", csv(NINE, HALF))
    assert read("v.json", json) == rows
    assert read("v.json", b'{"policy": "x", "intervals": ' + json + b"}") == rows
    assert read("v.json", b'{"at": "x", "rows": ' + json + b', "next": null, "revision": 7}') == rows
    lines = b"\n".join(msgspec.json.encode(row) for row in msgspec.json.decode(json))
    assert read("v.ndjson", lines) == rows


@pytest.mark.parametrize(
    "change", [(",", ";"), (",", "\t"), ("\n", "\r\n"), ("start", "\ufeffstart"), ("\n", "\n\n")]
)
def test_the_ways_in_which_tables_are_written(change: tuple[str, str]) -> None:
    text = csv(NINE, HALF).decode()
    changed = text.replace(*change, 1) if change[0] == "start" else text.replace(*change)
    assert read("v.csv", changed.encode()) == read("v.csv", text.encode())


def test_columns_that_mean_nothing_here_are_passed_over() -> None:
    content = (
        csv(NINE)
        .replace(b"patience_s", b"patience_s,answered,final,asa_s,wait")
        .replace(b",120\n", b",120,97,true,,9\n")
    )
    assert read("v.csv", content) == read("v.csv", csv(NINE))


def test_what_was_not_handled_has_no_handle_time_but_its_queue_has() -> None:
    quiet = HALF.replace("120,18000,1200,2400", "0,0,0,0")
    rows = read("v.csv", csv(NINE, quiet))
    assert [row.handle_s for row in rows] == [180, None]
    assert handle_times(rows) == {("billing", "voice"): 180}
    assert handle_times(rows[1:]) == {}


@pytest.mark.parametrize(
    ("zone", "day", "hours"), [("Europe/Berlin", (2026, 3, 29), 23), ("Europe/Berlin", (2026, 10, 25), 25)]
)
def test_a_day_on_which_clocks_change_has_all_of_its_intervals(
    zone: str, day: tuple[int, int, int], hours: int
) -> None:
    tz = ZoneInfo(zone)
    begin = datetime(*day, tzinfo=tz)
    end = (begin + timedelta(days=1)).astimezone(UTC)
    starts = []
    at = begin.astimezone(UTC)
    while at < end:
        starts.append(at.astimezone(tz).isoformat())
        at += timedelta(minutes=15)
    rows = read("v.csv", csv(*(f"{start},15,q,voice,4,4,720,0,0," for start in starts)))
    assert len(rows) == 4 * hours
    assert rows[-1].end - rows[0].start == timedelta(hours=hours)
    [whole] = read("v.csv", csv(f"{begin.isoformat()},{60 * hours},q,voice,4,4,720,0,0,"))
    assert whole.end == end


def test_the_end_in_a_zone_is_that_much_later_and_not_that_much_on_the_wall() -> None:
    begin = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    end = Volume(begin, 60, "q", "voice", 1, 1, 60, 0, 0).end
    assert end.timestamp() - begin.timestamp() == 3600
    assert end.isoformat() == "2026-10-25T02:30:00+01:00"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "v.csv:1: the file is empty"),
        (b"\n\n", "v.csv:1: the file is empty"),
        (HEAD.encode(), "v.csv:1: the file has no rows"),
        (b"[]", "v.csv:1: the file has no rows"),
        (csv(NINE)[:60] + b"\xff" + csv(NINE)[60:], "v.csv:1: expected UTF-8 text"),
        (csv(NINE, NINE + ",1"), "v.csv:3: expected 10 cells, got 11"),
        (
            csv(NINE).replace(b"offered", b"ofered"),
            "v.csv:1: offered: the column is missing; is it 'ofered'? (--map 'offered=ofered')",
        ),
        (csv(NINE).replace(b"hold_s", b"talk_s"), "v.csv:1: talk_s: two columns have this name"),
        (
            csv(NINE).replace(b"patience_s", b"patience_sec"),
            "v.csv:2: patience_sec: unknown field; did you mean 'patience_s'?",
        ),
        (csv(NINE, HALF.replace("130", "")), "v.csv:3: offered: is missing"),
        (
            csv(HALF.replace("130", "many")),
            "v.csv:2: offered: expected a non-negative number like 12 or 12.5, got 'many'",
        ),
        (
            csv(HALF.replace("130", "-1")),
            "v.csv:2: offered: expected a non-negative number like 12 or 12.5, got '-1'",
        ),
        (
            csv(HALF.replace("130", "nan")),
            "v.csv:2: offered: expected a non-negative number like 12 or 12.5, got 'nan'",
        ),
        (
            csv(HALF.replace("130", "1_0")),
            "v.csv:2: offered: expected a non-negative number like 12 or 12.5, got '1_0'",
        ),
        (
            csv(HALF.replace(",30,", ",0,")),
            "v.csv:2: minutes: expected more than 0 and at most 1500 (a day of 25 hours), got 0",
        ),
        (
            csv(HALF.replace(",30,", ",1501,")),
            "v.csv:2: minutes: expected more than 0 and at most 1500 (a day of 25 hours), got 1501",
        ),
        (
            csv(HALF.replace("+01:00", "")),
            (
                "v.csv:2: start: '2026-01-05T09:30:00' has no offset and there is no tz; "
                "write it like 2026-01-05T08:00:00+01:00, or use --tz"
            ),
        ),
        (
            csv(HALF.replace("2026-01-05", "05.01.26")),
            "v.csv:2: start: expected a time like 2026-01-05T08:00:00+01:00, got '05.01.26T09:30:00+01:00'",
        ),
        (csv(NINE, HALF, NINE), "v.csv:4: start: overlaps line 2 of the same queue and channel"),
        (
            csv(NINE, HALF.replace("09:30", "09:15")),
            "v.csv:3: start: overlaps line 2 of the same queue and channel",
        ),
        (
            csv(HALF.replace("130", "13e9")),
            "v.csv:2: offered: expected a load of at most 1e+06 people busy at once, got 1.3e+09",
        ),
        (csv(HALF.replace("130,120", "130,0")), "v.csv:2: handled: is 0, but there is handle time"),
        (csv(NINE.replace("billing", '"billing')), "v.csv:2: unexpected end of data"),
        (b'[\n{"start": 5}\n]', "v.csv:2: minutes: is missing"),
        (b'[\n{"minutes": 30,\n "start": 5}\n]', "v.csv:2: start: expected a text, got 5"),
        (
            b'[\n\n{"minutes": true}\n]',
            "v.csv:3: minutes: expected a non-negative number like 12 or 12.5, got True",
        ),
        (b"[\n 3]", "v.csv:2: expected an object for each row, got 3"),
        (b'{"a": [], "b": []}', "v.csv:1: expected an object with one list of rows, got one with 2"),
        (
            b'{"rows": [], "next": "/v1/intervals?cursor=x"}',
            "v.csv:1: next: this is one of several pages; put all rows into one file",
        ),
        (b'{"start": 5}\n{"start"', "v.csv:2: expected a JSON object: Input data was truncated"),
        (b'[{"a": 1}', "v.csv:1: expected a JSON list of rows: Input data was truncated"),
    ],
)
def test_what_is_wrong_is_one_line(content: bytes, line: str) -> None:
    with pytest.raises(InputError) as wrong:
        read("v.csv", content)
    assert str(wrong.value) == line
