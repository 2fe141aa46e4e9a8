"""A partition is never counted by an earlier edition of the specification than the one that counted it last."""

from pathlib import Path
from typing import Any

import pytest
import redis

from stream_app.errors import FencedError, LaterEditionError
from stream_app.model.edition import EDITION
from stream_app.model.ports import Partition
from stream_app.store import keys
from stream_app.store.admin import start_over
from stream_app.store.editions import FOR_FORMER
from stream_app.store.moving import Moving, Target

from .backends import P0, P1, Backend, Real
from .hand import HOUR, SECOND, T0, Hand, answered, left, queued

LATER = EDITION + 1
REFUSED = rf"t\.0: it was counted by edition {LATER} .* counts by edition {EDITION}, .*Upgrade it.*stream-app rebuild"
BEFORE_EDITIONS = (Path(__file__).parent / "claim_before_editions.lua").read_text(encoding="utf-8")


def claim_before_editions(real: Real) -> list[Any]:
    """What a worker does that knows of no editions."""
    found: Any = real.client.eval(BEFORE_EDITIONS, 1, keys.meta(P0), keys.prefix(P0), "former", 0, "", "")
    return list(found)


# --- in every store ---


async def test_an_earlier_edition_is_refused_from_the_first_commit_of_a_later_one_on(
    backend: Backend,
) -> None:
    """And its claim changes nothing: the owner goes on."""
    await (await Hand.take(backend.open())).do(queued("a"))
    assert backend.held().edition == EDITION
    owner = await Hand.take(backend.open(edition=LATER))
    assert backend.held().edition == EDITION, "nothing is counted yet"
    await owner.do(queued("b", 1))
    held = backend.held()
    assert held.edition == LATER
    for known in (None, 1, 2, 99):
        with pytest.raises(LaterEditionError, match=REFUSED):
            await Hand.take(backend.open(), known=known)
    with pytest.raises(LaterEditionError):
        await backend.open().claim(P0, "of another topic", None, "another")
    assert backend.held() == held
    await owner.do(answered("a", 5))
    assert (await Hand.take(backend.open(edition=LATER))).claim.position == 3


async def test_a_later_edition_takes_over_and_goes_on_with_what_is_open(backend: Backend) -> None:
    former = await Hand.take(backend.open())
    await former.do(queued("a"))
    owner = await Hand.take(backend.open(edition=LATER))
    with pytest.raises(FencedError):
        await former.do(answered("a", 3))
    await owner.do(answered("a", 7))
    held = backend.held()
    assert (held.edition, held.cells[0, 0, "sales", "voice"]["answer_wait_ms"]) == (LATER, 7 * SECOND)


async def test_a_later_edition_that_counted_nothing_leaves_the_partition_to_the_earlier_one(
    backend: Backend,
) -> None:
    await (await Hand.take(backend.open())).do(queued("a"))
    later = await Hand.take(backend.open(edition=LATER))
    former = await Hand.take(backend.open())
    await former.do(answered("a", 5))
    with pytest.raises(FencedError):
        await later.do(answered("a", 5))
    assert (backend.held().edition, backend.held().position) == (EDITION, 2)


async def test_the_same_commit_again_is_still_recognised(backend: Backend) -> None:
    hand = await Hand.take(backend.open(edition=LATER))
    commit = await hand.do(queued("a"))
    held = backend.held()
    await hand.claim.apply(commit)
    assert backend.held() == held


async def test_each_partition_has_its_own(backend: Backend) -> None:
    """So that workers of two versions share a topic while they are replaced one by one."""
    await (await Hand.take(backend.open(edition=LATER), P0)).do(queued("a"))
    await (await Hand.take(backend.open(), P1)).do(queued("b"))
    assert (backend.held(P0).edition, backend.held(P1).edition) == (LATER, EDITION)


async def test_a_store_that_went_back_to_before_goes_on_by_the_earlier_one(backend: Backend) -> None:
    await (await Hand.take(backend.open())).do(queued("a"))
    restore = backend.save()
    await (await Hand.take(backend.open(edition=LATER))).do(answered("a", 5))
    restore()
    former = await Hand.take(backend.open())
    await former.do(answered("a", 6))
    assert (backend.held().edition, backend.held().position) == (EDITION, 2)


# --- in Redis ---


async def test_a_version_without_editions_is_refused_and_told_what_to_do(real: Real) -> None:
    """It looks only at types; the owner keeps the partition, hours later, too."""
    owner = await Hand.take(real.open())
    assert claim_before_editions(real)[0] == 2, "as long as nothing is counted, it may"
    owner = await Hand.take(real.open())
    for at_s in (0, 9 * HOUR / SECOND):
        await owner.do(queued(f"c{at_s}", at_s))
        before = real.dump()
        with pytest.raises(
            redis.ResponseError, match=r"QUARANTINED kpi:\{t\.0\}:r:counted by a later version.*upgrade"
        ):
            claim_before_editions(real)
        assert real.dump() == before
    await owner.do(answered("c0", 10 * HOUR / SECOND))


async def test_its_mark_is_no_minute(real: Real) -> None:
    hand = await Hand.take(real.open())
    await hand.do(queued("a", name="same"), left("a", 5))
    assert real.client.zscore(keys.recent(P0), FOR_FORMER) == float("inf")
    await (await Hand.take(real.open())).do(queued("a", 6, name="same"))
    assert real.held().results["duplicate"] == 1


async def test_a_rebuild_is_the_way_back(real: Real) -> None:
    await (await Hand.take(real.open(edition=LATER))).do(queued("a"))
    await start_over(real.open().client, P0, 0, T0)
    assert claim_before_editions(real)[1] == b"0"
    former = await Hand.take(real.open())
    await former.do(queued("a"))
    assert (real.held().edition, real.held().results) == (EDITION, {"applied": 1})


async def test_contacts_that_move_take_the_edition_with_them(real: Real) -> None:
    """Where they come to, no earlier one counts on, either."""
    store = real.open(edition=LATER)
    await (await Hand.take(store, P1)).do(queued("a"))
    moving, to = Moving(store.client), Partition("t", 2)
    standing = await moving.standing(P1)
    assert standing.edition == LATER
    for partition in (P1, to):
        await moving.hold(partition)
    async for _ in moving.stage(P1, {"a": to}):
        pass
    target = Target(to, 1, 0, T0, standing.edition)
    await moving.remember(target, [P1])
    await moving.move("t", "t", 3, [Target(P1, 0), target])
    assert real.held(to).edition == LATER
    assert real.client.type(keys.recent(to, FOR_FORMER)) == b"hash"
    with pytest.raises(LaterEditionError):
        await Hand.take(real.open(), to)
    assert set((await Hand.take(real.open(edition=LATER), to)).claim.memory.open) == {"a"}
