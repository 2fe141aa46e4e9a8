"""Buckets and windows: half-open edges, and days by the clock on the wall."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, strategies as st

from stream_app.model.windows import KEPT, RESOLUTIONS, WINDOWS, midnight

HOUR = 3_600_000
ZONES = sorted(available_timezones())


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


moments = st.integers(ms("2005-01-01T00:00:00Z"), ms("2035-01-01T00:00:00Z"))


@pytest.mark.parametrize("name", [name for name, window in WINDOWS.items() if window.span])
@given(now=moments)
def test_a_window_is_its_span_of_whole_buckets_with_the_running_one(name: str, now: int) -> None:
    window = WINDOWS[name]
    start = window.start(now, "UTC")
    assert window.span is not None
    assert start % window.resolution == 0
    assert start + window.span - window.resolution <= now < start + window.span


@pytest.mark.parametrize("name", [name for name, window in WINDOWS.items() if window.span])
def test_edges_are_half_open(name: str) -> None:
    window, edge = WINDOWS[name], ms("2025-06-01T12:00:00Z")
    before, at = window.start(edge - 1, "UTC"), window.start(edge, "UTC")
    assert at == before + window.resolution
    assert window.start(edge + window.resolution - 1, "UTC") == at


def test_what_a_window_needs_is_kept_long_enough() -> None:
    for window in WINDOWS.values():
        # A day of 25 hours, and a reader whose clock is a little behind.
        assert (window.span or 25 * HOUR) + window.resolution <= KEPT[window.resolution]
    for fine, coarse in itertools.pairwise(RESOLUTIONS):
        assert coarse % fine == 0


@given(moments, st.sampled_from(ZONES))
def test_midnight_is_the_first_moment_of_the_local_day(now: int, zone: str) -> None:
    start = midnight(now, zone)
    assert start <= now
    tz = ZoneInfo(zone)
    local = [datetime.fromtimestamp(t / 1000, tz).date() for t in (start - 1, start, now)]
    assert local[1] == local[2]
    assert local[0] < local[1]
    assert start % 900_000 == 0, "a day starts with a 15-minute bucket"


@pytest.mark.parametrize(
    ("zone", "noon", "hours"),
    [
        ("Europe/Berlin", "2025-03-30T12:00:00+02:00", 23),
        ("Europe/Berlin", "2025-10-26T12:00:00+01:00", 25),
        ("America/New_York", "2025-03-09T12:00:00-04:00", 23),
        ("America/New_York", "2025-11-02T12:00:00-05:00", 25),
        ("Australia/Lord_Howe", "2025-04-06T12:00:00+10:30", 24.5),
        ("Asia/Kathmandu", "2025-06-01T12:00:00+05:45", 24),
        ("Pacific/Chatham", "2025-09-28T12:00:00+13:45", 23),
        ("UTC", "2025-06-01T12:00:00Z", 24),
    ],
)
def test_days_of_every_length(zone: str, noon: str, hours: float) -> None:
    now = ms(noon)
    assert midnight(now + 24 * HOUR, zone) - midnight(now, zone) == hours * HOUR


@pytest.mark.parametrize(
    ("zone", "now", "first"),
    [
        ("America/Sao_Paulo", "2018-11-04T12:00:00-02:00", "2018-11-04T01:00:00-02:00"),
        ("Asia/Beirut", "2024-03-31T12:00:00+03:00", "2024-03-31T01:00:00+03:00"),
        ("America/Santiago", "2025-09-07T12:00:00-03:00", "2025-09-07T01:00:00-03:00"),
        # Midnight twice: the clock goes back to it, and the day starts with the first.
        ("America/Havana", "2025-11-02T12:00:00-05:00", "2025-11-02T00:00:00-04:00"),
    ],
)
def test_where_midnight_is_skipped_or_comes_twice(zone: str, now: str, first: str) -> None:
    assert midnight(ms(now), zone) == ms(first)


def test_the_day_that_samoa_skipped() -> None:
    before = datetime(2011, 12, 29, 12, tzinfo=ZoneInfo("Pacific/Apia")).astimezone(UTC)
    after = before + timedelta(hours=24)
    starts = [midnight(int(t.timestamp() * 1000), "Pacific/Apia") for t in (before, after)]
    assert starts[1] - starts[0] == 24 * HOUR
