"""Erlang A: the birth-death chain in fractions, waits by integration, a played queue, and both of its limits."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import exp, factorial, inf, isfinite

import pytest
from hypothesis import given, strategies as st

from stream_app.model.kpis import SERVICE_LEVELS
from stream_app.model.kpis.sums import Sum
from stream_app.workforce import erlang, erlang_a
from stream_app.workforce.outcome import POLICIES, OutcomeShares, Performance

from .chains import played, states, survival

CASES = [
    (5, 4.0, 60, 30),
    (5, 8.0, 60, 30),
    (1, 0.5, 100, 10),
    (20, 19.0, 180, 120),
    (10, 3.0, 60, 600),
    (30, 45.0, 60, 240),
]


def shares(reached: Performance) -> list[float]:
    assert reached.outcome is not None
    o = reached.outcome
    return [o.met, o.late, o.short, o.early, o.lost]


def some(value: float | None) -> float:
    assert value is not None
    return value


# --- exact ---


@pytest.mark.parametrize(("agents", "load", "handle_s", "patience_s"), CASES)
def test_as_the_chain_in_fractions(agents: int, load: float, handle_s: int, patience_s: int) -> None:
    arrive, serve, give_up = Fraction(load) / handle_s, Fraction(1, handle_s), Fraction(1, patience_s)
    chain = states(agents, arrive, serve, give_up, agents + 200)
    behind = sum((n - agents) * p for n, p in enumerate(chain) if n > agents)
    abandoned = behind * give_up / arrive
    busy = sum(min(n, agents) * p for n, p in enumerate(chain)) / agents
    reached = erlang_a.reach(agents, load, handle_s, 20, patience_s=patience_s)
    assert reached.waits == pytest.approx(float(sum(chain[agents:])), rel=1e-12)
    assert reached.abandonment == pytest.approx(float(abandoned), rel=1e-12)
    assert reached.wait_s == pytest.approx(float(behind / arrive), rel=1e-12)
    assert reached.occupancy == pytest.approx(float(busy), rel=1e-12)
    # Who finds k ahead is answered with n m / (n m + (k + 1) g), after the sum of 1 / (n m + i g), i = 1…k + 1.
    answered = Fraction(0)
    asked = waited = 0.0
    for k, p in enumerate(chain[agents:]):
        chance = agents * serve / (agents * serve + (k + 1) * give_up)
        waited += 1 / float(agents * serve + (k + 1) * give_up)
        answered += p * chance
        asked += float(p * chance) * waited
    assert 1 - some(reached.abandonment) == pytest.approx(float(sum(chain[:agents]) + answered), rel=1e-12)
    assert reached.asa_s == pytest.approx(asked / float(1 - abandoned), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(("agents", "load", "handle_s", "patience_s"), CASES[:3])
@pytest.mark.parametrize("within_s", [5.0, 20.0])
def test_waits_as_the_chain_of_those_ahead(
    agents: int, load: float, handle_s: int, patience_s: int, within_s: float
) -> None:
    arrive, serve, give_up = Fraction(load) / handle_s, Fraction(1, handle_s), Fraction(1, patience_s)
    chain = [float(p) for p in states(agents, arrive, serve, give_up, agents + 45)]
    # Still waiting at T, whatever follows: answered late, or lost late.
    later = sum(
        p * survival(agents, float(serve), float(give_up), k, within_s, steps=400)
        for k, p in enumerate(chain[agents:])
    )
    reached = erlang_a.reach(agents, load, handle_s, within_s, patience_s=patience_s)
    _, late, _, _, lost = shares(reached)
    assert late + lost == pytest.approx(later, rel=1e-6)


@pytest.mark.parametrize(("agents", "load"), [(10, 8.0), (10, 12.0), (180, 180.0), (1000, 1040.0)])
def test_patience_like_the_handle_time_is_a_poisson_distribution(agents: int, load: float) -> None:
    """Whoever is there leaves at the same rate, waiting or not: M/M/infinity, so that the number present is Poisson."""
    weights, term = [], exp(-load) if load < 500 else 0.0
    if term:
        for n in range(1, 4 * agents + 100):
            weights.append(term)
            term *= load / n
    else:
        from math import lgamma, log

        weights = [exp(n * log(load) - load - lgamma(n + 1)) for n in range(4 * agents)]
    reached = erlang_a.reach(agents, load, 100, 20, patience_s=100)
    assert reached.waits == pytest.approx(sum(weights[agents:]), rel=1e-9)
    behind = sum((n - agents) * p for n, p in enumerate(weights) if n > agents)
    assert reached.abandonment == pytest.approx(behind / load, rel=1e-9)


def test_the_centre_of_fifty_agents_that_the_literature_compares() -> None:
    """2,880 calls an hour of one minute, 50 agents, patience two minutes: with a little impatience the queue is another one.

    Against the chain in fractions; what the model without impatience says of the same centre is five times the wait.
    """
    chain = states(50, Fraction(48, 60), Fraction(1, 60), Fraction(1, 120), 350)
    behind = sum((n - 50) * p for n, p in enumerate(chain) if n > 50)
    reached = erlang_a.reach(50, 48, 60, 20, patience_s=120)
    assert reached.abandonment == pytest.approx(float(behind / 120 / Fraction(48, 60)), rel=1e-12)
    assert reached.abandonment == pytest.approx(0.031, abs=0.0005)
    assert some(erlang.reach(50, 48, 60, 20).wait_s) > 5 * some(reached.wait_s)


@pytest.mark.parametrize("patience_s", [120, 3600])
@pytest.mark.parametrize("agents", [5_000, 9_500, 9_900, 10_000, 10_100])
def test_ten_thousand_erlang_as_the_chain_of_forty_digits(agents: int, patience_s: int) -> None:
    arrive, serve, give_up = Decimal(10_000) / 300, Decimal(1) / 300, Decimal(1) / patience_s
    with localcontext(prec=40):
        idle, weight = Decimal(0), Decimal(1)  # relative to the state in which all are busy and nobody waits
        for present in range(agents, 0, -1):
            weight *= present * serve / arrive
            idle += weight
        full, behind, weight, ahead = Decimal(1), Decimal(0), Decimal(1), 0
        while ahead < 10 or weight > full * Decimal(10) ** -30:
            ahead += 1
            weight *= arrive / (agents * serve + ahead * give_up)
            full += weight
            behind += ahead * weight
        waits, abandoned = full / (idle + full), behind / (idle + full) * give_up / arrive
    reached = erlang_a.reach(agents, 10_000, 300, 20, patience_s=patience_s)
    assert reached.waits == pytest.approx(float(waits), rel=1e-10)
    assert reached.abandonment == pytest.approx(float(abandoned), rel=1e-10)


# --- played ---


@pytest.mark.parametrize(("agents", "load", "patience_s"), [(5, 5.0, 60), (12, 14.0, 90), (8, 6.0, 20)])
def test_as_a_played_queue(agents: int, load: float, patience_s: float) -> None:
    reached = erlang_a.reach(agents, load, 60, 20, patience_s=patience_s)
    seen = played(agents, load / 60, 60, patience_s, 20, seed=5)
    ours = {
        "waits": reached.waits,
        "met": shares(reached)[0],
        "abandoned": reached.abandonment,
        "wait_s": reached.wait_s,
    }
    for name, value in ours.items():
        mean, error = seen[name]
        assert value == pytest.approx(mean, abs=4 * error), name


# --- limits ---


@pytest.mark.parametrize("agents", [11, 14, 20])
def test_endless_patience_is_erlang_c(agents: int) -> None:
    c = erlang.reach(agents, 10, 180, 20)
    assert erlang_a.reach(agents, 10, 180, 20, patience_s=inf) == c
    nearly = erlang_a.reach(agents, 10, 180, 20, patience_s=1e10)
    assert nearly.waits == pytest.approx(some(c.waits), rel=1e-6)
    assert nearly.asa_s == pytest.approx(some(c.asa_s), rel=1e-6)
    assert shares(nearly)[0] == pytest.approx(shares(c)[0], rel=1e-6)


@pytest.mark.parametrize("patience_s", [0.0, 1e-300, 1e-6])
def test_no_patience_is_erlang_b(patience_s: float) -> None:
    reached = erlang_a.reach(10, 8, 100, 20, patience_s=patience_s, short_s=5)
    blocked = erlang.erlang_b(10, 8)
    assert reached.abandonment == pytest.approx(blocked, rel=1e-6)
    assert shares(reached) == pytest.approx([1 - blocked, 0, blocked, 0, 0], abs=1e-7)


def test_nobody_there_and_nobody_calling() -> None:
    alone = erlang_a.reach(0, 5, 60, 20, patience_s=40, short_s=5)
    assert (alone.abandonment, alone.waits, alone.asa_s, alone.occupancy) == (1, 1, None, None)
    assert shares(alone) == pytest.approx([0, 0, 1 - exp(-1 / 8), exp(-1 / 8) - exp(-1 / 2), exp(-1 / 2)])
    assert alone.service_level("answered_only") is None
    quiet = erlang_a.reach(3, 0, 60, 20, patience_s=40)
    assert (quiet.abandonment, quiet.outcome, quiet.occupancy) == (None, None, 0)


@pytest.mark.parametrize("patience_s", [1.0, 120.0, 86_400.0, 1e7])
@pytest.mark.parametrize("agents", [1, 5_000, 9_900, 10_000, 10_300, 12_000])
def test_ten_thousand_erlang_overflow_nothing(agents: int, patience_s: float) -> None:
    reached = erlang_a.reach(agents, 10_000, 300, 20, patience_s=patience_s, short_s=5)
    assert all(isfinite(share) and 0 <= share <= 1 for share in shares(reached))
    assert sum(shares(reached)) == pytest.approx(1, abs=1e-9)
    # What is not answered has given up: agents can't do more than all of their time.
    assert some(reached.occupancy) <= 1 + 1e-12
    assert some(reached.abandonment) >= 1 - agents / 10_000 - 1e-12
    if agents < 9_000:
        assert reached.abandonment == pytest.approx(1 - agents / 10_000, rel=1e-6)


def test_long_patience_in_a_long_overload_loses_no_digits() -> None:
    """The wait's exponents are of the size of a million here, and cancel."""
    reached = erlang_a.reach(
        203, 227.74609504129901, 1.0983322816486403, 10.5, patience_s=50_455.85, short_s=10.5
    )
    assert sum(shares(reached)) == pytest.approx(1, abs=1e-12)
    assert reached.abandonment == pytest.approx(1 - 203 / 227.74609504129901, rel=1e-12)


