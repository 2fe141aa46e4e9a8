"""What Redis does to us, on each version: it refuses, forgets, loses replies; never is half a commit stored."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from stream_app.errors import QuarantinedError, StoreUnavailableError
from stream_app.model.fold.seen import DAYS
from stream_app.model.ports import Beat
from stream_app.model.windows import RESOLUTIONS
from stream_app.store import keys
from stream_app.store.redis import RedisStore
from tests.services.process import until, wait_until
from tests.services.redis import VERSIONS, RedisServer

from .backends import P0, Real
from .hand import DAY, HOUR, MINUTE, SECOND, T0, Hand, abandoned, answered, left, queued
from .owner import Owner, now_ms

FOREIGN: dict[str, Callable[[Any, str], object]] = {
    "string": lambda client, key: client.set(key, "not ours"),
    "hash": lambda client, key: client.hset(key, "not", "ours"),
    "list": lambda client, key: client.rpush(key, "not ours"),
    "set": lambda client, key: client.sadd(key, "not ours"),
}
HOUR_NOW = T0 // HOUR * 60
COMMIT_KEYS = {
    "meta": keys.meta(P0),
    "visits": keys.visits(P0),
    "agents": keys.agents(P0),
    "log": keys.log(P0),
    "dead": keys.dead(P0),
    "results": keys.results(P0),
    "hours": keys.recent(P0),
    "an hour": keys.recent(P0, HOUR_NOW),
    "total": keys.cells(P0, 0, 0),
    **{f"index {size}": keys.index(P0, size) for size in RESOLUTIONS},
    **{f"bucket {size}": keys.cells(P0, size, T0) for size in RESOLUTIONS},
}
CLAIM_KEYS = [name for name in COMMIT_KEYS if not name.startswith(("index", "bucket", "total"))]


def make_foreign(real: Real, key: str) -> str:
    """Put something there that is of another type than ours; gives the type."""
    ours = real.client.type(key)
    kind = "list" if ours == b"none" else next(k for k in FOREIGN if k.encode() != ours)
    real.client.delete(key)
    FOREIGN[kind](real.client, key)
    return kind


@pytest.mark.parametrize("name", COMMIT_KEYS)
@pytest.mark.parametrize("existed", [False, True])
async def test_a_foreign_key_stops_a_commit_before_its_first_write(
    real: Real, name: str, existed: bool
) -> None:
    hand = await Hand.take(real.open())
    if existed:
        await hand.do(queued("a"), abandoned("a", 2), queued("b", 3))
    commit = hand.commit(queued("c", 4), abandoned("c", 5), queued("d", 6))
    healthy, key = real.dump(), COMMIT_KEYS[name]
    make_foreign(real, key)
    before = real.dump("kpi:{*")
    for _ in range(2):
        with pytest.raises(QuarantinedError, match=r"kpi:\{t\.0\}"):
            await hand.claim.apply(commit)
    assert real.dump("kpi:{*") == before
    real.client.delete(key)
    if key.encode() in healthy:
        real.client.restore(key, 0, healthy[key.encode()])
    await hand.claim.apply(commit)
    assert real.held().results == {"applied": 6 if existed else 3}


@pytest.mark.parametrize("name", CLAIM_KEYS)
async def test_a_foreign_key_stops_a_claim_and_the_owner_stays(real: Real, name: str) -> None:
    owner = await Hand.take(real.open())
    await owner.do(queued("a"), abandoned("a", 2))
    healthy, key = real.dump(), COMMIT_KEYS[name]
    make_foreign(real, key)
    before = real.dump()
    with pytest.raises(QuarantinedError, match=r"kpi:\{t\.0\}"):
        await Hand.take(real.open())
    assert real.dump() == before
    real.client.delete(key)
    if key.encode() in healthy:
        real.client.restore(key, 0, healthy[key.encode()])
    await owner.do(queued("b", 5))
    assert (await Hand.take(real.open())).claim.position == 3


@pytest.mark.parametrize(
    "key", [keys.PARTITIONS, *map(keys.names, ("queue", "channel", "counter")), keys.SETTINGS]
)
async def test_a_foreign_key_among_the_shared_ones(real: Real, key: str) -> None:
    make_foreign(real, key)
    if key == keys.SETTINGS:
        real.client.delete(key)
        real.client.rpush(key, "x")
    before = real.dump("kpi:{*"), real.dump(key)
    with pytest.raises(QuarantinedError):
        await (await Hand.take(real.open())).do(queued("a"))
    if key in (keys.names("queue"), keys.names("channel")):  # met after the claim
        before = {}, before[1]
        real.client.delete(keys.meta(P0), keys.log(P0))
    assert (real.dump("kpi:{*"), real.dump(key)) == before


async def test_a_foreign_heartbeat_key(real: Real) -> None:
    hand = await Hand.take(real.open())
    make_foreign(real, keys.beat(P0))
    with pytest.raises(QuarantinedError):
        await hand.claim.beat(Beat(heard_ago=0, clock=0, owner="x", position=0, end=0, read_at=0))


async def test_a_heartbeat_that_lay_in_a_buffer_is_as_old_as_it_is() -> None:
    """Redis stood still: what it is told of before that says nothing of now."""
    with RedisServer() as server:
        store = RedisStore(server.url)
        owner = await Owner.of(store)
        for ahead in (0, 3_600_000):  # whatever the worker's clock says
            sent = now_ms()
            server.pause()
            late = asyncio.create_task(owner.beat(ahead=ahead))
            await until(lambda: now_ms() - sent > 1_500)  # noqa: B023 - awaited here
            server.resume()
            found = await late
            stood_still = now_ms() - sent
            at = int(await store.client.hget(keys.beat(P0), "at"))
            assert at - sent < stood_still / 2
            assert abs(found - ahead) < stood_still / 2
        await store.close()


# --- Redis refuses for a while ---


@pytest.fixture(params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A Redis that may be spoilt."""
    # A directory where the snapshot should be: BGSAVE fails.
    with RedisServer(request.param, aof=False, args=["--dbfilename", "taken"]) as server:
        (server.directory / "taken").mkdir()
        yield server


