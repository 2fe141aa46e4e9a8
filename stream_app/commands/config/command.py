"""``stream-app config``."""

from __future__ import annotations

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from stream_app.errors import BadSettingsError
from stream_app.model.targets import Targets
from stream_app.model.targets.calendars import guess
from stream_app.model.targets.presets import BY_PRESET, PRESETS
from stream_app.settings import load
from stream_app.store.redis import RedisStore
from stream_app.store.seen import seen_names
from stream_app.store.versions import AppliedVersion

from .changes import changes, unseen
from .document import as_toml, read

cli = typer.Typer(
    help="Manage targets, policies, zones and hours per queue: versioned in the store, pinned by each claim.",
    no_args_is_help=True,
    add_completion=False,
)
Who = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who it is, for `versions`. Default: the user who runs it."),
]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")]


@cli.command("apply")
def apply(
    file: Annotated[
        Path,
        typer.Argument(
            help="TOML: preset, defaults, channels.<channel>, queues.<queue>, calendars.<name>, [\\[outages]].",
            exists=True,
        ),
    ],
    dry_run: Dry = False,
    by: Who = None,
) -> None:
    """Check FILE, print what changes, and make it the version in force for contacts queued from now on.

    Workers pick it up within a second. A contact keeps the thresholds under which it was queued. Applying the same document
    again keeps its version. Queues and channels that were never seen cause a warning on standard error.
    """
    asyncio.run(_apply(read(file), dry_run=dry_run, by=by))


@cli.command("restore")
def restore(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="A version that `versions` lists.")],
    dry_run: Dry = False,
    by: Who = None,
) -> None:
    """Print what changes, and apply a former version again, as a new one."""

    async def find() -> Targets:
        async with _store() as store:
            return await _of_version(store, version)

    asyncio.run(_apply(asyncio.run(find()), dry_run=dry_run, by=by, restores=version))


@cli.command("versions")
def versions() -> None:
    """List the versions, newest first: when each was applied, and by whom."""

    async def look() -> tuple[int, dict[int, AppliedVersion]]:
        async with _store() as store:
            return await store.versions.current(), await store.versions.history()

    current, known = asyncio.run(look())
    if not known:
        typer.echo("none was ever applied: the built-in defaults are in force")
    for number, applied in sorted(known.items(), reverse=True):
        of = f", version {applied.restores} again" if applied.restores else ""
        mark = " (in force)" if number == current else ""
        typer.echo(f"{number:>4}  {_when(applied)}  {applied.by or 'unknown'}{of}{mark}")


@cli.command("diff")
def diff(
    before: Annotated[
        int, typer.Argument(metavar="VERSION", help="A version that `versions` lists; 0 is the defaults.")
    ],
    after: Annotated[
        int | None, typer.Argument(metavar="[OTHER]", help="Another one. Default: the version in force.")
    ] = None,
) -> None:
    """Print what differs between two versions."""

    async def look() -> list[str]:
        async with _store() as store:
            other = await store.versions.current() if after is None else after
            return changes(await _of_version(store, before), await _of_version(store, other))

    _say(asyncio.run(look()) or ["nothing differs"])


@cli.command("show")
def show() -> None:
    """Print the version in force, as JSON."""

    async def current() -> tuple[int, bytes]:
        async with _store() as store:
            return await store.current_targets()

    version, document = asyncio.run(current())
    typer.echo(f'{{"version": {version}, "settings": {document.decode()}}}')


@cli.command("presets")
def presets(
    name: Annotated[
        str | None, typer.Argument(help="The preset to print. Default: list all presets.")
    ] = None,
) -> None:
    """Print a preset as TOML to start from, each number with its reason and source."""
    if name is None:
        for preset in PRESETS:
            typer.echo(f"{preset.name:<12}{preset.about}")
    elif name in BY_PRESET:
        typer.echo(as_toml(BY_PRESET[name]), nl=False)
    else:
        raise BadSettingsError(f"unknown preset {name!r}{guess(name, BY_PRESET)}")


@asynccontextmanager
async def _store() -> AsyncIterator[RedisStore]:
    store = RedisStore(load().redis_url.get_secret_value())
    try:
        yield store
    finally:
        await store.close()


async def _apply(targets: Targets, *, dry_run: bool, by: str | None, restores: int = 0) -> None:
    async with _store() as store:
        current, document = await store.current_targets()
        lines = changes(Targets.from_json(document), targets)
        for doubt in unseen(targets, await seen_names(store.client)):
            sys.stderr.write(f"stream-app: {doubt}\n")
        _say(lines)
        if dry_run:
            typer.echo(f"nothing was applied; version {current} stays in force")
            return
        version = await store.versions.apply(targets.to_json(), by or _user(), restores=restores)
    unchanged = version == current
    typer.echo(
        f"version {version} is in force"
        + (", unchanged" if unchanged else f"; before: {current}" * bool(current))
    )


async def _of_version(store: RedisStore, number: int) -> Targets:
    if not number:
        return Targets()
    document = await store.versions.find(number)
    if document is None:
        there = ", ".join(map(str, await store.versions.history())) or "none"
        raise BadSettingsError(f"there is no version {number}; there is: {there}")
    try:
        return Targets.from_json(document)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadSettingsError(f"version {number} can't be read by this release: {error}") from None


def _when(applied: AppliedVersion) -> str:
    if not applied.at:
        return "unknown".ljust(20)
    return f"{datetime.fromtimestamp(applied.at / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        return ""


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
