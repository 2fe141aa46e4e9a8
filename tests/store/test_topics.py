"""By how many partitions contacts are counted: learnt once, kept, and compared with what the topic has."""

import pytest

from stream_app.model.ports import Partition
from stream_app.store.topics import Keyed, Topics, count_anew, look_up

from .backends import Real
from .hand import Hand, queued

T = "t"


def of(number: int, topic: str = T) -> Partition:
    return Partition(topic, number)


@pytest.fixture
def topics(real: Real) -> Topics:
    return Topics(real.open().client)


async def claim(real: Real, *partitions: Partition, count: int = 0) -> None:
    """Somebody owns these, and has counted something of the first ones."""
    store = real.open()
    for n, partition in enumerate(partitions):
        hand = await Hand.take(store, partition)
        if n < count:
            await hand.do(queued(f"c{partition}"))
    await store.close()


async def known(real: Real, topic: str = T) -> Keyed:
    store = real.open()
    found = (await look_up(store.client, [topic]))[topic]
    await store.close()
    return found


async def test_the_first_claim_writes_it_down(real: Real, topics: Topics) -> None:
    assert await known(real) == Keyed()
    assert await topics.found(T, 4) == Keyed(4) == await known(real)
    assert [Keyed(4).holds(n) for n in (0, 3, 4, 7)] == [False, False, True, True]


async def test_a_topic_of_which_nothing_was_counted_takes_the_new_number(real: Real, topics: Topics) -> None:
    await topics.found(T, 4)
    await claim(real, *map(of, range(4)))
    assert await topics.found(T, 8) == Keyed(8) == await known(real)


async def test_once_something_was_counted_what_is_new_is_held_and_noted(real: Real, topics: Topics) -> None:
    await topics.found(T, 4)
    await claim(real, *map(of, range(4)), count=1)
    held = await topics.found(T, 8)
    assert (held.keyed, held.found, held.since > 0, held.split) == (4, 8, True, True)
    assert await topics.found(T, 4) == held, "whoever has not heard of it changes nothing"
    assert await topics.found(T, 8) == held == await known(real)
    more = await topics.found(T, 12)
    assert (more.keyed, more.found, more.since >= held.since) == (4, 12, True)


async def test_an_owner_that_sees_records_may_have_read_them_in_a_moment(real: Real, topics: Topics) -> None:
    """It has not committed anything yet; what it has in hand was distributed by the former number."""
    await topics.found(T, 4)
    await claim(real, *map(of, range(4)))
    real.client.hset("kpi:{t.0}:beat", mapping={"at": 1, "position": 0, "end": 5})
    assert (await topics.found(T, 8)).split


async def test_an_older_store_tells_by_what_its_workers_claimed(real: Real, topics: Topics) -> None:
    """Also quiet partitions, which have an epoch and no position."""
    await claim(real, *map(of, range(4)), count=2)
    held = await topics.found(T, 8)
    assert (held.keyed, held.found) == (4, 8)


async def test_an_older_store_that_has_claimed_all_holds_none(real: Real, topics: Topics) -> None:
    await claim(real, *map(of, range(8)), of(11, "t.x"), of(9, "other"), count=1)
    assert await topics.found(T, 8) == Keyed(8)


async def test_topics_are_told_apart(real: Real, topics: Topics) -> None:
    await claim(real, of(0, "t.1"), of(1, "t.1"), count=2)
    assert await topics.found(T, 3) == Keyed(3)
    assert (await topics.found("t.1", 3)).keyed == 2


async def test_a_topic_that_was_left_stays_left(real: Real, topics: Topics) -> None:
    await topics.found(T, 4)
    real.client.hset("kpi:topic:t", "moved", "new")
    assert (await topics.found(T, 8)).moved == "new"
    assert not (await known(real)).split


async def test_what_is_counted_anew_is_counted_by_what_there_is(real: Real, topics: Topics) -> None:
    await topics.found(T, 4)
    await claim(real, *map(of, range(4)), count=4)
    assert (await topics.found(T, 8)).split
    await count_anew(real.open().client, T, 8)
    assert await topics.found(T, 8) == Keyed(8)


@pytest.mark.parametrize(
    ("keyed", "found", "words"),
    [(4, 8, "4 to 7 are held"), (4, 5, "4 are held"), (4, 6, "not a multiple of 4"), (4, 4, ""), (4, 0, "")],
)
def test_it_is_said_in_one_line_what_to_do(keyed: int, found: int, words: str) -> None:
    said = Keyed(keyed, found, 1).problem("t")
    assert words in said
    assert bool(said) == bool(words)
    assert "\n" not in said
    assert not said or "`stream-app repartition`" in said
