"""``stream-app what-if``: the same contacts, under other settings."""

from __future__ import annotations

import asyncio
import tomllib
from typing import Annotated, Any

import typer

from stream_app.commands.moments import moment
from stream_app.commands.terminal import bar
from stream_app.errors import BadSettingsError
from stream_app.ledger.hindsight import answerable, compare
from stream_app.ledger.libraries import library
from stream_app.ledger.opening import open_ledger
from stream_app.ledger.reading import OpenedLedger, ReadRange
from stream_app.model.durations import DAY
from stream_app.model.targets import Targets
from stream_app.settings import Settings, load
from stream_app.store.redis import RedisStore

from .output import Found, table, to_json


def run(
    *,
    changes: Annotated[
        list[str],
        typer.Option(
            "--set",
            help="A setting as in the settings' file, e.g. queues.sales.answer_target_s=30; repeatable.",
        ),
    ],
    since: Annotated[str, typer.Option("--from", help="From then on, e.g. 2026-01-05T08:00Z.")],
    until: Annotated[str, typer.Option("--to", help="Before this time, in the same form.")],
    queue: Annotated[str | None, typer.Option(help="One queue only. Default: all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show what service levels and waits would have been under other targets, hours or thresholds.

    The contacts of the ledger are judged anew: under other targets, short-abandon thresholds, business hours, clocks and
    priorities, by all service-level policies at once. The settings in force are not changed. What decides more than how a
    contact is judged, such as what a bot's message is, can't be tried on contacts that are over; the command says so.

    \b
    stream-app what-if --set queues.sales.answer_target_s=30 --from 2026-01-05T08:00Z --to 2026-01-05T18:00Z
    stream-app what-if --set 'channels.voice={answer_target_s=15, short_abandon_s=10}' --queue sales --from … --to …
    """  # noqa: D301 - click's mark for preformatted lines is the character itself
    start, end = moment("--from", since, 0), moment("--to", until, 0)
    if start >= end:
        raise BadSettingsError("--from: expected a time before --to")
    document = _document(changes)
    library("duckdb")
    found, unknown = asyncio.run(_compare(load(), document, start, end, queue))
    typer.echo(to_json(found, unknown) if as_json else table(found, unknown), nl=False)
    if not found["", ""]:
        raise typer.Exit(1)


def _document(changes: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(changes))
    except tomllib.TOMLDecodeError as error:
        raise BadSettingsError(
            f"--set: expected settings as in a TOML file, such as queues.sales.answer_target_s=30: {error}"
        ) from None


async def _compare(
    settings: Settings, document: dict[str, Any], start: int, end: int, queue: str | None
) -> tuple[Found, list[tuple[int, int]]]:
    store = RedisStore(settings.redis_url.get_secret_value())
    reader = open_ledger(settings)
    try:
        _, stored = await store.current_targets()
        was = Targets.from_json(stored)
        try:
            would = was.changed(document)
        except ValueError as error:
            raise BadSettingsError(f"--set: {error}") from None
        wanted = ReadRange(("visits", "replies"), start - DAY, end)
        with bar("contacts"):
            async with reader.opened(lambda _: wanted) as ledger:
                answerable(was, would, await _places(ledger))
                found = await asyncio.to_thread(compare, ledger.queries, would, start, end, queue)
                unknown = [(one.since, end if one.until is None else one.until) for one in ledger.unknown]
                return found, unknown
    finally:
        await reader.close()
        await store.close()


async def _places(ledger: OpenedLedger) -> list[tuple[str, str]]:
    rows = await ledger.queries.rows("SELECT DISTINCT queue, channel FROM visits", most=100_000)
    return [(queue, channel) for queue, channel in rows]
