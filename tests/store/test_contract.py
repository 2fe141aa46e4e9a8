"""What every store keeps to, in memory and on each Redis; ``model.ports`` says it in words."""

from copy import deepcopy

import pytest

from stream_app.errors import FencedError, OtherTopicError, PositionMismatchError
from stream_app.model.events import AgentState, LeftQueue
from stream_app.model.fold import seen
from stream_app.model.fold.deltas import Deltas
from stream_app.model.fold.seen import DAYS
from stream_app.model.ports import Beat, Commit, DeadLetter
from stream_app.model.sketch import bucket
from stream_app.model.targets import Overrides, Targets
from stream_app.model.windows import KEPT, RESOLUTIONS, TOTAL
from stream_app.store import remembered

from .backends import P0, P1, Backend, Held
from .hand import DAY, HOUR, MINUTE, SECOND, T0, Hand, abandoned, answered, left, queued, told
from .owner import now_ms

BASE = RESOLUTIONS[0]

COARSE_MS = 10
"""By how much Redis's clock, which it reads once for a whole turn of its loop, and ours may differ on one machine."""


def gap(start: int | None, end: int, batch: str, time: int = 0) -> Commit:
    """A step that moves nothing but the position."""
    return Commit(start, end, batch, Deltas(time, {}, {}, {}, {}, -1, {"gap": end - (start or 0)}, {}, 0))


