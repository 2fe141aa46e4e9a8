"""``stream-app check``: would it run here, and would it be trusted?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # quick --help
    from stream_app.model.targets import Targets
    from stream_app.settings import Settings

    from .findings import Finding


def run(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Settings document to check, instead of the version in force.", show_default=False
        ),
    ] = None,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Look at nothing but this machine and FILE.")
    ] = False,
) -> None:
    """Check configuration, targets, Kafka and Redis: one line each, what to do at its end. Changes nothing.

    Exits 0 when nothing fails; warnings do not count.
    """
    findings = asyncio.run(look(file, offline=offline))
    for finding in findings:
        typer.echo(str(finding))
    if any(finding.status == "fail" for finding in findings):
        raise typer.Exit(1)


async def look(file: Path | None, *, offline: bool) -> list[Finding]:
    """All findings, in the order in which they are best put right."""
    from . import check_kafka, check_redis  # noqa: PLC0415 - quick --help

    settings, found = configuration()
    if file is not None:
        found += document(file)
    if not offline and settings is not None:
        url = settings.redis_url.get_secret_value()
        redis, kafka = await asyncio.gather(check_redis.look(url), check_kafka.look(settings))
        if file is None and redis[0].status != "fail":
            stored = await check_redis.in_force(url)
            found += judge(f"version {stored[0]}", stored[1]) if isinstance(stored, tuple) else [stored]
        found += [*kafka, *redis]
    return [*found, check_kafka.codecs()]


def configuration() -> tuple[Settings | None, list[Finding]]:
    """The process's settings, if they can be read, and what is to be said of them."""
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help
    from stream_app.ingest import dialects  # noqa: PLC0415 - same
    from stream_app.settings import load  # noqa: PLC0415 - same

    from .findings import fail, ok  # noqa: PLC0415 - same

    try:
        settings = load()
    except BadSettingsError as error:
        return None, [fail("configuration", str(error), "the servers can't be asked before that")]
    try:
        dialects.load(settings.dialect)
    except BadSettingsError as error:
        return settings, [fail("configuration", str(error), "choose one of them")]
    shown = f"topic {settings.topic}, group {settings.group}, dialect {settings.dialect}"
    return settings, [ok("configuration", shown)]


def document(file: Path) -> list[Finding]:
    """What is to be said of a settings document in a file."""
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help

    from .config import read  # noqa: PLC0415 - same
    from .findings import fail  # noqa: PLC0415 - same

    try:
        targets = read(file)
    except BadSettingsError as error:
        return [fail("targets", str(error), "nothing of it would be applied")]
    return judge(str(file), targets)


def judge(name: str, targets: Targets) -> list[Finding]:
    """What is to be said of settings that are valid."""
    from .findings import ok, warn  # noqa: PLC0415 - quick --help

    lax = [warn("targets", line, "nobody would be told of a bad day") for line in targets.lax()]
    queues, calendars = len(targets.queues), len(targets.calendars)
    of = f"{queues} queue{'s' * (queues != 1)}, {calendars} calendar{'s' * (calendars != 1)}"
    preset = f", preset {targets.preset}" if targets.preset else ""
    return lax or [ok("targets", f"{name}: {of}{preset}")]
