"""Ledger against counters: for every partition at one commit, do its contacts add up to what Redis has counted?

Compared are all counters, sketches and sums of money, in every bucket that Redis still keeps, as far as the ledger knows all
contacts of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from stream_app.errors import StreamAppError
from stream_app.model.events import QueueChannel
from stream_app.model.facts import Fact, TakenBack
from stream_app.model.fold.cells import SHIFT, Cell, add_into, roll_up
from stream_app.model.fold.tally import Tally
from stream_app.model.kpis import STORED
from stream_app.model.ports import Partition
from stream_app.model.windows import BASE, KEPT, TOTAL
from stream_app.store.moments import PartitionMoment
from stream_app.store.names import OTHER

from .columns import IN_HAPPENINGS, IN_VISITS, TABLES, fact_column
from .covering import Coverage
from .querying import LedgerQueries
from .reading import LedgerReader, OpenedLedger, ReadRange

COUNTED: Final[Mapping[str, tuple[type[Fact], ...]]] = {"visits": IN_VISITS, **IN_HAPPENINGS}
"""The tables whose rows count something, and what."""
LONGEST: Final = max(KEPT.values())
EVER: Final = 1 << 62

Key = tuple[int, int, str, str]
"""Resolution, start, queue, channel."""
Moved = Callable[[int, int], None]
"""Called with how many rows were read, of how many."""


class Difference(Struct, frozen=True, order=True):
    """A counter that is not what the contacts add up to.

    Attributes:
        queue: where.
        channel: likewise.
        counter: its name; of a distribution or of money with its bucket or currency, as ``handle[176]``.
        start: the bucket's start, ms.
        resolution: its length, ms.
        partition: which one.
        counted: what Redis has.
        found: what the contacts add up to.
        offsets: of the rows that count there, a few at most.
    """

    queue: str
    channel: str
    counter: str
    start: int
    resolution: int
    partition: str
    counted: int
    found: int
    offsets: tuple[int, ...] = ()


class Audited(Struct, frozen=True):
    """What came out of a partition.

    Attributes:
        partition: which one.
        position: the offset up to which both are.
        since: buckets from there on were compared, ms; ``None``: none could be, contacts are missing up to now.
        buckets: how many.
        counters: how many values of counters.
        differences: those that differ.
    """

    partition: str
    position: int
    since: int | None
    buckets: int
    counters: int
    differences: list[Difference]


async def audit(
    reader: LedgerReader,
    names: Mapping[str, Mapping[str, int]],
    *,
    since: int = 0,
    until: int = EVER,
    moved: Moved = lambda _done, _all: None,
) -> list[Audited]:
    """Compare all partitions.

    Args:
        reader: of the ledger.
        names: the numbers of queues, channels and counters in Redis.
        since: only buckets that begin at or after it, ms.
        until: and end at or before it.
        moved: for a bar.

    Raises:
        LedgerUnavailableError: see ``LedgerReader``, like others.
    """

    def choose(coverages: list[Coverage]) -> ReadRange:
        begin = min((one.time for one in coverages), default=0) - LONGEST
        return ReadRange((*COUNTED,), max(since, begin, 0), EVER)

    async with reader.opened(choose, since=since) as ledger:
        return await _compare(ledger, names, since, until, moved)


async def _compare(
    ledger: OpenedLedger, names: Mapping[str, Mapping[str, int]], since: int, until: int, moved: Moved
) -> list[Audited]:
    coverages = {one.partition: one for one in ledger.coverages if one.partition in ledger.moments}
    if not coverages:
        return []
    numbers = {part.name: names["counter"].get(part.name, 0) for part in STORED}
    if missing := sorted(name for name, number in numbers.items() if not number):
        raise StreamAppError(
            f"Redis has no counter {missing[0]!r}: it was counted by another version; start a worker of this one first"
        )
    sums = _Sums(coverages, names, numbers)

    def compared() -> list[Audited]:
        sums.read(ledger.queries, moved)
        return [
            _audited(coverage, ledger.moments[partition], sums, since, until)
            for partition, coverage in coverages.items()
        ]

    return await asyncio.to_thread(compared)


class _Sums:
    """What the contacts add up to, by partition."""

    def __init__(
        self,
        coverages: Mapping[Partition, Coverage],
        names: Mapping[str, Mapping[str, int]],
        numbers: Mapping[str, int],
    ) -> None:
        self.names = names
        self.numbers = numbers
        self.called = {number: name for name, number in numbers.items()}
        self.cells: dict[Partition, dict[Key, Cell]] = {one: {} for one in coverages}
        self.queries: LedgerQueries | None = None
        self._coverages = coverages
        self._tallies = {one: Tally(numbers) for one in coverages}

    def read(self, queries: LedgerQueries, moved: Moved) -> None:
        """Read all rows, and add them up."""
        self.queries = queries
        tables = [*COUNTED]
        (counts,) = next(
            queries.batches("SELECT " + ", ".join(f"(SELECT count(*) FROM {one})" for one in tables))
        )
        done, every = 0, sum(counts)
        for table in tables:
            for rows in queries.batches(_sql(table)):
                for topic, number, topic_id, offset, *rest in rows:
                    partition = Partition(topic, number)
                    coverage = self._coverages.get(partition)
                    if coverage is not None and coverage.counts(topic_id, offset):
                        queue, channel, facts = _facts(table, rest)
                        self._tallies[partition].add(facts, *self.shown(queue, channel))
                self._take()
                moved(done := done + len(rows), every)

    def shown(self, queue: str, channel: str) -> QueueChannel:
        """Return the names under which something is counted."""
        return (
            queue if queue in self.names["queue"] else OTHER,
            channel if channel in self.names["channel"] else OTHER,
        )

    def _take(self) -> None:
        """Roll up what was read: less is kept of the past, as in Redis."""
        for partition, tally in self._tallies.items():
            time, into = self._coverages[partition].time, self.cells[partition]
            rolled = roll_up(tally.take(), lambda size, start, time=time: start < time - KEPT[size])  # type: ignore[misc]
            for (resolution, (start, *place)), cell in rolled.items():
                if resolution != TOTAL:
                    add_into(into.setdefault((resolution, start, *place), {}), cell)  # type: ignore[arg-type]


def _sql(table: str) -> str:
    """Return a query for all facts of a table."""
    sign = "sign" if table in IN_HAPPENINGS else "1"
    columns = ["topic", '"partition"', "topic_id", '"offset"', "queue", "channel", sign]
    kinds = {one.name: one.kind for one in TABLES[table].columns}
    for kind in COUNTED[table]:
        for field in kind.__struct_fields__:
            name = fact_column(kind, field)
            columns.append(f"epoch_ms({name})" if kinds[name] == "moment" else name)
    return f"SELECT {', '.join(columns)} FROM {table}"


def _facts(table: str, row: list[Any]) -> tuple[str, str, list[Fact]]:
    """Return where a row counts, and what."""
    queue, channel, sign = row[:3]
    found: list[Fact] = []
    at = 3
    for kind in COUNTED[table]:
        fields = kind.__struct_fields__
        values = row[at : at + len(fields)]
        at += len(fields)
        if values[0] is not None:
            found.append(
                kind(**{name: value for name, value in zip(fields, values, strict=True) if value is not None})
            )
    if sign < 0:
        found = [TakenBack(fact.at, (fact,)) for fact in found]
    return queue or "", channel or "", found


def _audited(coverage: Coverage, moment: PartitionMoment, sums: _Sums, since: int, until: int) -> Audited:
    partition, position = str(coverage.partition), moment.position or 0
    known = max((-1 if one.until is None else one.until for one in coverage.unknown), default=0)
    if any(one.until is None for one in coverage.unknown):
        return Audited(partition, position, None, 0, 0, [])
    since = max(since, known)
    both: dict[Key, tuple[Cell, Cell]] = {}
    for key, cell in _counted(moment, sums.names):
        both[key] = (cell, {})
    for key, cell in sums.cells[coverage.partition].items():
        both[key] = (both.get(key, ({}, {}))[0], cell)
    differences: list[Difference] = []
    buckets, counters = set[tuple[int, int]](), 0
    for (resolution, start, queue, channel), (counted, found) in sorted(both.items()):
        kept = moment.time - KEPT[resolution]
        if start < max(since, kept) or start + resolution > until:
            continue
        buckets.add((resolution, start))
        for number in {*counted, *found}:
            name = _name(number, sums.called)
            if name is None:  # of a later version
                continue
            counters += 1
            if counted.get(number, 0) != found.get(number, 0):
                differences.append(
                    Difference(
                        queue,
                        channel,
                        name,
                        start,
                        resolution,
                        partition,
                        counted.get(number, 0),
                        found.get(number, 0),
                    )
                )
    shown = [_with_offsets(one, coverage.partition, sums) for one in _finest(differences)]
    return Audited(partition, position, since, len(buckets), counters, shown)


def _counted(moment: PartitionMoment, names: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[Key, Cell]]:
    """Yield what Redis has."""
    queues, channels = ({n: name for name, n in names[kind].items()} for kind in ("queue", "channel"))
    for (resolution, start, field), cell in moment.buckets():
        queue, _, channel = field.partition(b".")
        yield (
            (resolution, start, queues.get(int(queue), OTHER), channels.get(int(channel), OTHER)),
            cell,
        )


def _name(number: int, called: Mapping[int, str]) -> str | None:
    """Return a value's name, ``None`` if this version does not have it."""
    name = called.get(number if number >> SHIFT == 0 else number >> SHIFT)
    return f"{name}[{number & (1 << SHIFT) - 1}]" if name and number >> SHIFT else name


