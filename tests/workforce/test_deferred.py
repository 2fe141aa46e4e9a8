"""Work with deadlines: everything in time with the people it asks for, and nothing made or lost."""

import pytest
from hypothesis import given, strategies as st

from stream_app.workforce.deferred import Work, people, worked_off

INTERVAL_MS = 900.0


def steady(intervals: int, amount: float, deadline: float) -> list[Work]:
    return [Work(i, amount, i * INTERVAL_MS + deadline) for i in range(intervals)]


def test_one_person_s_work_all_day_needs_one_person() -> None:
    assert people(steady(8, INTERVAL_MS, INTERVAL_MS), [INTERVAL_MS] * 8) == [1] * 8


def test_a_tenth_of_a_person_is_one_now_and_then() -> None:
    counts = people(steady(96, INTERVAL_MS / 10, 16 * INTERVAL_MS), [INTERVAL_MS] * 96)
    assert sum(counts) == 10
    assert max(counts) == 1


def test_a_morning_s_heap_is_worked_off_evenly() -> None:
    """Eight hours of work are there at first and due in four hours: two people, not eight in the first hour."""
    counts = people([Work(0, 8 * 3600, 4 * 3600)], [3600.0] * 6, slack=0)
    assert counts == [2, 2, 2, 2, 0, 0]


def test_what_is_due_first_is_done_first() -> None:
    late, urgent = Work(0, 3600, 3 * 3600), Work(1, 3600, 2 * 3600)
    assert people([late, urgent], [3600.0] * 3, slack=0) == [0, 1, 1]  # the urgent one as soon as it comes
    done, worked = worked_off([Work(0, 7200, 4 * 3600), urgent], [3600.0] * 3, [1, 1, 1])
    assert [d.in_time for d in done] == [7200, 3600]
    assert worked == [3600, 3600, 3600]


def test_too_few_people_are_late_and_leave_work() -> None:
    done, worked = worked_off([Work(0, 7200, 3600), Work(0, 7200, 9000)], [3600.0] * 3, [1, 0, 2])
    assert [(d.in_time, d.late, d.left) for d in done] == [(3600, 3600, 0), (0, 5400 - 1800, 3600)]
    assert worked == [3600, 0, 7200]


def test_nothing_to_do_needs_nobody() -> None:
    assert people([], [INTERVAL_MS] * 3) == [0, 0, 0]
    assert people([Work(1, 0, 0)], [INTERVAL_MS] * 3) == [0, 0, 0]
    done, _ = worked_off([Work(1, 0, 0)], [INTERVAL_MS] * 3, [1, 1, 1])
    assert done[0].wait_s is None


@pytest.mark.parametrize("work", [Work(3, 1, 1), Work(-1, 1, 1), Work(0, -1, 1), Work(0, float("nan"), 1)])
def test_work_without_meaning_is_refused(work: Work) -> None:
    with pytest.raises(ValueError, match="interval"):
        people([work], [INTERVAL_MS] * 3)


work = st.lists(
    st.builds(
        Work,
        interval=st.integers(0, 11),
        amount=st.floats(0, 20_000),
        due=st.floats(0, 30_000),
    ),
    max_size=25,
)
lengths = st.lists(st.sampled_from([900.0, 1800.0, 3600.0]), min_size=12, max_size=12)


@given(work=work, lengths=lengths, slack=st.floats(0, 0.9))
def test_everything_is_done_by_its_deadline_and_by_the_end(
    work: list[Work], lengths: list[float], slack: float
) -> None:
    counts = people(work, lengths, slack)
    done, worked = worked_off(work, lengths, counts)
    for piece, what in zip(work, done, strict=True):
        assert what.left == pytest.approx(0, abs=1e-5)
        # What is due within its own interval, or within a part of one, is due at that interval's end.
        assert what.in_time + what.late == pytest.approx(piece.amount, abs=1e-5)
    ends = [sum(lengths[: n + 1]) for n in range(len(lengths))]
    for n, end in enumerate(ends):
        due = sum(
            piece.amount
            for piece in work
            if max(piece.due, ends[piece.interval]) <= end or n == len(ends) - 1
        )
        assert sum(worked[: n + 1]) >= due - 1e-3
    assert sum(worked) == pytest.approx(sum(piece.amount for piece in work), abs=1e-3)


@given(work=work, lengths=lengths)
def test_one_deadline_for_all_is_kept(work: list[Work], lengths: list[float]) -> None:
    """Where deadlines lie on the ends of intervals, all of the work is in time, not only enough of it."""
    ends = [sum(lengths[: n + 1]) for n in range(len(lengths))]
    on_ends = [
        Work(w.interval, w.amount, max(ends[w.interval], max((e for e in ends if e <= w.due), default=0.0)))
        for w in work
    ]
    done, _ = worked_off(on_ends, lengths, people(on_ends, lengths, 0))
    for what in done:
        assert what.in_time == pytest.approx(what.amount, abs=1e-3)


@given(work=work, lengths=lengths, counts=st.lists(st.integers(0, 6), min_size=12, max_size=12))
def test_nothing_is_made_or_lost(work: list[Work], lengths: list[float], counts: list[int]) -> None:
    done, worked = worked_off(work, lengths, counts)
    for what in done:
        assert what.in_time + what.late + what.left == pytest.approx(what.amount, abs=1e-6)
        assert what.wait_s is None or what.wait_s >= 0
    assert sum(worked) == pytest.approx(sum(d.in_time + d.late for d in done), abs=1e-3)
    for seconds, count, length in zip(worked, counts, lengths, strict=True):
        assert seconds <= count * length + 1e-6
