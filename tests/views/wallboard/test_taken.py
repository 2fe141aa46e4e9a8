"""Calling back: who does, seen by everybody, and the way into the platform."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Route, expect

from stream_app.views.screen import Screen
from tests.services.browser import opened, texts
from tests.views.serving import Served
from tests.views.test_taking import MemoryCallbacks

from .screen import busy_board, give_up, ticking, worry

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = '"><img src=x onerror=alert(1)>'


async def test_two_people_do_not_ring_one_customer(browser: Browser) -> None:
    callbacks = MemoryCallbacks()
    board = busy_board()
    give_up(board, "first", 60, 119)
    give_up(board, "second", 90, 125)
    async with (
        ticking(Served(board, callbacks=callbacks)) as served,
        opened(browser, served.url) as anna,
        opened(browser, served.url, refused=True) as ben,
    ):
        await anna.locator("#ring tbody tr", has_text="first").get_by_role("button").click()
        await anna.get_by_label("Your name").fill("Anna")
        await anna.keyboard.press("Enter")
        await expect(anna.locator("#ring tr[data-taken]")).to_contain_text("Anna")
        await expect(anna.locator("#me-said")).to_have_text("You are Anna.")
        assert (await texts(anna, "#ring tbody tr"))[1].startswith("second sales · voice 2:05 min")
        # The name is typed once.
        await anna.reload()
        await expect(anna.locator("#ring tr[data-taken]").get_by_role("button")).to_have_text("Undo")
        # Ben saw it free a moment ago.
        await ben.locator("#ring tbody tr", has_text="first").wait_for()
        await ben.evaluate("localStorage.setItem('stream-app.name', 'Ben')")
        await ben.reload()
        taken = ben.locator("#ring tr[data-taken]")
        await expect(taken).to_contain_text("Anna")
        await expect(taken.get_by_role("button")).to_have_count(0)
        await anna.locator("#ring tr[data-taken]").get_by_role("button", name="Undo").click()
        await expect(anna.locator("#ring tr[data-taken]")).to_have_count(0)
        await ben.locator("#ring tbody tr", has_text="first").get_by_role("button").click(timeout=10_000)
        await expect(taken).to_contain_text("Ben")
        assert [one.by for one in callbacks.known.values()] == ["Ben"]


async def test_ids_lead_into_the_platform_and_hostile_ones_nowhere_else(browser: Browser) -> None:
    board = busy_board()
    give_up(board, EVIL, 60, 30)
    worry(board, "a/b", 1.2, 60)
    screen = Screen(contact_url="https://platform.example/c/{contact_id}")
    async with ticking(Served(board, screen=screen)) as served, opened(browser, served.url) as page:
        link = page.locator("#ring td.contact a")
        await expect(link).to_have_text(EVIL)
        assert await link.get_attribute("href") == (
            "https://platform.example/c/%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E"
        )
        assert await link.get_attribute("rel") == "noopener noreferrer"
        assert await page.locator("#risk td.contact a").get_attribute("href") == (
            "https://platform.example/c/a%2Fb"
        )
        assert await page.locator("img").count() == 0
        heads = await texts(page, "#risk th")
        assert heads[2] == "Agent"
        assert await page.locator("#ring").get_by_role("button").count() == 0  # nobody takes contacts here


async def test_what_a_server_that_hangs_may_not_have_kept_is_said(browser: Browser) -> None:
    board = busy_board()
    give_up(board, "first", 60, 119)
    async with (
        ticking(Served(board, callbacks=MemoryCallbacks())) as served,
        opened(browser, served.url) as page,
    ):
        hung: list[Route] = []

        def hang(route: Route) -> None:
            hung.append(route)

        await page.route("**/v1/abandoned/taken", hang)
        await page.locator("#ring").get_by_role("button", name="I’ll call").click()  # noqa: RUF001 - as on the page
        await page.get_by_label("Your name").fill("Anna")
        await page.keyboard.press("Enter")
        await expect(page.locator("#taken-said")).to_have_text("Not saved. Try again.")
        await hung[0].abort()
