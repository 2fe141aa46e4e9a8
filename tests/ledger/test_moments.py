"""A partition is read as of one commit, whatever is committed, claimed or rolled back meanwhile, and nobody waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from stream_app.errors import StoreUnavailableError
from stream_app.ledger.local_files import LocalFiles
from stream_app.store import keys, moments
from stream_app.store.moments import Moments
from tests.services.redis import every_redis

from .centre import Centre


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage, partitions=1, contacts=200)
    await made.claim()
    yield made
    await made.close()


@every_redis
async def test_it_is_of_one_commit_while_others_are_made(
    redis_url: str, storage: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are commits before and after each of its commands, for one who has read before and for one who has not."""
    monkeypatch.setattr(moments, "SCAN", 10)
    centre = Centre(redis_url, storage, partitions=1)
    (desk,) = centre.desks
    await desk.claim()
    await desk.count(400)
    other = Moments(redis_url)
    states: dict[int | None, Any] = {}

    async def commit() -> None:
        assert await desk.count(3), "the records suffice"
        states[desk.position] = await centre.store.client.hgetall(keys.visits(desk.partition))

    for each in (centre.moments, other):
        execute = each._client.execute_command

        async def between(*args: Any, execute: Any = execute, **options: Any) -> Any:
            await commit()
            found = await execute(*args, **options)
            await commit()
            return found

        monkeypatch.setattr(each._client, "execute_command", between)
        for _ in range(4):
            before = desk.position
            moment = await each.read(desk.partition, since=0)
            assert before < (moment.position or 0) < desk.position
            assert {name.encode(): packed for name, packed in moment.visits.items()} == states[
                moment.position
            ]
            assert moment.entries[-1].end <= (moment.position or 0)
            assert [one.begin for one in moment.entries[1:]] == [one.end for one in moment.entries[:-1]]
    (audited,) = await centre.audit()
    assert (audited.differences, audited.since) == ([], 0)
    assert audited.position < desk.position
    await other.close()
    await centre.close()


async def test_after_a_rollback_nothing_is_left_of_what_was_read_before(centre: Centre) -> None:
    """Even if as many commits were made since as were lost."""
    (desk,) = centre.desks
    await desk.count(100)
    restore = await centre.saved()
    for _ in range(6):
        await desk.count(5)
        await centre.moments.read(desk.partition)
    seen = await centre.moments.read(desk.partition)
    await restore()
    await desk.claim()
    for _ in range(8):
        await desk.count(40)
        mine = await centre.moments.read(desk.partition)
        if mine.seq >= seen.seq:
            break
    other = Moments(centre.redis_url)
    assert (await other.read(desk.partition)).visits == mine.visits
    assert mine.seq >= seen.seq
    await other.close()


async def test_what_never_stands_still_is_given_up(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is claimed again and again: there is an error, and no mixture."""
    (desk,) = centre.desks
    await desk.count(300)
    whole = centre.moments._whole

    async def claimed_meanwhile(key: str) -> dict[str, bytes]:
        await desk.claim()
        return await whole(key)

    monkeypatch.setattr(centre.moments, "_whole", claimed_meanwhile)
    with pytest.raises(StoreUnavailableError, match="changes too fast"):
        await centre.moments.read(desk.partition)
