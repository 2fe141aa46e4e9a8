"""The manifests of a partition in the storage: a chain to whose end whoever comes first adds."""

from __future__ import annotations

from typing import Final

from stream_app.model.ports import Partition

from . import places
from .manifest import Manifest, pack, unpack
from .storage import LedgerUnavailableError, Storage, StoredFile

READS: Final = 5
"""The newest manifest may be deleted between its listing and its reading, by a sweep that knows newer ones."""


class Manifests:
    """The chain of one partition."""

    def __init__(self, storage: Storage, partition: Partition) -> None:
        self._storage = storage
        self._partition = partition

    async def newest(self) -> Manifest:
        """Return the newest manifest; one with number 0 where there is none.

        Raises:
            LedgerUnavailableError: the storage can't be read now.
            StreamAppError: it was written by a later version, or is none.
        """
        for _ in range(READS):
            found = await self.stored()
            if not found:
                return Manifest()
            name = found[-1].name
            packed = await self._storage.read(name)
            if packed is not None:
                return unpack(packed, name)
        raise LedgerUnavailableError(
            f"ledger: {name} is listed, and is not there; is the storage consistent?"
        )

    async def add(self, manifest: Manifest) -> bool:
        """Add a manifest to the chain, and return whether it is the newest; if not, another writer is ahead.

        Raises:
            LedgerUnavailableError: it is not known whether it was added; read the newest one.
        """
        name = places.manifest(self._partition, manifest.number)
        if not await self._storage.create(name, pack(manifest)):
            return False
        # The number may have been free only because a sweep has deleted the manifest that had it.
        return not await self._storage.files(places.manifests(self._partition), after=name)

    async def stored(self) -> list[StoredFile]:
        """Return all that the storage has, by number."""
        return await self._storage.files(places.manifests(self._partition))
