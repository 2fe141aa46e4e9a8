"""``stream-app config``: settings that change meaning, versioned in the store."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(
    help="Targets, service-level policies and zones per queue: versioned in the store, pinned by each claim.",
    no_args_is_help=True,
)


@cli.command("apply")
def apply(
    file: Annotated[
        Path,
        typer.Argument(
            help="TOML with the tables defaults, channels.<channel>, queues.<queue>.", exists=True
        ),
    ],
) -> None:
    """Check FILE and make it the version in force for contacts queued from now on.

    Workers notice within a second. A contact keeps the thresholds under which it was queued. The same document again keeps its
    version.
    """
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help
    from stream_app.model.targets import Targets  # noqa: PLC0415 - same
    from stream_app.settings import load  # noqa: PLC0415 - same
    from stream_app.store.redis import RedisStore  # noqa: PLC0415 - same

    try:
        document = tomllib.loads(file.read_text())
        targets = Targets.of({key: value for key, value in document.items() if isinstance(value, dict)})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise BadSettingsError(f"{file}: {error}") from None

    async def store() -> int:
        redis = RedisStore(load().redis_url.get_secret_value())
        try:
            return await redis.apply_settings(targets)
        finally:
            await redis.close()

    typer.echo(f"version {asyncio.run(store())} is in force")


@cli.command("show")
def show() -> None:
    """Print the version in force, as JSON."""
    from stream_app.settings import load  # noqa: PLC0415 - quick --help
    from stream_app.store.redis import RedisStore  # noqa: PLC0415 - same

    async def read() -> tuple[int, bytes]:
        redis = RedisStore(load().redis_url.get_secret_value())
        try:
            return await redis.current_settings()
        finally:
            await redis.close()

    version, document = asyncio.run(read())
    typer.echo(f'{{"version": {version}, "settings": {document.decode()}}}')
