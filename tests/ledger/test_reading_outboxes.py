"""The outbox as the writer sees it, on every Redis: pages in order, and only what is still the same is removed."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.outbox import OutboxEntry, Outboxes
from tests.services.redis import every_redis

from .desk import MINUTE, P0, T0, Commits


async def read(outboxes: Outboxes) -> list[OutboxEntry]:
    return [entry async for page in outboxes.pages(P0) for entry in page]


def known(entries: list[OutboxEntry]) -> list[tuple[bytes, bytes]]:
    return [(entry.id, entry.digest) for entry in entries]


@every_redis
async def test_entries_come_in_order_and_leave_from_the_beginning(
    redis_client: Redis, outboxes: Outboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_app.store.outbox.REMOVED", 3)
    commits = Commits(redis_client)
    for n in range(40):
        await commits.visits(n % 5)
        commits.time += MINUTE
    entries = await read(outboxes)
    assert [entry.end for entry in entries] == [10 * n + 10 for n in range(40) if n % 5]
    assert [entry.begin for entry in entries] == [0, *(entry.end for entry in entries[:-1])]
    standing = await outboxes.standing(P0)
    assert (standing.entries, standing.size) == (32, sum(len(entry.rows) for entry in entries))
    assert standing.oldest == T0 + MINUTE
    assert standing.lag_ms == 38 * MINUTE
    assert await outboxes.remove(P0, known(entries[:10])) == 10
    assert await outboxes.remove(P0, known(entries[:12])) == 2, "those that are gone already are fine"
    assert await read(outboxes) == entries[12:]
    assert await outboxes.remove(P0, known(entries)) == 20
    assert (await outboxes.standing(P0)).size == 0
    assert (await outboxes.standing(P0)).lag_ms == 0


@every_redis
async def test_what_follows_an_entry_that_is_another_by_now_stays(
    redis_client: Redis, outboxes: Outboxes
) -> None:
    """Redis was rolled back, and has given the same ids to other rows."""
    commits = Commits(redis_client)
    for _ in range(4):
        await commits.visits()
    before = await read(outboxes)
    key = keys.outbox(P0)
    entries: Any = await redis_client.xrange(key)
    await redis_client.delete(key)
    for n, (number, fields) in enumerate(entries):
        await redis_client.xadd(key, {**fields, **({b"version": b"2"} if n == 2 else {})}, id=number)
    assert await outboxes.remove(P0, known(before)) == 2
    left = await read(outboxes)
    assert [entry.id for entry in left] == [b"3-0", b"4-0"]
    assert (left[0].digest != before[2].digest, left[1].digest) == (True, before[3].digest)


@every_redis
async def test_one_of_several_has_the_lease(redis_client: Redis, outboxes: Outboxes) -> None:
    await redis_client.sadd(keys.PARTITIONS, "b.1", "a.10", "a.2")
    assert await outboxes.partitions() == [Partition("a", 2), Partition("a", 10), Partition("b", 1)]
    assert await outboxes.lease(P0, "one", 60_000)
    assert await outboxes.lease(P0, "one", 60_000)
    assert not await outboxes.lease(P0, "other", 60_000)
    await outboxes.release(P0, "other")
    assert not await outboxes.lease(P0, "other", 60_000)
    await outboxes.release(P0, "one")
    assert await outboxes.lease(P0, "other", 60_000)
