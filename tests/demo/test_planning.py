"""What the demo plans: it is afternoon whenever it starts, its targets and its schedule are accepted, and weeks differ."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from stream_app.demo import planning
from stream_app.model.targets import Targets
from stream_app.workforce.schedules import by_queue, read

TODAY = date(2026, 11, 29)
DAYS = planning.holidays(TODAY)
CENTRE = planning.planned(10, DAYS)


@pytest.mark.parametrize("minute", range(0, 24 * 60, 13))
def test_it_is_early_afternoon_whenever_it_starts(minute: int) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC) + timedelta(minutes=minute)
    local = now.astimezone(ZoneInfo(planning.zone_at(now)))
    assert (
        timedelta(hours=13, minutes=30)
        <= timedelta(hours=local.hour, minutes=local.minute)
        <= timedelta(hours=14, minutes=30)
    )
    assert local.minute == now.minute  # intervals begin at the same times


def test_the_targets_are_accepted_and_say_what_the_centre_does() -> None:
    targets = Targets.of(tomllib.loads(planning.targets(CENTRE, "Etc/GMT-12", DAYS)))
    for queue in CENTRE.queues:
        rule = targets.rule(queue.name, queue.channel)
        assert (rule.zone, rule.shrinkage) == ("Etc/GMT-12", planning.SHRINKAGE)
        assert rule.concurrency == queue.at_once
        assert rule.site == (planning.CALLS_AT if queue.channel == "voice" else planning.WRITING_AT)
        if queue.patience:
            assert rule.patience_s == queue.patience.mean_s
        if queue.opens is not None:
            assert rule.calendar is not None
            assert rule.calendar.exceptions() == tuple(sorted(DAYS))
            assert all(rule.calendar.hours_of(day) == () for day in DAYS)
    assert DAYS[0] < TODAY < DAYS[1] < TODAY + timedelta(days=7)


def test_the_schedule_is_accepted_and_has_fewer_people_at_weekends() -> None:
    text = planning.schedule(CENTRE, "Etc/GMT-12", TODAY)
    shifts = by_queue(read("schedule.csv", text.encode()))
    assert set(shifts) == {(queue.name, queue.channel) for queue in CENTRE.queues}
    zone = ZoneInfo("Etc/GMT-12")
    hours: dict[date, float] = {}
    for shift in shifts["billing", "voice"]:
        day = datetime.fromtimestamp(shift.start, zone).date()
        hours[day] = hours.get(day, 0.0) + shift.people * (shift.end - shift.start) / 3600
    assert DAYS[1] not in hours
    monday, sunday = TODAY + timedelta(days=1), TODAY
    assert hours[sunday] < 0.6 * hours[monday]
