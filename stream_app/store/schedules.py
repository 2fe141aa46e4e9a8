"""The roster that was imported, versioned as the settings are: who reads sees one version or the next, never half of it."""

from __future__ import annotations

from typing import NamedTuple

from stream_app.errors import QuarantinedError

from . import keys
from .client import connect, faults


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

    async def version(self) -> int:
        """The version in force; 0: none was ever imported.

        Raises:
            StoreUnavailableError: no answer; ask again.
        """
        async with faults():
            return int(await self._client.get(keys.SCHEDULES) or 0)

    async def current(self) -> tuple[int, bytes]:
        """The version in force, and its document: an empty list for version 0.

        Raises:
            StoreUnavailableError: no answer; ask again.
            QuarantinedError: the document is gone.
        """
        version = await self.version()
        if not version:
            return 0, b"[]"
        async with faults():
            document = await self._client.get(keys.schedules(version))
        if document is None:  # people are not guessed
            raise QuarantinedError(f"{keys.schedules(version)} is missing, though it is in force")
        return version, document

    async def apply(self, document: bytes) -> int:
        """Store a document as the next version; the same one again keeps its version.

        Raises:
            StoreUnavailableError: no answer; ask again.
        """
        version = await self.version()
        async with faults():
            if version and await self._client.get(keys.schedules(version)) == document:
                return version
            version = await self._client.incr(f"{keys.SCHEDULES}:last")
            await self._client.set(keys.schedules(version), document)
            await self._client.set(keys.SCHEDULES, version)
        return int(version)

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
