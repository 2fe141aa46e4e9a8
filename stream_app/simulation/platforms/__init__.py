"""The simulated centre on somebody's platform: canonical events as that platform would have told them.

An encoder belongs to one stream and keeps its open visits in mind, for platforms state durations. Events come in the order of
the centre's; each contact event names its ``visit``.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from stream_app.model.events import Event

from .amazon_connect import Connect
from .asterisk import QueueLog

__all__ = ["PLATFORMS", "Connect", "Encoder", "QueueLog", "Record"]

Record = tuple[str, bytes]
"""Key and value."""


class Encoder(Protocol):
    """One stream of one platform."""

    def encode(self, event: Event, /) -> list[Record]:
        """The records that the platform would write; none for what it can't express."""
        ...


PLATFORMS: Final[Mapping[str, Callable[[], Encoder]]] = {"amazon_connect": Connect, "asterisk": QueueLog}
"""By the name of the dialect that reads it."""
