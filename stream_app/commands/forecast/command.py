"""``stream-app forecast``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from stream_app.commands.completion import zone_names
from stream_app.errors import BadSettingsError, how_to_install


def run(
    *,
    volumes: Annotated[
        Path,
        typer.Argument(
            metavar="VOLUMES",
            help="Interval rows: CSV, a JSON array, or one object per line; - is standard input.",
        ),
    ],
    weeks: Annotated[int, typer.Option(min=1, max=6, help="Weeks to forecast.")] = 2,
    interval: Annotated[
        Literal["15m", "30m", "60m"] | None,
        typer.Option(help="Interval of the forecast. Default: the file's, but at least 15m."),
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option(
            help="IANA zone of the queues' weekly pattern, and of times without an offset: Europe/Berlin. Default: the zone "
            "in --targets, with --calls that of the list, else UTC."
        ),
    ] = None,
    targets: Annotated[
        Path | None,
        typer.Option(
            help="Targets, a file as for config apply: zones, holidays and business hours of the queues.",
            rich_help_panel="Special days",
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…|FILE",
            help="Columns of another program: start=Date+Interval,contacts=Calls Offered,aht_s=AHT,channel:=voice; or a file "
            "of these, as stream-app columns writes it.",
        ),
    ] = None,
    calls: Annotated[
        bool,
        typer.Option("--calls", help="VOLUMES has one row per contact; see docs/call-lists.md."),
    ] = False,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            autocompletion=zone_names,
            help="With --calls: IANA zone of times without an offset. Default: that of the map, else --tz.",
        ),
    ] = None,
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue. May repeat.")] = None,
    holidays: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DATES",
            help="Special days: 2026-12-25 is left out; 2026-12-26=sunday is like a Sunday; 2027-01-01=closed has no contacts. "
            "Separate them by commas or lines.",
            rich_help_panel="Special days",
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FROM..TO",
            help="Exclude a period from the history: dates, both inclusive, or times with offsets. May repeat.",
            rich_help_panel="Special days",
        ),
    ] = None,
    back_test: Annotated[
        bool,
        typer.Option(
            "--back-test",
            help="Report how accurate past forecasts would have been, compared with repeating the week before.",
            rich_help_panel="Output",
        ),
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.svg", help="Draw the forecast and the back-test.", rich_help_panel="Output"
        ),
    ] = None,
    form: Annotated[
        Literal["table", "csv", "json"],
        typer.Option(
            "--format",
            help="A table has one line per day, csv and json one row per interval.",
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
    stream-app forecast calls.csv --calls --map map.toml     one row per contact: see stream-app columns

    Rows have the fields start, minutes, queue, channel and offered, and for handle times aht_s, or handled, talk_s, hold_s and
    wrap_s; rows with final = false are skipped. Needs six weeks of rows. The exit code is 65 for an invalid file.
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    try:
        from .run import ForecastOptions, forecast  # noqa: PLC0415 - it needs the extra, and --help does not
    except ModuleNotFoundError as error:
        raise BadSettingsError(
            f"forecast needs {error.name}; install it: {how_to_install('forecast')}"
        ) from None

    forecast(
        ForecastOptions(
            volumes=volumes,
            weeks=weeks,
            minutes=int(interval[:-1]) if interval else None,
            tz=tz,
            targets=targets,
            mapping=mapping or [],
            calls=calls,
            zone=zone,
            queues=queue or [],
            holidays=holidays,
            leave_out=leave_out or [],
            back_test=back_test,
            plot=plot,
            form=form,
        )
    )
