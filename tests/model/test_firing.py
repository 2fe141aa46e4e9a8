"""The life of an alert: the same as Prometheus's, evaluation by evaluation."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from hypothesis import given, strategies as st

from stream_app.model.alerting.firing import EVALUATED, Firing, firings, pieces, spans
from stream_app.model.alerting.judging import BEGINS, CONTINUES, SILENT
from stream_app.model.alerting.local_hours import LocalHours
from stream_app.model.targets.calendars import Hours
from stream_app.model.targets.hours import Calendar

STATES = st.sampled_from([BEGINS, CONTINUES, SILENT])
LENGTHS = st.integers(1, 12)
DURATIONS = st.integers(0, 20)
MINUTE = 60_000


def by_ticks(states: list[int], hold: int, keep: int) -> Iterator[Firing]:
    """Each evaluation by itself, as it is documented: pending, firing for a while, and kept for a while."""
    active = lost = fired = None
    for tick, state in enumerate(states):
        if state == BEGINS or (state == CONTINUES and fired is not None):
            lost = None
            active = tick if active is None else active
            if fired is None and tick - active >= hold:
                fired = tick
            continue
        active = None
        if fired is None:
            continue
        lost = tick if lost is None else lost
        if tick - lost >= keep:
            yield Firing(fired * EVALUATED, tick * EVALUATED)
            fired = lost = None
    if fired is not None:
        yield Firing(fired * EVALUATED, len(states) * EVALUATED, over=False)


@given(st.lists(st.tuples(LENGTHS, STATES), max_size=30), DURATIONS, DURATIONS)
def test_the_same_as_evaluation_by_evaluation(parts: list[tuple[int, int]], hold: int, keep: int) -> None:
    ticks = [state for length, state in parts for _ in range(length)]
    at, joined = 0, []
    for length, state in parts:
        joined.append((at * EVALUATED, (at + length) * EVALUATED, state))
        at += length
    assert firings(joined, hold * EVALUATED, keep * EVALUATED) == [*by_ticks(ticks, hold, keep)]


def test_a_hold_between_two_evaluations_is_over_at_the_next() -> None:
    (found,) = firings([(0, 10 * MINUTE, BEGINS)], 45_000, 0)
    assert found == Firing(MINUTE, 10 * MINUTE, over=False)


@given(
    st.lists(STATES | st.none(), min_size=2, max_size=20),
    st.lists(st.integers(0, 300), max_size=12, unique=True),
)
def test_pieces_cover_the_time_and_are_silent_outside(states: list[int | None], edges: list[int]) -> None:
    within = [(a * MINUTE, b * MINUTE) for a, b in [*pairwise(sorted(edges))][::2]]
    found = [*pieces(states, 15 * MINUTE, 15 * MINUTE, within)]
    assert found[0][0] == 15 * MINUTE
    assert found[-1][1] == len(states) * 15 * MINUTE
    assert all(one[1] == other[0] and one[0] < one[1] for one, other in pairwise(found))
    for start, end, state in found:
        for at in range(start, end, MINUTE):
            inside = any(a <= at < b for a, b in within)
            assert state == ((states[at // (15 * MINUTE) - 1] or SILENT) if inside else SILENT)


def test_hours_of_both_kinds_are_spans() -> None:
    week = {"mon": ("08:00-12:00", "13:00-17:00"), "tue": ("00:00-24:00",), "wed": ("00:00-01:30",)}
    local = LocalHours(Hours("UTC", week))
    calendar = Calendar(
        "UTC",
        {0: [(480, 720), (780, 1020)], 1: [(0, 1440)], 2: [(0, 90)]},
        holidays=[date(2026, 1, 12)],
    )
    monday = 1_767_571_200_000
    end = monday + 7 * 24 * 60 * MINUTE
    hour = 60 * MINUTE
    wanted = [(8 * hour, 12 * hour), (13 * hour, 17 * hour), (24 * hour, 49 * hour + 30 * MINUTE)]
    expected = [(monday + a, monday + b) for a, b in wanted]
    assert [*spans(local, monday, end)] == expected == [*spans(calendar, monday, end)]
