"""The imported schedule, versioned like the targets."""

from __future__ import annotations

from typing import NamedTuple

from . import keys
from .client import connect
from .seen import SeenNames, seen_names
from .versions import Versions


class StoredSchedule(NamedTuple):
    """A version, its document, and when it was applied, in seconds since the epoch; ``None``: not known."""

    version: int
    document: bytes
    applied_at: float | None


class RedisSchedules:
    """Schedules in Redis: documents that only their writers and readers interpret."""

    def __init__(self, url: str) -> None:
        """Set it up; it connects with the first command."""
        self._client = connect(url)
        self._versions = Versions(self._client, keys.SCHEDULES)

    async def version(self) -> int:
        """See ``Versions.current``."""
        return await self._versions.current()

    async def current(self) -> tuple[int, bytes]:
        """Return the version in force and its document, an empty list for version 0; see ``Versions.document``."""
        version = await self.version()
        return version, await self._versions.document(version) or b"[]"

    async def apply(self, document: bytes) -> int:
        """See ``Versions.apply``."""
        return await self._versions.apply(document)

    async def document(self, version: int) -> bytes | None:
        """Return the document of a version; ``None``: there is none."""
        return await self._versions.find(version)

    async def versions(self, most: int) -> list[StoredSchedule]:
        """Return the newest versions, the newest first.

        Raises:
            StoreUnavailableError: no answer; retry.
        """
        newest = sorted((await self._versions.history()).items(), reverse=True)[:most]
        found = [(version, applied, await self._versions.find(version)) for version, applied in newest]
        return [
            StoredSchedule(version, document, applied.at / 1000 if applied.at else None)
            for version, applied, document in found
            if document is not None
        ]

    async def seen(self) -> SeenNames:
        """See ``seen_names``."""
        return await seen_names(self._client)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()
