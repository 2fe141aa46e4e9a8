"""``stream-app alerts test``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream_app.commands.completion import dialect_names

from .run import BackTestOptions, back_test

_FROM_FILES = "From files"
_WHAT = "What is tested"


def run(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE...]",
            help="With --direct: recorded events, plain, gzip or zstd, in chronological order; - is standard input.",
        ),
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML file of custom rules, as docs/rules.example.toml. Default: the built-in alerts.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Only this rule. May repeat.", rich_help_panel=_WHAT)
    ] = None,
    queue: Annotated[
        list[str] | None, typer.Option(help="Only this queue. May repeat.", rich_help_panel=_WHAT)
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="Only this channel. May repeat.", rich_help_panel=_WHAT)
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Targets, business hours, sites: a file as for config apply. Default: the version in force in Redis, or with "
            "files and --from-topic the built-in defaults.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="From this date or time on. Default: the last 30 days of the data."
        ),
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only until then.")] = None,
    tz: Annotated[
        str | None, typer.Option(metavar="ZONE", help="IANA zone of the times: Europe/Berlin. Default: UTC.")
    ] = None,
    rows: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Interval rows of 15 minutes, as stream-app intervals exports them: CSV or JSON; - is standard input.",
            rich_help_panel=_FROM_FILES,
        ),
    ] = None,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Count FILE in memory, without any server.", rich_help_panel=_FROM_FILES
        ),
    ] = False,
    dialect: Annotated[
        str | None,
        typer.Option(
            autocompletion=dialect_names,
            help="Platform that wrote the records. Default: canonical.",
            rich_help_panel=_FROM_FILES,
        ),
    ] = None,
    from_topic: Annotated[
        bool, typer.Option("--from-topic", help="Read the topic that has every row ever published.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print everything as JSON, each firing with its span.")
    ] = False,
) -> None:
    """Report when alerts would have fired in the last 30 days: how often, for how long, and where.

    \b
    stream-app alerts test                                built-in alerts
    stream-app alerts test --rules rules.toml             your own rules
    stream-app alerts test --rules rules.toml --rows march.csv
    stream-app alerts test --rules rules.toml --direct march.zst
    stream-app alerts test --rules rules.toml --rule "Callers give up" --json

    The past is known in steps of 15 minutes: what lasted less is not seen, and an alert on what interval rows do not have (the
    oldest waiting contact, a window of 5 minutes, a survey) is listed with the reason. docs/alerting.md describes it.

    The exit code is 65 for invalid data and 78 for an invalid rule, option or setting.
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    back_test(
        BackTestOptions(
            files=files or [],
            rules=rules,
            names=rule or [],
            queues=queue or [],
            channels=channel or [],
            settings=settings,
            begin=begin,
            end=end,
            tz=tz,
            rows=rows,
            direct=direct,
            dialect=dialect,
            from_topic=from_topic,
            as_json=as_json,
        )
    )
