"""What a tile says: the numbers against their targets, where they go, how old they are, and what they mean."""

import re

import pytest
from playwright.async_api import Browser, expect

from stream_app.model.tally import pack_cell
from stream_app.model.targets import Targets
from stream_app.views.status import Status
from tests.services.browser import opened, texts
from tests.views.examples import NOON, busy_board, busy_cell, put
from tests.views.serving import Served

from .screen import TILES, figures, give_up, names, shown, ticking, worry

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = '<img src=x onerror="document.title=1">&amp;'


async def test_it_shows_the_numbers_against_their_targets(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        assert await figures(page, "sales") == [
            "Service level 88.9 % on target: target ≥ 80 % of 9",
            "Waiting 1 no target",
            "Oldest 12 s on target: target ≤ 2 min",
            "Abandoned 0 % on target: target ≤ 5 %",
            "First response 10 s on target: target ≤ 20 s",
            "Handle time 5:00 min on target: target ≤ 6 min",
        ]
        assert (await texts(page, "#age"))[0].startswith("Live")
        await expect(page.locator("#alarm")).to_be_hidden()
        await expect(page.locator("#summary")).to_have_text("2 queues: 0 missed, 0 just off")
        put(served.board, ("sales", "voice"), busy_cell() | {3: 0})
        await expect(page.locator(f"{TILES} .overall").first).to_have_text("missed")
        assert (await figures(page, "sales"))[0].startswith("Service level 0 % missed: target ≥ 80 %")


async def test_they_are_those_of_now(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#window=1h") as page:
        await shown(page, 2)
        for row in (await served.get("/v1/now"))[2]["rows"]:
            level = row["windows"]["1h"]["service_level"]
            first, waits, *_ = await figures(page, row["queue"])
            assert f" {level['value']:.1%} ".replace("%", " %") in first
            assert f"of {level['samples']}" in first
            assert f"Waiting {row['levels']['backlog']:.0f} " in waits


async def test_every_tile_says_where_it_goes_and_how_old_it_is(browser: Browser) -> None:
    board = busy_board()
    for n in range(1, 8):  # it was better an hour ago
        start = NOON - n * 900_000
        cell = busy_cell() | {3: 9 if n > 1 else 2}
        board.put_cells("t.0", 900_000, start, [(("sales", "voice"), pack_cell(cell))])
    async with ticking(Served(board)) as served, opened(browser, f"{served.url}/") as page:
        sales = page.locator(TILES, has_text="sales")
        trend = sales.locator("[data-place=first] .trend")
        await expect(trend).to_have_text("↘ worse")
        path = await trend.locator("path").get_attribute("d")
        assert path
        assert path.count("L") == 7
        await expect(sales.locator("[data-kpi=backlog] .trend")).to_have_text(
            re.compile("^[→↗↘] (steady|more|fewer)$")
        )
        await expect(page.locator(f"{TILES} .old").last).to_have_text(re.compile(r"^\d s old$"))
        assert all(old.endswith("s old") for old in await texts(page, f"{TILES} .old"))
        served.trust = Status(age_s=42, max_age_s=10)
        await expect(page.locator(f"{TILES} .old").first).to_contain_text("stale · 4")
        assert all(old.startswith("stale · 4") for old in await texts(page, f"{TILES} .old"))


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
        assert await page.locator(".figure[data-state=odd]").count() == 2
        await expect(page.locator("#summary")).to_have_text("2 queues: 0 missed, 0 just off, 2 too good")
        mark = "getComputedStyle(document.querySelector('.tile .state[data-state=odd]'), '::before').content"
        assert await page.evaluate(mark) == '"◆"'


async def test_names_are_text_whatever_they_hold(browser: Browser) -> None:
    board = busy_board([(EVIL, "voice")])
    give_up(board, EVIL, 60, 30, EVIL)
    worry(board, EVIL + "2", 1.2, 60, EVIL)
    async with ticking(Served(board)) as served, opened(browser, f"{served.url}/") as page:
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


async def test_who_is_at_risk_and_who_may_be_rung_back(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await expect(page.locator("#risk .none")).to_have_text("Nobody is at risk now.")
        await expect(page.locator("#ring .none")).to_have_text("Nobody gave up within the last hour.")
        for n in range(10):
            worry(served.board, f"risk-{n}", 1.2 + n / 10, 600)
            give_up(served.board, f"gone-{n}", 120 + 60 * n, 4 if n == 1 else 75)
        give_up(served.board, "elsewhere", 1, 30, "care")
        await expect(page.locator("#ring .count")).to_have_text("11", timeout=10_000)
        rows = await texts(page, "#ring tbody tr")
        assert rows[0].startswith("elsewhere care · voice 30 s ")
        assert rows[1].startswith("gone-0 sales · voice 1 min 2 min ago")
        assert "4 s, short" in rows[2]
        assert len(rows) == 8
        await expect(page.locator("#ring .none")).to_have_text("and 3 more")
        assert (await texts(page, "#risk tbody tr"))[0] == "risk-0 sales · voice 1.2 of 5 10 min"
        await page.locator("#filter").fill("care")
        await expect(page.locator("#ring .count")).to_have_text("1")
        await expect(page.locator("#risk .none")).to_have_text("Nobody is at risk now.")


async def test_every_number_is_explained(browser: Browser, served: Served) -> None:
    served.targets = Targets.of(
        {"queues": {"sales": {"policy": "answered_only", "site": "Leeds", "unit": "retail"}}}
    )
    kpis = {kpi["name"]: kpi for kpi in (await served.get("/v1/kpis"))[2]}
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        sales = page.locator(TILES, has_text="sales")
        await expect(sales.locator(".policy")).to_have_text("Service level: answered only")
        assert (
            await sales.locator("[data-place=first]").get_attribute("title") == "Service level: answered only"
        )
        await sales.locator(".name").click()
        (body,) = await texts(page, "#dialog-body")
        assert body.startswith("Service-level policy: answered only · worked at Leeds · for retail")
        for kpi in kpis.values():
            if kpi["headline"]:
                assert kpi["doc"] in body
                assert kpi["misleads"] in body
        assert kpis["handle_time"]["formula"] in body
        assert "Read beside it Abandonment rate 0 %, Oldest waiting 12 s" in body
        assert f"Read beside it {kpis['csat']['title']}, {kpis['transfer']['title']}" in body
        assert re.search(r"50 % in 3\d s, 90 % in 3:55 min, 95 % in 3:55 min", body)
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.textContent") == "sales"
        await page.locator("#dictionary").click()
        (body,) = await texts(page, "#dialog-body")
        assert all(kpi["formula"] in body for kpi in kpis.values() if kpi["headline"])
        for path in ("/docs", "/v1/kpis"):
            assert await page.locator(f'footer a[href="{path}"]').count() == 1
            assert (await served.get(path))[0] == 200


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
            await another.get_by_text("Show all").click()
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
        await expect(page.locator(f"{TILES} .overall").last).to_have_text("missed")
        await page.clock.run_for(10_000)
        assert await names(page) == ["care", "sales"]
        assert await page.evaluate("document.activeElement.textContent") == "sales"
        await page.clock.run_for(60_000)  # nobody is there any more
        await expect(page.locator(f"{TILES} h2").first).to_have_text("sales")


async def test_what_is_looked_for_and_not_there_is_said(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#queue=nobody") as page:
        await expect(page.locator("#nothing")).to_have_text(
            "No queue is called so, or is in what was chosen."
        )


async def test_the_description_is_shown_without_complaint(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/docs") as page:
        assert await page.locator("section").count() > 10
