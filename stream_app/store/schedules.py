"""The roster that was imported, versioned as the settings are: who reads sees one version or the next, never half of it."""

from __future__ import annotations

from stream_app.errors import QuarantinedError

from . import keys
from .client import connect, faults


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

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()
