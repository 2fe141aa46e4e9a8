"""Plans are computed in a separate process: ``serve`` stays fast, survives its death, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from stream_app.forecast import ahead, backtest, grid
from stream_app.forecast.ahead import NEEDED_DAYS
from stream_app.forecast.calendar import SpecialDays
from stream_app.forecast.history import HistoryRow as Learned
from stream_app.model.targets import Targets
from stream_app.planning import cache as plan_keep, gauges as plan_fresh
from stream_app.planning.history import LEAST_DAYS
from stream_app.store.redis import RedisStore
from stream_app.subprocess import NICE, Process, ProcessError
from stream_app.views import naming
from stream_app.views.plan.planner import BusyError
from stream_app.workforce.schedules import Shift
from tests.e2e.serve import Serve
from tests.services.process import until
from tests.store.owner import Owner, now_ms, queued

from .plans import (
    BERLIN,
    CARE,
    MONDAY,
    NOW,
    SALES,
    TODAY,
    SharedProcess,
    World,
    centre,
    learned,
    ms,
    served,
)
from .published import publish

TICK_S = 0.002
PLANNED_S = 120.0
"""A bound for what never comes: the process has a low priority, and a busy machine has little left for it."""
LIVELY_S = 2.0
"""An observer would call it hung: a bound, not a promise."""


def echo(question: bytes) -> bytes:
    return question + b"!"


def who(_: bytes) -> bytes:
    return f"{os.getpid()} {os.nice(0)}".encode()


def hang(_: bytes) -> bytes:
    signal.pause()
    return b""


def die(_: bytes) -> bytes:
    os._exit(1)


def fail(_: bytes) -> bytes:
    raise ValueError("of its own")


@asynccontextmanager
async def process(limit_s: float = 60.0) -> AsyncIterator[Process]:
    running = Process(limit_s)
    try:
        yield running
    finally:
        await running.close()


async def test_it_is_one_process_niced_and_started_when_it_is_first_needed() -> None:
    async with process() as running:
        assert running.pids == []
        answers = {await running.ask(who, b"") for _ in range(3)}
        answers |= set(await asyncio.gather(*(running.ask(who, b"") for _ in range(3))))
        assert answers == {f"{running.pids[0]} {os.nice(0) + NICE}".encode()}


async def test_it_starts_again_after_it_was_killed() -> None:
    async with process() as running:
        await running.ask(echo, b"")
        (first,) = running.pids
        os.kill(first, signal.SIGKILL)
        assert await running.ask(echo, b"again") == b"again!"
        assert running.pids != [first]
        with pytest.raises(ProcessError):
            await running.ask(die, b"")
        assert await running.ask(echo, b"after") == b"after!"
        with pytest.raises(ValueError, match="of its own"):
            await running.ask(fail, b"")


async def test_what_hangs_is_replaced() -> None:
    async with process() as running:
        await running.ask(echo, b"")
        (first,) = running.pids
        running._limit_s = 0.2
        with pytest.raises(ProcessError, match=r"no answer within 0\.2 s"):
            await running.ask(hang, b"")
        assert not psutil.pid_exists(first)
        running._limit_s = 60.0
        assert await running.ask(echo, b"next") == b"next!"


async def test_closing_ends_it_at_once_whatever_it_does() -> None:
    running = Process()
    await running.ask(echo, b"")
    (pid,) = running.pids
    asked = asyncio.create_task(running.ask(hang, b""))
    await until(lambda: psutil.Process(pid).status() == psutil.STATUS_SLEEPING)
    await running.close()
    with pytest.raises((ProcessError, asyncio.CancelledError)):
        await asked
    assert not psutil.pid_exists(pid)
    with pytest.raises(ProcessError):
        await running.ask(echo, b"")


async def test_whoever_started_it_is_told_when_it_has_ended() -> None:
    ended: list[str] = []
    running = Process(ended=lambda: ended.append("ended"))
    await running.ask(echo, b"")
    assert not ended
    running._limit_s = 0.2
    with pytest.raises(ProcessError):
        await running.ask(hang, b"")
    assert len(ended) == 1
    running._limit_s = 60.0
    await running.ask(echo, b"")
    await running.close()
    assert len(ended) == 2


def test_it_ends_with_a_parent_that_was_killed() -> None:
    script = """
        import asyncio, os, signal
        from stream_app.subprocess import Process
        from tests.commands.test_planning_process import echo

        async def run():
            process = Process()
            await process.ask(echo, b"")
            print(process.pids[0], flush=True)
            os.kill(os.getpid(), signal.SIGKILL)

        if __name__ == "__main__":
            asyncio.run(run())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    gone = psutil.Process(int(done.stdout)) if psutil.pid_exists(int(done.stdout)) else None
    if gone:
        gone.wait(30)


