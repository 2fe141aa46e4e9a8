"""Documents of targets in files: read with one line for what is wrong, and presets written as such documents."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stream_app.errors import BadSettingsError
from stream_app.model.kpis import KPIS
from stream_app.model.kpis.bands import BANDS
from stream_app.model.kpis.ledger_entries import FROM_LEDGER
from stream_app.model.targets import Targets
from stream_app.model.targets.presets import SETTINGS, Preset
from stream_app.settings import Settings
from stream_app.views.dictionary import bands

_UNITS: Final = {kpi.name: kpi.unit for kpi in KPIS} | {kpi.name: kpi.unit for kpi in FROM_LEDGER}


def asked_for(file: Path | None, option: str = "--targets") -> Targets:
    """Read the targets that an option names; the built-in defaults without it.

    Raises:
        BadSettingsError: that of ``read``, prefixed with the option.
    """
    if file is None:
        return Targets()
    try:
        return read(file)
    except BadSettingsError as error:
        raise BadSettingsError(f"{option}: {error}") from None


def read(file: Path) -> Targets:
    """Read the targets in a file, which may also hold the process's settings.

    Raises:
        BadSettingsError: one line with the file, the place and what is wrong there.
    """
    try:
        document = tomllib.loads(file.read_text())
        return Targets.of({key: value for key, value in document.items() if key not in Settings.model_fields})
    except OSError as error:
        raise BadSettingsError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError) as error:
        raise BadSettingsError(f"{file}: {error}") from None


def as_toml(preset: Preset) -> str:
    """Return a preset as a document that sets the same, with the reasons as comments."""
    levels: dict[str, dict[str, str]] = {}
    for line in preset.lines:
        level = levels.setdefault(f"channels.{line.channel}" if line.channel else "defaults", {})
        key = line.name if line.name in SETTINGS else f"targets.{line.name}"
        level[key] = f"{key} = {line.value:g}  # {line.why} ({line.source})"
    parts = [
        f"# {preset.name}: {preset.about}",
        f'# The same as the single line: preset = "{preset.name}"',
        *_focus(preset),
        "",
    ]
    for place, lines in levels.items():
        parts += [f"[{place}]", *lines.values(), ""]
    return "\n".join(parts[:-1]) + "\n"


def _focus(preset: Preset) -> Iterator[str]:
    """Yield what matters most in the industry, as comments."""
    yield f"# What matters most there: {', '.join(preset.focus)}."
    for name in preset.focus:
        if name in BANDS:
            yield f"# Of all industries together, {name}: {bands(BANDS[name], _UNITS[name])}."
