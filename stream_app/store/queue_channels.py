"""A reader's view of the registries: which queue and channel a cell belongs to.

A number is looked up when the first cell under it comes, even if its name was known before: a name under which nothing is
stored yet may lose its number to another one when Redis is rolled back, without any mirrored cell being rolled back too.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from redis.asyncio import Redis

from stream_app.errors import StoreUnavailableError
from stream_app.model.events import QueueChannel

from . import keys
from .names import OTHER

_KINDS: Final = ("queue", "channel", "counter")
RETIRING: Final = _KINDS[:2]


class QueueChannels:
    """Field of a bucket → (queue, channel). Registries only grow: a name that was looked up never changes."""

    def __init__(self, client: Redis, renumbered: Callable[[Mapping[str, int]], None]) -> None:
        """Wire it up; ``renumbered`` is called with the store's numbers of counters whenever they have changed."""
        self._client = client
        self._renumbered = renumbered
        self.forget()

    def forget(self) -> None:
        """Forget everything: the store was wiped, and names will be numbered afresh."""
        self._numbers: dict[str, dict[str, int]] = {kind: {} for kind in _KINDS}
        self._names: dict[str, dict[int, str]] = {kind: {0: OTHER} for kind in _KINDS}
        self._places: dict[bytes, QueueChannel] = {}
        self._confirmed: dict[str, set[int]] = {kind: {0} for kind in RETIRING}
        self._retired: dict[str, set[int]] = {kind: set() for kind in RETIRING}

    async def learn(self) -> None:
        """Read the registries.

        Raises:
            StoreUnavailableError: the numbers are not those that were known, so it is another store now,
                and everything must be loaded again. They are forgotten.
        """
        pipe = self._client.pipeline(transaction=False)
        for kind in _KINDS:
            pipe.hgetall(keys.names(kind))
        for kind in RETIRING:
            pipe.smembers(keys.retired(kind))
        found = await pipe.execute()
        for kind, registry in zip(_KINDS, found, strict=False):
            numbers = {name.decode(): int(number) for name, number in registry.items()}
            if self._numbers[kind].items() - numbers.items():
                self.forget()
                raise StoreUnavailableError(f"the registry of {kind} names was started afresh")
            if kind == "counter" and numbers != self._numbers[kind]:
                self._renumbered(numbers)
            self._numbers[kind] = numbers
            self._names[kind] = {0: OTHER} | {number: name for name, number in numbers.items()}
        for kind, names in zip(RETIRING, found[len(_KINDS) :], strict=True):
            self._retired[kind] = {self._numbers[kind].get(name.decode(), 0) for name in names} - {0}

    async def know(self, fields: Iterable[bytes]) -> None:
        """Make sure that every field has a place; reads the registries where a number is used for the first time."""
        new = {field: _numbers(field) for field in fields if field not in self._places}
        used = {kind: {pair[part] for pair in new.values()} for part, kind in enumerate(RETIRING)}
        if any(numbers - self._confirmed[kind] for kind, numbers in used.items()):
            await self.learn()
            for kind, numbers in used.items():
                self._confirmed[kind] |= numbers
        queues, channels = self._names["queue"], self._names["channel"]
        for field, (queue, channel) in new.items():
            self._places[field] = (queues.get(queue, OTHER), channels.get(channel, OTHER))

    def names(self, kind: str) -> Collection[str]:
        """Return the names that are known, retired ones included; kind is ``queue`` or ``channel``."""
        return self._numbers[kind].keys()

    def of(self, field: bytes) -> QueueChannel:
        """Return the place of a known field."""
        return self._places[field]

    def is_retired(self, field: bytes) -> bool:
        """Return whether one of its names was retired when the registries were last read."""
        return any(
            number in self._retired[kind] for kind, number in zip(RETIRING, _numbers(field), strict=True)
        )

    def shown(self, queue: str, channel: str) -> QueueChannel:
        """Return the names under which counters are stored: ``other`` for names that found no place."""
        return (
            queue if queue in self._numbers["queue"] else OTHER,
            channel if channel in self._numbers["channel"] else OTHER,
        )


def _numbers(field: bytes) -> tuple[int, int]:
    queue, _, channel = field.partition(b".")
    return int(queue), int(channel)
