"""Moving of open contacts and agents between partitions, for ``stream-app repartition``.

What each partition will have is prepared under separate keys, while no other process may write, and then takes its place in one
script, whose cost does not depend on the number of contacts. Until then nothing has changed, so a killed run can start again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from stream_app.errors import FencedError
from stream_app.model.durations import MINUTE
from stream_app.model.fold.lasting import LASTING_MAX
from stream_app.model.fold.seen import RECENT_MAX
from stream_app.model.ports import Partition
from stream_app.model.presence import Presence

from . import keys
from .client import faults, script
from .clock import time_ms
from .codec import DAYS_FROM, pack_agent, pack_visits, unpack_agent, unpack_visits
from .editions import FOR_FORMER, minutes_of

SCAN: Final = 2_000
HASH: Final = 8


class Standing(Struct, frozen=True):
    """How far a partition was read, by its stored position and its last heartbeat.

    Attributes:
        position: as stored; ``None`` where nothing was.
        time: partition time, ms.
        beat_at: the last heartbeat, ms; 0 if there was none.
        beat_position: the next offset to read at that time.
        beat_end: the log's end at that time.
        edition: by which edition of the specification it was counted last; 0: by a version without editions.
    """

    position: int | None
    time: int
    beat_at: int
    beat_position: int
    beat_end: int
    edition: int = 0

    @property
    def was_read(self) -> bool:
        """Whether the whole log was counted at its owner's last heartbeat."""
        stored = self.beat_position if self.position is None else self.position
        return bool(self.beat_at) and min(stored, self.beat_position) >= self.beat_end


class Target(Struct, frozen=True):
    """A partition after the move.

    Attributes:
        visits: number of contacts that it will have.
        position: where reading begins; ``None`` where it continues.
        time: partition time to begin with, ms.
        edition: the latest edition of the specification by which any contact that comes to it was counted.
        agents: number of agents that it will have.
    """

    partition: Partition
    visits: int
    position: int | None = None
    time: int = 0
    edition: int = 0
    agents: int = 0


