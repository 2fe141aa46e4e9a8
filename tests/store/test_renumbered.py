"""Redis steps back between the numbering of a name and what is stored under it: two names never share a number for good."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from stream_app.errors import RenumberedError, StoreUnavailableError
from stream_app.ingest.partition import MUST_CLAIM_AGAIN
from stream_app.model.events import Queued
from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.kpis import STORED
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.intervals import publisher as publisher_module
from stream_app.store.redis import RedisStore
from tests.services.proxy import FaultProxy

from .backends import P0, P1, Real
from .hand import HOUR, MINUTE, T0, Hand, answered, left, queued
from .office import Office, by_key


def history(real: Real) -> Callable[[], None]:
    """Remember all that Redis holds, names too; call what is given to step back to it."""
    client: Any = real.client
    found = client.keys("*")
    asking = client.pipeline(transaction=False)
    for key in found:
        asking.dump(key)
    values = asking.execute()

    def restore() -> None:
        pipe = client.pipeline()
        pipe.flushall()
        for key, value in zip(found, values, strict=True):
            pipe.restore(key, 0, value)
        pipe.execute()

    return restore


def offered(real: Real, partition: Partition, place: int = 2) -> dict[str, int]:
    """How many came, by queue (2) or channel (3)."""
    out: Counter[str] = Counter()
    for found, cell in real.held(partition).cells.items():
        if not found[0]:
            out[str(found[place])] += cell.get("offered", 0)
    return dict(out)


@pytest.mark.parametrize("kind", ["queue", "channel"])
async def test_a_number_that_went_to_another_name_before_the_commit(real: Real, kind: str) -> None:
    mine, theirs = real.open(), real.open()
    hand, other = await Hand.take(mine, P0), await Hand.take(theirs, P1)
    commit = hand.commit(queued("a", 0, **{kind: "lost"}))
    before = history(real)
    names = mine.queues if kind == "queue" else mine.channels
    assert (await names.learn(["lost"]))["lost"] == 1
    before()
    await other.do(queued("b", 0, **{kind: "found"}))
    stored = real.dump("kpi:{t.0}*")
    with pytest.raises(RenumberedError, match=f"{kind} 'lost'"):
        await hand.claim.apply(commit)
    assert real.dump("kpi:{t.0}*") == stored, "nothing was written under a wrong number"
    again = await Hand.take(mine, P0)
    await again.do(queued("a", 0, **{kind: "lost"}))
    place = 2 if kind == "queue" else 3
    assert offered(real, P0, place) == {"lost": 1}
    assert offered(real, P1, place) == {"found": 1}


async def test_numbers_of_counters_that_went_to_others_before_the_first_commit(real: Real) -> None:
    """What another version counts, under the numbers of ours: all of it would be read as something else."""
    store = real.open()
    hand = await Hand.take(store)
    client, registry = real.client, keys.names("counter")
    numbers: Any = client.hgetall(registry)
    client.delete(registry)
    client.hset(registry, "of another version", 1)
    commit = hand.commit(queued("a"))
    with pytest.raises(RenumberedError, match="counter"):
        await hand.claim.apply(commit)
    await (await Hand.take(store)).do(queued("a"))
    assert real.held().cells[0, 0, "sales", "voice"] == {"offered": 1}
    assert len(numbers) == len(STORED)


async def test_what_a_commit_has_confirmed_is_not_asked_about_again(real: Real) -> None:
    """A steady stream costs nothing: no step back can take away a name and leave the commit that used it."""
    hand = await Hand.take(real.open())
    await hand.do(queued("a"))
    client: Any = real.client
    for kind in ("queue", "channel", "counter"):
        client.delete(keys.names(kind))
    await hand.do(queued("b"))
    assert client.hget(keys.meta(P0), "position") == b"2"
    with pytest.raises(RenumberedError):  # this one is new, and it would have to be there
        await hand.claim.apply(await _numbered_and_lost(real, hand))


async def _numbered_and_lost(real: Real, hand: Hand) -> Any:
    commit = hand.commit(queued("c", 0, "another"))
    store = real.stores[0]
    await store.queues.learn(["another"])
    real.client.delete(keys.names("queue"))
    return commit


async def test_a_name_that_was_not_used_for_a_day_is_asked_about_again(real: Real) -> None:
    """Meanwhile it may have been retired."""
    store = real.open()
    hand = await Hand.take(store)
    await hand.do(queued("a"), left("a", 1), queued("b", 1, "often"))
    real.client.sadd(keys.retired("queue"), "sales")
    await hand.do(queued("c", 3_600, "often"))
    await hand.do(queued("d", 80_000), left("d", 80_001))  # not long enough ago
    await hand.do(queued("e", 2 * 86_400, "often"))
    with pytest.raises(RenumberedError, match="'sales'"):
        await hand.do(queued("f", 2 * 86_400))
    again = await Hand.take(store)
    await again.do(queued("f", 2 * 86_400))
    assert not real.client.exists(keys.retired("queue"))
    assert real.registry("queue") == {1: "often", 2: "sales"}, "it has its own number again"


async def test_a_lost_reply_is_no_renumbering(real: Real) -> None:
    port = int(real.client.connection_pool.connection_kwargs["port"])
    async with FaultProxy(port) as proxy:
        store = RedisStore(f"redis://127.0.0.1:{proxy.port}/0")
        hand = await Hand.take(store)
        await (await Hand.take(store, P1)).do(queued("x", 0, "known"))  # Redis has the script
        commit = hand.commit(queued("a"))
        proxy.drop_replies(1, matching=commit.batch.encode())
        with pytest.raises(StoreUnavailableError):
            await hand.claim.apply(commit)
        real.client.sadd(keys.retired("queue"), "sales")
        await hand.claim.apply(commit)
        assert real.held().results == {"applied": 1}
        await store.close()


# --- at random ---


class _Worker:
    """Folds a partition's log, each with a view of its own; numbers names, and commits some time later."""

    def __init__(self, real: Real, partition: Partition, random: Random) -> None:
        self.store, self.partition, self._random = real.open(), partition, random
        self.log: list[Queued] = []
        self.hand: Hand | None = None
        self.known: int | None = None

    def more(self) -> None:
        n = len(self.log)
        at, queue = n * 7, f"q{self._random.randrange(n // 2 + 2)}"  # new ones all the time
        self.log.append(queued(f"c{n}", at, queue, self._random.choice(["voice", "chat", "email"]), f"e{n}"))

    def _next(self) -> list[Queued]:
        assert self.hand is not None
        position = self.hand.claim.position or 0
        return self.log[position : position + self._random.choice([1, 1, 3])]

    async def number(self) -> None:
        """What the next commit may need, as its first half does."""
        if self.hand is None:
            self.hand = await Hand.take(self.store, self.partition, self.known)
        await self.store.queues.learn(event.queue for event in self._next())
        await self.store.channels.learn(event.channel for event in self._next())

    async def commit(self) -> None:
        if self.hand is None:
            self.hand = await Hand.take(self.store, self.partition, self.known)
        if events := self._next():
            try:
                await self.hand.do(*events)
                self.known = self.hand.claim.position
            except MUST_CLAIM_AGAIN:
                self.hand = None

    async def end(self) -> None:
        while self.hand is None or (self.hand.claim.position or 0) < len(self.log):
            await self.commit()

    def expected(self) -> dict[str, int]:
        return dict(Counter(event.queue for event in self.log))


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_steps_back_when_every_queue_has_its_own(real: Real, seed: int) -> None:
    """Two workers number and commit, Redis goes back to what it was at some earlier moment, over and over."""
    random = Random(seed)
    workers = [_Worker(real, partition, random) for partition in (P0, P1)]
    past = [history(real)]
    for _ in range(200):
        worker = random.choice(workers)
        for _ in range(random.randrange(3)):
            worker.more()
        choice = random.random()
        if choice < 0.4:
            await worker.number()
        elif choice < 0.8:
            await worker.commit()
        else:  # what came after it never happened
            del past[max(1, len(past) - random.choice([1, 1, 1, 2, 3, 8])) :]
            past[-1]()
            continue
        past.append(history(real))
    for worker in workers:
        await worker.end()
    for worker in workers:
        assert offered(real, worker.partition) == worker.expected()


