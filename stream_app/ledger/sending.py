"""What the ledger holds of a partition, sent to a topic: always behind its manifests, which stay the only truth.

A *session* of sending begins with a manifest of one's own, then takes the topic away from everybody else, and makes sure that
this manifest is still the newest one. It says from which offset on it sends, so that consumers drop what they have from there
on, and goes on as long as no other writer adds a manifest. What is sent is recorded in the next manifest, so another session
may send some rows again, and never leaves any out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple, Protocol
from uuid import uuid4

import msgspec

from stream_app.errors import StreamAppError
from stream_app.failpoints import Failpoints
from stream_app.model.ports import Partition

from .libraries import library
from .local_files import local_faults
from .manifest import Manifest, SentRows, cut_sent, next_of
from .manifests import Manifests
from .storage import LedgerUnavailableError, Storage
from .tables import LedgerTable

OFFSETS: Final = 10_000
"""Offsets whose rows are sent at once, all or none."""
BUDGET_S: Final = 5.0
"""After which a round sends no more, well before the partition's lease ends."""

LOOK_MS: Final = 60_000
_EVER: Final = (1 << 63) - 1

RowRecord = tuple[bytes, bytes | None]
"""Key and value."""


class RowTopic(Protocol):
    """The topic, for one partition.

    Attributes:
        name: its name.
    """

    name: str

    async def send(self, records: Collection[RowRecord], confirm: Callable[[], Awaitable[None]]) -> None:
        """Write records, all or none; ``confirm`` is called after the topic was taken away from everybody else."""

    async def close(self) -> None:
        """Disconnect."""


class _Part(NamedTuple):
    """What is sent at once: rows of a topic id in ``[begin, end)``, after saying so if ``marked``, and changed ones before."""

    topic_id: str
    begin: int
    end: int
    again: tuple[int, ...]
    marked: bool


