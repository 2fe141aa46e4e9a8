"""``stream-app repartition``: which contacts move where, what is refused, and what is said."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from stream_app.commands import rebuild
from stream_app.commands.repartition.moves import infer, place_agents, plan
from stream_app.commands.repartition.run import repartition
from stream_app.errors import StreamAppError
from stream_app.failpoints import Failpoints
from stream_app.kafka.partitioners import PARTITIONERS
from stream_app.model.durations import MINUTE
from stream_app.model.edition import EDITION
from stream_app.model.ports import Partition
from stream_app.model.presence import Presence, Telling
from stream_app.settings import load
from stream_app.store.codec import pack_visits, unpack_visits
from stream_app.store.redis import RedisStore
from tests.conftest import MakeTopic
from tests.services.kafka import Cluster, Record
from tests.store.hand import DAY, T0, Hand, queued, told

from .test_rights import PAGE, RECIPES, SECRET

HOURS_AGO_MS = 7_200_000


def spread(count: int, keyed: int, partitioner: str = "murmur2") -> dict[int, list[str]]:
    """Contacts where a producer puts them."""
    out: dict[int, list[str]] = {n: [] for n in range(keyed)}
    for n in range(count):
        out[PARTITIONERS[partitioner](f"c{n}".encode()) % keyed].append(f"c{n}")
    return out


# --- which contacts, and where ---


@pytest.mark.parametrize("partitioner", PARTITIONERS)
def test_the_partitioner_is_the_one_that_explains_every_contact(partitioner: str) -> None:
    assert infer(spread(200, 4, partitioner), 4, 8) == partitioner


def test_one_contact_elsewhere_is_enough_to_refuse() -> None:
    contacts = spread(200, 4)
    contacts[0].append(contacts[1].pop())
    with pytest.raises(
        StreamAppError, match=r"all 200 open contacts.*murmur2 199, crc32 \d+, fnv1a \d+\. Keys"
    ):
        infer(contacts, 4, 8)


def test_too_few_to_tell_is_refused_where_it_matters() -> None:
    same = {n: PARTITIONERS["murmur2"](f"c{n}".encode()) % 8 for n in range(200)}
    other = {n: PARTITIONERS["crc32"](f"c{n}".encode()) % 8 for n in range(200)}
    apart = next(n for n in same if same[n] % 4 == other[n] % 4 and same[n] != other[n])
    with pytest.raises(StreamAppError, match="1 open contacts are too few to tell murmur2 from crc32"):
        infer({same[apart] % 4: [f"c{apart}"]}, 4, 8)
    assert infer({0: []}, 1, 2) == "murmur2", "nobody moves"


def test_strangers_stay_unless_they_can_not() -> None:
    contacts = spread(40, 4)
    stray = contacts[1].pop()
    contacts[0].append(stray)
    here = plan(contacts, "murmur2", 4, 8, elsewhere=False)
    there = plan(contacts, "murmur2", 4, 8, elsewhere=True)
    assert (here.targets[0][stray], here.strangers[0]) == (0, 1)
    assert there.targets[0][stray] == PARTITIONERS["murmur2"](stray.encode()) % 8
    assert sum(here.arriving().values()) == 40


def since(at: int) -> Presence:
    return Presence().tell(Telling(at, "available"))


def test_an_agent_of_several_partitions_becomes_the_one_whose_spell_began_last() -> None:
    old, new = ([Partition("t", n) for n in range(count)] for count in (4, 8))
    home = {n: PARTITIONERS["murmur2"](f"c{n}".encode()) for n in range(40)}
    known: dict[Partition, dict[str, Presence]] = {partition: {} for partition in old}
    for n, number in home.items():
        known[old[number % 4]][f"c{n}"] = since(T0)
    known[old[(home[0] + 1) % 4]]["c0"] = since(T0 + 5)  # told elsewhere, and later
    known[old[(home[1] + 1) % 4]]["c1"] = since(T0 - 5)
    known[old[3]]["stray"] = known[old[2]]["stray"] = since(T0)
    del known[old[home[2] % 4]]["c2"]
    known[old[(home[2] + 1) % 4]]["c2"] = since(T0)
    here = place_agents(known, "murmur2", new)
    found = {
        agent: (partition.number, one.began or one.told[0].at)
        for partition, mine in here.items()
        for agent, one in mine.items()
    }
    assert sum(map(len, here.values())) == len(found) == 41
    assert (found["c0"], found["c1"]) == ((home[0] % 8, T0 + 5), (home[1] % 8, T0))
    assert found["c2"][0] == (home[2] + 1) % 4, "who is not where the key says stays"
    assert all(found[f"c{n}"][0] == home[n] % 8 for n in range(3, 40))
    other = [Partition("u", n) for n in range(3)]
    there = place_agents(known, "murmur2", other)
    assert all("c2" not in mine or partition == other[home[2] % 3] for partition, mine in there.items())
    assert sum(map(len, there.values())) == 41


# --- what it does, and refuses ---


class Stage:
    """A topic of four partitions that grew to eight, with somebody in each of the former ones; and no worker."""

    def __init__(
        self, kafka: Cluster, redis_url: str, store: RedisStore, topic: str, shown: pytest.CaptureFixture[str]
    ) -> None:
        self.kafka, self.store, self.client, self.topic = kafka, store, store.client, topic
        self._shown = shown
        known = {
            "kafka_bootstrap_servers": kafka.bootstrap,
            "redis_url": SecretStr(redis_url),
            "topic": topic,
        }
        self.settings = load({}).model_copy(update=known)

    async def put(self, n: int, key: str, **values: Any) -> None:
        await self.client.hset(f"kpi:{{{self.topic}.{n}}}:{key}", mapping=values)

    async def known(self, **values: Any) -> None:
        await self.client.hset(f"kpi:topic:{self.topic}", mapping=values)

    async def since(self) -> int:
        return int(await self.client.hget(f"kpi:topic:{self.topic}", "since"))

    async def run(
        self, *, to: str | None = None, partitioner: str | None = None, wait_s: int = 300, yes: bool = True
    ) -> str:
        """What it says."""
        self._shown.readouterr()
        failpoints = Failpoints()
        await repartition(
            self.settings, to=to, partitioner=partitioner, wait_s=wait_s, yes=yes, failpoints=failpoints
        )
        return self._shown.readouterr().out

    async def stored(self) -> dict[bytes, bytes]:
        return {key: await self.client.dump(key) for key in await self.client.keys("*")}

    async def refuses(self, why: str, **options: Any) -> None:
        before = await self.stored()
        with pytest.raises(StreamAppError, match=re.escape(why)) as refused:
            await self.run(**options)
        assert "\n" not in str(refused.value)
        assert before == await self.stored()

    async def contacts(self, topic: str, n: int) -> set[str]:
        """Return the contacts of a partition; agents have the same names here, and are where they are."""
        found = [await self.client.hkeys(f"kpi:{{{topic}.{n}}}:{kind}") for kind in ("visits", "agents")]
        contacts, agents = ({name.decode() for name in names} for names in found)
        assert agents == contacts
        return contacts


@pytest.fixture
async def stage(
    kafka: Cluster, redis_url: str, make_topic: MakeTopic, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Stage]:
    topic, store = await make_topic(partitions=8), RedisStore(redis_url)
    stage = Stage(kafka, redis_url, store, topic, capsys)
    seconds, _ = await store.client.time()
    since = int(seconds) * 1000 - HOURS_AGO_MS
    for n, contacts in spread(40, 4).items():
        hand = await Hand.take(store, Partition(topic, n))
        await hand.do(*(queued(contact) for contact in contacts))
        await hand.do(*(told(agent, "available", n) for agent in contacts))
        end = hand.claim.position
        await stage.put(n, "beat", at=since + 400_000, position=end, end=end)
    await stage.known(keyed=4, found=8, since=since)
    yield stage
    await store.close()


async def test_it_says_what_would_move_and_then_moves_it(stage: Stage) -> None:
    said = await stage.run(yes=False)
    assert "nothing was done; add --yes" in said
    assert f"{stage.topic} of 4 partitions → {stage.topic} of 8, by murmur2" in said
    held = spread(40, 4)
    new = spread(40, 8)
    for n in range(4):
        assert f"{stage.topic}.{n}".ljust(24) + f"{len(held[n]):>14,}{len(new[n + 4]):>10,}" in said
    assert "agents: 40, of whom 2" in said
    await stage.run()
    for n in range(8):
        assert await stage.contacts(stage.topic, n) == set(new[n])
        meta = await stage.client.hgetall(f"kpi:{{{stage.topic}.{n}}}:meta")
        if n >= 4:
            time = await stage.client.hget(f"kpi:{{{stage.topic}.{n - 4}}}:meta", "time")
            assert (meta[b"position"], meta[b"time"]) == (b"0", time), "it begins with what it takes over"
        assert int(meta[b"edition"]) == EDITION
    assert await stage.client.hgetall(f"kpi:topic:{stage.topic}") == {b"keyed": b"8"}
    assert "nothing to move" in await stage.run()


async def test_time_is_not_later_than_what_waits(stage: Stage) -> None:
    """Or what comes next would be late."""
    await stage.kafka.produce(stage.topic, [Record(None, b"{}", timestamp_ms=T0 - 60_000, partition=5)])
    await stage.run()
    assert await stage.client.hget(f"kpi:{{{stage.topic}.5}}:meta", "time") == b"%d" % (T0 - 60_000)
    assert int(await stage.client.hget(f"kpi:{{{stage.topic}.4}}:meta", "time")) >= T0


async def test_what_must_be_done_first_is_said(stage: Stage) -> None:
    since = await stage.since()
    await stage.put(2, "beat", at=since + HOURS_AGO_MS)
    await stage.refuses(f"{stage.topic}.2 is still owned by a worker")
    await stage.put(2, "beat", at=since + 299_000)
    await stage.refuses("300 s after the change was noticed")
    assert "nothing was done" in await stage.run(wait_s=200, yes=False)
    await stage.put(2, "beat", at=since + 301_000, position=3)
    await stage.refuses(f"{stage.topic}.2 was not read to its end: it was at offset 3 of ")
    await stage.client.delete(f"kpi:{{{stage.topic}.2}}:beat")
    await stage.refuses("was read until never", wait_s=0)
    await stage.known(found=6)
    await stage.refuses("has 8 partitions, but no worker has noticed yet")
    await stage.client.delete(f"kpi:topic:{stage.topic}")
    await stage.refuses("it is not known by how many partitions")
    await stage.refuses(
        "--partitioner: unknown partitioner 'md5'; use one of murmur2, crc32, fnv1a", partitioner="md5"
    )
    await stage.refuses("topic nowhere does not exist", to="nowhere")
    await stage.known(keyed=4, found=8, since=since)
    await stage.put(1, "meta", edition=EDITION + 1)
    await stage.refuses(f"{stage.topic}.1: it was counted by edition {EDITION + 1} of docs/semantics.md")
    await stage.refuses("expected another topic", to=stage.topic)


async def test_a_partitioner_that_none_of_these_is_must_be_named(stage: Stage) -> None:
    visits = await stage.client.hget(f"kpi:{{{stage.topic}.0}}:visits", spread(40, 4)[0][0])
    stray = spread(80, 4)[1][-1]
    await stage.client.hset(f"kpi:{{{stage.topic}.0}}:visits", stray, pack_visits(unpack_visits(visits)))
    await stage.refuses("no known partitioner puts all 41 open contacts where they are")
    said = await stage.run(partitioner="murmur2")
    assert "open contacts that are not where murmur2 puts them: 1; they stay where they are" in said
    assert await stage.client.hexists(f"kpi:{{{stage.topic}.0}}:visits", stray)


async def test_another_topic_must_be_new_and_the_former_one_read(stage: Stage, make_topic: MakeTopic) -> None:
    other = await make_topic(partitions=3)
    # These records never were in Kafka.
    await stage.refuses(f"{stage.topic}.0: the store is at", to=other)
    for n in range(4):
        await stage.put(n, "meta", position=0)
    await stage.kafka.produce(stage.topic, [Record(None, b"{}", partition=6)])
    await stage.refuses(f"{stage.topic}.6: the store is at offset 0, but the topic ends at 1", to=other)


async def test_another_topic_takes_all_and_keeps_what_was_counted(
    stage: Stage, make_topic: MakeTopic
) -> None:
    other = await make_topic(partitions=3)
    for n in range(4):
        await stage.put(n, "meta", position=0)
    await stage.client.sadd("kpi:partitions", f"{other}.1")
    await stage.refuses(f"--to: {other}.1 was read before", to=other)
    await stage.client.srem("kpi:partitions", f"{other}.1")
    assert f"start the workers with STREAM_APP_TOPIC={other}" in await stage.run(to=other)
    new = spread(40, 3)
    for n in range(3):
        assert await stage.contacts(other, n) == set(new[n])
    for n in range(4):
        assert await stage.contacts(stage.topic, n) == set()
        assert await stage.client.exists(f"kpi:{{{stage.topic}.{n}}}:c:0:0")
    assert "were already moved" in await stage.run(to=other)
    await stage.refuses(f"were moved to {other}; set STREAM_APP_TOPIC={other}")


async def test_a_contact_that_was_open_twice_keeps_both_visits_and_ids_are_known(
    stage: Stage, make_topic: MakeTopic
) -> None:
    other = await make_topic(partitions=3)
    for n in range(4):
        await stage.put(n, "meta", position=0)
    (mine, *_), minute = spread(40, 4)[0], T0 // MINUTE
    packed = await stage.client.hget(f"kpi:{{{stage.topic}.0}}:visits", mine)
    await stage.client.hset(f"kpi:{{{stage.topic}.1}}:visits", mine, packed)
    await stage.client.set(f"kpi:{{{stage.topic}.3}}:r:{minute}", b"12345678")
    await stage.client.zadd(f"kpi:{{{stage.topic}.3}}:r", {str(minute): minute})
    await stage.run(to=other, partitioner="murmur2")
    target = PARTITIONERS["murmur2"](mine.encode()) % 3
    assert len(unpack_visits(await stage.client.hget(f"kpi:{{{other}.{target}}}:visits", mine))) == 2
    for n in range(3):
        claim = await stage.store.claim(Partition(other, n), "x")
        assert b"12345678" in claim.memory.recent.days[T0 // DAY]


async def test_a_rebuild_counts_by_what_there_is(stage: Stage) -> None:
    await rebuild._rebuild(stage.settings, yes=False)
    assert await stage.client.hget(f"kpi:topic:{stage.topic}", "keyed") == b"4"
    await rebuild._rebuild(stage.settings, yes=True)
    assert await stage.client.hgetall(f"kpi:topic:{stage.topic}") == {b"keyed": b"8"}


@pytest.mark.parametrize("more", [[], re.findall(r"`repartition` also needs `(\+\w+)`", PAGE.read_text())])
async def test_the_documented_user_needs_the_documented_right(stage: Stage, more: list[str]) -> None:
    """Without it, nothing is done at all: who may write a part only must not begin."""
    rights = RECIPES["worker"].replace("…", SECRET).split()
    await stage.client.execute_command("ACL", "SETUSER", "worker", "reset", *rights, *more)
    try:
        url = stage.settings.redis_url.get_secret_value().replace("redis://", f"redis://worker:{SECRET}@")
        stage.settings = stage.settings.model_copy(update={"redis_url": SecretStr(url)})
        if more:
            await stage.run()
            assert await stage.contacts(stage.topic, 7) == set(spread(40, 8)[7])
        else:
            held = spread(40, 4)
            with pytest.raises(StreamAppError, match="has the rights that each program needs"):
                await stage.run()
            for n in range(8):
                assert await stage.contacts(stage.topic, n) == set(held.get(n, ()))
    finally:
        await stage.client.execute_command("ACL", "DELUSER", "worker")
