"""Why a number is what it is: the contacts that it is made of add up to it, whichever KPI, place, time and policy."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.ledger.explaining import explain
from stream_app.ledger.spans import parts_of
from stream_app.ledger.sql import counter_sql
from stream_app.model.durations import DAY
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.kpis import BY_NAME, COUNTERS, KPIS, SERVICE_LEVELS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Choice, Derived, Either, IntervalsMet, Ratio, Unit, Value
from stream_app.model.kpis.sums import Sum
from stream_app.model.kpis.words import CORRECTIONS, RULES, WORDS
from stream_app.model.live.board import Board
from stream_app.model.live.rows import QueueGroup, RowPlace
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Targets
from stream_app.model.why import WHICH, NotExplainedError, Why, WhyQuery
from stream_app.model.windows import BASE, WINDOWS
from tests.model.examples import EXAMPLES as SPOKEN
from tests.model.kept import Line
from tests.model.settings import WORLDS
from tests.model.streams import T0, line, streams
from tests.model.written_examples import WRITTEN

from .asked import AskedLedger, board_of, ledger_of

EXAMPLES = SPOKEN | WRITTEN
FEW = settings(max_examples=(settings.default.max_examples if settings.default else 0) // 2)
"""Each of them asks for many KPIs."""
FIRST = T0 // BASE * BASE
ends = st.integers(-6, 400).map(lambda n: FIRST + BASE * n)
spans = st.one_of(
    st.just((FIRST - BASE, FIRST + DAY)), st.tuples(ends, ends).map(lambda two: (min(two), max(two) + BASE))
)
"""Whole buckets."""
PLACES: list[tuple[str | None, str | None]] = [
    (None, None),
    ("x", None),
    ("y", None),
    (None, "voice"),
    ("x", "voice"),
    ("x", "email"),
    ("sales", None),
    ("sales", "voice"),
    ("sales", "chat"),
]
places = st.sampled_from(PLACES)
SETTINGS = [
    Targets(),
    Targets.of(
        {
            "defaults": {
                "currency": "EUR",
                "cost_per_hour": 36.5,
                "cost_per_contact": 0.25,
                "short_abandon_s": 15,
            },
            "queues": {
                "sales": {
                    "zone": "Asia/Kolkata",
                    "policy": "answered_or_abandoned",
                    "currency": "USD",
                    "targets": {"service_level": 0.5},
                }
            },
        }
    ),
    *(world.targets() for world in WORLDS if world.tells_messages),
    *{
        one.targets.to_json(): one.targets for some in EXAMPLES.values() for one in some if one.targets
    }.values(),
]


STORIES = [story for some in EXAMPLES.values() for story in some]


@st.composite
def crowds(draw: st.DrawFn) -> list[Line]:
    """Some of the worked examples together, so that nearly every KPI has something to explain."""
    told = []
    for n, story in enumerate(draw(st.lists(st.sampled_from(STORIES), min_size=1, max_size=9))):
        shift = draw(st.sampled_from([0, 0, 7, 90, 900, 1_795, 5_400]))
        queue = draw(st.sampled_from(["sales", "sales", "x"]))
        for at, contact, kind, fields in story.told:
            there = {name: queue if name == "queue" else value for name, value in fields.items()}
            told.append((T0 + round((at + shift) * 1000), f"{contact}-{n}", kind, there))
    return [
        line(n, at, at, id=f"e{n}", type=kind, contact_id=contact, **fields)
        for n, (at, contact, kind, fields) in enumerate(sorted(told, key=lambda one: one[0]))
    ]


looks = st.sampled_from([0, 30, 61, 100, 290, 950, 1_900, 3_700, 7_300]).map(lambda s: T0 + s * 1000)


def why(ledger: AskedLedger, query: WhyQuery, targets: Targets) -> Why:
    ledger.again()
    return asyncio.run(explain(ledger, ledger.open, query, targets))


def number_of(board: Board, query: WhyQuery, targets: Targets) -> Value | float | None:
    """What everybody is shown: of a queue and channel a row, of several a group."""

    def chosen(place: RowPlace) -> bool:
        return query.has(place.queue, place.channel)

    snapshots = Snapshots(board)
    if query.queue and query.channel:
        rows = snapshots.take(targets, chosen=chosen).rows
        found: list[tuple[Mapping[str, float | None], Mapping[str, Mapping[str, Value]]]] = [
            (row.levels, row.windows) for row in rows
        ]
    else:
        groups: list[QueueGroup] = snapshots.groups(targets, "site", chosen=chosen)
        found = [(group.levels, group.windows) for group in groups]
    if not found:
        return None
    ((levels, windows),) = found
    if query.kpi.is_level:
        return levels[query.kpi.name]
    assert query.window
    value = windows[query.window].get(query.kpi.name)
    return value and Value(value.value, value.samples, None, value.amounts, value.basis)


def check_sums(found: Why, kpi: Kpi) -> None:
    """The contributions add up to the number."""
    measure, parts = kpi.measure, kpi.unit.parts
    if isinstance(measure, Derived):
        values = [one.value for one in found.parts]
        for part in found.parts:
            args = [value.value if window is None else value for window, value in part.of.values()]
            assert measure.how(*args) == part.value
        known = [value for value in values if value is not None]
        expected = sum(known) if kpi.adds else max(known, default=0.0)
        assert found.value.value == (expected if len(known) == len(values) else None)
        return
    if isinstance(measure, IntervalsMet):
        assert found.total == len(found.intervals) == found.denominator == found.value.samples
        assert sum(one.met for one in found.intervals) == found.numerator
        assert found.value.value == (found.numerator / found.total if found.total else None)
        return
    assert found.total == len(found.contacts)
    over = sum(one.numerator for one in found.contacts)
    under = sum(one.denominator for one in found.contacts)
    for role, total in (("numerator", over), ("denominator", under)):
        listed = sum(term.sign * term.n for term in found.terms if term.role == role)
        assert kpi.is_level or kpi.unit is Unit.AMOUNT or listed == total
    if kpi.unit is Unit.AMOUNT:
        sums: Counter[str] = Counter()
        for one in found.contacts:
            sums.update({currency: Decimal(n) for currency, n in (one.amounts or {}).items()})
        for currency, amount in (found.value.amounts or {}).items():
            contacts = sum(
                one.denominator
                for one in found.contacts
                if kpi.name != "cost_per_contact" or currency in (one.amounts or {})
            )
            assert abs(Decimal(sums[currency]) / contacts - Decimal(amount)) <= Decimal("0.0002")
        return
    assert (found.numerator, found.denominator or 0) == (None if found.numerator is None else over, under)
    if found.denominator is None:
        assert found.value.value is None or found.value.value == over / parts
    else:
        times = getattr(measure, "times", 1)
        assert found.value.value == (times * over / (under * parts) if under > 0 else None)


@pytest.mark.slow
@FEW
@given(st.one_of(crowds(), crowds(), streams()), places, looks, st.sampled_from(SETTINGS), st.data())
def test_every_number_is_explained_and_its_contributions_add_up_to_it(
    lines: list[Line], place: tuple[str | None, str | None], now: int, targets: Targets, data: st.DataObject
) -> None:
    """Of all KPIs, in all windows, of one queue and of many, under every policy."""
    kept, ledger = ledger_of(lines, targets)
    board = board_of(kept, now)
    quarter = data.draw(st.integers(0, 3))
    for kpi in KPIS[quarter::4]:
        windows = ["today"] if isinstance(kpi.measure, IntervalsMet) else [*WINDOWS]
        window = None if kpi.is_level else data.draw(st.sampled_from(windows))
        query = WhyQuery(kpi=kpi, now=now, window=window, queue=place[0], channel=place[1], limit=10_000)
        found, number = why(ledger, query, targets), number_of(board, query, targets)
        check_sums(found, kpi)
        value = found.value.value if kpi.is_level else found.value
        if number is not None:
            assert value == number, (kpi.name, window)
        else:
            assert not value if kpi.is_level else not found.value.samples


@pytest.mark.parametrize("name", [*EXAMPLES])
def test_the_worked_examples_are_explained(name: str) -> None:
    """Every KPI, and none of them by nothing."""
    kpi, listed = BY_NAME[name], 0
    for example in EXAMPLES[name]:
        targets = example.targets or Targets()
        told = sorted(example.told, key=lambda one: one[0])
        lines = [
            line(
                n, stamp := T0 + round(at * 1000), stamp, id=f"e{n}", type=kind, contact_id=contact, **fields
            )
            for n, (at, contact, kind, fields) in enumerate(told)
        ]
        kept, ledger = ledger_of(lines, targets)
        now = T0 + round(example.look_s * 1000)
        for window in kpi.windows or (None,):
            query = WhyQuery(
                kpi=kpi, now=now, window=window, queue="sales", channel=example.channel, limit=10_000
            )
            found = why(ledger, query, targets)
            check_sums(found, kpi)
            number = number_of(board_of(kept, now), query, targets)
            assert number == (found.value.value if kpi.is_level else found.value)
            listed += len(found.contacts) + len(found.intervals) + len(found.parts)
    assert listed


@pytest.mark.slow
@given(st.one_of(crowds(), streams()), spans, places, st.sampled_from(SETTINGS), st.data())
def test_any_whole_buckets_can_be_explained_and_no_contact_is_listed_twice(
    lines: list[Line],
    span: tuple[int, int],
    place: tuple[str | None, str | None],
    targets: Targets,
    data: st.DataObject,
) -> None:
    kept, ledger = ledger_of(lines, targets)
    kpi = data.draw(st.sampled_from([kpi for kpi in KPIS if not kpi.is_level]))
    policy = data.draw(st.sampled_from([None, *SERVICE_LEVELS])) if isinstance(kpi.measure, Choice) else None
    start, end = span
    query = WhyQuery(
        kpi=kpi, now=max(kept.time, T0), start=start, end=end, queue=place[0], channel=place[1], policy=policy, limit=10_000
    )  # fmt: skip
    found = why(ledger, query, targets)
    check_sums(found, kpi)
    assert (found.start, found.end) == span
    every = [*map(str, found.contacts or found.intervals)]
    assert len({*every}) == len(every)
    listed: list[str] = []
    for which in WHICH[1:]:
        part = why(
            ledger,
            WhyQuery(**{**{f: getattr(query, f) for f in query.__struct_fields__}, "which": which}),
            targets,
        )
        assert {*map(str, part.contacts or part.intervals)} <= {*every}
        assert part.value == found.value
        listed += map(str, (part.contacts or part.intervals) if which != "left_out" else ())
    assert len({*listed}) == len(listed), "met and missed have none in common"
    pages: list[str] = []
    for skip in range(0, found.total, 3):
        page = WhyQuery(
            **{**{f: getattr(query, f) for f in query.__struct_fields__}, "limit": 3, "skip": skip}
        )
        part = why(ledger, page, targets)
        pages += map(str, part.contacts or part.intervals)
    assert pages == every


@pytest.mark.slow
@FEW
@given(streams(), spans)
def test_every_counter_of_the_catalogue_has_a_query_that_counts_it(
    lines: list[Line], span: tuple[int, int]
) -> None:
    kept, ledger = ledger_of(lines, Targets())
    start, end = span
    for counter in COUNTERS:
        moments = "make_timestamptz(? * 1000)"
        sql = counter_sql(counter).replace(">= ?", f">= {moments}").replace("< ?", f"< {moments}")
        found = {
            (queue, channel): int(n)
            for queue, channel, n in ledger.connection.execute(sql, [start, end]).fetchall()
        }
        expected: Counter[tuple[str, str]] = Counter()
        for (at, queue, channel), cell in kept.added.items():
            if start <= at < end:
                expected[queue, channel] += cell.get(NUMBERS[counter.name], 0)
        assert {k: n for k, n in found.items() if n} == {k: n for k, n in expected.items() if n}, counter.name


def test_whatever_a_formula_has_is_in_words() -> None:
    counted = {part.name for kpi in KPIS for part in parts_of(kpi)}
    assert counted <= {*WORDS}
    taken = {
        counter.name
        for kpi in KPIS
        for ratio in ratios_of(kpi)
        for sign, counter in Sum.of(ratio.denominator).terms
        if sign < 0
    }
    assert taken == {*RULES, *CORRECTIONS}, "whoever is left out is told why"


def ratios_of(kpi: Kpi) -> list[Ratio]:
    match kpi.measure:
        case Choice(options=options):
            return [*options.values()]
        case Ratio() as ratio:
            return [ratio]
        case Either(first=first, other=other):
            return [first, other]
    return []


@pytest.mark.parametrize(
    ("kpi", "asked", "said"),
    [
        ("backlog", {"window": "30m"}, "backlog is a value of now; leave window, from and to out"),
        ("time_to_clear", {"start": 0, "end": BASE}, "time_to_clear is made of values of now"),
        ("handle_time", {"window": "30m", "policy": "x"}, "handle_time has one definition only"),
        ("service_level", {"window": "30m", "policy": "x"}, "expected a policy, one of answered_of_offered"),
        ("service_level", {}, "expected a window, or from and to"),
        ("service_level", {"start": 1, "end": BASE}, "expected whole 10 s"),
    ],
)
def test_what_does_not_fit_says_what_would(kpi: str, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(NotExplainedError, match=said):
        WhyQuery(kpi=BY_NAME[kpi], now=0, **asked).check()
