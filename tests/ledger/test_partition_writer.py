"""One partition's ledger: every row that was counted is in it once, whatever happens to its writers and to Redis."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest
from redis.asyncio import Redis

from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.manifest import Hole
from stream_app.ledger.merging import FILES
from stream_app.store import keys
from stream_app.store.outbox import Outboxes

from .desk import (
    MINUTE,
    P0,
    PLACES,
    T0,
    Clock,
    Commits,
    KillAt,
    KilledError,
    identities,
    newest,
    reply_row,
    rows_of,
    visit_row,
    writer,
)

DAY = 24 * 60 * MINUTE


async def test_rows_go_into_files_and_out_of_the_outbox(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits = Commits(redis_client)
    await commits.commit([visit_row(0), reply_row(1), visit_row(2)])
    await commits.visits()
    assert await writer(outboxes, storage, Clock()).round() == 6
    visits = await rows_of(storage, tmp_path, "visits")
    assert [(row["offset"], row["contact_id"], row["answered_wait_ms"]) for row in visits] == [
        (offset, f"c{offset}", 7_000) for offset in (0, 2, 10, 11, 12)
    ]
    assert visits[0]["topic_id"] == "t1"
    assert visits[0]["started_at"].timestamp() * 1000 == T0
    (reply,) = await rows_of(storage, tmp_path, "replies")
    assert (reply["offset"], reply["sign"], reply["replied_after_ms"]) == (1, 1, MINUTE)
    held = await newest(storage)
    assert (held.number, held.ends, held.holes, held.cuts, held.end) == (1, {"t1": 20}, (), (), 20)
    assert await redis_client.xlen(keys.outbox(P0)) == 0
    assert await redis_client.hget(keys.meta(P0), "out_bytes") == b"0"


async def test_a_partition_is_filed_once_a_minute_unless_its_outbox_fills_up(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits, clock = Commits(redis_client), Clock()
    first, second = writer(outboxes, storage, clock), writer(outboxes, storage, clock)
    await commits.visits()
    assert await first.round() == 3
    for one in (first, second, writer(outboxes, storage, clock)):
        await commits.visits(1)
        clock.now += MINUTE // 4
        assert await one.round() == 0, "also by a writer that has just begun"
    clock.now += MINUTE // 4
    assert await second.round() == 3
    await commits.visits(1)
    monkeypatch.setattr("stream_app.ledger.partition_writer.FULL", 10)
    assert await first.round() == 0, "it is behind the other one, and finds out"
    assert await first.round() == 1
    assert (await newest(storage)).number == 3


@pytest.mark.parametrize("place", PLACES)
async def test_a_writer_that_is_killed_leaves_no_row_twice_and_none_out(
    place: str, redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock, kill = Commits(redis_client), Clock(), KillAt(place)
    await commits.visits()
    await writer(outboxes, storage, clock).round()
    await commits.visits()
    clock.now += MINUTE
    with pytest.raises(KilledError):
        await writer(outboxes, storage, clock, kill).round()
    await commits.visits()
    clock.now += MINUTE
    await writer(outboxes, storage, clock).round()
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())
    held = await newest(storage)
    assert (held.cuts, held.holes) == ((), ()), "what the ledger has already is only removed from the outbox"
    assert await redis_client.xlen(keys.outbox(P0)) == 0


@pytest.mark.parametrize("place", PLACES)
async def test_of_two_writers_at_once_one_changes_nothing(
    place: str, redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    """One stops in the middle of a step, wherever, and goes on when the other has finished its own."""
    commits, clock = Commits(redis_client), Clock()
    stopped, go_on = asyncio.Event(), asyncio.Event()

    class Stop(KillAt):
        async def hit(self, name: str) -> None:
            if name == place:
                stopped.set()
                await go_on.wait()

    await commits.visits()
    slow = asyncio.create_task(writer(outboxes, storage, clock, Stop()).round())
    await stopped.wait()
    await commits.visits()
    clock.now += MINUTE
    quick = writer(outboxes, storage, clock)
    await quick.round()
    await commits.visits()
    go_on.set()
    await slow
    clock.now += MINUTE
    await quick.round()
    await quick.round()
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())
    assert await redis_client.xlen(keys.outbox(P0)) == 0


async def test_a_full_outbox_leaves_a_hole_that_says_from_when_to_when(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock = Commits(redis_client), Clock()
    await commits.visits()
    await writer(outboxes, storage, clock).round()
    for _ in range(3):
        commits.time += MINUTE
        await commits.visits()
    await commits.lose_oldest()
    await commits.lose_oldest()
    clock.now += MINUTE
    await writer(outboxes, storage, clock).round()
    held = await newest(storage)
    assert held.holes == (Hole("t1", 10, 30, T0, T0 + 3 * MINUTE),)
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())


async def test_counting_again_fills_a_hole(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock = Commits(redis_client), Clock()
    await commits.visits()
    await commits.visits()
    await commits.lose_oldest()
    await writer(outboxes, storage, clock).round()
    assert [(hole.begin, hole.end, hole.since) for hole in (await newest(storage)).holes] == [(0, 10, 0)]
    for _ in range(2):
        await commits.visits()
    await commits.lose_oldest()
    clock.now += MINUTE
    await writer(outboxes, storage, clock).round()
    assert [(hole.begin, hole.end) for hole in (await newest(storage)).holes] == [(0, 10), (20, 30)]

    again = Commits(redis_client)  # `rebuild` goes back to the oldest record that Kafka still has
    again.position = again.out = 15
    again.counted = {key: row for key, row in commits.counted.items() if key[0] < 15}
    await redis_client.delete(keys.outbox(P0), keys.meta(P0))
    for _ in range(4):
        await again.visits(version=2)
    clock.now += MINUTE
    await writer(outboxes, storage, clock).round()
    held = await newest(storage)
    assert [(hole.begin, hole.end) for hole in held.holes] == [(0, 10)]
    assert [(cut.offset, cut.end) for cut in held.cuts] == [(15, 40)]
    assert await identities(storage, tmp_path) == sorted(again.counted.items())
    rows = await rows_of(storage, tmp_path, "visits")
    assert {row["offset"]: row["version"] for row in rows} == {
        offset: 1 if offset < 15 else 2 for offset, _ in again.counted
    }


async def test_a_topic_that_was_created_again_begins_anew(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock = Commits(redis_client), Clock()
    await commits.visits()
    await writer(outboxes, storage, clock).round()
    again = Commits(redis_client, topic_id="t2")
    again.seq = commits.seq
    await again.visits()
    clock.now += MINUTE
    await writer(outboxes, storage, clock).round()
    held = await newest(storage)
    assert (held.ends, held.cuts, held.holes) == ({"t1": 10, "t2": 10}, (), ())
    rows = await rows_of(storage, tmp_path, "visits")
    assert sorted((row["topic_id"], row["offset"]) for row in rows) == [
        (topic, offset) for topic in ("t1", "t2") for offset in range(3)
    ]


async def test_a_day_has_few_files_and_a_day_that_is_over_has_one_a_table(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles, tmp_path: Path
) -> None:
    commits, clock = Commits(redis_client), Clock()
    one = writer(outboxes, storage, clock)
    most = 0
    for _ in range(70):
        offset = commits.position
        await commits.commit([visit_row(offset), reply_row(offset, 1)])
        clock.now += MINUTE
        await one.round()
        assert one.held is not None
        most = max(most, len(one.held.files))
    assert 8 < most <= 2 * FILES
    commits.time += DAY
    for _ in range(3):
        await commits.commit([visit_row(commits.position, at=commits.time)])
        clock.now += MINUTE
        await one.round()
    held = await newest(storage)
    assert sorted((file.day, file.table) for file in held.files if file.day == "2026-11-22") == [
        ("2026-11-22", "replies"),
        ("2026-11-22", "visits"),
    ]
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())


async def test_old_days_go_by_table(redis_client: Redis, outboxes: Outboxes, storage: LocalFiles) -> None:
    commits, clock = Commits(redis_client), Clock()
    one = writer(outboxes, storage, clock, days={"": 10, "replies": 2})
    for _ in range(12):
        await commits.commit([visit_row(commits.position), reply_row(commits.position)])
        clock.now += MINUTE
        await one.round()
        commits.time += DAY
    days: dict[str, list[str]] = {"visits": [], "replies": []}
    for file in (await newest(storage)).files:
        days[file.table].append(file.day)
    assert days == {
        "visits": [f"2026-11-{day}" for day in range(23, 31)] + [f"2026-12-0{day}" for day in (1, 2, 3)],
        "replies": ["2026-12-01", "2026-12-02", "2026-12-03"],
    }


async def test_what_a_later_version_wrote_is_not_touched(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles
) -> None:
    from stream_app.ledger import places
    from stream_app.ledger.manifest import SCHEMA, LaterLedgerError

    later = gzip.compress(b'{"schema": %d, "new": true}' % (SCHEMA + 1))
    await storage.create(places.manifest(P0, 1), later)
    commits = Commits(redis_client)
    await commits.visits()
    with pytest.raises(LaterLedgerError, match="upgrade it"):
        await writer(outboxes, storage, Clock()).round()
    assert await redis_client.xlen(keys.outbox(P0)) == 1


async def test_a_file_that_cannot_be_read_keeps_nothing_from_being_written(
    redis_client: Redis, outboxes: Outboxes, storage: LocalFiles
) -> None:
    commits, clock = Commits(redis_client), Clock()
    one = writer(outboxes, storage, clock)
    await commits.visits()
    await one.round()
    (file,) = (await newest(storage)).files
    await storage.delete([file.name])
    await commits.visits()
    clock.now += MINUTE
    assert await one.round() == 3
    assert [file.first for file in (await newest(storage)).files] == [0, 10]
