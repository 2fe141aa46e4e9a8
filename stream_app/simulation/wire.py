"""Events as Kafka records: the canonical vocabulary as JSON. The same event gives the same bytes."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from stream_app.model.events import Event, key

Stamps = Literal["epoch", "rfc3339"]
Tell = Callable[[Event], Iterable[tuple[str, bytes]]]
"""An event → the records, key and value, that tell it."""
_encoder: Final = msgspec.json.Encoder()


def encode(event: Event, stamps: Stamps = "epoch") -> bytes:
    """One event; its fields in the order of their declaration, those at their default left out.

    Args:
        event: from the simulation, its times whole milliseconds.
        stamps: ``epoch``: times as milliseconds since the epoch; ``rfc3339``: as text in UTC.
    """
    if stamps == "epoch":
        return _encoder.encode(event)
    fields: dict[str, Any] = msgspec.to_builtins(event)
    for name in ("at", "due"):
        if (ms := fields.get(name)) is not None:
            fields[name] = rfc3339(ms)
    return _encoder.encode(fields)


def rfc3339(ms: int) -> str:
    """A time as text, with milliseconds and offset."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat(timespec="milliseconds")


def canonical(stamps: Stamps) -> Tell:
    """Our own vocabulary: one record an event."""
    return lambda event: ((key(event), encode(event, stamps)),)
