"""``stream-app config``: settings that change meaning, versioned in the store."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # quick --help
    from stream_app.model.targets import Targets
    from stream_app.model.targets.presets import Preset

cli = typer.Typer(
    help="Targets, policies, zones and hours per queue: versioned in the store, pinned by each claim.",
    no_args_is_help=True,
)


@cli.command("apply")
def apply(
    file: Annotated[
        Path,
        typer.Argument(
            help="TOML: preset, defaults, channels.<channel>, queues.<queue>, calendars.<name>, [\\[outages]].",
            exists=True,
        ),
    ],
) -> None:
    """Check FILE and make it the version in force for contacts queued from now on.

    Workers notice within a second. A contact keeps the thresholds under which it was queued. The same document again keeps its
    version.
    """
    from stream_app.settings import load  # noqa: PLC0415 - quick --help
    from stream_app.store.redis import RedisStore  # noqa: PLC0415 - same

    targets = read(file)

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

    async def current() -> tuple[int, bytes]:
        redis = RedisStore(load().redis_url.get_secret_value())
        try:
            return await redis.current_settings()
        finally:
            await redis.close()

    version, document = asyncio.run(current())
    typer.echo(f'{{"version": {version}, "settings": {document.decode()}}}')


@cli.command("presets")
def presets(
    name: Annotated[str | None, typer.Argument(help="Which one. Without, the list of them.")] = None,
) -> None:
    """Print what a preset sets, each number with its reason and source, as TOML to start from."""
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help
    from stream_app.model.targets.calendars import guess  # noqa: PLC0415 - same
    from stream_app.model.targets.presets import BY_PRESET, PRESETS  # noqa: PLC0415 - same

    if name is None:
        for preset in PRESETS:
            typer.echo(f"{preset.name:<12}{preset.about}")
    elif name in BY_PRESET:
        typer.echo(as_toml(BY_PRESET[name]), nl=False)
    else:
        raise BadSettingsError(f"no preset is called {name!r}{guess(name, BY_PRESET)}")


def asked_for(file: Path | None, option: str = "--targets") -> Targets:
    """What an option names; the built-in defaults without it.

    Raises:
        BadSettingsError: as ``read`` does, with the option before it.
    """
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help
    from stream_app.model.targets import Targets  # noqa: PLC0415 - same

    if file is None:
        return Targets()
    try:
        return read(file)
    except BadSettingsError as error:
        raise BadSettingsError(f"{option}: {error}") from None


def read(file: Path) -> Targets:
    """The settings document in a file, which may be the process's own configuration too.

    Raises:
        BadSettingsError: one line that names the file, the place and what is wrong there.
    """
    from stream_app.errors import BadSettingsError  # noqa: PLC0415 - quick --help
    from stream_app.model.targets import Targets  # noqa: PLC0415 - same
    from stream_app.settings import Settings  # noqa: PLC0415 - same

    try:
        document = tomllib.loads(file.read_text())
        return Targets.of({key: value for key, value in document.items() if key not in Settings.model_fields})
    except OSError as error:
        raise BadSettingsError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise BadSettingsError(f"{file}: {error}") from None


def as_toml(preset: Preset) -> str:
    """A preset as a settings document of its own, with the reasons as comments."""
    from stream_app.model.targets.presets import SETTINGS  # noqa: PLC0415 - quick --help

    levels: dict[str, dict[str, str]] = {}
    for line in preset.lines:
        level = levels.setdefault(f"channels.{line.channel}" if line.channel else "defaults", {})
        key = line.name if line.name in SETTINGS else f"targets.{line.name}"
        level[key] = f"{key} = {line.value:g}  # {line.why} ({line.source})"
    parts = [f"# {preset.name}: {preset.about}", f'# The same in one line: preset = "{preset.name}"', ""]
    for place, lines in levels.items():
        parts += [f"[{place}]", *lines.values(), ""]
    return "\n".join(parts[:-1]) + "\n"