class PartitionSender:
    """Sends the rows of one partition."""

    def __init__(
        self,
        partition: Partition,
        storage: Storage,
        tables: Mapping[str, LedgerTable],
        topic: RowTopic,
        *,
        clock: Callable[[], int],
        failpoints: Failpoints,
    ) -> None:
        """Wire it up.

        Args:
            partition: whose rows.
            storage: where they are.
            tables: name → table.
            topic: where they go.
            clock: the wall clock, ms.
            failpoints: where tests end this process.
        """
        self._partition, self._storage, self._tables, self._topic = partition, storage, tables, topic
        self._manifests, self._looked_at = Manifests(storage, partition), 0
        self._clock, self._failpoints = clock, failpoints
        # Of the newest manifest, if all since the session began are ours; 0: there is no session.
        self._number = 0
        self._sent = SentRows()
        self._unmarked: set[str] = (
            set()
        )  # topic ids whose rows are sent from an offset on that was not said yet

    def looks(self, held: Manifest) -> bool:
        """Return whether to look for manifests of others, at most once a minute: `forget` changes rows that the topic has."""
        now = self._clock()
        if 0 <= now - max(held.at, self._looked_at) < LOOK_MS:
            return False
        self._looked_at = now
        return True

    def lacks(self, held: Manifest) -> bool:
        """Return whether the topic lacks rows, as far as is known."""
        if held.number == self._number:
            return self._next(held, self._sent, self._unmarked) is not None
        return self._next(held, self._of(held), frozenset()) is not None

    def sent(self, base: Manifest, before: int) -> SentRows:
        """Return what the next manifest says.

        Args:
            base: what it follows, with what is cut.
            before: the number of the manifest before it.
        """
        return self._sent if before == self._number else self._of(base)

    def cut(self, topic_id: str, offset: int) -> None:
        """Note that rows from an offset on are replaced by the next manifest."""
        cut = cut_sent(self._sent, topic_id, offset)
        self._unmarked |= {known for known, end in cut.ends.items() if end < self._sent.ends[known]}
        self._sent = cut

    async def follow(self, before: int, following: Manifest) -> None:
        """Note that we have added a manifest: the session goes on, or a new one begins."""
        if before == self._number:
            self._number = following.number
        else:
            await self._begin(following)

    async def close(self) -> None:
        """End the session."""
        self._number = 0
        await self._topic.close()

    async def send(self, held: Manifest, folder: Path) -> Manifest | None:
        """Send what the topic lacks, as far as there is time, and return the newest manifest; ``None``: another writer's is.

        Args:
            held: the newest one as far as is known.
            folder: for copies of files.

        Raises:
            StreamAppError: the topic or the storage can't do it now.
        """
        if not self.lacks(held):
            return held
        if held.number != self._number:
            following = next_of(held, writer=uuid4().hex, at=self._clock(), sent=self._of(held))
            if not await self._manifests.add(following):
                return None
            held = following
            await self._begin(held)
        try:
            await self._send(held, folder)
        except BaseException:
            await self.close()
            raise
        return held

    async def _send(self, held: Manifest, folder: Path) -> None:
        since, paths = monotonic(), dict[str, Path]()
        while (part := self._next(held, self._sent, self._unmarked)) and monotonic() - since < BUDGET_S:
            for file in held.files:
                if (
                    file.topic_id == part.topic_id
                    and file.name not in paths
                    and _has(part, file.first, file.last)
                ):
                    paths[file.name] = await self._storage.fetch(file.name, folder)
            # What was cut may have gone further than what is there now.
            reach = part._replace(end=_EVER) if part.end >= held.ends[part.topic_id] else part
            former = [
                await self._storage.fetch(one.name, folder)
                for one in held.dropped
                if _may_have(reach, one.name)
            ]
            records = await asyncio.to_thread(self._records, held, part, paths, (reach, former))
            await self._failpoints.hit("before_sending")
            await self._topic.send(records, self._confirm)
            await self._failpoints.hit("after_sending")
            self._unmarked.discard(part.topic_id)
            again = {known: some for known, some in self._sent.again.items() if known != part.topic_id}
            self._sent = SentRows(self._topic.name, {**self._sent.ends, part.topic_id: part.end}, again)

    async def _begin(self, own: Manifest) -> None:
        await self._topic.close()
        self._number, self._sent = own.number, self._of(own)
        self._unmarked = {*own.ends}

    async def _confirm(self) -> None:
        newest = (await self._manifests.newest()).number
        if newest != self._number:
            raise StreamAppError(f"{self._partition}: another writer has gone on, with manifest {newest}")

    def _of(self, manifest: Manifest) -> SentRows:
        """Return what our topic has: nothing where it was another one before."""
        sent = manifest.sent
        return sent if sent.topic == self._topic.name else SentRows(self._topic.name)

    def _next(self, held: Manifest, sent: SentRows, unmarked: Collection[str]) -> _Part | None:
        """Return what is to be sent next; ``None``: the topic has it all."""
        for topic_id, end in held.ends.items():
            begin, again = sent.ends.get(topic_id, 0), sent.again.get(topic_id, ())
            if begin < end or again or topic_id in unmarked:
                firsts = [f.first for f in held.files if f.topic_id == topic_id and f.last >= begin]
                until = min(end, max(begin, min(firsts, default=end)) + OFFSETS)
                return _Part(topic_id, begin, max(begin, until), again, topic_id in unmarked)
        return None

    def _records(
        self, held: Manifest, part: _Part, paths: Mapping[str, Path], former: tuple[_Part, Collection[Path]]
    ) -> list[RowRecord]:
        """Return the records of a part, in a thread; what ``former`` files have of theirs, and it has no more, is removed."""
        rows = dict(self._found(held, part, paths))
        reach, files = former
        gone = [(key, None) for path in files for key in self._gone(path, reach) if key not in rows]
        return [*self._said(held, part), *gone, *rows.items()]

    def _gone(self, path: Path, part: _Part) -> Iterator[bytes]:
        """Yield the keys of the rows of a file that is valid no more, unless it is deleted by now."""
        with suppress(LedgerUnavailableError):
            for row in _rows(path, part, ["topic_id", "offset", "n"]):
                if row.get("topic_id", "") == part.topic_id:
                    yield self._record(part.topic_id, [row["offset"], row["n"]], {})[0]

    def _said(self, held: Manifest, part: _Part) -> Iterator[RowRecord]:
        """Yield what is said of rows."""
        if part.marked:
            yield self._record(part.topic_id, ["cut", held.number], {"cut": True, "offset": part.begin})
        for hole in held.holes:
            # One that reaches up to here may have been longer when it was sent, before a cut.
            if hole.topic_id == part.topic_id and hole.begin < part.end and part.begin <= hole.end:
                value = {"hole": True, "offset": hole.begin, "end": hole.end}
                times = {"since": hole.since, "until": hole.until}
                yield self._record(part.topic_id, ["hole", hole.begin], value | times)

    def _found(self, held: Manifest, part: _Part, paths: Mapping[str, Path]) -> Iterator[RowRecord]:
        """Yield the rows, in order."""
        rows = [
            (row["offset"], row["n"], file.table, row)
            for file in held.files
            if file.name in paths and file.topic_id == part.topic_id and _has(part, file.first, file.last)
            for row in _rows(paths[file.name], part)
        ]
        for offset, n, table, row in sorted(rows, key=lambda one: one[:2]):
            yield self._record(part.topic_id, [offset, n], {"table": table, **row})

    def _record(self, topic_id: str, which: list[Any], value: dict[str, Any]) -> RowRecord:
        topic, number = self._partition
        whose = {"topic": topic, "topic_id": topic_id, "partition": number}
        key = msgspec.json.encode([topic, topic_id, number, *which])
        return key, msgspec.json.encode(whose | value)


def _has(part: _Part, first: int, last: int) -> bool:
    """Return whether a file with these offsets may have rows of a part."""
    return (first < part.end and last >= part.begin) or any(first <= offset <= last for offset in part.again)


def _may_have(part: _Part, name: str) -> bool:
    """Return whether a file that a manifest no longer describes may have rows of a part, by its name."""
    first, last, _ = name.rpartition("/")[2].split("-", 2)
    return int(first) < part.end and int(last) >= part.begin


def _rows(path: Path, part: _Part, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a part that a file has, without what is NULL."""
    parquet = library("pyarrow.parquet")
    wanted: list[Any] = [[("offset", ">=", part.begin), ("offset", "<", part.end)]]
    if part.again:
        wanted.append([("offset", "in", part.again)])
    with local_faults(path):
        rows = parquet.read_table(path, columns=columns, filters=wanted, partitioning=None)
    for row in rows.to_pylist():
        yield {name: value for name, value in row.items() if value is not None}
