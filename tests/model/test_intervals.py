"""Interval rows are what docs/semantics.md says, and add up: over batches, over partitions, and over the day."""

import itertools
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.tally import Tally
from stream_app.model.intervals.columns import FIELDS, INTERVAL_MS, PLACES, IntervalRow
from stream_app.model.intervals.counting import RowKey, Rows, add_amounts, compact
from stream_app.model.intervals.row import row_of, together
from stream_app.model.targets import Targets
from stream_app.model.windows import TOTAL
from tests.reference.quarters import CASES, Case
from tests.reference.traffic import Record, hostile, traffic

from .examples import HOURS
from .kept import Kept, Line, differences, folded, referred
from .streams import DAY, MINUTE, T0, line, streams

LIVE = {name: name for name in FIELDS if name != "longest_wait_ms"} | {"wait_ms": "answer_wait_ms"}
"""Sums of a row → the counter of all time that counts the same."""
OUTCOMES = ("answered", "abandoned", "left", "lost")
OF_THE_COHORT = ("offered", "answered", "abandoned", "left", "wait_ms", "abandon_wait_ms", "longest_wait_ms")
MANY = settings(max_examples=2 * (settings.default.max_examples if settings.default else 0))


def numbered(records: list[Record]) -> list[Line]:
    return [Line(n, value, timestamp) for n, (_, value, timestamp) in enumerate(records)]


def rough(seed: int, contacts: int, rate: float) -> list[Record]:
    return list(hostile(traffic(seed, contacts, rate=rate, tail_s=40_000), seed, duplicates=0.05, late=0.02))


def merged(*parts: Rows) -> Rows:
    out: Rows = {}
    for key, amounts in itertools.chain.from_iterable(part.items() for part in parts):
        add_amounts(out.setdefault(key, {}), amounts)
    return out


def without_zeros(rows: Rows) -> Rows:
    found = {key: {place: n for place, n in row.items() if n} for key, row in rows.items()}
    return {key: row for key, row in found.items() if row}


# --- with a pencil ---


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
@pytest.mark.parametrize("restarting", [False, True])
def test_rows_are_those_of_the_pencil(case: Case, restarting: bool) -> None:
    clock = itertools.accumulate((at for at, _, _ in case.told), max)
    lines = [
        line(n, at, now, id=f"e{n}", type=kind, **fields)
        for n, ((at, kind, fields), now) in enumerate(zip(case.told, clock, strict=True))
    ]
    for one in lines:
        one.timestamp_type = 1
    kept = folded(lines, (), range(len(lines)) if restarting else ())
    assert {(start, "/".join(place)): row for (start, *place), row in kept.intervals().items()} == case.rows
    found = {(at, place): kept.backlog(at, *place.split("/")) for at, place in case.backlogs}
    assert found == case.backlogs


# --- with the reference ---


_MONTH, _HALF_A_YEAR = 31 * DAY, 186 * DAY
_MOMENTS = (
    *(0, 20 * MINUTE, 10 * DAY, 20 * DAY, 20 * DAY + MINUTE, 30 * DAY),
    *(_MONTH - 1, _MONTH, _MONTH + 1, _MONTH + 10 * MINUTE, 32 * DAY, 50 * DAY, 62 * DAY),
    *(_HALF_A_YEAR - 1, _HALF_A_YEAR, _HALF_A_YEAR + 1, 187 * DAY, 206 * DAY, 216 * DAY),
)
_TURNS = (
    *("contact.queued", "again", "contact.abandoned", "contact.abandoned", "contact.left_queue"),
    *("contact.answered", "contact.wrapped"),
)


@st.composite
def long_waits(draw: st.DrawFn) -> list[Line]:
    """A chat or two, or calls, that take turns for months, at moments around those where their rows are closed."""
    channel = draw(st.sampled_from(["chat", "chat", "callback"]))
    moments = sorted(draw(st.lists(st.sampled_from(_MOMENTS), max_size=10)))
    out = [line(0, T0, T0, id="e0", type="contact.queued", contact_id="a", queue="x", channel=channel)]
    for n, moment in enumerate(moments, 1):
        kind, contact = draw(st.sampled_from(_TURNS)), draw(st.sampled_from("aab"))
        fields: dict[str, Any] = {"id": f"e{n}", "contact_id": contact, "queue": "x", "channel": channel}
        if kind == "again":
            kind, fields["resumes"] = "contact.queued", True
        out.append(line(n, T0 + moment, T0 + moment, type=kind, **fields))
    return out


@MANY
@given(long_waits(), st.sets(st.integers(0, 10)))
def test_rows_of_waits_longer_than_a_month_are_what_the_specification_says(
    lines: list[Line], cuts: set[int]
) -> None:
    assert differences(referred(lines), folded(lines, cuts, cuts)) == []


