"""The stores under one roof: open them as another process would, look at what they hold, and roll them back."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import redis

from stream_app.model.edition import EDITION
from stream_app.model.fold.cells import NUMBERS, unpack_cell
from stream_app.model.intervals.counting import settles_with
from stream_app.model.ports import DeadLetter, Partition, StampedBeat, Store
from stream_app.model.targets.conversations import is_written
from stream_app.store.codec import unpack_visits
from stream_app.store.editions import minutes_of
from stream_app.store.memory import Contents, MemoryStore
from stream_app.store.redis import RedisStore

P0, P1 = Partition("t", 0), Partition("t", 1)


@dataclass
class Held:
    """What a store holds of a partition, in words that do not depend on the store."""

    position: int | None = None
    epoch: int = 0
    time: int = 0
    rollbacks: int = 0
    cells: dict[tuple[int, int, str, str], dict[Any, int]] = field(default_factory=dict)
    rows: dict[tuple[int, str, str], dict[int, int]] = field(default_factory=dict)
    visits: dict[str, list[Any]] = field(default_factory=dict)
    recent: dict[int, list[bytes]] = field(default_factory=dict)  # sorted: within a minute none is older
    results: dict[str, int] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)
    beat: StampedBeat | None = None
    edition: int = 0
    agents: dict[str, list[Any]] = field(default_factory=dict)


class Backend(Protocol):
    """One store."""

    def open(self, *, queue_cap: int = 2_000, edition: int = EDITION) -> Store:
        """A store as a new process would make it."""

    def held(self, partition: Partition = P0) -> Held:
        """All that is stored of a partition."""

    def go_on_as_a_former_version(self) -> None:
        """A commit of a worker that knows nothing of agreement, and leaves what is stored of it as it is."""

    def save(self) -> Callable[[], None]:
        """Remember all that is stored; call what is given to go back to it."""

    async def close(self) -> None:
        """Let go of connections."""


class Memory:
    """A store in memory; processes share the object."""

    def __init__(self) -> None:
        self._store: MemoryStore | None = None

    def open(self, *, queue_cap: int = 2_000, edition: int = EDITION) -> MemoryStore:
        if self._store is None:
            self._store = MemoryStore(queue_cap=queue_cap)
        self._store.edition = edition  # a claim keeps that of its process
        return self._store

    def held(self, partition: Partition = P0) -> Held:
        mine = self.open().partitions.get(partition, Contents())
        names = {number: name for name, number in NUMBERS.items()}
        return Held(
            position=mine.position,
            epoch=mine.epoch,
            time=mine.time,
            rollbacks=mine.rollbacks,
            cells={place: _named(cell, names) for place, cell in mine.cells.items()},
            rows={key: {place: n for place, n in row.items() if n} for key, row in mine.rows.items()},
            visits={contact: _plain(packed) for contact, packed in mine.visits.items()},
            recent={minute: sorted(marks) for minute, marks in mine.recent.items()},
            results=dict(mine.results),
            dead=list(mine.dead),
            beat=mine.beat,
            edition=mine.edition,
            agents={agent: msgspec.msgpack.decode(packed) for agent, packed in mine.agents.items()},
        )

    def go_on_as_a_former_version(self) -> None:
        mine = self.open().partitions[P0]
        mine.position = (mine.position or 0) + 1

    def save(self) -> Callable[[], None]:
        saved = deepcopy(self.open().partitions)

        def restore() -> None:
            partitions = self.open().partitions
            for partition, contents in partitions.items():
                then = deepcopy(saved.get(partition, Contents()))
                for name in Contents.__struct_fields__:
                    setattr(contents, name, getattr(then, name))

        return restore

    async def close(self) -> None:
        """Nothing is open."""


class Real:
    """A real Redis; every `open` is a client of its own, with nothing remembered."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = redis.Redis.from_url(url)
        self.stores: list[RedisStore] = []

    def open(self, *, queue_cap: int = 2_000, edition: int = EDITION) -> RedisStore:
        self.stores.append(RedisStore(self.url, queue_cap=queue_cap, edition=edition))
        return self.stores[-1]

    def go_on_as_a_former_version(self) -> None:
        self.client.hincrby(f"kpi:{{{P0}}}:meta", "position", 1)

    def registry(self, kind: str) -> dict[int, str]:
        found: Any = self.client.hgetall(f"kpi:names:{kind}")
        return {int(number): name.decode() for name, number in found.items()}

    def held(self, partition: Partition = P0) -> Held:
        client: Any = self.client
        key = f"kpi:{{{partition}}}"
        meta = {name.decode(): value for name, value in client.hgetall(f"{key}:meta").items()}
        position = meta.get("position")
        return Held(
            position=int(position) if position else None,
            epoch=int(meta.get("epoch", 0)),
            time=int(meta.get("time", 0)),
            rollbacks=int(meta.get("rollbacks", 0)),
            cells=self._cells(key),
            rows=self._rows(key),
            visits={c.decode(): _plain(packed) for c, packed in client.hgetall(f"{key}:visits").items()},
            recent=self._recent(key),
            results={name.decode(): int(n) for name, n in client.hgetall(f"{key}:results").items()},
            dead=[_letter(fields) for _, fields in client.xrange(f"{key}:dead")],
            beat=_beat(client.hgetall(f"{key}:beat")),
            edition=int(meta.get("edition", 0)),
            agents={
                a.decode(): msgspec.msgpack.decode(x) for a, x in client.hgetall(f"{key}:agents").items()
            },
        )

    def _cells(self, key: str) -> dict[tuple[int, int, str, str], dict[Any, int]]:
        client: Any = self.client
        counters, queues, channels = map(self.registry, ("counter", "queue", "channel"))
        out = {}
        for found in client.scan_iter(match=f"{key}:c:*"):
            resolution, start = map(int, found.decode().split(":")[-2:])
            for place, packed in client.hgetall(found).items():
                queue, channel = map(int, place.split(b"."))
                name = queues.get(queue, "other"), channels.get(channel, "other")
                out[resolution, start, *name] = _named(unpack_cell(packed), counters)
            indexed = client.zscore(f"{key}:i:{resolution}", start)
            assert (indexed is None) == (resolution == 0), "the index knows what exists"
        return out

    def _rows(self, key: str) -> dict[tuple[int, str, str], dict[int, int]]:
        client: Any = self.client
        queues, channels = map(self.registry, ("queue", "channel"))
        out = {}
        for found in client.scan_iter(match=f"{key}:d:*"):
            day, _, place = found.decode().removeprefix(f"{key}:d:").partition(":")
            queue, channel = map(int, place.split("."))
            name = queues.get(queue, "other"), channels.get(channel, "other")
            settles = settles_with(int(day), written=is_written(name[1]))
            assert client.zscore(f"{key}:d", f"{day}:{place}") == settles, "the index knows what exists"
            for quarter, packed in client.hgetall(found).items():
                start = int(day) * 86_400_000 + int(quarter) * 900_000
                assert client.zscore(f"{key}:changed", f"{start}:{place}"), "who publishes knows of it"
                out[start, *name] = {n: v for n, v in enumerate(msgspec.msgpack.decode(packed)) if v}
        return out

    def _recent(self, key: str) -> dict[int, list[bytes]]:
        client: Any = self.client
        out = {}
        listed = client.zrange(f"{key}:r", 0, -1)
        for minute in minutes_of(listed):
            marks = client.get(f"{key}:r:{minute}")
            out[minute] = sorted(marks[i : i + 8] for i in range(0, len(marks), 8))
        stored = {k.rsplit(b":", 1)[1] for k in client.scan_iter(match=f"{key}:r:*")}
        assert stored == set(listed), "the index knows what exists"
        return out

    def dump(self, match: str = "*") -> dict[bytes, Any]:
        """Keys, as Redis would move them to another server."""
        client: Any = self.client
        return {key: client.dump(key) for key in client.scan_iter(match=match)}

    def contents(self) -> dict[bytes, Any]:
        """Keys and what they hold; a hash is the same in whatever order its fields are."""
        client: Any = self.client
        return {
            key: client.hgetall(key) if client.type(key) == b"hash" else dumped
            for key, dumped in self.dump().items()
        }

    def save(self) -> Callable[[], None]:
        saved = self.dump("kpi:{*")

        def restore() -> None:
            client: Any = self.client
            for key in list(client.scan_iter(match="kpi:{*")):
                client.delete(key)
            for key, value in saved.items():
                client.restore(key, 0, value)

        return restore

    async def close(self) -> None:
        for store in self.stores:
            await store.close()
        self.client.close()


def _named(cell: dict[int, int], names: dict[int, str]) -> dict[Any, int]:
    return {names[n] if n < 512 else (names[n >> 9], n & 511): value for n, value in cell.items()}


def _plain(packed: bytes) -> list[Any]:
    plain: list[Any] = msgspec.to_builtins(unpack_visits(packed))
    return plain


def _letter(fields: dict[bytes, bytes]) -> DeadLetter:
    return DeadLetter(
        int(fields[b"offset"]), fields[b"reason"].decode(), fields[b"detail"].decode(), fields[b"value"]
    )


def _beat(fields: dict[bytes, bytes]) -> StampedBeat | None:
    if not fields:
        return None
    assert fields.pop(b"stamped") == fields[b"at"]
    owner = fields.pop(b"owner").decode()
    return StampedBeat(owner=owner, **{name.decode(): int(value) for name, value in fields.items()})
