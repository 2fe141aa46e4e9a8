"""Whether the ledger, written by a process of its own, is what was counted: at any moment, and row by row at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stream_app.errors import StoreUnavailableError
from stream_app.ledger.auditing import audit
from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.manifests import Manifests
from stream_app.ledger.reading import LedgerReader
from stream_app.ledger.storage import LedgerUnavailableError
from stream_app.model.ledger import join_rows
from stream_app.model.ports import Partition
from stream_app.store.moments import Moments
from stream_app.store.outbox import OutboxEntry
from tests.ledger.desk import rows_of
from tests.model.kept import Line, folded
from tests.reference.agents import Spell

from .agents import spells
from .verifier import Logged

RowKey = tuple[int, str, int, str | None]
"""Partition, table, offset, contact: which of a record's rows comes first is not determined."""
TRIES: Final = 5
"""How often a partition is read that a commit, a step of the writer or a claim changes meanwhile."""


class LedgerCheck:
    """Reads the ledger of one topic, while it is written.

    Attributes:
        compared: how many values of counters were equal.
        audits: how often all partitions were compared.
    """

    def __init__(self, redis_url: str, folder: Path, topic: str, partitions: int) -> None:
        self._storage, self._folder = LocalFiles(folder / "ledger"), folder
        self._moments = Moments(redis_url)
        self._reader = LedgerReader(self._storage, self._moments, {"": 4_000})
        self._partitions = [Partition(topic, n) for n in range(partitions)]
        self.compared = self.audits = 0

    async def close(self) -> None:
        await self._reader.close()

    async def audit(self) -> None:
        """Compare all counters with the contacts, as the command does, whatever goes on."""
        for attempt in range(TRIES):
            try:
                found = await audit(self._reader, await self._moments.names())
                break
            except (StoreUnavailableError, LedgerUnavailableError):
                if attempt == TRIES - 1:
                    raise
        differences = [f"{one.partition}: {each}" for one in found for each in one.differences]
        assert not differences, "\n".join(differences[:5])
        assert all(one.since is not None or one.position == 0 for one in found), "no contact is missing"
        self.compared += sum(one.counters for one in found)
        self.audits += 1

    async def rows(self) -> Counter[RowKey]:
        """Return every valid row of the files, and how often it is there; no two have the same identity."""
        found = [
            (partition.number, table, row)
            for partition in self._partitions
            for table in TABLES
            for row in await rows_of(self._storage, self._folder, table, partition)
        ]
        assert len({(number, row["offset"], row["n"]) for number, _, row in found}) == len(found)
        return Counter((number, table, row["offset"], row.get("contact_id")) for number, table, row in found)

    async def spells(self) -> list[Spell]:
        """Return the spells of agents that the files add up to, sorted."""
        tables = [await rows_of(self._storage, self._folder, "spells", one) for one in self._partitions]
        return sorted(spell for rows in tables for spell in spells(rows))

    async def holes(self) -> list[Any]:
        return [
            hole for one in self._partitions for hole in (await Manifests(self._storage, one).newest()).holes
        ]


def expected_rows(logged: Mapping[int, Sequence[Logged]]) -> Counter[RowKey]:
    """What one fold from the beginning to the end notes of the same records, which nothing interrupts."""
    return Counter(key for number, records in logged.items() for key in _noted(number, records))


def _noted(number: int, records: Iterable[Logged]) -> Iterable[RowKey]:
    lines = [Line(one.offset, one.value, one.timestamp, (), one.timestamp_type) for one in records]
    kept = folded(lines)
    entry = OutboxEntry(b"1-0", "", 0, 1, 0, 0, join_rows(kept.ledger), b"")
    for table, rows in Exploder(Partition("any", number))(entry).items():
        for row in rows:
            yield number, table, row["offset"], row.get("contact_id")
