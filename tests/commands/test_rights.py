"""The users that docs/operations.md describes: each can do what it is for, and has no right that it does not need."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from stream_app.commands.check import redis as check_redis
from stream_app.errors import StoreUnavailableError
from stream_app.model.durations import DAY
from stream_app.model.live.callbacks import Taken
from stream_app.model.ports import DeadLetter
from stream_app.model.targets import Overrides, Targets
from stream_app.store import admin, dead_letters, keys
from stream_app.store.callbacks import RedisCallbacks
from stream_app.store.client import connect
from stream_app.store.codec import pack_visits
from stream_app.store.intervals.commands import IntervalStore
from stream_app.store.intervals.publisher import Publisher
from stream_app.store.intervals.reader import IntervalReader
from stream_app.store.intervals.retiring import Retiring
from stream_app.store.moments import Moments
from stream_app.store.outbox import Outboxes
from stream_app.store.people import OpenPeople
from stream_app.store.reader import Reader
from stream_app.store.redis import RedisStore
from stream_app.store.schedules import RedisSchedules
from tests.services.command import run_command
from tests.services.process import HOST, free_port, until
from tests.services.redis import VERSIONS, RedisServer
from tests.store.backends import P0, P1, Real
from tests.store.hand import T0, Hand, abandoned, answered, left, queued
from tests.store.office import Office

PAGE = Path(__file__).parents[2] / "docs/operations.md"
RECIPES = dict(re.findall(r"^ACL SETUSER (\w+) (.+)$", PAGE.read_text(), re.MULTILINE))
SECRET = "hunter2-canary"  # noqa: S105 - a test's


def rights(program: str) -> set[str]:
    return {part[1:] for part in RECIPES[program].split() if part.startswith("+")}


@pytest.fixture(params=VERSIONS)
async def server(request: pytest.FixtureRequest) -> AsyncIterator[RedisServer]:
    with RedisServer(request.param) as running:
        yield running


def user(server: RedisServer, program: str, *more: str) -> str:
    """Make the user; gives its address."""
    words = RECIPES[program].replace("…", SECRET).split()
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", program, "reset", *words, *more)
    return server.url.replace("redis://", f"redis://{program}:{SECRET}@").replace(
        "/0", "/1" if not more else "/0"
    )


def called(server: RedisServer) -> set[str]:
    with server.client() as client:
        stats: Any = client.info("commandstats")
    names = {
        name.removeprefix("cmdstat_") for name, of in stats.items() if of["calls"] > of["rejected_calls"]
    }
    return names | {"script|load"} if "script" in names else names


async def work(url: str) -> None:
    """All that workers and those who change things do."""
    real = Real(url)
    store = RedisStore(url, queue_cap=3)
    office = Office(real, store, IntervalReader(url), queue_cap=3)
    await store.apply_targets(Targets(defaults=Overrides(answer_target_s=5.0)))
    schedule = RedisSchedules(url)
    await schedule.apply(b"[]")
    await office.do(queued("a", 0, "one"), abandoned("a", 5), queued("b", 7, "two"))
    await office.do(answered("b", 30), queued("c", 40, "three"), left("c", 41))
    await office.beat(T0 + DAY, P0, P1)
    await office.publisher().round()
    await office.do(queued("d", 41 * 86_400, "four"))
    store.queues.full = False
    await store.queues.reload()
    office.clock = T0 + 42 * DAY
    await office.beat(office.clock, P0, P1)
    publisher = Publisher(
        IntervalStore(url), lambda: office.clock, reader=office.reader, retiring=Retiring(store.client, 3)
    )
    await asyncio.sleep(0)
    await store.client.hset("kpi:{rows}:meta", "until", 0)
    await publisher.round()
    names = {name.decode() for name in await store.client.smembers("kpi:names:queue:retired")}
    assert names, "somebody was retired"
    hand = await Hand.take(store, P1)
    await hand.do(queued("e", 42 * 86_400, min(names)))
    await admin.last_beat(store.client, P0)
    await admin.start_over(store.client, P0, 0, T0)
    await schedule.close()
    await publisher.release()
    for published in office.opened:
        await published.close()
    await office.store.close()
    real.client.close()


async def look(url: str) -> None:
    """All that ``serve``, and programs that read, do."""
    reader, rows, schedule, store = Reader(url), IntervalReader(url), RedisSchedules(url), RedisStore(url)
    moments = Moments(url)
    task = asyncio.create_task(reader.run())
    await until(lambda: reader.ready or reader.problem or task.done())
    assert reader.ready, reader.problem
    await until(lambda: reader.health["t.1"].seq)
    assert await rows.rows(0, 4_000_000_000_000)
    assert await rows.since(0, 1_000)
    assert await rows.rows(0, 4_000_000_000_000, ["one"])
    await rows.state()
    await rows.newest()
    await rows.stretch()
    await schedule.current()
    await schedule.seen()
    await store.current_targets()
    assert [(await moments.read(one, since=0)).seq > 0 for one in await moments.partitions()] == [True, True]
    assert (await moments.names())["queue"]
    callbacks = RedisCallbacks(url)
    await callbacks.take("a", 0, Taken("Anna", T0))
    await callbacks.give_back("a", 0, "Anna")
    await callbacks.close()
    task.cancel()
    await asyncio.wait([task])
    for one in (reader, rows, schedule, store, moments):
        await one.close()


async def write_ledger(url: str) -> None:
    """All that the writer of the ledger does."""
    outboxes, token = Outboxes(url), "token"
    async with connect(url.replace("redis://ledger", "redis://worker")) as worker:
        await worker.sadd(keys.PARTITIONS, str(P0))
        await worker.xadd(keys.outbox(P0), {"to": 1, "rows": b"rows"})
    (partition,) = await outboxes.partitions()
    assert await outboxes.lease(partition, token, 1_000)
    (page,) = [page async for page in outboxes.pages(partition)]
    assert (await outboxes.standing(partition)).entries == 1
    assert await outboxes.remove(partition, [(entry.id, entry.digest) for entry in page]) == 1
    await outboxes.release(partition, token)
    async with connect(url.replace("redis://ledger", "redis://worker")) as worker:
        await worker.hset(keys.meta(P0), mapping={"epoch": 1, "seq": 1})
        await worker.hset(keys.visits(P0), "c", pack_visits(()))
    people = OpenPeople(url)
    assert [contact async for contact, _, _ in people.visits(partition)] == ["c"]
    assert not await people.are_logged(partition, ["c"])
    assert await people.blank(partition, [("c", pack_visits(()), b"new")]) == 1
    assert not await outboxes.waits(partition, await outboxes.latest(partition))
    await people.close()
    await outboxes.close()


async def test_the_ledgers_user_can_do_what_it_is_for_and_nothing_else(server: RedisServer) -> None:
    url = user(server, "ledger")
    user(server, "worker")
    with server.client() as client:
        client.config_resetstat()
    await write_ledger(url)
    assert rights("ledger") - called(server) == set(), "rights that nobody needs"


async def test_each_user_can_do_what_it_is_for_and_nothing_else(server: RedisServer) -> None:
    programs: dict[str, Callable[[str], Any]] = {"worker": work, "serve": look}
    for program, everything in programs.items():
        url = user(server, program)
        with server.client() as client:
            client.config_resetstat()
        await everything(url)
        found = await check_redis.look(url, writes=program == "worker")
        assert {str(f) for f in found if f.status != "ok"} == set()
        assert rights(program) - called(server) == set(), "rights that nobody needs"


async def test_check_says_that_a_reader_is_no_worker(server: RedisServer) -> None:
    found = {f.what: f for f in await check_redis.look(user(server, "serve"))}
    assert [what for what, f in found.items() if f.status == "fail"] == ["redis scripts"]
    assert "serve may work, but a worker would not" in str(found["redis scripts"])
    assert "check --for serve" in str(found["redis scripts"])


@pytest.mark.parametrize("missing", ["-xread", "-scard", "resetkeys"])
async def test_check_says_what_a_reader_lacks(server: RedisServer, missing: str) -> None:
    found = await check_redis.look(user(server, "serve", missing), writes=False)
    failed = [f for f in found if f.status == "fail"]
    assert [f.what for f in failed] == ["redis reading"]
    assert "docs/operations.md#rights-in-redis" in str(failed[0])


async def test_check_says_what_a_worker_may_not_write(server: RedisServer) -> None:
    found = await check_redis.look(user(server, "worker", "-@write"))
    assert "redis scripts" in {f.what for f in found if f.status == "fail"}


async def test_check_for_serve_needs_no_more_than_serve(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No right to write, no Kafka; and a replica does."""
    monkeypatch.setenv("REDIS_URL", user(server, "serve"))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"{HOST}:{free_port()}")
    with server.client() as client:
        client.replicaof(HOST, str(free_port()))
    done = [await asyncio.to_thread(run_command, "check", *more) for more in (["--for", "serve"], [])]
    assert [(one.returncode, one.stderr) for one in done] == [(0, ""), (1, "")], done[0].stdout
    assert "ok    redis role          replica" in done[0].stdout
    assert "kafka" not in done[0].stdout
    failed = [line.split("  ")[1].strip() for line in done[1].stdout.splitlines() if line.startswith("fail")]
    assert failed == ["kafka", "redis role", "redis scripts"]


async def test_a_reader_may_list_dead_letters_and_a_right_to_remove_them_is_missed_before_any_is_sent(
    server: RedisServer,
) -> None:
    store = RedisStore(user(server, "worker"))
    await (await Hand.take(store)).do(queued("a"), dead=[DeadLetter(1, "invalid", "missing", b"x")])
    await store.close()
    async with connect(user(server, "serve")) as client:
        (partition,) = await dead_letters.partitions_of(client, P0.topic)
        (letter,) = [letter async for letter in dead_letters.read(client, partition)]
    for more, removes in (((), False), (("~kpi:*", "+xdel"), True)):
        async with connect(user(server, "worker", *more).replace("/0", "/1")) as client:
            if not removes:
                with pytest.raises(StoreUnavailableError, match="xdel"):
                    await dead_letters.check_may_remove(client, partition)
                continue
            await dead_letters.check_may_remove(client, partition)
            await dead_letters.remove(client, [letter])
            assert [each async for each in dead_letters.read(client, partition)] == []
