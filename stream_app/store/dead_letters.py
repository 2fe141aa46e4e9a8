"""Dead letters as they are stored: records that could not be read as events, the latest of each partition."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from msgspec import Struct

from stream_app.model.ports import DeadLetter, Partition

from . import keys
from .client import faults

PAGE: Final = 1_000


class StoredLetter(Struct, frozen=True):
    """A dead letter in its place.

    Attributes:
        partition: where its record is.
        entry: its id in Redis: milliseconds and a number.
        letter: offset, reason, detail, and the first bytes of the record, which may hold personal data.
    """

    partition: Partition
    entry: tuple[int, int]
    letter: DeadLetter

    @property
    def at(self) -> int:
        """When it was stored, ms since the epoch by Redis's clock."""
        return self.entry[0]

    @property
    def place(self) -> tuple[int, int, int]:
        """Order letters of all partitions: by time, then in the order in which they were stored."""
        return (*self.entry, self.partition.number)


async def partitions_of(client: Any, topic: str) -> list[Partition]:
    """Return the partitions of a topic that were ever counted, by number."""
    async with faults():
        found = await client.smembers(keys.PARTITIONS)
    names = (name.decode().rpartition(".") for name in found)
    return [Partition(topic, n) for n in sorted(int(n) for name, _, n in names if name == topic)]


async def read(client: Any, partition: Partition) -> AsyncIterator[StoredLetter]:
    """Yield a partition's dead letters, the oldest first.

    Raises:
        StoreUnavailableError: no answer.
    """
    after = "-"
    while True:
        async with faults():
            page = await client.xrange(keys.dead(partition), min=after, count=PAGE)
        for entry, fields in page:
            ms, _, number = entry.decode().partition("-")
            letter = DeadLetter(
                int(fields[b"offset"]),
                fields[b"reason"].decode(),
                fields[b"detail"].decode(errors="replace"),
                fields[b"value"],
            )
            yield StoredLetter(partition, (int(ms), int(number)), letter)
        if len(page) < PAGE:
            return
        after = f"({page[-1][0].decode()}"


async def check_may_remove(client: Any, partition: Partition) -> None:
    """Try to remove a letter that does not exist: a right that is missing must show before anything was sent.

    Raises:
        StoreUnavailableError: no answer, or no right to call XDEL.
    """
    async with faults():
        await client.xdel(keys.dead(partition), "0-1")


async def remove(client: Any, letters: Iterable[StoredLetter]) -> None:
    """Remove letters of one partition that somebody has taken care of."""
    entries = [(letter.partition, "{}-{}".format(*letter.entry)) for letter in letters]
    if entries:
        async with faults():
            await client.xdel(keys.dead(entries[0][0]), *(entry for _, entry in entries))
