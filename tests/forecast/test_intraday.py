"""Today, forecast again from what came so far."""

from __future__ import annotations

from datetime import UTC, date, timedelta

import numpy as np
import pytest

from stream_app.forecast import intraday
from stream_app.forecast.ahead import forecast
from stream_app.forecast.calendar import SpecialDays
from stream_app.forecast.grid import build
from stream_app.forecast.spread import Misses, Spread
from tests.forecast.world import KEY, MONDAY, World, bank, before, moment


def misses(scale: list[float], rest: list[float]) -> Misses:
    """Days of two slots, with 100 expected contacts each."""
    offered = 100.0 * np.array([scale, rest]).T
    n = len(scale)
    return Misses(np.full((n, 2), 100.0), offered, np.zeros(n, dtype=int), np.arange(n))


SPREAD = Spread(0.0, 1.0, 0.0, np.array([0.01]), {80: 1.0, 95: 1.0})
LIVELY = [0.8, 0.9, 1.1, 1.2] * 3


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_the_weight_is_what_would_have_missed_least(weight: float) -> None:
    found = misses(LIVELY, [1 + weight * (g - 1) for g in LIVELY])
    today = intraday.look(np.array([50.0, 50.0]), np.array([60.0, np.nan]), found, SPREAD)
    assert (today.offered, today.expected) == (60.0, 50.0)
    assert today.weight == pytest.approx(weight)
    assert today.factor == pytest.approx(1 + 0.2 * weight)


def test_with_few_days_the_weight_is_that_of_credibility() -> None:
    """Level 0.01; noise of 50 Poisson contacts 1/50: a third."""
    today = intraday.look(
        np.array([50.0, 50.0]), np.array([60.0, np.nan]), misses(LIVELY[:4], LIVELY[:4]), SPREAD
    )
    assert today.weight == pytest.approx(0.01 / (0.01 + 1 / 50))


def test_a_day_that_has_not_begun_changes_nothing() -> None:
    today = intraday.look(np.array([0.0, 50.0]), np.array([0.0, np.nan]), misses(LIVELY, LIVELY), SPREAD)
    assert (today.weight, today.factor) == (0.0, 1.0)


def test_a_day_under_way_is_forecast_from_the_next_interval_on() -> None:
    rows = World(weeks=10, opens=8, closes=20, restless=0.2).rows()
    last = MONDAY + timedelta(days=66)
    made = forecast(build(before(rows, moment(last, 13)), 30, SpecialDays()), KEY, 1)
    assert made.today is not None
    assert 0 <= made.today.weight <= 1
    of_today = [point for point in made.points if point.today]
    assert of_today[0].start == moment(last, 13)
    assert {point.start.date() for point in of_today} == {last}
    assert made.points[-1].start.date() == last + timedelta(days=7)
    assert [day.today for day in made.days] == [True] + [False] * 7


def test_a_day_is_over_when_nobody_is_expected_any_more() -> None:
    rows = World(weeks=10, opens=8, closes=20).rows()
    last = MONDAY + timedelta(days=66)
    made = forecast(build(before(rows, moment(last, 20)), 30, SpecialDays()), KEY, 1)
    assert made.today is None
    assert made.points[0].start.date() == last + timedelta(days=1)


@pytest.mark.slow
def test_on_a_real_call_centre_noon_knows_more_than_the_day_before() -> None:
    """The rest of 24 days, from noon: the reforecast, and the forecast of the evening before."""
    rows = bank()
    truth = {row.start: row.offered for row in rows}
    days = sorted({row.start.date() for row in rows})[-24:]
    again = thought = 0.0
    for day in days:
        made = forecast(build(before(rows, moment(day, 12)), 30, SpecialDays()), KEY, 1)
        assert made.today is not None
        for point in made.points:
            if point.today:
                assert point.offered is not None
                came = truth[point.start.astimezone(UTC)]
                again += abs(came - point.offered)
                thought += abs(came - point.offered / made.today.factor)
    assert again < 0.95 * thought


def test_an_interval_of_today_is_narrower_than_it_was() -> None:
    day = date(2003, 10, 22)
    early = forecast(build(before(bank(), moment(day)), 30, SpecialDays()), KEY, 1).points
    late = forecast(build(before(bank(), moment(day, 12)), 30, SpecialDays()), KEY, 1).points
    (old,), (new,) = (
        [point for point in points if point.start == moment(day, 15)] for points in (early, late)
    )
    assert None not in {old.high_80, old.low_80, new.high_80, new.low_80}
    assert new.high_80 - new.low_80 < old.high_80 - old.low_80  # type: ignore[operator]