# --- whoever publishes ---


async def test_a_partitions_number_that_went_to_another_one_before_the_write(office: Office) -> None:
    """A publisher numbers partitions for what it writes; one that is no longer it may number others meanwhile."""
    publisher = office.publisher()
    await office.do(queued("a"))
    await office.beat(T0 + 2 * MINUTE)
    await publisher.round()
    await office.do(queued("b", 1), partition=P1)
    store, numbers = office.opened[0], keys.names("partition")

    async def step_back() -> None:  # behind the numbering, not behind the lease; and somebody else numbers
        office.real.client.hdel(numbers, str(P1))
        office.real.client.hset(numbers, "someone.7", 2)

    _once(store, "changes", step_back)
    await publisher.round()
    rows = by_key(await office.rows())
    assert (store.number(P1), rows[T0, "sales", "voice"].offered) == (2, 1), "nothing was written"
    await publisher.round()
    rows = by_key(await office.rows())
    assert (store.number(P1), rows[T0, "sales", "voice"].offered) == (3, 2)


@pytest.mark.parametrize("moment", ["counted", "lease", "write"])
async def test_what_was_read_before_a_step_back_is_not_published(
    office: Office, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows under the number of a queue that is another queue's by now."""
    publisher = office.publisher()
    await office.do(queued("a", 0, "first"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    store, theirs = office.opened[0], office.real.open()
    past: list[Callable[[], None]] = []

    async def come() -> None:  # behind the lease of this round
        past.append(history(office.real))
        await office.do(queued("b", 1, "lost"))

    async def step_back() -> None:
        past[0]()
        await (await Hand.take(theirs, P1)).do(queued("x", 5_000, "found"))

    async def counted() -> None:  # the lease is extended before the write
        monkeypatch.setattr(publisher_module, "EXTEND_S", -1.0)
        _once(store, "lease", step_back)

    _once(store, "progress", come)
    if moment == "lease":
        _once(store, "counted", counted)
    else:
        _once(store, moment, step_back)
    await publisher.round()
    office.hands[P0] = await Hand.take(office.store, P0)
    await office.hands[P0].do(queued("b", 1, "lost"))
    await office.beat(T0 + HOUR, P0, P1)
    office.clock = T0 + 2 * HOUR
    await publisher.round()
    rows = by_key(await office.rows())
    assert {key[:2]: row.offered for key, row in rows.items() if row.offered} == {
        (T0, "first"): 1,
        (T0, "lost"): 1,
        (T0 + 5 * INTERVAL_MS, "found"): 1,
    }
    assert min(start for start, queue, _ in rows if queue == "found") == T0 + 5 * INTERVAL_MS


async def test_what_a_step_back_took_out_of_the_published_rows_is_published_again(office: Office) -> None:
    """It was not yet forgotten as changed."""
    publisher = office.publisher()
    await office.do(queued("a", 0, "first"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    store = office.opened[0]
    await office.do(queued("b", 1, "lost"))
    past: list[Callable[[], None]] = []

    async def remember() -> None:
        past.append(history(office.real))

    async def step_back() -> None:
        past[0]()

    _once(store, "write", remember)
    _once(store, "acknowledge", step_back)
    await publisher.round()
    await publisher.round()
    assert by_key(await office.rows())[T0, "lost", "voice"].offered == 1


def _once(store: Any, moment: str, then: Callable[[], Any]) -> None:
    """Something happens right before a store is asked for this, the first time."""
    ask = getattr(store, moment)

    async def first(*args: Any, **more: Any) -> Any:
        setattr(store, moment, ask)
        await then()
        return await ask(*args, **more)

    setattr(store, moment, first)


async def test_a_settled_day_is_not_let_go_when_its_publishing_was_taken_back(office: Office) -> None:
    publisher = office.publisher()
    await office.do(queued("a"), answered("a", 5))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    await office.do(queued("b", 40 * 86_400))
    store = office.opened[0]
    past: list[Callable[[], None]] = []

    async def remember() -> None:
        past.append(history(office.real))

    async def step_back() -> None:
        past[0]()

    _once(store, "rows_of", remember)
    _once(store, "let_go", step_back)
    await publisher.round()
    office.end_lease()
    key = keys.rows(P0, T0 // 86_400_000, b"1.1")
    assert office.real.client.exists(key), "nowhere else does it say so yet"
    await office.publisher().round()
    assert not office.real.client.exists(key)
    assert by_key(await office.rows())[T0, "sales", "voice"].answered == 1
