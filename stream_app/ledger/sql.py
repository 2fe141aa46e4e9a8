"""SQL of what is counted, derived from the catalogue's declarations: what a counter is needs to be said only once.

It stays in the part of SQL that DuckDB and ClickHouse both run.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_app.model.facts import Fact
from stream_app.model.kpis.sums import Counter, Family, Sketch

from .columns import IN_HAPPENINGS, IN_VISITS, TABLES, fact_column

Part = Counter | Sketch | Family

_TABLE_OF: Final[dict[type[Fact], str]] = {
    **dict.fromkeys(IN_VISITS, "visits"),
    **{kind: table for table, kinds in IN_HAPPENINGS.items() for kind in kinds},
}


class CounterSource(NamedTuple):
    """Where a counter comes from.

    Attributes:
        table: its name.
        at: the column with the moment at which a row counts.
        amount: what a row adds, an expression.
        where: which rows add anything, a condition.
    """

    table: str
    at: str
    amount: str
    where: str


def source_of(part: Part) -> CounterSource:
    """Return where a part of the catalogue comes from; of a sketch, the amount is the duration."""
    kind = part.fact
    table, at = _TABLE_OF[kind], fact_column(kind, "at")
    conditions = [f"{at} IS NOT NULL"]
    if isinstance(part, Family):
        return CounterSource(table, at, _signed(table, fact_column(kind, part.added)), conditions[0])
    if isinstance(part, Counter) and part.where is not None:
        field, value = part.where
        column = fact_column(kind, field)
        conditions.append(
            f"{column} = '{value}'" if isinstance(value, str) else column if value else f"NOT {column}"
        )
    amount = " + ".join(fact_column(kind, field) for field in part.fields) or "1"
    if isinstance(part, Counter):
        amount = _signed(table, amount)
    return CounterSource(table, at, amount, " AND ".join(conditions))


def _signed(table: str, amount: str) -> str:
    """Return an amount, negative in a row that takes back."""
    signed = any(column.name == "sign" for column in TABLES[table].columns)
    return f"sign * ({amount})" if signed else amount


def counter_sql(counter: Counter) -> str:
    """Return a query for what a counter counts of each queue and channel; its parameters are two moments, from and to."""
    source = source_of(counter)
    return (
        f"SELECT queue, channel, sum({source.amount}) AS n FROM {source.table} "
        f"WHERE {source.where} AND {source.at} >= ? AND {source.at} < ? GROUP BY queue, channel"
    )
