"""``stream-app replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def _dialects(incomplete: str) -> list[str]:
    from stream_app.ingest import dialects  # noqa: PLC0415 - quick --help

    return [name for name in dialects.available() if name.startswith(incomplete)]


def run(
    *,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Plain, gzip or zstd; - is standard input. Several: in the order of time.",
        ),
    ],
    dialect: Annotated[
        str | None,
        typer.Option(
            autocompletion=_dialects,
            help="Whose records. Default: STREAM_APP_DIALECT; canonical in a report.",
        ),
    ] = None,
    form: Annotated[
        Literal["ndjson", "csv", "queue_log"] | None,
        typer.Option(
            "--format",
            help="Of the files. Default: by dialect and first line.",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN|FILE",
            help="A table's column for an event's field; FIELD==VALUE is a constant. Or a TOML file of these. May repeat.",
        ),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(help="Kafka's topic. Default: STREAM_APP_TOPIC.", rich_help_panel="Into Kafka"),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="Seconds of the recording per second. Default: as fast as it goes.",
            rich_help_panel="Into Kafka",
        ),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct",
            help="Count into Redis without Kafka, each record of a file once.",
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
            help="Answer targets of the report, a file as for config apply.", rich_help_panel="Without Kafka"
        ),
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this queue; its contacts' events go with it. May repeat.", rich_help_panel="Only some"
        ),
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Only this channel. May repeat.", rich_help_panel="Only some")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="Only events from then on (RFC 3339).", rich_help_panel="Only some"),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Only events before that.", rich_help_panel="Only some")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many records.", rich_help_panel="Only some")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="The first line that is no event ends it, with exit code 65.")
    ] = False,
) -> None:
    """Play recorded events again: into Kafka, into Redis, or into a report.

    \b
    stream-app replay monday.ndjson.gz             into Kafka, as fast as it goes
    stream-app replay monday.ndjson --speed 60     an hour a minute
    stream-app replay --direct --report day.zst    totals, without any server
    stream-app replay --direct day.ndjson          into Redis; again adds nothing
    stream-app replay --direct --report --dialect asterisk queue_log
    stream-app replay --map contact_id="Call ID" --map channel==voice calls.csv
    zcat a.gz b.gz | stream-app replay --queue billing -

    A line that is no event is named, counted, and passed over. What is wrong with a file ends the run with exit code 65.
    """  # noqa: D301 - click's mark for lines that are kept is the character itself
    from stream_app.commands.replaying import Wishes, replay  # noqa: PLC0415 - quick --help

    replay(
        Wishes(
            files=files,
            dialect=dialect,
            form=form,
            maps=maps or [],
            topic=topic,
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
