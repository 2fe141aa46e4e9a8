"""Forecast and staffing over HTTP: the results of the functions, clear refusals, and no blocking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from stream_app.forecast import ahead, backtest, grid
from stream_app.forecast.calendar import SpecialDays
from stream_app.model.targets import Targets
from stream_app.planning import planner
from stream_app.workforce.plan import Assumptions, PlanLine, plan
from stream_app.workforce.schedules import Shift
from stream_app.workforce.volumes import Volume
from tests.views.examples import busy_board
from tests.views.serving import Served

from .plans import (
    BERLIN,
    CARE,
    MONDAY,
    NOW,
    SALES,
    SETTINGS,
    TODAY,
    SharedProcess,
    World,
    centre,
    learned,
    mailbox,
    ms,
    served,
)

SAID = {
    "offered": "offered",
    "low_80": "low_80",
    "high_80": "high_80",
    "low_95": "low_95",
    "high_95": "high_95",
    "average_handle_time_s": "aht_s",
}


@pytest.fixture
async def world(planning_process: SharedProcess) -> AsyncIterator[World]:
    rows = (centre(SALES), centre(CARE, begin=TODAY - timedelta(days=10)))
    async with served(*rows, process=planning_process) as running:
        yield running


async def described(served: Served, path: str) -> tuple[int, Any]:
    """An answer, which must be as the description has it."""
    status, headers, answer = await served.get(path)
    _, _, document = await served.get("/openapi.json")
    answers = document["paths"][path.partition("?")[0]]["get"]["responses"]
    schema = answers[str(status)]["content"][headers["Content-Type"].partition(";")[0]]["schema"]
    Draft202012Validator(schema | {"components": document["components"]}).validate(answer)
    assert status != 200 or headers["Cache-Control"] == "no-store"
    return status, answer


async def test_the_forecast_is_what_the_functions_say_of_the_same_rows(world: World) -> None:
    status, said = await described(world.served, "/v1/forecast?queue=sales&channel=voice&days=42")
    assert status == 200
    assert (said["queue"], said["channel"], said["tz"]) == ("sales", "voice", "Europe/Berlin")
    before = grid.build(learned(world.rows.every(), SALES, ms(TODAY)), 15, SpecialDays(BERLIN))
    points = {point.start.isoformat(): point for point in ahead.forecast(before, SALES, 6).points}
    rows = {row["start"]: row for row in said["rows"]}
    assert len(points) > 42 * 40
    assert set(rows) == set(points)
    for start, point in points.items():
        assert {theirs: rows[start][ours] for ours, theirs in SAID.items()} == {
            theirs: getattr(point, theirs) for theirs in SAID.values()
        }
    assert min(rows) == TODAY.isoformat() + "T00:00:00+01:00"
    so_far = grid.build(learned(world.rows.every(), SALES, NOW), 15, SpecialDays(BERLIN))
    again = ahead.forecast(so_far, SALES, 6)
    assert again.today is not None
    rest = {point.start.isoformat(): point.offered for point in again.points if point.today}
    assert {start: row["reforecast"] for start, row in rows.items() if row["reforecast"] is not None} == rest
    came = {row.start: row.offered for row in world.rows.every() if row.queue == "sales" and row.final}
    for start, row in rows.items():
        assert row["actual"] == came.get(round(datetime.fromisoformat(start).timestamp()) * 1000)
    assert sum(row["actual"] is not None for row in rows.values()) == 44  # eleven hours
    *weeks, line = backtest.backtest(before, SALES, 6)
    assert 1 < len(weeks) < 6  # nine weeks of rows are too few to compare six weeks ahead
    assert said["backtest"] == {
        "origins": line.origins,
        "weeks": len(weeks),
        "intervals": line.intervals,
        "wape": pytest.approx(line.wape, abs=1e-4),
        "seasonal_naive_wape": pytest.approx(line.naive_wape, abs=1e-4),
        "ratio": pytest.approx(line.ratio, abs=1e-4),
        "coverage_80": pytest.approx(line.held_80, abs=1e-4),
        "coverage_95": pytest.approx(line.held_95, abs=1e-4),
    }
    assert said["made_from"]["intervals"] == 64 * 96
    assert said["made_from"]["from"] == "2026-01-05T00:00:00+01:00"
    assert said["made_from"]["to"] == "2026-03-10T00:00:00+01:00"


@pytest.mark.parametrize(
    ("days", "first", "last"), [(1, "10T00:00", "10T23:45"), (3, "10T00:00", "12T23:45")]
)
async def test_a_shorter_answer_is_the_beginning_of_a_longer_one(
    world: World, days: int, first: str, last: str
) -> None:
    _, _, whole = await world.served.get("/v1/forecast?queue=sales&days=42")
    _, _, part = await world.served.get(f"/v1/forecast?queue=sales&days={days}")
    assert part["rows"] == whole["rows"][: len(part["rows"])]
    starts = [row["start"] for row in part["rows"]]
    assert (starts[0], starts[-1]) == (f"2026-03-{first}:00+01:00", f"2026-03-{last}:00+01:00")


async def test_another_zone_shows_the_same_numbers_at_its_own_times(world: World) -> None:
    """The queue's weeks stay those of its own zone: two people in two cities see one forecast."""
    _, _, own = await world.served.get("/v1/forecast?queue=sales")
    _, _, other = await world.served.get("/v1/forecast?queue=sales&tz=America/New_York")
    assert other["tz"] == "America/New_York"
    assert other["rows"][0]["start"] == "2026-03-10T00:00:00-04:00"

    def by_moment(said: Any) -> dict[float, Any]:
        return {datetime.fromisoformat(row["start"]).timestamp(): row["offered"] for row in said["rows"]}

    both = by_moment(own).keys() & by_moment(other).keys()
    assert len(both) > 96 * 13
    assert all(by_moment(own)[at] == by_moment(other)[at] for at in both)


