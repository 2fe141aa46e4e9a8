"""A generated day has one set of numbers, however its events are spread, repeated, cut and interleaved."""

from collections import Counter
from itertools import pairwise
from random import Random
from zlib import crc32

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.model.events import Event, key
from stream_app.model.fold.cells import roll_up
from stream_app.model.fold.deltas import Memory
from stream_app.model.fold.fold import Fold
from stream_app.model.targets import Targets
from stream_app.simulation import Centre, centre
from tests.simulation.worlds import HOUR, MINUTE, MONDAY

Numbers = Counter[tuple[int, int, str, str, int]]
"""(resolution, bucket, queue, channel, counter or bucket of a sketch) → sum"""
LATENESS = 2 * MINUTE
"""An event that comes later than this is counted as late."""


@pytest.fixture(scope="module")
def day() -> list[Event]:
    start = MONDAY + 9 * HOUR
    return list(Centre(centre(1.5), seed=3).events(start, start + 2 * HOUR))


def numbers(
    events: list[tuple[int, Event]], partitions: int, cuts: list[int], targets: Targets | None = None
) -> Numbers:
    """Each partition by itself, started anew at every cut, and added up as a reader does; events with their arrival."""
    out: Numbers = Counter()
    for partition in range(partitions):
        mine = [(at, event) for at, event in events if crc32(key(event).encode()) % partitions == partition]
        memory = Memory()
        for first, end in pairwise(sorted({0, len(mine), *(cut % (len(mine) + 1) for cut in cuts)})):
            fold = Fold(targets or Targets(), memory=memory)
            for at, event in mine[first:end]:
                fold.record(event, at)
            memory = fold.state
            for (resolution, (bucket, *place)), cell in roll_up(fold.take().cells, lambda *_: False).items():
                for number, n in cell.items():
                    out[resolution, bucket, place[0], place[1], number] += n
    return Counter({place: n for place, n in out.items() if n})


@pytest.mark.slow
@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**32),
    partitions=st.integers(1, 7),
    cuts=st.lists(st.integers(0, 10**6), max_size=4),
    repeated=st.floats(0, 0.3),
)
def test_the_numbers_are_those_of_the_events(
    day: list[Event], seed: int, partitions: int, cuts: list[int], repeated: float
) -> None:
    rng = Random(seed)
    delays = {key(event): rng.randrange(LATENESS) for event in day}
    told = [(event.at + delays[key(event)], event) for event in day]  # each contact's events in their order
    again = [(at + rng.randrange(20 * MINUTE), event) for at, event in told if rng.random() < repeated]
    arrived = sorted([*told, *again], key=lambda one: one[0])
    assert numbers(arrived, partitions, cuts) == numbers([(event.at, event) for event in day], 1, [])


def test_the_day_has_something_to_count(day: list[Event]) -> None:
    found = numbers([(event.at, event) for event in day], 1, [])
    assert len(day) > 5_000
    assert len({(queue, channel) for _, _, queue, channel, _ in found}) >= 6
    assert len({number for *_, number in found if number < 512}) > 40
