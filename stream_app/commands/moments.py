"""Times that people give commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from stream_app.errors import BadSettingsError

D = TypeVar("D", int, None)


def moment(option: str, text: str, default: D) -> int | D:
    """Read a time with an offset, in milliseconds since the epoch; ``default`` where none was given.

    Raises:
        BadSettingsError: it is none.
    """
    if not text:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadSettingsError(
            f"{option}: expected a time with an offset, such as 2026-01-05T08:00Z, got {text!r}"
        )
    return round(at.astimezone(UTC).timestamp() * 1000)
