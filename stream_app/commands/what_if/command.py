"""``stream-app what-if``: the same contacts, under other targets."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from stream_app.commands.moments import moment
from stream_app.commands.seen import check_seen
from stream_app.commands.terminal import bar
from stream_app.errors import BadSettingsError
from stream_app.ledger.libraries import library
from stream_app.ledger.opening import open_ledger
from stream_app.ledger.what_ifs import LedgerWhatIfs
from stream_app.model.targets import Targets
from stream_app.model.what_if import WhatIf, WhatIfQuery
from stream_app.settings import Settings, load
from stream_app.store.redis import RedisStore
from stream_app.views.what_if.query import tried

from .output import table, to_json


def run(
    *,
    changes: Annotated[
        list[str],
        typer.Option(
            "--set",
            help="A target as in the targets file, e.g. queues.sales.answer_target_s=30; repeatable.",
        ),
    ],
    since: Annotated[str, typer.Option("--from", help="From then on, e.g. 2026-01-05T08:00Z.")],
    until: Annotated[str, typer.Option("--to", help="Before this time, in the same form.")],
    queue: Annotated[str | None, typer.Option(help="One queue only. Default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs, as /v1/what-if.")] = False,
) -> None:
    """Show what service levels and waits would have been under other targets, hours or thresholds.

    The contacts of the ledger are judged anew: under other targets, short-abandon thresholds, business hours, clocks and
    priorities, by all service-level policies at once. The targets in force are not changed. What decides more than how a
    contact is judged, such as what a bot's message is, can't be tried on contacts that are over; the command says so.

    \b
    stream-app what-if --set queues.sales.answer_target_s=30 --from 2026-01-05T08:00Z --to 2026-01-05T18:00Z
    stream-app what-if --set 'channels.voice={answer_target_s=15, short_abandon_s=10}' --queue sales --from … --to …
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    start, end = moment("--from", since, 0), moment("--to", until, 0)
    if start >= end:
        raise BadSettingsError("--from: expected a time before --to")
    library("duckdb")
    query, found = asyncio.run(_answered(load(), changes, start, end, queue))
    typer.echo(to_json(query, found) if as_json else table(found), nl=False)
    if not found.compared["", ""]:
        raise typer.Exit(1)


async def _answered(
    settings: Settings, changes: list[str], start: int, end: int, queue: str | None
) -> tuple[WhatIfQuery, WhatIf]:
    url = settings.redis_url.get_secret_value()
    store, reader = RedisStore(url), open_ledger(settings)
    try:
        await check_seen(url, queue=[queue] if queue is not None else None)
        _, document = await store.current_targets()
        was = Targets.from_json(document) if document else Targets()
        try:
            would = tried(was, changes)
        except ValueError as error:
            raise BadSettingsError(f"--set: {error}") from None
        query = WhatIfQuery(start=start, end=end, targets=would, queue=queue)
        with bar("contacts"):
            return query, await LedgerWhatIfs(reader, timeout_s=None).what_if(query, was)
    finally:
        await reader.close()
        await store.close()
