"""Erlang B and C: published values, exact fractions, a played queue, limits, and loads that overflow a factorial."""

from fractions import Fraction
from math import factorial, inf, isfinite

import pytest
from hypothesis import given, strategies as st

from stream_app.workforce import erlang

from .chains import played, states

loads = st.floats(0.01, 300)


# --- published ---


def test_the_example_of_the_r_package_erlangc() -> None:
    """CRAN's ErlangC 0.1.0 (2024), README: 100 calls in 30 minutes of 180 s, T = 20 s, 14 agents; and 11 of them."""
    reached = erlang.reach(14, 100 * 180 / 1800, 180, 20)
    assert reached.waits == pytest.approx(0.1741319, abs=5e-8)
    assert reached.service_level("answered_of_offered") == pytest.approx(0.88835, abs=5e-6)
    assert reached.asa_s == pytest.approx(7.83593701177724, rel=1e-14)
    assert reached.occupancy == pytest.approx(0.7142857, abs=5e-8)
    fewer = erlang.reach(11, 10, 180, 20)
    assert fewer.waits == pytest.approx(0.6821182, abs=5e-8)
    assert fewer.service_level("answered_of_offered") == pytest.approx(0.3896138, abs=5e-8)


def test_the_example_of_pyworkforce() -> None:
    """Its page for 0.1.0 prints service_level 0.8883500191794669 and waiting_probability 0.1741319335950498."""
    reached = erlang.reach(14, 10, 3, 20 / 60)
    assert reached.waits == pytest.approx(0.1741319335950498, rel=1e-14)
    assert reached.service_level("answered_only") == pytest.approx(0.8883500191794669, rel=1e-14)


@pytest.mark.parametrize(
    ("agents", "waits", "wait"), [(2, 0.245, 0.018), (3, 0.058, 0.002), (4, 0.011, 0.000), (5, 0.002, 0.000)]
)
def test_the_table_of_a_textbook_s_work_sheet(agents: int, waits: float, wait: float) -> None:
    """Cengage Learning, "Multiple Server Queueing Model", lambda 10, mu 12: chance to wait, and time in the queue."""
    reached = erlang.reach(agents, 10 / 12, 1 / 12, 0)
    assert (round(reached.waits or 0, 3), round(reached.wait_s or 0, 3)) == (waits, wait)


def test_the_example_of_mathematica() -> None:
    """ "If there are 30 call lines and the traffic is 25 Erlangs, then the blocking … is approximately 0.05"."""
    assert round(erlang.erlang_b(30, 25), 2) == 0.05


# --- exact ---


@pytest.mark.parametrize(
    ("agents", "load"),
    [
        (1, Fraction(1, 2)),
        (5, Fraction(9, 2)),
        (20, Fraction(19)),
        (60, Fraction(3)),
        (120, Fraction(239, 2)),
    ],
)
def test_as_the_formula_in_fractions(agents: int, load: Fraction) -> None:
    terms = [load**k / factorial(k) for k in range(agents + 1)]
    last = terms[-1] * agents / (agents - load)
    assert erlang.erlang_b(agents, float(load)) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-13)
    assert erlang.erlang_c(agents, float(load)) == pytest.approx(
        float(last / (sum(terms[:-1]) + last)), rel=1e-12
    )


@pytest.mark.parametrize("agents", [10_001, 10_050, 10_500])
def test_ten_thousand_erlang_as_the_recursion_in_fractions_of_sixty_digits(agents: int) -> None:
    inverse = Fraction(1)
    for n in range(1, agents + 1):
        # Rounded to 60 digits: ten thousand exact steps would have numbers of ten thousand digits.
        inverse = Fraction(round((1 + inverse * n / 10_000) * 10**60), 10**60)
    assert erlang.erlang_b(agents, 10_000) == pytest.approx(float(1 / inverse), rel=1e-12)
    used = Fraction(10_000, agents)
    exact = float(1 / (used + (1 - used) * inverse))
    assert erlang.erlang_c(agents, 10_000) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("load", [1e4, 1e5, 1e6])
