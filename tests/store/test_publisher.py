"""Whoever publishes interval rows: rows are the sum over partitions, changes are numbered once, and only one does it."""

from random import Random

import pytest

from stream_app.model.durations import DAY
from stream_app.model.events import MessageSent
from stream_app.model.intervals.columns import INTERVAL_MS, IntervalRow
from stream_app.model.intervals.counting import NUMBERS, SETTLED_AFTER
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.intervals.publisher import GRACE_MS
from stream_app.store.intervals.state import Lease

from .backends import P0, P1
from .hand import HOUR, MINUTE, SECOND, T0, abandoned, answered, left, queued
from .office import FILE, OLDER, Follower, Office, Traffic, by_key, rounds


def sums(row: IntervalRow) -> tuple[int, ...]:
    return (row.offered, row.answered, row.abandoned, row.left, row.lost, row.waiting)


async def test_a_row_is_open_at_first(office: Office) -> None:
    publisher = office.publisher()
    await office.beat(T0)
    assert (await publisher.round()).leading
    assert await office.rows() == []
    await office.do(queued("c"))
    await publisher.round()
    (row,) = await office.rows()
    assert (row.start, sums(row), row.final, row.revision) == (T0, (1, 0, 0, 0, 0, 1), False, 0)
    assert await office.reader.newest() == 0


async def test_a_row_is_final_after_the_grace_and_a_later_change_is_a_revision(office: Office) -> None:
    publisher = office.publisher()
    await office.do(queued("c"), answered("c", 5), queued("d", 10))
    await office.beat(T0 + INTERVAL_MS + GRACE_MS - 1)
    await publisher.round()
    (row,) = await office.rows()
    assert not row.final
    office.clock = T0 + INTERVAL_MS + GRACE_MS
    await office.beat(office.clock)
    assert (await publisher.round()).rows == 1
    (row,) = await office.rows()
    assert (row.final, row.version, row.waiting, row.revision) == (True, 1, 1, office.clock * NUMBERS + 1)

    office.clock += HOUR
    await office.do(answered("d", 3000))
    await publisher.round()
    first, *others = await office.rows()
    assert (first.answered, first.version, first.waiting) == (2, 2, 0)
    assert first.revision == office.clock * NUMBERS + 1
    assert [row.start for row in others] == [T0 + 3 * INTERVAL_MS], "where it left the queue"

    before = await office.rows()
    assert (await publisher.round()).rows == 0, "what is as it was gets no number"
    assert await office.rows() == before
    assert await office.reader.newest() == max(row.revision for row in before)
    queues, channels = await office.reader.names()
    assert {row.queue for row in before} <= set(queues)
    assert {row.channel for row in before} <= set(channels)


async def test_a_quiet_quarter_is_a_row_of_zeros_and_one_that_was_not_read_is_none(office: Office) -> None:
    publisher = office.publisher()
    await office.do(queued("c"), answered("c", 5))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    office.clock = T0 + 4 * INTERVAL_MS
    await office.beat(office.clock)
    await publisher.round()
    rows = await office.rows()
    assert [row.start for row in rows] == [T0, T0 + INTERVAL_MS, T0 + 2 * INTERVAL_MS]
    assert [sums(row)[0] for row in rows] == [1, 0, 0]
    assert all(row.final for row in rows)

    await office.beat(T0 + 9 * INTERVAL_MS, behind=1)  # something is not read: who knows what
    await publisher.round()
    assert await office.rows() == rows


async def test_one_partition_that_was_not_read_keeps_rows_open(office: Office) -> None:
    publisher = office.publisher()
    await office.do(queued("c"))
    await office.do(queued("d", 1), partition=P1)
    await office.beat(T0 + MINUTE, P0, P1)
    await publisher.round()
    await office.beat(T0 + HOUR, P0)
    await publisher.round()
    (row,) = await office.rows()
    assert (row.offered, row.final) == (2, False)
    await office.beat(T0 + HOUR, P1)
    await publisher.round()
    assert all(row.final for row in await office.rows())


async def test_a_former_publisher_that_wakes_up_writes_nothing(office: Office) -> None:
    """Its lease ran out in the middle of a round, so it still believes to have one."""
    former, present = office.publisher(), office.publisher()
    await office.do(queued("c"))
    await office.beat(T0 + MINUTE)
    await former.round()
    believed = await office.opened[0].lease(former._token, 0)  # it lasts no longer
    assert (await present.round()).leading
    await office.do(answered("c", 5))
    office.clock = T0 + HOUR
    await office.beat(office.clock)

    async def believes(_token: str, _ms: int) -> Lease:
        return believed

    office.opened[0].lease = believes  # type: ignore[method-assign,assignment] # what it heard before it fell asleep
    before = await office.reader.state()
    assert (await former.round()).rows == 0
    assert await office.reader.state() == before
    assert (await office.rows())[0].answered == 0
    await present.round()
    assert [(row.answered, row.version) for row in (await office.rows())[:1]] == [(1, 1)]


