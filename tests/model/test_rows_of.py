"""From counters to rows: zeros where nobody came, the depth of the queue, and finality."""

from __future__ import annotations

from hypothesis import given, strategies as st

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.model.durations import MINUTE
from stream_app.model.fold.fold import Fold
from stream_app.model.intervals.columns import FLOW, INTERVAL_MS, PLACES, IntervalRow
from stream_app.model.intervals.counting import Amounts, add_amounts
from stream_app.model.intervals.row import ACTIVE, depths, rows_of
from stream_app.model.targets import Targets
from tests.reference import traffic
from tests.simulation.worlds import Record

MONDAY = 1_767_571_200_000
GRACE = 900_000


def rows(counted: dict[int, Amounts], read_until: int) -> list[IntervalRow]:
    """By the number of their quarter since Monday."""
    at = {MONDAY + n * INTERVAL_MS: amounts for n, amounts in counted.items()}
    return rows_of(("q", "voice"), at, MONDAY + read_until * INTERVAL_MS, GRACE)


@given(st.lists(st.integers(-3, 3), max_size=15), st.integers(0, 9))
def test_the_deepest_is_the_largest_of_the_start_and_the_ends_of_minutes(
    flows: list[int], start: int
) -> None:
    every = [start + sum(flows[:n]) for n in range(len(flows) + 1)]
    assert depths(flows, start) == (max(every), every[-1])


def test_a_quarter_in_which_nobody_came_is_a_row_of_zeros_in_which_those_before_still_wait() -> None:
    found = rows({0: {PLACES["offered"]: 3, FLOW + 1: 3, FLOW + 14: -1}, 3: {FLOW: -2}}, 3)
    assert [(row.start - MONDAY) // INTERVAL_MS for row in found] == [0, 1, 2, 3]
    assert [(row.backlog_start, row.backlog_max) for row in found] == [(0, 3), (2, 2), (2, 2), (2, 2)]
    assert [row.offered for row in found] == [3, 0, 0, 0]
    assert {row.missing for row in found} == {0}


def test_rows_go_on_until_the_records_end_and_are_final_a_grace_behind_their_own_end() -> None:
    found = rows({0: {PLACES["offered"]: 1, FLOW: 1}}, 4)
    assert [row.final for row in found] == [True, True, True, False, False]
    assert [(row.version, row.revision) for row in found[2:4]] == [(1, 0), (0, 0)]


def test_a_queue_that_nobody_came_to_for_five_weeks_has_no_rows_until_somebody_does() -> None:
    weeks = ACTIVE // INTERVAL_MS
    found = rows(
        {0: {PLACES["offered"]: 1, FLOW: 1}, weeks + 50: {PLACES["offered"]: 1, FLOW: 1}}, weeks + 50
    )
    numbers = [(row.start - MONDAY) // INTERVAL_MS for row in found]
    assert numbers == [*range(weeks + 1), weeks + 50]
    assert (found[-1].backlog_start, found[-1].backlog_max) == (1, 2)


def test_what_is_counted_behind_the_end_of_the_records_has_its_row() -> None:
    found = rows({0: {PLACES["offered"]: 1}, 2: {PLACES["handled"]: 1}}, 0)
    assert [row.handled for row in found] == [0, 0, 1]


@given(st.integers(0, 20), st.integers(1, 60))
def test_rows_of_traffic_add_up_and_the_backlog_runs_through_them(seed: int, contacts: int) -> None:
    """Of each row: offered is answered, abandoned, left, lost and waiting; its end's backlog is the next one's start."""
    fold, places = Fold(Targets()), dict[tuple[str, str], dict[int, Amounts]]()
    records = [
        Record(offset, timestamp, value)
        for offset, (_, value, timestamp) in enumerate(traffic.traffic(seed, contacts, rate=0.01))
    ]
    deltas = fold_records(fold, records, None, decode).deltas
    for (start, queue, channel), amounts in deltas.rows.items():
        add_amounts(places.setdefault((queue, channel), {}).setdefault(start, {}), amounts)
    waiting = 0
    for place, counted in places.items():
        found = rows_of(place, counted, fold.state.time, GRACE)
        depth = 0
        for row in found:
            assert row.waiting >= 0
            assert row.backlog_start == depth
            flows = [
                counted.get(row.start, {}).get(FLOW + minute, 0) for minute in range(INTERVAL_MS // MINUTE)
            ]
            deepest, depth = depths(flows, depth)
            assert row.backlog_max == deepest >= depth
        assert depth == sum(row.waiting for row in found), "who is in the queue in the end waits in some row"
        waiting += depth
    open_visits = [visit for visits in fold.state.open.values() for visit in visits]
    assert waiting <= len(open_visits)
