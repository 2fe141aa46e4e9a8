"""A flood of names gives its places back: what nothing came under for two days is retired, and keeps number and history."""

from itertools import count

import pytest

from stream_app.errors import FencedError
from stream_app.model.events import SurveyAnswered
from stream_app.store import keys, names
from stream_app.store.intervals import retiring
from stream_app.store.intervals.retiring import EVERY_MS, Retiring
from stream_app.store.names import CAPS
from stream_app.store.redis import RedisStore

from .backends import P1
from .hand import DAY, T0, Hand, left, queued
from .office import FILE, Office, by_key

CAP = 4
_contacts = count()


@pytest.fixture
async def small(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Queues have four places; whoever finds none looks again at once."""
    monkeypatch.setattr(names, "FULL_S", 0.0)
    await office.store.close()
    office.store, office.queue_cap = RedisStore(office.real.url, queue_cap=CAP), CAP
    return office


async def comes_and_goes(office: Office, at_s: float, *queues: str) -> None:
    for queue in queues:
        contact = f"r{next(_contacts)}"
        await office.do(queued(contact, at_s, queue), left(contact, at_s + 1))


async def published(office: Office, at_s: float) -> None:
    """All is read up to then, and a publisher that has not looked yet looks."""
    office.clock = T0 + round(at_s * 1000)
    await office.beat(office.clock)
    office.end_lease()
    await office.publisher().round()


def retired(office: Office, kind: str = "queue") -> set[str]:
    return {name.decode() for name in office.real.client.smembers(keys.retired(kind))}  # type: ignore[union-attr]


def is_full(office: Office) -> bool:
    """What the metric says."""
    return office.store.queues.full


DAYS = 86_400


async def test_real_queues_find_a_place_after_a_flood(small: Office) -> None:
    await comes_and_goes(small, 0, "flood 1", "flood 2", "flood 3", "real", "too late")
    assert (await small.store.queues.learn(())).keys() == {"other", "flood 1", "flood 2", "flood 3", "real"}
    await published(small, 3_600)
    assert retired(small) == set(), "all of them were just used"
    await comes_and_goes(small, 2 * DAYS, "real", "too late")
    await published(small, 2.2 * DAYS)
    assert retired(small) == {"flood 1", "flood 2", "flood 3"}
    await comes_and_goes(small, 2.3 * DAYS, "real", "too late", "new")
    assert not is_full(small), "and the alert is over"
    registry = {name: number for number, name in small.real.registry("queue").items()}
    assert (registry["too late"], registry["new"]) == (5, 6), "no number is given again"
    await comes_and_goes(small, 2.4 * DAYS, "flood 2", "flood 3")
    assert retired(small) == {"flood 1", "flood 3"}
    assert is_full(small)
    assert small.real.registry("queue")[2] == "flood 2", "its own again"
    await published(small, 2.5 * DAYS)
    rows = by_key(await small.rows())
    offered = {(start, queue): row.offered for (start, queue, _), row in rows.items() if row.offered}
    quarter = [T0 + round(day * DAY) // 900_000 * 900_000 for day in (0, 2, 2.3, 2.4)]
    assert offered == {
        **{(quarter[0], f"flood {n}"): 1 for n in (1, 2, 3)},
        (quarter[0], "real"): 1,
        (quarter[0], "other"): 1,
        (quarter[1], "real"): 1,
        (quarter[1], "other"): 1,
        **{(quarter[2], name): 1 for name in ("real", "too late", "new")},
        (quarter[3], "flood 2"): 1,
        (quarter[3], "other"): 1,
    }


async def test_who_is_waited_in_or_asked_about_stays(small: Office) -> None:
    contact = "long"
    await small.do(queued(contact, 0, "waits", "chat"))  # for up to thirty days
    await comes_and_goes(small, 0, "surveyed", "idle", "other platform's")
    await small.do(queued("x", 0, "idle"), partition=FILE)  # nobody waits in a recording
    survey = SurveyAnswered(
        id="s", at=T0 + 2 * DAY, contact_id="gone", queue="surveyed", kind="csat", score=5
    )
    await small.do(survey)
    await small.do(queued("p", 2 * DAYS, "other platform's"), partition=P1)
    await published(small, 2.2 * DAYS)
    await small.beat(small.clock, P1)
    small.end_lease()
    await small.publisher().round()
    assert retired(small) == {"idle"}


async def test_what_a_recording_tells_of_these_days_stays(small: Office) -> None:
    await comes_and_goes(small, 0, "a", "b", "c", "recorded")
    await small.do(queued("x", 2 * DAYS, "recorded"), left("x", 2 * DAYS + 1), partition=FILE)
    await published(small, 2.2 * DAYS)
    assert retired(small) == {"a", "b", "c"}


async def test_channels_too(small: Office) -> None:
    for n in range(CAPS["channel"]):
        await small.do(queued(f"c{n}", 0, "one", f"channel {n}"), left(f"c{n}", 1))
    assert len(small.real.registry("channel")) == CAPS["channel"]
    await small.do(queued("d", 2 * DAYS, "one", "channel 3"))
    await published(small, 2.2 * DAYS)
    assert retired(small, "channel") == {f"channel {n}" for n in range(CAPS["channel"]) if n != 3}
    assert retired(small) == set(), "there are places left"


async def test_a_registry_with_places_left_is_not_looked_at(small: Office) -> None:
    await comes_and_goes(small, 0, "a", "b", "c")
    await small.do(queued("d", 5 * DAYS, "a"))
    await published(small, 6 * DAYS)
    assert retired(small) == set()


async def test_what_is_retired_is_bounded(small: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many for each place; then it stays full, and somebody has to mend what floods it."""
    monkeypatch.setattr(retiring, "FACTOR", 1)
    for wave in range(4):
        await comes_and_goes(small, 3 * wave * DAYS, *(f"flood {wave}.{n}" for n in range(CAP)))
        await published(small, (3 * wave + 2.5) * DAYS)
    assert len(retired(small)) == CAP
    assert len(small.real.registry("queue")) == 2 * CAP


async def test_it_looks_once_an_hour_and_only_as_the_one_who_publishes(small: Office) -> None:
    await comes_and_goes(small, 0, "a", "b", "c", "d")
    await published(small, 3 * DAYS)
    assert len(retired(small)) == 4
    small.real.client.delete(keys.retired("queue"))
    publisher, now = small.publisher(), T0 + 10 * DAY
    small.end_lease()
    looking = Retiring(small.opened[-1].client, CAP)
    await publisher.round()
    small.real.client.delete(keys.retired("queue"))
    state = await small.opened[-1].restore()
    token = (small.real.client.hget(keys.published("meta"), "token") or b"").decode()  # type: ignore[union-attr]
    with pytest.raises(FencedError):
        await looking.round("another", state, (), now)
    assert retired(small) == set()
    assert await looking.round(token, state, (), now + EVERY_MS - 1) == 0
    assert await looking.round(token, state, (), now + EVERY_MS) == 4
    assert await looking.round(token, state, (), now + EVERY_MS + 1) == 0


async def test_a_name_that_returns_as_it_is_retired_is_counted_under_its_own_number(small: Office) -> None:
    """Its worker has used it within the day, by its own partition's time, and does not ask again."""
    await comes_and_goes(small, 0, "a", "b", "c", "d")
    small.real.client.sadd(keys.retired("queue"), "a")
    await comes_and_goes(small, 10, "a", "e")
    held = {place[2]: cell["offered"] for place, cell in small.real.held().cells.items() if not place[0]}
    assert held == {"a": 2, "b": 1, "c": 1, "d": 1, "e": 1}
    await (await Hand.take(small.store)).do(queued("z", 20, "a"))
    held = {place[2]: cell["offered"] for place, cell in small.real.held().cells.items() if not place[0]}
    assert (held["a"], held["other"]) == (2, 1), "e has its place"
