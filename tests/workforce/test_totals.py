"""Totals and gaps: they are sums of the plan's lines, and holes are never added up."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from stream_app.workforce.plan import PlanLine
from stream_app.workforce.totals import gaps, totals, whole
from stream_app.workforce.volumes import Volume

SUNDAY = datetime(2026, 1, 4, 20, tzinfo=UTC)


def line(n: int, required: int | None, scheduled: float | None, *, opened: bool = True) -> PlanLine:
    volume = Volume(SUNDAY + timedelta(minutes=30 * n), 30, "q", "voice", 10, 10, 1800, 0, 0)
    return PlanLine(
        volume, "erlang-a", "answered_only", to_schedule=required, scheduled=scheduled, open=opened
    )


a_line = st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9))


@given(st.lists(a_line, min_size=1, max_size=150))
def test_days_and_weeks_add_up_to_the_whole(numbers: list[tuple[int, int | None]]) -> None:
    lines = [line(n, *one) for n, one in enumerate(numbers)]
    [all_of_it] = whole(lines)
    for period in ("day", "week"):
        parts = totals(lines, period, UTC)
        assert sum(part.hours or 0 for part in parts) == all_of_it.hours
        assert max(part.peak or 0 for part in parts) == all_of_it.peak
        assert sum(part.offered for part in parts) == all_of_it.offered
        assert sum(part.short_hours or 0 for part in parts) == (all_of_it.short_hours or 0)


@given(st.lists(a_line, min_size=1, max_size=150))
def test_gaps_are_the_understaffed_intervals_and_nothing_else(numbers: list[tuple[int, int | None]]) -> None:
    lines = [line(n, *one) for n, one in enumerate(numbers)]
    found = gaps(lines)
    inside = {
        one.volume.start for one in lines if any(gap.start <= one.volume.start < gap.end for gap in found)
    }
    assert inside == {one.volume.start for one in lines if one.gap is not None and one.gap < 0}
    assert sum(gap.short_hours for gap in found) == ((whole(lines)[0].short_hours) or 0)
    assert all(before.end < after.start for before, after in pairwise(found))
    for gap in found:
        worst = min(one.gap or 0 for one in lines if gap.start <= one.volume.start < gap.end)
        assert gap.short == -worst
        assert next(one.gap for one in lines if one.volume.start == gap.worst_at) == worst


def test_weeks_begin_on_monday_of_the_zone() -> None:
    lines = [line(n, 2, None) for n in range(12)]  # from Sunday 20:00 UTC for six hours
    assert [(one.first, one.days, one.hours) for one in totals(lines, "week", UTC)] == [
        (date(2026, 1, 4), 1, 8),
        (date(2026, 1, 5), 1, 4),
    ]
    tokyo = totals(lines, "week", ZoneInfo("Asia/Tokyo"))
    assert [(one.first, one.hours) for one in tokyo] == [(date(2026, 1, 5), 12)]
    assert tokyo[0].fte(40) == pytest.approx(12 / 40)


def test_a_plan_with_holes_is_never_totalled() -> None:
    [one] = whole([line(0, 5, 4), line(1, None, 4), line(2, 5, 4)])
    assert one.without_plan == 1
    assert (one.hours, one.peak, one.short_hours, one.short_intervals, one.fte(40)) == (None,) * 5
    assert one.scheduled_hours == 6


def test_contacts_outside_of_business_hours_are_counted_apart() -> None:
    [one] = whole([line(0, 5, None), line(1, 0, None, opened=False)])
    assert (one.offered, one.offered_closed, one.hours, one.scheduled_hours) == (20, 10, 2.5, None)
