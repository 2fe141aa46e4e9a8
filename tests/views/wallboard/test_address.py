"""The address behind the #: kept, corrected, and never lost to a link of the page."""

import pytest
from playwright.async_api import Browser, expect

from tests.services.browser import opened
from tests.views.serving import Served

from .screen import shown

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_skip_link_leaves_the_address_alone(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#window=5m&theme=dark&queue=sales") as page:
        await shown(page, 1)
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        await page.wait_for_function("() => document.activeElement.id === 'main'")
        assert await page.evaluate("location.hash") == "#window=5m&theme=dark&queue=sales"
        await shown(page, 1)


async def test_what_stands_before_the_hash_stays(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/?from=intranet#window=5m") as page:
        await shown(page, 2)
        await page.locator("#order").select_option("name")
        assert (await page.evaluate("location.href")).endswith("/?from=intranet#window=5m&order=name")
        await page.evaluate("location.hash = '#window=30m'")
        await page.locator("#order").select_option("worst")
        await page.wait_for_function("() => location.hash === ''")
        assert (await page.evaluate("location.href")).endswith("/?from=intranet")


async def test_what_is_wrong_in_the_address_is_corrected_and_said_once(
    browser: Browser, served: Served
) -> None:
    wrong = "window=2h&view=wall&colour=%3Cimg%3E&every=1&queue=sales"
    async with opened(browser, f"{served.url}/#{wrong}") as page:
        await shown(page, 1)
        words = "Not understood in the address, and corrected: colour, window=2h, view=wall, every=1."
        await expect(page.locator("#notice")).to_have_text(words)
        await expect(page.locator("#said")).to_have_text(words)
        assert await page.evaluate("location.hash") == "#every=3&queue=sales"
        await page.reload()
        await shown(page, 1)
        await expect(page.locator("#notice")).to_be_hidden()
        await page.evaluate("location.hash = '#<b>'")
        await expect(page.locator("#notice")).to_have_text(
            "Not understood in the address, and corrected: <b>."
        )
