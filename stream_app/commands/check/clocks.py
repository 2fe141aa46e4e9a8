"""Checks of the clocks of this machine and of workers against Redis's, which all numbers follow. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.views.status import SKEW_S

from .findings import Finding, ok, warn


async def here(client: Any, clock: Callable[[], float]) -> Finding:
    """Check this machine's clock; ``clock`` returns its seconds since the epoch."""
    before = clock()
    try:
        seconds, micros = await client.time()
    except (RedisError, OSError) as error:
        return warn(
            "redis clock",
            f"can't be read: {error}",
            "allow TIME for this user; without it, ages are measured by this machine's clock",
        )
    after = clock()
    ahead = seconds + micros / 1e6 - (before + after) / 2
    detail = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    # When during the round trip Redis read its clock is not known.
    if abs(ahead) - (after - before) / 2 > SKEW_S:
        return warn(
            "redis clock", detail, "synchronise both by NTP: live windows and ages follow Redis's clock"
        )
    return ok("redis clock", detail)


async def of_workers(client: Any) -> Finding:
    """Check the clocks of the workers that own partitions, by their last heartbeats."""
    try:
        partitions = sorted(name.decode() for name in await client.smembers(keys.PARTITIONS))
        pipe = client.pipeline(transaction=False)
        for name in partitions:
            pipe.hmget(keys.beat(Partition.parse(name)), "owner", "ahead")
        found = await pipe.execute() if partitions else []
    except (RedisError, OSError) as error:
        return warn("worker clocks", f"can't be read: {error}", "allow this user to read kpi:*")
    ahead_s = {owner.decode(): int(ahead) / 1000 for owner, ahead in found if owner and ahead}
    wrong = [
        f"{owner} is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} Redis's"
        for owner, ahead in sorted(ahead_s.items())
        if abs(ahead) > SKEW_S
    ]
    if wrong:
        return warn("worker clocks", ", ".join(wrong), "synchronise them by NTP")
    return ok(
        "worker clocks",
        f"those of {len(ahead_s)} agree with Redis's" if ahead_s else "no worker has reported its clock yet",
    )
