"""Nobody can mistake old numbers for new ones, and it gets well by itself."""

import asyncio

import pytest
from playwright.async_api import Browser, Page, expect

from stream_app.views.status import Status
from tests.services.browser import opened, texts
from tests.services.process import free_port
from tests.views.examples import FRESH, busy_board, busy_cell, put
from tests.views.serving import Served

from .screen import shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def looks_stale(page: Page, words: str) -> None:
    await expect(page.locator("#alarm")).to_contain_text(words)
    await expect(page.locator("body")).to_have_class("stale")
    assert (await page.title()).startswith("⚠")
    tile = page.locator("#queues .tile").first
    assert await tile.evaluate("n => getComputedStyle(n).filter") == "grayscale(1)"
    assert await tile.evaluate("n => getComputedStyle(n).borderLeftStyle") == "dashed"
    struck = "n => getComputedStyle(n).textDecorationLine"
    assert await tile.locator(".value span").first.evaluate(struck) == "line-through"


async def looks_live(page: Page) -> None:
    await expect(page.locator("#alarm")).to_be_hidden(timeout=15_000)
    await expect(page.locator("body")).not_to_have_class("stale")
    await expect(page.locator("#age")).to_contain_text("Live")


async def test_nobody_can_miss_that_the_connection_is_lost_and_it_comes_back_by_itself(
    browser: Browser,
) -> None:
    port, board = free_port(), busy_board()
    async with ticking(Served(board), port) as served:
        page_of = opened(browser, f"{served.url}/", away=True)
        page = await page_of.__aenter__()
        await shown(page, 2)
    await looks_stale(page, "Connection lost")
    assert (await texts(page, "#age"))[0].startswith("No connection")
    assert all(old.startswith("stands still") for old in await texts(page, "#queues .old"))
    put(board, ("new", "voice"), busy_cell())
    async with ticking(Served(board), port):
        await expect(page.locator("#queues .tile")).to_have_count(3, timeout=15_000)
        await looks_live(page)
        await page_of.__aexit__(None, None, None)


async def test_stale_data_is_said_to_be_stale(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        served.trust = Status(age_s=42, max_age_s=10)
        await looks_stale(page, "they are older than 10 s")
        served.trust = Status(age_s=1, max_age_s=10, reasons=("Redis is away: refused",))
        await looks_stale(page, "Redis is away")
        served.trust = FRESH
        await looks_live(page)


async def test_it_reckons_by_itself_between_two_signs_of_life(browser: Browser) -> None:
    """It knows from what age on data is stale: that the next sign has not come yet makes nothing younger."""
    served = Served(busy_board())
    served.trust = Status(age_s=3.5, max_age_s=4)
    await served.start()
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        await looks_stale(page, "they are older than 4 s")
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
