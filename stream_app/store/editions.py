"""Editions of the specification in Redis, and how versions that know nothing of editions are kept from counting on.

Their claim looks only at types: each minute that is listed in a partition's index must be a string. One that is none of ours
and a hash ends it before it has taken anything, with an error that quotes the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from stream_app.model.ports import Partition

from . import keys
from .client import faults

FOR_FORMER: Final = "counted by a later version of stream-app, so upgrade this worker"
"""What the index of minutes lists beside minutes, for whoever takes all of it for minutes."""


def minutes_of(members: Iterable[bytes]) -> Iterator[int]:
    """Yield the minutes of an index, in its order."""
    return (int(member) for member in members if member != FOR_FORMER.encode())


async def counted_by(client: Any, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """Return the edition by which each partition was counted last; 0: by a version without editions, or by none yet."""
    wanted = list(partitions)
    pipe = client.pipeline(transaction=False)
    for partition in wanted:
        pipe.hget(keys.meta(partition), "edition")
    async with faults():
        found = await pipe.execute()
    return {partition: int(edition or 0) for partition, edition in zip(wanted, found, strict=True)}
