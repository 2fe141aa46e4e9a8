"""Partitions that may not be read yet: they were added to the topic, and its open contacts are still in the old ones.

Their records wait in Kafka, where nothing is lost; the other partitions go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog

from stream_app.errors import LostDataError
from stream_app.model.ports import Partition

from .partition import Owned

_log = structlog.get_logger(__name__)

LOOK_S: Final = 2.0


class MovedTopicError(LostDataError):
    """The contacts of this topic are now counted in another one."""


class Known(Protocol):
    """What is known of a topic."""

    @property
    def moved(self) -> str:
        """The topic to which its contacts were moved; empty if they were not."""

    def holds(self, number: int) -> bool:
        """Return whether a partition may not be read yet."""

    def problem(self, topic: str) -> str:
        """Return what is wrong and what to do about it, for people."""


class Hold:
    """A gate that lets partitions be claimed, or holds them.

    Attributes:
        held: those that wait.
    """

    def __init__(
        self,
        found: Callable[[str, int], Awaitable[Known]],
        partitions: Callable[[], set[Partition]],
        *,
        look_s: float = LOOK_S,
    ) -> None:
        """Take what to query.

        Args:
            found: returns what is known of a topic, given its name and its number of partitions.
            partitions: returns the partitions that Kafka has, as far as is known.
            look_s: how often to check whether a partition is still held, seconds.
        """
        self.held: set[Partition] = set()
        self._found = found
        self._partitions = partitions
        self._look_s = look_s

    async def admit(self, owned: Owned) -> None:
        """Return once the partition may be claimed, or belongs to another worker.

        Raises:
            MovedTopicError: it may never be claimed.
            StoreUnavailableError: no answer; retry.
        """
        partition = owned.partition
        try:
            while not owned.gone:
                known = await self._found(partition.topic, self._count(partition))
                if known.moved:
                    raise MovedTopicError(
                        f"{partition}: since `stream-app repartition`, contacts of this topic are counted in {known.moved}; "
                        f"set STREAM_APP_TOPIC={known.moved}"
                    )
                if not known.holds(partition.number):
                    return
                if partition not in self.held:
                    _log.error(
                        "partitions_held", partition=str(partition), error=known.problem(partition.topic)
                    )
                    self.held.add(partition)
                owned.progressed()
                await asyncio.sleep(self._look_s)
        finally:
            self.held.discard(partition)

    def _count(self, partition: Partition) -> int:
        """Count the topic's partitions by all that is known: the assignment may be newer than the metadata."""
        numbers = (one.number for one in self._partitions() if one.topic == partition.topic)
        return max(partition.number, *numbers, 0) + 1
