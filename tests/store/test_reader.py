"""The reader on a real Redis: whatever happens to it, what is stored is shown, or it is said to be away."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import redis.asyncio

from stream_app.errors import StoreUnavailableError
from stream_app.model.events import Answered, LeftQueue
from stream_app.model.live.rows import QueueRow
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.ports import FILE, Partition
from stream_app.model.targets import Targets
from stream_app.store import keys, reader as reader_module
from stream_app.store.reader import Reader
from stream_app.store.redis import RedisStore
from tests.services.clocks import skewed
from tests.services.process import free_port, until
from tests.services.redis import RedisServer, every_redis
from tests.store.owner import P0, Owner, now_ms, queued, told

SALES, CARE = ("sales", "voice"), ("care", "voice")


@asynccontextmanager
async def following(url: str) -> AsyncIterator[Reader]:
    """A reader that runs."""
    reader = Reader(url)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        task.cancel()
        await asyncio.wait([task])
        await reader.close()
        assert task.cancelled(), task.exception()


@pytest.fixture
async def reader(redis_url: str) -> AsyncIterator[Reader]:
    async with following(redis_url) as running:
        yield running


class Clocked(RedisServer):
    """A server whose clock is so far ahead, from its next start on."""

    ahead_s = 0

    def command(self) -> list[str]:
        return [
            "env",
            *(f"{name}={value}" for name, value in skewed(self.ahead_s).items()),
            *super().command(),
        ]


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that the test may break."""
    with RedisServer() as server:
        yield server


def rows(reader: Reader) -> dict[tuple[str, str], QueueRow]:
    reader.board.advance(now_ms())
    return {(row.queue, row.channel): row for row in Snapshots(reader.board).take(reader.targets).rows}


def waiting(reader: Reader, queue: tuple[str, str] = SALES) -> float | None:
    row = rows(reader).get(queue)
    return row.levels["backlog"] if row else None


def offered(reader: Reader, queue: tuple[str, str] = SALES) -> int | None:
    row = rows(reader).get(queue)
    return row.totals["offered"] if row else None


@every_redis
async def test_it_loads_what_is_there_and_follows_what_comes(redis_url: str) -> None:
    store = RedisStore(redis_url)
    owner = await Owner.of(store)
    await owner.commit(queued("a"), queued("b"))
    async with following(redis_url) as reader:
        await until(lambda: reader.ready)
        assert (waiting(reader), offered(reader)) == (2, 2)
        await owner.commit(Answered(id="1", at=now_ms(), contact_id="a"), queued("c"), queued("d", "care"))
        await until(lambda: waiting(reader, CARE) == 1)
        assert (waiting(reader), offered(reader)) == (2, 3)
        assert rows(reader)[SALES].windows["5m"]["service_level"].value == 1.0
        age = reader.age_s()
        assert age is not None
        assert age < 2
    await store.close()


async def test_a_file_that_was_folded_beside_the_topic_does_not_age(
    reader: Reader, store: RedisStore
) -> None:
    """Nobody reads on in it: it counts, makes the rest neither old nor unknown, and whoever waits at its end is gone."""
    owner = await Owner.of(store)
    await owner.commit(queued("a"))
    recorded = Owner(await store.claim(Partition(f"{FILE}monday", 7), "replay"))
    await recorded.commit(queued("b"))
    await until(lambda: reader.ready and offered(reader) == 2)
    assert waiting(reader) == 1
    await owner.beat()
    await until(lambda: reader.age_s() is not None)


