"""``stream-app kpis``."""

from typing import Annotated

import typer


def run(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print it for programs: a list, one object a KPI.")
    ] = False,
) -> None:
    """Show the dictionary: every KPI with its formula, direction and default target."""
    from rich.console import Console  # noqa: PLC0415 - the other commands need not load it
    from rich.table import Table  # noqa: PLC0415 - same

    from stream_app.model.kpis import KPIS  # noqa: PLC0415 - same
    from stream_app.views import dictionary  # noqa: PLC0415 - same
    from stream_app.views.text import to_json  # noqa: PLC0415 - same

    if as_json:
        typer.echo(to_json(dictionary.entries()), nl=False)
        return
    table = Table(box=None, pad_edge=False)
    for n, head in enumerate(("name", "what it is", "formula", "better", "default target")):
        table.add_column(head, no_wrap=n == 0)  # a name that is cut is none
    for kpi in KPIS:
        table.add_row(kpi.name, kpi.doc, dictionary.formula(kpi.measure), kpi.better, dictionary.targets(kpi))
    Console().print(table)
