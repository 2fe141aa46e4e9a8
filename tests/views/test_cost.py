"""What an answer costs others: no input costs more than its length, and what is long is made in pieces."""

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable
from typing import Any, Self

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request

from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.kpis import KPIS
from stream_app.model.live.judging import judged_in
from stream_app.model.pieces import Pieces, whole
from stream_app.views import pieces, wire
from stream_app.views.door import LONGEST_PATH
from stream_app.views.intervals import query as queries
from stream_app.views.intervals.pages import Cursor
from stream_app.views.intervals.query import BadQueryError, Query
from stream_app.views.live import Live
from stream_app.views.nearest import LONGEST, nearest
from stream_app.views.pieces import unhurried
from tests.services.process import until
from tests.views.examples import FRESH, NOON, busy_board, busy_cell, put, snapshot
from tests.views.serving import Served

# --- what is read ---

READERS: dict[str, Callable[[str], object]] = {
    "a time": queries._TIME.fullmatch,
    "a year": queries._YEAR.match,
    "a number": lambda text: queries.whole("limit", text, 1, 10),
    "a cursor": lambda text: Cursor.parse(text, Query()),
    "an ETag": lambda text: make_mocked_request("GET", "/", {"If-None-Match": text}).if_none_match,
    "a query": lambda text: list(make_mocked_request("GET", f"/?{text}").query),
    "a name": lambda text: whole(nearest(text, [text[1:]])),
}
HOSTILE = (
    "T",
    "A",
    "9",
    " ",
    '"a" ',
    '"a",',
    "W/",
    '"',
    "a=&",
    "%",
    "+",
    "W10",
    "[",
    "2026-01-05T",
    "00:00 ",
)
PREFIXES = ("", "2026-01-05T", "2026-01-05T08:00:00.1", '"a"', '"a",')


