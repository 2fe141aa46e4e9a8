"""The smallest number of agents: it keeps the goals, one fewer does not, and where the search begins does not matter."""

from math import inf

import pytest
from hypothesis import given, strategies as st

from stream_app.workforce import erlang
from stream_app.workforce.concurrency import ONE, Concurrency
from stream_app.workforce.outcome import POLICIES, Performance
from stream_app.workforce.required import (
    Demand,
    Goals,
    abandonment,
    best,
    present,
    reach,
    required,
    to_schedule,
)


def test_the_example_of_pyworkforce_and_of_erlangc() -> None:
    """Both print 14 agents for 100 calls in 30 minutes, 180 s, 80 % in 20 s, at most 85 % busy; 20 with shrinkage of 30 %."""
    agents = required(Demand.of(100, 30, 180), Goals(20, 0.8, occupancy=0.85))
    assert (agents, to_schedule(agents, 0.3)) == (14, 20)


def test_the_example_of_turbotab() -> None:
    """Its page for 0.5.0: 25 calls in 600 s of 180 s, 80 % in 20 s: 11 productive agents, 16 with a shrinkage of 30 %."""
    agents = required(Demand.of(25, 10, 180), Goals(20, 0.8))
    assert (agents, to_schedule(agents, 0.3)) == (11, 16)


@pytest.mark.parametrize("load", [0.5, 0.6, 1.6, 2.5, 7.5, 13.9])
def test_a_load_with_a_fraction_does_not_get_one_too_many(load: float) -> None:
    """A search that begins at round(A + 1) misses floor(A) + 1 where the fraction is a half or more."""
    low_target = erlang.reach(erlang.fewest(load), load, 180, 20).service_level("answered_of_offered")
    assert low_target is not None
    assert required(Demand(load, 180), Goals(20, low_target)) == erlang.fewest(load)
    assert round(load + 1) >= erlang.fewest(load)


goals = st.builds(
    Goals,
    within_s=st.just(20.0),
    service_level=st.none() | st.floats(0.05, 0.99),
    policy=st.sampled_from(sorted(POLICIES)),
    short_s=st.sampled_from([0.0, 5.0]),
    asa_s=st.none() | st.floats(0.5, 300),
    abandonment=st.none() | st.floats(0.005, 0.5),
    occupancy=st.none() | st.floats(0.3, 1.0),
)


@given(
    load=st.floats(0.01, 150),
    handle_s=st.floats(10, 900),
    patience_s=st.floats(5, 3000) | st.just(inf),
    wanted=goals,
    spare=st.none() | st.floats(-5, 50),
)
def test_it_keeps_the_goals_and_one_fewer_does_not(
    load: float, handle_s: float, patience_s: float, wanted: Goals, spare: float | None
) -> None:
    demand = Demand(load, handle_s, patience_s)
    agents = required(demand, wanted, spare)
    assert wanted.met(reach(agents, demand, wanted))
    fewest = erlang.fewest(load) if patience_s == inf else 1
    assert agents >= fewest
    if agents > fewest:
        assert not wanted.met(reach(agents - 1, demand, wanted))
    assert required(demand, wanted) == agents
    assert best(demand, wanted, spare) == reach(agents, demand, wanted)


@pytest.mark.parametrize("policy", sorted(POLICIES))
@pytest.mark.parametrize("load", [0.4, 3.3, 17.5])
def test_as_a_search_that_tries_every_number(policy: str, load: float) -> None:
    demand, wanted = Demand(load, 200, 90), Goals(20, 0.85, policy, 5, abandonment=0.04, occupancy=0.9)
    every = [n for n in range(1, 60) if wanted.met(reach(n, demand, wanted))]
    assert required(demand, wanted) == every[0]
    assert every == list(range(every[0], 60))


@given(load=st.floats(0.01, 100), more=st.floats(0.01, 20))
def test_more_work_never_needs_fewer(load: float, more: float) -> None:
    wanted = Goals(20, 0.8, abandonment=0.05)
    assert required(Demand(load, 180, 120), wanted) <= required(Demand(load + more, 180, 120), wanted)


