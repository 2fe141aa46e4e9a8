"""Every record has one result: what a store's accounts add up to, whatever happened on the way."""

from __future__ import annotations

from typing import Any

import redis

RESULTS = frozenset({
    "applied", "duplicate", "late", "illegal", "dead_letter", "unknown_type", "ignored", "gap",
})  # fmt: skip


def assert_accounted(url: str, topic: str, *, gaps: bool = False) -> int:
    """Check that offsets read = applied + duplicate + late + illegal + dead + unknown + ignored + gaps.

    Args:
        url: of Redis.
        topic: whose partitions to look at.
        gaps: whether transactions or compaction leave offsets without a record; without them there is no gap at all.

    Returns:
        How many offsets are accounted for.
    """
    total = 0
    client: Any
    with redis.Redis.from_url(url, decode_responses=True, socket_timeout=10) as client:
        for partition in client.smembers("kpi:partitions"):
            if partition.rpartition(".")[0] != topic:
                continue
            key = f"kpi:{{{partition}}}"
            with client.pipeline(transaction=True) as pipe:
                position, results = pipe.hget(f"{key}:meta", "position").hgetall(f"{key}:results").execute()
            counted = {name: int(n) for name, n in results.items() if ":" not in name}
            assert counted.keys() <= RESULTS, f"{partition}: results that nobody knows: {counted}"
            assert sum(counted.values()) == int(position or 0), f"{partition} at {position}: {counted}"
            assert gaps or not counted.get("gap"), (
                f"{partition} at {position}: {counted}, and nothing explains a gap"
            )
            total += int(position or 0)
    return total