def test_no_load_is_too_large(load: float) -> None:
    for agents in (int(load) - 100, int(load), int(load) + 100, int(load * 1.1)):
        reached = erlang.reach(agents, load, 300, 20)
        assert reached.outcome is not None
        assert all(
            0 <= share <= 1 and isfinite(share) for share in (reached.outcome.met, reached.outcome.late)
        )


def test_blocking_that_is_smaller_than_any_double_is_none() -> None:
    assert erlang.inverse_b(5000, 1) == inf
    assert erlang.reach(5000, 1, 300, 20).waits == 0


# --- a played queue ---


@pytest.mark.parametrize(("agents", "load"), [(1, 0.6), (5, 4.0), (12, 10.0)])
def test_as_a_played_queue(agents: int, load: float) -> None:
    reached = erlang.reach(agents, load, 60, 20)
    seen = played(agents, load / 60, 60, None, 20, seed=11)
    assert reached.outcome is not None
    for name, ours in (("waits", reached.waits), ("met", reached.outcome.met), ("wait_s", reached.wait_s)):
        mean, error = seen[name]
        assert ours == pytest.approx(mean, abs=4 * error + 1e-12), name


# --- limits and properties ---


def test_no_load_has_no_numbers() -> None:
    reached = erlang.reach(3, 0, 60, 20)
    assert (reached.waits, reached.service_level("answered_only"), reached.asa_s) == (None, None, None)
    assert reached.occupancy == 0
    assert erlang.erlang_b(0, 0) == 1
    assert erlang.erlang_c(1, 0) == 0


def test_one_agent_waits_as_often_as_they_are_busy() -> None:
    assert erlang.erlang_c(1, 0.37) == pytest.approx(0.37, rel=1e-15)


@pytest.mark.parametrize(("agents", "load"), [(0, 2.0), (4, 4.0), (4, 9.5)])
def test_more_load_than_agents_has_no_steady_state(agents: int, load: float) -> None:
    reached = erlang.reach(agents, load, 60, 20)
    assert (reached.waits, reached.service_level("answered_of_offered"), reached.asa_s) == (1, 0, None)


@pytest.mark.parametrize(
    ("agents", "load", "handle_s", "within_s"),
    [(-1, 1, 1, 1), (1, -1, 1, 1), (1, inf, 1, 1), (1, 1, 0, 1), (1, 1, 1, -1)],
)
def test_what_has_no_meaning_is_refused(agents: int, load: float, handle_s: float, within_s: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        erlang.reach(agents, load, handle_s, within_s)


@given(load=loads, extra=st.integers(1, 50))
def test_one_more_agent_makes_nothing_worse(load: float, extra: int) -> None:
    agents = erlang.fewest(load) + extra - 1
    a, b = (erlang.reach(n, load, 240, 20) for n in (agents, agents + 1))
    assert a.outcome is not None
    assert b.outcome is not None
    assert b.outcome.met >= a.outcome.met - 1e-15
    assert (b.wait_s or 0) <= (a.wait_s or 0)
    assert erlang.erlang_b(agents + 1, load) < erlang.erlang_b(agents, load)


@given(load=loads, agents=st.integers(1, 300))
def test_the_sum_from_above_is_the_recursion_from_below(load: float, agents: int) -> None:
    inverse = 1.0
    for n in range(1, agents + 1):
        inverse = 1 + inverse * n / load
    assert erlang.inverse_b(agents, load) == pytest.approx(inverse, rel=1e-12)


def test_the_states_in_fractions_agree_with_erlang_b() -> None:
    lost = states(6, Fraction(5), Fraction(1), Fraction(0), 6)[-1]
    assert erlang.erlang_b(6, 5) == pytest.approx(float(lost), rel=1e-14)
