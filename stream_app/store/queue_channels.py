"""A reader's view of the registries: which queue and channel a cell belongs to."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from redis.asyncio import Redis

from stream_app.errors import StoreUnavailableError
from stream_app.model.board import Queue

from . import keys
from .names import OTHER

_KINDS: Final = ("queue", "channel", "counter")


class Places:
    """Field of a bucket → (queue, channel). Registries only grow: a name asked for once never changes."""

    def __init__(self, client: Redis, renumbered: Callable[[Mapping[str, int]], None]) -> None:
        """``renumbered`` is told how the store numbers counters, whenever that has changed."""
        self._client = client
        self._renumbered = renumbered
        self.forget()

    def forget(self) -> None:
        """The store was wiped: whoever numbers names next begins anew."""
        self._numbers: dict[str, dict[str, int]] = {kind: {} for kind in _KINDS}
        self._names: dict[str, dict[int, str]] = {kind: {0: OTHER} for kind in _KINDS}
        self._places: dict[bytes, Queue] = {}

    async def learn(self) -> None:
        """Ask the store.

        Raises:
            StoreUnavailableError: the numbers are not those that were known: it is another store by now,
                and everything must be loaded anew. They are forgotten.
        """
        pipe = self._client.pipeline(transaction=False)
        for kind in _KINDS:
            pipe.hgetall(keys.names(kind))
        found = await pipe.execute()
        for kind, registry in zip(_KINDS, found, strict=True):
            numbers = {name.decode(): int(number) for name, number in registry.items()}
            if self._numbers[kind].items() - numbers.items():
                self.forget()
                raise StoreUnavailableError(f"the registry of {kind} names was begun anew")
            if kind == "counter" and numbers != self._numbers[kind]:
                self._renumbered(numbers)
            self._numbers[kind] = numbers
            self._names[kind] = {0: OTHER} | {number: name for name, number in numbers.items()}

    async def know(self, fields: Iterable[bytes]) -> None:
        """Make sure that every one of these fields has a place; asks the store where a number is new."""
        new = {field: _numbers(field) for field in fields if field not in self._places}
        queues, channels = self._names["queue"], self._names["channel"]
        if any(q not in queues or c not in channels for q, c in new.values()):
            await self.learn()
            queues, channels = self._names["queue"], self._names["channel"]
        for field, (queue, channel) in new.items():
            self._places[field] = (queues.get(queue, OTHER), channels.get(channel, OTHER))

    def of(self, field: bytes) -> Queue:
        """The place of a known field."""
        return self._places[field]

    def shown(self, queue: str, channel: str) -> Queue:
        """What the registry did not take is shown where its counters went."""
        return (
            queue if queue in self._numbers["queue"] else OTHER,
            channel if channel in self._numbers["channel"] else OTHER,
        )


def _numbers(field: bytes) -> tuple[int, int]:
    queue, _, channel = field.partition(b".")
    return int(queue), int(channel)