class Moving:
    """Partitions that are held for the move."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._token = f"repartition:{uuid4().hex[:12]}"
        self._hold, self._stage, self._remember, self._move = (
            script(client, name) for name in ("hold", "stage", "remember", "repartition")
        )

    async def known(self, topic: str) -> set[Partition]:
        """Return the partitions of a topic that were ever claimed."""
        async with faults():
            members = await self._client.smembers(keys.PARTITIONS)
        return {p for p in (Partition.parse(member.decode()) for member in members) if p.topic == topic}

    async def now(self) -> int:
        """Return Redis's time, ms."""
        async with faults():
            return time_ms(await self._client.time())

    async def standing(self, partition: Partition) -> Standing:
        """Return how far a partition was read."""
        async with faults():
            position, time, edition = await self._client.hmget(
                keys.meta(partition), "position", "time", "edition"
            )
            beat = await self._client.hmget(keys.beat(partition), "at", "position", "end")
        at, read, end = (int(n or 0) for n in beat)
        return Standing(int(position) if position else None, int(time or 0), at, read, end, int(edition or 0))

    async def contacts(self, partition: Partition) -> set[str]:
        """Return the contacts that are open in a partition."""
        return {contact.decode() async for page in self._pages(keys.visits(partition)) for contact in page}

    async def agents(self, partition: Partition) -> dict[str, Presence]:
        """Return the agents that a partition knows."""
        pages = self._pages(keys.agents(partition))
        return {
            agent.decode(): unpack_agent(packed) async for page in pages for agent, packed in page.items()
        }

    async def hold(self, partition: Partition) -> int | None:
        """Take a partition away from its owner, and return its position."""
        async with faults():
            position, _ = await self._hold(
                keys=[keys.meta(partition), keys.coming(partition), keys.coming_agents(partition)],
                args=[self._token],
            )
        return int(position) if position else None

    async def stage(self, partition: Partition, targets: Mapping[str, Partition]) -> AsyncIterator[int]:
        """Prepare the move of a partition's contacts, and yield how many, page by page."""
        async for page in self._pages(keys.visits(partition)):
            by_target: dict[Partition, list[bytes]] = {}
            for contact, packed in page.items():
                by_target.setdefault(targets[contact.decode()], []).extend((contact, packed))
            for target, pairs in by_target.items():
                await self._put(target, keys.coming(target), pairs)
            yield len(page)

    async def stage_agents(self, target: Partition, agents: Mapping[str, Presence]) -> None:
        """Prepare the agents that a partition will have."""
        pairs = [
            part for agent, presence in agents.items() for part in (agent.encode(), pack_agent(presence))
        ]
        await self._put(target, keys.coming_agents(target), pairs)

    async def merge(self, contact: str, partitions: Collection[Partition], target: Partition) -> None:
        """Prepare the move of a contact that was open in several partitions, and will be in one."""
        async with faults():
            found = [await self._client.hget(keys.visits(one), contact) for one in partitions]
        visits = sorted(
            (visit for packed in found if packed for visit in unpack_visits(packed)),
            key=lambda visit: visit.queued_at,
        )
        await self._put(target, keys.coming(target), [contact.encode(), pack_visits(visits)])

    async def remember(self, target: Target, sources: Iterable[Partition]) -> None:
        """Prepare the event ids that a new partition knows: all of its sources', because ids don't show their contact."""
        latest = target.time // MINUTE
        marks: dict[int, bytes] = {}
        lasting: dict[int, bytes] = {}
        for source in sources:
            async with faults():
                for minute in minutes_of(await self._client.zrange(keys.recent(source), 0, -1)):
                    found = await self._client.get(keys.recent(source, minute)) or b""
                    if minute >= DAYS_FROM:
                        lasting[minute] = lasting.get(minute, b"") + found
                        continue
                    # None may be from the new partition's future: it forgets the oldest first.
                    marks[min(minute, latest)] = marks.get(min(minute, latest), b"") + found
        kept = [*_newest(marks, RECENT_MAX), *_newest(lasting, LASTING_MAX)]
        await self._ours(
            target.partition,
            await self._run(
                self._remember,
                [keys.meta(target.partition), keys.recent(target.partition)],
                [self._token, *kept],
            ),
        )

    async def move(self, topic: str, former: str, keyed: int, targets: Sequence[Target]) -> None:
        """Put all that was prepared in place, in one step.

        Raises:
            FencedError: a worker has claimed a partition meanwhile; nothing was moved.
        """
        args: list[Any] = [self._token, keyed, topic, FOR_FORMER]
        for one in targets:
            begin = ("", "", 0) if one.position is None else (one.position, one.time, one.edition)
            args += [str(one.partition), one.visits, one.agents, *begin]
        done = await self._run(self._move, [keys.topic(topic), keys.PARTITIONS, keys.topic(former)], args)
        if done != 1:
            raise _claimed(done.decode())

    async def _put(self, target: Partition, name: str, pairs: Sequence[bytes]) -> None:
        for at in range(0, len(pairs), SCAN):
            args = [self._token, *pairs[at : at + SCAN]]
            await self._ours(target, await self._run(self._stage, [keys.meta(target), name], args))

    async def _run(self, command: Any, names: list[str], args: list[Any]) -> Any:
        async with faults():
            return await command(keys=names, args=args)

    async def _ours(self, partition: Partition, said: int) -> None:
        if not said:
            raise _claimed(partition)

    async def _pages(self, name: str) -> AsyncIterator[dict[bytes, bytes]]:
        cursor: int | None = None
        while cursor != 0:
            async with faults():
                cursor, page = await self._client.hscan(name, cursor or 0, count=SCAN)
            yield page


def _newest(marks: Mapping[int, bytes], most: int) -> Iterator[Any]:
    """Yield numbers and hashes, the newest first, up to this many hashes."""
    room = most * HASH
    for number in sorted(marks, reverse=True):
        if taken := marks[number][:room]:
            yield from (number, taken)
            room -= len(taken)


def _claimed(partition: object) -> FencedError:
    return FencedError(
        f"{partition} was claimed meanwhile, or another repartition is running. Nothing was moved; stop the workers and run "
        "it again"
    )
