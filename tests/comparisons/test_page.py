"""docs/comparisons.md says of each number of a help desk what the tests beside this one have found."""

import ast
import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, is_hypothesis_test, strategies as st

from stream_app.model.intervals.columns import COLUMNS, written
from stream_app.model.kpis import BY_NAME
from stream_app.model.targets import Targets

from . import differences, test_chatwoot, test_freshdesk, test_intercom, test_zendesk
from .differences import Difference
from .ours import Ours
from .stories import Story, several, stories

PAGE = Path(__file__).parents[2] / "docs" / "comparisons.md"
PEERS = (test_zendesk, test_intercom, test_freshdesk, test_chatwoot)
DIFFERENCES: dict[str, list[Difference]] = {
    row: found for peer in PEERS for row, found in peer.DIFFERENCES.items()
}
COMPARED = {name[5:8] for peer in PEERS for name, test in vars(peer).items() if is_hypothesis_test(test)}
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
}
_NAME = re.compile(r"`(\w+)`")


class Row(NamedTuple):
    name: str
    theirs: str
    kpi: str
    columns: str
    equal: str
    where_not: str


LINES = [text for text in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| [zifw]\d\d ", text)]
ROWS = {row.name: row for row in (Row(*(cell.strip() for cell in line[1:-1].split("|"))) for line in LINES)}


def evaluated(formula: str, value: Callable[[str], float]) -> float | None:
    """Return what a formula of columns is, as the page writes it; ``None`` where it divides by nothing."""

    def of(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](of(node.left), of(node.right))
        assert isinstance(node, ast.Name), formula
        return value(node.id)

    try:
        return of(ast.parse(formula.replace("`", "").replace("\N{MINUS SIGN}", "-"), mode="eval").body)
    except ZeroDivisionError:
        return None


def test_each_number_that_is_said_to_be_equal_is_compared() -> None:
    assert {row.name for row in ROWS.values() if row.equal != "not yet"} == COMPARED
    assert set(DIFFERENCES) <= COMPARED
    assert len(ROWS) == len(LINES)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_example_has_the_numbers_that_the_page_says(row: Row) -> None:
    computed = [example() for example in DIFFERENCES.get(row.name, [])]
    assert differences.written(row.where_not) == computed
    assert len(computed) == row.where_not.count("theirs"), "a pair that can't be read"
    assert all(theirs != ours for theirs, ours in computed)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_each_name_of_ours_exists(row: Row) -> None:
    assert set(_NAME.findall(row.kpi)) <= set(BY_NAME)
    assert set(_NAME.findall(row.columns)) <= {written(name) for name in COLUMNS}
    assert bool(_NAME.findall(row.kpi + row.columns)) == (row.equal != "not yet")


@given(
    several(
        st.one_of(
            stories(("customer", "agent", "pending", "open"), ends=True, again=2), test_intercom.with_fin()
        )
    )
)
def test_columns_have_what_their_kpi_has(told: list[Story]) -> None:
    targets = Targets.of({"queues": {"q": {"reply_target_s": 600}}})
    ours = Ours(*told, channel="messaging", targets=targets)
    for row in ROWS.values():
        kpis, columns = _NAME.findall(row.kpi), _NAME.findall(row.columns)
        if kpis and columns:
            (kpi,) = kpis
            assert evaluated(row.columns, ours.column) == pytest.approx(ours.kpi(kpi)), row.name
        elif "reply_s" in columns and "replies" in columns:
            assert evaluated(row.columns, ours.column) == pytest.approx(ours.next_reply()), row.name
