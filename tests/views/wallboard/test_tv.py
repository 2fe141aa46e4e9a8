"""The screen on the wall: all queues readable without scrolling, pages that turn, and keys."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from stream_app.views.status import Status
from tests.services.browser import opened, texts
from tests.views.examples import NOON, put, waiting
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import (
    PIECES,
    TILES,
    busy_board,
    busy_cell,
    crowded,
    give_up,
    looked_over,
    many,
    names,
    shown,
    ticking,
    worry,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

TV: dict[str, Any] = {"width": 1920, "height": 1080}
LEAST_PX, LEAST_VALUE_PX = 12, 22


async def assert_nothing_scrolls(page: Page) -> None:
    assert await page.evaluate(
        "[document.documentElement.scrollHeight <= innerHeight, document.documentElement.scrollWidth <= innerWidth,"
        " document.querySelector('main').scrollHeight <= document.querySelector('main').clientHeight]"
    ) == [True, True, True]


SCREENS = (
    (1, "tiles", 100),
    (6, "tiles", 80),
    (20, "tiles", 40),
    (24, "tiles", 40),
    (25, "dense", 25),
    (50, "dense", 25),
)


@pytest.mark.parametrize(
    ("queues", "layout", "first_px", "stale"),
    [
        *((*screen, True) for screen in SCREENS),  # says more, and needs the most room
        *(
            pytest.param(*screen, False, marks=() if screen[0] in {24, 25} else pytest.mark.chaos)
            for screen in SCREENS
        ),
    ],
)
async def test_all_queues_are_on_one_screen_and_can_be_read(
    browser: Browser, queues: int, layout: str, first_px: int, stale: bool
) -> None:
    async with (
        ticking(Served(many(queues))) as served,
        opened(browser, f"{served.url}/#view=tv", **TV) as page,
    ):
        if stale:
            served.trust = Status(age_s=754, max_age_s=10)
            await expect(page.locator("#alarm")).to_be_visible()
        await shown(page, queues)
        await expect(page.locator("#board")).to_have_attribute("data-layout", layout)
        there, pieces, wrong = await looked_over(page)
        assert wrong == []
        assert len(set(there)) == queues
        assert min(piece["font"] for piece in pieces) >= LEAST_PX
        first = [piece["font"] for piece in pieces if piece["place"] == "first" and piece["value"]]
        assert len(first) == queues
        assert min(first) >= max(first_px, LEAST_VALUE_PX)
        targets = [piece["text"] for piece in pieces if piece["text"].startswith(("≥", "≤"))]
        assert len(targets) >= 3 * queues  # where nobody waits, there is no longest wait
        await expect(page.locator(f"{TILES} .old").last).to_contain_text("12 min" if stale else "s old")
        old = await texts(page, f"{TILES} .old")
        assert set(old) == ({"stale · 12 min old"} if stale else set(old))
        assert all("s old" in text or stale for text in old)
        assert await page.locator(f"{TILES} .old").evaluate_all("all => all.every(n => n.checkVisibility())")
        await assert_nothing_scrolls(page)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 768), (3840, 2160)])
async def test_every_queue_is_shown_completely_on_some_page(
    browser: Browser, width: int, height: int
) -> None:
    async with ticking(Served(many(50))) as served:
        address = f"{served.url}/#view=tv&paused=yes&order=name&lists=on"
        async with opened(browser, address, width=width, height=height) as page:
            await shown(page)
            seen: list[str] = []
            while not await page.locator("#risk").is_visible():
                there, pieces, wrong = await looked_over(page)
                assert wrong == []
                assert min(piece["font"] for piece in pieces) >= LEAST_PX
                await assert_nothing_scrolls(page)
                seen += there
                before = await page.locator("#place").inner_text()
                await page.keyboard.press("ArrowRight")
                await expect(page.locator("#place")).not_to_have_text(before)
            assert len(seen) == len(set(seen)) == 50


async def test_pages_turn_by_themselves_until_they_are_stopped(browser: Browser) -> None:
    board = many(110, calm=True)
    give_up(board, "gone", 60, 30, "billing-00")
    async with (
        ticking(Served(board)) as served,
        opened(browser, f"{served.url}/#view=tv&every=3&lists=on", **TV) as page,
    ):
        await shown(page, 55)
        place = page.locator("#place")
        for words in ("Queues 56 to 110 of 110", "Call back", "Queues 1 to 55 of 110"):
            await expect(place).to_contain_text(words)  # nobody is at risk: that page is left out
        await page.keyboard.press("Space")
        await expect(page.locator("#pause")).to_have_text("Resume")
        assert await page.locator("#pause").get_attribute("aria-pressed") == "true"
        assert "paused=yes" in await page.evaluate("location.hash")
        await page.evaluate(
            "window.turned = 0; new MutationObserver(() => turned++).observe("
            "document.getElementById('queues'), {subtree: true, attributeFilter: ['hidden']})"
        )
        stopped_at = await page.evaluate("performance.now()")
        await page.wait_for_function("since => performance.now() - since > 3500", arg=stopped_at)
        await expect(place).to_contain_text("Queues 1 to 55 of 110")
        assert await page.evaluate("window.turned") == 0
        await page.keyboard.press("ArrowLeft")
        await expect(place).to_contain_text("Call back")
        await expect(page.locator("#ring td.contact")).to_have_text("gone")
        await page.keyboard.press("ArrowLeft")
        await expect(place).to_contain_text("Contacts at risk")
        await expect(page.locator("#risk .none")).to_have_text("No contacts at risk.")
        await expect(page.locator("#said")).to_contain_text("Contacts at risk")
        await page.locator("#pause").click()
        await expect(place).to_contain_text("Queues 1 to 55 of 110")


async def test_it_never_turns_away_from_a_fire(browser: Browser) -> None:
    """Through an incident: it turns while all is well, comes back when a queue goes off target, stays, and turns on after."""
    board = many(110, calm=True)
    give_up(board, "gone", 60, 30, "billing-00")
    worry(board, "risk", 1.2, 60, "billing-00")
    where, last = ("zulu", "voice"), ("alpha", "voice")
    for queue in (where, last):
        put(board, queue, busy_cell())
    async with (
        ticking(Served(board)) as served,
        opened(browser, f"{served.url}/#view=tv&every=3&lists=on&order=name", **TV) as page,
    ):
        await page.clock.install()
        await page.clock.resume()
        place = page.locator("#place")
        fire = page.locator(f"{TILES}[data-state=off]")
        await shown(page)
        await expect(place).to_contain_text("Queues 1 to 56 of 112")
        for n in range(9):
            waiting(board, where, f"w{n}", NOON - 200_000)
        await expect(fire).to_have_count(1)
        await expect(fire.locator(".name")).to_have_text("zulu")
        await expect(place).to_contain_text("Queues 57 to 112 of 112 · 1 off target")
        for _ in range(12):  # four of its turns
            await page.clock.run_for(1_000)
            assert await fire.count() == 1
        waiting(
            board, last, "another", NOON - 200_000
        )  # on the other page: from one fire to the other, and nowhere else
        for name in ("alpha", "zulu", "alpha"):
            await page.clock.run_for(3_500)
            await expect(fire.locator(".name")).to_have_text(name)
        board.put_visits("t.0", "another", [])
        for n in range(9):
            board.put_visits("t.0", f"w{n}", [])
        await expect(place).to_contain_text("0 off target")
        for title in ("Contacts at risk", "Call back", "Queues 1 to 56"):
            await page.clock.run_for(3_500)
            if title not in await place.inner_text():
                await page.clock.run_for(3_500)
            await expect(place).to_contain_text(title)


async def test_totals_are_on_it_and_lists_are_not(browser: Browser, served: Served) -> None:
    give_up(served.board, "gone", 60, 30)
    async with opened(browser, f"{served.url}/#view=tv&channel=voice", **TV) as page:
        await shown(page, 1)
        assert await page.locator("#everyone .figure:visible").evaluate_all(
            "all => all.slice(0, 3).map(n => n.innerText.split('\\n').join(' ').trim())"
        ) == ["Service level 88.9 %", "Waiting 1", "Longest wait 12 s"]
        await expect(page.locator("#everyone-name")).to_have_text("Channel: voice")
        await expect(page.locator("#place")).to_contain_text("Channel: voice · 30 min · Queues 1 to 1 of 1")
        for _ in range(3):
            await page.keyboard.press("ArrowRight")
            await expect(page.locator("#ring")).to_be_hidden()
            await expect(page.locator("#risk")).to_be_hidden()
        await assert_nothing_scrolls(page)


async def test_lists_are_pages_that_fit(browser: Browser) -> None:
    board = busy_board()
    for n in range(40):
        give_up(board, f"gone-{n:02}", 60 * n, 30)
        worry(board, f"risk-{n:02}", 1.0 + n / 40, 60 * n)
    async with (
        ticking(Served(board)) as served,
        opened(browser, f"{served.url}/#view=tv&paused=yes&lists=on", **TV) as page,
    ):
        await shown(page, 2)
        for panel in ("risk", "ring"):
            await page.keyboard.press("ArrowRight")
            await expect(page.locator(f"#{panel}")).to_be_visible()
            await expect(page.locator(f"#{panel} tbody tr")).not_to_have_count(0)
            pieces = await page.evaluate(f"({PIECES})(document.getElementById('{panel}'))")
            box = await page.evaluate(f"document.getElementById('{panel}').getBoundingClientRect().toJSON()")
            assert crowded(pieces, box) == []
            rows = await page.locator(f"#{panel} tbody tr").count()
            assert rows >= 14
            await expect(page.locator(f"#{panel} .rest")).to_have_text(f"and {40 - rows} more")
            await assert_nothing_scrolls(page)


async def test_a_queue_that_comes_is_laid_out_anew(browser: Browser) -> None:
    served = Served(many(24))
    async with ticking(served), opened(browser, f"{served.url}/#view=tv", **TV) as page:
        await shown(page, 24)
        give_up(served.board, "x", 10, 5, "zulu")
        await shown(page, 25)
        await expect(page.locator("#board")).to_have_attribute("data-layout", "dense")
        assert (await looked_over(page))[2] == []


async def test_keys_and_buttons(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        await page.keyboard.press("v")
        await expect(page.locator("body")).to_have_class("tv")
        await page.keyboard.press("f")
        await page.wait_for_function("() => document.fullscreenElement !== null")
        await expect(page.locator("#full")).to_have_text("Exit full screen")
        await page.locator("#full").click()
        await page.wait_for_function("() => document.fullscreenElement === null")
        for theme in ("dark", "light", "system"):
            await page.keyboard.press("t")
            await expect(page.locator("#theme")).to_have_attribute("aria-label", f"Theme: {theme}")
        await page.locator("#theme").click()
        ground = "getComputedStyle(document.body).backgroundColor"
        assert await page.evaluate(ground) == "rgb(11, 17, 23)"
        await page.keyboard.press("?")
        await expect(page.locator("#dialog")).to_be_visible()
        assert await page.evaluate("document.getElementById('dialog') instanceof HTMLDialogElement")
        await page.keyboard.press("v")  # a dialog keeps the keys to itself
        await page.get_by_label("Single-key shortcuts").uncheck()
        await page.get_by_role("button", name="Close").click()
        await page.keyboard.press("v")
        await page.keyboard.press("t")
        assert await page.evaluate("location.hash") == "#view=tv&theme=dark&keys=off"
        await page.locator("#view").click()
        await expect(page.locator("body")).not_to_have_class("tv")
        await page.locator("#filter").fill("")
        await page.locator("#filter").press_sequentially("fatv")  # letters are letters where people write
        assert "filter=fatv" in await page.evaluate("location.hash")


async def test_the_address_brings_up_a_whole_screen(browser: Browser, served: Served) -> None:
    address = f"{served.url}/#view=tv&theme=light&window=today&order=name&every=9&paused=yes&channel=voice"
    async with opened(browser, address, color_scheme="dark", **TV) as page:
        await shown(page, 1)
        assert await names(page) == ["sales"]
        assert (await texts(page, "#place"))[0].startswith("Channel: voice · Today · Queues 1 to 1 of 1")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(238, 241, 245)"
        await expect(page.locator("#pause")).to_have_text("Resume")
        await page.evaluate("location.hash = '#window=5m'")  # another bookmark in the same tab
        await shown(page, 2)
        await expect(page.locator("body")).not_to_have_class("tv")


async def test_the_screen_is_kept_awake_where_that_is_possible(browser: Browser, served: Served) -> None:
    async with opened(browser, "about:blank") as page:
        await page.add_init_script(
            "navigator.wakeLock.request = async kind => { window.awake = kind;"
            " return Object.assign(new EventTarget(), {release: async () => { window.awake = ''; }}); }"
        )
        await page.goto(f"{served.url}/#view=tv")
        await page.wait_for_function("() => window.awake === 'screen'")
        await page.keyboard.press("v")
        await page.wait_for_function("() => window.awake === ''")
    async with opened(browser, "about:blank") as page:
        await page.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'wakeLock', {value: undefined})"
        )
        await page.goto(f"{served.url}/#view=tv")
        await shown(page, 2)


async def test_who_wants_less_motion_gets_pages_that_stand_still(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#view=tv", reduced_motion="reduce", **TV) as page:
        await shown(page, 2)
        await expect(page.locator("#pause")).to_have_text("Resume")
        moving = "document.getAnimations().length"
        assert await page.evaluate(moving) == 0
        await page.locator("#pause").click()
        assert await page.evaluate("location.hash") == "#view=tv&paused=no"
        await page.reload()
        await shown(page, 2)
        await expect(page.locator("#pause")).to_have_text("Pause")


async def test_few_queues_are_larger_than_many(browser: Browser) -> None:
    fonts = []
    for queues in (1, 4, 12, 24, 50):
        async with (
            ticking(Served(many(queues))) as served,
            opened(browser, f"{served.url}/#view=tv", **TV) as page,
        ):
            await shown(page, queues)
            value = page.locator(f"{TILES} [data-place=first] .value").first
            fonts.append(float(re.sub("px", "", await value.evaluate("n => getComputedStyle(n).fontSize"))))
    assert fonts == sorted(fonts, reverse=True)
    assert len(set(fonts)) == len(fonts)


async def test_only_pages_that_are_shown_are_counted(browser: Browser, served: Served) -> None:
    give_up(served.board, "gone", 60, 30)
    async with opened(browser, f"{served.url}/#view=tv&paused=yes&lists=on", **TV) as page:
        await shown(page, 2)
        place = page.locator("#place")
        await expect(place).to_have_text("30 min · Queues 1 to 2 of 2 · page 1 of 2 · 0 off target")
        await page.keyboard.press("ArrowLeft")
        await expect(place).to_contain_text("Call back · page 2 of 2")
        await page.keyboard.press("ArrowLeft")  # nobody is at risk: no page, but who asks may see it
        await expect(place).to_have_text("30 min · Contacts at risk · 0 off target")


async def test_there_is_a_clock_and_the_buttons_fade(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#view=tv", timezone_id="Asia/Tokyo", **TV) as page:
        await shown(page, 2)
        await page.clock.set_fixed_time("2026-03-01T12:34:00Z")
        await expect(page.locator("#clock")).to_have_text("21:34")
    async with opened(browser, f"{served.url}/#view=tv", **TV) as page:
        await page.clock.install()
        await page.clock.resume()
        await shown(page, 2)
        buttons = page.locator(".buttons")
        await page.mouse.move(300, 300)
        await expect(buttons).to_have_css("opacity", "1")
        await page.clock.run_for(7_000)
        await expect(buttons).to_have_css("opacity", "0")
        await page.mouse.move(310, 300)
        await expect(buttons).to_have_css("opacity", "1")
        await page.locator("#theme").focus()
        await page.clock.run_for(7_000)
        await expect(page.locator("body")).to_have_attribute("data-idle", "")
        await expect(buttons).to_have_css("opacity", "1")


async def test_a_page_at_which_somebody_is_does_not_turn_away(browser: Browser) -> None:
    async with (
        ticking(Served(many(110))) as served,
        opened(browser, f"{served.url}/#view=tv&every=3&order=name", **TV) as page,
    ):
        await page.clock.install()
        await page.clock.resume()
        await shown(page, 55)
        place = page.locator("#place")
        await expect(place).to_contain_text("Queues 1 to 55")
        await page.locator(f"{TILES} .name").first.focus()
        await page.keyboard.press("Tab")
        held = await page.evaluate("document.activeElement.textContent")
        await page.clock.run_for(20_000)
        await expect(place).to_contain_text("Queues 1 to 55")
        assert await page.evaluate("document.activeElement.textContent") == held
        await page.clock.run_for(45_000)  # nobody is there any more
        await page.wait_for_function("() => document.activeElement.id === 'main'")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.checkVisibility()")
        await page.locator(f"{TILES} .name").last.focus()
        await page.keyboard.press("ArrowRight")
        await page.wait_for_function("() => document.activeElement.id === 'main'")


@pytest.mark.parametrize("opener", ["#help-open", f"{TILES} .name"])
async def test_a_dialog_that_nobody_reads_does_not_stop_the_wall(browser: Browser, opener: str) -> None:
    async with (
        ticking(Served(many(110), Kept())) as served,
        opened(browser, f"{served.url}/#view=tv&every=3&order=name", **TV) as page,
    ):
        await page.clock.install()
        await page.clock.resume()
        await shown(page, 55)
        await page.locator(opener).first.click()
        await page.clock.run_for(50_000)
        await expect(page.locator("#dialog")).to_be_visible()
        await page.clock.run_for(15_000)
        await expect(page.locator("#dialog")).to_be_hidden()
        before = await page.locator("#place").inner_text()
        await page.clock.run_for(65_000)
        await expect(page.locator("#place")).not_to_have_text(before)


async def test_a_wall_on_which_nothing_matches_says_so_in_its_middle(
    browser: Browser, served: Served
) -> None:
    async with opened(browser, f"{served.url}/#view=tv&queue=biling", **TV) as page:
        nothing = page.locator("#nothing")
        await expect(nothing).to_be_visible()
        box = await nothing.bounding_box()
        assert box
        assert 300 < box["y"] < 700
        assert await nothing.evaluate("n => parseFloat(getComputedStyle(n).fontSize)") > 30
        # No queue is not a queue on target.
        await expect(page.locator("#place")).to_have_text("Queue: biling · 30 min")
        await assert_nothing_scrolls(page)
