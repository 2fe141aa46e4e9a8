"""``stream-app intervals``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from stream_app.commands.completion import dialect_names, zone_names
from stream_app.model.kpis import SERVICE_LEVELS

from .export import ExportOptions, export


def _policies(incomplete: str) -> list[str]:
    return [name for name in SERVICE_LEVELS if name.startswith(incomplete)]


def run(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="With --direct: recorded events, plain, gzip or zstd, in chronological order; - is standard input.",
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
            help="Read the topic that has every row ever published, including those older than Redis keeps.",
        ),
    ] = False,
    dialect: Annotated[
        str | None,
        typer.Option(
            autocompletion=dialect_names,
            help="Platform that wrote the records. Default: canonical.",
            rich_help_panel="From files",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            autocompletion=zone_names,
            help="IANA zone of times without an offset, as in Asterisk's tables and call lists. Default: the map's, else UTC.",
            rich_help_panel="From files",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…|FILE",
            help="Columns of a table of events, or of a call list: start=Date+Time,queue=Skill; or a file of these, as "
            "stream-app columns writes it. May repeat.",
            rich_help_panel="From files",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Stop at the first line that is not an event, with exit code 65.",
            rich_help_panel="From files",
        ),
    ] = False,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answer targets, policies and outages: a file as for config apply. Default: the version in force in Redis, "
            "or with --direct and --from-topic the built-in defaults.",
        ),
    ] = None,
    interval: Annotated[Literal["15m", "30m", "1h", "1d"], typer.Option(help="Length of the rows.")] = "15m",
    tz: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            autocompletion=zone_names,
            help="IANA zone of the rows' times: Europe/Berlin. Default: UTC.",
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Only rows that begin at or after this: a date or a time, local in --tz.",
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only rows that begin before this.")
    ] = None,
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue. May repeat.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel. May repeat.")] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            autocompletion=_policies,
            help="Service level formula to use instead of each queue's own; see docs/intervals.md.",
        ),
    ] = None,
    outages: Annotated[
        Literal["include", "leave_out"], typer.Option(help="Whether to include rows of outages.")
    ] = "include",
    form: Annotated[
        Literal["table", "csv", "json", "parquet", "connect", "genesys"] | None,
        typer.Option(
            "--format",
            help="connect and genesys are the import formats of Amazon Connect and Genesys Cloud. Default: by the suffix of "
            "--out (.csv, .json or .parquet); else table.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to this file, all or nothing. Default: standard output."),
    ] = None,
) -> None:
    """Export contacts, waits and work of each queue per interval, for planners and their tools.

    \b
    stream-app intervals                                               the last 24 hours, from Redis
    stream-app intervals --from 2026-01-01 --interval 1d --from-topic  everything ever published
    stream-app intervals --direct monday.ndjson.gz                     a table of 15-minute intervals
    stream-app intervals --direct q1.zst --interval 1d --tz Europe/Berlin
    stream-app intervals --direct calls.csv --map map.toml            one row per contact: see stream-app columns
    stream-app intervals --direct q1.zst --out rows.csv               then: stream-app forecast rows.csv
    stream-app intervals --direct queue_log --dialect asterisk --format genesys --out import.csv
    stream-app intervals --direct q1.zst --settings targets.toml --out rows.parquet

    A row is final 15 minutes after its end. docs/intervals.md describes each field.

    The exit code is 65 for an invalid file and 78 for an invalid option or setting.
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    export(
        ExportOptions(
            files=files or [],
            direct=direct,
            from_topic=from_topic,
            dialect=dialect,
            zone=zone,
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
