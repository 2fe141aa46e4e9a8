"""What a forecast contains, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest

from stream_app.errors import BadSettingsError
from stream_app.forecast.ahead import TooLittleError, forecast
from stream_app.forecast.calendar import CLOSED, LEFT_OUT, MarkedSpan, SpecialDays
from stream_app.forecast.grid import build
from stream_app.forecast.history import HistoryRow
from stream_app.forecast.points import Point
from tests.forecast.world import KEY, MONDAY, World, before, moment

BERLIN = ZoneInfo("Europe/Berlin")


def of_day(points: list[Point], day: date) -> list[Point]:
    return [point for point in points if point.start.date() == day]


def total(points: list[Point]) -> float:
    return sum(point.offered or 0.0 for point in points)


def expected(world: World, day: date) -> float:
    n, slots = (day - world.first).days, 24 * 60 // world.minutes
    return sum(world.expected(n, slot * world.minutes / 60) for slot in range(slots))


def test_a_row_an_interval_for_every_week_that_was_asked_for() -> None:
    made = forecast(build(World(weeks=10).rows(), 30, SpecialDays()), KEY, 6)
    starts = [point.start for point in made.points]
    assert starts == [
        datetime(2025, 3, 17, tzinfo=UTC) + timedelta(minutes=30 * n) for n in range(6 * 7 * 48)
    ]
    assert [day.day for day in made.days] == [date(2025, 3, 17) + timedelta(days=n) for n in range(42)]
    assert made.today is None


def test_bounds_are_whole_ordered_and_never_negative() -> None:
    for world in (World(weeks=10), World(weeks=10, busy=0.2, night=0.05), World(weeks=10, noise=4)):
        for point in forecast(build(world.rows(), 30, SpecialDays()), KEY, 2).points:
            low_95, low_80, high_80, high_95 = point.low_95, point.low_80, point.high_80, point.high_95
            assert None not in {low_95, low_80, high_80, high_95, point.offered}
            assert 0 <= low_95 <= low_80 <= high_80 <= high_95  # type: ignore[operator]
            assert point.offered >= 0  # type: ignore[operator]
            assert point.offered <= high_95  # type: ignore[operator]


def test_the_same_rows_give_the_same_forecast() -> None:
    rows = World(lost=0.03).rows()
    first, second = (msgspec.json.encode(forecast(build(rows, 30, SpecialDays()), KEY, 2)) for _ in range(2))
    assert first == second


def test_closed_hours_are_zero_for_sure_and_nights_are_not() -> None:
    closed = World(weeks=10, opens=8, closes=20)
    points = forecast(build(closed.rows(), 30, SpecialDays()), KEY, 1).points
    for point in points:
        if not 8 <= point.start.hour < 20 or point.start.weekday() == 6:
            assert (point.offered, point.low_95, point.high_95) == (0.0, 0, 0)
        else:
            assert point.offered
            assert point.high_95
    night = World(weeks=10, busy=3.0, night=0.04, week=(1.0,) * 7)
    points = forecast(build(night.rows(), 30, SpecialDays()), KEY, 1).points
    assert all(point.offered and point.high_80 for point in points)


def test_times_that_were_never_recorded_are_not_forecast() -> None:
    rows = [row for row in World(weeks=10).rows() if 7 <= row.start.hour < 21 and row.start.weekday() < 5]
    points = forecast(build(rows, 30, SpecialDays()), KEY, 2).points
    assert len(points) == 2 * 5 * 28
    assert {(point.start.weekday() < 5, 7 <= point.start.hour < 21) for point in points} == {(True, True)}


@pytest.mark.parametrize("loss", ["days", "rows"])
def test_what_is_missing_is_not_zero(loss: str) -> None:
    whole = World(weeks=12, growth=0, restless=0).rows()
    if loss == "days":
        kept = [row for row in whole if row.start.date().toordinal() % 5]
    else:
        kept = [row for n, row in enumerate(whole) if n % 5]  # 336 rows a week: others every week
    full, part = (total(forecast(build(rows, 30, SpecialDays()), KEY, 1).points) for rows in (whole, kept))
    assert part == pytest.approx(full, rel=0.03)


def test_recent_weeks_weigh_more_after_a_shift() -> None:
    world = World(weeks=16, growth=0, shift=(7 * 14, 1.5))
    made = total(forecast(build(world.rows(), 30, SpecialDays()), KEY, 1).points)
    truth = sum(expected(world, MONDAY + timedelta(days=7 * 16 + n)) for n in range(7))
    assert made == pytest.approx(truth, rel=0.08)


# --- days that are not like others ---


HOLIDAY = date(2025, 3, 5)
AHEAD = date(2025, 3, 20)  # a Thursday


def with_kinds(kinds: Mapping[date, int], rows: list[HistoryRow]) -> list[Point]:
    return forecast(build(rows, 30, SpecialDays(kinds=kinds)), KEY, 1).points


def test_a_marked_day_teaches_nothing() -> None:
    quiet = World(weeks=10, quiet=((HOLIDAY, 0.0),)).rows()
    usual = World(weeks=10).rows()
    kinds = {HOLIDAY: LEFT_OUT}
    assert with_kinds(kinds, quiet) == with_kinds(
        kinds, [row for row in quiet if row.start.date() != HOLIDAY]
    )
    assert total(with_kinds(kinds, quiet)) == pytest.approx(total(with_kinds({}, usual)), rel=0.05)


def test_a_marked_day_to_come_is_no_data_or_another_weekday_or_closed() -> None:
    rows = World(weeks=10).rows()
    plain = with_kinds({}, rows)
    left_out = of_day(with_kinds({AHEAD: LEFT_OUT}, rows), AHEAD)
    assert {(p.offered, p.low_80, p.high_80, p.low_95, p.high_95, p.aht_s) for p in left_out} == {(None,) * 6}
    assert len(left_out) == 48
    saturday = of_day(plain, date(2025, 3, 22))
    assert total(of_day(with_kinds({AHEAD: 5}, rows), AHEAD)) == pytest.approx(total(saturday), rel=0.02)
    closed = of_day(with_kinds({AHEAD: CLOSED}, rows), AHEAD)
    assert {(point.offered, point.high_95) for point in closed} == {(0.0, 0)}
    others = [point for point in with_kinds({AHEAD: CLOSED}, rows) if point.start.date() != AHEAD]
    assert others == [point for point in plain if point.start.date() != AHEAD]


def test_a_holiday_that_was_like_a_sunday_is_learned_as_one() -> None:
    week = (1.2, 1, 1, 1, 1, 0.5, 0.2)
    quiet = World(weeks=10, week=week, quiet=((HOLIDAY, 0.2),)).rows()
    like = with_kinds({HOLIDAY: 6}, quiet)
    usual = with_kinds({}, World(weeks=10, week=week).rows())
    assert total(like) == pytest.approx(total(usual), rel=0.03)


def test_an_outage_that_was_marked_is_left_out() -> None:
    rows = World(weeks=10).rows()
    begin, end = datetime(2025, 3, 11, 9, tzinfo=UTC), datetime(2025, 3, 12, 16, tzinfo=UTC)
    dead = [msgspec.structs.replace(row, offered=0) if begin <= row.start < end else row for row in rows]
    calendar = SpecialDays(spans=(MarkedSpan(begin, end),))
    marked = forecast(build(dead, 30, calendar), KEY, 1).points
    assert marked == forecast(build(rows, 30, calendar), KEY, 1).points
    plain = total(forecast(build(rows, 30, SpecialDays()), KEY, 1).points)
    assert total(marked) == pytest.approx(plain, rel=0.04)
    assert total(forecast(build(dead, 30, SpecialDays()), KEY, 1).points) < plain


def test_an_outage_that_nobody_marked_does_not_rule_the_level() -> None:
    rows = World(weeks=10).rows()
    dead = [
        msgspec.structs.replace(row, offered=0) if row.start.date() == date(2025, 3, 13) else row
        for row in rows
    ]
    plain, unmarked = (
        total(forecast(build(given, 30, SpecialDays()), KEY, 2).points) for given in (rows, dead)
    )
    assert unmarked == pytest.approx(plain, rel=0.08)


# --- clocks that change ---


@pytest.mark.parametrize(("change", "hours"), [(date(2025, 3, 30), 23), (date(2025, 10, 26), 25)])
@pytest.mark.parametrize("side", ["learned", "ahead"])
def test_weeks_in_which_clocks_change(change: date, hours: int, side: str) -> None:
    """The queue opens at eight by the clock on either side, and no hour is lost or counted double."""
    weeks_before = 8 if side == "learned" else 10
    world = World(
        first=change - timedelta(days=6 + 7 * (weeks_before - 1)),
        weeks=12 if side == "ahead" else 11,
        zone=BERLIN,
        opens=8,
        closes=20,
        night=1.0,
        growth=0,
        restless=0,
        noise=1.0,
        week=(1.0,) * 7,
    )
    end = change + timedelta(days=1) + timedelta(weeks=2) if side == "learned" else change - timedelta(days=6)
    rows = before(world.rows(), moment(end, zone=BERLIN))
    points = forecast(build(rows, 30, SpecialDays(BERLIN)), KEY, 2).points
    assert points[0].start == datetime(end.year, end.month, end.day, tzinfo=BERLIN)
    assert all((point.offered == 0) == (not 8 <= point.start.hour < 20) for point in points)
    assert len(of_day(points, change)) == (2 * hours if side == "ahead" else 0)
    for day in {point.start.date() for point in points}:
        assert total(of_day(points, day)) == pytest.approx(expected(world, day), rel=0.06)
    utc = [point.start.astimezone(UTC) for point in points]
    assert [b - a for a, b in pairwise(utc)] == [timedelta(minutes=30)] * (len(utc) - 1)


def test_the_hour_that_comes_twice_is_expected_twice() -> None:
    change = date(2025, 10, 26)
    world = World(first=change - timedelta(days=6 + 7 * 9), weeks=9, zone=BERLIN, night=8.0, week=(1.0,) * 7)
    points = of_day(forecast(build(world.rows(), 30, SpecialDays(BERLIN)), KEY, 1).points, change)
    twice = [point for point in points if point.start.hour == 2]
    assert [point.start.utcoffset() for point in twice] == [timedelta(hours=2)] * 2 + [timedelta(hours=1)] * 2
    assert twice[0].offered == twice[2].offered
    assert twice[0].offered


# --- handle times ---


def test_handle_times_by_time_of_week_and_not_ruled_by_one_call() -> None:
    rows = World(weeks=10).rows()
    made = forecast(build(rows, 30, SpecialDays()), KEY, 1)
    known = [point.aht_s for point in made.points if point.offered and point.offered > 5 and point.aht_s]
    assert len(known) > 100
    assert all(aht == pytest.approx(300, rel=0.15) for aht in known)
    busy = max(range(len(rows)), key=lambda n: rows[n].offered)
    rows[busy] = msgspec.structs.replace(rows[busy], handle_s=4_000_000.0)
    again = forecast(build(rows, 30, SpecialDays()), KEY, 1)
    for one, other in zip(made.points, again.points, strict=True):
        assert other.aht_s == pytest.approx(one.aht_s, rel=0.05)


def test_without_times_there_is_no_handle_time() -> None:
    made = forecast(build(World(weeks=8, aht_s=None).rows(), 30, SpecialDays()), KEY, 1)
    assert {point.aht_s for point in made.points} == {None}
    assert {day.aht_s for day in made.days} == {None}


# --- refusals ---


def test_too_little_history_is_refused_with_what_is_needed_and_what_there_is() -> None:
    with pytest.raises(TooLittleError) as caught:
        forecast(build(World(weeks=5).rows(), 30, SpecialDays()), KEY, 1)
    assert str(caught.value) == (
        "billing voice: a forecast needs 6 weeks of rows, found 5 (2025-01-06 to 2025-02-09)"
    )
    forecast(build(World(weeks=6).rows(), 30, SpecialDays()), KEY, 6)


def test_whatever_is_there_is_forecast_or_refused() -> None:
    """Histories of every length, ended at every hour, with holes: numbers or a reason, nothing else."""
    rows = World(weeks=8, busy=1.0, opens=8, closes=20, lost=0.1).rows()
    refused = 0
    for n in range(len(rows) - 1, 0, -151):
        for begin in (0, 100):
            try:
                made = forecast(build(rows[begin:][:n], 30, SpecialDays()), KEY, 3)
            except TooLittleError:
                refused += 1
            else:
                assert made.points
    assert refused > 10


def test_weeks_that_are_left_out_do_not_count_as_history() -> None:
    out = dict.fromkeys((MONDAY + timedelta(days=n) for n in range(14)), LEFT_OUT)
    with pytest.raises(TooLittleError, match="needs 6 weeks of rows, found 5"):
        forecast(build(World(weeks=7).rows(), 30, SpecialDays(kinds=out)), KEY, 1)


def test_a_queue_that_nobody_called_is_refused() -> None:
    with pytest.raises(TooLittleError, match="no contact was offered"):
        forecast(build(World(weeks=8, busy=0).rows(), 30, SpecialDays()), KEY, 1)


def test_15_minute_intervals_make_half_hours_and_not_the_other_way() -> None:
    intervals = World(minutes=15, weeks=8).rows()
    grid = build(intervals[:-1], 30, SpecialDays())
    assert grid.offered[0, 20] == intervals[40].offered + intervals[41].offered
    assert str(grid.offered[-1, -1]) == "nan"  # half of it is missing
    with pytest.raises(BadSettingsError, match="rows of 30 minutes don't fit into intervals of 15"):
        build(World(weeks=8).rows(), 15, SpecialDays())


def test_half_hours_do_not_fit_a_zone_with_an_offset_of_15_minutes() -> None:
    with pytest.raises(
        BadSettingsError, match=r"--tz: in Asia/Kathmandu the row of 2025-01-06T00:00Z begins at 05:45"
    ):
        build(World(weeks=8).rows(), 30, SpecialDays(ZoneInfo("Asia/Kathmandu")))


def test_constant_volumes_are_forecast_as_they_are() -> None:
    rows = [msgspec.structs.replace(row, offered=7) for row in World(weeks=8).rows()]
    assert {point.offered for point in forecast(build(rows, 30, SpecialDays()), KEY, 1).points} == {7.0}


def test_the_estimated_share_is_that_of_the_seconds_of_the_last_twelve_weeks() -> None:
    rows = World(weeks=14).rows()
    early = rows[0].start + timedelta(weeks=2)
    assert forecast(build(rows, 30, SpecialDays()), KEY, 1).estimated is None
    said = [
        msgspec.structs.replace(row, estimated_s=(row.handle_s or 0.0) * (1.0 if row.start < early else 0.25))
        if n % 3
        else row  # which does not say
        for n, row in enumerate(rows)
    ]
    made = forecast(build(said, 30, SpecialDays()), KEY, 1)
    assert made.estimated == pytest.approx(0.25)
    assert {point.aht_estimated for point in made.points} == {0.25}
