"""The algebra: sums add up, ratios of nothing are no data, and one expression has three readings."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from stream_app.model.facts import Answered, Offered
from stream_app.model.kpis import KPIS
from stream_app.model.kpis.measures import Choice, Level, Ratio, Unit, percentile
from stream_app.model.kpis.sums import Sum, count, total

a = count("a", Answered, where="in_target")
b = count("b", Answered)
c = total("c", Offered, "at")
sums = st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**12))


def fact() -> Answered:
    return Answered(0, 0, 5, in_target=True)


@given(sums, sums)
def test_a_sum_of_sums_is_the_sum_of_both(first: dict[str, int], second: dict[str, int]) -> None:
    both = {name: first.get(name, 0) + second.get(name, 0) for name in {*first, *second}}
    for measure in (a + b, a - b, a + b - c, Sum.of(c), Sum.of(a + b)):
        assert measure.value(both) == measure.value(first) + measure.value(second)


@given(sums)
def test_terms_are_added_and_subtracted(held: dict[str, int]) -> None:
    value = {name: held.get(name, 0) for name in "abc"}
    assert (a + b - c).value(held) == value["a"] + value["b"] - value["c"]
    assert (a - b + c).value(held) == value["a"] - value["b"] + value["c"]


@pytest.mark.parametrize("held", [{}, {"a": 3}, {"a": 3, "b": 0}, {"b": -1}])
def test_nothing_to_divide_by_is_no_data(held: dict[str, int]) -> None:
    assert Ratio(a, b).value(held) is None


@pytest.mark.parametrize(
    "kpi", [k for k in KPIS if isinstance(k.measure, Ratio | Choice)], ids=lambda k: k.name
)
def test_no_kpi_shows_a_number_without_data(kpi: Any) -> None:
    ratios = kpi.measure.options.values() if isinstance(kpi.measure, Choice) else [kpi.measure]
    for ratio in ratios:
        assert ratio.value({}) is None
        assert ratio.samples({}) == 0


def test_a_share_of_none_is_zero_not_nothing() -> None:
    assert Ratio(a, b).value({"b": 4}) == 0.0


def test_one_expression_reads_as_text_and_as_a_list_of_counters() -> None:
    ratio = Ratio(a + b, b - c)
    assert str(ratio) == "(a + b) / (b - c)"
    assert str(Ratio(a, Sum.of(b))) == "a / b"
    assert str(Ratio(a - b, c, times=100)) == "100 * (a - b) / c"
    assert ratio.counters == (a, b, b, c)
    choice = Choice({"x": Ratio(a, b), "y": ratio}, default="x")
    assert str(choice) == "a / b"
    assert set(choice.counters) == {a, b, c}
    assert Level("oldest").counters == ()


def test_counters_take_what_they_are_told_to() -> None:
    late = count("late", Answered, where=("in_target", False))
    waits = total("waits", Answered, "wait", "queued_at")
    assert [part.amount(fact()) for part in (a, b, late, waits)] == [1, 1, 0, 5]


def test_a_counter_of_a_field_that_its_fact_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Answered has no field 'talk'; it has at, queued_at, wait"):
        total("talks", Answered, "talk")


def test_units_turn_stored_sums_into_base_units() -> None:
    assert {unit.name: (unit.suffix, unit.parts) for unit in Unit} == {
        "RATIO": ("ratio", 1),
        "GRADE": ("ratio", 10_000),
        "SECONDS": ("seconds", 1000),
        "CONTACTS": ("contacts", 1),
        "POINTS": ("points", 1),
        "SCORE": ("score", 1000),
        "TIMES": ("times", 1),
        "AMOUNT": ("amount", 10_000),
    }
    assert percentile(0.5, {}) is None
    assert percentile(0.5, {160: 1}) == pytest.approx(2**10 / 1000, rel=0.022)
