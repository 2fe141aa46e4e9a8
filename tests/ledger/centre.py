"""A whole road in one process: hostile traffic, a fold, Redis, a writer, and whoever reads what they leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from random import Random

from stream_app.ingest.batch import fold_records
from stream_app.ingest.dialects.canonical import decode
from stream_app.ledger.auditing import Audited, audit
from stream_app.ledger.contacts import LedgerContacts
from stream_app.ledger.partition_writer import PartitionWriter
from stream_app.ledger.reading import LedgerReader
from stream_app.ledger.storage import Storage
from stream_app.model.fold.fold import Fold
from stream_app.model.fold.noted import Noted
from stream_app.model.fold.tally import Tally
from stream_app.model.ports import Partition
from stream_app.store.moments import Moments
from stream_app.store.outbox import Outboxes
from stream_app.store.redis import RedisClaim, RedisStore
from tests.model.kept import Line
from tests.reference import traffic

from .desk import Clock, writer


class Desk:
    """One partition: who counts it, and who writes its ledger."""

    def __init__(self, centre: Centre, partition: Partition, seed: int, contacts: int) -> None:
        self.partition = partition
        self.first = 70 * partition.number  # Kafka may not have the oldest records any more
        self.lines = [*_lines(seed, contacts, self.first)]
        self.writer: PartitionWriter = writer(
            centre.outboxes, centre.storage, centre.clock, partition=partition, days=centre.days
        )
        self._centre = centre
        self._fold: Fold | None = None
        self._claim: RedisClaim | None = None

    async def claim(self, *, keeps_ledger: bool = True) -> None:
        """Begin, or take over as a new worker does."""
        self._claim = await self._centre.store.claim(self.partition, "worker", topic_id="T")
        self._fold = Fold(
            self._claim.targets,
            Tally(self._claim.numbers),
            self._claim.memory,
            noted=Noted(on=keeps_ledger),
        )

    @property
    def position(self) -> int:
        return (self._claim and self._claim.position) or self.first

    async def count(self, records: int) -> bool:
        """Commit the next records; return whether there were any."""
        assert self._claim
        assert self._fold
        at = self.position - self.first
        lines = self.lines[at : at + records]
        if lines:
            await self._claim.apply(fold_records(self._fold, lines, self._claim.position, decode))
        return bool(lines)

    async def write(self) -> None:
        """A round of the writer, a minute later."""
        self._centre.clock.now += 61_000
        await self.writer.round()


def _lines(seed: int, contacts: int, first: int = 0) -> Iterator[Line]:
    stream = traffic.hostile(
        traffic.traffic(seed, contacts, rate=0.5),
        seed,
        duplicates=0.02,
        poison=0.01,
        unknown=0.005,
        late=0.003,
        future=0.002,
        out_of_order=0.01,
    )
    for offset, (_, value, timestamp) in enumerate(islice(stream, 1_000_000), first):
        yield Line(offset, value, timestamp)


class Centre:
    """All of it."""

    def __init__(
        self,
        redis_url: str,
        storage: Storage,
        *,
        partitions: int = 2,
        contacts: int = 400,
        seed: int = 5,
        outbox_bytes: int = 1 << 30,
    ) -> None:
        self.redis_url = redis_url
        self.store = RedisStore(redis_url, outbox_bytes=outbox_bytes)
        self.outboxes = Outboxes(redis_url)
        self.storage = storage
        self.clock = Clock()
        self.days = {"": 4_000}
        self.random = Random(seed)
        self.moments = Moments(redis_url)
        self.reader = LedgerReader(storage, self.moments, self.days)
        self.contacts = LedgerContacts(self.reader)
        self.desks = [Desk(self, Partition("calls", n), seed * 100 + n, contacts) for n in range(partitions)]

    async def saved(self) -> Callable[[], Awaitable[None]]:
        """Keep all that Redis has of partitions; return what brings it back, as a rollback does."""
        client = self.store.client
        kept = {key: await client.dump(key) async for key in client.scan_iter(match="kpi:{*")}

        async def restore() -> None:
            await client.delete(*[key async for key in client.scan_iter(match="kpi:{*")])
            for key, value in kept.items():
                await client.restore(key, 0, value)

        return restore

    async def claim(self) -> None:
        for desk in self.desks:
            await desk.claim()

    async def close(self) -> None:
        await self.store.close()
        await self.outboxes.close()
        await self.reader.close()

    async def audit(self) -> list[Audited]:
        return await audit(self.reader, await self.moments.names())
