"""The band of the expected wait holds what it promises, in queues that are simulated contact by contact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf, log, sqrt
from random import Random

import pytest

from stream_app.model.live.expected_wait import NO_WAIT, ExpectedWait, StaffThere, expected_wait

HANDLE_S = 300.0
CALLS = 9_000


@dataclass
class Caller:
    """One who waits: since when, how long at most, and what was expected then."""

    came: float
    gives_up: float
    expected: ExpectedWait
    average: float


def patient_callers(
    seed: int, agents: int, load: float, varies: float, patience_s: float
) -> Iterator[tuple[Caller, float]]:
    """Yield callers who had to wait and would never give up, each with the wait: every tenth is one."""
    random = Random(seed)
    spread = sqrt(log(1 + varies**2))
    rate = agents * load / HANDLE_S
    busy: list[float] = []
    line: list[Caller] = []
    calls, comes = 0, 0.0

    def work(since: float) -> None:
        heappush(busy, since + random.lognormvariate(log(HANDLE_S) - spread**2 / 2, spread))

    while calls < CALLS:
        now = min(comes, busy[0] if busy else inf)
        line = [one for one in line if one.gives_up > now]
        if now < comes:
            heappop(busy)
            if line:
                first = line.pop(0)
                work(now)
                if first.gives_up == inf:
                    yield first, now - first.came
            continue
        calls, comes = calls + 1, now + random.expovariate(rate)
        if len(busy) < agents:
            work(now)
            continue
        expected = expected_wait(len(line), StaffThere(agents, 0, HANDLE_S, patience_s))
        assert expected is not None
        gives_up = inf if random.random() < 0.1 else now + random.expovariate(1 / patience_s)
        average = sum(now - one.came for one in line) / len(line) if line else 0.0
        line.append(Caller(now, gives_up, expected, average))


@pytest.mark.parametrize("load", [0.85, 1.0, 1.3])
def test_the_band_holds_four_waits_of_five_and_is_nearer_than_the_average_wait_now(load: float) -> None:
    waits = [
        found
        for agents in (4, 12, 40)
        for varies in (0.6, 1.1)
        for patience_s in (150, 400)
        for found in patient_callers(agents, agents, load, varies, patience_s)
    ]
    held = sum(caller.expected.low <= wait <= caller.expected.high for caller, wait in waits) / len(waits)
    error = sum(abs(caller.expected.mean - wait) for caller, wait in waits)
    by_average = sum(abs(caller.average - wait) for caller, wait in waits)
    print(f"load {load}: {held:.1%} of {len(waits):,} waits, error {error / by_average:.2f} of the average's")  # noqa: T201
    assert 0.75 <= held <= 0.85
    assert error < by_average


def test_who_finds_somebody_available_does_not_wait() -> None:
    assert expected_wait(2, StaffThere(10, 3, HANDLE_S)) == NO_WAIT
    waits = expected_wait(3, StaffThere(10, 3, HANDLE_S))
    assert waits is not None
    assert waits.mean == HANDLE_S / 10


def test_where_nobody_is_there_it_is_not_known() -> None:
    assert expected_wait(0, StaffThere(0, 0, HANDLE_S)) is None


def test_more_agents_wait_less_and_a_longer_line_waits_more() -> None:
    few, many = (expected_wait(5, StaffThere(agents, 0, HANDLE_S, 200)) for agents in (3, 30))
    longer = expected_wait(6, StaffThere(3, 0, HANDLE_S, 200))
    assert few is not None
    assert many is not None
    assert longer is not None
    assert many.mean < few.mean < longer.mean
    assert few.low < few.mean < few.high