# --- the planner in it ---


async def test_a_process_that_dies_costs_one_computation_and_no_answer() -> None:
    async with served(centre(SALES), centre(("second", "voice"))) as world:
        _, _, first = await world.served.get("/v1/forecast?queue=sales")
        os.kill(world.planner.process.pids[0], signal.SIGKILL)
        status, _, said = await world.served.get("/v1/forecast?queue=second")
        assert (status, len(said["rows"])) == (200, len(first["rows"]))
        os.kill(world.planner.process.pids[0], signal.SIGKILL)
        assert (await world.served.get("/v1/forecast?queue=sales"))[2] == first  # known already
    assert world.planner.process.pids == []


async def test_an_answer_is_computed_once_until_a_row_is_final() -> None:
    async with served(centre(SALES)) as world:
        asked: list[Any] = []
        ask = world.planner.process.ask

        async def count(function: Any, question: bytes) -> bytes:
            asked.append(function.__name__)
            return await ask(function, question)

        world.planner.process.ask = count  # type: ignore[method-assign]
        paths = ("/v1/forecast?queue=sales", "/v1/forecast?queue=sales&days=3&tz=UTC")
        answers = await asyncio.gather(*(world.served.get(path) for path in paths * 3))
        assert [status for status, _, _ in answers] == [200] * 6
        assert asked == ["forecast"]
        for _ in range(2):
            await world.served.get("/v1/staffing?queue=sales")
        assert asked == ["forecast", "staff"]
        world.rows.load(centre(SALES, now=NOW + 900_000))
        world.now += 900_000
        await world.served.get("/v1/forecast?queue=sales")
        assert asked == ["forecast", "staff", "forecast"]


async def test_too_many_questions_are_refused_and_nobody_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_keep, "MOST_WAITING", 2)
    places = [(f"q{n}", "voice") for n in range(6)]
    async with served(*(centre(place) for place in places)) as world:
        answers = await asyncio.gather(
            *(world.served.get(f"/v1/forecast?queue={queue}") for queue, _ in places)
        )
        statuses = sorted(status for status, _, _ in answers)
        assert statuses == [200, 200, 503, 503, 503, 503]
        assert {headers.get("Retry-After") for status, headers, _ in answers if status == 503} == {"5"}
        assert (await world.served.get("/v1/forecast?queue=q5"))[0] == 200


class Lag:
    """The longest time for which the event loop did nothing else."""

    def __init__(self) -> None:
        self.worst = 0.0

    async def watch(self) -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            self.worst = max(self.worst, now - before - TICK_S)
            before = now


@asynccontextmanager
async def lag() -> AsyncIterator[Lag]:
    found = Lag()
    task = asyncio.create_task(found.watch())
    try:
        yield found
    finally:
        task.cancel()
        await asyncio.wait([task])


def here(rows: Sequence[Learned], place: tuple[str, str]) -> float:
    """Seconds that a forecast takes in this very process."""
    began = time.perf_counter()
    laid = grid.build(rows, 15, SpecialDays(BERLIN))
    ahead.forecast(laid, place, 6)
    backtest.backtest(laid, place, 6)
    return time.perf_counter() - began


