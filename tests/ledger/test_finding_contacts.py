"""Contacts are found as they are counted: the totals are the counters', and pages have each of them once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from stream_app.ledger.columns import IN_VISITS, fact_name
from stream_app.ledger.local_files import LocalFiles
from stream_app.model.contacts import OUTCOMES, WHEN, ContactKey, ContactQuery, FoundContact
from stream_app.model.kpis import COUNTERS
from stream_app.model.windows import KEPT
from stream_app.views.contacts.query import FILTERS
from tests.reference.traffic import QUEUES

from .centre import Centre

EVER: dict[str, Any] = {"start": 0, "end": 4_000_000_000_000}
PLAIN = {
    fact_name(counter.fact): counter.name
    for counter in COUNTERS
    if counter.fact in IN_VISITS and not counter.fields and counter.where is None
}
"""When → the counter of all contacts of which that is counted."""


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage)
    await made.claim()
    yield made
    await made.close()


async def every_page(centre: Centre, limit: int, **asked: Any) -> list[FoundContact]:
    """All pages, while more is counted between them."""
    found: list[FoundContact] = []
    after: ContactKey | None = None
    while True:
        page = await centre.contacts.find(ContactQuery(limit=limit, after=after, **asked))
        found += page.contacts
        if not page.more:
            return found
        after = page.contacts[-1].key
        desk = centre.random.choice(centre.desks)
        await desk.count(20)
        if centre.random.random() < 0.2:
            await desk.write()


async def counted(centre: Centre, start: int, end: int) -> Counter[tuple[str, str, str]]:
    """Queue, channel and counter → what Redis has in whole buckets of ten seconds."""
    names = await centre.moments.names()
    queues, channels = ({n: name for name, n in names[kind].items()} for kind in ("queue", "channel"))
    called = {n: name for name, n in names["counter"].items()}
    found: Counter[tuple[str, str, str]] = Counter()
    for desk in centre.desks:
        moment = await centre.moments.read(desk.partition, since=start)
        for (resolution, at, field), cell in moment.buckets():
            if resolution == 10_000 and start <= at < end:
                queue, channel = map(int, field.split(b"."))
                for number, n in cell.items():
                    if number in called:
                        found[queues[queue], channels[channel], called[number]] += n
    return found


def test_what_a_range_may_be_about_is_what_visits_count() -> None:
    assert {*WHEN} - {"started"} <= {*map(fact_name, IN_VISITS)}
    assert {*WHEN} & {*PLAIN} >= {"offered", "answered", "abandoned", "left", "handled", "decided", "lost"}


@pytest.mark.slow
async def test_totals_are_what_the_counters_have(centre: Centre) -> None:
    checked = 0
    while await centre.random.choice(centre.desks).count(centre.random.randint(200, 1_000)):
        if centre.random.random() < 0.3:
            await centre.random.choice(centre.desks).write()
        times = [(await centre.moments.read(desk.partition)).time for desk in centre.desks]
        end = max(times) + 10_000
        start = (max(times) - KEPT[10_000]) // 10_000 * 10_000 + 10_000
        has = await counted(centre, start, end)
        when = centre.random.choice([*{*WHEN} & {*PLAIN}])
        for queue in QUEUES:
            for channel in ("voice", "chat"):
                query = ContactQuery(
                    start=start, end=end, when=when, queues=frozenset({queue}), channels=frozenset({channel})
                )
                page = await centre.contacts.find(query)
                assert (page.total, page.unknown) == (has[queue, channel, PLAIN[when]], [])
                checked += page.total
    assert checked > 300


@pytest.mark.slow
async def test_pages_have_every_contact_once_while_others_come_and_end(centre: Centre) -> None:
    for desk in centre.desks:
        await desk.count(1_500)
        await desk.write()
        await desk.count(300)
    before = (await centre.contacts.find(ContactQuery(limit=10_000, **EVER))).contacts
    assert any(one.open for one in before)
    assert not all(one.open for one in before)
    paged = await every_page(centre, 17, **EVER)

    def who(one: FoundContact) -> tuple[Any, ...]:
        return one.key[:5]

    seen = Counter(map(who, paged))
    assert [one for one, n in seen.items() if n > 1] == []
    assert [who(one) for one in before if who(one) not in seen] == []
    keys = [one.key for one in paged]
    assert keys == sorted(keys, reverse=True)
    ended = {who(one) for one in before if one.open} & {who(one) for one in paged if not one.open}
    assert ended, "some were open at first and over when their page came"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.sampled_from(
            [
                "'; DROP VIEW visits; --",
                "' OR 1=1 --",
                "sales') UNION SELECT 1 --",
                "?",
                "$1",
                "\x00",
                "agent-1",
            ]
        ),
    ),
    field=st.sampled_from([*FILTERS.values()]),
)
async def test_a_name_is_nothing_but_a_name(centre: Centre, name: str, field: str) -> None:
    if not centre.desks[0].position:
        await centre.desks[0].count(100)
    every = (await centre.contacts.find(ContactQuery(limit=10_000, **EVER))).contacts
    asked: dict[str, Any] = {field: frozenset({name}), **EVER}
    page = await centre.contacts.find(ContactQuery(**asked))
    assert page.total == sum(getattr(one, field.removesuffix("s")) == name for one in every)
    again = await centre.contacts.find(ContactQuery(limit=10_000, **EVER))
    assert (again.contacts, len(every) > 0) == (every, True)


async def test_every_outcome_is_told(centre: Centre) -> None:
    for desk in centre.desks:
        await desk.count(100_000)
    found = (await centre.contacts.find(ContactQuery(limit=10_000, **EVER))).contacts
    assert {one.outcome for one in found} <= {*OUTCOMES}
    assert len({one.outcome for one in found}) >= 6
    for outcome in OUTCOMES:
        page = await centre.contacts.find(ContactQuery(outcomes=frozenset({outcome}), **EVER))
        assert page.total == sum(one.outcome == outcome for one in found)
