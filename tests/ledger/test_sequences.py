"""Whatever happens in whatever order: the ledger has every row that Redis has counted, once, and what is lost is in a hole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
from redis.asyncio import Redis

from stream_app.ledger.columns import TABLES
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.sweeping import GRACE_MS, sweep
from stream_app.store import keys
from stream_app.store.outbox import Outboxes

from .desk import (
    MINUTE,
    P0,
    PLACES,
    Clock,
    Commits,
    KillAt,
    KilledError,
    identities,
    newest,
    reply_row,
    visit_row,
    writer,
)

DAY = 1_440 * MINUTE
COMMIT = st.tuples(st.just("commit"), st.lists(st.booleans(), max_size=4), st.integers(1, 3))
STEPS = st.lists(
    st.one_of(
        COMMIT,
        COMMIT,
        st.tuples(st.just("write"), st.sampled_from(("", *PLACES)), st.integers(0, 1)),
        st.tuples(st.just("write"), st.just(""), st.integers(0, 1)),
        st.tuples(st.just("roll back"), st.integers(1, 4)),
        st.tuples(st.just("full")),
        st.tuples(st.just("a day passes")),
        st.tuples(st.just("sweep"), st.sampled_from(("", "before_deletion"))),
    ),
    max_size=25,
)


class Play:
    """Plays steps on a real Redis and a folder.

    Attributes:
        commits: what Redis has counted.
    """

    def __init__(self, client: Redis, outboxes: Outboxes, folder: Path) -> None:
        self.client, self.outboxes = client, outboxes
        self.commits = Commits(client)
        self.storage = LocalFiles(folder / "ledger")
        self.folder = folder
        self.clock = Clock()
        self.saved: list[tuple[Any, ...]] = []
        self.writers = [writer(outboxes, self.storage, self.clock) for _ in range(2)]

    async def commit(self, kinds: list[bool], records: int) -> None:
        await self.save()
        at = self.commits.position
        rows = [(visit_row if visit else reply_row)(at, n) for n, visit in enumerate(kinds)]
        await self.commits.commit(rows, records, version=self.clock.now // MINUTE)

    async def save(self) -> None:
        """Keep what Redis could be rolled back to."""
        c = self.commits
        dumps = [await self.client.dump(key) for key in (keys.outbox(P0), keys.meta(P0))]
        self.saved.append((dumps, c.seq, c.position, c.out, c.time, dict(c.counted), c.lost))

    async def roll_back(self, commits: int) -> None:
        """Go back to before one of the latest commits."""
        if not self.saved:
            return
        saved = self.saved[-commits:][0]
        del self.saved[-commits:]
        c = self.commits
        dumps, c.seq, c.position, c.out, c.time, c.counted, c.lost = saved
        for key, dump in zip((keys.outbox(P0), keys.meta(P0)), dumps, strict=True):
            await self.client.delete(key)
            if dump:
                await self.client.restore(key, 0, dump)

    async def write(self, place: str, number: int) -> None:
        self.clock.now += MINUTE
        one = self.writers[number]
        one._failpoints = kill = KillAt(place)
        try:
            await one.round()
        except KilledError:
            self.writers[number] = writer(self.outboxes, self.storage, self.clock)
        assert not (kill.place == "" and kill.killed > 1)

    async def full(self) -> None:
        if await self.client.xlen(keys.outbox(P0)):
            await self.commits.lose_oldest()

    async def step(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("commit", kinds, records):
                await self.commit(kinds, records)
            case ("write", place, number):
                await self.write(place, number)
            case ("roll back", commits):
                await self.roll_back(commits)
            case ("full",):
                await self.full()
            case ("a day passes",):
                self.commits.time += DAY
            case ("sweep", place):
                self.clock.now += GRACE_MS + MINUTE
                with suppress(KilledError):
                    await sweep(self.storage, P0, TABLES, self.clock.now, KillAt(place))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
async def test_every_row_that_was_counted_is_there_once(
    steps: list[tuple[Any, ...]], redis_client: Redis, outboxes: Outboxes, tmp_path_factory: Any
) -> None:
    await redis_client.flushdb()
    play = Play(redis_client, outboxes, tmp_path_factory.mktemp("play"))
    for step in steps:
        await play.step(step)
    await play.commit([True], 1)  # what was rolled back is replaced by what is counted next
    for number in (0, 1, 0):
        await play.write("", number)
    held = await newest(play.storage)
    found = await identities(play.storage, play.folder)
    assert len({key for key, _ in found}) == len(found)
    # Of what was lost the ledger may have rows of a former history: they are all that is known.
    lost = play.commits.lost
    certain = [one for one in found if not any(begin <= one[0][0] < end for begin, end in lost)]
    assert certain == sorted(play.commits.counted.items())
    assert await redis_client.xlen(keys.outbox(P0)) == 0
    assert held.end == play.commits.out
    for hole in held.holes:
        assert not [key for key, _ in found if hole.begin <= key[0] < hole.end]
        assert any(begin < hole.end and hole.begin < end for begin, end in lost)
    assert {file.name for file in await play.storage.files("visits")} >= {
        file.name for file in held.files if file.table == "visits"
    }
