"""The store in memory: the same contract as Redis, checked by the same suite. For tests and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from stream_app.clocks import wall_ms
from stream_app.errors import FencedError, LaterEditionError, OtherTopicError, PositionMismatchError
from stream_app.model.edition import EDITION
from stream_app.model.fold.cells import NUMBERS, Cell, add_into, roll_up
from stream_app.model.fold.deltas import Memory
from stream_app.model.intervals.counting import Rows, add_amounts
from stream_app.model.ports import Beat, Commit, DeadLetter, Partition, StampedBeat, stamped
from stream_app.model.targets import Targets
from stream_app.model.windows import KEPT, TOTAL

from .codec import (
    DAYS_FROM,
    pack_agent,
    pack_clock,
    pack_visits,
    restore_ids,
    unpack_agent,
    unpack_clock,
    unpack_visits,
)
from .names import CAPS, OTHER

CellPlace = tuple[int, int, str, str]
"""(resolution, bucket start, queue, channel)"""


class Contents(Struct):
    """What is stored for a partition."""

    position: int | None = None
    batch: str = ""
    token: str = ""
    epoch: int = 0
    time: int = 0
    clock: bytes = b""
    rollbacks: int = 0
    edition: int = 0
    cells: dict[CellPlace, Cell] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    visits: dict[str, bytes] = field(default_factory=dict)
    recent: dict[int, list[bytes]] = field(default_factory=dict)
    results: dict[str, int] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    topic_id: str | None = None
    beat: StampedBeat | None = None
    ledger: list[bytes] = field(default_factory=list)
    agents: dict[str, bytes] = field(default_factory=dict)


class MemoryStore:
    """Counters in dictionaries."""

    def __init__(
        self,
        *,
        queue_cap: int = CAPS["queue"],
        clock: Callable[[], int] = wall_ms,
        edition: int = EDITION,
    ) -> None:
        """Take the store's own clock, which returns ms since the epoch, and the edition by which claims count."""
        self.clock = clock
        self.edition = edition
        self.partitions: dict[Partition, Contents] = {}
        self._names: dict[str, set[str]] = {"queue": set(), "channel": set()}
        self._caps = {**CAPS, "queue": queue_cap}
        self._settings: list[Targets] = []

    async def claim(
        self, partition: Partition, token: str, known: int | None = None, topic_id: str | None = None
    ) -> MemoryClaim:
        """See ``Store.claim``."""
        contents = self.partitions.setdefault(partition, Contents())
        if contents.edition > self.edition:
            raise LaterEditionError(partition, contents.edition, self.edition)
        if topic_id and contents.topic_id != topic_id:
            if contents.topic_id and contents.position is not None:
                raise OtherTopicError(partition, contents.topic_id, topic_id)
            contents.topic_id = topic_id
        contents.epoch += 1
        contents.token = f"{contents.epoch}:{token}"
        if known is not None and (contents.position or 0) < known:
            contents.rollbacks += 1
        version = await self.targets_version()
        return MemoryClaim(self, partition, contents, self._settings[-1] if version else Targets(), version)

    def learn(self, kind: str, names: Iterable[str]) -> dict[str, str]:
        """Map names to stored names: ``other`` for those that find the registry full."""
        known, wanted = self._names[kind], sorted(set(names))
        for name in wanted:
            if len(known) < self._caps[kind]:
                known.add(name)
        return {name: name if name in known else OTHER for name in wanted}

    async def targets_version(self) -> int:
        """See ``Store.targets_version``."""
        return len(self._settings)

    async def apply_targets(self, targets: Targets) -> int:
        """See ``Store.apply_targets``."""
        if not self._settings or self._settings[-1] != targets:
            self._settings.append(targets)
        return len(self._settings)

    async def close(self) -> None:
        """See ``Store.close``."""


