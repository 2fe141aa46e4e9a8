"""The ledger as it is read: all partitions, each at one commit of its own, as views that SQL asks.

``visits``, ``replies``, ``offers``, ``opinions``, ``refusals``, ``cases`` and ``customers`` have the columns of ``columns``,
and two more: ``topic``, and ``state``, which is ``open`` for visits that are not over yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

from stream_app.model.durations import DAY
from stream_app.model.fold.matching import SKEW
from stream_app.model.ports import Partition
from stream_app.store.moments import Moments, PartitionMoment

from . import places
from .cached_files import CachedFiles
from .covering import Coverage, UnknownTime, cover, explode_without, merged
from .exploding import Exploder
from .forgotten import ForgottenIds, load_forgotten
from .manifest import Manifest, RowsFile, unpack
from .parquet_files import day_of
from .querying import LedgerQueries, QueryLimits
from .storage import LedgerUnavailableError, Storage

TRIES: Final = 5
"""How often partitions are read until no writer has gone on meanwhile."""
AHEAD: Final = 10 * SKEW
"""How far before a range a row may have been written of which something happened in it, ms; amply."""
NEVER: Final = 1 << 62
"""The start of a table of which nothing is wanted."""
AT_ONCE: Final = 8
"""Partitions that are read at a time."""


class ReadRange(Struct, frozen=True):
    """Which rows are wanted; files that can't have any are not read.

    Attributes:
        tables: the tables.
        start: rows of which something happened at or after it, ms.
        end: rows whose own time (``visits``: when they started) is before it.
        started: whether that own time must not be before ``start``, either.
        starts: table → its own ``start``, where it is another one.
    """

    tables: Collection[str]
    start: int
    end: int
    started: bool = False
    starts: Mapping[str, int] = {}

    def has(self, file: RowsFile) -> bool:
        """Return whether a file may have such rows."""
        if file.table not in self.tables or file.since >= self.end:
            return False
        # What happened is known by then: a row is written later than anything in it, but for clocks that are ahead, and what is
        # further ahead than ``SKEW`` is not counted.
        start = self.starts.get(file.table, self.start)
        return (
            file.until >= start
            if self.started
            else start < NEVER and file.day >= day_of(max(0, start - AHEAD))
        )


class OpenedLedger(Struct, frozen=True):
    """The ledger at one moment, open for queries.

    Attributes:
        queries: asks them.
        coverages: what there is of each partition.
        unknown: when contacts are missing in the chosen range, as few stretches as possible.
        moments: what was read of Redis; a partition that is not there any more is not here, either.
    """

    queries: LedgerQueries
    coverages: list[Coverage]
    unknown: list[UnknownTime]
    moments: dict[Partition, PartitionMoment]


class LedgerReader:
    """Reads the ledger of one Redis.

    Every method raises ``LedgerUnavailableError`` where the storage can't be read now, ``StoreUnavailableError`` where Redis
    does not answer, and ``LedgerMissingError`` where a library is not installed.
    """

    def __init__(
        self,
        storage: Storage,
        moments: Moments,
        days: Mapping[str, int],
        cache: CachedFiles | None = None,
        limits: QueryLimits = QueryLimits(),  # noqa: B008 - it is frozen
    ) -> None:
        """Wire it up.

        Args:
            storage: where its files are.
            moments: reads what no file has yet.
            days: table → days that are kept; those of the others by the name ``""``.
            cache: local files.
            limits: what queries may take.
        """
        self._storage, self._moments, self._days = storage, moments, days
        self._cache = cache or CachedFiles(storage)
        self._limits = limits
        self._manifests: dict[Partition, Manifest] = {}

    async def close(self) -> None:
        """Remove copies of files, and close the connection to Redis."""
        self._cache.close()
        await self._moments.close()

    @asynccontextmanager
    async def opened(
        self,
        choose: Callable[[list[Coverage]], ReadRange],
        *,
        since: int | None = None,
        moved: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[OpenedLedger]:
        """Open it.

        Args:
            choose: returns what a query wants of what there is.
            since: see ``Moments.read``.
            moved: likewise.
        """
        forgotten = await load_forgotten(self._storage)
        found = await self.moments(since=since, moved=moved)
        coverages = [await asyncio.to_thread(_cover, *one, forgotten) for one in found.values()]
        self._cache.keep({file.name for one in coverages for file in one.files})
        wanted = choose(coverages)
        chosen = [file for one in coverages for file in one.files if wanted.has(file)]
        async with self._cache.opened(chosen) as paths:
            queries = await asyncio.to_thread(LedgerQueries, coverages, paths, wanted.tables, self._limits)
            try:
                moments = {moment.partition: moment for _, moment, _ in found.values() if moment is not None}
                yield OpenedLedger(queries, coverages, self._unknown(coverages, wanted), moments)
            finally:
                await asyncio.to_thread(queries.close)

    async def moments(
        self, *, since: int | None = None, moved: Callable[[], None] = lambda: None
    ) -> dict[Partition, tuple[Manifest, PartitionMoment | None, Partition]]:
        """Return each partition with the manifest that was the newest one when it was read; see ``Moments.read``.

        The manifests are read before and after: where a writer has gone on meanwhile, its partition is read again.
        """
        found: dict[Partition, tuple[Manifest, PartitionMoment | None, Partition]] = {}
        before = await self._newest()
        some = asyncio.Semaphore(AT_ONCE)

        async def read(partition: Partition) -> PartitionMoment:
            async with some:
                return await self._moments.read(partition, since=since, moved=moved)

        for _ in range(TRIES):
            counted = await self._moments.partitions()
            wanted = [one for one in {*counted, *before} if one not in found]
            read_now = [one for one in wanted if one in counted]
            moments = dict(zip(read_now, await asyncio.gather(*map(read, read_now)), strict=True))
            after = await self._newest()
            for partition in wanted:
                held = before.get(partition, Manifest())
                if after.get(partition, Manifest()).number == held.number:
                    found[partition] = (held, moments.get(partition), partition)
            if len(found) == len({*counted, *after}):
                return dict(sorted(found.items()))
            before = after
        raise LedgerUnavailableError("ledger: it changes too fast to be read at one commit; try again")

    async def _newest(self) -> dict[Partition, Manifest]:
        """Return the newest manifest of each partition, of which only those are read that are new."""
        names: dict[Partition, str] = {}
        for file in await self._storage.files(places.MANIFESTS):
            for partition in places.partitions([file.name]):
                names[partition] = file.name
        known = self._manifests
        self._manifests = {}
        for partition, name in names.items():
            manifest = known.get(partition)
            if manifest is None or manifest.number != places.number_of(name):
                manifest = await self._read(partition, name)
            self._manifests[partition] = manifest
        return dict(self._manifests)

    async def _read(self, partition: Partition, name: str) -> Manifest:
        packed = await self._storage.read(name)
        if packed is None:  # a sweep has deleted it, because there are newer ones
            raise LedgerUnavailableError(
                f"ledger: {partition}: its manifests change while they are read; try again"
            )
        return unpack(packed, name)

    def _unknown(self, coverages: list[Coverage], wanted: ReadRange) -> list[UnknownTime]:
        missing = [time for one in coverages for time in one.unknown]
        for one in coverages:
            for table in wanted.tables:
                days = self._days.get(table, self._days[""])
                missing.append(UnknownTime(0, max(0, one.time - days * DAY) // DAY * DAY))
        cut = (time.within(wanted.start, wanted.end) for time in missing)
        return merged([time for time in cut if time is not None])


def _cover(
    held: Manifest, moment: PartitionMoment | None, partition: Partition, forgotten: ForgottenIds
) -> Coverage:
    return cover(held, moment, partition, explode_without(Exploder(partition), forgotten.blank))
