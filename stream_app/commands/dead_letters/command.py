"""``stream-app dead-letters``: what could not be read, and sending it again once it can be."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from stream_app.errors import REASONS, BadSettingsError
from stream_app.model.targets.calendars import guess
from stream_app.settings import Settings, load
from stream_app.store.client import connect
from stream_app.store.dead_letters import StoredLetter, partitions_of, read

from .listing import listing
from .sending import send_again


def run(
    *,
    reason: Annotated[
        str | None,
        typer.Option(help=f"Only letters of this reason: {', '.join(REASONS)}.", show_default=False),
    ] = None,
    partition: Annotated[
        int | None, typer.Option(min=0, help="Only letters of this partition.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many letters to list; 0 for counts only.")] = 20,
    before: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="List older letters: from the place that the former list printed.",
            show_default=False,
        ),
    ] = None,
    show_values: Annotated[
        bool,
        typer.Option(
            "--show-values", help="Print the first bytes of each record. They may hold personal data."
        ),
    ] = False,
    send: Annotated[
        bool,
        typer.Option(
            "--send-again",
            help="Send the records that can be read by now into the topic again, instead of listing letters.",
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="With --send-again: do it. Without this, only show what would be sent."),
    ] = False,
) -> None:
    """List records that could not be read as events, by reason, the newest first; or send them again.

    The latest 10,000 of each partition are kept. Letters that were sent again are removed from the list.
    """
    if reason is not None and reason not in REASONS:
        raise BadSettingsError(
            f"--reason: unknown reason {reason!r}{guess(reason, REASONS)}; use one of {', '.join(REASONS)}"
        )
    if yes and not send:
        raise BadSettingsError("--yes: only together with --send-again")
    place = _place(before) if before else None
    settings = load()
    letters = asyncio.run(_letters(settings, reason, partition))
    if send:
        asyncio.run(send_again(settings, letters, yes=yes))
        return
    for line in listing(settings.topic, letters, limit=limit, before=place, show_values=show_values):
        typer.echo(line)


def _place(text: str) -> tuple[int, int, int]:
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise BadSettingsError(
            f"--before: expected a place that the list printed, like 1795334400000-0-3, got {text!r}"
        )
    ms, number, partition = map(int, parts)
    return ms, number, partition


async def _letters(settings: Settings, reason: str | None, partition: int | None) -> list[StoredLetter]:
    """Return the letters that were asked for, the oldest first."""
    async with connect(settings.redis_url.get_secret_value()) as client:
        found = [
            letter
            for each in await partitions_of(client, settings.topic)
            if partition in (None, each.number)
            async for letter in read(client, each)
            if reason in (None, letter.letter.reason)
        ]
    return sorted(found, key=lambda letter: letter.place)
