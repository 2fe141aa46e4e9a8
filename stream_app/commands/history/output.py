"""What the course of a KPI prints."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Final

import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stream_app.model.kpis.measures import Unit
from stream_app.model.ledger_numbers import KpiHistory
from stream_app.views.history.api import answer_of, csv_of
from stream_app.views.history.query import AskedHistory
from stream_app.views.history.wire import KpiHistoryRow, rows_of, unknown_of

WIDTH: Final = 140
HistoryPage = tuple[AskedHistory, KpiHistory]


def to_json(pages: Sequence[HistoryPage]) -> str:
    """Return all of it for programs, as ``/v1/history`` does."""
    asked, found = pages[0]
    answer = answer_of(asked, found, at=asked.query.now)
    unknown = [part for page in pages for part in unknown_of(*page)]
    whole = replace(answer, rows=_rows(pages), unknown=unknown)
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"


def to_csv(pages: Sequence[HistoryPage]) -> str:
    """Return it as CSV."""
    return "".join(csv_of(_rows(pages)))


def written(pages: Sequence[HistoryPage]) -> str:
    """Return it for people."""
    asked, _ = pages[0]
    rows = _rows(pages)
    text = StringIO()
    console = Console(file=text, width=WIDTH, highlight=False)
    kpi, where = (
        asked.query.kpi,
        " · ".join(sorted({*(asked.query.queues or ()), *(asked.query.channels or ())})),
    )
    console.print(
        Text(f"{kpi.title} of {where or 'all queues'}, by {asked.by}, {asked.zone.key}", style="bold")
    )
    settles = any(isinstance(row.settled_samples, int) for row in rows)
    heads = [asked.by, *([asked.query.group] if asked.query.group else []), "value", "samples"]
    heads += ["settled", "samples"] if settles else []
    table = Table(box=None, pad_edge=False)
    policies = any(row.policy for row in rows)
    for head in [*heads, *(["formula"] if policies else [])]:
        table.add_column(head, justify="right" if head in {"value", "samples", "settled"} else "left")
    for row in rows:
        mark = ("" if row.final else "+") + ("" if row.known else "?")
        cells = [row.period + mark, *([row.name or "unknown"] if asked.query.group else [])]
        cells += [_value(row, kpi.unit), f"{row.samples or 0:,}"]
        if settles:
            settled = row.settled_value if isinstance(row.settled_value, float | int) else None
            n = row.settled_samples if isinstance(row.settled_samples, int) else 0
            cells += [_number(settled, kpi.unit), f"{n:,}"]
        table.add_row(*map(Text, [*cells, *([row.policy or ""] if policies else [])]))
    console.print(table)
    if any(not row.final for row in rows):
        console.print(Text("+ not over yet"))
    if any(not row.known for row in rows):
        console.print(
            Text("? contacts were counted then that are missing here: numbers are of those that are known")
        )
    return text.getvalue()


def _rows(pages: Sequence[HistoryPage]) -> list[KpiHistoryRow]:
    return [row for page in pages for row in rows_of(*page)]


def _value(row: KpiHistoryRow, unit: Unit) -> str:
    if isinstance(row.amounts, dict):
        return ", ".join(f"{amount} {currency}" for currency, amount in row.amounts.items()) or "no data"
    return _number(row.value, unit)


def _number(value: float | None, unit: Unit) -> str:
    if value is None:
        return "no data"
    if unit.is_ratio:
        return f"{value:.1%}"
    return f"{value:,.1f} s" if unit is Unit.SECONDS else f"{value:,.6g}"
