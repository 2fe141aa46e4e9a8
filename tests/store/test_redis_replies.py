"""Redis forgets scripts, loses replies, hangs, and is rolled back: what is counted is counted once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from stream_app.errors import FencedError, QuarantinedError, StoreUnavailableError
from stream_app.ingest.partition import BACKOFF_S
from stream_app.model.fold.visit import VisitState
from stream_app.model.ports import Beat, DeadLetter
from stream_app.model.targets import Overrides, Targets
from stream_app.store import keys, redis as redis_store
from stream_app.store.client import connect
from stream_app.store.names import Names
from stream_app.store.redis import RedisStore
from tests.services.proxy import FaultProxy

from .backends import P0, P1, Real
from .hand import HOUR, SECOND, Hand, answered, left, queued


async def test_scripts_that_were_flushed_are_sent_again(real: Real) -> None:
    hand = await Hand.take(real.open())
    for n in range(3):
        real.client.script_flush()
        await hand.do(queued(f"c{n}", n))
        real.client.script_flush()
        hand = await Hand.take(real.open())
    assert real.held().results == {"applied": 3}


@pytest.fixture
async def proxied(real: Real) -> AsyncIterator[tuple[FaultProxy, RedisStore]]:
    """A way to Redis that can be cut, and a store that goes by it."""
    port = int(real.client.connection_pool.connection_kwargs["port"])
    async with FaultProxy(port) as proxy:
        store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        yield proxy, store
        await store.close()


async def test_a_lost_reply_is_asked_for_again_and_counted_once(
    real: Real, proxied: tuple[FaultProxy, RedisStore]
) -> None:
    proxy, store = proxied
    hand = await Hand.take(store)
    await hand.do(queued("first"))  # the script is known from here on
    for n in range(1, 11):
        commit = hand.commit(queued(f"c{n}", n))
        proxy.drop_replies(1, matching=commit.batch.encode())
        with pytest.raises(StoreUnavailableError):
            await hand.claim.apply(commit)
        assert real.held().position == n + 1, "it was done, and nobody was told"
        await hand.claim.apply(commit)
        await hand.claim.apply(commit)
    assert proxy.counts["replies_dropped"] == 10
    held = real.held()
    assert held.results == {"applied": 11}
    assert held.cells[0, 0, "sales", "voice"] == {"offered": 11}


async def test_a_heartbeat_beside_a_lost_reply_is_no_rollback(
    proxied: tuple[FaultProxy, RedisStore],
) -> None:
    """The store is ahead of what the owner was told; asking again will tell."""
    proxy, store = proxied
    hand = await Hand.take(store)
    await hand.do(queued("first"))
    beat = Beat(heard_ago=0, clock=0, owner="me", position=1, end=2, read_at=0)
    await hand.claim.beat(beat)
    commit = hand.commit(queued("a"))
    proxy.drop_replies(1, matching=commit.batch.encode())
    with pytest.raises(StoreUnavailableError):
        await hand.claim.apply(commit)
    await hand.claim.beat(beat)
    await hand.claim.apply(commit)
    await hand.claim.beat(beat)


async def test_the_library_repeats_nothing_by_itself(
    real: Real, proxied: tuple[FaultProxy, RedisStore]
) -> None:
    proxy, store = proxied
    client = store.client
    for n in range(5):
        proxy.drop_replies(1, matching=b"counted")
        with pytest.raises(redis.asyncio.ConnectionError):
            await client.incr("counted")
        assert int(real.client.get("counted") or 0) == n + 1


async def test_while_it_is_away_every_answer_is_the_same(
    real: Real, proxied: tuple[FaultProxy, RedisStore]
) -> None:
    proxy, store = proxied
    hand = await Hand.take(store)
    commit = hand.commit(queued("a"), queued("b", queue="another"))
    proxy.refuse()
    for attempt in (
        lambda: hand.claim.apply(commit),
        lambda: hand.claim.beat(Beat(heard_ago=0, clock=0, owner="x", position=0, end=0, read_at=0)),
        lambda: store.claim(P1, "x"),
        store.targets_version,
        lambda: store.apply_targets(Targets(defaults=Overrides(zone="UTC"))),
    ):
        with pytest.raises(StoreUnavailableError):
            await attempt()
    await proxy.heal()
    await hand.claim.apply(commit)
    assert real.held().results == {"applied": 2}
    assert list(BACKOFF_S) == sorted(BACKOFF_S)


async def test_a_server_that_hangs_is_given_up_on(proxied: tuple[FaultProxy, RedisStore]) -> None:
    proxy, store = proxied
    hand = await Hand.take(store)
    impatient = connect(f"redis://127.0.0.1:{proxy.port}/0", timeout_s=0.1)
    names = Names(impatient, "queue")
    await names.reload()
    proxy.blackhole()
    with pytest.raises(StoreUnavailableError):
        await names.learn(["x"])
    await proxy.heal()
    assert await names.learn(["x"]) == {"other": 0, "x": 1}
    await hand.do(queued("a"))
    await impatient.aclose()


# --- names after a rollback ---


async def test_a_number_that_a_rollback_took_back_is_not_shared(real: Real) -> None:
    """Two queues in one cell could never be told apart again."""
    mine, theirs = real.open(), real.open()
    hand, other = await Hand.take(mine, P0), await Hand.take(theirs, P1)
    await hand.do(queued("a", 0, "first"))
    before = real.dump()
    await hand.do(queued("b", 1, "lost"))
    real.client.flushall()
    for key, value in before.items():
        real.client.restore(key, 0, value)
    await other.do(queued("a", 0, "found"))
    again = await Hand.take(mine, P0, known=2)
    await again.do(queued("b", 1, "lost"), queued("c", 2, "found"))
    offered = {p[2]: cell["offered"] for p, cell in real.held(P0).cells.items() if not p[0]}
    assert offered == {"first": 1, "lost": 1, "found": 1}
    assert {p[2] for p in real.held(P1).cells} == {"found"}


async def test_a_registry_that_was_wiped_is_written_again(real: Real) -> None:
    """The worker goes on only if it is told to; then readers must know its counters."""
    store = real.open()
    await (await Hand.take(store)).do(queued("a"))
    real.client.flushall()
    await (await Hand.take(store, known=1)).do(queued("a"))
    assert real.held().cells[0, 0, "sales", "voice"] == {"offered": 1}
    assert real.held().rollbacks == 1


async def test_a_version_of_the_settings_without_its_document_is_not_guessed(real: Real) -> None:
    store = real.open()
    await store.apply_targets(Targets(defaults=Overrides(answer_target_s=5.0)))
    real.client.delete(keys.settings(1))
    with pytest.raises(QuarantinedError, match="kpi:settings:1"):
        await Hand.take(store)


# --- bounds ---


async def test_the_log_and_the_dead_letters_are_bounded(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_store, "LOG_BYTES", 2_000)
    monkeypatch.setattr(redis_store, "DEAD_KEPT", 100)
    hand = await Hand.take(real.open())
    for n in range(100):
        letters = [DeadLetter(n, "not_json", "byte 0", b"{" * 50) for _ in range(10)]
        await hand.do(queued(f"c{n}", n), dead=letters)
    client: Any = real.client
    assert client.xlen(keys.log(P0)) < 40
    assert client.xlen(keys.dead(P0)) < 300
    assert real.held().results == {"applied": 100}


async def test_a_commit_of_many_cells_visits_and_letters(real: Real) -> None:
    """More than Lua's stack takes at once."""
    hand = await Hand.take(real.open(queue_cap=20_000))
    events = [queued(f"c{n}", n / 100, f"q{n}") for n in range(9_000)]
    await hand.do(*events)
    await hand.do(*(left(f"c{n}", 100 + n / 100) for n in range(9_000)))
    held = real.held()
    assert {visit[2] for visits in held.visits.values() for visit in visits} == {VisitState.ENDED}
    assert sum(cell["offered"] for place, cell in held.cells.items() if not place[0]) == 9_000
    assert sum(map(len, held.recent.values())) == 9_000
    again = await Hand.take(real.open(queue_cap=20_000))
    assert len(again.claim.memory.recent) == 9_000


async def test_a_zombie_can_not_even_spoil_the_log(real: Real) -> None:
    zombie = await Hand.take(real.open())
    await zombie.do(queued("a"))
    await Hand.take(real.open())
    before = real.dump("kpi:{*")  # names are shared and add-only: all that a zombie may add to
    commit = zombie.commit(answered("a", HOUR / SECOND))
    with pytest.raises(FencedError):
        await zombie.claim.apply(commit)
    assert real.dump("kpi:{*") == before
