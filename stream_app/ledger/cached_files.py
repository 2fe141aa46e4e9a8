"""Local files of the ledger's Parquet files: those of a folder themselves, those of a bucket as copies, up to a limit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Container, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import structlog

from .manifest import RowsFile
from .storage import Storage

BYTES: Final = 1024**3
AT_ONCE: Final = 8
"""Copies that are made at a time."""

_log = structlog.get_logger(__name__)


class CachedFiles:
    """Files never change, so a copy is good for as long as there is room for it."""

    def __init__(self, storage: Storage, most: int = BYTES, within: Path | None = None) -> None:
        """Take what is copied, and where to.

        Args:
            storage: has the files.
            most: bytes of copies that nobody reads, at most.
            within: the folder in which copies have a folder of their own; ``None``: the system's for temporary files.
        """
        self._storage, self._most, self._within = storage, most, within
        self._told = False
        self._folder: TemporaryDirectory[str] | None = None
        self._copies: dict[str, tuple[Path, int]] = {}  # the one that was used last comes last
        self._used: Counter[str] = Counter()
        self._fetching: dict[str, asyncio.Task[Path]] = {}
        self._some = asyncio.Semaphore(AT_ONCE)

    @property
    def size(self) -> int:
        """Bytes of all copies."""
        return sum(size for _, size in self._copies.values())

    def keep(self, names: Container[str]) -> None:
        """Remove copies of files that are not valid any more, unless somebody reads them now: people were forgotten in some."""
        self._remove(name for name in [*self._copies] if name not in names and not self._used[name])

    def close(self) -> None:
        """Remove the copies."""
        if self._folder is not None:
            self._folder.cleanup()
        self._copies, self._folder = {}, None

    @asynccontextmanager
    async def opened(self, files: Iterable[RowsFile]) -> AsyncIterator[dict[str, Path]]:
        """Yield name → local file, all of which stay as long as they are open.

        Raises:
            LedgerUnavailableError: the storage can't be read now.
        """
        wanted = {file.name: file.size for file in files}
        self._used.update(wanted.keys())
        try:
            paths = {name: path for name in wanted if (path := self._known(name)) is not None}
            missing = {name: size for name, size in wanted.items() if name not in paths}
            copies = await asyncio.gather(*(self._path(name, size) for name, size in missing.items()))
            self._tell_if_small()
            yield paths | dict(zip(missing, copies, strict=True))
        finally:
            self._used.subtract(wanted.keys())
            self._used += Counter()  # without zeros
            self._make_room()

    def _known(self, name: str) -> Path | None:
        """Return where a file is, without waiting; there may be many thousands."""
        if known := self._copies.pop(name, None):
            self._copies[name] = known
            return known[0]
        return self._storage.here(name)

    async def _path(self, name: str, size: int) -> Path:
        fetching = self._fetching.get(name)
        if fetching is None:
            fetching = self._fetching[name] = asyncio.create_task(self._fetch(name, size))
            fetching.add_done_callback(lambda _: self._fetching.pop(name))
        return await asyncio.shield(fetching)  # others may wait for it, too

    async def _fetch(self, name: str, size: int) -> Path:
        async with self._some:
            if self._folder is None:
                self._folder = TemporaryDirectory(
                    prefix="ledger-read-", dir=self._within, ignore_cleanup_errors=True
                )
            folder = Path(self._folder.name)
            path = await self._storage.fetch(name, folder)
            if path.is_relative_to(folder):
                self._copies[name] = (path, size)
            return path

    def _tell_if_small(self) -> None:
        """Say once that what is wanted together does not fit: some of it is copied again each time."""
        if self.size > self._most and not self._told:
            _log.warning(
                "ledger_cache_too_small",
                bytes=self.size,
                limit=self._most,
                advice="set STREAM_APP_LEDGER_CACHE_BYTES to more than these bytes",
            )
            self._told = True

    def _make_room(self) -> None:
        over = self.size - self._most
        for name, (_, size) in [*self._copies.items()]:
            if over > 0 and not self._used[name]:
                self._remove([name])
                over -= size

    def _remove(self, names: Iterable[str]) -> None:
        for name in names:
            path, _ = self._copies.pop(name)
            path.unlink(missing_ok=True)
