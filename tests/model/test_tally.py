"""Facts → cells → every resolution: nothing is lost, nothing is counted twice."""

import itertools
from collections import Counter
from copy import deepcopy

from hypothesis import given, strategies as st

from stream_app.model import facts as f
from stream_app.model.kpis import COUNTERS, SKETCHES, STORED
from stream_app.model.sketch import bucket
from stream_app.model.tally import (
    NUMBERS,
    SHIFT,
    Cell,
    Tally,
    add_into,
    counters_of,
    is_sketch,
    pack_cell,
    roll_up,
    unpack_cell,
)
from stream_app.model.windows import BASE, RESOLUTIONS, TOTAL

at = st.integers(1_763_800_000_000, 1_763_800_000_000 + 3_600_000)
place = {"queue": st.sampled_from("xy"), "channel": st.sampled_from(["voice", "chat"]), "at": at}
ms = st.integers(0, 10**9)
facts = st.lists(
    st.one_of(
        st.builds(f.Offered, **place),
        st.builds(f.Answered, **place, wait=ms, in_target=st.booleans()),
        st.builds(f.Responded, **place, after=ms),
        st.builds(f.Abandoned, **place, wait=ms, in_target=st.booleans(), short=st.booleans()),
        st.builds(f.Left, **place, wait=ms, in_target=st.booleans()),
        st.builds(f.Decided, **place, abandoned_later=st.booleans()),
        st.builds(f.Handled, **place, talk=ms, hold=ms, wrap=ms, held=st.booleans(), timed_out=st.booleans()),
        *(st.builds(k, **place) for k in (f.Refused, f.Missed, f.Transferred, f.Lost, f.Unfinished)),
    ),
    max_size=40,
)
cells = st.dictionaries(st.integers(1, 2**18), st.integers(-(2**62), 2**63 - 1), max_size=30)


def by_hand(found: list[f.Fact]) -> Counter[tuple[int, str, str, int]]:
    """Each counter of the catalogue, as it is declared."""
    out: Counter[tuple[int, str, str, int]] = Counter()
    for fact in found:
        key = (fact.at // BASE * BASE, fact.queue, fact.channel)
        for counter in COUNTERS:
            if isinstance(fact, counter.fact):
                out[*key, NUMBERS[counter.name]] += int(counter.amount(fact))
        for sketch in SKETCHES:
            if isinstance(fact, sketch.fact):
                out[*key, NUMBERS[sketch.name] << SHIFT | bucket(sketch.value(fact))] += 1
    return +out


def add(tally: Tally, found: list[f.Fact]) -> None:
    """Hand facts over as the fold does: those of one visit at a time."""
    for _, of_one in itertools.groupby(found, key=lambda fact: (fact.queue, fact.channel)):
        tally.add(of_one)


def flat(tallied: dict[tuple[int, str, str], Cell]) -> Counter[tuple[int, str, str, int]]:
    return Counter({(*key, number): n for key, cell in tallied.items() for number, n in cell.items() if n})


@given(facts)
def test_what_is_compiled_for_speed_adds_what_the_catalogue_declares(found: list[f.Fact]) -> None:
    tally = Tally()
    add(tally, found)
    assert flat(tally.take()) == by_hand(found)
    assert tally.take() == {}


@given(facts, st.lists(st.integers(0, 40), max_size=4))
def test_it_does_not_matter_how_facts_are_handed_over(found: list[f.Fact], cuts: list[int]) -> None:
    tally, summed = Tally(), Counter[tuple[int, str, str, int]]()
    bounds = sorted({0, len(found), *(c for c in cuts if c < len(found))})
    for start, end in itertools.pairwise(bounds):
        add(tally, found[start:end])
        summed.update(flat(tally.take()))
    assert summed == by_hand(found)


def test_every_kind_of_fact_is_tallied() -> None:
    assert {part.fact for part in STORED} == set(f.Fact.__subclasses__())


def test_numbers_are_those_that_the_registry_gave() -> None:
    numbers = {name: n + 100 for name, n in NUMBERS.items()}
    tally = Tally(numbers)
    tally.add((f.Responded("x", "voice", 0, 1),))
    expected = {numbers["responded"]: 1, numbers["response_ms"]: 1, numbers["response"] << SHIFT: 1}
    assert tally.take() == {(0, "x", "voice"): expected}


def test_a_number_of_a_fresh_registry_is_never_given_to_another() -> None:
    assert list(NUMBERS.values()) == list(range(1, len(STORED) + 1))
    assert max(NUMBERS.values()) < 1 << SHIFT
    assert not any(is_sketch(n) for n in NUMBERS.values())
    assert all(is_sketch(n << SHIFT) for n in NUMBERS.values())


@given(facts)
def test_every_resolution_holds_all_that_the_finest_does(found: list[f.Fact]) -> None:
    tally = Tally()
    add(tally, found)
    fine = tally.take()
    rolled = roll_up(fine, lambda *_: False)
    assert counters_of(found) == _total(list(fine.values()))
    for resolution in RESOLUTIONS:
        mine = {key: cell for (size, key), cell in rolled.items() if size == resolution}
        assert all(start % resolution == 0 for start, _, _ in mine)
        assert _total(list(mine.values())) == _total(list(fine.values()))
        for (start, queue, channel), cell in mine.items():
            parts = [
                c for (s, *k), c in fine.items() if k == [queue, channel] and start <= s < start + resolution
            ]
            assert cell == _total(parts)
    totals = [cell for (size, _), cell in rolled.items() if size == TOTAL]
    expected = {n: v for n, v in _total(list(fine.values())).items() if not is_sketch(n)}
    assert _total(totals) == expected


@given(facts, st.integers(0, 3_600_000))
def test_what_is_not_kept_any_more_is_left_out_at_that_resolution_only(found: list[f.Fact], age: int) -> None:
    tally = Tally()
    add(tally, found)
    fine = tally.take()
    limit = 1_763_800_000_000 + age
    whole = roll_up(fine, lambda *_: False)
    part = roll_up(fine, lambda resolution, start: resolution == BASE and start < limit)
    assert part == {(size, key): c for (size, key), c in whole.items() if size != BASE or key[0] >= limit}


@given(cells, cells)
def test_cells_survive_packing_and_add_up(one: Cell, other: Cell) -> None:
    assert unpack_cell(pack_cell(one)) == one
    merged = dict(one)
    add_into(merged, other)
    assert merged == {n: one.get(n, 0) + other.get(n, 0) for n in {*one, *other}}


@given(facts)
def test_rolling_up_leaves_the_finest_cells_as_they_were(found: list[f.Fact]) -> None:
    tally = Tally()
    add(tally, found)
    fine = tally.take()
    before = deepcopy(fine)
    roll_up(fine, lambda *_: False)
    assert fine == before


def _total(parts: list[Cell]) -> Cell:
    out: Cell = {}
    for part in parts:
        add_into(out, part)
    return {n: v for n, v in out.items() if v}
