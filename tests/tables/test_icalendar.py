"""Shifts in iCalendar: the same as in CSV, and what can't be read is refused with its line."""

from datetime import UTC, datetime

import pytest

from stream_app.errors import InputError
from stream_app.tables.mapping import parse_map
from stream_app.workforce.schedules import KNOWN, read

EVENTS = """\
BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VTIMEZONE\r
TZID:Europe/Berlin\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
UID:1\r
DTSTART;TZID=Europe/Berlin:20260105T090000\r
DTEND;TZID=Europe/Berlin:20260105T170000\r
ATTENDEE;CN="Ber\r
 g, Anna":mailto:anna@example.org\r
SUMMARY:Phones\\, morning\r
X-QUEUE:billing\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
DTSTART:20260105T110000Z\r
DTEND:20260105T113000Z\r
ATTENDEE;CN="Berg, Anna":mailto:anna@example.org\r
X-ACTIVITY:meal\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3\r
STATUS:CANCELLED\r
DTSTART:20260105T080000Z\r
DTEND:20260105T090000Z\r
CATEGORIES:billing\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:4\r
DTSTART:20260105T090000\r
DTEND:20260105T100000\r
SUMMARY:Letters\r
CATEGORIES:billing\r
X-CHANNEL:email\r
END:VEVENT\r
END:VCALENDAR\r
"""
CSV = """\
who,group,start,end,activity,queue,channel
anna,,2026-01-05T09:00,2026-01-05T17:00,contacts,billing,voice
anna,,2026-01-05T12:00,2026-01-05T12:30,meal,,
,letters,2026-01-05T09:00,2026-01-05T10:00,contacts,billing,email
"""


def test_events_are_the_shifts_that_csv_has() -> None:
    found = read("s.ics", EVENTS.encode(), "Europe/Berlin")
    assert found == read("s.csv", CSV.encode(), "Europe/Berlin")
    assert len(found) == 3  # the meal cuts the first in two
    assert read("s.ics", EVENTS.replace("\r", "").encode(), "Europe/Berlin") == found


def test_another_property_can_be_the_queue() -> None:
    mapping = parse_map(["queue=SUMMARY"], KNOWN)
    one = EVENTS[: EVENTS.index("BEGIN:VEVENT\r\nUID:2")] + "END:VCALENDAR\r\n"
    [shift] = read("s.ics", one.encode(), None, mapping)
    assert shift.queue == "Phones, morning"
    assert datetime.fromtimestamp(shift.start, UTC) == datetime(2026, 1, 5, 8, tzinfo=UTC)  # of its own TZID


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("UID:1", "RRULE:FREQ=DAILY", "s.ics:7: RRULE: events that repeat are not read; export each of them"),
        (
            "DTSTART:20260105T110000Z",
            "DTSTART;VALUE=DATE:20260105",
            "s.ics:17: DTSTART: expected a time like",
        ),
        ("DTEND:20260105T113000Z", "DURATION:PT30M", "s.ics:15: DTEND: this event has none"),
        ("UID:4", "nonsense", "s.ics:30: expected NAME:VALUE as in iCalendar, got 'nonsense'"),
        ("X-QUEUE:billing", "X-TEAM:billing", "s.ics:6: queue: is missing"),
        ("T170000", "T080000", "s.ics:6: end: expected a time after start"),
        ("X-ACTIVITY:meal", "X-ACTIVITY:lunch", "s.ics:15: activity: unknown activity 'lunch'"),
    ],
)
def test_what_is_wrong_names_the_line(old: str, new: str, error: str) -> None:
    assert old in EVENTS
    with pytest.raises(InputError) as caught:
        read("s.ics", EVENTS.replace(old, new, 1).encode(), "Europe/Berlin")
    assert str(caught.value).startswith(error)
