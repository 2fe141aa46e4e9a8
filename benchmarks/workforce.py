"""A day's plan for 200 queues by 15-minute intervals, on one core, beside the search that tries every number of agents."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from math import pi, sin
from random import Random
from statistics import median
from typing import Final

from stream_app.model.targets import Targets
from stream_app.workforce import erlang
from stream_app.workforce.plan import Assumptions, plan
from stream_app.workforce.required import Demand, Goals, required
from stream_app.workforce.volumes import Volume

from .figures import Figure

QUEUES: Final = 200
INTERVALS: Final = 96
PROMISED_S: Final = 2.0
ROUNDS: Final = 3
LARGE: Final = 10_000.0


def measure() -> list[Figure]:
    """Seconds of processor for a whole plan by Erlang A; and of Erlang C's search against the usual one, in the same run."""
    rows = _day()
    seconds = median(_seconds(lambda: plan(rows, Targets(), Assumptions())) for _ in range(ROUNDS))
    demands = [Demand.of(row.offered, row.minutes, row.handle_s or 1) for row in rows]
    goals = Goals(20, 0.8)
    for demand in demands[:INTERVALS]:
        if required(demand, goals) != _linear(demand, goals):
            raise AssertionError(f"{demand}: the two searches disagree")
    pairs = [
        (
            _seconds(lambda: [required(demand, goals) for demand in demands]),
            _seconds(lambda: [_linear(demand, goals) for demand in demands]),
        )
        for _ in range(ROUNDS)
    ]
    large = Demand(LARGE, 180)
    large_pairs = [
        (_seconds(lambda: required(large, goals)), _seconds(lambda: _linear(large, goals)))
        for _ in range(ROUNDS)
    ]
    return [
        _figure("staffing_seconds_200_queues_96_intervals", [(seconds, PROMISED_S)]),
        _figure("staffing_erlang_c_search_seconds", pairs),
        _figure("staffing_erlang_c_search_seconds_10000_erlang", large_pairs),
    ]


def _figure(name: str, pairs: list[tuple[float, float]]) -> Figure:
    ours, theirs = (median(side) for side in zip(*pairs, strict=True))
    return Figure(name, round(ours, 5), "s", round(theirs, 5), round(median(a / b for a, b in pairs), 3))


def _seconds(work: object) -> float:
    assert callable(work)
    started = time.process_time()
    work()
    return time.process_time() - started


def _linear(demand: Demand, goals: Goals) -> int:
    """As it is usually written: the recursion from one agent on for each number of agents that is tried, one by one."""
    if demand.load == 0:
        return 0
    agents = erlang.fewest(demand.load)
    while True:
        inverse = 1.0
        for n in range(1, agents + 1):
            inverse = 1 + inverse * n / demand.load
        if goals.met(erlang.reach(agents, demand.load, demand.handle_s, goals.within_s, inverse=inverse)):
            return agents
        agents += 1


def _day() -> list[Volume]:
    """Two hundred queues of one to seventy Erlang at their peak, a little at night."""
    chance = Random(1)
    midnight = datetime(2026, 1, 5, tzinfo=UTC)
    rows = []
    for n in range(QUEUES):
        peak, handle_s = chance.uniform(5, 80), chance.uniform(180, 480)
        for i in range(INTERVALS):
            shape = 0.1 + max(0.0, sin(pi * (i - 24) / 60)) if 24 <= i < 84 else 0.02
            offered = round(peak * shape * chance.uniform(0.8, 1.2))
            start = midnight + timedelta(minutes=15 * i)
            rows.append(
                Volume(start, 15, f"queue-{n:03}", "voice", offered, offered, offered * handle_s, 0, 0)
            )
    return rows
