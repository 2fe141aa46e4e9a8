"""``stream-app reconcile``: a table of the platform's against the ledger."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from stream_app.commands.moments import moment
from stream_app.commands.terminal import bar
from stream_app.errors import BadSettingsError, InputError
from stream_app.ingest.files import FileError
from stream_app.ledger.libraries import library
from stream_app.ledger.opening import open_ledger
from stream_app.ledger.settling import range_to_settle, settled_visits
from stream_app.model.durations import DAY
from stream_app.model.reconciling.by_contact import compare_contacts
from stream_app.model.reconciling.by_interval import compare_intervals
from stream_app.model.reconciling.conventions import SettledVisit
from stream_app.model.reconciling.their_tables import instant, range_of
from stream_app.settings import Settings, load

from . import output
from .output import Settlement
from .their_files import TheirExport, read_export


def run(
    *,
    file: Annotated[
        Path,
        typer.Argument(metavar="THEIRS", help="CSV or JSON: a table by interval, or a list of contacts."),
    ],
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", help="Which column is what, e.g. 'offered=Calls Offered'; or a map's file."),
    ] = None,
    tz: Annotated[str, typer.Option(help="IANA zone of times without an offset.")] = "UTC",
    since: Annotated[
        str,
        typer.Option("--from", help="Of a list: it has all contacts from then on. Default: its first one."),
    ] = "",
    until: Annotated[
        str, typer.Option("--to", help="Of a list: before this time. Default: its last contact.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all contacts.")] = False,
) -> None:
    """Compare a table of the platform's with the ledger, and name the contacts and the rule behind each difference.

    Rules are edges of intervals and days, transfers, short abandonments, time zones and changes of clocks, when wrap-up counts,
    another answer target, and events that one side lacks. A rule is named only where it makes all numbers of a row equal. The
    exit code is 1 where something stays unexplained, and 65 for a file that can't be read.

    \b
    stream-app reconcile theirs.csv --tz Europe/Berlin
    stream-app reconcile report.csv --map 'start=Date+Interval,queue=Skill,offered=Calls,answered_in_target=In SLA,minutes:=30'
    stream-app columns calls.csv -o map.toml && stream-app reconcile calls.csv --map map.toml --json
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    try:
        export = read_export(file, maps or [], tz)
    except (InputError, FileError) as error:
        typer.echo(f"stream-app: {error}", err=True)
        raise typer.Exit(os.EX_DATAERR) from None
    start, end = _times(export, since, until)
    library("duckdb")
    settled = asyncio.run(_settle(load(), export, start, end, tz))
    typer.echo(output.to_json(settled) if as_json else output.table(settled, tz), nl=False)
    for line in export.bad[:3]:
        typer.echo(f"stream-app: not compared: {line}", err=True)
    if len(export.bad) > 3:
        typer.echo(f"stream-app: not compared: {len(export.bad) - 3:,} other rows", err=True)
    if any(not one.rules for one in settled.found.differences):
        raise typer.Exit(1)


def _times(export: TheirExport, since: str, until: str) -> tuple[int, int]:
    """Return the time in which contacts of ours must be in a list; of a table by interval its range."""
    if export.intervals:
        if since or until:
            raise BadSettingsError(
                "--from, --to: only work with a list of contacts; a table has its intervals"
            )
        return range_of(export.intervals)
    came = [instant(row.wall, row.clock) for row in export.contacts]
    start, end = moment("--from", since, min(came)), moment("--to", until, max(came) + 1)
    if start >= end:
        raise BadSettingsError("--from: expected a time before --to")
    return start, end


async def _settle(settings: Settings, export: TheirExport, start: int, end: int, tz: str) -> Settlement:
    reader = open_ledger(settings)
    from_, to = (start, end) if export.intervals else (start - 2 * DAY, end + 2 * DAY)
    try:
        with bar("contacts") as moved:
            async with reader.opened(lambda _: range_to_settle(from_, to)) as ledger:
                visits = await asyncio.to_thread(
                    settled_visits, ledger.queries, from_, to, lambda n: moved(completed=n)
                )
                unknown = [(one.since, to if one.until is None else one.until) for one in ledger.unknown]
        with bar("rules") as moved:

            def settle() -> Settlement:
                if export.contacts:
                    return Settlement(
                        compare_contacts(export.contacts, visits, start, end, tz), visits, unknown
                    )
                ours = visits if any(row.channel for row in export.intervals) else _without_channels(visits)
                found = compare_intervals(export.intervals, ours, lambda: moved(advance=1))
                return Settlement(found, ours, unknown)

            return await asyncio.to_thread(settle)
    finally:
        await reader.close()


def _without_channels(visits: list[SettledVisit]) -> list[SettledVisit]:
    """Return visits as a table that has no channels counts them."""
    return [structs.replace(visit, channel="") for visit in visits]