def test_each_goal_alone_can_be_the_one_that_binds() -> None:
    demand = Demand(20, 180, 120)
    loose = Goals(20, None)
    assert required(demand, loose) == 1
    ones = [
        Goals(20, 0.8),
        Goals(20, None, asa_s=3),
        Goals(20, None, abandonment=0.01),
        Goals(20, None, occupancy=0.6),
    ]
    alone = [required(demand, one) for one in ones]
    assert len(set(alone)) == 4
    together = Goals(20, 0.8, asa_s=3, abandonment=0.01, occupancy=0.6)
    assert required(demand, together) == max(alone)


def test_no_load_needs_nobody_and_the_smallest_needs_one() -> None:
    assert required(Demand(0, 180, 120), Goals(20, 0.8)) == 0
    assert required(Demand(1e-9, 180, 120), Goals(20, 0.8)) == 1


def test_ten_thousand_erlang() -> None:
    for patience_s in (inf, 120.0):
        demand, wanted = Demand(10_000, 300, patience_s), Goals(20, 0.8)
        agents = required(demand, wanted)
        assert wanted.met(reach(agents, demand, wanted))
        assert not wanted.met(reach(agents - 1, demand, wanted))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"service_level": 1.0}, "service_level: expected at least 0 and less than 1, got 1.0"),
        ({"service_level": -0.1}, "service_level"),
        ({"policy": "best"}, "policy: unknown service-level policy 'best'"),
        ({"short_s": 21.0}, "within_s: expected at least short_s"),
        ({"asa_s": 0.0}, "asa_s: expected more than 0"),
        ({"abandonment": 0.0}, "abandonment: expected more than 0 and at most 1, got 0.0"),
        ({"occupancy": 1.1}, "occupancy: expected more than 0 and at most 1, got 1.1"),
    ],
)
def test_goals_that_nobody_reaches_are_refused(change: dict[str, float | str], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        Goals(**{"within_s": 20, **change})  # type: ignore[arg-type]


# --- shrinkage ---


@pytest.mark.parametrize(
    ("agents", "shrinkage", "people"), [(14, 0.3, 20), (7, 0.3, 10), (0, 0.3, 0), (5, 0, 5), (1, 0.95, 20)]
)
def test_shrinkage_is_on_top(agents: int, shrinkage: float, people: int) -> None:
    assert to_schedule(agents, shrinkage) == people


@given(agents=st.integers(0, 5000), shrinkage=st.floats(0, 0.95))
def test_those_to_schedule_are_the_fewest_of_whom_enough_are_at_work(agents: int, shrinkage: float) -> None:
    people = to_schedule(agents, shrinkage)
    assert present(people, shrinkage) >= agents
    if people:
        assert present(people - 1, shrinkage) < agents


@pytest.mark.parametrize("shrinkage", [-0.1, 1.0, float("nan")])
def test_shrinkage_is_a_share(shrinkage: float) -> None:
    with pytest.raises(ValueError, match="shrinkage"):
        to_schedule(1, shrinkage)


def test_abandonment_is_the_kpi_s() -> None:
    reached = reach(10, Demand(11, 180, 90), Goals(20, 0.8, short_s=5))
    outcome = reached.outcome
    assert outcome is not None
    assert abandonment(reached) == (outcome.early + outcome.lost) / (1 - outcome.short)
    assert abandonment(Performance(1, 0, None, None, None, None, None, None)) is None


# --- several at once ---


def test_two_chats_at_once_need_half_of_the_people() -> None:
    two = Concurrency(2)
    assert (two.agents(9), two.places(5), two.efficiency) == (5, 10, 2)
    assert (ONE.agents(9), ONE.places(9), ONE.efficiency) == (9, 9, 1)


def test_chats_that_slow_one_another_win_less() -> None:
    slow = Concurrency(3, stretch=0.25)
    assert slow.handle_s(400) == 600
    assert slow.efficiency == 2
    assert Concurrency(4, stretch=1).efficiency == 1


@given(at_once=st.floats(1, 10), places=st.integers(0, 500))
def test_the_agents_have_the_places_and_one_fewer_has_not(at_once: float, places: int) -> None:
    several = Concurrency(at_once)
    assert several.places(several.agents(places)) >= places
    if places:
        assert several.places(several.agents(places) - 1) < places


@pytest.mark.parametrize(("at_once", "stretch"), [(0.5, 0), (101, 0), (2, -0.1), (2, 1.1)])
def test_concurrency_without_meaning_is_refused(at_once: float, stretch: float) -> None:
    with pytest.raises(ValueError, match="expected a number from"):
        Concurrency(at_once, stretch)
