"""Facts → cells → every resolution: nothing is lost, nothing is counted twice."""

import itertools
from collections import Counter
from copy import deepcopy

from hypothesis import given, strategies as st

from stream_app.model import facts as f
from stream_app.model.fold.cells import (
    NUMBERS,
    SHIFT,
    Cell,
    add_into,
    is_sketch,
    pack_cell,
    roll_up,
    unpack_cell,
)
from stream_app.model.fold.tally import Tally, counters_of
from stream_app.model.kpis import COUNTERS, FAMILIES, SKETCHES, STORED
from stream_app.model.sketch import bucket
from stream_app.model.windows import BASE, RESOLUTIONS, TOTAL

at = st.integers(1_763_800_000_000, 1_763_800_000_000 + 3_600_000)
place = {"at": at}
ms = st.integers(0, 10**9)
REVIEWS = (f.Reviewed, f.AutoReviewed)
SURVEYS = (f.Surveyed, f.SurveyReturned)
PLAIN = (
    *(f.Missed, f.Transferred, f.Unfinished, f.Undone, f.CalledOut, f.ToBot, f.FromBot),
    *(f.Contained, f.Returned, f.EndedWithBot, f.Reopened),
)
over = {**place, "queued_at": at}
counted = st.lists(
    st.one_of(
        st.builds(f.Offered, **place),
        st.builds(f.Answered, **over, wait=ms, in_target=st.booleans(), stated=st.booleans()),
        st.builds(f.Responded, **place, after=ms, after_open=ms, here=ms),
        st.builds(
            f.Replied,
            **place,
            after=ms,
            after_open=ms,
            target=st.sampled_from([-1, 5]),
            in_target=st.booleans(),
            due=st.booleans(),
        ),
        st.builds(f.QueueResponded, **place, wait=ms, wait_open=ms),
        *(st.builds(k, **place, score=ms, judged=st.booleans(), compliant=st.booleans()) for k in REVIEWS),
        st.builds(f.OutboundHandled, **place, talk=ms, hold=ms, wrap=ms),
        st.builds(f.CsatAnswered, **place, satisfied=st.booleans()),
        st.builds(f.NpsAnswered, **place, promoter=st.booleans(), detractor=st.booleans()),
        st.builds(f.CesAnswered, **place, effort=ms),
        st.builds(f.Sentiment, **place, score=st.integers(-1000, 1000)),
        st.builds(f.Predicted, **place, csat=ms),
        st.builds(f.Sold, **place, amount=ms, currency=st.integers(0, 150)),
        st.builds(f.Abandoned, **over, wait=ms, in_target=st.booleans(), short=st.booleans()),
        st.builds(
            f.Left,
            **over,
            wait=ms,
            in_target=st.booleans(),
            callback=st.booleans(),
            reason=st.sampled_from(["timeout", "key", "transfer", "callback", "empty", "closed", "other"]),
            demand=st.booleans(),
        ),
        st.builds(f.Refused, **place, reason=st.sampled_from(["full", "closed", "empty", "other"])),
        *(st.builds(k, **place, kind=st.sampled_from(["csat", "nps", "ces"])) for k in SURVEYS),
        st.builds(f.Lost, **over),
        st.builds(f.Decided, **place, abandoned_later=st.booleans()),
        st.builds(
            f.Handled,
            **place,
            talk=ms,
            hold=ms,
            wrap=ms,
            held=st.booleans(),
            timed_out=st.booleans(),
            pending=ms,
            estimated=st.booleans(),
            estimate=ms,
            concluded=st.booleans(),
            lasted=ms,
        ),
        *(st.builds(k, **place) for k in PLAIN),
    ),
    max_size=40,
)
Told = tuple[str, str, f.Fact]
places = st.tuples(st.sampled_from("xy"), st.sampled_from(["voice", "chat"]))


def told(found: list[f.Fact], back: list[f.Fact], where: list[tuple[str, str]]) -> list[Told]:
    facts = [*found, *(f.TakenBack(fact.at, (fact,)) for fact in back)]
    return [(*place, fact) for place, fact in zip(itertools.cycle(where), facts, strict=False)]


facts = st.builds(told, counted, counted, st.lists(places, min_size=1, max_size=6))
cells = st.dictionaries(st.integers(1, 2**18), st.integers(-(2**62), 2**63 - 1), max_size=30)


