"""Events as Kafka records: the canonical vocabulary as JSON. Equal events produce equal bytes."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from stream_app.model.events import Event, key

Stamps = Literal["epoch", "rfc3339"]
EncodeEvent = Callable[[Event], Iterable[tuple[str, bytes]]]
"""An event → its records, key and value."""
_encoder: Final = msgspec.json.Encoder()


def encode(event: Event, stamps: Stamps = "epoch") -> bytes:
    """Encode an event; its fields in the order of their declaration, without defaults.

    Args:
        event: from the simulation, its times whole milliseconds.
        stamps: ``epoch``: times as milliseconds since the epoch; ``rfc3339``: as text in UTC.
    """
    if stamps == "epoch":
        return _encoder.encode(event)
    fields: dict[str, Any] = msgspec.to_builtins(event)
    for name in ("at", "due", "due_at", "opened_at"):
        if (ms := fields.get(name)) is not None:
            fields[name] = rfc3339(ms)
    return _encoder.encode(fields)


def rfc3339(ms: int) -> str:
    """Format a time as text, with milliseconds and offset."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds")


def canonical(stamps: Stamps) -> EncodeEvent:
    """Return an encoder to our own vocabulary: one record per event."""
    return lambda event: ((key(event), encode(event, stamps)),)
