"""Nobody can mistake old numbers for new ones, and it gets well by itself."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, expect

from stream_app.model.live.board import Board
from stream_app.views.status import Status
from tests.services.browser import opened, texts
from tests.services.process import free_port
from tests.views.examples import FRESH, NOON, put
from tests.views.serving import Served

from .screen import TILES, busy_board, busy_cell, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRUCK = "n => getComputedStyle(n).textDecorationLine"


async def looks_stale(page: Page, words: str) -> None:
    await expect(page.locator("#alarm")).to_contain_text(words)
    await expect(page.locator("body")).to_have_class("stale")
    assert (await page.title()).startswith("⚠")
    tile = page.locator("#queues .tile").first
    assert await tile.evaluate("n => getComputedStyle(n).filter") == "grayscale(1)"
    assert await tile.evaluate("n => getComputedStyle(n).borderLeftStyle") == "dashed"
    assert await tile.locator(".value span").first.evaluate(STRUCK) == "line-through"


async def looks_live(page: Page) -> None:
    await expect(page.locator("#alarm")).to_be_hidden(timeout=15_000)
    await expect(page.locator("body")).not_to_have_class("stale")
    await expect(page.locator("#age")).to_contain_text("Live")


async def test_nobody_can_miss_that_the_connection_is_lost_and_it_comes_back_by_itself(
    browser: Browser,
) -> None:
    port, board = free_port(), busy_board()
    async with ticking(Served(board), port) as served:
        page_of = opened(browser, f"{served.url}/", away=True, timezone_id="UTC")
        page = await page_of.__aenter__()
        await shown(page, 2)
    await looks_stale(page, "No connection: the numbers stopped at 31 Dec, 11:59. Reconnecting…")
    assert (await texts(page, "#age"))[0].startswith("No connection")
    assert all(old.startswith("frozen") for old in await texts(page, "#queues .old"))
    put(board, ("new", "voice"), busy_cell())
    async with ticking(Served(board), port):
        await expect(page.locator("#queues .tile")).to_have_count(3)
        await looks_live(page)
        await page_of.__aexit__(None, None, None)


async def test_stale_data_is_said_to_be_stale_since_when_and_without_an_exception(
    browser: Browser, served: Served
) -> None:
    async with opened(browser, f"{served.url}/", timezone_id="UTC") as page:
        await page.clock.set_fixed_time("2025-12-31T12:00:00Z")
        await shown(page, 2)
        served.trust = Status(age_s=420, max_age_s=10)
        await looks_stale(page, "the numbers stopped at 11:53.")
        await expect(page.locator("#ring .none")).to_have_text("Not known: the numbers stopped at 11:53.")
        await expect(page.locator("#risk .none")).to_have_text("Not known: the numbers stopped at 11:53.")
        served.trust = Status(age_s=1, max_age_s=10, reasons=("Redis: ConnectionError: Error 111.",))
        await looks_stale(page, "the numbers stopped at 11:59.")
        assert "ConnectionError" not in await page.locator("body").inner_text()
        for counts in ("#summary", f"{TILES} .counts", f"{TILES} .more"):
            assert await page.locator(counts).first.evaluate(STRUCK) == "line-through"
        await page.locator(".name").first.click()
        state = page.locator("#dialog .overall")
        await expect(state).to_contain_text("on target")
        soft = await page.locator("#dialog .lead").first.evaluate("n => getComputedStyle(n).color")
        assert await state.evaluate("n => getComputedStyle(n).color") == soft
        await page.keyboard.press("Escape")
        served.trust = FRESH
        await looks_live(page)
        await expect(page.locator("#risk .none")).to_have_text("No contacts at risk.")


@pytest.mark.parametrize(("path", "where"), [("", "#nothing"), ("plan", "#subject")])
async def test_what_was_never_read_is_not_said_to_be_nothing(browser: Browser, path: str, where: str) -> None:
    served = Served(Board(NOON))
    away = Status(age_s=None, max_age_s=10, reasons=("Redis: ConnectionError: Error 111.",), loaded=False)
    served.trust = away
    async with ticking(served), opened(browser, f"{served.url}/{path}", refused=True) as page:
        await expect(page.locator("#alarm")).to_contain_text("the numbers are not updating")
        await expect(page.locator(where)).to_contain_text(re.compile("othing (has been )?read yet"))
        await expect(page.locator("#age")).to_contain_text("age unknown")
        if not path:
            await expect(page.locator("#risk .none")).to_have_text("Not known: the numbers are not updating.")
        assert "ConnectionError" not in await page.locator("body").inner_text()
        served.trust = FRESH
        await expect(page.locator(where)).to_have_text("No contacts yet.")
        await looks_live(page)


async def test_it_reckons_by_itself_between_two_signs_of_life(browser: Browser) -> None:
    """It knows from what age on data is stale: that the next sign has not come yet makes nothing younger."""
    served = Served(busy_board())
    served.trust = Status(age_s=3.5, max_age_s=4)
    await served.start()
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        await looks_stale(page, "the numbers stopped at")
        served.publish()
        await looks_live(page)
    await served.runner.cleanup()


async def test_the_dictionary_and_the_trend_are_asked_for_until_they_come(
    browser: Browser, served: Served
) -> None:
    refused = asyncio.Event()
    async with opened(browser, "about:blank", away=True) as page:

        async def refuse(route: object) -> None:
            refused.set()
            await route.abort()  # type: ignore[attr-defined]

        await page.route("**/v1/kpis", refuse)
        await page.goto(f"{served.url}/")
        await refused.wait()
        await page.unroute("**/v1/kpis")
        await shown(page, 2)