async def test_a_partition_nobody_knows_starts_with_nothing(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    assert hand.claim.position is None
    assert (hand.claim.memory.time, hand.claim.memory.open, hand.claim.memory.recent.days) == (0, {}, {})
    assert (hand.claim.version, hand.claim.targets) == (0, Targets())
    assert backend.held() == Held(epoch=1)


async def test_a_commit_moves_everything_at_once(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    letter = DeadLetter(2, "not_json", "byte 0", b"\xff\0{")
    await hand.do(queued("a"), queued("b"), dead=[letter])
    await hand.do(answered("a", 12))
    held = backend.held()
    assert held.position == 4
    assert held.time == T0 + 12 * SECOND
    assert set(held.visits) == {"a", "b"}
    assert held.dead == [letter]
    assert held.results == {"applied": 3}
    assert held.cells[TOTAL, 0, "sales", "voice"]["offered"] == 2
    assert held.cells[BASE, T0, "sales", "voice"] == {"offered": 2}
    assert held.cells[BASE, T0 + BASE, "sales", "voice"]["answer_wait_ms"] == 12 * SECOND
    assert hand.claim.position == 4


async def test_the_first_commit_may_begin_anywhere(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    await hand.claim.apply(gap(None, 1_000, "first"))
    assert backend.held().position == 1_000
    assert (await Hand.take(backend.open())).claim.position == 1_000


async def test_what_is_counted_belongs_to_one_topic(backend: Backend) -> None:
    """A topic made anew has the same name and other records; its worker must not take the partition over."""
    store = backend.open()
    assert (await store.claim(P0, "nobody tells", None, None)).topic_id is None
    assert (await store.claim(P0, "nothing is counted yet", None, "former")).topic_id == "former"
    owner = await store.claim(P0, "nor now", None, "one")
    assert owner.topic_id == "one"
    await owner.apply(gap(None, 10, "first"))
    held = backend.held()
    with pytest.raises(OtherTopicError, match=r"topic with id one.* now has id another.*stream-app rebuild"):
        await backend.open().claim(P0, "another", 3, "another")
    assert backend.held() == held, "its owner keeps it"
    await owner.apply(gap(10, 11, "second"))
    assert (await backend.open().claim(P0, "an old broker", 11, None)).topic_id == "one"
    assert (await backend.open().claim(P0, "next", 11, "one")).topic_id == "one"


async def test_the_same_batch_again_is_counted_once(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    for events in ([queued("a"), queued("b")], [answered("a", 10)]):
        commit = await hand.do(*events)
        held = backend.held()
        for _ in range(3):
            await hand.claim.apply(commit)
            assert backend.held() == held
            assert hand.claim.position == commit.end
    await hand.do(answered("b", 11))
    assert backend.held().cells[TOTAL, 0, "sales", "voice"]["answered"] == 2


async def test_another_batch_from_the_same_place_is_a_mismatch(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    first = await hand.do(queued("a"))
    held = backend.held()
    for commit in (
        gap(first.start, first.end, "another"),
        gap(5, 6, "ahead"),
        gap(0, 1, "from nought, which is not nothing"),
    ):
        with pytest.raises(PositionMismatchError) as error:
            await hand.claim.apply(commit)
        assert error.value.stored == first.end
    assert backend.held() == held


async def test_a_former_owner_is_refused_and_changes_nothing(backend: Backend) -> None:
    former = await Hand.take(backend.open())
    stored = await former.do(queued("a"))
    owner = await Hand.take(backend.open())
    held = backend.held()
    for commit in (former.commit(answered("a", 5)), stored, gap(stored.end, 9, "x"), gap(7, 8, "y")):
        with pytest.raises(FencedError, match=r"t\.0"):
            await former.claim.apply(commit)
    assert backend.held() == held
    await owner.do(answered("a", 6))
    assert backend.held().epoch == 2


async def test_the_same_token_twice_is_two_ownerships(backend: Backend) -> None:
    store = backend.open()
    first, second = Hand(await store.claim(P0, "me")), Hand(await store.claim(P0, "me"))
    await second.do(queued("a"))
    with pytest.raises(FencedError):
        await first.do(queued("b"))


async def test_partitions_do_not_know_each_other(backend: Backend) -> None:
    store = backend.open()
    mine, other = await Hand.take(store, P0), await Hand.take(store, P1)
    await mine.do(queued("a"))
    await other.do(queued("a"), answered("a", 5))
    await Hand.take(store, P1)
    await mine.do(answered("a", 30))
    assert (backend.held(P0).epoch, backend.held(P1).epoch) == (1, 2)
    assert backend.held(P0).cells[TOTAL, 0, "sales", "voice"]["answer_wait_ms"] == 30 * SECOND
    assert backend.held(P1).cells[TOTAL, 0, "sales", "voice"]["answer_wait_ms"] == 5 * SECOND


async def test_a_claim_restores_what_the_fold_must_remember(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    await hand.do(queued("a", 0), queued("b", 1, channel="chat"), queued("b", 2, "support"))
    await hand.do(answered("b", 61), abandoned("a", 62))
    await hand.do(AgentState(id="s", at=T0 + 130 * SECOND, agent="g", state="break"))
    then = deepcopy(hand._fold.state)
    memory = (await Hand.take(backend.open())).claim.memory
    assert memory.time == then.time == T0 + 130 * SECOND
    assert memory.open == then.open
    assert memory.recent.days == then.recent.days
    assert [*map(len, memory.recent.days.values())] == [2]


async def test_agents_are_kept_replaced_and_forgotten_like_visits(backend: Backend) -> None:
    """Whoever claims next goes on with them: late tellings find their place, and who left long ago is dropped."""
    hand = await Hand.take(backend.open())
    await hand.do(told("g", "available", 0, queues=("sales",), slots={"chat": 2}), told("h", "break", 1))
    await hand.do(told("g", "break", 60, queue="sales", reason="lunch"))
    then = deepcopy(hand._fold.state.agents)
    assert set(backend.held().agents) == {"g", "h"}
    again = await Hand.take(backend.open())
    assert again.claim.memory.agents == then
    await again.do(told("g", "wrap", 30), told("h", "offline", 90))
    known = (await Hand.take(backend.open())).claim.memory.agents
    assert [telling.state for telling in known["g"].told] == ["available", "wrap", "break"]
    last = await Hand.take(backend.open())
    await last.do(told("g", "available", 47 * 3_600), queued("a", 49 * 3_600))
    assert set(backend.held().agents) == {"g"}
    assert set((await Hand.take(backend.open())).claim.memory.agents) == {"g"}


async def test_a_claim_restores_how_far_time_is_agreed_on(backend: Backend) -> None:
    """A contact that is ahead alone leads no more after a claim than before it; what a former version left is ignored."""
    hand = await Hand.take(backend.open())
    hand._fold.by_broker = False
    await hand.do(*(queued(f"c{n}", n * 20) for n in range(9)), queued("fast", 1_500))
    for _ in range(3):
        then = hand._fold.state
        assert then.agreement is not None
        assert then.time == then.agreement.time + MINUTE
        assert [len(then.agreement.older), len(then.agreement.newer)] == [9, 1]
        hand = await Hand.take(backend.open())
        hand._fold.by_broker = False
        assert hand.claim.memory.agreement == then.agreement
        await hand.do(answered("fast", 1_501))
    backend.go_on_as_a_former_version()
    assert (await Hand.take(backend.open())).claim.memory.agreement is None


async def test_a_restored_fold_goes_on_where_the_other_stopped(backend: Backend) -> None:
    """Duplicates are known, waits are measured, the ids of the fourth day before are forgotten."""
    first = await Hand.take(backend.open())
    await first.do(queued("a", 0, name="same"), left("a", 10), queued("b", 20))
    second = await Hand.take(backend.open())
    await second.do(queued("a", 30, name="same"), answered("b", 40))
    assert backend.held().results == {"applied": 4, "duplicate": 1}
    assert backend.held().cells[TOTAL, 0, "sales", "voice"]["answer_wait_ms"] == 20 * SECOND
    for day in (1, 2, 3):
        told = queued(f"c{day}", day * DAY / SECOND), left(f"c{day}", day * DAY / SECOND)
        await second.do(*told)
        again = await Hand.take(backend.open())
        await again.do(queued("a", day * DAY / SECOND, name="same"))
        known = day < DAYS
        assert backend.held().results == {
            "applied": 4 + 2 * day + (not known),
            "duplicate": 1 + min(day, DAYS - 1),
        }
        second = await Hand.take(backend.open())


async def test_ids_added_to_a_day_that_was_dropped_before_stay(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many visits time out at once that their day goes over the limit, and then more comes in it."""
    monkeypatch.setattr(seen, "RECENT_MAX", 2)
    hand = await Hand.take(backend.open())
    await hand.do(*(queued(f"c{n}") for n in range(5)))
    late = 5 * HOUR / SECOND
    await hand.do(queued("x", late, name="x"), LeftQueue(id="l", at=T0 + 5 * HOUR, contact_id="x"))
    [kept] = hand._fold.state.recent.days.values()
    assert backend.held().recent == {(T0 + 5 * HOUR) // HOUR * 60: kept}
    again = await Hand.take(backend.open())
    await again.do(queued("x", late, name="x"))
    assert backend.held().results == {"applied": 7, "duplicate": 1}


async def test_settings_are_versions_and_a_claim_pins_one(backend: Backend) -> None:
    store = backend.open()
    strict, lax = (Targets(defaults=Overrides(answer_target_s=s)) for s in (5.0, 50.0))
    assert await store.targets_version() == 0
    assert await store.apply_targets(strict) == 1
    assert await store.apply_targets(strict) == 1, "the same document is no new version"
    hand = await Hand.take(store)
    assert await backend.open().apply_targets(lax) == 2
    assert (hand.claim.version, hand.claim.targets) == (1, strict)
    await hand.do(queued("a"), answered("a", 10))
    other = await Hand.take(backend.open())
    assert (other.claim.version, other.claim.targets) == (2, lax)
    await other.do(queued("b", 20), answered("b", 30))
    assert backend.held().cells[TOTAL, 0, "sales", "voice"]["answered_in_target"] == 1
    assert await store.targets_version() == 2
    assert await store.apply_targets(strict) == 3, "going back is a step too"


@pytest.mark.parametrize("resolution", RESOLUTIONS)
async def test_a_bucket_is_kept_as_long_as_partition_time_says(backend: Backend, resolution: int) -> None:
    hand = await Hand.take(backend.open())
    await hand.do(queued("a"))
    last = T0 + KEPT[resolution]
    await hand.claim.apply(gap(hand.claim.position, 10, "still", time=last))
    assert (resolution, T0, "sales", "voice") in backend.held().cells
    await hand.claim.apply(gap(10, 11, "gone", time=last + 1))
    left = {place[0] for place in backend.held().cells}
    assert left == {TOTAL, *(r for r in RESOLUTIONS if KEPT[r] > KEPT[resolution])}


async def test_an_amount_for_a_bucket_that_is_gone_is_left_out_there_only(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    await hand.do(queued("now", 3 * HOUR / SECOND))
    await hand.do(queued("late", 2 * HOUR / SECOND), queued("later", 0))
    cells = backend.held().cells
    assert {place[:2] for place in cells} == {
        (10_000, T0 + 3 * HOUR),
        (60_000, T0 + 3 * HOUR),
        (60_000, T0 + 2 * HOUR),
        *((900_000, T0 + h * HOUR) for h in (0, 2, 3)),
        (TOTAL, 0),
    }
    assert cells[TOTAL, 0, "sales", "voice"]["offered"] == 3
    assert backend.held().results == {"applied": 3, "applied:late": 2}


@pytest.mark.parametrize("restart", [False, True])
async def test_a_late_event_lands_on_what_is_there(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, restart: bool
) -> None:
    """Whether its cell was pushed out of the owner's memory, or never was in it."""
    monkeypatch.setattr(remembered, "CACHED", 5)
    hand = await Hand.take(backend.open())
    await hand.do(queued("a", 0), queued("b", 1))
    for n in range(30):
        await hand.do(queued(f"n{n}", 60 + n * 10, f"queue {n}"))
    if restart:
        hand = await Hand.take(backend.open())
    await hand.do(queued("late", 2), abandoned("a", 5))
    cells = backend.held().cells
    expected = {"offered": 3, "abandoned": 1, "abandoned_in_target": 1, "abandoned_short": 1, "decided": 1}
    expected |= {"abandon_wait_ms": 5 * SECOND, "abandon_open_ms": 5 * SECOND}
    assert cells[BASE, T0, "sales", "voice"] == expected | {("abandon_wait", bucket(5 * SECOND)): 1}
    assert cells[TOTAL, 0, "sales", "voice"] == expected
    for n in range(30):
        assert cells[TOTAL, 0, f"queue {n}", "voice"] == {"offered": 1}


async def test_names_past_the_cap_share_a_cell_and_known_ones_keep_theirs(backend: Backend) -> None:
    store = backend.open(queue_cap=3)
    hand = await Hand.take(store)
    await hand.do(queued("1", 0, "a"), queued("2", 0, "b"), queued("3", 0, "c"))
    await hand.do(queued("4", 0, "d"), queued("5", 0, "e"), queued("6", 0, "a"))
    await hand.do(queued("7", 0, "e"))
    offered = {place[2]: cell["offered"] for place, cell in backend.held().cells.items() if not place[0]}
    assert offered == {"a": 2, "b": 1, "c": 1, "other": 3}


async def test_what_one_worker_calls_other_another_does_too(backend: Backend) -> None:
    """And a name is not lost to a worker that found the registry full before it met that name."""
    one, two = backend.open(queue_cap=2), backend.open(queue_cap=2)
    mine, theirs = await Hand.take(one, P0), await Hand.take(two, P1)
    await mine.do(queued("1", 0, "a"))
    await theirs.do(queued("1", 0, "b"))  # and now it is full
    await mine.do(queued("2", 0, "c"))
    await mine.do(queued("3", 0, "b"), queued("4", 0, "c"))
    await theirs.do(queued("2", 0, "a"), queued("3", 0, "c"), queued("4", 0, "d"))
    for partition, expected in ((P0, {"a": 1, "b": 1, "other": 2}), (P1, {"a": 1, "b": 1, "other": 2})):
        cells = backend.held(partition).cells
        assert {p[2]: cell["offered"] for p, cell in cells.items() if not p[0]} == expected


async def test_a_store_behind_what_its_owner_knew_is_counted(backend: Backend) -> None:
    hand = await Hand.take(backend.open())
    await hand.do(queued("a"))
    restore = backend.save()
    await hand.do(answered("a", 5))
    restore()
    with pytest.raises(PositionMismatchError):
        await hand.do(queued("b", 6))
    again = await Hand.take(backend.open(), known=2)
    assert (again.claim.position, backend.held().rollbacks) == (1, 1)
    await again.do(answered("a", 5))
    for known in (None, 0, 1, 2):
        await Hand.take(backend.open(), known=known)
    assert backend.held().rollbacks == 1
    assert backend.held().cells[TOTAL, 0, "sales", "voice"]["answered"] == 1


async def test_a_store_that_lost_all_is_behind_too(backend: Backend) -> None:
    restore = backend.save()
    await (await Hand.take(backend.open())).do(queued("a"))
    restore()
    again = await Hand.take(backend.open(), known=1)
    assert (again.claim.position, backend.held().rollbacks) == (None, 1)


@pytest.mark.parametrize("clock", [0, 3_600_000, -3_600_000])
async def test_a_heartbeat_says_who_lives_by_the_stores_clock_and_moves_nothing(
    backend: Backend, clock: int
) -> None:
    hand = await Hand.take(backend.open())
    await hand.do(queued("a"))
    held = backend.held()
    for ago, end, read_at, waits in ((250, 9, T0 - 5, 4_000), (0, 1, 0, None)):
        began = now_ms()
        ahead = await hand.claim.beat(
            Beat(
                heard_ago=ago,
                clock=began + clock,
                owner="host:1",
                position=1,
                end=end,
                read_at=read_at,
                waits=waits,
            )
        )
        took = now_ms() - began
        beat = backend.held().beat
        assert beat
        assert backend.held() == Held(**{**vars(held), "beat": beat})
        assert -COARSE_MS <= beat.at + ago - began <= took + COARSE_MS
        assert beat.waits_since == (0 if waits is None else beat.at + ago - waits)
        assert (beat.owner, beat.position, beat.end, beat.read_at) == ("host:1", 1, end, read_at)
        for said in (ahead, beat.ahead):
            assert -took - COARSE_MS <= said - clock <= took + COARSE_MS


async def test_a_former_owner_can_not_say_that_it_lives(backend: Backend) -> None:
    former = await Hand.take(backend.open())
    await former.do(queued("a"))
    await Hand.take(backend.open())
    held = backend.held()
    with pytest.raises(FencedError, match=r"t\.0"):
        await former.claim.beat(Beat(heard_ago=0, clock=0, owner="zombie", position=1, end=1, read_at=0))
    assert backend.held() == held


async def test_a_heartbeat_notices_that_the_store_was_rolled_back(backend: Backend) -> None:
    """A quiet partition has no commits by which its owner would."""
    hand = await Hand.take(backend.open())
    beat = Beat(heard_ago=0, clock=0, owner="me", position=0, end=0, read_at=0)
    nothing = backend.save()
    await hand.claim.beat(beat)
    await hand.do(queued("a"))
    first = backend.save()
    await hand.do(queued("b"))
    await hand.claim.beat(beat)
    for restore, stored in ((first, 1), (nothing, 0)):
        restore()
        with pytest.raises(PositionMismatchError) as error:
            await hand.claim.beat(beat)
        assert (error.value.stored, error.value.ours) == (stored, 2)


async def test_any_text_in_ids_and_names(backend: Backend) -> None:
    names = ["", "a b", "é", "\0", "{t.0}", "x" * 256, "1.1", ":", "other", "\u2028", "\U0001f600"][1:]
    hand = await Hand.take(backend.open())
    await hand.do(*(queued(name, 0, name) for name in names))
    held = backend.held()
    assert set(held.visits) == set(names)
    assert {place[2] for place in held.cells} == set(names)
    assert set((await Hand.take(backend.open())).claim.memory.open) == set(names)


async def test_a_day_and_more_in_one_commit(backend: Backend) -> None:
    """A worker that catches up: buckets come and go within one step."""
    hand = await Hand.take(backend.open())
    await hand.do(*(queued(f"c{n}", n * 1800) for n in range(2 * 49)))
    held = backend.held()
    now = held.time
    assert all(start >= now - KEPT[size] for size, start, *_ in held.cells if size)
    assert sum(size == 900_000 for size, *_ in held.cells) == 2 * 48 + 1
    assert held.cells[TOTAL, 0, "sales", "voice"]["offered"] == 98
    assert now - T0 > 2 * DAY