async def test_rates_know_only_what_was_counted_as_it_happened(
    reader: Reader, redis_url: str, store: RedisStore
) -> None:
    """Not a recording, not what is a week old, and not what was there before this process began."""
    owner = await Owner.of(store)
    await owner.commit(queued("now"))
    await until(lambda: reader.ready and offered(reader) == 1)
    await owner.commit(queued("week", at=now_ms() - 7 * 86_400_000), queued("then"))
    recorded = Owner(await store.claim(Partition(f"{FILE}monday", 7), "replay"))
    await recorded.commit(queued("b"))
    await until(lambda: offered(reader) == 4)
    (live,) = (row.live["offered"] for row in rows(reader).values())
    async with following(redis_url) as later:
        await until(lambda: later.ready and offered(later) == 4)
        assert [row.live["offered"] for row in rows(later).values()] == [0]
        await owner.commit(queued("new"))
        await until(lambda: offered(later) == 5)
        assert [row.live["offered"] for row in rows(later).values()] == [1]
    (now,) = (row.live["offered"] for row in rows(reader).values())
    assert (now - live, live) in {(1, 1), (1, 2)}


async def test_it_knows_how_full_the_store_is(reader: Reader, store: RedisStore) -> None:
    owner = await Owner.of(store)
    await owner.commit(queued("a"))
    memory = await until(lambda: reader.memory.last)
    assert memory is not None
    assert memory.used > 100_000
    configured = await store.client.config_get("maxmemory")
    assert memory.limit == int(configured["maxmemory"])


async def test_ten_thousand_visits_are_loaded(redis_url: str, store: RedisStore) -> None:
    owner = await Owner.of(store)
    at = now_ms()
    for batch in range(10):
        await owner.commit(*(queued(f"{batch}-{n}", f"q{n % 50}", at=at) for n in range(1000)))
    async with following(redis_url) as reader:
        await until(lambda: reader.ready)
        assert sum(row.levels["backlog"] or 0 for row in rows(reader).values()) == 10_000
        assert sum(row.totals["offered"] for row in rows(reader).values()) == 10_000


async def test_a_commit_is_on_the_board_well_within_a_fifth_of_a_second(
    reader: Reader, store: RedisStore
) -> None:
    owner = await Owner.of(store)
    await until(lambda: reader.ready)
    took = []
    for n in range(5):
        reader.changed.clear()
        started = time.monotonic()
        await owner.commit(queued(f"c{n}"))
        while waiting(reader) != n + 1:
            await reader.changed.wait()
            reader.changed.clear()
        took.append(time.monotonic() - started)
    assert min(took) < 0.1, took  # the best of five: a busy machine may delay any one of them


async def test_partitions_add_up(reader: Reader, store: RedisStore) -> None:
    for number in range(3):
        await (await Owner.of(store, Partition("t", number))).commit(queued(f"c{number}"))
    await until(lambda: waiting(reader) == 3)


