"""Times that people give commands."""

from __future__ import annotations

from datetime import UTC, datetime

from stream_app.errors import BadSettingsError


def moment(option: str, text: str, default: int) -> int:
    """Read a time with an offset, in milliseconds since the epoch.

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
