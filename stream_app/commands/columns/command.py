"""``stream-app columns``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from stream_app.commands.completion import zone_names

from .run import ColumnsOptions, show


def run(
    *,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="List of contacts, one row each: CSV or JSON, plain, gzip or zstd."
        ),
    ],
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…|FILE",
            help="Columns that are already known: start=Date+Time,queue=Skill. May repeat.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            autocompletion=zone_names,
            help="IANA zone of times without an offset: Europe/Berlin.",
        ),
    ] = None,
    dates: Annotated[
        Literal["day-first", "month-first"] | None,
        typer.Option(help="Whether 05/01/2026 is in January or in May, where no row shows it."),
    ] = None,
    outcome: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD=MEANING",
            help="What a word in the column of outcomes means: answered, transferred, abandoned, voicemail, callback, timeout, "
            "overflow, blocked, closed, full or ignored. May repeat.",
        ),
    ] = None,
    queue: Annotated[
        str | None, typer.Option(metavar="NAME", help="Queue of all rows, where no column has it.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write the map to this file, for --map."),
    ] = None,
) -> None:
    """Propose which columns of a list of contacts mean what, and show ten rows as they would be read.

    \b
    stream-app columns calls.csv                                     what is understood, and what is not
    stream-app columns calls.csv --zone Europe/Berlin -o map.toml    for --map of replay, intervals and forecast
    stream-app columns calls.csv --outcome 'NOANSW=abandoned' --queue sales -o map.toml

    Nothing is counted or stored. What the file does not tell is asked for, with the option that answers it.

    The exit code is 65 if the file can't be read as a list without an answer, and 78 for an invalid option. docs/call-lists.md
    has an example.
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    show(
        ColumnsOptions(
            file=file,
            maps=maps or [],
            zone=zone,
            dates=dates,
            outcomes=outcome or [],
            queue=queue,
            out=out,
        )
    )
