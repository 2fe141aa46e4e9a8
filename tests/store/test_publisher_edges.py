"""Whoever publishes interval rows, at the edges: what was not read, silence, recordings, rollbacks, a broker that is away."""

import asyncio
from random import Random
from typing import Any

import pytest

from stream_app.errors import StoreUnavailableError, StreamAppError
from stream_app.model.durations import DAY
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.model.intervals.counting import NUMBERS, Rows, add_amounts
from stream_app.model.intervals.row import rows_of
from stream_app.model.ports import Partition
from stream_app.processes.publishing import Publishing
from stream_app.store.intervals.publisher import GRACE_MS, RECORDED, Confirm
from stream_app.telemetry import Telemetry
from tests.services.process import until

from .backends import P0, P1
from .hand import HOUR, MINUTE, T0, answered, queued
from .office import FILE, Follower, Office, Traffic, by_key

OLD = Partition("old", 0)
pytestmark = pytest.mark.parametrize("real", ["7"], indirect=True)  # its commands are tried on both elsewhere


async def published(office: Office, at: int) -> None:
    """All is read up to a moment, and published."""
    office.clock = at
    await office.beat(at)
    office.end_lease()
    await office.publisher().round()


# --- what was not read ---


async def test_nothing_is_final_before_every_partition_of_the_topic_was_read(office: Office) -> None:
    publisher = office.publisher(expected={P0, P1})
    office.clock = T0 + DAY
    await office.beat(T0 + DAY, P0)  # empty, and claimed first
    await publisher.round()
    await office.do(queued("a"), partition=P1)
    await office.beat(T0 + DAY, P1, behind=1_000)
    await publisher.round()
    assert not any(row.final for row in await office.rows())
    await office.beat(T0 + DAY, P0, P1)
    await publisher.round()
    assert all(row.final for row in await office.rows())


async def test_a_topic_that_nobody_reads_any_more_holds_nobody_up_for_long(office: Office) -> None:
    publisher = office.publisher(expected={P0})
    await office.do(queued("a"), partition=OLD)
    await office.beat(T0 + MINUTE, OLD)
    await office.do(queued("b", 86_400))
    await office.beat(T0 + 2 * DAY, P0)
    office.clock = T0 + 2 * DAY
    await publisher.round()
    rows = by_key(await office.rows())
    assert all(row.final for row in rows.values())
    assert {T0, T0 + DAY} <= {start for start, *_ in rows}


async def test_a_topic_that_was_left_holds_nobody_up_and_keeps_its_rows(office: Office) -> None:
    """At once: its contacts are in the other topic. What it changed last is published all the same."""
    other = Partition("new", 0)
    await office.do(queued("a"), answered("a", 5))
    await office.beat(T0 + HOUR, P0)
    await office.publisher(expected=[P0]).round()
    office.end_lease()
    await office.do(answered("nobody", 10), queued("b", 20), answered("b", 30))
    office.real.client.hset("kpi:topic:t", "moved", "new")
    await office.do(queued("c", 3600), partition=other)
    office.clock = T0 + 3 * HOUR
    await office.beat(office.clock, other)
    await office.publisher(expected=[other]).round()
    rows = await office.rows()
    assert [(row.offered, row.answered) for row in rows if row.offered] == [(2, 2), (1, 0)]
    assert all(row.final for row in rows)
    assert rows[-1].start >= T0 + 2 * HOUR, "and time goes on"
    assert not office.real.client.keys("kpi:{t.0}:d:*"), (
        "its days are settled by the clock: its own time stands still"
    )


async def test_a_clock_that_is_ahead_makes_nothing_of_the_future_final(office: Office) -> None:
    publisher = office.publisher()
    now = int(office.real.client.time()[0]) * 1000
    await office.do(queued("a", (now - T0) / 1000))
    await office.beat(now + DAY)
    await publisher.round()
    assert not any(row.final for row in await office.rows())


# --- silence ---


async def test_a_late_first_contact_leaves_no_hole(office: Office) -> None:
    await office.do(queued("a", 1, "other"), answered("a", 2))
    await published(office, T0 + MINUTE)
    await office.do(queued("s", 47 * 3600), answered("s", 47 * 3600 + 5))
    await published(office, T0 + 50 * HOUR)
    await office.do(queued("l", 3 * 3600))
    await published(office, T0 + 50 * HOUR)
    starts = [row.start for row in await office.rows() if row.queue == "sales"]
    assert starts == list(range(T0 + 3 * HOUR, T0 + 50 * HOUR - GRACE_MS, INTERVAL_MS))


async def test_after_five_weeks_of_silence_nothing_is_known(office: Office) -> None:
    await office.do(queued("a"), answered("a", 2))
    await published(office, T0 + 44 * DAY)
    before = len(await office.rows())
    await office.do(queued("b", 45 * 86_400))
    await published(office, T0 + 45 * DAY)
    assert len(await office.rows()) == before + 1