@pytest.mark.slow
@MANY
@given(streams(), st.sets(st.integers(0, 45)), st.sets(st.integers(0, 45)))
def test_who_waits_in_the_rows_is_who_was_counted_one_by_one(
    lines: list[Line], cuts: set[int], restarts: set[int]
) -> None:
    """In every row answered + abandoned + left + lost + waiting are those for people, with `waiting` of the reference."""
    if not lines:
        return
    mine, theirs = folded(lines, cuts, restarts).intervals(), referred(lines).rows()
    assert mine.keys() == theirs.keys()
    for key, row in mine.items():
        outcomes = sum(row.get(name, 0) for name in OUTCOMES)
        for_people = row.get("offered", 0) - row.get("to_bot", 0) + row.get("from_bot", 0)
        assert for_people == outcomes + theirs[key].get("waiting", 0)


# --- in pieces ---


@pytest.mark.slow
@MANY
@given(streams(), st.sets(st.integers(0, 45)), st.sets(st.integers(0, 45)))
def test_batches_add_up_to_the_rows_of_the_whole(
    lines: list[Line], cuts: set[int], restarts: set[int]
) -> None:
    if lines:
        assert without_zeros(folded(lines, cuts, restarts).rows) == without_zeros(folded(lines).rows)


@given(streams(), streams(), st.sets(st.integers(0, 45)))
def test_partitions_add_up_to_rows_of_each_alone(one: list[Line], two: list[Line], cuts: set[int]) -> None:
    """Sums are added and the longest is the larger, in any order; the backlog is that of both."""
    if not (one and two):
        return
    alone = [referred(part) for part in (one, two)]
    parts = [folded(part, cuts) for part in (one, two)]
    both = Kept(rows=merged(*(part.rows for part in parts)))
    assert both.rows == merged(*(part.rows for part in reversed(parts)))
    theirs: dict[RowKey, Counter[str]] = {}
    for key, row in itertools.chain.from_iterable(reference.rows().items() for reference in alone):
        found = theirs.setdefault(key, Counter())
        longest = max(found["longest_wait_ms"], row.get("longest_wait_ms", 0))
        found.update(row)
        found["longest_wait_ms"] = longest
    assert both.intervals() == {key: dict(+row) for key, row in theirs.items()}
    for key in both.rows:
        assert both.backlog(*key)[0] == sum(reference.backlog(*key)[0] for reference in alone)


@pytest.mark.parametrize("seed", [1, 2])
def test_waits_are_the_same_on_one_partition_as_on_four(seed: int) -> None:
    """What time-outs count depends on the partition's own time; how a wait ended does not."""
    records = list(traffic(seed, 250, rate=0.2))
    whole = folded(numbered(records)).intervals()
    parts = [[r for r in records if sum(r[0]) % 4 == number] for number in range(4)]
    spread = Kept(rows=merged(*(folded(numbered(part)).rows for part in parts if part))).intervals()
    assert _waits(whole) == _waits(spread)


def _waits(rows: dict[RowKey, dict[str, int]]) -> dict[RowKey, list[int]]:
    return {
        key: [row.get(name, 0) for name in OF_THE_COHORT] for key, row in rows.items() if "offered" in row
    }


def test_neither_business_hours_nor_the_numbers_of_a_registry_change_a_row() -> None:
    lines = numbered(rough(3, 150, 0.05))
    plain = folded(lines)
    open_ = PLACES["response_open_ms"]  # what hours are for
    by_hours, by_clock = (
        {key: {place: n for place, n in row.items() if place != open_} for key, row in kept.rows.items()}
        for kept in (folded(lines, targets=HOURS), plain)
    )
    assert by_hours == by_clock
    fold = Fold(Targets(), Tally({name: n + 100 for name, n in NUMBERS.items()}))
    assert fold_records(fold, lines, 0, decode).deltas.rows == plain.rows


# --- as sums ---


def per_queue(kept: Kept) -> dict[tuple[str, str], Counter[str]]:
    """Sums of all rows of a queue and channel, by the names of the live counters that count the same."""
    out: dict[tuple[str, str], Counter[str]] = {}
    for (_, queue, channel), row in kept.intervals().items():
        out.setdefault((queue, channel), Counter()).update(
            {LIVE.get(name, name): n for name, n in row.items()}
        )
    return out


def _live(
    sums: Mapping[tuple[str, str], Mapping[str, int]],
) -> dict[tuple[str, str], dict[str, int]]:
    """Of these sums those that rows and live counters share."""
    found = {
        place: {name: n for name in LIVE.values() if (n := of.get(name, 0))} for place, of in sums.items()
    }
    return {place: of for place, of in found.items() if of}


