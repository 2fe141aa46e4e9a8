"""The same SQL, on the same files, says the same in ClickHouse as in DuckDB."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from stream_app.ledger.kpis import FAMILIES
from tests.model.kept import folded

from .asking import HOURS, OWNERS, groups, question, without_zeros
from .clickhouse import ClickHouseTables
from .streams_of_customers import Weeks
from .tables_of import LedgerTables, tables_of
from .test_figures_of_numbers import MONTH, OUT_OF_RANGE, valued


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_both_engines_agree(seed: int, tmp_path: Path) -> None:
    lines, random = Weeks(seed).tell(80), Random(seed)
    tables = tables_of(folded(lines))
    duckdb = LedgerTables(tables, HOURS, OWNERS)
    with ClickHouseTables(tables, tmp_path, HOURS, OWNERS) as clickhouse:
        for family in FAMILIES:
            for _ in range(2):
                asked, split = question(random, lines), groups(family, random)
                found = without_zeros(clickhouse.ask(family, asked, split))
                assert found == without_zeros(duckdb.ask(family, asked, split)), (family, asked, split)


@pytest.mark.slow
@pytest.mark.parametrize("price", OUT_OF_RANGE)
def test_both_leave_out_what_no_event_may_tell_and_add_up_the_most_of_all(
    price: float, tmp_path: Path
) -> None:
    tables = valued(price)
    with ClickHouseTables(tables, tmp_path) as clickhouse:
        found = clickhouse.ask("customers", MONTH)
    assert found == LedgerTables(tables).ask("customers", MONTH)
    assert found[()]["valued"] == 2
