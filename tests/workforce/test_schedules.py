"""Schedules: moments are those on the wall of the zone, and what is wrong imports nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stream_app.errors import InputError
from stream_app.workforce.schedules import ACTIVITIES, Shift, by_queue, coverage, pieces, read

HEAD = "who,group,people,start,end,tz,activity,queue,channel"
ANNA = "anna,,,2026-01-05T09:00,2026-01-05T12:00,Europe/Berlin,contacts,billing,voice"
TEAM = ",day,4,2026-01-05T09:00:00+01:00,2026-01-05T17:00:00+01:00,,contacts,billing,voice"
NINE = datetime(2026, 1, 5, 8, tzinfo=UTC)


def csv(*lines: str) -> bytes:
    return "\n".join([HEAD, *lines, ""]).encode()


def test_people_and_groups() -> None:
    assert read("s.csv", csv(ANNA, TEAM)) == [
        Shift("billing", "voice", NINE.timestamp(), NINE.timestamp() + 3 * 3600, 1),
        Shift("billing", "voice", NINE.timestamp(), NINE.timestamp() + 8 * 3600, 4),
    ]


def test_json_says_the_same() -> None:
    json = b"""[{"who": "anna", "start": "2026-01-05T09:00", "end": "2026-01-05T12:00", "tz": "Europe/Berlin",
      "activity": "contacts", "queue": "billing"},
     {"group": "day", "people": 4, "start": "2026-01-05T09:00:00+01:00", "end": "2026-01-05T17:00:00+01:00",
      "activity": "contacts", "queue": "billing", "channel": "voice"}]"""
    assert read("s.json", json) == read("s.csv", csv(ANNA, TEAM))


@pytest.mark.parametrize("activity", sorted(ACTIVITIES - {"contacts"}))
def test_only_contacts_are_people_for_a_queue(activity: str) -> None:
    assert read("s.csv", csv(ANNA.replace("contacts", activity))) == []


def test_one_person_may_go_from_one_thing_to_the_next() -> None:
    rest = "anna,,,2026-01-05T12:00,2026-01-05T12:30,Europe/Berlin,meal,,"
    after = "anna,,,2026-01-05T12:30,2026-01-05T17:00,Europe/Berlin,contacts,sales,chat"
    assert [s.queue for s in read("s.csv", csv(after, ANNA, rest))] == ["sales", "billing"]


@pytest.mark.parametrize("away", ["meal", "training", "leave"])
def test_what_a_person_does_within_a_shift_cuts_it(away: str) -> None:
    """Workforce management exports a whole shift, and the meal within it, in any order."""
    shift = "anna,,,2026-01-05T08:00,2026-01-05T16:00,Europe/Berlin,contacts,billing,voice"
    meal = f"anna,,,2026-01-05T12:00,2026-01-05T12:30,Europe/Berlin,{away},,"
    late = f"anna,,,2026-01-05T15:30,2026-01-05T17:00,Europe/Berlin,{away},,"
    other = meal.replace("anna", "ben")
    for rows in ((shift, meal, late, other), (late, other, meal, shift)):
        parts = read("s.csv", csv(*rows))
        hours = [
            (datetime.fromtimestamp(p.start, UTC).hour, datetime.fromtimestamp(p.end, UTC).hour)
            for p in sorted(parts, key=lambda p: p.start)
        ]
        assert hours == [(7, 11), (11, 14)]  # UTC
        assert sum(p.end - p.start for p in parts) == 7 * 3600
    whole = meal.replace("T12:00", "T07:00").replace("T12:30", "T18:00")
    assert read("s.csv", csv(shift, whole)) == []


def test_a_schedule_covers_whole_local_days() -> None:
    shift = Shift("q", "voice", NINE.timestamp(), NINE.timestamp() + 86400, 1)
    begin, end = coverage([shift], ZoneInfo("Europe/Berlin"))["q", "voice"]
    assert (end - begin) / 3600 == 48
    assert datetime.fromtimestamp(begin, UTC).hour == 23


def test_groups_add_up() -> None:
    shifts = read("s.csv", csv(TEAM, TEAM.replace("day,4", "more,2")))
    assert pieces(shifts, NINE, NINE + timedelta(minutes=30)) == [(1.0, 6)]


def test_an_interval_in_which_people_come_and_go() -> None:
    shifts = [
        Shift("q", "voice", NINE.timestamp() - 3600, NINE.timestamp() + 600, 3),
        Shift("q", "voice", NINE.timestamp() + 1200, NINE.timestamp() + 9000, 2),
        Shift("q", "voice", NINE.timestamp() + 1800, NINE.timestamp() + 9000, 9),
    ]
    found = pieces(shifts, NINE, NINE + timedelta(minutes=30))
    assert [(round(share, 6), people) for share, people in found] == [
        (0.333333, 3),
        (0.333333, 0),
        (0.333333, 2),
    ]
    assert pieces([], NINE, NINE + timedelta(minutes=30)) == [(1.0, 0)]
    assert by_queue(shifts) == {("q", "voice"): shifts}


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-03-28T22:00", "2026-03-29T06:00", 7),
        ("2026-10-24T22:00", "2026-10-25T06:00", 9),
        ("2026-03-29T00:00", "2026-03-30T00:00", 23),
        ("2026-10-25T00:00", "2026-10-26T00:00", 25),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", 1),
    ],
)
def test_a_night_in_which_clocks_change_is_as_long_as_it_is(start: str, end: str, hours: int) -> None:
    row = ANNA.replace("2026-01-05T09:00", start).replace("2026-01-05T12:00", end)
    [shift] = read("s.csv", csv(row))
    assert shift.end - shift.start == hours * 3600


def test_a_zone_for_all_rows() -> None:
    bare = ANNA.replace("Europe/Berlin", "")
    assert read("s.csv", csv(bare), "Europe/Berlin") == read("s.csv", csv(ANNA))


def at(start: str, end: str = "2026-10-25T12:00") -> str:
    return ANNA.replace("2026-01-05T09:00", start).replace("2026-01-05T12:00", end)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (
            [TEAM, ANNA.replace("Berlin", "Berlln")],
            "s.csv:3: tz: unknown time zone 'Europe/Berlln'; use an IANA name like Europe/Berlin",
        ),
        (
            [ANNA.replace("Europe/Berlin", "../etc")],
            "s.csv:2: tz: unknown time zone '../etc'; use an IANA name like Europe/Berlin",
        ),
        (
            [ANNA.replace("Europe/Berlin", "")],
            (
                "s.csv:2: start: '2026-01-05T09:00' has no offset and there is no tz; write it like 2026-01-05T08:00:00+01:00, "
                "or use --tz"
            ),
        ),
        (
            [ANNA.replace("T12:00", "T09:00")],
            "s.csv:2: end: expected a time after start (2026-01-05T09:00), got 2026-01-05T09:00",
        ),
        (
            [ANNA.replace("T12:00", "T08:00")],
            "s.csv:2: end: expected a time after start (2026-01-05T09:00), got 2026-01-05T08:00",
        ),
        ([ANNA.replace("05T12:00", "08T12:00")], "s.csv:2: end: expected at most 48 hours in a row, got 75"),
        (
            [at("2026-03-29T02:30", "2026-03-29T12:00")],
            "s.csv:2: start: the clock skips 2026-03-29T02:30:00 in Europe/Berlin; write a time with its offset",
        ),
        (
            [at("2026-10-25T02:30")],
            "s.csv:2: start: 2026-10-25T02:30:00 occurs twice in Europe/Berlin; append +0200 or +0100 to it",
        ),
        (
            [ANNA, ANNA.replace("T09:00", "T11:00").replace("T12:00", "T13:00")],
            "s.csv:3: start: anna is already scheduled at that time in line 2",
        ),
        (
            [ANNA, TEAM, ANNA.replace("billing", "sales")],
            "s.csv:4: start: anna is already scheduled at that time in line 2",
        ),
        ([ANNA.replace("anna", "")], "s.csv:2: who: expected either who or group"),
        ([TEAM.replace(",day", "anna,day")], "s.csv:2: who: expected either who or group"),
        (
            [ANNA.replace("anna,,", "anna,,3")],
            "s.csv:2: people: expected 1 for a single person; use group for several",
        ),
        ([TEAM.replace("day,4", "day,0")], "s.csv:2: people: expected more than 0 people in a group"),
        (
            [TEAM.replace("day,4", "day,few")],
            "s.csv:2: people: expected a non-negative number like 12 or 12.5, got 'few'",
        ),
        (
            [ANNA.replace("contacts", "contact")],
            "s.csv:2: activity: unknown activity 'contact'; did you mean 'contacts'?",
        ),
        ([ANNA.replace("contacts,billing", "contacts,")], "s.csv:2: queue: is missing"),
        ([ANNA.replace("contacts", "")], "s.csv:2: activity: is missing"),
        (
            [ANNA.replace("2026-01-05T09:00", "nine")],
            "s.csv:2: start: expected a time like 2026-01-05T08:00:00+01:00, got 'nine'",
        ),
    ],
)
def test_what_is_wrong_is_one_line(rows: list[str], line: str) -> None:
    with pytest.raises(InputError) as wrong:
        read("s.csv", csv(*rows))
    assert str(wrong.value) == line
