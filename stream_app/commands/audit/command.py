"""``stream-app audit``: do the ledger's contacts add up to what Redis has counted?"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from stream_app.commands.moments import moment
from stream_app.commands.terminal import bar
from stream_app.errors import BadSettingsError
from stream_app.ledger.auditing import EVER, Audited, audit
from stream_app.ledger.libraries import library
from stream_app.ledger.opening import open_ledger
from stream_app.settings import Settings, load
from stream_app.store.moments import Moments

from .output import summary, table, to_json


def run(
    *,
    since: Annotated[
        str,
        typer.Option(
            "--from",
            help="Compare only what counts from then on, e.g. 2026-01-05T08:00Z. Default: all that both have.",
        ),
    ] = "",
    until: Annotated[
        str, typer.Option("--to", help="Compare only what counts before this time, in the same form.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs: what was compared, and every difference.")
    ] = False,
) -> None:
    """Compare the ledger with the counters: do its contacts add up to every number?

    Each partition is compared as it is at one commit, while workers and writers go on: all counters, all queues, every bucket
    that Redis keeps and of which the ledger knows all contacts. Those that are not over yet are read from Redis. Nothing is
    changed. Exit code 1: there are differences, or nothing could be compared.

    \b
    stream-app audit                                     all that both have
    stream-app audit --from 2026-01-05T08:00Z --to 2026-01-05T12:00Z
    stream-app audit --json | jq '.differences[].queue'
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    start, end = moment("--from", since, 0), moment("--to", until, EVER)
    if start >= end:
        raise BadSettingsError("--from: expected a time before --to")
    library("duckdb")
    found = asyncio.run(_audit(load(), start, end))
    typer.echo(to_json(found) if as_json else table(found), nl=False)
    if not as_json:
        typer.echo(summary(found))
    if any(one.differences for one in found) or not any(one.buckets for one in found):
        raise typer.Exit(1)


async def _audit(settings: Settings, since: int, until: int) -> list[Audited]:
    moments = Moments(settings.redis_url.get_secret_value())
    reader = open_ledger(settings)
    with bar("rows") as move_on:

        def moved(done: int, every: int) -> None:
            move_on(completed=done, total=every)

        try:
            return await audit(reader, await moments.names(), since=since, until=until, moved=moved)
        finally:
            await reader.close()
            await moments.close()