@pytest.mark.timeout(180)
async def test_the_loop_goes_on_while_many_queues_are_forecast() -> None:
    """The longest hold-up is far below what one forecast takes: nothing of it is done here."""
    places = [(f"q{n:02}", "voice") for n in range(6)]
    async with served(*(centre(place, begin=MONDAY, seed=n) for n, place in enumerate(places))) as world:
        rows = learned(world.rows.every(), places[0], ms(TODAY))
        await world.served.get("/v1/forecast?queue=q00")  # both have loaded what they need
        one = min(here(rows, places[0]) for _ in range(2))
        async with lag() as idle:
            for _ in range(100):
                await world.served.get("/v1/now?window=5m")
        runs = []
        for zone in (
            "Europe/Berlin",
            "Europe/Paris",
            "Europe/Rome",
        ):  # a busy machine may hold any one of them up
            world.targets = Targets.of({"defaults": {"zone": zone}})  # nothing that was known counts
            began = time.perf_counter()
            async with lag() as busy:
                paths = [f"/v1/forecast?queue={queue}" for queue, _ in places]
                answers = await asyncio.gather(*map(world.served.get, paths))
            took = time.perf_counter() - began
            assert {status for status, _, _ in answers} == {200}
            assert took > len(places) / 2 * one  # they were computed
            runs.append((busy.worst, took))
            if busy.worst < max(one / 2, 3 * idle.worst):
                break
    worst, took = min(runs)
    figures = f"lag {idle.worst:.3f} s idle, {worst:.3f} s busy; one takes {one:.2f} s, all {took:.1f} s"
    print(figures)  # noqa: T201 - the figures of the run
    assert worst < max(one / 2, 3 * idle.worst)
    assert worst < LIVELY_S


# --- the metrics ---


async def metrics(world: World) -> dict[str, float]:
    page = (await world.served.get("/metrics"))[2].decode()
    names = naming.PLANNED
    lines = [line.rsplit(" ", 1) for line in page.splitlines() if line.startswith(names)]
    return {series: float(value) for series, value in lines}


