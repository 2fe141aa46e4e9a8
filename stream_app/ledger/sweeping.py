"""Deleting what no manifest names: files that were replaced, that a killed writer left behind, and old manifests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from stream_app.failpoints import Failpoints
from stream_app.model.ports import Partition

from . import places
from .local_files import UNFINISHED
from .manifest import next_of
from .manifests import Manifests
from .storage import Storage

GRACE_MS: Final = 3_600_000
"""For how long a file stays after it was dropped: a query may be reading it. The same for what was never named."""


async def sweep(
    storage: Storage,
    partition: Partition,
    tables: Iterable[str],
    now: int,
    failpoints: Failpoints,
    *,
    grace_ms: int = GRACE_MS,
) -> int:
    """Delete what a partition no longer needs, and return the number of files.

    A writer that was stopped between its files and its manifest may go on at any time and name them. So a manifest is added
    after the files were listed, and before they are deleted: of whatever was written before it, nothing can become valid any
    more, because the number that it wants is taken.

    Args:
        storage: where the ledger is.
        partition: whose files.
        tables: the names of all tables.
        now: the wall clock, ms.
        failpoints: where tests end this process.
        grace_ms: how long files stay.

    Raises:
        LedgerUnavailableError: the storage can't do it now; the next sweep will find the same.
    """
    chain = Manifests(storage, partition)
    stored = [file for table in tables for file in await storage.files(places.rows(table, partition))]
    newest = await chain.newest()
    named = {file.name for file in newest.files}
    waiting = {one.name: one.at for one in newest.dropped}
    due = {
        file.name
        for file in stored
        if file.name not in named and waiting.get(file.name, file.changed) <= now - grace_ms
    }
    remaining = tuple(one for one in newest.dropped if one.at > now - grace_ms)
    if due or len(remaining) < len(newest.dropped):
        if not await chain.add(next_of(newest, writer=uuid4().hex, at=now, dropped=remaining)):
            return 0
        await failpoints.hit("before_deletion")
        await storage.delete(sorted(due))
    old = [
        file.name
        for file in await chain.stored()
        if file.changed <= now - grace_ms and places.number_of(file.name) < newest.number
    ]
    unfinished = [file.name for file in await storage.files(UNFINISHED) if file.changed <= now - grace_ms]
    await storage.delete([*old, *unfinished])
    return len(due)
