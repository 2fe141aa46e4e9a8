"""What comes first, who is closed, what all of them come to, and where the numbers go."""

import re

import pytest
from playwright.async_api import Browser, expect

from stream_app.model.board import Board
from stream_app.model.tally import NUMBERS, pack_cell
from stream_app.model.targets import Targets
from tests.services.browser import opened, texts
from tests.views.examples import NOON, busy_board, busy_cell, put, waiting
from tests.views.serving import Served

from .screen import TILES, figures, names, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

MET, RESPONSE, TALK = NUMBERS["answered_in_target"], NUMBERS["response_ms"], NUMBERS["talk_ms"]


async def test_the_worst_is_the_first(browser: Browser) -> None:
    """What customers wait for comes before how long answers take, and that before how long calls take."""
    board = Board(NOON)
    queues = {
        "app": {TALK: 9 * 1_200_000},  # service level met, handle time far off
        "brand": {RESPONSE: 9 * 90_000},
        "care": {MET: 7},  # 78 %: just off
        "desk": {MET: 5},  # 56 %
        "exit": {MET: 2},  # 22 %
        "fine": {},
        "gate": {TALK: 9 * 1_300_000, MET: 7},  # its handle time is what it misses
    }
    for queue, cell in queues.items():
        put(board, (queue, "voice"), busy_cell() | cell)
    for contact in range(30):
        waiting(
            board, ("home", "voice"), f"home-{contact}", NOON - 360_000
        )  # 0 %, and three times the target
    async with ticking(Served(board)) as served, opened(browser, served.url) as page:
        await shown(page, 8)
        assert await names(page) == ["home", "exit", "desk", "brand", "gate", "app", "care", "fine"]


async def test_who_is_closed_is_not_judged_and_comes_last(browser: Browser) -> None:
    served = Served(busy_board([("ajar", "voice"), ("shut", "voice")]))
    put(served.board, ("shut", "voice"), busy_cell() | {MET: 0, TALK: 9 * 9_000_000})
    served.targets = Targets.of(
        {
            "calendars": {"early": {"hours": {"mon-sun": ["01:00-02:00"]}}},
            "queues": {"shut": {"calendar": "early"}},
        }
    )
    async with ticking(served), opened(browser, served.url) as page:
        await shown(page, 2)
        assert await names(page) == ["ajar", "shut"]
        assert await texts(page, f"{TILES} .overall") == ["on target", "closed"]
        await expect(page.locator("#summary")).to_have_text("2 queues: 0 missed, 0 just off, 1 closed")
        assert (await figures(page, "shut"))[0].endswith("0 % target ≥ 80 % of 9")
        assert await page.locator(f"{TILES} .figure[data-state=missed]").count() == 0
        await page.locator(".name", has_text="shut").click()
        await expect(page.locator("#dialog .lead")).to_contain_text("closed now")
        assert await page.locator("#dialog [data-state=missed]").count() == 0


async def test_means_over_several_channels_are_left_out(browser: Browser, served: Served) -> None:
    async with opened(browser, served.url) as page:
        await shown(page, 2)
        seen = page.locator("#everyone .figure:visible dt")
        assert await seen.all_inner_texts() == ["Service level", "Waiting", "Oldest", "Abandoned"]
        await page.locator("#filter").fill("voice")
        await expect(seen).to_have_count(6)
        assert (await seen.all_inner_texts())[-2:] == ["First response", "Handle time"]


async def test_a_policy_is_on_a_tile_only_where_it_is_another_one(browser: Browser) -> None:
    served = Served(busy_board([(name, "voice") for name in ("a", "b", "odd")]))
    served.targets = Targets.of({"queues": {"odd": {"policy": "answered_only"}}})
    async with ticking(served), opened(browser, f"{served.url}/#order=name") as page:
        await shown(page, 3)
        assert await texts(page, f"{TILES} .policy") == ["", "", "Service level: answered only"]


async def test_every_tile_says_where_it_goes_and_its_line_agrees(browser: Browser) -> None:
    """It was better an hour ago, and only the present is worse: the line ends there, and the word says so."""
    board = Board(NOON)
    cell = {number: 2 * n for number, n in busy_cell().items()}
    put(board, ("sales", "voice"), cell | {MET: 4, TALK: 2 * 900_000})
    waiting(board, ("sales", "voice"), "one", NOON - 12_000)
    for n in range(1, 8):
        before = cell | {MET: 18, NUMBERS["offered"]: 0}
        board.put_cells("t.0", 900_000, NOON - n * 900_000, [(("sales", "voice"), pack_cell(before))])
    async with ticking(Served(board)) as served, opened(browser, f"{served.url}/#window=5m") as page:
        figure = page.locator(f"{TILES} [data-kpi=service_level]")
        way = figure.locator(".way")
        await expect(way).to_have_text("↘ worse")
        words = "Worse than in the hour before the last 30 minutes: 100 % → 22.2 %"
        assert await way.get_attribute("title") == words
        path = await figure.locator("path").get_attribute("d") or ""
        assert path.count("L") == 7
        heights = [float(height) for height in re.findall(r" ([\d.]+)", path)]
        assert heights[:-1] == [2.0] * 7
        assert heights[-1] == 22.0
        goal = await figure.locator("line").get_attribute("y1")
        assert goal == f"{22 - (0.8 - 2 / 9) / (7 / 9) * 20:.1f}"
        for kpi in ("abandonment", "handle_time", "first_response"):  # a word for eyes as well
            going = page.locator(f"{TILES} [data-kpi={kpi}] .going")
            await expect(going).to_have_text(re.compile("better|worse|steady"))
            assert await going.evaluate("n => getComputedStyle(n).clipPath") == "none"


async def test_a_line_does_not_make_a_crash_of_little(browser: Browser) -> None:
    board = Board(NOON)
    cell = {number: 10 * n for number, n in busy_cell().items()}
    put(board, ("sales", "voice"), cell | {MET: 83})
    for n in range(1, 8):
        board.put_cells(
            "t.0", 900_000, NOON - n * 900_000, [(("sales", "voice"), pack_cell(cell | {MET: 90}))]
        )
    async with ticking(Served(board)) as served, opened(browser, served.url) as page:
        figure = page.locator(f"{TILES} [data-kpi=service_level]")
        await expect(figure.locator(".way")).to_have_text("↘ worse")
        path = await figure.locator("path").get_attribute("d") or ""
        heights = [float(height) for height in re.findall(r" ([\d.]+)", path)]
        assert max(heights) - min(heights) < 6  # of 24: from 100 to 92 %
        assert await figure.locator("line").get_attribute("hidden") is None