# --- staffing ---


def expected_plan(
    world: World, forecast: Any, shifts: list[Shift] | None, targets: Targets = SETTINGS
) -> list[PlanLine]:
    """By the workforce's own functions, from the interface's answer for the same day."""
    volumes = []
    rows = {row.start: row for row in world.rows.every() if row.queue == "sales"}
    for row in forecast["rows"]:
        start = datetime.fromisoformat(row["start"])
        came = rows.get(round(start.timestamp()) * 1000)
        if came is not None and came.final:
            sums = (came.talk_ms / 1000, came.hold_ms / 1000, came.wrap_ms / 1000)
            volumes.append(Volume(start, 15, *SALES, came.offered, came.handled, *sums))
            continue
        offered = row["offered"] if row["reforecast"] is None else row["reforecast"]
        aht = row["average_handle_time_s"]
        handled = offered if aht else 0
        volumes.append(Volume(start, 15, *SALES, offered, handled, handled * (aht or 0), 0, 0))
    return plan(volumes, targets, Assumptions(), shifts)


@pytest.mark.parametrize("schedule", [False, True])
async def test_staffing_is_what_the_functions_say(world: World, schedule: bool) -> None:
    shifts = [
        Shift(*SALES, ms(TODAY, 8) / 1000, ms(TODAY, 16) / 1000, 15),
        Shift(*SALES, ms(TODAY, 9.2) / 1000, ms(TODAY, 20) / 1000, 6),
    ]
    if schedule:
        world.schedules.apply(*shifts)
    status, said = await described(world.served, "/v1/staffing?queue=sales&channel=voice")
    assert status == 200
    assert (said["date"], said["tz"], said["model"]) == ("2026-03-10", "Europe/Berlin", "erlang-a")
    assert said["schedules"] == (1 if schedule else None)
    _, _, forecast = await world.served.get("/v1/forecast?queue=sales&days=1")
    lines = expected_plan(world, forecast, shifts if schedule else None)
    assert len(said["rows"]) == len(lines) == 96
    for row, line in zip(said["rows"], lines, strict=True):
        assert datetime.fromisoformat(row["start"]) == line.volume.start
        assert row["offered"] == line.volume.offered
        assert (row["required"], row["required_at_work"]) == (line.to_schedule, line.required)
        assert row["staffed"] == (round(line.scheduled, 2) if line.scheduled is not None else None)
        assert row["gap"] == (round(line.gap, 2) if line.gap is not None else None)
        assert row["gap"] is None or row["gap"] == pytest.approx(row["staffed"] - row["required"], abs=0.01)
        for name, value, digits in (
            ("service_level", line.service_level, 4),
            ("asa_s", line.asa_s, 1),
            ("abandonment", line.abandonment, 4),
            ("occupancy", line.occupancy, 4),
        ):
            known = schedule and value is not None
            assert row[name] == (pytest.approx(value, abs=10**-digits) if known else None)
    assert [row["source"] for row in said["rows"]] == ["actual"] * 44 + ["forecast"] * 52
    assert any(row["gap"] for row in said["rows"]) == schedule
    assert said["assumptions"] == {
        "answer_target_s": 20.0,
        "service_level": 0.8,
        "policy": "without_short_abandons",
        "short_abandon_s": 5.0,
        "abandonment": 0.05,
        "occupancy_max": 0.85,
        "shrinkage": 0.3,
        "patience_s": 120.0,
        "concurrency": 1.0,
        "asa_max_s": None,
        "calendar": False,
        "full_time_h": 40.0,
    }
    assert [row["binds"] for row in said["rows"]] == [line.binds for line in lines]
    assert {row["open"] for row in said["rows"]} == {True}