async def test_a_recording_is_read_to_its_end_in_every_queue(office: Office) -> None:
    await office.do(queued("z", 100 * 86_400, "live"))
    await published(office, T0 + 100 * DAY)
    await office.do(queued("b", 0, "rare"), answered("b", 5), partition=FILE)
    for hour in range(72):
        at = hour * 3600 + 10
        await office.do(queued(f"a{hour}", at, "busy"), answered(f"a{hour}", at + 10), partition=FILE)
    await published(office, T0 + 100 * DAY)
    rows = await office.rows()
    last = {queue: max(row.start for row in rows if row.queue == queue) for queue in ("busy", "rare")}
    assert last["rare"] == last["busy"]


@pytest.mark.parametrize("seed", range(4))
async def test_rows_are_those_of_the_pure_function(office: Office, seed: int) -> None:
    """None is missing, none too many, and every depth is right, whatever was published when."""
    random, publisher = Random(seed), office.publisher()
    traffic = Traffic(office, random, (P0, P1), [0, 80_000, 200_000, 400_000][seed])
    for _ in range(40):
        for _ in range(random.randrange(5)):
            await traffic.step()
        office.clock = traffic.now
        await office.beat(traffic.now, P0, P1, behind=random.choice([0, 0, 1]))
        await publisher.round()
    end = traffic.now + DAY
    await office.beat(end, P0, P1)
    await publisher.round()
    total: Rows = {}
    for rows in office.counted.values():
        for key, amounts in rows.items():
            add_amounts(total.setdefault(key, {}), amounts)
    expected: dict[tuple[int, str, str], tuple[int | None, int | None]] = {}
    for place in {key[1:] for key in total}:
        mine = {key[0]: amounts for key, amounts in total.items() if key[1:] == place}
        pure = [row for row in rows_of(place, mine, end - GRACE_MS, 0) if row.final]
        expected |= {key: (row.backlog_start, row.backlog_max) for key, row in by_key(pure).items()}
    found = by_key(await office.rows())
    assert {key: (row.backlog_start, row.backlog_max) for key, row in found.items()} == expected


