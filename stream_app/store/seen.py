"""Names of queues and channels that the store has ever seen, to compare what people write with."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import keys
from .client import faults


class SeenNames(NamedTuple):
    """Names that the store has ever seen.

    Attributes:
        queues: name → channels in which it has rows; empty if not known.
        channels: those of any queue.
    """

    queues: dict[str, set[str]]
    channels: set[str]


async def seen_names(client: Any) -> SeenNames:
    """Return queues and channels.

    Raises:
        StoreUnavailableError: no answer; retry.
    """
    async with faults():
        queues, channels = [
            {int(n): name.decode() for name, n in (await client.hgetall(keys.names(kind))).items()}
            for kind in ("queue", "channel")
        ]
        places = await client.hkeys(keys.published("seen"))
    found: dict[str, set[str]] = {name: set() for name in queues.values()}
    for place in places:
        queue, channel = (int(n) for n in place.split(b"."))
        if queue in queues and channel in channels:
            found[queues[queue]].add(channels[channel])
    return SeenNames(found, set(channels.values()))
