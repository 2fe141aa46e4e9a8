"""Each worker begins with its part of the long tests, and none is lost."""

from hypothesis import given, strategies as st

from tests.order import longest_first


@given(st.integers(1, 8), st.sets(st.integers(0, 199), max_size=8), st.integers(64, 200))
def test_each_worker_begins_with_long_ones(workers: int, chosen: set[int], count: int) -> None:
    long = {n for n in chosen if n < count}
    ordered = longest_first([*range(count)], long.__contains__, workers)
    assert sorted(ordered) == [*range(count)]
    start, begun = 0, set()
    for worker in range(workers):
        share = -(-(len(long) - worker) // workers)
        begun |= {*ordered[start : start + max(share, 0)]}
        start += (count - start) // (workers - worker)
    assert begun == long
