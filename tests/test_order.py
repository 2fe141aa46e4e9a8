"""Each worker begins with its part of the long tests, and none is lost."""

from hypothesis import given, strategies as st

from tests.order import longest_first


@given(st.integers(1, 8), st.sets(st.integers(0, 199), max_size=8), st.integers(64, 200))
def test_each_worker_begins_with_long_ones(workers: int, chosen: set[int], count: int) -> None:
    long = {n for n in chosen if n < count}
    ordered = longest_first([*range(count)], lambda n: 0 if n in long else 1 + n % 2, workers)
    assert sorted(ordered) == [*range(count)]
    start, begun = 0, set()
    for worker in range(workers):
        share = -(-(len(long) - worker) // workers)
        begun |= {*ordered[start : start + max(share, 0)]}
        start += (count - start) // (workers - worker)
    assert begun == long


@given(st.integers(1, 5), st.lists(st.integers(0, 3), max_size=60))
def test_in_each_share_the_longer_come_first_and_neighbours_stay_together(
    workers: int, ranks: list[int]
) -> None:
    ordered = longest_first([*range(len(ranks))], ranks.__getitem__, workers)
    assert sorted(ordered) == [*range(len(ranks))]
    start = 0
    for worker in range(workers):
        end = start + (len(ranks) - start) // (workers - worker)
        share = ordered[start:end]
        start = end
        filled = {rank: [n for n in share if ranks[n] == rank] for rank in range(1, 4)}
        for rank, mine in filled.items():
            of = [n for n in range(len(ranks)) if ranks[n] == rank]
            assert mine == [] or mine == of[of.index(mine[0]) : of.index(mine[0]) + len(mine)]
