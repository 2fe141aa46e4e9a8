"""The lists beside the tiles: of what was chosen, complete, and not longer than people can look at."""

import pytest
from playwright.async_api import Browser, expect

from stream_app.model.targets import Targets
from tests.services.browser import opened, texts
from tests.views.serving import Served
from tests.views.test_taking import MemoryCallbacks

from .screen import busy_board, give_up, many, shown, ticking, worry

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPILLED = """panel => panel.querySelector("table").getBoundingClientRect().right
  - panel.querySelector("h2").getBoundingClientRect().right"""
TURN_MS = 4_900
"""The lists are read again every five seconds anyway; what a person chose does not wait for that."""


async def test_who_is_at_risk_and_who_may_be_rung_back(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#short=show") as page:
        await expect(page.locator("#risk .none")).to_have_text("No contacts at risk.")
        await expect(page.locator("#ring .none")).to_have_text("No contacts abandoned within the last hour.")
        for n in range(10):
            worry(served.board, f"risk-{n}", 1.2 + n / 10, 600)
            give_up(served.board, f"gone-{n}", 120 + 60 * n, 4 if n == 1 else 75)
        give_up(served.board, "elsewhere", 1, 30, "care")
        await expect(page.locator("#ring .count")).to_have_text("11")
        rows = await texts(page, "#ring tbody tr")
        assert rows[0].startswith("elsewhere care · voice 30 s ")
        assert rows[1].startswith("gone-0 sales · voice 75 s 2 min ago")
        assert "4 s, short" in rows[2]
        assert len(rows) == 8
        await expect(page.locator("#ring .rest")).to_have_text("and 3 more")
        assert (await texts(page, "#risk tbody tr"))[0] == "risk-0 sales · voice g 1.2 of 5 10 min"
        await page.locator("#filter").fill("care")
        await expect(page.locator("#ring .count")).to_have_text("1")
        await expect(page.locator("#ring .rest")).to_be_hidden()
        await expect(page.locator("#risk .none")).to_have_text("No contacts at risk in this selection.")


async def test_a_busy_queue_hides_nobody_who_gave_up_in_another(browser: Browser) -> None:
    """The server answers with the newest 200: of what was chosen, and not of everything."""
    served = Served(busy_board([("sales", "voice"), ("care", "voice"), ("far", "voice")]))
    served.targets = Targets.of({"queues": {"care": {"site": "Leeds", "unit": "b2b"}}})
    for n in range(250):
        give_up(served.board, f"gone-{n}", 1 + n, 30)
    give_up(served.board, "long-ago", 3_000, 30, "care")
    for chosen in ("queue=care", "site=Leeds", "unit=b2b"):
        async with ticking(served) as running, opened(browser, f"{running.url}/#{chosen}") as page:
            await expect(page.locator("#ring td.contact")).to_have_text("long-ago")
            await expect(page.locator("#ring .count")).to_have_text("1")
            await page.evaluate("location.hash = '#queue=far'")
            words = "No contacts abandoned within the last hour in this selection."
            await expect(page.locator("#ring .none")).to_have_text(words, timeout=TURN_MS)
            await page.evaluate("location.hash = ''")
            await expect(page.locator("#ring .count")).to_have_text("251", timeout=TURN_MS)
            await expect(page.locator("#ring .rest")).to_have_text("and 243 more")
        served = Served(served.board)
        served.targets = running.targets


async def test_the_whole_list_can_be_read_and_its_ids_copied(browser: Browser, served: Served) -> None:
    for n in range(230):
        give_up(served.board, f"gone-{n:03}", 1 + n, 30)
    async with opened(browser, served.url, permissions=["clipboard-read", "clipboard-write"]) as page:
        await page.locator("#ring .rest").click()
        await expect(page.locator("#dialog-name")).to_have_text("Call back")
        await expect(page.locator("#dialog .lead")).to_have_text("The newest 200 of 230.")
        await expect(page.locator("#dialog td.contact")).to_have_count(200)
        await page.get_by_role("button", name="Copy ids").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied.splitlines() == [f"gone-{n:03}" for n in range(200)]
        await page.locator("#dialog td.contact").nth(2).click()  # one click takes an id
        assert (await page.evaluate("String(getSelection())")).strip() == "gone-002"
        give_up(served.board, "newest", 0, 30)
        await page.evaluate("getSelection().empty()")
        await expect(page.locator("#dialog td.contact").first).to_have_text("newest")
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.className") == "rest link"


async def test_short_ones_are_hidden_until_they_are_wanted(browser: Browser, served: Served) -> None:
    give_up(served.board, "long", 60, 30)
    for n in range(3):
        give_up(served.board, f"short-{n}", 70 + n, 4, "care" if n else "sales")
    async with opened(browser, served.url) as page:
        await expect(page.locator("#ring td.contact")).to_have_text("long")
        await expect(page.locator("#ring .count")).to_have_text("1")
        await expect(page.locator("#short-hidden")).to_have_text("3 short abandons hidden.")
        await page.get_by_label("Hide short").uncheck()
        await expect(page.locator("#ring .count")).to_have_text("4", timeout=TURN_MS)
        assert await page.evaluate("location.hash") == "#short=show"
        await page.reload()
        await expect(page.locator("#ring .count")).to_have_text("4")
        await expect(page.get_by_label("Hide short")).not_to_be_checked()
        await page.evaluate("location.hash = '#queue=care'")
        words = "No contacts abandoned within the last hour in this selection. 2 short abandons hidden."
        await expect(page.locator("#ring .none")).to_have_text(words)


async def test_more_queues_than_an_address_holds_can_be_chosen(browser: Browser) -> None:
    board = busy_board([(f"{'q' * 40}-{n:03}", "voice") for n in range(200)])
    give_up(board, "mine", 60, 30, "q" * 40 + "-007")
    give_up(board, "other", 60, 30, "other")
    async with ticking(Served(board)) as served:
        chosen = "&".join(f"queue={'q' * 40}-{n:03}" for n in range(200))
        async with opened(browser, f"{served.url}/#{chosen}") as page:
            await shown(page, 200)
            await expect(page.locator("#ring td.contact")).to_have_text("mine")


async def test_what_is_chosen_and_not_there_has_nobody_and_is_not_loading(
    browser: Browser, served: Served
) -> None:
    give_up(served.board, "gone", 60, 30)
    async with opened(browser, f"{served.url}/#site=Leeds") as page:
        await expect(page.locator("#risk .none")).to_have_text("No contacts at risk in this selection.")
        words = "No contacts abandoned within the last hour in this selection."
        await expect(page.locator("#ring .none")).to_have_text(words)
        await page.locator("#nothing").get_by_role("button", name="Show all").click()
        await expect(page.locator("#ring td.contact")).to_have_text("gone")


@pytest.mark.parametrize("width", [320, 390, 1120, 1280])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_lists_stay_within_the_page(browser: Browser, language: str, width: int) -> None:
    board = busy_board()
    give_up(board, "1795938857-402536.5b4", 1_500, 754)
    worry(board, "1795938857-402536.5b5", 1.2, 600, "sales")
    async with (
        ticking(Served(board, callbacks=MemoryCallbacks())) as served,
        opened(browser, f"{served.url}/#lang={language}", width=width) as page,
    ):
        await expect(page.locator("#risk td.contact")).to_be_visible()
        take = page.locator("#ring button.take")
        await expect(take).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        for panel in ("#risk", "#ring"):
            assert await page.locator(panel).evaluate(SPILLED) <= 0
        # Its words are not broken into letters.
        box = await take.bounding_box()
        assert box
        assert box["height"] < 50


async def test_on_a_phone_there_is_a_way_to_the_lists(browser: Browser) -> None:
    board = many(12)
    give_up(board, "gone", 60, 30, "billing-00")
    async with (
        ticking(Served(board)) as served,
        opened(browser, served.url, width=390, height=844) as page,
    ):
        way = page.get_by_role("button", name="Call back (1)")
        await expect(way).to_be_in_viewport()
        await way.click()
        await expect(page.locator("#ring td.contact")).to_be_in_viewport()
        assert await page.evaluate("document.activeElement.id") == "ring-name"
        await page.set_viewport_size({"width": 1280, "height": 800})
        await expect(way).to_be_hidden()
