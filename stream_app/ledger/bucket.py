"""The ledger in a bucket of an S3-compatible storage."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final
from uuid import uuid4

from stream_app.errors import BadSettingsError

from .libraries import library
from .storage import LedgerUnavailableError, StoredFile

TIMEOUT_S: Final = 30
RETRY_S: Final = 20
"""Requests that fail are repeated for so long; then the round has failed, and the next one begins anew."""
PIECES_AT_ONCE: Final = 2
"""Pieces of 5 MiB of one file that are sent at a time; more would cost memory."""


class BucketFiles:
    """A bucket, or what begins with a prefix in it. Needs conditional writes (``If-None-Match: *``) and consistent listings."""

    def __init__(
        self, bucket: str, prefix: str, options: Mapping[str, str], retry_s: float = RETRY_S
    ) -> None:
        """Set it up; it connects with the first request.

        Args:
            bucket: its name.
            prefix: what the names of all of the ledger's files begin with; may be empty.
            options: ``endpoint``, ``region``, ``access_key_id``, ``secret_access_key``, as far as they are set. The library
                finds others as Amazon's own tools do (``AWS_…``, the role of the machine).
            retry_s: for how long failed requests are repeated.
        """
        self._obstore: Any = library("obstore")
        self._shown = f"s3://{bucket}/{prefix}".rstrip("/")
        plain = options.get("endpoint", "").startswith("http://")
        self._store: Any = library("obstore.store").S3Store(
            bucket,
            prefix=prefix or None,
            client_options={"timeout": f"{TIMEOUT_S}s", "connect_timeout": "5s", "allow_http": plain},
            retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=retry_s)},
            **options,
        )

    def scratch(self) -> Path:
        """See ``Storage``."""
        return Path(gettempdir())

    async def check(self) -> None:
        """See ``Storage``."""
        name = f"check/{uuid4().hex}"
        try:
            replaced = not await self.create(name, b"first") or await self.create(name, b"second")
        finally:
            await self.delete([name])
        if replaced:
            raise BadSettingsError(
                f"STREAM_APP_LEDGER: {self._shown}: this storage replaces a file although the request says If-None-Match: *. "
                "Two writers would destroy each other's work; use a storage with conditional writes"
            )

    async def create(self, name: str, content: bytes) -> bool:
        """See ``Storage``."""
        with self._faults(name):
            try:
                await self._obstore.put_async(self._store, name, content, mode="create")
            except self._obstore.exceptions.AlreadyExistsError:
                # Maybe by ourselves: a request whose reply was lost is repeated.
                return await self.read(name) == content
        return True

    async def put(self, name: str, source: Path) -> None:
        """See ``Storage``."""
        with self._faults(name):
            await self._obstore.put_async(self._store, name, source, max_concurrency=PIECES_AT_ONCE)

    async def read(self, name: str) -> bytes | None:
        """See ``Storage``."""
        with self._faults(name):
            try:
                found = await self._obstore.get_async(self._store, name)
            except FileNotFoundError:
                return None
            return bytes(await found.bytes_async())

    def here(self, name: str) -> None:
        """See ``Storage``: nothing is."""
        del name

    async def fetch(self, name: str, folder: Path) -> Path:
        """See ``Storage``: a copy."""
        copy = folder / uuid4().hex
        with self._faults(name):
            found = await self._obstore.get_async(self._store, name)
            with copy.open("wb") as file:
                async for piece in found.stream():
                    file.write(piece)
        return copy

    async def files(self, folder: str, after: str = "") -> list[StoredFile]:
        """See ``Storage``."""
        found = []
        with self._faults(folder):
            async for page in self._obstore.list(self._store, f"{folder}/", offset=after or None):
                found += [
                    StoredFile(one["path"], one["size"], int(one["last_modified"].timestamp() * 1000))
                    for one in page
                ]
        return sorted(found, key=lambda file: file.name)

    async def delete(self, names: Collection[str]) -> None:
        """See ``Storage``."""
        if names:
            with self._faults(next(iter(names))):
                try:
                    await self._obstore.delete_async(self._store, [*names])
                except FileNotFoundError:
                    return

    @contextmanager
    def _faults(self, name: str) -> Iterator[None]:
        """Translate the library's errors; the first line has the request and the answer, and no secrets."""
        try:
            yield
        except (self._obstore.exceptions.BaseError, OSError) as error:
            why = str(error).strip().partition("\n")[0]
            raise LedgerUnavailableError(
                f"ledger: {self._shown}/{name}: {why}; check the bucket, AWS_ENDPOINT_URL and the keys' rights"
            ) from error
