"""The simulated centre on a real platform: canonical events as that platform would have sent them.

An encoder belongs to one stream and remembers its open visits, because platforms state durations. Events come in the centre's
order; each contact event names its ``visit``.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from stream_app.model.events import Event

from .amazon_connect import Connect
from .asterisk import QueueLog

__all__ = ["PLATFORMS", "Connect", "Encoder", "KeyedPayload", "QueueLog"]

KeyedPayload = tuple[str, bytes]
"""Key and value."""


class Encoder(Protocol):
    """The encoder of one stream for one platform."""

    def encode(self, event: Event, /) -> list[KeyedPayload]:
        """Return the records that the platform would write; none for what it can't express."""
        ...


PLATFORMS: Final[Mapping[str, Callable[[], Encoder]]] = {"amazon_connect": Connect, "asterisk": QueueLog}
"""By the name of the dialect that reads it."""
