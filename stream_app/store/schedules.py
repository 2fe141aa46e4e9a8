"""The roster that was imported, versioned as the settings are."""

from __future__ import annotations

from typing import NamedTuple

from . import keys
from .client import connect, faults
from .versions import Versions


class Seen(NamedTuple):
    """Whom the store has ever seen.

    Attributes:
        queues: name → channels in which it has rows; none: not known.
        channels: of any queue.
    """

    queues: dict[str, set[str]]
    channels: set[str]


class RedisSchedules:
    """Rosters in Redis: documents whose meaning is whoever's that writes and reads them."""

    def __init__(self, url: str) -> None:
        """Connects with the first command, not before."""
        self._client = connect(url)
        self._versions = Versions(self._client, keys.SCHEDULES)

    async def version(self) -> int:
        """See ``Versions.current``."""
        return await self._versions.current()

    async def current(self) -> tuple[int, bytes]:
        """The version in force, and its document: an empty list for version 0; see ``Versions.document``."""
        version = await self.version()
        return version, await self._versions.document(version) or b"[]"

    async def apply(self, document: bytes) -> int:
        """See ``Versions.apply``."""
        return await self._versions.apply(document)

    async def seen(self) -> Seen:
        """Queues and channels, to compare a roster's names with.

        Raises:
            StoreUnavailableError: no answer; ask again.
        """
        async with faults():
            queues, channels = [
                {int(n): name.decode() for name, n in (await self._client.hgetall(keys.names(kind))).items()}
                for kind in ("queue", "channel")
            ]
            places = await self._client.hkeys(keys.published("seen"))
        found: dict[str, set[str]] = {name: set() for name in queues.values()}
        for place in places:
            queue, channel = (int(n) for n in place.split(b"."))
            if queue in queues and channel in channels:
                found[queues[queue]].add(channels[channel])
        return Seen(found, set(channels.values()))

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()
