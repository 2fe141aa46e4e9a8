"""A partition that starts over keeps the interval rows that nothing will count again."""

from typing import Any

import pytest

from stream_app.errors import StoreUnavailableError
from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.store import admin
from stream_app.store.admin import start_over

from .backends import P0, P1
from .hand import DAY, HOUR, SECOND, T0, answered, queued
from .office import Office, by_key

SALES = ("sales", "voice")


@pytest.fixture
async def counted(office: Office) -> Office:
    """Three quarters of an hour; somebody waits all the time, somebody only in the last of them."""
    await office.do(queued("long"), queued("a", 10), answered("a", 20))
    await office.do(queued("b", 1000), answered("b", 1010))
    await office.do(queued("c", 2000))
    await office.do(queued("d", 5), partition=P1)
    await office.beat(T0 + HOUR, P0, P1)
    await office.publisher().round()
    return office


async def test_what_kafka_has_no_more_stays_and_the_rest_is_counted_again(counted: Office) -> None:
    before = by_key(await counted.rows())
    assert [row.offered for row in before.values()] == [3, 1, 1]
    counted.end_lease()
    await start_over(counted.store.client, P0, 5, T0 + 2 * INTERVAL_MS + 1)
    del counted.hands[P0]
    await counted.do(queued("c", 2000), answered("c", 2100))
    counted.clock = T0 + 2 * HOUR
    await counted.beat(T0 + 2 * HOUR, P0, P1)
    await counted.publisher().round()
    first, second, third, *zeros = (await counted.rows())[:4]
    assert [row.offered for row in (first, second, third)] == [3, 1, 1]
    assert first == before[T0, *SALES]
    assert (third.answered, third.version) == (1, 2)
    assert [row.backlog_start for row in (first, second, third, *zeros)] == [0, 2, 1, 1], "only d still waits"


async def test_without_records_all_rows_stay(counted: Office) -> None:
    before = [(row.start, row.offered, row.answered) for row in await counted.rows()]
    counted.end_lease()
    await start_over(counted.store.client, P0, 5, T0 + HOUR)
    await counted.publisher().round()
    after = await counted.rows()
    assert [(row.start, row.offered, row.answered) for row in after][: len(before)] == before
    assert [row.backlog_start for row in after[:3]] == [0, 2, 2], "so far nobody knew"
    del counted.hands[P0]
    await counted.beat(T0 + 2 * HOUR, P0, P1)
    await counted.publisher().round()
    counted.end_lease()
    await counted.publisher().round()
    assert (await counted.rows())[-1].backlog_start == 1, "only d still waits"


async def test_a_store_that_steps_back_meanwhile_is_left_as_it_is(
    counted: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept would be what was, under the numbers of then."""
    before, restore, remaining = counted.real.contents(), counted.real.save(), admin._remaining
    await counted.do(queued("e", 2100))

    async def step_back(*given: Any) -> dict[bytes, int]:
        found = await remaining(*given)
        restore()
        return found

    monkeypatch.setattr(admin, "_remaining", step_back)
    with pytest.raises(StoreUnavailableError, match=r"t\.0 changed meanwhile"):
        await start_over(counted.store.client, P0, 5, T0 + 2 * INTERVAL_MS)
    assert counted.real.contents() == before


async def test_who_waits_by_mail_is_let_go_however_long_ago_the_log_begins(office: Office) -> None:
    """Rows of mails are open for half a year, those of calls for a month: theirs stay, with whoever waits in them."""
    await office.do(queued("mail", channel="email"), queued("call"))
    await office.do(queued("later", 60 * DAY / SECOND, channel="email"))
    office.clock = T0 + 60 * DAY
    await office.beat(office.clock)
    await office.publisher().round()
    office.end_lease()
    await start_over(office.store.client, P0, 5, T0 + 20 * DAY)
    del office.hands[P0]
    office.clock += DAY
    await office.beat(office.clock)
    await office.publisher().round()
    last = {row.channel: row.backlog_start for row in await office.rows()}
    assert last["email"] == 0
