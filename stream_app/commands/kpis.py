"""``stream-app kpis``."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from stream_app.model.kpis import KPIS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.views import budget, dictionary
from stream_app.views.text import to_json


def run(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs: a list with one object per KPI.")
    ] = False,
) -> None:
    """List every KPI with its formula, direction and default target."""
    if as_json:
        typer.echo(to_json(dictionary.entries()), nl=False)
        return
    table = Table(box=None, pad_edge=False)
    for n, head in enumerate(("name", "what it is", "formula", "better", "default target")):
        table.add_column(head, no_wrap=n == 0)  # a truncated name is useless
    for kpi in KPIS:
        table.add_row(kpi.name, kpi.doc, dictionary.formula(kpi.measure), kpi.better, dictionary.targets(kpi))
    for one in FROM_LEDGER:
        target = "—" if one.target is None else dictionary.number(one.target, one.unit)
        table.add_row(one.name, one.doc, dictionary.ledger_entry(one)["formula"], one.better, target)
    Console().print(table)
    typer.echo(
        f"\nAt most {budget.of_queue()} series per queue and channel; the scrape limit allows for {budget.QUEUES}."
    )
