"""The page People, and the agents on tiles and in the table: who does what, for how long, and who is over the limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from stream_app.model.fold.visit import VisitState
from stream_app.model.targets import Targets
from stream_app.views.agents.api import AgentSource
from tests.services.browser import opened, texts, violations
from tests.views.people import Agents, crowd, staff
from tests.views.serving import Served

from .screen import busy_board, looked_over, many, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMITS = Targets.of({"agents": {"limits": {"lunch": 15, "meeting": 5.5}}})
QUEUES = [("sales", "voice"), ("care", "chat"), ("post", "email")]
ROWS = "#people tbody tr:not([aria-hidden])"


@pytest_asyncio.fixture(loop_scope="session")
async def staffed() -> AsyncIterator[Served]:
    served = Served(busy_board(QUEUES))
    served.targets = LIMITS
    staff(Agents(served.board))
    async with ticking(served) as running:
        yield running


async def reads(page: Page, agent: str, **cells: str) -> None:
    """Wait until an agent's row says that: it counts on from what was published, and back to it when that comes again."""
    line = page.locator(ROWS).filter(has=page.get_by_role("button", name=agent, exact=True))
    for column, text in cells.items():
        await expect(line.locator(f".{column}")).to_have_text(text)


async def test_it_lists_what_each_agent_does_the_longest_over_the_limit_first(
    browser: Browser, staffed: Served
) -> None:
    async with opened(browser, f"{staffed.url}/people") as page:
        await expect(page.locator(ROWS)).to_have_count(6)
        await expect(page.locator(".row")).to_have_text(["cleo", "eve", "fay", "dan", "ann", "ben"])
        await reads(
            page, "cleo", doing="away: lunch", since="21 min", limit="over by 6 min", team="blue", site="York"
        )
        both = "chat 11:40 min, chat wrap-up 30 s"
        await reads(
            page, "fay", doing="on contact", since="11:40 min", limit="", contacts=both, slots="chat 0/2"
        )
        await reads(page, "dan", contacts="voice on hold 3:20 min", queues="care: meeting, sales")
        summary = "6 people · 2 available · 2 on contact · 1 wrap-up · 1 away · 2 over the limit"
        await expect(page.locator("#summary")).to_have_text(summary)
        marks = "getComputedStyle(document.querySelector('td.limit[data-state=off]'), '::before').content"
        assert await page.evaluate(marks) == '"✕"'
        staffed.board.advance(staffed.board.now + 2_000)
        await expect(page.locator(ROWS).first.locator(".since")).to_have_text("21:02 min")
        agents = Agents(staffed.board)
        agents.tell("ann", "meeting", 300, queues=("sales",))
        await reads(page, "ann", doing="away: meeting", since="5 min", limit="29 s left")
        agents.has("zoe", "call-9", ("sales", "voice"), VisitState.TALKING, 0)
        await expect(page.locator(f"{ROWS}:has-text('zoe') .doing")).to_have_text("on contact")
        staffed.board.put_visits("t.0", "call-9", [])
        await expect(page.locator(f"{ROWS}:has-text('zoe')")).to_have_count(0)


async def test_the_address_says_who_is_listed_and_keys_reach_everything(
    browser: Browser, staffed: Served
) -> None:
    async with opened(browser, f"{staffed.url}/people#queue=care&doing=available+away") as page:
        await expect(page.locator(ROWS)).to_have_count(2)  # dan is on a call, whatever he was in care before
        await expect(page.locator(".row")).to_have_text(["cleo", "ben"])
        await page.get_by_role("button", name="offline").click()
        await page.locator("#team").select_option("red")
        assert await page.evaluate("location.hash") == "#queue=care&team=red&doing=available+away+offline"
        await expect(page.locator(ROWS)).to_have_count(1)
        await page.reload()
        await expect(page.locator(".row")).to_have_text(["ben"])
        await page.goto(f"{staffed.url}/people#sort=agent&shade=1")
        await expect(page.locator("#notice")).to_have_text("Ignored in the link: shade.")
        await expect(page.locator(".row")).to_have_text(["ann", "ben", "cleo", "dan", "eve", "fay"])
        await page.locator("[data-sort=agent]").click()
        await expect(page.locator(".row").first).to_have_text("fay")
        assert await page.evaluate("location.hash") == "#sort=-agent"
        await page.locator(".row").first.focus()
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowUp")
        assert await page.evaluate("document.activeElement.textContent") == "ben"
        await page.keyboard.press("Home")
        await page.keyboard.press("Enter")
        await expect(page.locator("#dialog-name")).to_have_text("fay")
        facts = await texts(page, "#dialog-body")
        assert "chat-1" in facts[0]
        assert "not known" in facts[0]  # the ledger has not said what fay did today
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.textContent") == "fay"
        await page.locator("#find").fill("nobody")
        await expect(page.locator("#nobody")).to_have_text("Nobody matches: Agent: nobody.")


