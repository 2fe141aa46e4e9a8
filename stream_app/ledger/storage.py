"""Where the ledger's files are: a folder or a bucket, with the one operation that everything rests on, create if absent.

Names are paths below the ledger's address, separated by ``/``. A file is visible with all of its content or not at all.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from stream_app.errors import StreamAppError


class LedgerUnavailableError(StreamAppError):
    """The ledger's storage can't read or write now (unreachable, full, read-only, no right): wait and retry.

    Whether a write was done is not known.
    """


class StoredFile(Struct, frozen=True):
    """A file as a listing shows it.

    Attributes:
        name: its path below the ledger's address.
        size: bytes.
        changed: when it was written, ms, by the clock of the storage.
    """

    name: str
    size: int
    changed: int


class Storage(Protocol):
    """A folder or a bucket.

    Every method raises ``LedgerUnavailableError`` where the storage can't do it now.
    """

    def scratch(self) -> Path:
        """Return a folder of this machine for files that are not finished, from which ``put`` takes them."""

    async def check(self) -> None:
        """Check that files can be created, and that one that exists is never replaced.

        Raises:
            BadSettingsError: the storage replaces it; two writers would destroy each other's work there.
        """

    async def create(self, name: str, content: bytes) -> bool:
        """Create a file unless there is one, and return whether it has this content.

        So a repetition after a lost reply succeeds. Contents must differ between writers, or mean the same.
        """

    async def put(self, name: str, source: Path) -> None:
        """Copy a local file to a name that nobody else uses; ``source`` may be gone afterwards."""

    async def read(self, name: str) -> bytes | None:
        """Return a file's content; ``None`` where there is no such file."""

    def here(self, name: str) -> Path | None:
        """Return where the file itself can be read; ``None`` where only a copy can."""

    async def fetch(self, name: str, folder: Path) -> Path:
        """Return a local file with the content of a name: the file itself, or a copy in ``folder``."""

    async def files(self, folder: str, after: str = "") -> list[StoredFile]:
        """Return all files below a folder, by name; with ``after``, only those whose names come after it."""

    async def delete(self, names: Collection[str]) -> None:
        """Delete files; those that are gone already are fine."""
