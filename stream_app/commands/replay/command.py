"""``stream-app replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from stream_app.commands.completion import dialect_names, zone_names

from .run import ReplayOptions, replay


def run(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Recorded events: plain, gzip or zstd; - is standard input. Several files in chronological order.",
        ),
    ],
    dialect: Annotated[
        str | None,
        typer.Option(
            autocompletion=dialect_names,
            help="Platform that wrote the records. Default: STREAM_APP_DIALECT; canonical in a report.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            autocompletion=zone_names,
            help="IANA zone of times without an offset, as in Asterisk's tables and call lists. Default: that of the map, else "
            "STREAM_APP_SOURCE_ZONE; UTC in a report.",
        ),
    ] = None,
    form: Annotated[
        Literal["ndjson", "csv", "queue_log"] | None,
        typer.Option(
            "--format",
            help="Format of the files. Default: by dialect and first line.",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN,…|FILE",
            help="Columns of a table of events: at=Started,channel:=voice; or of a call list: start=Date+Time,queue=Skill; or "
            "a file of these, as stream-app columns writes it. May repeat.",
        ),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="Kafka topic. Default: STREAM_APP_TOPIC.", rich_help_panel="Into Kafka"),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="Kafka key of all records, such as the name of the server that wrote them. Default: each record's contact; "
            "asterisk for --dialect asterisk.",
            rich_help_panel="Into Kafka",
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Seconds of the recording per second. Default: as fast as possible.",
            rich_help_panel="Into Kafka",
        ),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct",
            help="Count into Redis without Kafka, each record of a file exactly once.",
            rich_help_panel="Without Kafka",
        ),
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report",
            help="With --direct: count in memory, without any server, and print totals as JSON.",
            rich_help_panel="Without Kafka",
        ),
    ] = False,
    targets: Annotated[
        Path | None,
        typer.Option(
            help="Answer targets for the report: a file as for config apply.", rich_help_panel="Without Kafka"
        ),
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this queue, with all events of its contacts. May repeat.", rich_help_panel="Selection"
        ),
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Only this channel. May repeat.", rich_help_panel="Selection")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", help="Only events at or after this time (RFC 3339).", rich_help_panel="Selection"
        ),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Only events before this time.", rich_help_panel="Selection")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many records.", rich_help_panel="Selection")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first line that is not an event, with exit code 65.")
    ] = False,
) -> None:
    """Replay recorded events into Kafka, into Redis, or into a report.

    \b
    stream-app replay monday.ndjson.gz             into Kafka, as fast as possible
    stream-app replay monday.ndjson --speed 60     an hour per minute
    stream-app replay --direct --report day.zst    totals, without any server
    stream-app replay --direct day.ndjson          into Redis; running it again adds nothing
    stream-app replay --direct --report --dialect asterisk queue_log
    stream-app replay --map 'contact_id=Call ID,channel:=voice' events.csv
    stream-app replay --direct --report --map map.toml calls.csv   one row per contact: see stream-app columns
    zcat a.gz b.gz | stream-app replay --queue billing -

    A line that is not an event is reported, counted and skipped. A file that can't be read, or has none, ends the run with exit
    code 65.
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    replay(
        ReplayOptions(
            files=files,
            dialect=dialect,
            zone=zone,
            form=form,
            maps=maps or [],
            topic=topic,
            key=key,
            speed=speed,
            direct=direct,
            report=report,
            targets=targets,
            queues=queue or [],
            channels=channel or [],
            begin=begin,
            end=end,
            limit=limit,
            strict=strict,
        )
    )