@pytest.mark.parametrize(("seed", "rate"), [(5, 0.5), (6, 0.02), (7, 0.002)])
def test_rows_keep_the_books_of_the_live_counters(seed: int, rate: float) -> None:
    """All rows of a queue are its totals, their flows those who wait, and each row's waiting are open visits."""
    lines = numbered(rough(seed, 250, rate))
    rng = Random(seed)
    kept = folded(lines, rng.sample(range(len(lines)), 40))
    totals, sums = kept.counters(TOTAL), per_queue(kept)
    assert any(len({key[0] for key in kept.rows if key[1:] == place}) > 2 for place in sums)
    # Who was told of so late that the loss came after 31 days is in no row as lost.
    too_late = Counter({place: totals[place].get("lost", 0) - of["lost"] for place, of in sums.items()})
    assert all(0 <= n <= sums[place]["waiting"] for place, n in too_late.items())
    shared = {place: {**of, "lost": of["lost"] + too_late[place]} for place, of in sums.items()}
    assert _live(shared) == _live(totals)
    waiting: Counter[RowKey] = Counter()
    for _, queue, channel, state, queued_at in kept.open_visits():
        if state == "waiting":
            waiting[queued_at // INTERVAL_MS * INTERVAL_MS, queue, channel] += 1
    told = Counter({k: row["waiting"] for k, row in kept.intervals().items() if "waiting" in row})
    assert (told - waiting).total() == too_late.total()
    assert waiting - told == Counter()
    depths = {place: sum(flows.values()) for place, flows in kept.flows().items()}
    assert {p: n for p, n in depths.items() if n} == {
        p: n for p, s in sums.items() if (n := s["waiting"] - too_late[p])
    }


@given(streams())
def test_rows_of_any_stream_keep_the_books(lines: list[Line]) -> None:
    """Whose wait was over too late for the row has left the backlog all the same; else rows are the totals."""
    if not lines:
        return
    kept = folded(lines)
    depths = Counter({place: sum(flows.values()) for place, flows in kept.flows().items()})
    waiting = Counter(
        (queue, channel) for _, queue, channel, state, _ in kept.open_visits() if state == "waiting"
    )
    assert {place: n for place, n in depths.items() if n} == waiting
    sums = per_queue(kept)
    too_late = {place for place, of in sums.items() if of["waiting"] > waiting[place]}
    totals = {place: of for place, of in kept.counters(TOTAL).items() if place not in too_late}
    assert _live({place: of for place, of in sums.items() if place not in too_late}) == _live(totals)


def rows_of_the_day(kept: Kept, day: int, queue: str, channel: str) -> list[IntervalRow]:
    out = []
    for start in range(day, day + DAY, INTERVAL_MS):
        first, most = kept.backlog(start, queue, channel)
        amounts = kept.rows.get((start, queue, channel), {})
        out.append(row_of((start, queue, channel), compact(amounts), backlog_start=first, backlog_max=most))
    return out


@pytest.mark.slow
@pytest.mark.parametrize("seed", [8, 9])
def test_a_day_is_the_sum_of_its_quarters(seed: int) -> None:
    lines = numbered(rough(seed, 150, 0.002))
    kept, reference = folded(lines), referred(lines)
    expected = reference.rows()
    days = {(start // DAY * DAY, queue, channel) for start, queue, channel in kept.rows}
    assert len({day for day, *_ in days}) > 1
    for day, queue, channel in sorted(days):
        quarters = range(day, day + DAY, INTERVAL_MS)
        theirs = [expected.get((start, queue, channel), {}) for start in quarters]
        backlogs = [reference.backlog(start, queue, channel) for start in quarters]
        found = together(rows_of_the_day(kept, day, queue, channel), day, DAY // MINUTE)
        for name in (*LIVE, "waiting"):
            assert getattr(found, name) == sum(row.get(name, 0) for row in theirs), name
        assert found.longest_wait_ms == max(row.get("longest_wait_ms", 0) for row in theirs)
        assert (found.backlog_start, found.backlog_max) == (backlogs[0][0], max(most for _, most in backlogs))


@given(streams(), st.sets(st.integers(0, 45)))
def test_reasons_add_up_in_every_row(lines: list[Line], cuts: set[int]) -> None:
    for key, amounts in folded(lines, cuts).rows.items() if lines else ():
        row = row_of(key, compact(amounts))
        left = (
            *(row.left_timeout, row.left_key, row.left_transfer, row.left_callback, row.left_empty),
            row.closed_unanswered,
        )
        refused = (row.refused_full, row.refused_closed, row.refused_empty)
        assert sum((*left, row.left_other)) == row.left
        assert sum((*refused, row.refused_other)) == row.refused
        assert min(*left, *refused, row.left_other, row.refused_other) >= 0


def test_a_row_that_was_stored_before_reasons_were_counted_has_them_all_as_other() -> None:
    row = row_of((0, "q", "voice"), [5, 0, 0, 0, 0, 0, 3, 1, 0, 2])
    assert (row.left_other, row.refused_other, row.missed, row.left_wait_ms) == (3, 2, 0, 0)