async def test_targets_change_what_page_route_and_metrics_plan(world: World) -> None:
    """One document for all: what the route requires is what the functions require under it, and closed hours need nobody."""
    hours = {"office": {"hours": {"mon-fri": ["10:00-18:00"]}}}
    document = {
        "defaults": {"zone": "Europe/Berlin"},
        "queues": {"sales": {"calendar": "office", "shrinkage": 0.1, "occupancy_max": 0.7, "patience_s": 60}},
        "calendars": hours,
    }
    world.targets = Targets.of(document)
    _, said = await described(world.served, "/v1/staffing?queue=sales")
    _, _, forecast = await world.served.get("/v1/forecast?queue=sales&days=1")
    lines = expected_plan(world, forecast, None, world.targets)
    assert [row["required"] for row in said["rows"]] == [line.to_schedule for line in lines]
    rules = said["assumptions"]
    assert (rules["shrinkage"], rules["occupancy_max"], rules["patience_s"]) == (0.1, 0.7, 60)
    assert rules["calendar"]
    for row in said["rows"]:
        opened = 10 <= datetime.fromisoformat(row["start"]).hour < 18
        assert row["open"] == opened
        assert opened or row["required"] == row["required_at_work"] == 0


async def test_a_holiday_of_the_calendar_is_neither_learned_from_nor_forecast(world: World) -> None:
    """Last Tuesday was a holiday on which calls came nevertheless; the next one is one, too."""
    _, _, before = await world.served.get("/v1/forecast?queue=sales&days=14")
    hours = {"hours": {"mon-sun": ["00:00-24:00"]}, "holidays": ["2026-03-03", "2026-03-17"]}
    world.targets = Targets.of(
        {"defaults": {"zone": "Europe/Berlin", "calendar": "c"}, "calendars": {"c": hours}}
    )
    _, _, after = await world.served.get("/v1/forecast?queue=sales&days=14")

    def of(said: Any, day: str) -> list[float]:
        return [row["offered"] for row in said["rows"] if row["start"].startswith(day)]

    assert sum(of(before, "2026-03-17")) > 100
    assert set(of(after, "2026-03-17")) == {0}
    assert of(after, "2026-03-10") != of(before, "2026-03-10")  # a Tuesday: learned from one week fewer
    assert sum(of(after, "2026-03-18")) > 100


# --- the coming days ---


