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
        words = "Ignored in the link: colour, window=2h, view=wall, every=1."
        await expect(page.locator("#notice")).to_have_text(words)
        await expect(page.locator("#said")).to_have_text(words)
        assert await page.evaluate("location.hash") == "#every=3&queue=sales"
        await page.reload()
        await shown(page, 1)
        await expect(page.locator("#notice")).to_be_hidden()
        await page.evaluate("location.hash = '#<b>'")
        await expect(page.locator("#notice")).to_have_text("Ignored in the link: <b>.")


async def test_details_have_an_address_and_back_closes_them(browser: Browser, served: Served) -> None:
    """On a phone, back is how people close things: it must not leave the page."""
    async with opened(browser, f"{served.url}/#window=5m", width=390, height=844) as page:
        await shown(page, 2)
        before = await page.evaluate("history.length")
        await page.locator(".name", has_text="sales").click()
        await expect(page.locator("#dialog-name")).to_have_text("sales · voice")
        assert await page.evaluate("location.hash") == "#window=5m&details=sales&details=voice"
        link = await page.evaluate("location.href")
        await page.go_back()
        await expect(page.locator("#dialog")).to_be_hidden()
        await page.wait_for_function("() => location.hash === '#window=5m'")
        await shown(page, 2)
        for opener in ("#help-open", ".name"):  # closed by hand, it leaves no step behind
            if opener == "#help-open":
                await page.locator("#fold").click()
            await page.locator(opener).first.click()
            await page.get_by_role("button", name="Close").click()
            await page.wait_for_function("() => history.state === null && location.hash === '#window=5m'")
        assert await page.evaluate("history.length") == before + 1
        await page.goto("about:blank")
        await page.goto(link)  # as a colleague opens it
        await expect(page.locator("#dialog-name")).to_have_text("sales · voice")
        await page.keyboard.press("Escape")
        await page.wait_for_function("() => location.hash === '#window=5m'")
        await expect(page.locator("#dialog")).to_be_hidden()


async def test_filters_that_are_set_in_a_dialog_stay_whichever_way_it_is_closed(
    browser: Browser, served: Served
) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        for close in ("back", "escape"):
            await page.locator("#choose").click()
            await page.get_by_label("sales", exact=True).check()
            await shown(page, 1)
            await (page.go_back() if close == "back" else page.keyboard.press("Escape"))
            await page.wait_for_function(
                "() => !document.getElementById('dialog').open && history.state === null"
            )
            await page.wait_for_function("() => location.hash === '#queue=sales'")
            await shown(page, 1)
            await page.locator("#chips").get_by_role("button", name="Show all").click()
            await shown(page, 2)


async def test_filters_are_seen_and_lifted(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#queue=sales&channel=voice&filter=sa") as page:
        await shown(page, 1)
        chips = page.locator("#chips .chip")
        await expect(chips).to_have_text(["Queue: sales ×", "Channel: voice ×", "Name contains “sa” ×"])  # noqa: RUF001 - signs
        await expect(page.locator("#choose")).to_have_text("Filter (3)…")
        await expect(page.locator("#everyone-name")).to_have_text(
            "Queue: sales, Channel: voice, Name contains “sa”"
        )
        await expect(page).to_have_title(
            "Queue: sales, Channel: voice, Name contains “sa” · Live contact centre"
        )
        await page.get_by_role("button", name="Remove filter: Queue: sales").click()
        assert await page.evaluate("location.hash") == "#filter=sa&channel=voice"
        await page.locator("#chips").get_by_role("button", name="Show all").click()
        await shown(page, 2)
        await expect(page.locator("#chips")).to_be_hidden()
        await expect(page.locator("#filter")).to_have_value("")
        await expect(page).to_have_title("Live contact centre")


async def test_a_phone_shows_the_window(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#window=1h", width=390, height=844) as page:
        await shown(page, 2)
        await expect(page.get_by_role("button", name="1 h · Filter & view")).to_be_visible()