def by_hand(found: list[Told]) -> Counter[tuple[int, str, str, int]]:
    """Each counter of the catalogue, as it is declared."""
    out: Counter[tuple[int, str, str, int]] = Counter()
    for queue, channel, one in found:
        sign = -1 if isinstance(one, f.TakenBack) else 1
        (fact,) = one.facts if isinstance(one, f.TakenBack) else (one,)
        key = (fact.at // BASE * BASE, queue, channel)
        for counter in COUNTERS:
            if type(fact) is counter.fact:
                out[*key, NUMBERS[counter.name]] += sign * int(counter.amount(fact))
        for sketch in SKETCHES:
            if type(fact) is sketch.fact:
                out[*key, NUMBERS[sketch.name] << SHIFT | bucket(sketch.value(fact))] += sign
        for family in FAMILIES:
            if type(fact) is family.fact:
                out[*key, NUMBERS[family.name] << SHIFT | family.member(fact)] += sign * family.amount(fact)
    return Counter({key: n for key, n in out.items() if n})


def add(tally: Tally, found: list[Told]) -> None:
    """Hand facts over as the fold does: those of one visit at a time."""
    for (queue, channel), of_one in itertools.groupby(found, key=lambda one: one[:2]):
        tally.add([fact for *_, fact in of_one], queue, channel)


def flat(tallied: dict[tuple[int, str, str], Cell]) -> Counter[tuple[int, str, str, int]]:
    return Counter({(*key, number): n for key, cell in tallied.items() for number, n in cell.items() if n})


@given(facts)
def test_what_is_compiled_for_speed_adds_what_the_catalogue_declares(found: list[Told]) -> None:
    tally = Tally()
    add(tally, found)
    assert flat(tally.take()) == by_hand(found)
    assert tally.take() == {}


@given(facts, st.lists(st.integers(0, 40), max_size=4))
def test_it_does_not_matter_how_facts_are_handed_over(found: list[Told], cuts: list[int]) -> None:
    tally, summed = Tally(), Counter[tuple[int, str, str, int]]()
    bounds = sorted({0, len(found), *(c for c in cuts if c < len(found))})
    for start, end in itertools.pairwise(bounds):
        add(tally, found[start:end])
        summed.update(flat(tally.take()))
    assert {key: n for key, n in summed.items() if n} == by_hand(found)


def test_every_kind_of_fact_is_tallied() -> None:
    kinds = {kind for kind in vars(f).values() if isinstance(kind, type) and issubclass(kind, f.Fact)}
    assert {part.fact for part in STORED} == kinds - {f.Fact, f.WaitOver, f.TakenBack}


def test_numbers_are_those_that_the_registry_gave() -> None:
    numbers = {name: n + 100 for name, n in NUMBERS.items()}
    tally = Tally(numbers)
    tally.add((f.Responded(0, 1, 1, 1),), "x", "voice")
    expected = {numbers["responded"]: 1, numbers["response_ms"]: 1, numbers["response_open_ms"]: 1}
    expected |= {numbers["response"] << SHIFT: 1}
    assert tally.take() == {(0, "x", "voice"): expected}


def test_a_number_of_a_fresh_registry_is_never_given_to_another() -> None:
    assert list(NUMBERS.values()) == list(range(1, len(STORED) + 1))
    assert max(NUMBERS.values()) < 1 << SHIFT
    assert not any(is_sketch(n) for n in NUMBERS.values())
    assert all(is_sketch(n << SHIFT) for n in NUMBERS.values())


@given(facts)
def test_every_resolution_holds_all_that_the_finest_does(found: list[Told]) -> None:
    tally = Tally()
    add(tally, found)
    fine = tally.take()
    rolled = roll_up(fine, lambda *_: False)
    assert counters_of([fact for *_, fact in found]) == _total(list(fine.values()))
    for resolution in RESOLUTIONS:
        mine = {key: cell for (size, key), cell in rolled.items() if size == resolution}
        assert all(start % resolution == 0 for start, _, _ in mine)
        assert _total(list(mine.values())) == _total(list(fine.values()))
        for (start, queue, channel), cell in mine.items():
            parts = [
                c for (s, *k), c in fine.items() if k == [queue, channel] and start <= s < start + resolution
            ]
            assert _total([cell]) == _total(parts)
    totals = [cell for (size, _), cell in rolled.items() if size == TOTAL]
    expected = {n: v for n, v in _total(list(fine.values())).items() if not is_sketch(n)}
    assert _total(totals) == expected


@given(facts, st.integers(0, 3_600_000))
def test_what_is_not_kept_any_more_is_left_out_at_that_resolution_only(found: list[Told], age: int) -> None:
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
def test_rolling_up_leaves_the_finest_cells_as_they_were(found: list[Told]) -> None:
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
