"""What a tile says: the numbers against their targets, where they go, how old they are, and what they mean."""

import pytest
from playwright.async_api import Browser, expect

from stream_app.model.targets import Targets
from tests.services.browser import opened, texts
from tests.views.examples import put, waiting
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import TILES, busy_board, busy_cell, figures, give_up, names, shown, ticking, worry

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = '<img src=x onerror="document.title=1">&amp;'


async def test_it_shows_the_numbers_against_their_targets(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        assert await figures(page, "sales") == [
            "Service level 88.9 % on target: target ≥ 80 % 18 contacts",
            "Waiting 1 no target",
            "Longest wait 12 s on target: target ≤ 2 min",
            "Abandoned 0 % on target: target ≤ 5 %",
            "Speed of answer 10 s on target: target ≤ 20 s",
            "AHT 5:00 min on target: target ≤ 6 min",
        ]
        assert (await texts(page, "#age"))[0].startswith("Live")
        await expect(page.locator("#alarm")).to_be_hidden()
        await expect(page.locator("#summary")).to_have_text("2 queues: 0 off target, 0 near target")
        assert (await texts(page, f"{TILES} .counts"))[0] == "20 offered · 18 answered · 2 abandoned"
        put(served.board, ("sales", "voice"), busy_cell() | {3: 0})
        await expect(page.locator(f"{TILES} .overall").first).to_have_text("Service level")
        await expect(page).to_have_title("1 off target · Live contact centre")
        assert (await figures(page, "sales"))[0].startswith("Service level 0 % off target: target ≥ 80 %")
        for waits in ("c0", "c1"):
            served.board.put_visits("t.0", waits, [])
        await expect(page.locator(f"{TILES} [data-kpi=oldest_waiting] .value").first).to_have_text("–")  # noqa: RUF001 - a dash


async def test_they_are_those_of_now(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#window=1h") as page:
        await shown(page, 2)
        for row in (await served.get("/v1/now"))[2]["rows"]:
            level = row["windows"]["1h"]["service_level"]
            first, waits, *_ = await figures(page, row["queue"])
            assert f" {level['value']:.1%} ".replace("%", " %") in first
            assert f"{level['samples']} contacts" in first
            waiting = "Waiting" if row["channel"] == "voice" else "Awaiting reply"
            assert f"{waiting} {row['levels']['backlog']:.0f} " in waits


async def test_a_value_can_miss_on_both_sides(browser: Browser, served: Served) -> None:
    served.targets = Targets.of(
        {
            "queues": {
                "sales": {"too_good": {"handle_time": 301}},
                "care": {"too_good": {"service_level": 0.88}},
            }
        }
    )
    async with opened(browser, f"{served.url}/#order=name") as page:
        await shown(page, 2)
        assert "too low: under 5:01 min" in (await figures(page, "sales"))[-1]
        assert "too high: over 88 %" in (await figures(page, "care"))[0]
        assert await texts(page, f"{TILES} .overall") == ["too high", "too low"]
        assert await page.locator(".figure[data-state=too_good]").count() == 2
        await expect(page.locator("#summary")).to_have_text(
            "2 queues: 0 off target, 0 near target, 2 too low or too high"
        )
        mark = "getComputedStyle(document.querySelector('.tile .state[data-state=too_good]'), '::before').content"
        assert await page.evaluate(mark) == '"◆"'


async def test_names_are_text_whatever_they_hold(browser: Browser) -> None:
    board = busy_board([(EVIL, "voice")])
    give_up(board, EVIL, 60, 30, EVIL)
    worry(board, EVIL + "2", 1.2, 60, EVIL)
    async with ticking(Served(board, Kept())) as served, opened(browser, f"{served.url}/") as page:
        await shown(page, 1)
        await expect(page.locator("#ring td.contact")).to_have_text(EVIL)
        await expect(page.locator("#risk td.contact")).to_have_text(EVIL + "2")
        await page.locator(".name").click()
        await expect(page.locator("#dialog-name")).to_have_text(f"{EVIL} · voice")
        assert await page.locator("img").count() == 0
        await page.keyboard.press("Escape")
        await page.locator("#choose").click()
        await expect(page.locator("#dialog-body")).to_contain_text(EVIL)
        assert await page.locator("img").count() == 0


async def test_worst_first_or_by_name_and_filters_and_the_address_remembers(
    browser: Browser, served: Served
) -> None:
    for queue in ("alpha", "zulu"):
        put(served.board, (queue, "voice"), busy_cell() | ({3: 0} if queue == "zulu" else {}))
    async with opened(browser, f"{served.url}/#order=name&window=5m") as page:
        await shown(page, 4)
        assert await names(page) == ["alpha", "care", "sales", "zulu"]
        assert await page.locator("input[name=window]:checked").get_attribute("value") == "5m"
        await page.locator("#order").select_option("worst")
        await expect(page.locator(f"{TILES} h2").first).to_have_text("zulu")
        await page.locator("#filter").fill("CHAT")
        await shown(page, 1)
        assert await names(page) == ["care"]
        assert await page.evaluate("location.hash") == "#window=5m&filter=CHAT"


async def test_a_bookmark_restores_queues_channels_sites_and_units(browser: Browser) -> None:
    board = busy_board(
        [("sales", "voice"), ("sales", "chat"), ("care", "voice"), ("far", "voice"), ("new", "voice")]
    )
    served = Served(board)
    served.targets = Targets.of(
        {
            "queues": {
                "sales": {"site": "Leeds"},
                "care": {"site": "Leeds", "unit": "b2b"},
                "far": {"unit": "b2b"},
            }
        }
    )
    async with ticking(served), opened(browser, f"{served.url}/#order=name") as page:
        await shown(page, 5)
        await page.locator("#choose").click()
        for value, left in (("Leeds", 3), ("voice", 2), ("b2b", 1), ("care", 1)):
            await page.get_by_label(value, exact=True).check()
            await shown(page, left)
        await page.keyboard.press("Escape")
        address = await page.evaluate("location.href")
        assert address.endswith("#order=name&queue=care&channel=voice&site=Leeds&unit=b2b")
        async with opened(browser, address) as another:
            await shown(another, 1)
            assert await names(another) == ["care"]
            await another.locator("#choose").click()
            assert await another.locator("#dialog input:checked").count() == 4
            await another.locator("#dialog").get_by_role("button", name="Show all").click()
            await shown(another, 5)
            assert await another.evaluate("location.hash") == "#order=name"


async def test_what_somebody_has_at_hand_stays_where_it_is(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await page.clock.install()
        await page.clock.resume()
        await shown(page, 2)
        assert await names(page) == ["care", "sales"]
        await page.locator(".name", has_text="care").focus()
        await page.keyboard.press("Tab")  # on to sales, which then becomes the worst
        put(served.board, ("sales", "voice"), busy_cell() | {3: 0})
        await expect(page.locator(f"{TILES} .overall").last).to_have_text("Service level")
        await page.clock.run_for(10_000)
        assert await names(page) == ["care", "sales"]
        assert await page.evaluate("document.activeElement.textContent") == "sales"
        await page.clock.run_for(60_000)  # nobody is there any more
        await expect(page.locator(f"{TILES} h2").first).to_have_text("sales")


async def test_what_is_looked_for_and_not_there_is_said(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#queue=nobody") as page:
        nothing = page.locator("#nothing")
        await expect(nothing).to_contain_text("No queue matches: Queue: nobody.")
        await page.evaluate("location.hash = '#queue=sale'")
        await expect(nothing).to_contain_text("No queue matches: Queue: sale. Did you mean")
        await nothing.get_by_role("button", name="sales").click()
        await shown(page, 1)
        assert await page.evaluate("location.hash") == "#queue=sales"
        await page.evaluate("location.hash = '#site=Leeds&filter=x'")
        await expect(nothing).to_contain_text("No queue matches: Site: Leeds, Name contains “x”.")
        await nothing.get_by_role("button", name="Show all").click()
        await shown(page, 2)
        assert await page.evaluate("location.hash") == ""


async def test_the_description_is_shown_without_complaint(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/docs") as page:
        assert await page.locator("section").count() > 10


async def test_how_many_wait_past_their_target_is_on_each_tile_and_for_all_of_them(
    browser: Browser, served: Served
) -> None:
    for n in range(3):
        waiting(served.board, ("sales", "voice"), f"late-{n}", served.board.now - 60_000)
    async with opened(browser, served.url) as page:
        await shown(page, 2)
        late = "[data-kpi=backlog] .more"
        await expect(page.locator(f"{TILES}:has-text('sales') {late}")).to_have_text("3 past target")
        await expect(page.locator(f"#everyone {late}")).to_have_text("3 past target")
        await expect(page.locator(f"#everyone {late}")).to_be_visible()
        written = "[data-kpi=awaiting_reply] .more"
        await expect(page.locator(f"{TILES}:has-text('care') {written}")).to_have_text("")
