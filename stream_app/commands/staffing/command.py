"""``stream-app staffing``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from .run import StaffingOptions, show

_TARGETS = "Instead of the targets"
_OUTPUT = "Output"


def run(
    *,
    volumes: Annotated[
        Path,
        typer.Argument(
            metavar="VOLUMES", help="Interval rows, actual or forecast, as CSV or JSON; - is standard input."
        ),
    ],
    schedule: Annotated[
        Path | None,
        typer.Option(
            help="Who is scheduled: CSV or JSON. Adds the gap, and what the scheduled staff will achieve."
        ),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(
            help="Targets per queue and channel: a file as for config apply. Default: the built-in targets."
        ),
    ] = None,
    model: Annotated[
        Literal["erlang-a", "erlang-c"],
        typer.Option(help="Whether contacts abandon (a) or wait for ever (c)."),
    ] = "erlang-a",
    aht: Annotated[
        str | None,
        typer.Option(
            metavar="300s",
            help="Average handle time of queues that have none in any row, e.g. 300s or 5m. Default: these have no plan.",
        ),
    ] = None,
    patience: Annotated[
        str | None,
        typer.Option(
            metavar="120s",
            help="Mean patience for rows without patience_s, e.g. 120s or 2m. Only for erlang-a. Default: patience_s of the "
            "targets, 120s.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    asa: Annotated[
        str | None,
        typer.Option(
            metavar="20s",
            help="Target for the average speed of answer (ASA). Default: asa_max_s of the targets, none.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    occupancy: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            max=1.0,
            help="Maximum occupancy, as a share of time; 1 is no bound. Default: occupancy_max of the targets, 0.85.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    shrinkage: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=0.95,
            help="Share of scheduled time that is not spent on contacts: breaks, sickness, training. Default: that of the "
            "targets, 0.3.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    concurrency: Annotated[
        float | None,
        typer.Option(
            min=1.0,
            max=100.0,
            help="Contacts that one person handles at once, other than calls and deferred work. Default: concurrency of the "
            "targets, 1.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    full_time: Annotated[
        float | None,
        typer.Option(
            min=1.0,
            max=168.0,
            help="Weekly hours of a full-time agent, for FTE. Default: full_time_h of the targets, 40.",
            rich_help_panel=_TARGETS,
        ),
    ] = None,
    deferred: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL",
            help="Channel whose work can be deferred; its answer target is the deadline. May repeat. Default: email, callback.",
        ),
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Zone of the times shown, and of times without an offset. Default: as in the file.",
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…|FILE",
            help="Columns of another program in VOLUMES: start=Date+Interval,contacts=Calls Offered,aht_s=AHT,"
            "channel:=voice.",
        ),
    ] = None,
    schedule_mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--schedule-map",
            metavar="FIELD=COLUMN,…|FILE",
            help="The same of --schedule: who=Agent,start=Date+From,end=Date+To,activity:=contacts,queue=Skill.",
        ),
    ] = None,
    by: Annotated[
        Literal["interval", "day", "week"] | None,
        typer.Option(
            help="One row per interval, or totals. Default: interval; for a table of more than two days, day.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    gaps: Annotated[
        bool,
        typer.Option(
            "--gaps",
            help="Only where --schedule has too few, consecutive intervals as one; not with --by.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    form: Annotated[
        Literal["table", "csv", "json"],
        typer.Option("--format", help="Format of the plan.", rich_help_panel=_OUTPUT),
    ] = "table",
) -> None:
    """Calculate the staff that each queue requires in each interval, and what the scheduled staff will achieve.

    \b
    stream-app staffing volumes.csv                          the staff required
    stream-app staffing volumes.csv --schedule schedule.csv  and what the schedule achieves
    stream-app forecast volumes.csv --format json | stream-app staffing -
    stream-app staffing - --targets targets.toml --shrinkage 0.25 < volumes.csv
    stream-app staffing volumes.csv --by week                hours, peak and FTE
    stream-app staffing volumes.csv --schedule schedule.csv --gaps   where too few are scheduled

    VOLUMES has start, minutes, queue, channel, offered, handled, talk_s, hold_s and wrap_s, like the API's interval rows, and
    patience_s where it was measured. aht_s may replace the sums, as in the output of forecast. Nothing is sent or stored.

    The exit code is 1 if intervals have no plan, 65 for an invalid file, 78 for an invalid option or target.
    docs/staffing.md has the formulas.
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    show(
        StaffingOptions(
            volumes=volumes,
            schedule=schedule,
            targets=targets,
            model=model,
            aht=aht,
            patience=patience,
            asa=asa,
            occupancy=occupancy,
            shrinkage=shrinkage,
            concurrency=concurrency,
            deferred=deferred,
            full_time=full_time,
            tz=tz,
            mapping=mapping or [],
            schedule_mapping=schedule_mapping or [],
            by=by,
            gaps=gaps,
            form=form,
        )
    )