@pytest.fixture
async def spoilt(server: RedisServer) -> AsyncIterator[Real]:
    """It, as a backend."""
    real = Real(server.url)
    yield real
    await real.close()


def out_of_memory(client: Any) -> Callable[[], object]:
    client.config_set("maxmemory", "1mb")
    client.config_set("maxmemory", "100kb")
    return lambda: client.config_set("maxmemory", "0")


def read_only(client: Any) -> Callable[[], object]:
    client.replicaof("127.0.0.1", "1")
    return lambda: client.replicaof("no", "one")


def misconfigured(client: Any) -> Callable[[], object]:
    client.config_set("save", "3600 1")
    client.bgsave()

    def failed() -> bool:
        return bool(client.info("persistence")["rdb_last_bgsave_status"] == "err")

    wait_until(failed)
    return lambda: client.config_set("save", "")


REFUSALS = {"OutOfMemory|OOM": out_of_memory, "ReadOnly|READONLY": read_only, "MISCONF": misconfigured}


@pytest.mark.parametrize("word", REFUSALS)
async def test_a_refusal_stores_nothing_and_passes(spoilt: Real, word: str) -> None:
    store = spoilt.open()
    hand = await Hand.take(store)
    await hand.do(queued("a"), queued("b"))
    commits = [hand.commit(answered("a", 5), queued("c", 6, "a new name")), hand.commit(answered("b", 7))]
    heal = REFUSALS[word](spoilt.client)
    before = spoilt.dump()
    for _ in range(3):
        with pytest.raises(StoreUnavailableError, match=word):
            await hand.claim.apply(commits[0])
    with pytest.raises(StoreUnavailableError, match=word):
        await spoilt.open().claim(P0, "x")
    with pytest.raises(StoreUnavailableError, match=word):
        await hand.claim.beat(Beat(heard_ago=0, clock=0, owner="x", position=0, end=0, read_at=0))
    assert spoilt.dump() == before
    heal()
    for commit in commits:
        await hand.claim.apply(commit)
    held = spoilt.held()
    assert held.cells[0, 0, "sales", "voice"]["answered"] == 2
    assert held.results == {"applied": 5}


@pytest.mark.parametrize("version", VERSIONS)
async def test_loading(version: str) -> None:
    """It has come back, but not with its data yet."""
    slow = ["--key-load-delay", "500", "--rdbcompression", "no"]
    with RedisServer(version, aof=False, args=slow) as server:
        real = Real(server.url)
        hand = await Hand.take(real.open())
        await hand.do(queued("a"))
        # It answers every two megabytes.
        real.client.mset({f"filler {n}": "x" * 4_000 for n in range(6_000)})
        commit = hand.commit(answered("a", 5))
        real.client.save()
        server.kill()
        server.launch()
        refused: list[str] = []

        async def applied() -> bool:
            try:
                await hand.claim.apply(commit)
            except StoreUnavailableError as error:
                refused.append(str(error))
                return False
            return True

        await until(applied, 20)
        assert any("loading" in text for text in refused)
        assert real.held().results == {"applied": 2}
        await real.close()


async def test_ids_of_a_minute_that_has_not_come_are_of_the_partitions_day(real: Real) -> None:
    """A former version stored them so while partition time stood still; three days later the worker goes on."""
    hand = await Hand.take(real.open())
    await hand.do(queued("a", 0), left("a", 1))
    tomorrow = (T0 // DAY + 1) * DAY // MINUTE
    client: Any = real.client
    client.append(keys.recent(P0, tomorrow), b"12345678")
    client.zadd(keys.recent(P0), {str(tomorrow): tomorrow})
    hand = await Hand.take(real.open())
    assert [*hand.claim.memory.recent.days] == [T0 // DAY]
    assert b"12345678" in hand.claim.memory.recent
    for day in range(1, 6):
        await hand.do(queued(f"c{day}", day * DAY / SECOND), left(f"c{day}", day * DAY / SECOND))
    assert len(hand._fold.state.recent.days) == DAYS