@pytest.mark.slow
async def test_five_thousand_are_listed_and_stay_live(browser: Browser) -> None:
    queues = [(f"queue-{n:03}", "chat") for n in range(60)]
    served = Served(busy_board(queues[:3]))
    agents = crowd(served.board, 5_000, queues)
    async with ticking(served), opened(browser, f"{served.url}/people#sort=agent") as page:
        await expect(page.locator("#people")).to_have_attribute("aria-rowcount", "5001")
        assert await page.locator(ROWS).count() < 80
        await page.locator(".row").first.focus()
        await page.keyboard.press("End")
        await expect(page.locator(".row").last).to_have_text("agent-04999")
        assert await page.evaluate("document.activeElement.textContent") == "agent-04999"
        head: Any = await page.locator("#people thead th").first.bounding_box()
        box: Any = await page.locator("#rows").bounding_box()
        assert abs(head["y"] - box["y"]) <= 2  # the titles stay in view
        agents.tell("agent-04999", "training")
        await expect(page.locator(f"{ROWS}:has-text('agent-04999') .doing")).to_have_text("away: training")
        await page.locator("#find").fill("agent-0123")
        await expect(page.locator("#people")).to_have_attribute("aria-rowcount", "11")


@pytest.mark.parametrize(
    ("width", "height", "address"),
    [(1440, 900, "theme=light&lang=de"), (390, 844, "theme=dark"), (1920, 1080, "view=tv&theme=dark")],
)
async def test_everybody_can_use_it_on_every_screen(
    browser: Browser, staffed: Served, width: int, height: int, address: str
) -> None:
    async with opened(
        browser, f"{staffed.url}/people#{address}", width=width, height=height, bypass_csp=True
    ) as page:
        await expect(page.locator(ROWS)).to_have_count(6)
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate("document.documentElement.scrollHeight") <= height
        cut = "all => all.filter(n => n.checkVisibility() && n.scrollWidth > n.clientWidth + 1).map(n => n.textContent)"
        assert await page.locator("#people :is(.agent, .doing, .since, .limit)").evaluate_all(cut) == []
        await page.locator(".row").first.click()
        await expect(page.locator("#dialog")).to_be_visible()
        assert await violations(page) == []


async def test_where_agents_are_not_shown_it_says_how_to_show_them(browser: Browser) -> None:
    async with (
        ticking(Served(busy_board(), agents=AgentSource("off"))) as served,
        opened(browser, f"{served.url}/people", refused=True) as page,
    ):
        await expect(page.locator("#nobody")).to_contain_text("STREAM_APP_AGENTS=on")
        await expect(page.locator("#rows")).to_be_hidden()


async def test_tiles_and_rows_say_what_their_agents_do(browser: Browser, staffed: Served) -> None:
    async with opened(browser, f"{staffed.url}/#order=name") as page:
        await shown(page, 3)
        tiles = page.locator("#queues .tile .staff")
        care = "1 available (40 s) · 2 on contact (11:40 min) · 0 in wrap-up · 1 away (21 min) · 3 free chat slots"
        at_once = " · the next one is taken at once"
        await expect(tiles).to_have_text(
            [
                care + at_once,
                "Agents –",  # noqa: RUF001 - a dash
                "2 available (2:05 min) · 1 on contact (3:20 min) · 1 in wrap-up (95 s) · 1 away (21 min)"
                + at_once,
            ]
        )
        assert "no platform tells" in (await tiles.nth(1).get_attribute("title") or "")
        staffed.board.advance(staffed.board.now + 5_000)
        await expect(tiles.first).to_contain_text("1 available (45 s)")
        await page.goto(f"{staffed.url}/#view=table&sort=queue")
        cells = page.locator("#table tbody tr:not(.sums)")
        await expect(cells).to_have_count(3)
        for row, texts_of in ((0, ["1 · 45 s", "2 · 11:45 min", "0", "1 · 21:05 min", "3"]), (1, ["–"] * 5)):  # noqa: RUF001
            for n, text in enumerate(texts_of):
                await expect(cells.nth(row).locator("td").nth(12 + n)).to_have_text(text)
        await page.locator("footer").get_by_role("link", name="People").click()
        await expect(page.locator(ROWS)).to_have_count(6)


@pytest.mark.parametrize(("view", "width", "height"), [("desk", 390, 9_000), ("tv", 1920, 1080)])
async def test_tiles_have_room_for_agents(browser: Browser, view: str, width: int, height: int) -> None:
    served = Served(many(14))
    queues = sorted(queue for queue in served.board.queues() if queue[0])
    crowd(served.board, 1_500, queues)
    async with (
        ticking(served),
        opened(browser, f"{served.url}/#view={view}", width=width, height=height) as page,
    ):
        await shown(page, 14)
        await expect(page.locator("#queues .staff-short").first).to_contain_text("available")
        assert (await looked_over(page))[2] == []
        if view == "tv":
            await expect(page.locator("#queues .staff-short").first).to_be_visible()
            return
        await page.goto(f"{served.url}/#view=table")
        for wide in (1280, 1440, 1920):
            await page.set_viewport_size({"width": wide, "height": 900})
            await page.wait_for_function("width => innerWidth === width", arg=wide)
            assert await page.evaluate("document.documentElement.scrollWidth") <= wide, wide
