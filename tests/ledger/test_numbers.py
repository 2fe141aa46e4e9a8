"""The SQL of every family says what the reference says, which was written from the specification."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.ledger.kpis import FAMILIES
from stream_app.ledger.kpis.journeys import reach
from tests.model.kept import folded

from .asking import HOURS, OWNERS, groups, question, refer, without_zeros
from .streams_of_customers import Weeks
from .tables_of import REFERRED, LedgerTables, referred, tables_of


@pytest.mark.slow
@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_sql_and_reference_agree_on_any_weeks(seed: int, units: int) -> None:
    lines, random = Weeks(seed).tell(units), Random(seed)
    kept, reference = folded(lines), refer(lines)
    assert kept.open_visits() == reference.open_visits()
    tables = LedgerTables(tables_of(kept), HOURS, OWNERS)
    for family in REFERRED:
        asked, split = question(random, lines), groups(family, random)
        found = without_zeros(tables.ask(family, asked, split))
        expected = without_zeros(referred(reference.history, family, asked, split, HOURS, owners=OWNERS))
        assert found == expected, (family, asked, split)
        if family in {"journeys", "touches"}:
            made = asyncio.run(reach(asked, tables.run)).made
            assert without_zeros(tables.ask(family, asked, split, made)) == expected, (
                "what is further back is nothing"
            )


@pytest.mark.slow
def test_these_weeks_have_whatever_is_counted() -> None:
    counted = Counter[tuple[str, str]]()
    for seed in range(100):
        lines, random = Weeks(seed).tell(60), Random(seed)
        reference = refer(lines)
        for family in REFERRED:
            for row in referred(reference.history, family, question(random, lines), (), HOURS).values():
                counted.update({(family, name): n != 0 for name, n in row.items()})
    rare = {
        (family, name) for family in REFERRED for name in FAMILIES[family].sums if not counted[family, name]
    }
    assert not rare
