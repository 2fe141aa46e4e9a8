"""A planner's way from another program's file to the gaps of a schedule, as it is typed."""

from __future__ import annotations

import json
import subprocess
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.services.command import run_command

FIRST, LAST = (
    date(2026, 9, 7),
    date(2026, 10, 25),
)  # Monday to the Sunday on which clocks go back: seven weeks
HOLIDAY, NEXT_HOLIDAY = date(2026, 10, 5), date(2026, 11, 2)  # Mondays
TARGETS = f"""
[defaults]
zone = "Europe/Berlin"
[queues.Billing]
calendar = "office"
shrinkage = 0.2
full_time_h = 37.5
[calendars.office]
hours = {{ mon-fri = ["08:00-12:00"] }}
holidays = [{HOLIDAY}, {NEXT_HOLIDAY}]
"""
CALLS_MAP = "start=Start,queue=Skill,aht_s=Handle Time"
ROWS_MAP = "start=Date+Interval,contacts=Calls Offered,aht=Avg Handle Time,queue:=Billing"


def offered(day: date, hour: float) -> int:
    """Open from eight to twelve on weekdays; twice as many on Mondays, and two calls each day after closing."""
    if hour == 13 and day.weekday() < 5:
        return 2
    if day.weekday() > 4 or day in {HOLIDAY, NEXT_HOLIDAY} or not 8 <= hour < 12:
        return 0
    return (16 if day.weekday() == 0 else 8) + int(2 * hour) % 3


def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = run_command(*words)
    assert done.returncode == code, done.stderr
    return done


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call list, the same by half hours as a spreadsheet has it, targets, and a schedule of two weeks."""
    path = tmp_path_factory.mktemp("planner")
    calls, spread = ["Id,Start,Skill,Handle Time"], ["Date,Interval,Calls Offered,Avg Handle Time"]
    day = FIRST
    while day <= LAST:
        for n in range(48):
            begin = datetime.combine(day, time()) + timedelta(minutes=30 * n)
            count = offered(day, n / 2)
            until = begin + timedelta(minutes=30)
            spread.append(f"{begin:%d/%m/%Y},{begin:%H:%M} - {until:%H:%M},{count},{'3:20' if count else ''}")
            calls += [
                f"{n}-{k},{begin + timedelta(seconds=1800 * k // count):%Y-%m-%d %H:%M:%S},Billing,200"
                for k in range(count)
            ]
        day += timedelta(days=1)
    (path / "calls.csv").write_text("\n".join(calls))
    (path / "rows.csv").write_text("\n".join(spread))
    (path / "targets.toml").write_text(TARGETS)
    shifts = ["who,start,end,activity,queue"]
    for n in range(1, 13):
        day = LAST + timedelta(days=n)
        for who in "abcde":
            shifts.append(f"{who},{day}T08:00,{day}T12:00,contacts,Billing")
            shifts.append(f"{who},{day}T10:00,{day}T10:30,meal,")
    (path / "schedule.csv").write_text("\n".join(shifts))
    return path


@pytest.fixture(scope="module")
def forecast(folder: Path) -> subprocess.CompletedProcess[str]:
    options = ("--targets", folder / "targets.toml", "--weeks", 2, "--format", "json")
    done = run("forecast", folder / "calls.csv", "--calls", "--map", CALLS_MAP, *options)
    (folder / "forecast.json").write_text(done.stdout)
    return done


@pytest.mark.slow
def test_a_call_list_becomes_a_forecast_that_knows_holidays(
    forecast: subprocess.CompletedProcess[str],
) -> None:
    found = json.loads(forecast.stdout)
    days = {day["day"]: day for day in found["days"]}
    assert days[str(NEXT_HOLIDAY)]["offered"] == 0
    for ahead in range(3, 8):
        day = LAST + timedelta(days=ahead)
        expected = sum(offered(day, n / 2) for n in range(48))
        assert days[str(day)]["offered"] == pytest.approx(expected, rel=0.1)
        if expected:
            assert days[str(day)]["aht_s"] == 200
    monday = days[str(LAST + timedelta(days=1))]["offered"]
    assert monday == pytest.approx(sum(offered(FIRST, n / 2) for n in range(48)), rel=0.1)
    assert "Billing (voice): " in forecast.stderr
    assert (
        "contacts are forecast outside of its business hours; staffing plans nobody then" in forecast.stderr
    )


@pytest.mark.slow
def test_a_spreadsheet_of_half_hours_says_the_same(
    folder: Path, forecast: subprocess.CompletedProcess[str]
) -> None:
    options = ("--targets", folder / "targets.toml", "--format", "json")
    found = json.loads(run("forecast", folder / "rows.csv", "--map", ROWS_MAP, *options).stdout)
    assert {point["minutes"] for point in found["forecast"]} == {30}  # as in the file
    theirs = {day["day"]: day["offered"] for day in json.loads(forecast.stdout)["days"]}
    for day in found["days"]:
        if day["day"] in theirs and not day["today"]:
            assert day["offered"] == pytest.approx(theirs[day["day"]], abs=1)


@pytest.mark.slow
def test_weeks_days_and_gaps_are_those_of_the_intervals(
    folder: Path, forecast: subprocess.CompletedProcess[str]
) -> None:
    assert forecast.returncode == 0
    options = (
        folder / "forecast.json",
        "--targets",
        folder / "targets.toml",
        "--schedule",
        folder / "schedule.csv",
    )
    words = ("staffing", *options, "--tz", "Europe/Berlin", "--format", "json")
    intervals = rows(run(*words))
    days, weeks = rows(run(*words, "--by", "day")), rows(run(*words, "--by", "week"))
    gaps = rows(run(*words, "--gaps"))
    for row in intervals:
        start = datetime.fromisoformat(row["start"])
        opened = start.weekday() < 5 and 8 <= start.hour < 12 and start.date() != NEXT_HOLIDAY
        assert row["open"] == str(opened).lower()
        assert opened or row["to_schedule"] == 0
    hours = sum(row["to_schedule"] for row in intervals) / 4
    assert sum(day["hours"] for day in days) == sum(week["hours"] for week in weeks) == hours
    whole = [week for week in weeks if week["days"] == 7]
    assert whole
    assert all(week["fte"] == round(week["hours"] / 37.5, 1) for week in whole)
    short = [row for row in intervals if row["gap"] is not None and row["gap"] < 0]
    assert sum(gap["short_hours"] for gap in gaps) == -sum(row["gap"] for row in short) / 4
    breaks = [gap for gap in gaps if gap["start"].endswith("T10:00:00+01:00")]
    assert breaks  # the meal cuts the shifts
    assert breaks[0]["short"] == max(
        row["to_schedule"] for row in short if row["start"] == breaks[0]["start"]
    )
    table = run(*words[:-2]).stdout
    assert f"{hours:,.1f} hours to schedule" in table  # by day, as there are more than two
    assert len(table.splitlines()) < 30


@pytest.mark.slow
def test_a_plan_with_holes_has_no_total_and_is_no_success(folder: Path) -> None:
    blind = "start,minutes,queue,channel,offered,aht_s\n2026-01-05 09:00,30,q,voice,100,\n"
    (folder / "blind.csv").write_text(blind)
    done = run("staffing", folder / "blind.csv", "--tz", "Europe/Berlin", code=1)
    assert "q (voice): no total, intervals without a plan: 1" in done.stdout
    assert "hours to schedule" not in done.stdout
    assert "q (voice) has no handle time in any row, so it has no plan; provide one" in done.stderr
