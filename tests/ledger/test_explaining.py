"""Why a number is what it is: the contacts that it is made of add up to it, whichever KPI, place and time."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest
from hypothesis import given, strategies as st

from stream_app.ledger.explaining import Asked, NotExplainedError, explain, parts_of
from stream_app.ledger.sql import counter_sql
from stream_app.model.durations import DAY
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.kpis import BY_NAME, COUNTERS, KPIS
from stream_app.model.kpis.measures import Choice
from stream_app.model.windows import BASE
from tests.model.kept import Kept, Line, folded
from tests.model.streams import T0, streams

from .asked import AskedLedger

EXPLAINED = []
for _kpi in KPIS:
    try:
        parts_of(_kpi)
    except NotExplainedError:
        continue
    EXPLAINED.append(_kpi)
FIRST = T0 // BASE * BASE
ends = st.integers(-6, 400).map(lambda n: FIRST + BASE * n)
spans = st.one_of(
    st.just((FIRST - BASE, FIRST + DAY)), st.tuples(ends, ends).map(lambda two: (min(two), max(two)))
)
"""Whole buckets."""
places = st.sampled_from([None, "x", "y"])


def ledger_of(lines: list[Line]) -> tuple[Kept, AskedLedger]:
    kept = folded(lines)
    return kept, AskedLedger(kept.ledger, kept.memory(Random(1)).open.items())


def counted(kept: Kept, start: int, end: int, queue: str | None = None) -> Counter[str]:
    """What the counters say of a time, of whole buckets."""
    out: Counter[str] = Counter()
    for (at, place, _), cell in kept.added.items():
        if start <= at < end and queue in (None, place):
            out.update({name: cell.get(number, 0) for name, number in NUMBERS.items()})
    return out


@given(streams(), spans, places, st.data())
def test_contributions_add_up_to_the_number(
    lines: list[Line], span: tuple[int, int], queue: str | None, data: st.DataObject
) -> None:
    kept, ledger = ledger_of(lines)
    start, end = span
    sums = counted(kept, start, end, queue)
    there = [kpi for kpi in EXPLAINED if any(sums[c.name] for c in kpi.measure.counters)]
    kpi = data.draw(st.sampled_from(there or EXPLAINED), "kpi")
    measure = kpi.measure
    policy = data.draw(st.sampled_from([None, *measure.options])) if isinstance(measure, Choice) else None
    asked = Asked(kpi, start, end, queue=queue, policy=policy, limit=10_000)
    found = asyncio.run(explain(ledger, asked))
    formulas = [
        (top.value(sums), bottom.value(sums) if bottom else 0) for _, top, bottom in parts_of(kpi, policy)
    ]
    expected = next((one for one in formulas if one[1] > 0), formulas[-1])
    assert (found.numerator, found.denominator) == expected
    assert (
        sum(c.numerator for c in found.contributions),
        sum(c.denominator for c in found.contributions),
    ) == expected
    assert {term.counter: term.n for term in found.terms} == {t.counter: sums[t.counter] for t in found.terms}
    assert found.contacts == len(found.contributions)
    for which in ("met", "missed", "left_out"):
        part = asyncio.run(
            explain(ledger, Asked(kpi, start, end, queue=queue, policy=policy, which=which, limit=10_000))
        )
        assert {*map(str, part.contributions)} <= {*map(str, found.contributions)}


@given(streams(), spans)
def test_every_counter_of_the_catalogue_has_a_query_that_counts_it(
    lines: list[Line], span: tuple[int, int]
) -> None:
    kept, ledger = ledger_of(lines)
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


def test_what_no_contact_explains_says_what_to_ask() -> None:
    with pytest.raises(NotExplainedError, match="backlog is no sum over contacts in a time, but waiting now"):
        parts_of(BY_NAME["backlog"])
    with pytest.raises(NotExplainedError, match="handle_time has one definition only"):
        parts_of(BY_NAME["handle_time"], "x")
    with pytest.raises(NotExplainedError, match="expected a policy, one of answered_of_offered"):
        parts_of(BY_NAME["service_level"], "x")
    assert len(EXPLAINED) >= 40
