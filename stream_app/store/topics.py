"""The number of partitions by which a topic's contacts are counted, and the problem where the topic has more.

A producer chooses a contact's partition by the number of partitions. Once partitions are added, a contact's later events
land in another partition than its visit. So the number is remembered, and new partitions are held until contacts are moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from . import keys
from .client import faults, script

WHAT_TO_DO: Final = "see docs/operations.md, More partitions"


class Keyed(Struct, frozen=True):
    """What is known of a topic.

    Attributes:
        keyed: the number of partitions by which its contacts are counted; 0 where nothing is known.
        found: the number of partitions that it has, if that is more; else 0.
        since: when that was noticed, ms by Redis's clock.
        moved: the topic in which its contacts are now counted, if it is another one.
    """

    keyed: int = 0
    found: int = 0
    since: int = 0
    moved: str = ""

    def holds(self, number: int) -> bool:
        """Return whether a partition may not be read yet."""
        return bool(self.keyed) and number >= self.keyed

    @property
    def split(self) -> bool:
        """Whether it has partitions that are held."""
        return self.found > self.keyed and not self.moved

    def problem(self, topic: str) -> str:
        """Return what is wrong and what to do about it, in one line for people; empty if nothing is wrong."""
        if not self.split:
            return ""
        held = f"{self.keyed} to {self.found - 1}" if self.found - 1 > self.keyed else f"{self.keyed}"
        mixed = (
            ""
            if self.found % self.keyed == 0
            else f" (not a multiple of {self.keyed}, so events of open contacts also reach partitions where they are illegal)"
        )
        return (
            f"topic {topic} has {self.found} partitions{mixed}, but its contacts are counted by {self.keyed}: {held} are "
            "held, and their records wait in Kafka. Stop the workers five minutes after the change, run "
            f"`stream-app repartition`, then start them again; {WHAT_TO_DO}"
        )


class Topics:
    """Topics in Redis."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._note = script(client, "topic")

    async def found(self, topic: str, partitions: int) -> Keyed:
        """Note how many partitions a topic has, and return what is known of it.

        Raises:
            StoreUnavailableError: no answer; retry.
        """
        async with faults():
            keyed, noted, since, moved = await self._note(
                keys=[keys.topic(topic), keys.PARTITIONS], args=[topic, partitions]
            )
        return Keyed(int(keyed), int(noted), int(since), moved.decode())


def keyed_of(fields: dict[bytes, bytes]) -> Keyed:
    """Decode a topic's hash."""
    keyed, found, since = (int(fields.get(name, 0)) for name in (b"keyed", b"found", b"since"))
    return Keyed(keyed, found, since, fields.get(b"moved", b"").decode())


async def look_up(client: Any, topics: Iterable[str]) -> dict[str, Keyed]:
    """Return what is known of topics, without writing anything."""
    names = list(topics)
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.hgetall(keys.topic(name))
    async with faults():
        replies = await pipe.execute()
    return {name: keyed_of(fields) for name, fields in zip(names, replies, strict=True)}


async def count_anew(client: Any, topic: str, partitions: int) -> None:
    """Set the number of partitions for a topic that is counted again from its oldest records."""
    async with faults():
        pipe = client.pipeline(transaction=True)
        pipe.delete(keys.topic(topic))
        pipe.hset(keys.topic(topic), "keyed", partitions)
        await pipe.execute()