async def test_depth_runs_through_the_days(office: Office) -> None:
    publisher = office.publisher()
    midnight = (T0 // DAY + 1) * DAY
    to_midnight = (midnight - T0) / 1000
    await office.do(queued("a", 60, channel="callback"), queued("b", 130, channel="callback"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    await office.do(answered("a", 200), queued("c", to_midnight + 30, channel="callback"))
    await office.do(answered("b", to_midnight + 100), left("c", to_midnight + 1000))
    office.clock = midnight + HOUR
    await office.beat(office.clock)
    await publisher.round()
    rows = {row.start: (row.backlog_start, row.backlog_max) for row in await office.rows()}
    assert rows[T0] == (0, 2)
    assert rows[midnight - INTERVAL_MS] == (1, 1)
    assert rows[midnight] == (1, 2)
    assert rows[midnight + INTERVAL_MS] == (1, 1)
    assert rows[midnight + 2 * INTERVAL_MS] == (0, 0)


async def test_a_change_of_the_past_runs_on(office: Office) -> None:
    """Somebody had left long before it was told: no row since is what it was."""
    publisher = office.publisher()
    await office.do(queued("a", channel="callback"), queued("b", 1, channel="callback"))
    await office.beat(T0 + MINUTE)
    await publisher.round()
    office.clock = T0 + 30 * HOUR
    await office.beat(office.clock)
    await publisher.round()
    before = await office.rows()
    assert {row.backlog_start for row in before[1:]} == {2}
    await office.do(abandoned("a", 60))
    await publisher.round()
    after = await office.rows()
    assert {row.backlog_start for row in after[1:]} == {1}
    assert [row.version for row in after] == [2] * len(after)
    revisions = [row.revision for row in after]
    assert len(set(revisions)) == len(revisions)
    assert min(revisions) > max(row.revision for row in before)


@pytest.mark.parametrize(
    ("seed", "jump_s", "partitions"),
    [
        (0, 0, (P0, P1)),
        (1, 0, (P0, P1, FILE)),
        (2, 200_000, (P0, P1)),
        (3, 400_000, (P0, P1, FILE)),
    ],
)
async def test_published_is_what_partitions_counted(
    office: Office, seed: int, jump_s: float, partitions: tuple[Partition, ...]
) -> None:
    """Whatever the order of rounds, publishers and commits; and who follows revisions has the same table."""
    random = Random(seed)
    told: list[IntervalRow] = []
    publishers = [office.publisher(told), office.publisher(told)]
    traffic, follower = Traffic(office, random, partitions, jump_s), Follower(office.reader)
    for _ in range(40):
        for _ in range(random.randrange(8)):
            await traffic.step()
        office.clock = max(office.clock, traffic.now - random.choice([0, HOUR]))
        await office.beat(traffic.now, P0, P1, behind=random.choice([0, 0, 1]))
        if random.random() < 0.2:
            office.end_lease()
            random.shuffle(publishers)
        await rounds(publishers)
        if random.random() < 0.5:
            await follower.pull(random.choice([7, 50, 1000]))
    older = Traffic(office, random, (OLDER,))  # of days that others are done with
    for _ in range(30):
        await older.step()
    await office.beat(traffic.now + DAY, P0, P1)
    await rounds(publishers)
    await follower.pull(100)

    rows = by_key(await office.rows())
    office.check(rows)
    assert follower.table == rows
    assert follower.seen == sorted(set(follower.seen)), "every change once"
    assert by_key(told) == rows
    kept = [int(key.split(b":")[-2]) for key in office.real.client.scan_iter(match="kpi:{t.0}:d:*")]
    oldest = min(kept, default=traffic.now // DAY)
    assert oldest * DAY > traffic.now - SETTLED_AFTER - 14 * DAY, "settled days are kept once"
    if FILE not in partitions:
        last = max(max(wait[2:]) for wait in older.waits)  # whom the recording left waiting is over after it
        compared = [row for row in rows.values() if row.start > last + INTERVAL_MS]
        expected = [traffic.depth(row.queue, row.channel, row.start) for row in compared]
        assert [row.backlog_start for row in compared] == expected


@pytest.mark.parametrize("former", [False, True])
async def test_a_mail_that_is_answered_after_six_weeks_waits_in_its_row_no_more(
    office: Office, *, former: bool
) -> None:
    """Calls of that day are settled by then; the day of the mail half a year after it, also if a former version stored it."""
    publisher = office.publisher()
    mail = keys.rows(P0, T0 // DAY, b"1.1")
    call = keys.rows(P0, T0 // DAY, b"1.2")
    await office.do(queued("m", channel="email"), queued("c"), answered("c", 5))
    if former:
        office.real.client.zadd(keys.row_days(P0), {f"{T0 // DAY}:1.1": T0 // DAY})
    for days, kept, waiting in ((1, (1, 1), 1), (42, (1, 0), 1), (43, (1, 0), 0), (190, (0, 0), 0)):
        at = days * DAY / SECOND
        reply = MessageSent(id="r", at=T0 + days * DAY, contact_id="m", agent="g")
        await office.do(reply if days == 43 else queued(f"t{days}", at))
        office.clock = T0 + days * DAY
        await office.beat(office.clock)
        await publisher.round()
        client = office.real.client
        assert (client.exists(mail), client.exists(call)) == kept, days
        row = by_key(await office.rows())[T0, "sales", "email"]
        assert (row.offered, row.waiting) == (1, waiting), days
