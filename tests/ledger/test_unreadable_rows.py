"""Rows in the outbox that can't be read: the writer says so and waits, then gives up only these; reading goes on at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from stream_app.errors import StreamAppError
from stream_app.ledger import partition_writer
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.reading import LedgerReader, ReadRange
from stream_app.model.ledger import join_rows, pack_row
from stream_app.store import keys
from stream_app.store.moments import Moments
from stream_app.store.outbox import Outboxes

from .desk import MINUTE, P0, T0, Clock, Commits, identities, newest, writer

DAMAGED = b"\xdd\x00\x00"
LATER = join_rows([pack_row(("2", "what nobody knows yet"))])


async def with_unreadable(client: Redis, rows: bytes) -> Commits:
    """Three visits, an entry that can't be read, and three more; of what is counted, the second one is lost."""
    commits = Commits(client)
    await commits.visits()
    commits.time += 1_000
    await commits.visits()
    entries: Any = await client.xrevrange(keys.outbox(P0), count=1)
    ((number, fields),) = entries
    await client.xdel(keys.outbox(P0), number)
    await client.hincrby(keys.meta(P0), "out_bytes", len(rows) - len(fields[b"rows"]))
    fields[b"rows"] = rows
    await client.xadd(keys.outbox(P0), fields, id=number[:-1] + b"1")
    begin, end = int(fields[b"from"]), int(fields[b"to"])
    commits.counted = {key: one for key, one in commits.counted.items() if not begin <= key[0] < end}
    commits.lost = ((begin, end),)
    commits.time += 1_000
    await commits.visits()
    return commits


@pytest.mark.parametrize("rows", [DAMAGED, LATER])
async def test_it_waits_says_so_and_in_the_end_gives_up_only_these(
    *,
    rows: bytes,
    redis_client: Redis,
    outboxes: Outboxes,
    storage: LocalFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commits, clock = await with_unreadable(redis_client, rows), Clock()
    one = writer(outboxes, storage, clock)
    assert await one.round() == 3
    for _ in range(2):
        clock.now += MINUTE
        with pytest.raises(StreamAppError, match="upgrade stream-app ledger"):
            await one.round()
        assert await redis_client.xlen(keys.outbox(P0)) == 2, "they may be read by a later version"
    assert (await newest(storage)).holes == ()
    monkeypatch.setattr(partition_writer, "FULL", 1)
    assert await one.round() == 3
    assert await redis_client.xlen(keys.outbox(P0)) == 0
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())
    holes = [(hole.begin, hole.end, hole.since, hole.until) for hole in (await newest(storage)).holes]
    assert holes == [(*commits.lost[0], T0, T0 + 1_000)]


async def test_who_reads_meanwhile_is_told_what_is_missing(
    redis_client: Redis, redis_url: str, storage: LocalFiles
) -> None:
    commits = await with_unreadable(redis_client, DAMAGED)
    await redis_client.hset(keys.meta(P0), mapping={"position": commits.position, "noted": commits.position})
    reader = LedgerReader(storage, Moments(redis_url), {"": 4_000})
    async with reader.opened(lambda _: ReadRange(("visits",), T0 - MINUTE, T0 + MINUTE)) as ledger:
        rows = await ledger.queries.rows('SELECT "offset", n FROM visits', most=100)
    assert sorted(rows) == sorted(commits.counted)
    assert [(one.since, one.until) for one in ledger.unknown] == [(T0, T0 + 1_000)]
    await reader.close()