async def test_the_outlook_is_the_sum_of_the_days(world: World) -> None:
    world.schedules.apply(
        Shift(*SALES, ms(TODAY, 8) / 1000, ms(TODAY, 16) / 1000, 15),
        Shift(*SALES, ms(TODAY + timedelta(days=2), 8) / 1000, ms(TODAY + timedelta(days=2), 18) / 1000, 15),
    )
    status, said = await described(world.served, "/v1/plan?queue=sales&days=4")
    assert status == 200
    [own] = said["queues"]
    assert (own["queue"], own["channel"], own["tz"], own["problem"]) == (*SALES, "Europe/Berlin", None)
    assert (own["schedules"], own["covered"]) == (1, False)  # the fourth day is after the schedule
    short = 0
    for n, total in enumerate(own["days"]):
        day = TODAY + timedelta(days=n)
        _, _, staffing = await world.served.get(f"/v1/staffing?queue=sales&date={day}")
        rows = staffing["rows"]
        assert (total["first"], total["days"], total["without_plan"]) == (str(day), 1, 0)
        assert total["offered"] == pytest.approx(sum(row["offered"] for row in rows), abs=0.1)
        assert total["hours"] == sum(row["required"] for row in rows) / 4
        assert total["peak"] == max(row["required"] for row in rows)
        if n == 3:
            assert (total["scheduled_hours"], total["short_hours"], total["short_intervals"]) == (None,) * 3
            continue
        assert total["scheduled_hours"] == sum(row["staffed"] for row in rows) / 4
        assert total["short_hours"] == -sum(min(0, row["gap"]) for row in rows) / 4
        short += sum(row["gap"] < 0 for row in rows)
    assert (
        sum(
            (datetime.fromisoformat(gap["end"]) - datetime.fromisoformat(gap["start"])).seconds // 900
            for gap in own["gaps"]
        )
        == short
    )
    assert [week["hours"] for week in own["weeks"]] == [sum(day["hours"] for day in own["days"])]
    assert own["weeks"][0]["fte"] is None  # not a whole week


async def test_the_outlook_of_all_names_who_has_no_plan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, said = await described(world.served, "/v1/plan?days=1")
    assert [(one["queue"], one["problem"] is None) for one in said["queues"]] == [
        ("care", False),
        ("sales", True),
    ]
    assert said["left_off"] == 0
    monkeypatch.setattr(planner, "MOST_OUTLOOK", 1)
    _, first = await described(world.served, "/v1/plan?days=1")
    assert ([one["queue"] for one in first["queues"]], first["left_off"]) == (["care"], 1)
    status, answer = await described(world.served, "/v1/plan?queue=saels")
    assert (status, answer["parameter"]) == (400, "queue")
    status, answer = await described(world.served, "/v1/plan?channel=voice")
    assert (status, answer["parameter"]) == (422, "channel")


async def test_a_schedule_says_nothing_of_days_before_and_behind_it(world: World) -> None:
    world.schedules.apply(
        Shift(*SALES, ms(TODAY, 8) / 1000, ms(TODAY, 16) / 1000, 15),
        Shift(*SALES, ms(TODAY + timedelta(days=2), 8) / 1000, ms(TODAY + timedelta(days=2), 16) / 1000, 15),
    )
    staffed = {}
    for days in range(-1, 4):
        day = TODAY + timedelta(days=days)
        _, _, said = await world.served.get(f"/v1/staffing?queue=sales&date={day}")
        staffed[days] = {row["staffed"] for row in said["rows"]}
    assert staffed == {-1: {None}, 0: {0, 15}, 1: {0}, 2: {0, 15}, 3: {None}}


async def test_a_new_schedule_and_new_settings_are_seen_at_once(world: World) -> None:
    async def first() -> Any:
        _, _, said = await world.served.get("/v1/staffing?queue=sales&date=2026-03-11")
        return next(row for row in said["rows"] if "T09:00" in row["start"])

    alone = await first()
    world.schedules.apply(Shift(*SALES, ms(TODAY) / 1000, ms(TODAY + timedelta(days=2)) / 1000, 12))
    assert ((await first())["staffed"], alone["staffed"]) == (12, None)
    world.schedules.apply(Shift(*SALES, ms(TODAY) / 1000, ms(TODAY + timedelta(days=2)) / 1000, 40))
    assert (await first())["staffed"] == 40
    world.targets = Targets.of(
        {"defaults": {"zone": "Europe/Berlin", "targets": {"service_level": 0.99}, "answer_target_s": 6}}
    )
    assert (await first())["required"] > alone["required"]


