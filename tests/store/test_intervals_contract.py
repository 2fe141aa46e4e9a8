"""What every reader of interval rows keeps to; ``model.ports.Intervals`` says it in words. In memory and on each Redis."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.model.ports import Intervals
from stream_app.store.intervals.memory import MemoryIntervals

from .backends import P0, P1
from .hand import HOUR, T0
from .office import Office, Traffic

EVER = 4_000_000_000_000


@pytest.fixture
async def published(office: Office) -> list[IntervalRow]:
    """Some days of traffic, published round by round, so that rows were revised, and the last ones are open."""
    publisher, traffic = office.publisher(), Traffic(office, Random(7), jump_s=30_000)
    for _ in range(40):
        await traffic.step()
        office.clock = traffic.now + HOUR
        await office.beat(traffic.now, P0, P1)
        await publisher.round()
    return await office.rows()


@pytest.fixture(params=["memory", "redis"])
async def intervals(
    request: pytest.FixtureRequest, office: Office, published: list[IntervalRow]
) -> Intervals:
    return MemoryIntervals(published) if request.param == "memory" else office.reader


def chosen(
    rows: Sequence[IntervalRow], queues: set[str] | None, channels: set[str] | None
) -> list[IntervalRow]:
    return [
        row
        for row in rows
        if (queues is None or row.queue in queues) and (channels is None or row.channel in channels)
    ]


async def test_the_fixture_has_all_kinds_of_rows(published: list[IntervalRow]) -> None:
    assert {row.final for row in published} == {True, False}
    assert max(row.version for row in published) > 1, "some were revised"
    assert len({row.start // DAY for row in published}) > 2
    assert len({(row.queue, row.channel) for row in published}) > 2


async def test_rows_begin_in_the_stretch_in_the_order_of_queue_channel_and_time(
    intervals: Intervals, published: list[IntervalRow]
) -> None:
    ordered = sorted(published, key=lambda row: (row.queue, row.channel, row.start))
    assert await intervals.rows(0, EVER) == ordered
    random = Random(1)
    names = sorted({row.queue for row in published}), sorted({row.channel for row in published})
    for _ in range(60):
        begin = T0 + random.randrange(-DAY, 5 * DAY)
        end = begin + random.choice([0, 1, INTERVAL_MS, HOUR, DAY, 3 * DAY])
        queues, channels = (
            random.choice([None, set(), {"nobody"}, {of[0]}, {*of, "nobody"}, {random.choice(of)}])
            for of in names
        )
        expected = [row for row in chosen(ordered, queues, channels) if begin <= row.start < end]
        assert await intervals.rows(begin, end, queues, channels) == expected


async def test_changes_come_in_the_order_of_their_revisions_as_many_as_are_asked_for(
    intervals: Intervals, published: list[IntervalRow]
) -> None:
    final = sorted((row for row in published if row.final), key=lambda row: row.revision)
    assert await intervals.newest() == final[-1].revision
    assert await intervals.since(0, 100_000) == final
    assert await intervals.since(final[-1].revision, 10) == []
    random = Random(2)
    names = sorted({row.queue for row in published})
    for _ in range(40):
        revision = random.choice([0, *(row.revision + by for row in final for by in (-1, 0))])
        limit, queues = (
            random.choice([1, 2, 7, 1_000]),
            random.choice([None, {"nobody"}, {random.choice(names)}]),
        )
        expected = [row for row in chosen(final, queues, None) if row.revision > revision][:limit]
        assert await intervals.since(revision, limit, queues) == expected


async def test_whoever_goes_on_from_the_last_revision_misses_nothing_and_gets_nothing_twice(
    intervals: Intervals, published: list[IntervalRow]
) -> None:
    seen: list[IntervalRow] = []
    while some := await intervals.since(seen[-1].revision if seen else 0, 3):
        seen += some
    assert seen == sorted((row for row in published if row.final), key=lambda row: row.revision)


async def test_the_state_is_another_one_after_a_change(
    office: Office, published: list[IntervalRow], intervals: Intervals
) -> None:
    before = await intervals.state()
    assert await intervals.state() == before
    if isinstance(intervals, MemoryIntervals):
        intervals.put(published[-1])
    else:
        traffic = Traffic(office, Random(8), jump_s=1)
        traffic.at = 10 * 86_400
        await traffic.step()
        await office.publisher().round()
        office.end_lease()
        await office.publisher().round()
    assert await intervals.state() != before


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_without_rows_there_is_nothing(office: Office, kind: str) -> None:
    empty: Intervals = MemoryIntervals() if kind == "memory" else office.reader
    assert await empty.rows(0, EVER) == []
    assert await empty.since(0, 10) == []
    assert await empty.newest() == 0
