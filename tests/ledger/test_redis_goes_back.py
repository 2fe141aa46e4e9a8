"""Redis goes back while the writer is at work: what it has read by then is of a history that is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from redis.asyncio import Redis

from stream_app.ledger.local_files import LocalFiles
from stream_app.model.ports import Partition
from stream_app.store import keys, outbox
from stream_app.store.outbox import OutboxEntry, Outboxes

from .desk import MINUTE, P0, Clock, Commits, KillAt, identities, newest, visit_row, writer


class Interrupted(Outboxes):
    """Outboxes in which something happens after some pages, once."""

    then: Callable[[], Awaitable[None]] | None = None
    after = 1

    async def pages(self, partition: Partition) -> AsyncIterator[list[OutboxEntry]]:
        left = self.after
        async for page in super().pages(partition):
            yield page
            left -= 1
            if left == 0 and self.then is not None:
                then, self.then = self.then, None
                await then()


SIZES = st.lists(st.integers(1, 15), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    before=SIZES,
    lost=st.integers(1, 8),
    since=SIZES,
    after=st.integers(1, 8),
    empty=st.sets(st.integers(0, 7)),
)
async def test_pages_of_two_histories_leave_no_row_twice_and_none_out(
    *,
    before: list[int],
    lost: int,
    since: list[int],
    after: int,
    empty: set[int],
    redis_client: Redis,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Between two pages, the latest commits are lost, and others take their place, of other sizes, under the same ids."""
    await redis_client.flushdb()
    folder = tmp_path_factory.mktemp("back")
    storage, clock, commits = LocalFiles(folder / "ledger"), Clock(), Commits(redis_client)
    saved = []
    for size in before:
        saved.append((commits.seq, commits.position, commits.out, dict(commits.counted)))
        await commits.commit([visit_row(commits.position)], size)

    async def go_back() -> None:
        commits.seq, commits.position, commits.out, commits.counted = saved[-lost:][0]
        left = [one async for page in outboxes.pages(P0) for one in page if int(one.id[:-2]) <= commits.seq]
        await redis_client.delete(keys.outbox(P0))  # so that ids can be given again
        for one in left:
            fields: dict[Any, Any] = {
                "topic": one.topic_id,
                "from": one.begin or 0,
                "to": one.end,
                "time": one.time,
                "version": one.version,
                "rows": one.rows,
            }
            await redis_client.xadd(keys.outbox(P0), fields, id=one.id)
        for n, size in enumerate(since):
            rows = [] if n in empty and n < len(since) - 1 else [visit_row(commits.position)]
            await commits.commit(rows, size, version=2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "MOST", 1)
        outboxes = Interrupted(redis_url)
        outboxes.then, outboxes.after = go_back, after
        one = writer(outboxes, storage, clock, KillAt())
        for _ in range(4):
            await one.round()
            clock.now += MINUTE
        if outboxes.then is not None:  # there were fewer pages
            outboxes.then = None
            await commits.visits()
            await one.round()
        assert await redis_client.xlen(keys.outbox(P0)) == 0
        await outboxes.close()
    assert await identities(storage, folder) == sorted(commits.counted.items())
    assert (await newest(storage)).holes == ()
