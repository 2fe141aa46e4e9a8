"""What operators do to the store: start a partition over."""

from __future__ import annotations

from typing import Any, Final

from stream_app.model.ports import Partition

from . import keys
from .client import faults

_KEPT_META: Final = ("epoch", "seq", "rollbacks")
"""What outlives a rebuild: readers and fences go on counting from here."""


async def last_beat(client: Any, partition: Partition) -> int:
    """When the partition's owner was heard of last, ms; 0 if never."""
    async with faults():
        return int(await client.hget(keys.beat(partition), "at") or 0)


async def start_over(client: Any, partition: Partition, begin: int) -> int:
    """Forget what was counted and stand at ``begin``, the oldest offset that Kafka still has. Gives the keys removed.

    Must not run beside a worker that owns the partition; should one appear, its commits are refused, because the token goes.
    """
    meta = keys.meta(partition)
    async with faults():
        kept = await client.hmget(meta, _KEPT_META)
        found = [
            key async for key in client.scan_iter(match=f"{_literal(keys.prefix(partition))}:*", count=1000)
        ]
        pipe = client.pipeline(transaction=True)
        pipe.unlink(*found, meta)
        values = {name: int(value or 0) for name, value in zip(_KEPT_META, kept, strict=True)}
        pipe.hset(meta, mapping={**values, "epoch": values["epoch"] + 1, "position": begin})
        pipe.sadd(keys.PARTITIONS, str(partition))
        await pipe.execute()
    return len(found)


def _literal(text: str) -> str:
    """Escape what SCAN would take for a pattern."""
    return "".join(f"\\{c}" if c in "*?[]^\\" else c for c in text)
