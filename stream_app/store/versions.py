"""Documents that are versioned in Redis: a reader sees one version or the next, never half of one."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from stream_app.errors import QuarantinedError

from .client import faults


class AppliedVersion(Struct, frozen=True, array_like=True):
    """When a version was applied, by whom, and of which former version it is a copy."""

    at: int = 0
    by: str = ""
    restores: int = 0


class Versions:
    """The versions of one document: ``KEY`` holds the number in force, ``KEY:N`` the documents, ``KEY:history`` who did it."""

    def __init__(self, client: Any, key: str) -> None:
        self._client: Final = client
        self._key: Final = key

    async def current(self) -> int:
        """Return the version in force; 0 if none was ever stored.

        Raises:
            StoreUnavailableError: no answer; retry.
        """
        async with faults():
            return int(await self._client.get(self._key) or 0)

    async def find(self, version: int) -> bytes | None:
        """Return a version's document; ``None`` for version 0, or if it is gone.

        Raises:
            StoreUnavailableError: no answer; retry.
        """
        if not version:
            return None
        async with faults():
            document: bytes | None = await self._client.get(f"{self._key}:{version}")
        return document

    async def document(self, version: int) -> bytes | None:
        """Return a version's document, which must exist because its contents can't be guessed; ``None`` for version 0.

        Raises:
            StoreUnavailableError: no answer; retry.
            QuarantinedError: it is gone.
        """
        document = await self.find(version)
        if version and document is None:
            raise QuarantinedError(f"{self._key}:{version} is missing, although it is the version in force")
        return document

    async def history(self) -> dict[int, AppliedVersion]:
        """Return what is known of each version that there is, by its number; of those of former releases, nothing.

        Raises:
            StoreUnavailableError: no answer; retry.
        """
        async with faults():
            last = int(await self._client.get(f"{self._key}:last") or 0)
            noted = await self._client.hgetall(f"{self._key}:history")
            there = [n for n in range(1, last + 1) if await self._client.type(f"{self._key}:{n}") != b"none"]
        known = {int(n): msgspec.json.decode(said, type=AppliedVersion) for n, said in noted.items()}
        return {n: known.get(n, AppliedVersion()) for n in there}

    async def apply(self, document: bytes, by: str = "", *, restores: int = 0) -> int:
        """Store a document as the next version, unless it is the current one, and return its version.

        Args:
            document: the document.
            by: who applies it.
            restores: the former version of which it is a copy.

        Raises:
            StoreUnavailableError: no answer; retry.
        """
        version = await self.current()
        if version and await self.find(version) == document:
            return version
        async with faults():
            version = await self._client.incr(f"{self._key}:last")
            await self._client.set(f"{self._key}:{version}", document)
            seconds, micros = await self._client.time()
            said = AppliedVersion(int(seconds) * 1000 + int(micros) // 1000, by, restores)
            await self._client.hset(f"{self._key}:history", str(version), msgspec.json.encode(said))
            await self._client.set(self._key, version)
        return int(version)
