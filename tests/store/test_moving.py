"""Contacts move between partitions all at once or not at all, whoever comes between."""

from collections.abc import Mapping
from typing import Any

import pytest

from stream_app.errors import FencedError
from stream_app.model.durations import DAY, MINUTE
from stream_app.model.ports import Partition
from stream_app.store import keys, moving as moves
from stream_app.store.codec import DAYS_FROM, unpack_visits
from stream_app.store.moving import Moving, Target
from stream_app.store.redis import RedisStore

from .hand import T0, Hand, answered, queued, told


@pytest.fixture
def client(store: RedisStore) -> Any:
    return store.client


P0, P1, P2 = (Partition("t", n) for n in range(3))


async def count(store: RedisStore, partition: Partition, *contacts: str, at_s: float = 0) -> Hand:
    """Contacts come."""
    hand = await Hand.take(store, partition)
    await hand.do(*(queued(contact, at_s + n) for n, contact in enumerate(contacts)))
    return hand


async def staged(moving: Moving, source: Partition, targets: Mapping[str, Partition]) -> None:
    async for _ in moving.stage(source, targets):
        pass


async def test_a_contact_that_is_open_in_several_partitions_keeps_all_visits(
    store: RedisStore, client: Any
) -> None:
    await count(store, P0, "both", at_s=50)
    await count(store, P1, "both", "b")
    moving = Moving(client)
    for partition in (P0, P1, P2):
        await moving.hold(partition)
    await staged(moving, P0, {"both": P2})
    await staged(moving, P1, {"both": P2, "b": P1})
    await moving.merge("both", [P0, P1], P2)
    await moving.move("t", "t", 3, [Target(P0, 0), Target(P1, 1), Target(P2, 1, 0, T0)])
    visits = unpack_visits(await client.hget("kpi:{t.2}:visits", "both"))
    assert [v.queued_at for v in visits] == [T0, T0 + 50_000], "oldest first"
    assert await client.hkeys("kpi:{t.1}:visits") == [b"b"]
    assert not await client.exists("kpi:{t.0}:visits")
    assert not await client.keys("*:next")


async def test_agents_move_with_contacts_and_what_is_not_prepared_stops_all(
    store: RedisStore, client: Any
) -> None:
    hands = [await count(store, partition, name) for partition, name in ((P0, "a"), (P1, "b"))]
    for hand, agent in zip(hands, ("g", "h"), strict=True):
        await hand.do(told(agent, "available", 5))
    moving = Moving(client)
    for partition in (P0, P1, P2):
        await moving.hold(partition)
    known = {**await moving.agents(P0), **await moving.agents(P1)}
    await staged(moving, P0, {"a": P0})
    await staged(moving, P1, {"b": P1})
    await moving.stage_agents(P2, known)
    before = {key: await client.dump(key) for key in await client.keys("kpi:*")}
    with pytest.raises(FencedError, match=r"t\.1"):
        await moving.move(
            "t", "t", 3, [Target(P0, 1), Target(P1, 1, agents=1), Target(P2, 0, 0, T0, agents=2)]
        )
    assert before == {key: await client.dump(key) for key in await client.keys("kpi:*")}
    await moving.move("t", "t", 3, [Target(P0, 1), Target(P1, 1), Target(P2, 0, 0, T0, agents=2)])
    assert [await moving.agents(partition) for partition in (P0, P1, P2)] == [{}, {}, known]
    assert (await store.claim(P2, "x")).memory.agents == known
    assert not await client.keys("*:next*")


async def test_a_claim_in_between_stops_it_and_nothing_has_changed(store: RedisStore, client: Any) -> None:
    await count(store, P0, "a", "b")
    moving = Moving(client)
    await moving.hold(P0)
    await moving.hold(P1)
    await staged(moving, P0, {"a": P0, "b": P1})
    hand = await Hand.take(store, P0)
    before = {key: await client.dump(key) for key in await client.keys("kpi:*") if b":next" not in key}
    with pytest.raises(FencedError, match=r"t\.0 was claimed meanwhile"):
        await moving.move("t", "t", 2, [Target(P0, 1), Target(P1, 1, 0, T0)])
    assert before == {key: await client.dump(key) for key in before}
    await hand.do(answered("a", 30))
    for write in (moving.merge("a", [P0], P0), moving.remember(Target(P0, 0, 0, T0), [P0])):
        with pytest.raises(FencedError):
            await write


async def test_a_former_owner_is_refused_and_another_run_too(store: RedisStore, client: Any) -> None:
    hand = await count(store, P0, "a")
    first, second = Moving(client), Moving(client)
    await first.hold(P0)
    with pytest.raises(FencedError):
        await hand.do(answered("a", 10))
    await staged(first, P0, {"a": P0})
    await second.hold(P0)
    with pytest.raises(FencedError):
        await first.move("t", "t", 1, [Target(P0, 1)])
    with pytest.raises(FencedError, match=r"t\.0"):  # what the first one made ready is not the second one's
        await second.move("t", "t", 1, [Target(P0, 1)])


async def test_ids_that_recur_come_along_with_their_days(store: RedisStore, client: Any) -> None:
    day = T0 // DAY
    for number, (when, mark) in enumerate([(day - 1, b"a" * 8), (day, b"b" * 8), (day, b"c" * 8)]):
        source = f"kpi:{{t.{number % 2}}}:r"
        await client.append(f"{source}:{DAYS_FROM + when}", mark)
        await client.zadd(source, {str(DAYS_FROM + when): DAYS_FROM + when})
    moving = Moving(client)
    await moving.hold(P2)
    await moving.remember(Target(P2, 0, 0, T0), [P0, P1])
    memory = (await store.claim(P2, "x")).memory
    assert len(memory.recent) == 0
    found = {when: sorted(marks) for when, marks in memory.lasting.items()}
    assert found == {day - 1: [b"a" * 8], day: [b"b" * 8, b"c" * 8]}


async def test_event_ids_come_along_the_newest_first_and_none_from_the_future(
    store: RedisStore, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    minute, day = T0 // MINUTE, T0 // DAY
    for number, (when, marks) in enumerate(
        [(minute - DAY // MINUTE, b"a" * 8), (minute, b"b" * 8), (minute + DAY // MINUTE, b"c" * 8)]
    ):
        source = f"kpi:{{t.{number % 2}}}:r"
        await client.set(f"{source}:{when}", marks)
        await client.zadd(source, {str(when): when})
    moving = Moving(client)
    await client.hset(keys.meta(P2), "time", T0)  # as the move itself will
    await moving.hold(P2)
    for _ in range(2):  # done again it is the same
        await moving.remember(Target(P2, 0, 0, T0), [P0, P1])
    claim = await store.claim(P2, "x")
    assert claim.memory.recent.days == {day - 1: [b"a" * 8], day: [b"b" * 8, b"c" * 8]}
    monkeypatch.setattr(moves, "RECENT_MAX", 5_000)
    many = b"".join(n.to_bytes(8, "big") for n in range(5_000))
    await client.set(f"kpi:{{t.0}}:r:{minute}", many)
    await client.zadd("kpi:{t.0}:r", {str(minute): minute})
    await moving.hold(P2)
    await moving.remember(Target(P2, 0, 0, T0), [P0, P1])
    known = (await store.claim(P2, "x")).memory.recent
    assert len(known) == 5_000
    assert b"a" * 8 not in known, "the oldest goes first"
