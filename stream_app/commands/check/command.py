"""``stream-app check``: whether the program would run here, and whether its numbers could be trusted."""

from __future__ import annotations

import asyncio
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stream_app import __version__
from stream_app.commands.config.document import read
from stream_app.errors import BadSettingsError
from stream_app.ingest import dialects
from stream_app.model.fold.arrays import COMPILED
from stream_app.model.targets import Targets
from stream_app.settings import Settings, load

from . import (
    conversations as check_conversations,
    kafka as check_kafka,
    ledger as check_ledger,
    partitions as check_partitions,
    redis as check_redis,
)
from .findings import Finding, fail, ok, warn


class Program(StrEnum):
    """The process that is to run here."""

    WORKER = "worker"
    SERVE = "serve"


def run(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Targets to check (a file as for config apply), instead of the version in force.",
            show_default=False,
        ),
    ] = None,
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Check only this machine and FILE, without any server.")
    ] = False,
    program: Annotated[
        Program,
        typer.Option("--for", help="What this machine runs: serve only reads Redis and needs no Kafka."),
    ] = Program.WORKER,
) -> None:
    """Check configuration, targets, Kafka and Redis: one line per check, with what to do about it. Changes nothing.

    Exits 0 unless a check fails; warnings do not count.
    """
    findings = asyncio.run(look(file, offline=offline, program=program))
    for finding in findings:
        typer.echo(str(finding))
    if any(finding.status == "fail" for finding in findings):
        raise typer.Exit(1)


async def look(file: Path | None, *, offline: bool, program: Program = Program.WORKER) -> list[Finding]:
    """Return all findings, in the order in which they are best fixed."""
    settings, found = configuration()
    targets = None
    traffic: check_conversations.Counted = {}
    if file is not None:
        judged, targets = document(file)
        found += judged
    others: list[Finding] = []
    if not offline and settings is not None:
        url = settings.redis_url.get_secret_value()
        writes = program is Program.WORKER
        redis, kafka = await asyncio.gather(
            check_redis.look(url, writes=writes), check_kafka.look(settings) if writes else _nothing()
        )
        if file is None and redis[0].status != "fail":
            stored = await check_redis.in_force(url)
            if isinstance(stored, tuple):
                targets = stored[1]
            found += judge(f"version {stored[0]}", stored[1]) if isinstance(stored, tuple) else [stored]
        if targets is not None and redis[0].status != "fail":
            counted = await check_conversations.counted(url)
            if isinstance(counted, Finding):
                found.append(counted)
            else:
                traffic = counted
        others = [*kafka, *redis]
        if program is Program.WORKER and not any(one.status == "fail" for one in (kafka[0], redis[0])):
            others += await check_partitions.look(settings)
    if targets is not None:
        now, tells = int(time.time() * 1000), tells_messages(settings)
        found += check_conversations.judge(targets, traffic, now=now, tells_messages=tells)
        found += check_ledger.judge(targets, traffic)
    found += others
    return [*found, build(), check_kafka.codecs()] if program is Program.WORKER else found


def tells_messages(settings: Settings | None) -> bool:
    """Return whether the dialect that is set reports the messages of written contacts; our own vocabulary does."""
    if settings is None or settings.dialect not in dialects.available():
        return True
    return dialects.tells_messages(dialects.load(settings.dialect))


def build() -> Finding:
    """Return the finding about how this program was built."""
    how = (
        "compiled"
        if COMPILED
        else "as Python; a wheel that is built beside a C compiler counts a third faster"
    )
    return ok("program", f"version {__version__}, the fold runs {how}")


async def _nothing() -> list[Finding]:
    return []


def configuration() -> tuple[Settings | None, list[Finding]]:
    """Return the process's settings, if they can be read, and the findings about them."""
    try:
        settings = load()
    except BadSettingsError as error:
        return None, [
            fail("configuration", str(error), "fix this first: without it the servers can't be checked")
        ]
    try:
        dialects.load(settings.dialect)
    except BadSettingsError as error:
        return settings, [fail("configuration", str(error), "set STREAM_APP_DIALECT to one of these")]
    shown = f"topic {settings.topic}, group {settings.group}, dialect {settings.dialect}"
    return settings, [ok("configuration", shown)]


def document(file: Path) -> tuple[list[Finding], Targets | None]:
    """Return the findings about a file of targets, and those if they are valid."""
    try:
        targets = read(file)
    except BadSettingsError as error:
        return [fail("targets", str(error), "fix it: config apply would refuse the whole file")], None
    return judge(str(file), targets), targets


def judge(name: str, targets: Targets) -> list[Finding]:
    """Return the findings about targets that are valid."""
    lax = [warn("targets", line, "no alert would fire on a bad day") for line in targets.lax()]
    queues, calendars = len(targets.queues), len(targets.calendars)
    of = f"{queues} queue{'s' * (queues != 1)}, {calendars} calendar{'s' * (calendars != 1)}"
    preset = f", preset {targets.preset}" if targets.preset else ""
    return lax or [ok("targets", f"{name}: {of}{preset}")]
