"""Who is forgotten is nowhere any more: not in Redis, not in files, not in the topic; and everything counts as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from redis.asyncio import Redis

from stream_app.errors import FencedError, LaterEditionError
from stream_app.failpoints import Failpoints
from stream_app.kafka.row_topic import FencedRowTopic
from stream_app.ledger.columns import TABLES
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.forgetting import Forgetter
from stream_app.ledger.forgetting_open import ContactsInRedis
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.partition_writer import PartitionWriter
from stream_app.model.edition import EDITION
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.people import OpenPeople
from stream_app.store.redis import RedisStore
from tests.conftest import MakeTopic
from tests.model.kept import Line
from tests.services.kafka import Cluster
from tests.services.process import until
from tests.store.test_outbox import PARTITION, Worker, told

from .centre import Centre
from .desk import MINUTE, P0, Clock, Commits, visit_row
from .test_sending import read, writing
from .topic_of_rows import ConsumedRows

PEOPLE = 25


def named(line: Line) -> Line:
    """The same record, of a customer with a case."""
    try:
        event = json.loads(line.value or b"")
    except (ValueError, RecursionError):
        return line
    if not isinstance(event, dict) or not ({"customer", "queue"} & event.keys()) or "contact_id" not in event:
        return line
    who = Random(str(event["contact_id"])).randrange(PEOPLE)
    more = {"customer": f"person-{who}-x"} | ({"case": f"case-{who}-y"} if "queue" in event else {})
    value = json.dumps(event | more).encode()
    return Line(line.offset, value, line.timestamp, line.headers, line.timestamp_type)


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage, partitions=2, contacts=300)
    for desk in made.desks:
        desk.lines = [*map(named, desk.lines)]
    await made.claim()
    yield made
    await made.close()


def forgetter(centre: Centre, people: OpenPeople) -> Forgetter:
    def make(partition: Partition) -> PartitionWriter:
        return PartitionWriter(
            partition,
            centre.outboxes,
            centre.storage,
            TABLES,
            Exploder,
            clock=centre.clock,
            failpoints=Failpoints(),
            days=centre.days,
            every_ms=0,
        )

    contacts = ContactsInRedis(people, centre.outboxes, make)
    return Forgetter(centre.storage, TABLES, centre.clock, contacts)


async def everything(client: Any) -> dict[bytes, bytes]:
    """All that Redis has, key by key, as text; dead letters, which are not looked at, left out."""
    found: dict[bytes, bytes] = {}
    async for key in client.scan_iter():
        if key.endswith(b":dead"):
            continue
        match await client.type(key):
            case b"hash":
                value: Any = await client.hgetall(key)
            case b"stream":
                value = await client.xrange(key)
            case b"zset":
                value = await client.zrange(key, 0, -1)
            case b"set":
                value = await client.smembers(key)
            case _:
                value = await client.get(key)
        found[key] = repr(value).encode()
    return found


def keys_with(found: dict[bytes, bytes], id_: str) -> list[bytes]:
    return [key for key, value in found.items() if id_.encode() in value]


def files_with(folder: Path, id_: str) -> list[Path]:
    return [path for path in folder.rglob("*.parquet") if id_.encode() in path.read_bytes()]


async def go_on(centre: Centre, records: int) -> int:
    """Count the next records; whoever was fenced claims again, as workers do. Gives how often that was."""
    fenced = 0
    for desk in centre.desks:
        try:
            await desk.count(records)
        except FencedError:
            fenced += 1
            await desk.claim()
            await desk.count(records)
    return fenced


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_left_of_them_and_everything_adds_up(
    centre: Centre, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    await go_on(centre, 600)
    for desk in centre.desks:
        await desk.write()
    await go_on(centre, 200)
    client = centre.store.client
    before = await everything(client)
    everyone = [f"person-{n}-x" for n in range(PEOPLE)]
    waiting = [one for one in everyone if any(key.endswith(b":outbox") for key in keys_with(before, one))]
    opened = [one for one in everyone if any(key.endswith(b":visits") for key in keys_with(before, one))]
    gone = {random.choice(waiting), random.choice(opened), random.choice(everyone)}
    cases = {one.replace("person", "case").replace("x", "y") for one in gone}
    people = OpenPeople(centre.redis_url)
    done = await forgetter(centre, people).forget(
        {"customer": gone}, [desk.partition for desk in centre.desks]
    )
    assert done.rows > 0
    assert done.open > 0
    found = await everything(client)
    for one in (*gone, *cases):
        assert keys_with(found, one) == []
        assert files_with(tmp_path, one) == []
    for audited in await centre.audit():
        assert audited.differences == []

    assert await go_on(centre, 200) > 0, "a worker's memory had them, too"
    for _ in range(8):
        await go_on(centre, 1_000)
        for desk in centre.desks:
            await desk.write()
    for one in (*gone, *cases):
        assert files_with(tmp_path, one) == [], "also what came later is blank"
    audits = await centre.audit()
    assert all(one.differences == [] for one in audits)
    assert sum(one.counters for one in audits) > 1_000
    await people.close()


def told_of(offset: int, kind: str, contact: str, seconds: int, **more: str) -> list[Line]:
    return [told(kind, offset, seconds, contact, **more)]


async def test_the_id_of_a_contact_that_is_open_stays_until_it_is_over_and_filed(
    redis_url: str, storage: LocalFiles, tmp_path: Path
) -> None:
    """By it, what comes is known to be its own; that bound is documented."""
    centre = Centre(redis_url, storage, partitions=0)
    store, people = RedisStore(redis_url), OpenPeople(redis_url)
    worker = Worker(await store.claim(PARTITION, "first"))
    queued = {"queue": "sales", "customer": "anna-1002"}
    await worker.commit(told_of(0, "contact.queued", "contact-zero", 0, **queued))
    done = await forgetter(centre, people).forget({"customer": {"anna-1002"}}, [PARTITION])
    assert (done.rows, done.open) == (0, 1)
    left = await everything(store.client)
    assert keys_with(left, "anna-1002") == []
    assert keys_with(left, "contact-zero") == [keys.visits(PARTITION).encode()]

    ended = [
        *told_of(1, "contact.answered", "contact-zero", 5),
        *told_of(2, "contact.wrapped", "contact-zero", 9),
    ]
    with pytest.raises(FencedError):
        await worker.commit(ended)
    worker = Worker(await store.claim(PARTITION, "second"))
    await worker.commit(told_of(1, "contact.answered", "contact-zero", 5))
    await worker.commit(told_of(2, "contact.ended", "contact-zero", 8))
    await worker.commit(told_of(3, "contact.wrapped", "contact-zero", 9))
    again = await forgetter(centre, people).forget({"customer": {"anna-1002"}}, [PARTITION])
    assert (again.rows, again.open) == (0, 0), "its row was filed without ids"
    left = await everything(store.client)
    assert keys_with(left, "contact-zero") == [keys.log(PARTITION).encode()], "and nowhere else"
    assert files_with(tmp_path, "contact-zero") == []
    await forgetter(centre, people).forget({"contact_id": {"contact-zero"}}, [PARTITION])
    assert keys_with(await everything(store.client), "contact-zero") == []
    for one in (store, people, centre):
        await one.close()


async def test_who_writes_in_between_is_not_written_over(redis_url: str) -> None:
    """A commit after the visits were read: the script finds another text, and they are read again."""
    store, people = RedisStore(redis_url), OpenPeople(redis_url)
    worker = Worker(await store.claim(PARTITION, "first"))
    queued = {"queue": "sales", "customer": "anna-1002"}
    await worker.commit(told_of(0, "contact.queued", "c0", 0, **queued))
    (before,) = [one async for one in people.visits(PARTITION)]
    await worker.commit(told_of(1, "contact.answered", "c0", 5))
    (after,) = [one async for one in people.visits(PARTITION)]
    assert before[1] != after[1]
    assert await people.blank(PARTITION, [("c0", before[1], b"never")]) == 0
    assert [one async for one in people.visits(PARTITION)] == [after]
    for one in (store, people):
        await one.close()


async def test_what_a_later_version_keeps_of_a_visit_stays(redis_url: str, storage: LocalFiles) -> None:
    """Fields are appended to a visit and its notes; what a worker of that version has must not be lost."""
    centre = Centre(redis_url, storage, partitions=0)
    store, people = RedisStore(redis_url), OpenPeople(redis_url)
    worker = Worker(await store.claim(PARTITION, "first"))
    queued = {"queue": "sales", "customer": "anna-1002", "case": "case-7"}
    await worker.commit(told_of(0, "contact.queued", "c0", 0, **queued))
    key = keys.visits(PARTITION)
    visits = msgspec.msgpack.decode(await store.client.hget(key, "c0"))
    notes = next(field for field in visits[0] if isinstance(field, list) and "anna-1002" in field)
    notes += [b"later", {"than": 1}]
    visits[0] += [None, [7, "later"]]
    await store.client.hset(key, "c0", msgspec.msgpack.encode(visits))
    done = await forgetter(centre, people).forget({"customer": {"anna-1002"}}, [PARTITION])
    assert done.open == 1
    left = msgspec.msgpack.decode(await store.client.hget(key, "c0"))
    notes[:] = [None if field in ("anna-1002", "case-7") else field for field in notes]
    assert left == visits
    for one in (store, people, centre):
        await one.close()


async def test_visits_that_a_later_edition_counted_are_refused(redis_url: str, storage: LocalFiles) -> None:
    centre = Centre(redis_url, storage, partitions=0)
    later, people = RedisStore(redis_url, edition=EDITION + 1), OpenPeople(redis_url)
    worker = Worker(await later.claim(PARTITION, "first"))
    queued = {"queue": "sales", "customer": "anna-1002"}
    await worker.commit(told_of(0, "contact.queued", "c0", 0, **queued))
    before = await everything(later.client)
    with pytest.raises(LaterEditionError, match="Upgrade it"):
        await forgetter(centre, people).forget({"customer": {"anna-1002"}}, [PARTITION])
    assert await everything(later.client) == before
    for one in (later, people, centre):
        await one.close()


def _ids(value: bytes | None) -> Iterator[str]:
    row = msgspec.json.decode(value) if value else {}
    yield from (row[name] for name in ("contact_id", "customer", "case") if name in row)


@pytest.mark.slow
async def test_the_topic_gets_newer_records_and_compaction_removes_the_others(
    *, kafka: Cluster, make_topic: MakeTopic, redis_client: Redis, redis_url: str, storage: LocalFiles
) -> None:
    source, name = await make_topic(partitions=1), f"sent-{uuid4().hex[:12]}"
    centre, commits, clock = Centre(redis_url, storage, partitions=0), Commits(redis_client), Clock()
    topic = FencedRowTopic(
        {"bootstrap_servers": kafka.bootstrap}, name, f"writer-of-{name}", P0.number, like=source
    )
    writer = writing(centre.outboxes, storage, clock, topic, Failpoints())
    for n in range(4):
        rows = [visit_row(commits.position + i, contact=f"c{n}-{i}", customer=f"u{i}") for i in range(3)]
        await commits.commit(rows)
        clock.now += MINUTE
        await writer.round()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    quickly = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "200"}
    await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": "compact", **quickly})]
    )
    await admin.close()
    people = OpenPeople(redis_url)
    done = await forgetter(centre, people).forget({"customer": {"u1"}}, [P0])
    assert done.rows == 4
    clock.now += MINUTE
    await writer.round()
    assert writer.unsent == ""
    consumed = ConsumedRows()
    records = (await read(kafka, name))[0]
    consumed.take(records)
    assert consumed.identities() == sorted(commits.counted.items())
    known = [id_ for row in consumed.rows.values() for id_ in _ids(msgspec.json.encode(row))]
    assert sorted(known) == sorted(
        [f"c{n}-{i}" for n in range(4) for i in (0, 2)] + [f"u{i}" for _ in range(4) for i in (0, 2)]
    )
    assert "u1" in {id_ for _, value in records for id_ in _ids(value)}, "not compacted yet"

    async def is_gone() -> bool:
        await commits.visits(1)  # the log is compacted up to what is being written
        clock.now += MINUTE
        await writer.round()
        left = {id_ for _, value in (await read(kafka, name))[0] for id_ in _ids(value)}
        return not left & {"u1", "c0-1", "c1-1", "c2-1", "c3-1"}

    await until(is_gone, 60, "compaction has removed what was replaced")
    await asyncio.gather(writer.close(), people.close(), centre.close())
