"""From the entries of an outbox to unfinished files: what one step of the ledger adds, and what it replaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from stream_app.errors import StreamAppError
from stream_app.store.outbox import OutboxEntry

from .forgotten import ForgottenIds
from .manifest import Hole, Manifest, end_of, pack_digests, same_topic
from .parquet_files import FileKey, FinishedFile, OpenFiles, day_of
from .tables import LedgerTable

TableRows = Mapping[str, list[dict[str, Any]]]
"""Table → rows, each name → value."""
Explode = Callable[[OutboxEntry], TableRows]
"""Makes the tables' rows of an entry."""


UNREADABLE: Final = (
    "ledger: the oldest rows that wait in Redis can't be read: they are damaged, or of workers of a later version; upgrade "
    "stream-app ledger. Once 16 MB wait, they are given up and leave a hole"
)


def exploded(entry: OutboxEntry, explode: Explode) -> TableRows | None:
    """Return the tables' rows of an entry; ``None``: they are damaged, or of a later version."""
    try:
        return explode(entry)
    except (msgspec.DecodeError, StreamAppError):
        return None


class TakenEntries:
    """The entries that one step takes from an outbox, in order.

    Attributes:
        ids: id and digest of each that was taken.
        cut: topic id and offset from which former rows go; ``None`` if all stay.
        holes: what is missing before and between them.
        ends: topic id → the first offset that is not covered.
        topic_id: of the last entry.
        time: partition time after it.
        rows: how many.
        unreadable: whether the entry after them can't be read.
    """

    def __init__(
        self,
        held: Manifest,
        files: OpenFiles,
        tables: Mapping[str, LedgerTable],
        forgotten: ForgottenIds,
        *,
        begun: int = 0,
        skips: bool = False,
    ) -> None:
        """Take nothing yet.

        Args:
            held: what the ledger has.
            files: where rows go.
            tables: name → table.
            forgotten: the ids that are blanked.
            begun: the first offset that was counted.
            skips: whether an entry that can't be read becomes a hole.
        """
        self._skips = skips
        self._held, self._files, self._tables, self._forgotten = held, files, tables, forgotten
        self._begun = begun
        self.ids: list[tuple[bytes, bytes]] = []
        self.cut: tuple[str, int] | None = None
        self.holes: list[Hole] = []
        self.ends: dict[str, int] = {}
        self.topic_id = held.topic_id
        self.time = held.time
        self.rows = 0
        self.unreadable = False

    def take(self, entries: Iterable[OutboxEntry], explode: Explode) -> bool:
        """Take entries, and return whether all were; what comes after a step back belongs to the next step."""
        waiting: dict[FileKey, list[dict[str, Any]]] = {}
        complete = True
        for entry in entries:
            found = exploded(entry, explode)
            if found is None and not self._skips:
                complete = False
                self.unreadable = True
                break
            rows: TableRows = found or {}
            if not self._follows(entry, rows):
                complete = False
                break
            if found is None:
                begin = self._begun if entry.begin is None else entry.begin
                self.holes.append(Hole(entry.topic_id, begin, entry.end, self.time, entry.time))
            for table, some in rows.items():
                self._forgotten.blank(some)
                waiting.setdefault(FileKey(table, day_of(entry.time), entry.topic_id), []).extend(some)
                self.rows += len(some)
            self.ids.append((entry.id, entry.digest))
            self.ends[entry.topic_id] = entry.end
            self.topic_id, self.time = entry.topic_id, entry.time
        for key, some in waiting.items():
            if some:
                self._files[key].write(self._tables[key.table].batch(some))
        return complete

    def finish(self) -> list[tuple[FileKey, FinishedFile]]:
        """Complete the files."""
        finished = [(key, file.finish()) for key, file in self._files.items()]
        return [(key, file) for key, file in finished if file is not None]

    @property
    def digests(self) -> str:
        """What a manifest says of the entries."""
        return pack_digests(digest for _, digest in self.ids)

    def _follows(self, entry: OutboxEntry, rows: TableRows) -> bool:
        """Note what the entry means for what the ledger has: it continues it, replaces its end, or leaves a hole."""
        end = next(
            (end for known, end in self.ends.items() if same_topic(known, entry.topic_id)),
            end_of(self._held, entry.topic_id),
        )
        # Where nobody knows where reading began, what lies before the first row stays: Kafka may not have it any more.
        offsets = (row["offset"] for some in rows.values() for row in some)
        begin = min(offsets, default=entry.end) if entry.begin is None else entry.begin
        if end is None and entry.begin is not None and begin > self._begun:  # the ledger began later
            self.holes.append(Hole(entry.topic_id, self._begun, begin, 0, entry.time))
        if end is None or begin == end:
            return True
        if begin > end:
            self.holes.append(Hole(entry.topic_id, end, begin, self.time, entry.time))
            return True
        if self.ids:
            return False
        self.cut = (entry.topic_id, begin)
        return True