async def test_the_past_needs_no_forecast(world: World) -> None:
    world.extra = "statsforecast"
    status, said = await described(world.served, "/v1/staffing?queue=care&date=2026-03-09")
    assert (status, {row["source"] for row in said["rows"]}) == (200, {"actual"})
    assert max(row["required"] for row in said["rows"]) > 3


async def test_work_that_waits_is_planned_with_the_next_day(planning_process: SharedProcess) -> None:
    async with served(centre(("post", "email")), process=planning_process) as world:
        status, said = await described(world.served, "/v1/staffing?queue=post&date=2026-03-11")
        assert (status, said["model"], len(said["rows"])) == (200, "deferred", 96)
        assert {row["start"][:10] for row in said["rows"]} == {"2026-03-11"}
        assert said["assumptions"]["patience_s"] is None


async def test_every_plan_says_which_share_of_its_handle_time_is_estimated(
    planning_process: SharedProcess,
) -> None:
    async with served(mailbox(0.5), centre(SALES), process=planning_process) as world:

        async def basis_of(place: str) -> list[Any]:
            _, ahead = await described(world.served, f"/v1/forecast?{place}")
            assert {row["average_handle_time_estimated"] for row in ahead["rows"]} == {
                ahead["handle_time"]["estimated"]
            }
            _, day = await described(world.served, f"/v1/staffing?{place}")
            _, past = await described(world.served, f"/v1/staffing?{place}&date=2026-03-09")
            _, outlook = await described(world.served, f"/v1/plan?{place}")
            return [one["handle_time"] for one in (ahead, day, past, outlook["queues"][0])]

        assert (
            await basis_of("queue=sales&channel=voice")
            == [{"estimated": 0.0, "too_high": None, "doubt": None}] * 4
        )
        found = await basis_of("queue=post&channel=email")
        assert found == [{"estimated": pytest.approx(0.5, abs=0.001), "too_high": 0.67, "doubt": None}] * 4
        # A cap that every reply reaches measures nothing.
        world.targets = Targets.of(
            {"defaults": {"zone": "Europe/Berlin"}, "channels": {"email": {"reply_work_cap_s": 60}}}
        )
        _, past = await described(world.served, "/v1/staffing?queue=post&channel=email&date=2026-03-09")
        assert past["handle_time"]["doubt"].startswith("nearly every reply counts as reply_work_cap_s (60 s)")
        assert past["handle_time"]["too_high"] == 0, "work of six minutes that is cut off after one"


async def test_a_queue_without_a_plan_has_no_handle_time(world: World) -> None:
    _, outlook = await described(world.served, "/v1/plan?queue=care&channel=chat")
    assert outlook["queues"][0]["handle_time"] is None


# --- refusals ---


async def test_too_little_history_says_what_there_is_and_what_is_needed(world: World) -> None:
    for path in ("/v1/forecast?queue=care", "/v1/staffing?queue=care"):
        status, said = await described(world.served, path)
        assert status == 409
        assert said["type"] == "urn:stream-app:problem:too-little-history"
        assert (said["queue"], said["channel"]) == CARE
        assert (said["history_days"], said["more_days"]) == (10, 26)
        assert "care chat: a forecast needs 6 weeks of rows" in said["detail"]


