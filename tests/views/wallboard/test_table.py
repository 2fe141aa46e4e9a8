"""Many queues at a desk: a row each, fifty on one screen, sorted by any column, in groups that fold."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from stream_app.model.targets import Targets
from tests.services.browser import opened, texts
from tests.views.examples import put
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import PIECES, busy_board, busy_cell, many, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEAST_PX = 11
CHROME_PX = 130  # what a browser's own bars take of a screen of 1080


async def lines(page: Page) -> list[str]:
    return await texts(page, "#table tr:not([hidden]) .row")


async def column(page: Page, title: str) -> list[str]:
    """A column's cells, without the sums."""
    found: list[str] = await page.evaluate(
        """title => {
          const table = document.getElementById("table");
          const at = [...table.tHead.rows[0].cells].findIndex(c => c.textContent.replace(/ [▲▼]$/, "") === title);
          return [...table.querySelectorAll("tbody tr:not(.sums):not([hidden])")].map(r => r.cells[at].textContent);
        }""",
        title,
    )
    return found


async def test_fifty_are_on_one_screen_and_can_be_read(browser: Browser) -> None:
    async with (
        ticking(Served(many(50))) as served,
        opened(browser, f"{served.url}/#view=table", width=1920, height=1080 - CHROME_PX) as page,
    ):
        await expect(page.locator("#table .row")).to_have_count(50)
        box: Any = await page.locator("#table").bounding_box()
        assert box["y"] + box["height"] <= 1080 - CHROME_PX
        assert box["x"] + box["width"] <= 1920
        pieces = await page.evaluate(f"({PIECES})(document.getElementById('table'))")
        assert min(piece["font"] for piece in pieces) >= LEAST_PX
        heads = await texts(page, "#table thead button")
        assert heads[:3] == ["Queue", "Channel", "State"]
        assert {"Waiting", "Past target", "Longest wait", "Offered", "Answered", "Abandoned"} <= set(heads)
        spilled = "all => all.filter(n => n.scrollWidth > n.clientWidth + 1).map(n => n.textContent)"
        assert await page.locator("#table :is(th, td)").evaluate_all(spilled) == []
        rows = (await served.get("/v1/now?window=30m"))[2]["rows"]
        ranked = sorted(rows, key=lambda row: (-row["judged"]["30m"]["urgency"], row["queue"]))
        assert await lines(page) == [row["queue"] for row in ranked]
        assert await column(page, "Offered") == [str(row["counts"]["30m"]["offered"]) for row in ranked]
        late = [str(row["late"] or "") for row in ranked]
        assert await column(page, "Past target") == late


async def test_any_column_sorts_and_the_address_remembers(browser: Browser) -> None:
    board = busy_board([("alpha", "voice"), ("beta", "chat"), ("zulu", "voice")])
    async with ticking(Served(board)) as served, opened(browser, f"{served.url}/#view=table") as page:
        await expect(page.locator("#table .row")).to_have_count(3)
        heads = await page.locator("#table thead th").count()
        for n in range(heads):
            button = page.locator("#table thead button").nth(n)
            ways = []
            for _ in range(3):
                head = page.locator("#table thead th").nth(n)
                before = await head.get_attribute("aria-sort") or ""
                await button.click()
                await expect(head).not_to_have_attribute("aria-sort", before)
                ways.append(await head.get_attribute("aria-sort") or "")
            assert ways[-1] == "none"
            assert {ways[0], ways[1]} == {"ascending", "descending"}
        assert await page.evaluate("location.hash") == "#view=table"
        await page.locator("#table thead button", has_text="Queue").click()
        await page.locator("#table thead button", has_text="Queue").click()
        assert await lines(page) == ["zulu", "beta", "alpha"]
        assert await page.evaluate("location.hash") == "#view=table&sort=-queue"
        await page.reload()
        await expect(page.locator("#table .row").first).to_have_text("zulu")
        await page.evaluate("location.hash = '#view=table&sort=colour'")
        await expect(page.locator("#notice")).to_have_text("Ignored in the link: sort=colour.")


