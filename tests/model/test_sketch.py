"""Percentiles: the stated error holds for every duration, and sketches add up."""

from collections import Counter
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, strategies as st

from stream_app.model.sketch import BUCKETS, RELATIVE_ERROR, bucket, estimate, quantile
from tests.reference import ratios
from tests.reference.counters import sketch_bucket

THIRTY_DAYS = 30 * 86_400_000
durations = st.one_of(
    st.integers(1, THIRTY_DAYS),
    st.integers(0, 400).map(lambda n: int(2 ** (n / 16))),  # around the bounds
    st.integers(1, 5_000),
)
quantiles = st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0])


@given(durations)
def test_the_stated_error_holds(duration: int) -> None:
    assert abs(estimate(bucket(duration)) - duration) <= RELATIVE_ERROR * duration * (1 + 1e-12)


@given(st.integers(0, 2**70))
def test_the_bucket_is_exact(duration: int) -> None:
    assert bucket(duration) == sketch_bucket(duration)


def test_every_bound_is_exact_on_both_sides() -> None:
    for index in range(BUCKETS - 1):
        bound = int(2 ** (index / 16))
        for duration in range(max(0, bound - 2), bound + 3):
            assert bucket(duration) == sketch_bucket(duration)


@given(st.lists(durations, min_size=1, max_size=200), quantiles)
def test_against_the_exact_value_of_that_rank(values: list[int], q: float) -> None:
    exact = sorted(values)[max(1, ceil(q * len(values))) - 1]
    found = quantile(q, Counter(map(bucket, values)))
    assert found is not None
    assert abs(found - exact) <= RELATIVE_ERROR * exact * (1 + 1e-12)


@given(st.lists(st.lists(durations, max_size=60), max_size=6), quantiles)
def test_a_merge_of_sketches_is_the_sketch_of_all_values(parts: list[list[int]], q: float) -> None:
    merged: Counter[int] = Counter()
    for part in parts:
        merged.update(Counter(map(bucket, part)))
    assert quantile(q, merged) == quantile(q, Counter(bucket(d) for part in parts for d in part))


@given(st.dictionaries(st.integers(0, 511), st.integers(1, 10_000), max_size=40), st.integers(1, 100))
def test_as_the_independent_reading_has_it(counts: dict[int, int], percent: int) -> None:
    assert quantile(percent / 100, counts) == ratios.quantile(counts, Fraction(percent / 100))


@pytest.mark.parametrize("counts", [{}, {5: 0}])
def test_nothing_measured_is_no_data(counts: dict[int, int]) -> None:
    assert quantile(0.5, counts) is None


def test_the_ends() -> None:
    assert (bucket(-5), bucket(0), bucket(1), bucket(2**63)) == (0, 0, 0, BUCKETS - 1)
    assert quantile(0, {3: 1, 9: 1}) == estimate(3)
    assert quantile(1, {3: 1, 9: 1}) == estimate(9)