def cost(read: Callable[[str], object], text: str) -> float:
    """Seconds of our own, the least of some; what is quicker than the clock is worth nothing."""
    took = []
    for _ in range(5):
        begun = time.thread_time()
        with contextlib.suppress(BadQueryError):
            read(text)
        took.append(time.thread_time() - begun)
    return max(min(took), 0.000_2)


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
def test_twice_as_much_costs_no_more_than_twice(reader: str) -> None:
    """Far longer than is let in, so that a square would show: there it is 4."""
    read, n = READERS[reader], 40_000
    for hostile in HOSTILE:
        for prefix in PREFIXES:
            once, twice = (prefix + hostile * (length // len(hostile)) for length in (n, 2 * n))
            # A busy machine may spoil a run, not three.
            assert any(cost(read, twice) / cost(read, once) < 3 for _ in range(3)), (hostile, prefix)


async def test_no_path_that_is_let_in_costs_much_to_look_up(served: Served) -> None:
    """The library's search costs the square of the length, so it is the length that counts."""
    router = served.runner.app.router

    async def steps(path: str) -> float:
        request, took = make_mocked_request("GET", path), []
        for _ in range(5):
            begun = time.thread_time()
            await router.resolve(request)
            took.append(time.thread_time() - begun)
        return min(took)

    assert 10 * await steps("/" * LONGEST_PATH) < await steps("/" * 7_900)


def test_a_long_word_is_compared_with_nothing() -> None:
    looked_at: list[str] = []

    def known() -> Any:
        looked_at.append("x")
        yield "x"

    assert whole(nearest("x" * (LONGEST + 1), known())) == []
    assert not looked_at
    assert whole(nearest("saels", ["sales", "SALES2", "s" * 900])) == ["sales", "SALES2"]


# --- what is made ---


class LookingOn:
    """Counts how often others get their turn."""

    def __init__(self) -> None:
        self.turns = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _look_on(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


MANY = [(f"q{n}", "voice") for n in range(100)]


@pytest.mark.parametrize(
    ("path", "times"),
    [
        ("/v1/now", 2),  # each row is taken, and written
        ("/v1/now?window=5m&kpi=csat", 2),
        ("/v1/now?group=channel", 4),  # and added up, and each of a group's rows is looked at
        ("/v1/now?group=queue", 5),
        ("/v1/trend", 1),
        ("/v1/at-risk", 1),
        ("/metrics", 3),  # each row is taken, and waited for, and each metric written
        ("/v1/now?group=qeue", 0.04),
    ],
)
async def test_others_get_their_turn_after_every_row(
    monkeypatch: pytest.MonkeyPatch, path: str, times: float
) -> None:
    monkeypatch.setattr(pieces, "PIECE_S", 0.0)
    board = busy_board(MANY)
    for n, queue in enumerate(MANY):
        visit = Visit(*queue, VisitState.TALKING, NOON, NOON, 20_000, 5_000, b"", agent="g", predicted=1_000)
        board.put_visits("t.0", f"risky-{n}", [visit])
    served = Served(board)
    await served.start()
    async with LookingOn() as looking:
        await served.get(path)
    await served.runner.cleanup()
    assert looking.turns > times * len(MANY) * pieces.TURNS


async def test_who_needs_six_turns_waits_for_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as an answer takes: to accept, to connect, to listen, to read, to begin, to answer."""
    monkeypatch.setattr(pieces, "PIECE_S", 0.0)
    made = 0

    def endless() -> Pieces[None]:
        nonlocal made
        while True:
            made += 1
            yield

    working = asyncio.create_task(unhurried(endless()))
    await asyncio.sleep(0)
    for _ in range(100):
        before = made
        for _ in range(6):
            await asyncio.sleep(0)
        assert 1 <= made - before <= 2
    working.cancel()
    await asyncio.wait([working])


def test_rows_and_what_is_told_of_them_are_nothing_to_the_garbage_collector() -> None:
    taken = snapshot(busy_board(MANY))
    values = [value for row in taken.rows for window in row.windows.values() for value in window.values()]
    judgements = [found for row in taken.rows for found in judged_in(row, row.windows).values()]
    written = [wire.live_row(row, wire.CARRIED, {}) for row in taken.rows]
    assert [each for each in (*taken.rows, *values, *judgements, *written) if gc.is_tracked(each)] == []


async def test_what_the_stream_tells_is_written_row_by_row_and_seen_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pieces, "PIECE_S", 0.0)
    live = Live()
    live.publish(snapshot(), FRESH)
    before = live.since(0)
    seen = set()

    async def look() -> None:
        while True:
            seen.add(live.since(0))
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    async with LookingOn() as others:
        await unhurried(live.published(snapshot(busy_board(MANY)), FRESH))
    after = live.since(0)
    looking.cancel()
    await asyncio.wait([looking])
    assert others.turns >= len(MANY) * pieces.TURNS
    assert seen <= {before, after}


async def test_an_answer_is_of_one_moment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes the board waits for those who look, and gets a turn behind the first of them."""
    monkeypatch.setattr(pieces, "PIECE_S", 0.0)

    async def change() -> None:
        for n in range(1, 20):
            async with served.still:
                put(served.board, ("sales", "voice"), busy_cell([n]))
            await asyncio.sleep(0)

    changing = asyncio.create_task(change())
    for _ in range(5):
        _, _, now = await served.get("/v1/now?group=queue&kpi=handle_time")
        rows = {row["queue"]: row["windows"] for row in now["rows"]}
        assert {group["name"]: group["windows"] for group in now["groups"]} == rows
    await changing


# --- who waits for whom ---


async def test_an_answer_is_made_once_for_all_who_wait_for_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    taken = served._snapshots.taken

    def count(*given: Any) -> Any:
        made.append(given)
        return taken(*given)

    monkeypatch.setattr(served._snapshots, "taken", count)
    async with served.still:
        asking = [asyncio.create_task(served.get("/metrics")) for _ in range(10)]
        await until(lambda: sum(n for _, n in served.views._heavy._lines.values()) == 10)
    answers = await asyncio.gather(*asking)
    assert {status for status, _, _ in answers} == {200}
    assert len(made) == 2, "the one under way when the others asked, and one for them"
    await served.get("/metrics")
    assert len(made) == 3, "what was made before somebody asked is not for them"


async def test_who_asks_for_much_does_not_hold_up_another_address(served: Served) -> None:
    done: list[str] = []

    async def ask(ours: str, n: int) -> None:
        connector = aiohttp.TCPConnector(local_addr=(ours, 0))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"{served.url}/v1/now?kpi={KPIS[n].name}") as answer,
        ):
            await answer.read()
        done.append(ours)

    def in_line(many: int) -> Callable[[], bool]:
        return lambda: sum(n for _, n in served.views._heavy._lines.values()) == many

    async with served.still:
        greedy = [asyncio.create_task(ask("127.0.0.1", n)) for n in range(20)]
        await until(in_line(20))
        modest = asyncio.create_task(ask("127.0.0.2", 0))
        await until(in_line(21))
    await asyncio.gather(modest, *greedy)
    assert done.index("127.0.0.2") < 4
    assert not served.views._heavy._lines