@pytest.mark.parametrize("weekday", [0, 6, *(pytest.param(n, marks=pytest.mark.chaos) for n in range(1, 6))])
async def test_the_days_that_it_says_are_needed_are_enough_and_one_fewer_is_not(
    weekday: int, planning_process: SharedProcess
) -> None:
    begin = MONDAY + timedelta(days=weekday)
    now = ms(begin + timedelta(days=20), 11)
    async with served(centre(SALES, begin=begin, now=now), process=planning_process) as world:
        world.now = now
        _, _, said = await world.served.get("/v1/forecast?queue=sales")
        more = said["more_days"]
    for days, expected in ((more - 1, 409), (more, 200)):
        now = ms(begin + timedelta(days=20 + days), 11)
        async with served(centre(SALES, begin=begin, now=now), process=planning_process) as world:
            world.now = now
            assert (await world.served.get("/v1/forecast?queue=sales"))[0] == expected


async def test_a_queue_without_any_row_and_one_that_nobody_ever_called(
    world: World, planning_process: SharedProcess
) -> None:
    world.places.append(("new", "voice"))
    status, said = await described(world.served, "/v1/forecast?queue=new")
    assert (status, said["history_days"], said["more_days"]) == (409, 0, 36)
    async with served(centre(SALES, busy=0), process=planning_process) as silent:
        status, said = await described(silent.served, "/v1/forecast?queue=sales")
        assert (status, said.get("more_days")) == (409, None)
        assert "no contact was offered" in said["detail"]


