"""Documents that are versioned in Redis: who reads sees one version or the next, never half of it."""

from __future__ import annotations

from typing import Any, Final

from stream_app.errors import QuarantinedError

from .client import faults


class Versions:
    """The versions of one document: ``KEY`` holds the number in force, ``KEY:N`` the documents."""

    def __init__(self, client: Any, key: str) -> None:
        self._client: Final = client
        self._key: Final = key

    async def current(self) -> int:
        """The version in force; 0: none was ever stored.

        Raises:
            StoreUnavailableError: no answer; ask again.
        """
        async with faults():
            return int(await self._client.get(self._key) or 0)

    async def find(self, version: int) -> bytes | None:
        """One of them; ``None``: version 0, or it is gone.

        Raises:
            StoreUnavailableError: no answer; ask again.
        """
        if not version:
            return None
        async with faults():
            document: bytes | None = await self._client.get(f"{self._key}:{version}")
        return document

    async def document(self, version: int) -> bytes | None:
        """One that must be there, for what it says is not guessed; ``None``: version 0.

        Raises:
            StoreUnavailableError: no answer; ask again.
            QuarantinedError: it is gone.
        """
        document = await self.find(version)
        if version and document is None:
            raise QuarantinedError(f"{self._key}:{version} is missing, though it is in force")
        return document

    async def apply(self, document: bytes) -> int:
        """Store a document as the next version; the same one again keeps its version. Gives the version.

        Raises:
            StoreUnavailableError: no answer; ask again.
        """
        version = await self.current()
        if version and await self.find(version) == document:
            return version
        async with faults():
            version = await self._client.incr(f"{self._key}:last")
            await self._client.set(f"{self._key}:{version}", document)
            await self._client.set(self._key, version)
        return int(version)
