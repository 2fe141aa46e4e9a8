"""``stream-app skills``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .run import SkillsOptions, show


def run(
    *,
    volumes: Annotated[
        Path,
        typer.Argument(metavar="VOLUMES", help="Interval rows, as for staffing; - is standard input."),
    ],
    groups: Annotated[
        Path,
        typer.Argument(
            metavar="GROUPS",
            help="CSV or JSON: group, skills (queues, joined by +), people (at work), and cost, if they differ.",
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="The interval that is simulated. Default: the one with the most work."
        ),
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="Add people, where it helps most, until every target is met.")
    ] = False,
    targets: Annotated[
        Path | None, typer.Option(help="Targets per queue and channel: a file as for config apply.")
    ] = None,
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of times without an offset, and of those shown.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN,…|FILE", help="Columns of another program in VOLUMES."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same numbers.")] = 1,
    form: Annotated[
        Literal["table", "json"], typer.Option("--format", help="Format of the result.")
    ] = "table",
) -> None:
    """Simulate people with several skills: the service level that each queue reaches, and how certain that is.

    \b
    stream-app skills volumes.csv groups.csv                            the busiest interval
    stream-app skills volumes.csv groups.csv --at 2026-01-05T09:00+01:00 --add

    A queue of several channels is named queue:channel. Deferred work, and channels in which an agent has several contacts at
    once, are left out. The exit code is 65 for an invalid file. docs/staffing.md describes the files and the simulation.
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    show(
        SkillsOptions(
            volumes=volumes,
            groups=groups,
            at=at,
            add=add,
            targets=targets,
            tz=tz,
            mapping=mapping or [],
            seed=seed,
            form=form,
        )
    )
