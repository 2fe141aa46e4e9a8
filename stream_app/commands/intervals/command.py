"""``stream-app intervals``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def _dialects(incomplete: str) -> list[str]:
    from stream_app.ingest import dialects  # noqa: PLC0415 - quick --help

    return [name for name in dialects.available() if name.startswith(incomplete)]


def _policies(incomplete: str) -> list[str]:
    from stream_app.model.kpis import SERVICE_LEVELS  # noqa: PLC0415 - quick --help

    return [name for name in SERVICE_LEVELS if name.startswith(incomplete)]


def _zones(incomplete: str) -> list[str]:
    from stream_app.views.intervals.query import zones  # noqa: PLC0415 - quick --help

    return sorted(zone for zone in zones() if zone.lower().startswith(incomplete.lower()))


def run(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="With --direct: recorded events, plain, gzip or zstd, in the order of time; - is standard input.",
        ),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Count FILE in memory, without any server.", rich_help_panel="From files"
        ),
    ] = False,
    from_topic: Annotated[
        bool,
        typer.Option(
            "--from-topic",
            help="Read the topic that has every row ever published, older ones than Redis keeps too.",
        ),
    ] = False,
    dialect: Annotated[
        str | None,
        typer.Option(
            autocompletion=_dialects,
            help="Whose records the files have. Default: canonical.",
            rich_help_panel="From files",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN|FILE",
            help="A table's column for an event's field, as for replay. May repeat.",
            rich_help_panel="From files",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="The first line that is no event ends it, with exit code 65.",
            rich_help_panel="From files",
        ),
    ] = False,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answer targets, policies and outages, a file as for config apply. Default: what is in force in Redis; "
            "else the defaults.",
        ),
    ] = None,
    interval: Annotated[Literal["15m", "30m", "1h", "1d"], typer.Option(help="How long rows are.")] = "15m",
    tz: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            autocompletion=_zones,
            help="IANA zone by whose clock rows begin: Europe/Berlin. Default: UTC.",
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Rows begin at or after this: a date, or a time; local in --tz."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Rows begin before this.")] = None,
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue. May repeat.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel. May repeat.")] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            autocompletion=_policies,
            help="This service level instead of each queue's own; docs/intervals.md has them.",
        ),
    ] = None,
    outages: Annotated[
        Literal["include", "leave_out"], typer.Option(help="Whether rows of an outage are wanted.")
    ] = "include",
    form: Annotated[
        Literal["table", "csv", "json", "parquet", "connect", "genesys"] | None,
        typer.Option(
            "--format",
            help="connect and genesys: what Amazon Connect and Genesys Cloud import. Default: by the ending of --out, .csv, "
            ".json or .parquet; else table.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write here, all or nothing. Default: standard output."),
    ] = None,
) -> None:
    """Contacts, waits and work of each queue by intervals: what planners and their programs read.

    \b
    stream-app intervals                                               the last 24 hours, from Redis
    stream-app intervals --from 2026-01-01 --interval 1d --from-topic  all that was ever published
    stream-app intervals --direct monday.ndjson.gz                     a table of quarters of an hour
    stream-app intervals --direct q1.zst --interval 1d --tz Europe/Berlin
    stream-app intervals --direct q1.zst --out rows.csv               then: stream-app forecast rows.csv
    stream-app intervals --direct queue_log --dialect asterisk --format genesys --out import.csv
    stream-app intervals --direct q1.zst --settings targets.toml --out rows.parquet

    A row is final once a quarter of an hour has passed behind it. docs/intervals.md says what each field is.

    What is wrong with a file ends it with exit code 65, with an option or a setting with 78.
    """  # noqa: D301 - click's mark for lines that are kept is the character itself
    from stream_app.commands.interval_export import Wishes, export  # noqa: PLC0415 - quick --help

    export(
        Wishes(
            files=files or [],
            direct=direct,
            from_topic=from_topic,
            dialect=dialect,
            maps=maps or [],
            strict=strict,
            settings=settings,
            interval=interval,
            tz=tz,
            begin=begin,
            end=end,
            queues=queue or [],
            channels=channel or [],
            policy=policy,
            outages=outages == "include",
            asked=form,
            out=out,
        )
    )