async def test_groups_have_sums_and_fold(browser: Browser) -> None:
    served = Served(
        busy_board([("alpha", "voice"), ("beta", "voice"), ("gamma", "voice"), ("lost", "voice")])
    )
    served.targets = Targets.of(
        {"queues": {"alpha": {"site": "Leeds"}, "beta": {"site": "Leeds"}, "gamma": {"site": "York"}}}
    )
    async with ticking(served), opened(browser, f"{served.url}/#view=table&sort=queue") as page:
        await page.locator("#group").select_option("site")
        folds = page.locator("#table .fold")
        await expect(folds).to_have_text(["▾ Leeds (2)", "▾ York (1)", "▾ No site (1)"])
        assert (await texts(page, "#table .sums"))[0].split()[3:6] == ["2", "0", "12"]
        await folds.first.click()
        await expect(folds.first).to_have_attribute("aria-expanded", "false")
        assert await lines(page) == ["gamma", "lost"]
        assert await page.evaluate("location.hash") == "#view=table&sort=queue&group=site&fold=Leeds"
        await page.reload()
        await expect(folds.first).to_have_text("▸ Leeds (2)")
        assert await lines(page) == ["gamma", "lost"]


async def test_keys_go_from_row_to_row_and_into_details(browser: Browser) -> None:
    async with (
        ticking(Served(busy_board([("alpha", "voice"), ("beta", "voice")]), Kept())) as served,
        opened(browser, f"{served.url}/#view=table&sort=queue") as page,
    ):
        await expect(page.locator("#table .row")).to_have_count(2)
        await page.locator("#table .row").first.focus()
        await page.keyboard.press("ArrowDown")
        assert await page.evaluate("document.activeElement.textContent") == "beta"
        await page.keyboard.press("Enter")
        await expect(page.locator("#dialog-name")).to_have_text("beta · voice")
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.textContent") == "beta"
        await page.keyboard.press("r")
        await expect(page.locator("#table")).to_be_hidden()
        await expect(page.locator("#queues .tile")).to_have_count(2)


@pytest.mark.slow
async def test_five_hundred_are_drawn_and_stay_live(browser: Browser) -> None:
    served = Served(many(500))
    async with ticking(served), opened(browser, f"{served.url}/#view=table", width=1920, height=1080) as page:
        await expect(page.locator("#table .row")).to_have_count(500)
        await page.locator("#filter").fill("billing-00")
        await expect(page.locator("#table .row")).to_have_count(1)
        cell = page.locator("#table tbody tr:not(.sums) td").nth(6)
        before = await cell.inner_text()
        for partition in ("t.1", "t.2"):
            put(served.board, ("billing-00", "voice"), busy_cell(), partition)
        await expect(cell).not_to_have_text(before)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 1920
        await page.locator("#filter").fill("")
        await expect(page.locator("#table .row")).to_have_count(500)
        await page.locator("#table .row").last.scroll_into_view_if_needed()
        head: Any = await page.locator("#table thead th").first.bounding_box()
        top: Any = await page.locator("#top").bounding_box()
        assert head["y"] >= top["y"] + top["height"] - 1  # the titles stay in view


async def test_on_a_phone_a_row_s_name_stays_while_its_numbers_move(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#view=table", width=390, height=844) as page:
        await expect(page.locator("#table .row")).to_have_count(2)
        await page.locator("#table [data-sort=handle_time]").scroll_into_view_if_needed()
        assert await page.locator("#board").evaluate("n => n.scrollLeft") > 0
        for name in await page.locator("#table .row").all():
            await expect(name).to_be_in_viewport(ratio=1)
        # What moves goes below it.
        over = "n => n.contains(document.elementFromPoint(n.getBoundingClientRect().x + 9, n.getBoundingClientRect().y + 9))"
        assert await page.locator("#table .sums th").evaluate(over)


async def test_calls_alone_have_a_speed_of_answer(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#view=table") as page:
        head = page.locator("#table [data-sort=first_response]")
        await expect(head).to_have_text("Time to answer")
        await page.evaluate("location.hash = '#view=table&channel=chat'")
        await expect(head).to_have_text("First response")
        await page.evaluate("location.hash = '#view=table&channel=voice'")
        await expect(head).to_have_text("Speed of answer")