async def test_final_is_said_with_the_last_of_its_rows(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However small the pieces: whoever goes on after a failure between two numbers the others."""
    monkeypatch.setattr("stream_app.store.intervals.publisher.DAYS_AT_ONCE", 1)
    for queue in ("a", "b", "c"):
        await office.do(queued(queue, 0, queue), answered(queue, 5))
    await office.beat(T0 + MINUTE)
    publisher, store = office.publisher(), office.opened[-1]
    await publisher.round()
    write, written = store.write, iter(range(1_000))

    async def fails(*args: Any) -> None:
        if next(written) == 1:
            raise StoreUnavailableError("no answer")
        await write(*args)

    office.clock = T0 + HOUR
    await office.beat(office.clock)
    monkeypatch.setattr(store, "write", fails)
    with pytest.raises(StoreUnavailableError):
        await publisher.round()
    await publisher.round()
    rows = await office.rows()
    assert all(row.final for row in rows)
    assert {queue: sum(row.queue == queue for row in rows) for queue in "abc"} == dict.fromkeys("abc", 3)


# --- recordings beside live traffic ---


async def test_a_recording_changes_no_live_row(office: Office) -> None:
    """However much of it was taken in: it is stored before anybody looks."""
    for hour in range(48):
        await office.do(queued(f"l{hour}", hour * 3600), answered(f"l{hour}", hour * 3600 + 9))
    await published(office, T0 + 48 * HOUR)
    live = by_key(await office.rows())
    for first in range(0, 2_600, 200):
        events = [
            event
            for n in range(first, first + 200)
            for at in (n * 900 - 30 * 86_400,)
            for event in (queued(f"r{n}", at + 1), answered(f"r{n}", at + 1_700))
        ]
        await office.do(*sorted(events, key=lambda event: event.at), partition=FILE)
    await published(office, T0 + 48 * HOUR)
    rows = by_key(await office.rows())
    assert len(rows) > len(live) + 2_500
    assert {key: rows[key] for key in live if key[0] >= T0} == {k: v for k, v in live.items() if k[0] >= T0}


async def test_a_recording_that_does_not_end_holds_nobody_up(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream_app.store.intervals.publisher.RECORDED", 10)
    await office.do(queued("x"), answered("x", 1))
    await published(office, T0 + MINUTE)
    contacts = iter(range(1_000_000))
    publisher, acknowledge = office.publisher(), office.opened[-1].acknowledge

    async def meanwhile(*given: object) -> None:
        if given:
            await acknowledge(*given)  # type: ignore[arg-type] # what it was given
        for n in (next(contacts) for _ in range(20)):
            await office.do(queued(f"r{n}", n * 900 - 300 * 86_400), partition=FILE)

    office.opened[-1].acknowledge = meanwhile  # type: ignore[method-assign, assignment] # more comes than goes
    await meanwhile()
    office.clock = T0 + 2 * HOUR
    await office.beat(office.clock)
    office.end_lease()
    await asyncio.wait_for(publisher.round(), 30)
    assert by_key(await office.rows())[T0, "sales", "voice"].final
    assert RECORDED > 10


# --- what goes wrong ---


async def test_a_rollback_gives_no_number_twice_and_followers_get_there(office: Office) -> None:
    publisher, follower = office.publisher(), Follower(office.reader)
    for n in range(40):
        await office.do(queued(f"c{n}", n, f"q{n}"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    back = office.real.save()
    office.clock = T0 + 3 * DAY
    await office.beat(office.clock)
    await publisher.round()
    await follower.pull(5_000)
    assert len(follower.table) > 11_000
    back()
    office.clock += 1  # it was quick
    office.hands.clear()
    await office.do(queued("late", 100, "q0"))
    await office.beat(office.clock)
    await publisher.round()
    await follower.pull(5_000)
    assert follower.table == by_key(await office.rows())
    assert len(set(follower.seen)) == len(follower.seen)


async def test_numbers_run_hardly_ahead_of_the_clock(office: Office) -> None:
    """So that another publisher, after a rollback, gives none twice either."""
    await office.do(*[queued(f"c{n}", n, f"q{n}") for n in range(40)])
    await published(office, T0 + MINUTE)
    await published(office, T0 + 3 * DAY)
    rows = await office.rows()
    assert max(row.revision for row in rows) - office.clock * NUMBERS == len(rows)


async def test_a_broker_that_is_away_is_told_later_and_rows_go_on(office: Office) -> None:
    told: list[IntervalRow] = []
    away = True

    async def tell(rows: list[IntervalRow], _: Confirm) -> None:
        if away:
            raise StreamAppError("no broker")
        told.extend(rows)

    publisher = office.publisher(told)
    publisher._tell = tell
    await office.do(queued("a"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    office.clock = T0 + HOUR
    await office.beat(office.clock)
    done = await publisher.round()
    assert (done.leading, done.rows > 0, done.untold) == (True, True, "no broker")
    away = False
    assert (await publisher.round()).untold == ""
    assert by_key(told) == by_key(await office.rows())


async def test_who_slept_before_it_sent_sends_nothing_once_somebody_else_publishes(office: Office) -> None:
    """It read rows, and connects only now, when newer ones are in the topic."""
    sent: list[IntervalRow] = []
    told: list[IntervalRow] = []
    slow, quick = office.publisher(sent), office.publisher(told)

    async def tell(rows: list[IntervalRow], confirm: Confirm) -> None:
        office.end_lease()
        await quick.round()
        await confirm()
        sent.extend(rows)

    slow._tell = tell
    await office.do(queued("a"))
    await office.beat(T0 + MINUTE)
    await slow.round()
    office.clock = T0 + HOUR
    await office.beat(office.clock)
    await slow.round()
    assert (sent, by_key(told)) == ([], by_key(await office.rows()))


async def test_whatever_is_wrong_with_rows_the_worker_goes_on(office: Office) -> None:
    await office.do(queued("a"))
    await published(office, T0 + HOUR)
    office.real.client.zadd("kpi:{t.0}:changed", {"nonsense": 1})
    office.end_lease()
    telemetry = Telemetry()
    service = Publishing(office.publisher(), None, telemetry)
    await service.start()
    await until(lambda: service.rounds > 0, 10, "a round is over")
    assert not service.crashed
    await service.stop()


@pytest.mark.parametrize("away", [True, False])
async def test_a_topic_that_refuses_rows_is_a_metric(office: Office, away: bool) -> None:
    async def tell(_: list[IntervalRow], _confirm: Confirm) -> None:
        if away:
            raise StreamAppError("no broker")

    publisher = office.publisher([])
    publisher._tell = tell
    await office.do(queued("a"))
    office.clock = T0 + HOUR
    await office.beat(office.clock)
    telemetry = Telemetry()
    service = Publishing(publisher, None, telemetry)
    await service.start()
    await until(lambda: service.rounds > 0, 10, "a round is over")
    await service.stop()
    assert telemetry.registry.get_sample_value("stream_app_interval_rows_published_total") != 0
    assert telemetry.registry.get_sample_value("stream_app_interval_topic_failing") == away


async def test_a_lease_of_a_clock_that_was_ahead_is_none(office: Office) -> None:
    await office.beat(T0)
    assert (await office.publisher().round()).leading
    office.real.client.hincrby("kpi:{rows}:meta", "until", 3_600_000)
    assert (await office.publisher().round()).leading