async def test_a_gap_in_the_log_loads_anew(
    reader: Reader, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    owner = await Owner.of(store)
    await owner.commit(queued("a"))
    await until(lambda: waiting(reader) == 1)
    async with redis_client.pipeline() as pipe:  # at once, so that the reader can't see what came between
        seq = reader.health["t.0"].seq
        pipe.hincrby(keys.meta(P0), "seq", 5)
        pipe.hdel(keys.visits(P0), "a")
        pipe.xadd(
            keys.log(P0), {"token": "x", "to": 2, "cells": "", "visits": "", "closed": ""}, f"{seq + 5}-0"
        )
        await pipe.execute()
    await until(lambda: waiting(reader) == 0)
    assert reader.health["t.0"].seq == seq + 5


async def test_a_new_owner_loads_anew_and_no_number_dips_meanwhile(
    reader: Reader, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    owner = await Owner.of(store)
    await owner.commit(*(queued(f"c{n}", f"q{n % 20}") for n in range(2000)), queued("gone"))
    await until(lambda: waiting(reader) == 1)
    seen: set[float] = set()

    async def look() -> None:
        while True:
            seen.add(sum(row.levels["backlog"] or 0 for row in rows(reader).values()))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    await redis_client.hdel(keys.visits(P0), "gone")  # only loading anew can tell
    await Owner.of(store)
    await until(lambda: waiting(reader) == 0)
    looking.cancel()
    assert seen <= {2000, 2001}


def doing(reader: Reader) -> dict[str, str | None]:
    return {one.agent: one.doing for one in reader.board.people.agents()}


async def test_agents_are_mirrored_by_the_log_by_a_load_and_when_the_store_steps_back(
    reader: Reader, store: RedisStore, redis_url: str, redis_client: redis.asyncio.Redis
) -> None:
    owner, day = await Owner.of(store), 86_400_000
    await owner.commit(told("g", "available"), told("h", "break"), told("old", "offline", now_ms() - day))
    here: dict[str, str | None] = {"g": "available", "h": "away"}
    await until(lambda: doing(reader) == {**here, "old": "offline"})
    async with following(redis_url) as later:
        await until(lambda: doing(later) == {**here, "old": "offline"}, what="it loads them")
        kept = await redis_client.dump(keys.agents(P0))
        assert kept
        await owner.commit(told("g", "on_contact"), told("h", "offline"), told("new", "available"))
        after = {"g": "on_contact", "h": "offline", "new": "available", "old": "offline"}
        await until(lambda: doing(reader) == doing(later) == after, what="both follow the log")
        await redis_client.restore(keys.agents(P0), 0, kept, replace=True)
        again = await Owner.of(store)  # a claim makes readers load anew
        again.fold.by_broker = True  # time goes on by what one agent tells
        await until(lambda: doing(reader) == doing(later) == {**here, "old": "offline"})
        ahead = [told("g", "available", now_ms() + n * day) for n in (1, 2, 3)]
        await again.commit(*ahead)
        await until(lambda: doing(reader) == doing(later) == {"g": "available"}, what="others are forgotten")


async def test_a_store_that_stepped_back_and_went_on_is_noticed_by_its_token(
    reader: Reader, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    """Same epoch, next sequence number: only the token tells that this is another history."""
    owner = await Owner.of(store)
    await owner.commit(queued("a"))
    await until(lambda: waiting(reader) == 1)
    seq = reader.health["t.0"].seq
    async with redis_client.pipeline() as pipe:
        pipe.hset(keys.meta(P0), mapping={"token": "1:another", "seq": seq + 1, "position": 2})
        pipe.delete(keys.visits(P0))
        entry: dict[Any, Any] = {"token": "1:another", "to": 2, "cells": "", "visits": "", "closed": ""}
        pipe.xadd(keys.log(P0), entry, f"{seq + 1}-0")
        await pipe.execute()
    await until(lambda: waiting(reader) == 0)


async def test_a_killed_redis_comes_back_and_so_does_the_reader(own_redis: RedisServer) -> None:
    store = RedisStore(own_redis.url)
    owner = await Owner.of(store)
    await owner.commit(queued("a"))
    async with following(own_redis.url) as reader:
        await until(lambda: waiting(reader) == 1)
        await store.client.config_set("appendfsync", "always")
        await owner.commit(queued("b"))
        await asyncio.to_thread(own_redis.kill)
        await until(lambda: not reader.ready)
        assert reader.reasons()[0].startswith("Redis is unavailable")
        age = reader.age_s()
        assert age is not None
        await until(lambda: (reader.age_s() or 0) > age + 0.5, what="its age grows")
        assert waiting(reader) == 2  # the last truth that was known, older and older
        await asyncio.to_thread(own_redis.start)
        await until(lambda: reader.ready)
        assert waiting(reader) == 2
        after = RedisStore(own_redis.url)
        await (await Owner.of(after)).commit(queued("c"))
        await until(lambda: waiting(reader) == 3)
        await after.close()
    await store.close()


@pytest.mark.parametrize(("before_s", "after_s"), [(0, 3_600), (3_600, 0)])
async def test_a_redis_whose_clock_was_set_or_another_that_took_over(before_s: int, after_s: int) -> None:
    """What was stamped before it is of the future or old; what comes after it is as fresh as ever."""
    server = Clocked("6.2")  # the allocator of the other one knows no time before its clock is asked
    server.ahead_s = before_s
    with server:
        store = RedisStore(server.url)
        await store.client.config_set("appendfsync", "always")
        owner = await Owner.of(store)
        await owner.commit(queued("a", at=now_ms() + 1000 * before_s))

        async def is_trusted(reader: Reader) -> bool:
            with suppress(StoreUnavailableError):
                await owner.beat()
            age = reader.age_s()
            return reader.ready and not reader.reasons() and age is not None and age < 2

        async with following(server.url) as reader:
            await until(lambda: is_trusted(reader))
            assert abs(reader.clock.now() - now_ms() - 1000 * before_s) < 60_000
            await asyncio.to_thread(server.stop)
            await until(lambda: not reader.connected)
            server.ahead_s = after_s
            await asyncio.to_thread(server.start)
            await until(lambda: reader.ready)
            if after_s < before_s:
                assert reader.age_s() is None
                assert "ahead of Redis's clock" in reader.reasons()[0]
            else:
                assert (reader.age_s() or 0) > after_s - 60
            await until(lambda: is_trusted(reader))
            assert abs(reader.clock.now() - now_ms() - 1000 * after_s) < 60_000
            ahead = reader.clock.ahead_ms()
            assert ahead is not None
            assert abs(ahead + 1000 * after_s) < 60_000
            # A mirror that lags from now on tells so: when it was level is not of the future either.
            assert reader.health["t.0"].level_at <= reader.clock.now() + 1_000
        await store.close()


async def test_a_user_who_may_not_ask_for_the_time_has_this_machines(
    redis_url: str, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    rules: Any = redis_client
    await rules.execute_command("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@all", "-time")
    try:
        owner = await Owner.of(store)
        await owner.commit(queued("a"))
        async with following(redis_url.replace("//", "//reader:secret@")) as reader:
            await until(lambda: reader.ready and waiting(reader) == 1)
            age = reader.age_s()
            assert age is not None
            assert age < 2
            assert reader.clock.ahead_ms() is None
    finally:
        await rules.execute_command("ACL", "DELUSER", "reader")


async def test_a_wiped_store_is_empty_and_not_ready(
    reader: Reader, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    await (await Owner.of(store)).commit(queued("a"))
    await until(lambda: reader.ready and waiting(reader) == 1)
    await redis_client.flushall()
    await until(lambda: not reader.ready)
    await until(lambda: rows(reader) == {})
    assert reader.age_s() is None
    assert reader.reasons() == ["no worker has claimed a partition yet"]


@pytest.mark.parametrize("noticed", [True, False])
async def test_a_store_begun_anew_numbers_its_names_anew(
    redis_url: str, redis_client: redis.asyncio.Redis, noticed: bool
) -> None:
    first, second = RedisStore(redis_url), RedisStore(redis_url)
    await (await Owner.of(first)).commit(queued("a", "sales"), queued("b", "care"))
    async with following(redis_url) as reader:
        await until(lambda: waiting(reader, CARE) == 1)
        await redis_client.flushall()
        if noticed:
            await until(lambda: not reader.health)
        await redis_client.hset(keys.names("counter"), mapping={"offered": 7, "decided": 1})
        await (await Owner.of(second)).commit(queued("c", "zebra"), queued("d", "sales"))
        await until(lambda: waiting(reader, ("zebra", "voice")) == 1)
        await until(lambda: waiting(reader) == 1)
        assert rows(reader).keys() == {("zebra", "voice"), SALES}
        assert offered(reader, ("zebra", "voice")) == 1
    await first.close()
    await second.close()


async def test_what_the_registry_does_not_take_is_other(redis_url: str) -> None:
    store = RedisStore(redis_url, queue_cap=2)
    owner = await Owner.of(store)
    await owner.commit(*(queued(f"c{n}", f"q{n}") for n in range(5)))
    async with following(redis_url) as reader:
        await until(lambda: reader.ready)
        await owner.commit(queued("more", "q9"), queued("d", "q1"))
        await until(lambda: offered(reader, ("other", "voice")) == 4)
        assert {queue: waiting(reader, queue) for queue in rows(reader)} == {
            ("other", "voice"): 4,
            ("q0", "voice"): 1,
            ("q1", "voice"): 2,
        }
    await store.close()


async def test_totals_hold_their_value_when_the_store_was_rolled_back(
    reader: Reader, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    owner = await Owner.of(store)
    await owner.commit(queued("a"))
    await until(lambda: offered(reader) == 1)
    (old,) = (await redis_client.hgetall(keys.cells(P0, 0, 0))).items()
    await owner.commit(queued("b"))
    await until(lambda: offered(reader) == 2)
    await redis_client.hset(keys.cells(P0, 0, 0), *old)
    again = await Owner.of(store)
    await until(lambda: reader.health["t.0"].epoch == 2)
    assert offered(reader) == 2
    await again.commit(queued("c", "care"))
    await until(lambda: offered(reader, CARE) == 1)


async def test_settings_are_read_when_they_change(reader: Reader, store: RedisStore) -> None:
    await (await Owner.of(store)).commit(queued("a"))
    await until(lambda: reader.ready)
    assert rows(reader)[SALES].targets["abandonment"] == 0.05
    await store.apply_targets(Targets().with_queue("sales", targets={"abandonment": 0.5}))
    await until(lambda: rows(reader)[SALES].targets["abandonment"] == 0.5)


async def test_a_partition_with_a_foreign_key_is_named_and_the_others_go_on(
    reader: Reader, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    good, bad = await Owner.of(store), Partition("t", 1)
    await Owner.of(store, bad)
    await until(lambda: reader.ready)
    await redis_client.delete(keys.log(bad))
    await redis_client.set(keys.log(bad), "mine")
    await until(lambda: not reader.ready)
    await good.commit(queued("a"))
    await until(lambda: waiting(reader) == 1)
    await until(lambda: any("t.1" in reason and "log" in reason for reason in reader.reasons()))
    await redis_client.delete(keys.log(bad))
    await until(lambda: reader.ready)


async def test_a_redis_that_is_not_there_is_said_to_be_away() -> None:
    async with following(f"redis://127.0.0.1:{free_port()}/0") as reader:
        await until(lambda: reader.problem)
        assert reader.age_s() is None
        assert not reader.ready


async def test_the_mirror_tells_when_it_lags_behind_the_store(
    redis_url: str, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heartbeat of a second ago does not make a mirror fresh that has not read the log since."""
    owner = await Owner.of(store)
    monkeypatch.setattr(reader_module, "BLOCK_MS", 50)
    async with following(redis_url) as reader:
        await until(lambda: reader.ready)
        stuck = asyncio.Event()

        async def never(*_: object) -> bool:
            await stuck.wait()
            return True

        monkeypatch.setattr(reader, "_entry", never)
        await owner.commit(queued("a"))

        async def aged() -> bool:
            await owner.beat()
            return (reader.age_s() or 0) > 1.5

        await until(aged)


async def test_it_ends_whenever_it_is_told_to(redis_url: str) -> None:
    """The Redis client swallows a cancellation now and then."""
    for n in range(60):
        reader = Reader(redis_url)
        task = asyncio.create_task(reader.run())
        for _ in range(n):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled()
        await reader.close()


async def test_totals_of_a_store_that_was_wiped_begin_again(
    store: RedisStore, reader: Reader, redis_client: redis.asyncio.Redis, redis_url: str
) -> None:
    """`increase()` knows a counter that begins again; one that stands still until it is passed looks like silence."""
    owner = await Owner.of(store)
    await owner.commit(*(queued(f"a{n}") for n in range(5)))
    await until(lambda: offered(reader) == 5)
    await redis_client.flushdb()
    again = RedisStore(redis_url)
    owner = await Owner.of(again)
    await owner.commit(queued("b"))
    await until(lambda: offered(reader) == 1)
    await again.close()


async def test_a_number_that_went_to_another_name_before_anything_was_counted_under_it(
    redis_url: str, redis_client: redis.asyncio.Redis
) -> None:
    """Nothing that a reader mirrors steps back with a name that was only numbered."""
    mine, theirs = RedisStore(redis_url), RedisStore(redis_url)
    owner = await Owner.of(mine)
    await owner.commit(queued("a"))
    await mine.queues.learn(["lost"])
    async with following(redis_url) as reader:
        await until(lambda: reader.ready)
        await redis_client.hdel(keys.names("queue"), "lost")
        await theirs.queues.learn(["sales", "found"])
        await mine.queues.reload()
        await owner.commit(queued("b", "found"))
        await until(lambda: len(rows(reader)) == 2)
        await until(lambda: waiting(reader, ("found", "voice")) == 1)
        assert rows(reader).keys() == {SALES, ("found", "voice")}
    await mine.close()
    await theirs.close()


async def test_a_retired_name_is_not_shown_until_it_returns(
    reader: Reader, store: RedisStore, redis_client: redis.asyncio.Redis
) -> None:
    owner, then = await Owner.of(store), now_ms() - 3 * 86_400_000
    await owner.commit(queued("a", "care", at=then), LeftQueue(id="l", at=then + 1, contact_id="a"))
    await owner.commit(queued("b"))
    await until(lambda: rows(reader).keys() == {SALES, CARE})
    await redis_client.sadd(keys.retired("queue"), "care")
    await until(lambda: rows(reader).keys() == {SALES})
    assert (waiting(reader), offered(reader)) == (1, 1)
    again = await Owner.of(store)
    await again.commit(queued("c", "care"))
    await until(lambda: waiting(reader, CARE) == 1)
    assert offered(reader, CARE) == 2, "what was counted before is counted"
    await Owner.of(store)  # and so it is for whoever loads it anew
    await until(lambda: reader.health["t.0"].epoch == 3)
    assert (waiting(reader, CARE), offered(reader, CARE)) == (1, 2)


# --- more partitions ---


async def test_partitions_that_are_held_are_said(store: RedisStore, reader: Reader) -> None:
    await Owner.of(store)
    await until(lambda: reader.ready and not reader.reasons())
    await store.client.hset("kpi:topic:t", mapping={"keyed": 1, "found": 3, "since": 1})
    await until(
        lambda: "topic t has 3 partitions, but its contacts are counted by 1" in "".join(reader.reasons())
    )
    await store.client.hdel("kpi:topic:t", "found", "since")
    await until(lambda: not reader.reasons())


async def test_a_topic_that_was_left_keeps_its_counters_and_has_no_age(
    store: RedisStore, reader: Reader
) -> None:
    former = await Owner.of(store)
    await former.commit(queued("c"))
    await former.beat(ago=900_000)
    other = await Owner.of(store, Partition("new", 0))
    await until(lambda: (reader.age_s() or 0) > 600)
    await store.client.hset("kpi:topic:t", "moved", "new")
    await other.beat()
    await until(lambda: (age := reader.age_s()) is not None and age < 600)
    assert offered(reader) == 1


async def test_nothing_changes_while_somebody_looks_and_then_all_of_it_does(
    reader: Reader, store: RedisStore
) -> None:
    owner = await Owner.of(store)
    await owner.commit(queued("a"))
    await until(lambda: backlog(reader) == 1)
    async with reader.still:
        await owner.commit(queued("b"), queued("c", "new"))
        # It has read the commit, and stands at the door.
        await until(lambda: reader.still._waiters)
        assert backlog(reader) == 1
        assert ("new", "voice") not in reader.board.queues()
    await until(lambda: backlog(reader) == 2)
    assert ("new", "voice") in reader.board.queues()


def backlog(reader: Reader) -> int:
    waiting = reader.board.waiting.get(SALES)
    return len(waiting.queued) if waiting else 0
