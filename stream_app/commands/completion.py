"""What a shell completes for several commands."""

from stream_app.ingest import dialects


def dialect_names(incomplete: str) -> list[str]:
    """Return the dialects whose names begin so."""
    return [name for name in dialects.available() if name.startswith(incomplete)]
