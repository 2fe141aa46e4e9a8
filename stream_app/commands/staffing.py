"""``stream-app staffing``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def run(
    *,
    volumes: Annotated[
        Path,
        typer.Argument(
            metavar="VOLUMES", help="Interval rows, CSV or JSON, observed or forecast; - is standard input."
        ),
    ],
    schedule: Annotated[
        Path | None,
        typer.Option(help="Who is there: CSV or JSON. With it: the gap, and what those people will reach."),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(
            help="Targets per queue and channel, a file as for config apply. Default: the defaults."
        ),
    ] = None,
    model: Annotated[
        Literal["erlang-a", "erlang-c"],
        typer.Option(help="Whether contacts give up (a), or wait for ever (c)."),
    ] = "erlang-a",
    patience: Annotated[
        str,
        typer.Option(
            metavar="120s",
            help="Mean patience where a row has no patience_s; 2m is the same. Only for erlang-a.",
        ),
    ] = "120s",
    asa: Annotated[
        str | None, typer.Option(metavar="20s", help="Most mean wait of the answered. Default: any.")
    ] = None,
    occupancy: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="People are busy for at most this share of their time.")
    ] = 0.85,
    shrinkage: Annotated[
        float,
        typer.Option(
            min=0.0, max=0.95, help="Share of scheduled time that is not work on contacts: breaks, illness."
        ),
    ] = 0.3,
    concurrency: Annotated[
        float,
        typer.Option(min=1.0, max=100.0, help="Chats that one person handles at once (chat, messaging)."),
    ] = 1.0,
    deferred: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL",
            help="Channel whose work waits; its answer target is the deadline. May repeat. Default: email, callback.",
        ),
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Show times in this zone, and read the schedule's without offset in it. Default: as in the file.",
        ),
    ] = None,
    form: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="How to print the plan.")
    ] = "table",
) -> None:
    """Say how many people each queue needs in each interval, and what those who are scheduled will reach.

    \b
    stream-app staffing volumes.csv                          who is required
    stream-app staffing volumes.csv --schedule roster.csv    and what the roster reaches
    stream-app forecast volumes.csv --format json | stream-app staffing -
    stream-app staffing - --targets targets.toml --shrinkage 0.25 < volumes.csv

    VOLUMES has start, minutes, queue, channel, offered, handled, talk_s, hold_s and wrap_s, as the API's interval rows, and
    patience_s where it was measured. For the sums aht_s may stand, as in what forecast writes. Nothing is sent or stored.

    What is wrong with a file ends it with exit code 65, with an option or a target with 78. docs/staffing.md has the formulas.
    """  # noqa: D301 - click's mark for lines that are kept is the character itself
    from stream_app.commands.staffing_plan import Wishes, show  # noqa: PLC0415 - quick --help

    show(
        Wishes(
            volumes=volumes,
            schedule=schedule,
            targets=targets,
            model=model,
            patience=patience,
            asa=asa,
            occupancy=occupancy,
            shrinkage=shrinkage,
            concurrency=concurrency,
            deferred=deferred,
            tz=tz,
            form=form,
        )
    )
