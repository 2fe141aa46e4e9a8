"""Half hours, hours and days by the clock of a zone: nothing is lost, and each is as long as the clock says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import FIELDS, INTERVAL_MS, IntervalRow
from stream_app.views.intervals.spans import INTERVALS, Span, ZoneClock, derive, milliseconds, moment

from .kept import HOUR, busy, stretch

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/St_Johns",
    "America/New_York",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/Havana",
    "Pacific/Apia",
]
# Around the changes of clocks in 2026, and any day; Casablanca's are around Ramadan.
AROUND = [
    datetime(2026, month, day, tzinfo=UTC)
    for month, day in [
        (2, 15),
        (3, 8),
        (3, 22),
        (3, 29),
        (4, 5),
        (4, 24),
        (9, 27),
        (10, 4),
        (10, 25),
        (10, 29),
        (11, 1),
    ]
]
moments = st.builds(
    lambda around, quarters: milliseconds(around) + quarters * INTERVAL_MS,
    st.sampled_from(AROUND),
    st.integers(-200, 200),
)
clocks = st.builds(
    lambda name, zone: ZoneClock(name, ZoneInfo(zone)),
    st.sampled_from(list(INTERVALS)),
    st.sampled_from(ZONES),
)


@given(clocks, moments, st.integers(1, 300))
def test_intervals_are_what_their_quarters_have_in_common_on_the_clock(
    clock: ZoneClock, start: int, quarters: int
) -> None:
    """Against the definition, quarter by quarter: the same floor of the clock and, but for days, the same offset."""
    end = start + quarters * INTERVAL_MS
    size = INTERVALS[clock.interval]

    def name(at: int) -> object:
        shown = moment(at, clock.zone)
        if size == 1440:
            return shown.date()
        if size == 15:
            return at
        minutes = shown.hour * 60 + shown.minute
        return shown.date(), minutes - minutes % size, shown.utcoffset()

    expected, at = [], start
    while name(at - INTERVAL_MS) == name(at):
        at += INTERVAL_MS
    while at < end:
        until = at + INTERVAL_MS
        while name(until) == name(at):
            until += INTERVAL_MS
        expected.append(Span(at, until))
        at = until
    assert list(clock.spans(start, end)) == expected


@given(clocks, moments, st.integers(1, 300), st.sets(st.integers(0, 300)))
def test_any_interval_of_any_zone_sums_to_the_same_totals(
    clock: ZoneClock, start: int, quarters: int, missing: set[int]
) -> None:
    spans = list(clock.spans(start, start + quarters * INTERVAL_MS))
    if not spans:
        return
    every = range(spans[0].start, spans[-1].end, INTERVAL_MS)
    rows = [
        busy(at, queue, "voice")
        for queue in ("billing", "sales")
        for n, at in enumerate(every)
        if n not in missing
    ]
    made = list(derive(rows, spans))
    for queue in ("billing", "sales"):
        mine, theirs = ([r for r in of if r.queue == queue] for of in ([row for _, row in made], rows))
        assert total(mine) == total(theirs)
        assert sum(row.missing for row in mine) <= len(missing)
        assert all(a.end <= b.start for a, b in pairwise(mine))
        assert sum(row.waiting for row in mine) == sum(row.waiting for row in theirs)
    by_span = {(row.queue, span) for span, row in made}
    for span in spans:
        known = any(span.start <= row.start < span.end for row in rows)
        assert (("billing", span) in by_span) == known, "a missing row is no row of zeros"
    for span, row in made:
        assert (row.start, row.minutes, row.end) == (span.start, span.minutes, span.end)
        assert row.missing == span.minutes // 15 - sum(
            span.start <= r.start < span.end for r in rows if r.queue == row.queue
        )


def total(rows: list[IntervalRow]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows:
        for name, n in ((name, getattr(row, name)) for name in FIELDS):
            sums[name] = max(sums.get(name, 0), n) if name == "longest_wait_ms" else sums.get(name, 0) + n
    return sums


def test_a_longer_row_is_final_when_all_of_it_is_and_has_the_latest_revision() -> None:
    start = local("UTC", 2026, 1, 5)
    quarters = stretch(start, start + HOUR)
    (span,) = spans = list(ZoneClock("1h", ZoneInfo("UTC")).spans(start, start + 1))
    quarters[1] = structs.replace(quarters[1], version=4, revision=start + 99 * HOUR)

    def hour(rows: list[IntervalRow]) -> IntervalRow:
        ((found, row),) = derive(rows, spans)
        assert found == span
        return row

    whole = hour(quarters)
    assert (whole.final, whole.revision, whole.version, whole.missing) == (True, start + 99 * HOUR, 4, 0)
    assert whole.backlog_start == quarters[0].backlog_start
    assert whole.backlog_max == max(row.backlog_max or 0 for row in quarters)
    assert whole.longest_wait_ms == max(row.longest_wait_ms for row in quarters)
    assert not hour([*quarters[:3], structs.replace(quarters[3], final=False)]).final
    late = hour(quarters[1:])
    assert (late.final, late.missing, late.backlog_start) == (False, 1, None)


def test_what_is_yet_to_come_is_not_missing_and_the_row_not_final() -> None:
    start = local("UTC", 2026, 1, 5)
    quarters = stretch(start, start + HOUR)[1:3]
    spans = list(ZoneClock("1h", ZoneInfo("UTC")).spans(start, start + 1))

    def hour(now: int) -> tuple[int, bool]:
        ((_, row),) = derive(quarters, spans, now)
        return row.missing, row.final

    assert hour(start + 3 * INTERVAL_MS) == (1, False)
    assert hour(start + 3 * INTERVAL_MS + 1) == (2, False)
    assert hour(start + 9 * INTERVAL_MS) == (2, False)
    assert hour(start + 2 * INTERVAL_MS) == (1, False), "a row of a clock that is ahead hides no other"
    quarters = stretch(start, start + HOUR)[:3]
    assert hour(start + 3 * INTERVAL_MS) == (0, False)
    quarters = stretch(start, start + HOUR)
    assert hour(start + 3 * INTERVAL_MS) == hour(start + 9 * INTERVAL_MS) == (0, True)


def local(zone: str, *parts: int) -> int:
    return milliseconds(datetime(*parts, tzinfo=ZoneInfo(zone)))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("zone", "day", "minutes"),
    [
        ("Europe/Berlin", (2026, 3, 29), 1380),
        ("Europe/Berlin", (2026, 10, 25), 1500),
        ("Europe/Berlin", (2026, 7, 1), 1440),
        ("America/New_York", (2026, 3, 8), 1380),
        ("America/New_York", (2026, 11, 1), 1500),
        ("America/St_Johns", (2026, 3, 8), 1380),
        ("Australia/Lord_Howe", (2026, 4, 5), 1470),
        ("Australia/Lord_Howe", (2026, 10, 4), 1410),
        ("Pacific/Chatham", (2026, 4, 5), 1500),
        ("Africa/Casablanca", (2026, 2, 15), 1500),
        ("Asia/Kathmandu", (2026, 3, 29), 1440),
        ("Africa/Cairo", (2026, 4, 24), 1380),
    ],
)
def test_a_day_is_as_long_as_the_clock_says(zone: str, day: tuple[int, int, int], minutes: int) -> None:
    clock = ZoneClock("1d", ZoneInfo(zone))
    first = clock.first_of(date(*day))
    (span,) = clock.spans(first, first + HOUR)
    assert span.minutes == minutes
    assert moment(span.start, clock.zone).date() == date(*day)
    assert moment(span.start - 1, clock.zone).date() == moment(span.end, clock.zone).date() - timedelta(2)


def test_the_doubled_hour_is_two_rows_told_apart_by_their_offset() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = local("Europe/Berlin", 2026, 10, 25, 1)
    shown = [moment(s.start, zone).isoformat() for s in ZoneClock("1h", zone).spans(start, start + 4 * HOUR)]
    assert shown == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_where_clocks_change_by_half_an_hour_there_are_hours_of_thirty_minutes() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    start = local(zone.key, 2026, 4, 5, 0)
    spans = list(ZoneClock("1h", zone).spans(start, start + 4 * HOUR))
    assert [(moment(s.start, zone).isoformat(), s.minutes) for s in spans] == [
        ("2026-04-05T00:00:00+11:00", 60),
        ("2026-04-05T01:00:00+11:00", 60),
        ("2026-04-05T01:30:00+10:30", 30),
        ("2026-04-05T02:00:00+10:30", 60),
        ("2026-04-05T03:00:00+10:30", 60),
    ]


@pytest.mark.parametrize(
    ("zone", "minute"), [("Asia/Kolkata", 30), ("Asia/Kathmandu", 15), ("Pacific/Chatham", 15)]
)
def test_hours_begin_by_the_clock_where_offsets_are_half_or_three_quarters_of_an_hour(
    zone: str, minute: int
) -> None:
    start = local("UTC", 2026, 7, 1)
    spans = list(ZoneClock("1h", ZoneInfo(zone)).spans(start, start + 3 * HOUR))
    assert [s.start for s in spans] == [start + minute * 60_000 + n * HOUR for n in range(3)]
    assert {s.minutes for s in spans} == {60}


def test_only_intervals_that_begin_in_the_range_and_all_of_these_whole() -> None:
    clock = ZoneClock("1h", ZoneInfo("UTC"))
    start = local("UTC", 2026, 1, 5)
    assert list(clock.spans(start + 1, start + HOUR + 1)) == [Span(start + HOUR, start + 2 * HOUR)]
    assert list(clock.spans(start, start + 1)) == [Span(start, start + HOUR)]
    assert list(clock.spans(start + INTERVAL_MS, start + HOUR)) == []


def test_a_long_range_is_quick_because_most_intervals_are_found_without_their_quarters() -> None:
    clock = ZoneClock("1d", ZoneInfo("Europe/Berlin"))
    start = local("Europe/Berlin", 2015, 1, 1)
    spans = list(clock.spans(start, start + 4000 * DAY))
    assert len(spans) == 4000
    assert {s.minutes for s in spans} == {1380, 1440, 1500}
