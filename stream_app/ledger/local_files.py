"""The ledger in a folder."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from .storage import LedgerUnavailableError, StoredFile

UNFINISHED: Final = ".unfinished"
"""The folder of files that are not complete: on the same file system, so that they can be linked to their names."""

_WHAT_TO_DO: Final = {
    errno.ENOSPC: "free some space, or shorten STREAM_APP_LEDGER_DAYS",
    errno.EDQUOT: "raise the quota, or shorten STREAM_APP_LEDGER_DAYS",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EROFS: "mount it so that it can be written, or choose another folder for STREAM_APP_LEDGER",
    errno.EACCES: "give the user of this process the right to write there",
    errno.EPERM: "give the user of this process the right to write there, on a file system with hard links",
    errno.ENOTSUP: "choose a folder on a file system with hard links for STREAM_APP_LEDGER",
}


class LocalFiles:
    """A folder of this machine, or of a network file system with hard links.

    A file is written under another name, flushed to the disk, and linked to its own name, which fails if that exists.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def check(self) -> None:
        """See ``Storage``; the system's ``link`` never replaces anything."""
        name = f"{UNFINISHED}/check-{uuid4().hex}"
        await self.create(name, b"")
        await self.delete([name])

    async def create(self, name: str, content: bytes) -> bool:
        """See ``Storage``."""
        return await asyncio.to_thread(self._create, name, content)

    async def put(self, name: str, source: Path) -> None:
        """See ``Storage``."""
        await asyncio.to_thread(self._put, name, source)

    async def read(self, name: str) -> bytes | None:
        """See ``Storage``."""
        return await asyncio.to_thread(self._read, name)

    def here(self, name: str) -> Path | None:
        """See ``Storage``: where it is."""
        return self._root / name

    async def fetch(self, name: str, folder: Path) -> Path:
        """See ``Storage``: the file itself."""
        del folder
        return self._root / name

    async def files(self, folder: str, after: str = "") -> list[StoredFile]:
        """See ``Storage``."""
        return await asyncio.to_thread(self._files, folder, after)

    async def delete(self, names: Collection[str]) -> None:
        """See ``Storage``."""
        await asyncio.to_thread(self._delete, [*names])

    def scratch(self) -> Path:
        """See ``Storage``."""
        folder = self._root / UNFINISHED
        with local_faults(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _create(self, name: str, content: bytes) -> bool:
        unfinished = self.scratch() / uuid4().hex
        try:
            with local_faults(self._root / name):
                with unfinished.open("xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                return self._link(unfinished, name) or self._read(name) == content
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _put(self, name: str, source: Path) -> None:
        with local_faults(self._root / name):
            with source.open("rb") as file:
                os.fsync(file.fileno())
            if not self._link(source, name):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        with suppress(OSError):
            source.unlink()

    def _link(self, source: Path, name: str) -> bool:
        """Give a complete file its name, for good; return whether the name was free."""
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except FileExistsError:
            return False
        for folder in (
            target.parent,
            *target.parent.parents,
        ):  # a name survives a power failure with its folder
            _flush_folder(folder)
            if folder == self._root:
                break
        return True

    def _read(self, name: str) -> bytes | None:
        with local_faults(self._root / name):
            try:
                return (self._root / name).read_bytes()
            except FileNotFoundError:
                return None

    def _files(self, folder: str, after: str) -> list[StoredFile]:
        found = []
        with local_faults(self._root / folder):
            for place, _, names in os.walk(self._root / folder, onerror=_unless_absent):
                for path in (Path(place, name) for name in names):
                    if (name := path.relative_to(self._root).as_posix()) <= after:
                        continue
                    with suppress(FileNotFoundError):  # deleted meanwhile
                        status = path.stat()
                        found.append(StoredFile(name, status.st_size, status.st_mtime_ns // 1_000_000))
        return sorted(found, key=lambda file: file.name)

    def _delete(self, names: list[str]) -> None:
        for name in names:
            with local_faults(self._root / name):
                (self._root / name).unlink(missing_ok=True)
            if name.startswith(f"{UNFINISHED}/"):
                with suppress(OSError):  # not empty, or the folder of all
                    (self._root / name).parent.rmdir()


def _unless_absent(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _flush_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def local_faults(path: Path) -> Iterator[None]:
    """Translate the system's errors at a path."""
    try:
        yield
    except OSError as error:
        advice = _WHAT_TO_DO.get(error.errno or 0, "check the folder that STREAM_APP_LEDGER names")
        raise LedgerUnavailableError(f"ledger: {path}: {error.strerror or error}; {advice}") from error
