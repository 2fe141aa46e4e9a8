"""The property that all of it rests on: contacts that are over, and those that are open, add up to every counter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from stream_app.ledger.auditing import Audited
from stream_app.ledger.local_files import LocalFiles
from stream_app.model.kpis import STORED
from stream_app.store import admin, keys
from stream_app.store.client import connect
from stream_app.store.codec import pack_cell

from .centre import Centre


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage)
    await made.claim()
    yield made
    await made.close()


def clean(audited: list[Audited]) -> int:
    """All is equal; return how many values were compared."""
    for one in audited:
        assert one.differences == [], one.differences[:3]
    return sum(one.counters for one in audited)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_at_any_moment_the_contacts_add_up_to_every_counter(centre: Centre) -> None:
    """Workers and writers come and go, and Redis is rolled back: behind what the ledger has, too."""
    counters, goes_on = 0, True
    restore = await centre.saved()
    while goes_on:
        desk = centre.random.choice(centre.desks)
        match centre.random.randrange(12):
            case 0 | 1:
                await desk.write()
            case 2:
                await desk.claim()
            case 3:
                restore = await centre.saved()
            case 4:
                await restore()
                counters += clean(await centre.audit())
                await centre.claim()
        goes_on = await desk.count(centre.random.randint(1, 800))
        found = await centre.audit()
        assert {one.since for one in found} == {0}, "all is known"
        counters += clean(found)
    assert counters > 50_000


async def test_everything_that_is_counted_is_compared(centre: Centre) -> None:
    """Whatever counter is changed, it is found, with its queue, its bucket and offsets."""
    (desk, other) = centre.desks
    await desk.count(1_500)
    await other.count(10)
    await desk.write()
    clean(await centre.audit())
    names = await centre.moments.names()
    called = {number: name for name, number in names["counter"].items()}
    moment = await centre.moments.read(desk.partition, since=0)
    changed: dict[str, tuple[int, int, int]] = {}
    for (resolution, start, field), cell in moment.buckets():
        if resolution != 900_000:
            continue
        spoilt = dict(cell)
        for number, n in cell.items():
            name = called[number if number < 512 else number >> 9]
            if name not in changed:
                changed[name], spoilt[number] = (start, n, n + 7), n + 7
        key = keys.cells(desk.partition, resolution, start)
        await centre.store.client.hset(key, field, pack_cell(spoilt))
    wrong = [one for each in await centre.audit() for one in each.differences]
    assert {(one.partition, one.resolution) for one in wrong} == {(str(desk.partition), 900_000)}
    found = [(one.counter.partition("[")[0], (one.start, one.found, one.counted)) for one in wrong]
    assert sorted(found) == sorted(changed.items()), "each is found, and no other"
    assert all(one.offsets for one in wrong if one.found)
    assert len(changed) > len(STORED) // 2


async def test_what_the_ledger_can_not_know_is_not_compared_and_not_called_wrong(
    redis_url: str, storage: LocalFiles
) -> None:
    """It began later, and once its outbox was full."""
    centre = Centre(redis_url, storage, partitions=1, outbox_bytes=40_000)
    (desk,) = centre.desks
    await desk.claim(keeps_ledger=False)
    await desk.count(400)
    (found,) = await centre.audit()
    assert (found.since, found.buckets) == (None, 0), "nobody keeps a ledger"

    await desk.claim()
    began = 0
    while not began:
        assert await desk.count(10)
        every = await centre.audit()
        began = every[0].since or 0 if clean(every) else 0
    assert began > 0
    for _ in range(3):
        await desk.count(30)
        assert clean(await centre.audit())
        await desk.write()
        (one,) = await centre.audit()
        assert (one.since, one.differences) == (began, []), "the manifest remembers when it began"

    while int(await centre.store.client.hget(keys.meta(desk.partition), "out_lost") or 0) == 0:
        assert await desk.count(100)
    (one,) = await centre.audit()
    assert (one.since or 0) > began
    assert one.differences == []
    await desk.write()
    (two,) = await centre.audit()
    assert (two.since, two.differences) == (one.since, []), "the manifest says the same as the outbox"

    await desk.claim(keeps_ledger=False)
    await desk.count(100)
    (three,) = await centre.audit()
    assert three.since is None
    await centre.close()


@pytest.mark.slow
@pytest.mark.parametrize("begin", [0, 900])
async def test_after_a_rebuild_the_counters_are_compared_with_what_they_have(
    centre: Centre, begin: int
) -> None:
    """Of what Kafka has no more, the ledger keeps its rows, which no counter has."""
    for desk in centre.desks:
        await desk.count(1_200)
        await desk.write()
        await desk.count(300)
    client = connect(centre.redis_url)
    for desk in centre.desks:
        at = desk.lines[begin]
        await admin.start_over(client, desk.partition, at.offset, at.timestamp)
    await client.aclose()
    clean(await centre.audit())
    counters = 0
    for n in range(6):
        for desk in centre.desks:
            if n == 0:
                await desk.claim()
            await desk.count(400)
            if n % 3 == 1:
                await desk.write()
            counters += clean(await centre.audit())
    assert counters > 10_000
