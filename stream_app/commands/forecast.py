"""``stream-app forecast``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def run(
    *,
    volumes: Annotated[
        Path,
        typer.Argument(
            metavar="VOLUMES",
            help="Interval rows: CSV, a JSON array, or one object a line; - is standard input.",
        ),
    ],
    weeks: Annotated[int, typer.Option(min=1, max=6, help="How far ahead.")] = 2,
    interval: Annotated[Literal["15m", "30m"], typer.Option(help="Of the forecast.")] = "15m",
    tz: Annotated[
        str, typer.Option(help="IANA zone in which the queue's weeks are alike: Europe/Berlin.")
    ] = "UTC",
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue. May repeat.")] = None,
    holidays: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DATES",
            help="2026-12-25 is left out; 2026-12-26=sunday is like one; 2027-01-01=closed has none. Commas or lines.",
            rich_help_panel="Days that are not like others",
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FROM..TO",
            help="Nothing is learned from these: dates, both within, or times with offsets. May repeat.",
            rich_help_panel="Days that are not like others",
        ),
    ] = None,
    back_test: Annotated[
        bool,
        typer.Option(
            "--back-test",
            help="Say how good it would have been, beside the week before.",
            rich_help_panel="Output",
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw it, and the back-test.", rich_help_panel="Output"),
    ] = None,
    form: Annotated[
        Literal["table", "csv", "json"],
        typer.Option(
            "--format",
            help="A table has one line a day, the others one row an interval.",
            rich_help_panel="Output",
        ),
    ] = "table",
) -> None:
    """Forecast contacts and handle time per queue, channel and interval, with prediction intervals.

    \b
    stream-app forecast volumes.csv --tz Europe/Berlin
    stream-app forecast volumes.csv --back-test --plot forecast.svg
    stream-app forecast volumes.csv --weeks 6 --interval 30m --format csv > plan.csv
    stream-app forecast volumes.csv --holidays 2026-12-25=sunday --leave-out 2026-11-03..2026-11-04

    Rows have the fields start (with offset), minutes, queue, channel and offered; handled, talk_s, hold_s and wrap_s for
    handle times; rows with final = false are passed over. Needs six weeks of rows. A wrong file ends it with exit code 65.
    """  # noqa: D301 - click's mark for lines that are kept is the character itself
    from stream_app.commands.forecasting import Wishes, forecast  # noqa: PLC0415 - quick --help

    forecast(
        Wishes(
            volumes=volumes,
            weeks=weeks,
            minutes=int(interval[:-1]),
            tz=tz,
            queues=queue or [],
            holidays=holidays,
            leave_out=leave_out or [],
            back_test=back_test,
            plot=plot,
            form=form,
        )
    )