def test_both_ways_to_the_sums_agree_where_they_meet() -> None:
    """Far overloaded the sums have a closed form: at the border it must be what the terms add up to."""
    a, b = 400.0, 400.0 + 9 * 640**0.5 + 60
    scale, g, s = erlang_a._sums(a, b)
    term = total = Fraction(1) / Fraction(a)
    later = Fraction(0)
    for k in range(1, 2000):
        term = Fraction(float(term * Fraction(b) / Fraction(a + k)))
        total += term
        later += k * term
    assert scale > 0
    assert exp(scale) * g == pytest.approx(float(total), rel=1e-9)
    assert exp(scale) * s == pytest.approx(float(later), rel=1e-9)


def test_the_digamma_of_whole_numbers_is_a_harmonic_number() -> None:
    gamma = 0.5772156649015329
    for n in (1, 2, 5, 30):
        assert erlang_a._digamma(n) == pytest.approx(sum(1 / k for k in range(1, n)) - gamma, abs=1e-13)
    assert factorial(5) == 120


# --- properties ---


@given(
    load=st.floats(0.05, 80),
    agents=st.integers(1, 120),
    patience_s=st.floats(0.5, 5000),
    short=st.floats(0, 1),
)
def test_shares_add_up_and_nothing_is_lost(load: float, agents: int, patience_s: float, short: float) -> None:
    reached = erlang_a.reach(agents, load, 200, 30, patience_s=patience_s, short_s=30 * short)
    assert all(0 <= share <= 1 for share in shares(reached))
    assert sum(shares(reached)) == pytest.approx(1, abs=1e-9)
    assert sum(shares(reached)[2:]) == pytest.approx(some(reached.abandonment), abs=1e-9)
    # Little: the answered load is what the agents carry.
    assert some(reached.occupancy) * agents == pytest.approx(load * (1 - some(reached.abandonment)), rel=1e-9)
    assert some(reached.wait_s) == pytest.approx(some(reached.abandonment) * patience_s, rel=1e-9)


