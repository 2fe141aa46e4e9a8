"""``stream-app staffing`` of what ``stream-app forecast`` and ``/v1/forecast`` say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stream_app.errors import InputError
from stream_app.workforce.volumes import load, read
from tests.forecast.world import World as Centre

from .plans import SALES, TODAY, SharedProcess, World, centre, served
from .test_forecast import forecast, written
from .test_staffing import VOLUMES, rows, staffing

HEAD = "start,minutes,queue,channel,offered,low_80,high_80,aht_s\n"
NINE = "2026-01-05T09:00:00+01:00,30,billing,voice,100.5,90,110,180\n"


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("volumes") / "volumes.csv"
    path.write_text(written(Centre(weeks=9, opens=8, closes=20).rows()))
    return path


@pytest.fixture
async def world(planning_process: SharedProcess) -> AsyncIterator[World]:
    async with served(centre(SALES), process=planning_process) as running:
        yield running


@pytest.fixture(scope="module")
def points(volumes: Path) -> list[dict[str, Any]]:
    """What is forecast of the volumes."""
    done = forecast(volumes, "--interval", "30m", "--weeks", 1, "--format", "json")
    found: list[dict[str, Any]] = json.loads(done.stdout)["forecast"]
    return found


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_forecast_is_piped_into_staffing(volumes: Path, points: list[dict[str, Any]], form: str) -> None:
    thought = forecast(volumes, "--interval", "30m", "--weeks", 1, "--format", form, "--back-test")
    assert thought.returncode == 0, thought.stderr
    plan = rows(staffing("-", "--format", "json", stdin=thought.stdout))
    assert [(row["offered"], row["handle_s"]) for row in plan] == [
        (pytest.approx(point["offered"]), round(point["aht_s"], 1) if point["offered"] else row["handle_s"])
        for row, point in zip(plan, points, strict=True)
    ]
    assert max(row["required"] for row in plan) > 5


async def test_the_answer_of_the_forecast_route_plans_the_same_people_as_the_staffing_route(
    world: World,
) -> None:
    """Of intervals that are still to come: the rest of today, expected again, and tomorrow."""
    _, _, answer = await world.served.get("/v1/forecast?queue=sales&days=2")
    plan = {row["start"]: row for row in rows(staffing("-", "--format", "json", stdin=json.dumps(answer)))}
    assert any(row["reforecast"] is not None for row in answer["rows"])
    compared = 0
    for day in (TODAY, TODAY + timedelta(days=1)):
        _, _, said = await world.served.get(f"/v1/staffing?queue=sales&date={day}")
        for row in said["rows"]:
            if row["source"] == "forecast" and row["offered"]:
                ours = plan[row["start"]]
                assert (ours["to_schedule"], ours["required"]) == (row["required"], row["required_at_work"])
                assert ours["offered"] == row["offered"]
                compared += 1
    assert compared > 60


def test_a_mean_handle_time_stands_for_its_sums() -> None:
    for name in ("aht_s", "average_handle_time_s"):
        [row] = read("f.csv", (HEAD + NINE).replace("aht_s", name).encode())
        assert (row.offered, row.handled, row.handle_s) == (100.5, 100.5, 180)
    [unknown] = read("f.csv", (HEAD + NINE.replace(",180", ",")).encode())
    assert (unknown.handled, unknown.handle_s) == (0, None)


def test_sums_go_before_a_mean() -> None:
    sums = "start,minutes,queue,channel,offered,handled,talk_s,hold_s,wrap_s,average_handle_time_s\n"
    [row] = read("v.csv", (sums + "2026-01-05T09:00:00+01:00,30,billing,voice,9,8,800,0,0,555\n").encode())
    assert (row.handled, row.handle_s) == (8, 100)


def test_days_that_a_forecast_leaves_out_are_passed_over_and_counted(tmp_path: Path) -> None:
    later = NINE.replace("09:00", "10:00", 1).replace("100.5,90,110,180", ",,,180")
    path = tmp_path / "f.csv"
    path.write_text(HEAD + NINE + later)
    done = staffing(path, "--format", "json")
    assert len(rows(done)) == 1
    assert "stream-app: rows without a forecast: 1; they were skipped\n" in done.stderr
    with pytest.raises(InputError, match=r"v\.csv:1: the forecast has no value in any row"):
        load("v.csv", (HEAD + later).encode())


def test_neither_sums_nor_a_mean_is_one_line() -> None:
    with pytest.raises(InputError) as wrong:
        read("f.csv", (HEAD + NINE).replace(",aht_s", ",remark").encode())
    assert str(wrong.value) == "f.csv:2: handled: is missing; provide it, or aht_s instead"


def test_rows_that_are_not_final_are_passed_over_and_counted(tmp_path: Path) -> None:
    head, nine, half, _ = VOLUMES.splitlines()
    path = tmp_path / "v.csv"
    path.write_text(f"{head},final\n{nine},true\n{half},false\n")
    done = staffing(path, "--format", "json")
    assert [row["start"] for row in rows(done)] == ["2026-01-05T09:00:00+01:00"]
    assert done.stderr.startswith("stream-app: rows that are not final: 1; they were skipped\n")
    path.write_text(f"{head},final\n{half},false\n")
    done = staffing(path)
    assert (done.returncode, done.stderr) == (65, f"stream-app: {path}:1: found no final row\n")