@pytest.mark.parametrize(
    ("path", "parameter", "words"),
    [
        ("/v1/forecast", "queue", "expected a queue"),
        ("/v1/forecast?queue=saels", "queue", "unknown queue 'saels'; did you mean 'sales'?"),
        (
            "/v1/forecast?queue=sales&channel=voyce",
            "channel",
            "unknown sales channel 'voyce'; did you mean 'voice'?",
        ),
        ("/v1/forecast?queue=both", "channel", "both has several channels; choose one"),
        ("/v1/forecast?queue=sales&queue=care", "queue", "expected once, got 2 times"),
        ("/v1/forecast?queue=sales&days=0", "days", "expected a whole number from 1 to 42, got '0'"),
        ("/v1/forecast?queue=sales&days=43", "days", "expected a whole number from 1 to 42, got '43'"),
        ("/v1/forecast?queue=sales&days=two", "days", "expected a whole number from 1 to 42, got 'two'"),
        ("/v1/forecast?queue=sales&days=%D9%A3", "days", "expected a whole number from 1 to 42, got '٣'"),
        (
            "/v1/forecast?queue=sales&tz=Europe/Berln",
            "tz",
            "unknown tz 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        ),
        ("/v1/forecast?queue=sales&tz=../etc", "tz", "unknown tz '../etc'"),
        ("/v1/forecast?queue=sales&day=2", "day", "unknown parameter 'day'; did you mean 'days'?"),
        ("/v1/staffing?queue=sales&date=tomorrow", "date", "expected a date like 2026-03-02, got 'tomorrow'"),
        (
            "/v1/staffing?queue=sales&date=2026-02-30",
            "date",
            "expected a date like 2026-03-02, got '2026-02-30'",
        ),
        (
            "/v1/staffing?queue=sales&date=2026-04-21",
            "date",
            "expected a date from 2026-02-10 to 2026-04-20, got 2026-04-21",
        ),
        (
            "/v1/staffing?queue=sales&date=0001-01-01",
            "date",
            "expected a date from 2026-02-10 to 2026-04-20, got 0001-01-01",
        ),
        (
            "/v1/staffing?queue=sales&date=9999-12-31",
            "date",
            "expected a date from 2026-02-10 to 2026-04-20, got 9999-12-31",
        ),
        ("/v1/staffing?queue=sales&days=2", "days", "unknown parameter 'days'"),
    ],
)
async def test_a_bad_question_is_a_problem_that_names_the_parameter(
    world: World, path: str, parameter: str, words: str
) -> None:
    world.places += [("both", "voice"), ("both", "chat")]
    status, said = await described(world.served, path)
    depends = any(word in words for word in ("several", "expected a date from"))
    assert (status, said["parameter"]) == (422 if depends else 400, parameter)
    assert said["detail"].startswith(words)


async def test_without_the_extra_it_says_how_to_install_it() -> None:
    async with served(centre(SALES)) as world:
        world.extra = "statsforecast"
        status, said = await described(world.served, "/v1/forecast?queue=sales")
        assert (status, said["detail"]) == (
            501,
            "forecasts need statsforecast: pip install '.[forecast]' in a checkout of stream-app",
        )
        assert world.planner.process.pids == []


async def test_a_store_that_is_away_is_said_and_comes_back(world: World) -> None:
    world.rows.down = True
    status, said = await described(world.served, "/v1/forecast?queue=sales")
    assert (status, said["detail"]) == (503, "the store is unavailable: redis is away")
    world.rows.down = False
    assert (await world.served.get("/v1/forecast?queue=sales"))[0] == 200


async def test_without_interval_rows_there_is_nothing_to_plan_from() -> None:
    served = Served(busy_board())
    await served.start()
    try:
        for path in ("/v1/forecast?queue=sales", "/v1/staffing?queue=sales"):
            status, said = await described(served, path)
            assert (status, said["detail"][:30]) == (503, "no interval rows are kept here")
    finally:
        await served.runner.cleanup()


async def test_a_target_that_nobody_reaches_is_said(world: World) -> None:
    world.targets = Targets.of({"defaults": {"zone": "Europe/Berlin", "targets": {"service_level": 1.0}}})
    status, said = await described(world.served, "/v1/staffing?queue=sales")
    assert (status, said["title"]) == (409, "No plan")
    assert said["detail"].startswith("sales (voice): service_level")


# --- rows that teach nothing ---


async def test_rows_with_holes_and_rows_that_are_not_final_are_not_learned_from(
    world: World, planning_process: SharedProcess
) -> None:
    _, _, whole = await world.served.get("/v1/forecast?queue=sales")
    rows = [
        structs.replace(row, missing=1, offered=900)
        if row.start == ms(TODAY - timedelta(days=1), 10)
        else row
        for row in centre(SALES)
    ]
    async with served(rows, process=planning_process) as other:
        _, _, said = await other.served.get("/v1/forecast?queue=sales")
    assert said["made_from"]["intervals"] == whole["made_from"]["intervals"] - 1
    assert max(row["offered"] for row in said["rows"]) < 30


async def test_rows_of_an_outage_are_shown_and_not_learned_from(world: World) -> None:
    _, _, whole = await world.served.get("/v1/forecast?queue=sales")
    outage = {
        "from": f"{TODAY - timedelta(days=7)}T09:00:00+01:00",
        "to": f"{TODAY}T10:00:00+01:00",
        "reason": "telephony was down",
        "queues": ["sales"],
    }
    world.targets = Targets.of({"defaults": {"zone": "Europe/Berlin"}, "outages": [outage]})
    _, _, said = await world.served.get("/v1/forecast?queue=sales")
    assert said["made_from"]["intervals"] == 57 * 96 + 36
    assert said["made_from"]["to"] == "2026-03-03T09:00:00+01:00"
    assert [row["actual"] for row in said["rows"]][:44] == [row["actual"] for row in whole["rows"]][:44]


async def test_history_that_is_loaded_later_is_seen_at_once(world: World) -> None:
    """Of yesterday nothing changes: what comes is older."""
    assert (await world.served.get("/v1/forecast?queue=care"))[0] == 409
    world.rows.load(centre(CARE))
    status, _, said = await world.served.get("/v1/forecast?queue=care")
    assert (status, said["made_from"]["intervals"]) == (200, 64 * 96)


async def test_older_rows_that_change_are_learned_from_within_the_hour(world: World) -> None:
    _, _, first = await world.served.get("/v1/forecast?queue=sales")
    older = centre(SALES, begin=MONDAY - timedelta(weeks=2), now=ms(MONDAY))[:-1]
    world.rows.load([*older, *centre(SALES)])
    assert (await world.served.get("/v1/forecast?queue=sales"))[2] == first
    world.now += 3_600_000
    _, _, said = await world.served.get("/v1/forecast?queue=sales")
    assert said["made_from"]["intervals"] == first["made_from"]["intervals"] + 14 * 96
