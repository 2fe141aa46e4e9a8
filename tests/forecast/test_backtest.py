"""Better than the week before, and calibrated: on data with a known structure, and on a real call centre."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from stream_app.forecast.ahead import TooLittleError, forecast
from stream_app.forecast.backtest import backtest, seasonal_naive
from stream_app.forecast.calendar import LEFT_OUT, SpecialDays
from stream_app.forecast.grid import build
from tests.forecast.world import KEY, MONDAY, World, bank, before, demand, moment, overall

EASTER = tuple((MONDAY + timedelta(days=n), 0.1) for n in (102, 105, 135))
SUNDAYS = {day: 6 for day, _ in EASTER}

WORLDS = {
    "counts that come at random": (World(noise=1.0), SpecialDays()),
    "over-dispersed": (World(noise=2.0, seed=2), SpecialDays()),
    "trend and restless days": (World(growth=0.003, restless=0.08, seed=3), SpecialDays()),
    "a level shift five weeks before the end": (World(shift=(147, 1.3), seed=4), SpecialDays()),
    "holidays that are left out": (
        World(quiet=EASTER, seed=5),
        SpecialDays(kinds=dict.fromkeys(SUNDAYS, LEFT_OUT)),
    ),
    "days and rows that are missing": (World(lost=0.05, seed=6), SpecialDays()),
    "nights with few contacts": (
        World(busy=2.0, night=0.3, week=(1.2, 1, 1, 1, 1, 0.7, 0.5), seed=7),
        SpecialDays(),
    ),
    "all of these in 15-minute intervals": (
        World(
            minutes=15,
            busy=6.0,
            opens=8,
            closes=20,
            quiet=EASTER,
            lost=0.02,
            shift=(150, 1.2),
            noise=1.5,
            seed=8,
        ),
        SpecialDays(kinds=dict.fromkeys(SUNDAYS, LEFT_OUT)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_it_misses_a_tenth_less_than_the_week_before(name: str) -> None:
    world, calendar = WORLDS[name]
    whole = overall(backtest(build(world.rows(), world.minutes, calendar), KEY, 4))
    assert whole.ratio is not None
    assert whole.origins == 8
    assert whole.ratio <= 0.9


@pytest.mark.parametrize("minutes", [15, 30])
def test_it_misses_a_tenth_less_on_a_real_call_centre_at_every_horizon(minutes: int) -> None:
    horizons = backtest(build(bank(minutes), minutes, SpecialDays()), KEY, 4)
    assert [line.week for line in horizons] == [1, 2, 3, 4, None]
    assert all(line.ratio is not None and line.ratio <= 0.9 for line in horizons)


def test_it_misses_a_tenth_less_on_electricity_demand_though_twelve_weeks_are_few() -> None:
    whole = overall(backtest(build(demand(), 30, SpecialDays()), KEY, 2))
    assert whole.ratio is not None
    assert whole.ratio <= 0.9


def test_intervals_hold_what_they_promise_on_a_real_call_centre() -> None:
    """Days share their level, so days are what is independent: 125 of them, and three standard errors."""
    whole = overall(backtest(build(bank(), 30, SpecialDays()), KEY, 4))
    days = whole.intervals / 28
    for held, promise in ((whole.held_80, 0.80), (whole.held_95, 0.95)):
        assert held == pytest.approx(promise, abs=3 * math.sqrt(promise * (1 - promise) / days))


@pytest.mark.slow
def test_intervals_hold_what_they_promise_in_known_worlds() -> None:
    """Thirty queues, 14 days each: of 420 days, three standard errors. Counts are large enough to have 80 and 95 %."""
    inside: dict[int, list[bool]] = {80: [], 95: []}
    days = 0
    for seed in range(30):
        world = World(
            seed=100 + seed,
            weeks=22,
            opens=8,
            closes=20,
            growth=0.0,
            restless=0.05,
            week=(1.2, 1, 1, 1, 1, 0.8, 0.7),
        )
        rows = world.rows()
        end = moment(MONDAY + timedelta(weeks=20))
        truth = {row.start: row.offered for row in rows}
        for point in forecast(build(before(rows, end), 30, SpecialDays()), KEY, 2).points:
            if point.offered:
                came, bounds = truth[point.start], (point.low_95, point.low_80, point.high_80, point.high_95)
                low_95, low_80, high_80, high_95 = (bound for bound in bounds if bound is not None)
                inside[80].append(low_80 <= came <= high_80)
                inside[95].append(low_95 <= came <= high_95)
        days += 14
    for percent, held in inside.items():
        promise = percent / 100
        assert np.mean(held) == pytest.approx(promise, abs=3 * math.sqrt(promise * (1 - promise) / days))


def test_few_contacts_are_within_at_least_as_often_as_promised() -> None:
    """Whole numbers can't hold exactly 80 %, so they hold more."""
    whole = overall(backtest(build(World(busy=0.4, night=0.1, seed=9).rows(), 30, SpecialDays()), KEY, 4))
    assert whole.held_80 is not None
    assert whole.held_95 is not None
    assert whole.held_80 >= 0.8
    assert whole.held_95 >= 0.94


def test_the_baseline_is_what_was_observed_last_on_such_a_day() -> None:
    rows = World(weeks=7).rows()
    grid = build(rows, 30, SpecialDays(kinds={date(2025, 1, 27): LEFT_OUT}))
    naive = seasonal_naive(grid, 28)
    assert naive[0].tolist() == grid.offered[14].tolist()  # Monday 27th is left out, so the 20th
    assert naive[1].tolist() == grid.offered[22].tolist()
    assert naive[6].tolist() == grid.offered[27].tolist()


def test_nothing_of_the_future_is_used() -> None:
    """The newest origin's first week by hand, from rows that end where it begins."""
    rows = World(seed=11).rows()
    newest = moment(MONDAY + timedelta(weeks=25))
    points = forecast(build(before(rows, newest), 30, SpecialDays()), KEY, 1).points
    truth = {row.start: row.offered for row in rows}
    missed = sum(abs(truth[point.start] - (point.offered or 0)) for point in points)
    offered = sum(truth[point.start] for point in points)
    one_origin = build(rows[-7 * 48 * 7 :], 30, SpecialDays())  # seven weeks: one origin only
    again = forecast(build(before(rows, newest)[-6 * 48 * 7 :], 30, SpecialDays()), KEY, 1).points
    missed_again = sum(abs(truth[point.start] - (point.offered or 0)) for point in again)
    (line, _) = backtest(one_origin, KEY, 1)
    assert line.wape == pytest.approx(missed_again / offered, abs=1e-4)
    assert missed < 1.1 * missed_again


def test_too_little_for_a_back_test_is_refused() -> None:
    with pytest.raises(TooLittleError, match="a back-test needs 7 weeks of rows, found 6"):
        backtest(build(World(weeks=6).rows(), 30, SpecialDays()), KEY, 1)
