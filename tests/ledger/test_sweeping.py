"""What nobody needs is deleted, and never what a manifest names or may still come to name."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.asyncio import Redis

from stream_app.failpoints import Failpoints
from stream_app.ledger import places
from stream_app.ledger.columns import TABLES
from stream_app.ledger.local_files import UNFINISHED, LocalFiles
from stream_app.ledger.manifests import Manifests
from stream_app.ledger.sweeping import GRACE_MS, sweep
from stream_app.store import keys
from stream_app.store.outbox import Outboxes

from .desk import MINUTE, P0, Clock, Commits, KillAt, KilledError, identities, newest, writer


class FarAhead(Clock):
    """A clock that begins when the files that a test writes are old enough."""

    def __init__(self) -> None:
        from stream_app.clocks import wall_ms

        self.now = wall_ms() + 2 * GRACE_MS


async def names(storage: LocalFiles) -> set[str]:
    return {file.name for file in await storage.files("visits")}


async def swept(storage: LocalFiles, clock: Clock, failpoints: Failpoints | None = None) -> int:
    return await sweep(storage, P0, TABLES, clock.now, failpoints or Failpoints())


async def test_files_that_were_joined_stay_for_the_grace(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock = Commits(redis_client), FarAhead()
    one = writer(outboxes, storage, clock)
    for _ in range(2):
        await commits.visits()
        await one.round()
        clock.now += MINUTE
    held = await newest(storage)
    assert len(held.dropped) == 1
    assert len(held.files) == 1
    assert await swept(storage, clock) == 0
    assert await names(storage) == {held.files[0].name, held.dropped[0].name}
    clock.now += GRACE_MS
    assert await swept(storage, clock) == 1
    assert await names(storage) == {held.files[0].name}
    assert (await newest(storage)).dropped == ()
    assert len(await Manifests(storage, P0).stored()) == 2, (
        "the newest, and the one before, which may be read"
    )
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())


async def test_what_a_killed_writer_left_goes_in_the_end(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock = Commits(redis_client), FarAhead()
    await commits.visits()
    with pytest.raises(KilledError):
        await writer(outboxes, storage, clock, KillAt("before_manifest")).round()
    (storage.scratch() / "ledger-killed").mkdir()
    (storage.scratch() / "ledger-killed" / "half.parquet").write_bytes(b"half")
    assert len(await names(storage)) == 1
    with pytest.raises(KilledError):
        await swept(storage, clock, KillAt("before_deletion"))
    assert len(await names(storage)) == 1
    assert await swept(storage, clock) == 1
    assert await names(storage) == set()
    assert await storage.files(UNFINISHED) == []
    assert [*storage.scratch().iterdir()] == []
    await writer(outboxes, storage, clock).round()
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())


@pytest.mark.parametrize("later", [0, GRACE_MS])
async def test_a_writer_that_slept_through_a_sweep_names_nothing_that_is_gone(
    later: int, redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    """It wrote its files long ago, and now adds the manifest; later even its number is free again."""
    commits, clock = Commits(redis_client), FarAhead()
    asleep, go_on = asyncio.Event(), asyncio.Event()

    class Sleep(KillAt):
        async def hit(self, name: str) -> None:
            if name == "before_manifest":
                asleep.set()
                await go_on.wait()

    await commits.visits()
    slow = asyncio.create_task(writer(outboxes, storage, clock, Sleep()).round())
    await asleep.wait()
    assert await swept(storage, clock) == 1
    if later:
        quick = writer(outboxes, storage, clock)
        await quick.round()
        for _ in range(3):
            clock.now += later
            await commits.visits()
            await quick.round()
            await swept(storage, clock)
        await storage.delete([places.manifest(P0, 1)])
        assert await storage.read(places.manifest(P0, 1)) is None
    go_on.set()
    assert await slow == 0
    await writer(outboxes, storage, clock).round()
    held = await newest(storage)
    assert {file.name for file in held.files} <= await names(storage)
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())
    assert await redis_client.xlen(keys.outbox(P0)) == 0