@pytest.mark.parametrize("policy", sorted(POLICIES))
@given(load=st.floats(0.5, 60), agents=st.integers(1, 80), patience_s=st.floats(5, 2000))
def test_one_more_agent_never_makes_it_worse(
    policy: str, load: float, agents: int, patience_s: float
) -> None:
    a, b = (erlang_a.reach(n, load, 200, 20, patience_s=patience_s, short_s=5) for n in (agents, agents + 1))
    assert some(b.service_level(policy)) >= some(a.service_level(policy)) - 1e-9
    assert some(b.abandonment) <= some(a.abandonment) + 1e-12
    assert some(b.wait_s) <= some(a.wait_s) + 1e-9
    assert some(b.asa_s) <= some(a.asa_s) + 1e-9
    assert some(b.occupancy) <= some(a.occupancy) + 1e-12


# --- the named formulas ---


def test_every_policy_of_the_catalogue_has_its_forecast() -> None:
    assert POLICIES.keys() == SERVICE_LEVELS.keys()


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a_policy_is_the_catalogue_s(policy: str) -> None:
    """One day of 1,000: 720 in time, 150 late, 40 short, 40 early, 50 lost late; nobody left in another way."""
    counts = {
        "decided": 1000,
        "answered": 870,
        "answered_in_target": 720,
        "abandoned": 130,
        "abandoned_short": 40,
        "abandoned_in_target": 80,
        "abandoned_late": 50,
        "left_in_target": 0,
    }
    ratio = SERVICE_LEVELS[policy]
    sums = [
        sum(sign * counts[counter.name] for sign, counter in part.terms)
        for part in (Sum.of(ratio.numerator), Sum.of(ratio.denominator))
    ]
    ours = OutcomeShares(0.72, 0.15, 0.04, 0.04, 0.05).service_level(policy)
    assert ours == pytest.approx(sums[0] / sums[1], rel=1e-12)
