"""Local days and what was marked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stream_app.errors import BadSettingsError
from stream_app.forecast.calendar import CLOSED, LEFT_OUT, MarkedSpan, SpecialDays, parse_days, parse_spans

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "day", "intervals"),
    [
        ("Europe/Berlin", date(2025, 3, 29), 96),
        ("Europe/Berlin", date(2025, 3, 30), 92),
        ("Europe/Berlin", date(2025, 10, 26), 100),
        ("Australia/Lord_Howe", date(2025, 4, 6), 98),
        ("Asia/Kathmandu", date(2025, 4, 6), 96),
        ("America/Santiago", date(2025, 9, 7), 92),  # midnight itself does not happen
    ],
)
def test_a_day_has_the_intervals_that_happen(zone: str, day: date, intervals: int) -> None:
    calendar = SpecialDays(ZoneInfo(zone))
    found = list(calendar.intervals(day, 15))
    assert len(found) == intervals
    assert all(calendar.place(start, 15) == (day, slot) for start, slot in found)
    assert next(calendar.intervals(day + timedelta(days=1), 15))[0] == found[-1][0] + timedelta(minutes=15)


def test_dates_are_left_out_or_like_another_day_or_closed() -> None:
    text = "2026-12-25, 2026-12-26=sunday # Boxing Day\n\n# no one works\n2027-01-01 = Closed\n"
    kinds = parse_days(text, "holidays.txt")
    assert kinds == {date(2026, 12, 25): LEFT_OUT, date(2026, 12, 26): 6, date(2027, 1, 1): CLOSED}
    calendar = SpecialDays(kinds=kinds)
    assert [calendar.kind(date(2026, 12, day)) for day in (24, 25, 26)] == [3, LEFT_OUT, 6]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("25.12.2026", "days:1: expected a date like 2026-12-25 or 2026-12-25=sunday, got '25.12.2026'"),
        (
            "2026-12-25\n2026-02-30",
            "days:2: expected a date like 2026-12-25 or 2026-12-25=sunday, got '2026-02-30'",
        ),
        ("2026-12-25=holiday", "days:1: expected a weekday (monday, …) or closed, got 'holiday'"),
        ("2026-12-25=", "days:1: expected a weekday (monday, …) or closed, got ''"),
        ("2026-12-25,2026-12-25=sunday", "days:1: 2026-12-25 is listed twice"),
    ],
)
def test_dates_that_are_none(text: str, said: str) -> None:
    with pytest.raises(BadSettingsError) as caught:
        parse_days(text, "days")
    assert str(caught.value).startswith(said)


def test_spans_of_days_and_of_times() -> None:
    texts = ("2026-03-28..2026-03-29", "2026-03-02", "2026-03-02T08:00+01:00..2026-03-02T09:30:00Z")
    assert parse_spans(texts, BERLIN, "--leave-out") == (
        MarkedSpan(datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        MarkedSpan(datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 2, 23, tzinfo=UTC)),
        MarkedSpan(datetime(2026, 3, 2, 7, tzinfo=UTC), datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
    )
    calendar = SpecialDays(spans=parse_spans(texts[2:], BERLIN, "--leave-out"))
    inside = [
        calendar.is_left_out(datetime(2026, 3, 2, *at, tzinfo=UTC))
        for at in ((6, 45), (7, 0), (9, 15), (9, 30))
    ]
    assert inside == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "yesterday",
            "--leave-out: expected DATE..DATE like 2026-03-02..2026-03-04, or TIME..TIME with offsets, got 'yesterday'",
        ),
        (
            "2026-03-02T08:00..2026-03-02T09:00",
            "or TIME..TIME with offsets, got '2026-03-02T08:00..2026-03-02T09:00'",
        ),
        ("2026-03-04..2026-03-02", "--leave-out: '2026-03-04..2026-03-02' must end after it begins"),
        ("..2026-03-02", "expected DATE..DATE"),
    ],
)
def test_spans_that_are_none(text: str, said: str) -> None:
    with pytest.raises(BadSettingsError) as caught:
        parse_spans([text], BERLIN, "--leave-out")
    assert said in str(caught.value)
