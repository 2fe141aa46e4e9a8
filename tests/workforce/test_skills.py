"""Several skills: as the formula where there is one, better where people are shared, and enough after the search."""

from itertools import product

import pytest

from stream_app.workforce import erlang, erlang_a
from stream_app.workforce.day import contacts_of, play
from stream_app.workforce.skills import (
    Reached,
    Repetitions,
    SkillGroup,
    SkillQueue,
    simulate,
    staffed,
    student,
)

BILLING = SkillQueue("billing", 60, 180, 20, 120)
SALES = SkillQueue("sales", 40, 240, 20, 120)
LONG = Repetitions(seed=3, hours=20, repetitions=20)


def group(name: str, people: int, *skills: str, cost: float = 1.0) -> SkillGroup:
    return SkillGroup(name, frozenset(skills or [name]), people, cost)


def level(reached: Reached) -> float:
    assert reached.service_level is not None
    return reached.service_level


@pytest.mark.parametrize("people", [3, 5])
def test_one_skill_is_erlang_a(people: int) -> None:
    [seen] = simulate([group("billing", people)], [BILLING], LONG)
    exact = erlang_a.reach(people, 3, 180, 20, patience_s=120)
    around = (seen.high or 0) - level(seen)
    assert exact.service_level("answered_of_offered") == pytest.approx(level(seen), abs=1.5 * around)
    assert exact.abandonment == pytest.approx(seen.abandonment, abs=0.02)
    assert exact.wait_s == pytest.approx(seen.wait_s, abs=1.5)


def test_one_skill_without_impatience_is_erlang_c() -> None:
    patient = SkillQueue("billing", 60, 180, 20)
    [seen] = simulate([group("billing", 5)], [patient], LONG)
    exact = erlang.reach(5, 3, 180, 20).service_level("answered_of_offered")
    assert exact == pytest.approx(level(seen), abs=1.5 * ((seen.high or 0) - level(seen)))
    assert seen.abandonment == 0


def test_two_that_share_are_as_one_queue_of_both() -> None:
    a, b = SkillQueue("a", 60, 180, 20, 120), SkillQueue("b", 40, 180, 20, 120)
    seen = simulate([group("all", 7, "a", "b")], [a, b], LONG)
    exact = erlang_a.reach(7, 5, 180, 20, patience_s=120).service_level("answered_of_offered")
    mean = (60 * level(seen[0]) + 40 * level(seen[1])) / 100
    assert exact == pytest.approx(mean, abs=0.015)


def test_sharing_helps_both() -> None:
    queues = [BILLING, SALES]
    apart = simulate([group("billing", 3), group("sales", 3)], queues)
    shared = simulate([group("both", 6, "billing", "sales")], queues)
    assert [level(s) > level(a) for s, a in zip(shared, apart, strict=True)] == [True, True]


def test_the_same_seed_is_the_same_day_and_another_is_another() -> None:
    groups = [group("billing", 4)]
    first, again = (simulate(groups, [BILLING], Repetitions(seed=7)) for _ in range(2))
    assert first == again
    assert simulate(groups, [BILLING], Repetitions(seed=8)) != first


def test_a_queue_s_contacts_do_not_depend_on_the_others() -> None:
    alone = [c[:1] + c[2:] for c in contacts_of([SALES], Repetitions(), 0)]
    among = [c[:1] + c[2:] for c in contacts_of([BILLING, SALES], Repetitions(), 0) if c.queue == 1]
    assert alone == among


def test_every_contact_ends_once() -> None:
    queues = [BILLING, SALES, SkillQueue("nobody", 10, 60, 20, 30)]
    contacts = contacts_of(queues, Repetitions(), 0)
    ends = list(play([group("both", 4, "billing", "sales"), group("sales", 1)], queues, contacts))
    assert sorted(contact for contact, _, _ in ends) == contacts
    for contact, wait, answered in ends:
        assert 0 <= wait <= contact.patience
        assert answered or wait == contact.patience
        assert not answered or contact.queue != 2


def test_a_queue_that_nobody_can_handle_reaches_nothing() -> None:
    [seen] = simulate([], [SkillQueue("a", 30, 60, 20)])
    assert (seen.service_level, seen.abandonment) == (0, 1)


def test_a_queue_without_contacts_has_no_numbers() -> None:
    [seen] = simulate([group("a", 1)], [SkillQueue("a", 0, 60, 20)])
    assert (seen.service_level, seen.low, seen.wait_s, seen.offered) == (None, None, None, 0)


def test_the_search_reaches_every_target_and_nobody_is_too_many() -> None:
    begin = [group("billing", 1), group("sales", 1), group("both", 0, "billing", "sales", cost=1.2)]
    groups, reached = staffed(begin, [BILLING, SALES])
    assert all(r.low is not None and r.low >= 0.8 for r in reached)
    assert all(g.people >= b.people for g, b in zip(groups, begin, strict=True))
    for at, base in enumerate(begin):
        if groups[at].people > base.people:
            fewer = [
                group(g.name, g.people - (i == at), *g.skills, cost=g.cost) for i, g in enumerate(groups)
            ]
            assert any((r.low or 0) < 0.8 for r in simulate(fewer, [BILLING, SALES]))


def test_the_search_is_near_the_best_of_all_mixes() -> None:
    begin = [group("billing", 0), group("sales", 0), group("both", 0, "billing", "sales")]
    groups, _ = staffed(begin, [BILLING, SALES])
    found = sum(g.people for g in groups)
    # Nothing with two people fewer would do.
    for a, b in product(range(found - 1), repeat=2):
        both = found - 2 - a - b
        if both < 0:
            continue
        mix = [group("billing", a), group("sales", b), group("both", both, "billing", "sales")]
        assert any(
            (r.low or 0) < 0.8 for r in simulate(mix, [BILLING, SALES], Repetitions(hours=2, repetitions=4))
        )


@pytest.mark.parametrize(
    ("groups", "queues", "days", "message"),
    [
        ([group("a", 1)], [BILLING], Repetitions(), "a: unknown queue 'a' among its skills"),
        ([], [BILLING, BILLING], Repetitions(), "billing: two queues"),
        ([], [BILLING], Repetitions(repetitions=1), "repetitions"),
        ([group("sales", 1)], [BILLING, SALES], Repetitions(), "billing: no group has this skill"),
        ([group("billing", 0)], [BILLING], Repetitions(), "billing: the target is not met with 2 people"),
    ],
)
def test_what_can_t_be_is_one_line(
    groups: list[SkillGroup], queues: list[SkillQueue], days: Repetitions, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        staffed(groups, queues, days, most=2)


@pytest.mark.parametrize(
    ("freedom", "table"), [(3, 3.182), (4, 2.776), (9, 2.262), (19, 2.093), (120, 1.980)]
)
def test_student_s_t_is_the_table_s(freedom: int, table: float) -> None:
    assert student(freedom) == pytest.approx(table, rel=0.005)