class MemoryClaim:
    """See ``Claim``."""

    def __init__(
        self, store: MemoryStore, partition: Partition, contents: Contents, targets: Targets, version: int
    ) -> None:
        self._store = store
        self.partition = partition
        self.position = contents.position
        self.targets = targets
        self.version = version
        self.numbers: dict[str, int] = dict(NUMBERS)
        self.topic_id = contents.topic_id
        self.memory = Memory(
            time=contents.time,
            open={contact: unpack_visits(packed) for contact, packed in contents.visits.items()},
            agreement=unpack_clock(contents.clock, contents.position),
            agents={agent: unpack_agent(packed) for agent, packed in contents.agents.items()},
        )
        for number, marks in sorted(contents.recent.items()):
            restore_ids(self.memory, number, b"".join(marks))
        self._contents = contents
        self._token = contents.token
        self._edition = store.edition
        self._stored = ""

    async def apply(self, commit: Commit) -> None:
        """See ``Claim.apply``."""
        mine, deltas = self._contents, commit.deltas
        queues = self._store.learn("queue", (queue for _, queue, _ in (*deltas.cells, *deltas.rows)))
        channels = self._store.learn("channel", (channel for _, _, channel in (*deltas.cells, *deltas.rows)))
        if mine.token != self._token:
            raise FencedError(f"{self.partition}: claimed by another worker")
        if mine.position == commit.end and mine.batch == commit.batch:
            return
        if mine.position != commit.start or commit.batch == self._stored:
            raise PositionMismatchError(mine.position or 0, commit.start or 0)
        mine.position, mine.batch, mine.time = commit.end, commit.batch, deltas.time
        mine.clock = pack_clock(commit.end, deltas.agreement)
        mine.edition = self._edition
        self._add_cells(deltas.cells, deltas.time, queues, channels)
        self._add_rows(deltas.rows, queues, channels)
        _replace(mine.visits, deltas.visits, pack_visits)
        _replace(mine.agents, deltas.agents, pack_agent)
        outlived = DAYS_FROM + deltas.outlived
        for number in [n for n in mine.recent if n <= deltas.forgotten or DAYS_FROM <= n <= outlived]:
            del mine.recent[number]
        lasting = {DAYS_FROM + day: marks for day, marks in deltas.lasting.items()}
        for number, marks in (deltas.recent | lasting).items():
            mine.recent.setdefault(number, []).extend(marks)
        counted: dict[str, int] = {**deltas.results}
        counted |= {f"{result}:{reason}": n for (result, reason), n in deltas.reasons.items()}
        if deltas.late:
            counted["applied:late"] = deltas.late
        for name, n in counted.items():
            mine.results[name] = mine.results.get(name, 0) + n
        mine.dead += commit.dead
        mine.ledger += deltas.ledger or ()
        self.position, self._stored = commit.end, commit.batch

    def _add_cells(self, cells: Any, time: int, queues: dict[str, str], channels: dict[str, str]) -> None:
        mine = self._contents.cells
        rolled = roll_up(cells, lambda resolution, start: start < time - KEPT[resolution])
        for (resolution, (start, queue, channel)), amounts in rolled.items():
            add_into(mine.setdefault((resolution, start, queues[queue], channels[channel]), {}), amounts)
        for place in [p for p in mine if p[0] != TOTAL and p[1] < time - KEPT[p[0]]]:
            del mine[place]

    def _add_rows(self, rows: Rows, queues: dict[str, str], channels: dict[str, str]) -> None:
        mine = self._contents.rows
        for (start, queue, channel), amounts in rows.items():
            add_amounts(mine.setdefault((start, queues[queue], channels[channel]), {}), amounts)

    async def beat(self, beat: Beat) -> int:
        """See ``Claim.beat``."""
        mine = self._contents
        if mine.token != self._token:
            raise FencedError(f"{self.partition}: claimed by another worker")
        mine.beat = stamped(beat, self._store.clock())
        if mine.position != self.position:
            raise PositionMismatchError(mine.position or 0, self.position or 0)
        return mine.beat.ahead


def _replace(stored: dict[str, bytes], changed: Mapping[str, Any], pack: Callable[[Any], bytes]) -> None:
    """Store what changed; what is empty now goes."""
    for name, value in changed.items():
        if value:
            stored[name] = pack(value)
        else:
            stored.pop(name, None)