@asynccontextmanager
async def kept_fresh(world: World) -> AsyncIterator[None]:
    task = asyncio.create_task(world.planner.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_young_queues_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is there is shown all the same; a process that could only refuse would cost memory for nothing."""
    monkeypatch.setattr(plan_fresh, "ROUND_S", 0.05)
    assert LEAST_DAYS == NEEDED_DAYS - 1
    async with served(centre(SALES, begin=TODAY - timedelta(days=LEAST_DAYS - 1))) as world:
        world.schedules.apply(Shift(*SALES, ms(TODAY, 8) / 1000, ms(TODAY, 12) / 1000, 17))

        async def is_there() -> bool:
            return len(await metrics(world)) == 1

        async with kept_fresh(world):
            await until(is_there, 30)
            assert world.planner.process.pids == []
            world.rows.load(centre(SALES, begin=TODAY - timedelta(days=LEAST_DAYS + 7)))
            await until(lambda: bool(world.planner.process.pids), 30)


async def test_the_metrics_are_the_running_interval_of_the_answers(
    monkeypatch: pytest.MonkeyPatch, planning_process: SharedProcess
) -> None:
    monkeypatch.setattr(plan_fresh, "ROUND_S", 0.05)
    rows = (centre(SALES), centre(CARE, begin=TODAY), centre(("idle", "voice"), begin=TODAY))
    async with served(*rows, process=planning_process) as world:
        assert await metrics(world) == {}
        world.schedules.apply(Shift(*SALES, ms(TODAY, 8) / 1000, ms(TODAY, 12) / 1000, 17))
        world.schedules.apply(
            Shift(*SALES, ms(TODAY, 8) / 1000, ms(TODAY, 12) / 1000, 17),
            Shift(*CARE, ms(TODAY, 8) / 1000, ms(TODAY, 12) / 1000, 3),
        )

        async def all_there() -> bool:
            return len(await metrics(world)) == 5

        async with kept_fresh(world):
            await until(all_there, PLANNED_S)
            for hour, shrinkage in ((11.0, 0.3), (11.75, 0.1)):
                defaults = {"zone": "Europe/Berlin", "shrinkage": shrinkage}
                world.targets = Targets.of(
                    {"defaults": defaults}
                )  # the metrics plan with what the route plans with
                world.now = ms(TODAY, hour) + 420_000
                world.rows.load(centre(SALES, now=world.now))
                _, _, forecast = await world.served.get("/v1/forecast?queue=sales")
                _, _, staffing = await world.served.get("/v1/staffing?queue=sales")
                start = f"T{int(hour)}:{round(hour % 1 * 60):02}"
                (thought,) = (r for r in forecast["rows"] if r["start"].startswith(f"{TODAY}{start}"))
                (line,) = (r for r in staffing["rows"] if r["start"].startswith(f"{TODAY}{start}"))
                expected = {
                    'cc_forecast_contacts{queue="sales",channel="voice"}': thought["reforecast"],
                    'cc_required_agents{queue="sales",channel="voice"}': line["required"],
                    'cc_required_at_work_agents{queue="sales",channel="voice"}': line["required_at_work"],
                    'cc_staffed_agents{queue="sales",channel="voice"}': 17,
                    'cc_staffed_agents{queue="care",channel="chat"}': 3,
                }

                async def same(expected: dict[str, float] = expected) -> bool:
                    return await metrics(world) == expected

                await until(same, PLANNED_S, f"the metrics of {hour}")
            world.now = ms(TODAY, 18)  # nothing was computed for now
            world.rows.down = True
            assert await metrics(world) == {}
            world.rows.down = False


# --- the command ---


async def test_the_command_plans_from_the_store_and_leaves_no_process_behind(redis_url: str) -> None:
    store = RedisStore(redis_url)
    await (await Owner.of(store)).commit(queued("a", "sales"))
    now = now_ms()
    rows = centre(SALES, begin=(datetime.now(UTC) - timedelta(weeks=9)).date(), now=now)
    await publish(store, rows)
    with Serve(redis_url) as serve:

        async def planned() -> bool:
            return (await serve.get("/v1/forecast?queue=sales"))[0] == 200

        await until(planned, 60)
        _, said = await serve.get("/v1/forecast?queue=sales&days=1")
        today = ms(datetime.now(UTC).date(), zone=ZoneInfo("UTC"))
        before = grid.build(learned(rows, SALES, today), 15, SpecialDays())
        points = {point.start.isoformat(): point.offered for point in ahead.forecast(before, SALES, 6).points}
        assert all(row["offered"] == points[row["start"]] for row in said["rows"])
        came = {row.start: row.offered for row in rows if row.final}
        assert [row["actual"] for row in said["rows"]] == [
            came.get(round(datetime.fromisoformat(row["start"]).timestamp()) * 1000) for row in said["rows"]
        ]
        status, said = await serve.get("/v1/staffing?queue=sales")
        assert (status, said["tz"], len(said["rows"])) == (200, "UTC", 96)

        async def exported() -> bool:
            return "cc_forecast_contacts" in {name for name, _ in await serve.metrics()}

        await until(exported, 60)
        assert serve._process
        parent = psutil.Process(serve._process.pid)
        everybody = parent.children(recursive=True)
        planning = [one for one in everybody if "spawn_main" in " ".join(one.cmdline())]
        assert [one.nice() for one in planning] == [parent.nice() + NICE]
        serve._signal(signal.SIGTERM)
        assert await asyncio.to_thread(serve.ended) == 0
        _, alive = psutil.wait_procs(everybody, timeout=10)
        assert alive == []
    await store.close()


async def test_it_ends_although_what_it_waits_for_swallows_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Redis client may make an error of a cancellation."""
    world, begun = World(centre(SALES)), asyncio.Event()

    async def swallow(*_: object) -> object:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        raise BusyError("the connection broke")

    monkeypatch.setattr(world.planner, "marks", swallow)
    task = asyncio.create_task(world.planner.run())
    await begun.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5)
    assert done
    assert task.cancelled()
    await world.planner.close()
