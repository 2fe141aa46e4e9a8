"""Any number of tabs: one stream for all of them, and none for those that nobody sees."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.services.browser import opened
from tests.services.process import until
from tests.views.examples import put, waiting
from tests.views.serving import Served

from .screen import busy_cell, shown

pytestmark = pytest.mark.asyncio(loop_scope="session")

TABS = 9  # with a stream each, the seventh would get no answer: browsers open six connections to a server


async def tab(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.goto(url)
    await shown(page, 2)
    return page


async def hide(page: Page, *, hidden: bool = True) -> None:
    """Do what a browser does when another tab is chosen."""
    await page.evaluate(
        "hidden => { Object.defineProperty(document, 'visibilityState', {get: () => hidden ? 'hidden' : 'visible', "
        "configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


async def test_many_tabs_have_one_stream_and_each_is_live(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as first:
        context = first.context
        await shown(first, 2)
        tabs = [first] + [await tab(context, f"{served.url}/") for _ in range(TABS - 1)]
        assert served.views.streams == 1
        waiting(served.board, ("sales", "voice"), "another", served.board.now - 1_000)
        for page in tabs:
            await expect(page.locator(".tile:has-text('sales') [data-kpi=backlog] .value")).to_have_text("2")
            assert await page.evaluate("fetch('/v1/abandoned').then(a => a.status)") == 200
        plan = await context.new_page()
        await plan.goto(f"{served.url}/docs")
        await expect(plan.locator("h1")).to_be_visible()
        assert served.views.streams == 1
        # A tab that comes later knows everything at once, what has changed since as well.
        put(served.board, ("later", "voice"), busy_cell())
        late = await context.new_page()
        await late.goto(f"{served.url}/")
        await shown(late, 3)


async def test_tabs_that_nobody_sees_have_no_stream_until_they_are_seen(
    browser: Browser, served: Served
) -> None:
    async with opened(browser, f"{served.url}/") as one:
        other = await tab(one.context, f"{served.url}/")
        await hide(other)
        await until(lambda: served.views.streams == 1)
        await hide(one)
        await until(lambda: served.views.streams == 0, 15)
        waiting(served.board, ("sales", "voice"), "meanwhile", served.board.now - 1_000)
        await hide(other, hidden=False)
        await expect(other.locator(".tile:has-text('sales') [data-kpi=backlog] .value")).to_have_text("2")
        await expect(other.locator("#alarm")).to_be_hidden()
        assert served.views.streams == 1
        await other.close()
        await until(lambda: served.views.streams == 0, 15)


async def test_a_tab_that_would_sound_an_alarm_goes_on_listening(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        sound = page.locator("#sound")
        await expect(sound).to_have_attribute("aria-label", "Sound: off")
        await sound.click()
        await expect(sound).to_have_attribute("aria-pressed", "true")
        assert await page.evaluate("location.hash") == "#sound=on"
        await hide(page)
        put(served.board, ("sales", "voice"), busy_cell() | {3: 0})
        await page.wait_for_function("() => document.documentElement.dataset.sounded")
        first = await page.evaluate("document.documentElement.dataset.sounded")
        assert served.views.streams == 1
        put(served.board, ("care", "chat"), busy_cell() | {3: 0})
        await expect(page).to_have_title("2 off target · Live contact centre")
        assert (
            await page.evaluate("document.documentElement.dataset.sounded") == first
        )  # once a minute is enough


async def test_without_shared_workers_a_page_has_its_own_stream(browser: Browser, served: Served) -> None:
    async with opened(browser, "about:blank") as page:
        await page.add_init_script("delete globalThis.SharedWorker")
        await page.goto(f"{served.url}/")
        await shown(page, 2)
        await hide(page)
        await until(lambda: served.views.streams == 0, 15)
        await hide(page, hidden=False)
        await until(lambda: served.views.streams == 1, 15)
        await expect(page.locator("#age")).to_contain_text("Live")