def _finest(differences: list[Difference]) -> list[Difference]:
    """Leave out buckets of which a part differs, too: what is wrong there is shown once."""
    out: list[Difference] = []
    for one in sorted(differences, key=lambda found: (found.resolution, found)):
        inside = (
            (one.queue, one.channel, one.counter) == (other.queue, other.channel, other.counter)
            and one.start <= other.start < one.start + one.resolution
            for other in out
            if other.resolution < one.resolution
        )
        if not any(inside):
            out.append(one)
    return sorted(out)


def _with_offsets(one: Difference, partition: Partition, sums: _Sums) -> Difference:
    """Find out which rows count there."""
    part = next(part for part in STORED if part.name == one.counter.partition("[")[0])
    table = next(name for name, kinds in COUNTED.items() if part.fact in kinds)
    at = fact_column(part.fact, "at")
    sql = (
        f'SELECT DISTINCT "offset" FROM {table} WHERE topic = ? AND "partition" = ? AND queue = ? AND channel = ? '
        f"AND epoch_ms({at}) >= ? AND epoch_ms({at}) < ? ORDER BY 1 LIMIT 5"
    )
    values = [*partition, one.queue, one.channel, one.start, one.start + max(BASE, one.resolution)]
    assert sums.queries is not None  # noqa: S101 - it was read
    rows = next(sums.queries.batches(sql, values), [])
    return replace(one, offsets=tuple(offset for (offset,) in rows))
