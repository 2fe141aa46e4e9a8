"""What is behind a number: explained, and as alive or as stale as the tile."""

import re
from collections.abc import Collection
from pathlib import Path

import pytest
from msgspec import structs
from playwright.async_api import Browser, expect

from stream_app.ledger.columns import TABLES
from stream_app.ledger.kpis import FAMILIES
from stream_app.ledger.kpis.explaining import explain_ledger
from stream_app.ledger.querying import LedgerQueries
from stream_app.ledger.reading import OpenedLedger
from stream_app.model.durations import DAY
from stream_app.model.ledger_numbers import (
    FamilySums,
    HistoryQuery,
    KpiHistory,
    LatestNumbers,
    LedgerNumbers,
    LedgerWindow,
    SumsKey,
    WindowSums,
)
from stream_app.model.targets import Targets
from stream_app.model.why import LedgerWhyQuery, Why, WhyQuery
from stream_app.views.contacts.api import ContactSource
from stream_app.views.screen import Screen
from stream_app.views.status import Status
from tests.ledger.streams_of_customers import T0
from tests.ledger.test_asking_for_numbers import written
from tests.ledger.test_figures_of_numbers import call, lines_of
from tests.services.browser import opened, texts
from tests.views.examples import FRESH, NOON, put, waiting
from tests.views.intervals.kept import Kept, stretch
from tests.views.serving import Served

from .screen import TILES, busy_board, busy_cell, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
        await expect(page.locator("#dialog-body")).to_contain_text("Customer satisfaction 100 %")
        (body,) = await texts(page, "#dialog-body")
        assert body.startswith(
            "Service-level policy: answered only · handled at Leeds · for retail on target "
        )
        assert "Waiting past target 0 Offered 20 Answered 18 Abandoned 2 (2 of them short)" in body
        state = await page.locator("#dialog .overall").bounding_box()
        assert state
        assert state["height"] > 12
        for kpi in kpis.values():
            if kpi["headline"]:
                assert kpi["doc"] in body
                assert kpi["misleads"] in body
        assert kpis["handle_time"]["formula"] in body
        assert "See also Abandoned 0 %, Longest wait 12 s" in body
        assert f"See also {kpis['csat']['title']} " in body
        assert re.search(r"50 % in 3\d s, 90 % in 3:55 min, 95 % in 3:55 min", body)
        await page.keyboard.press("Escape")
        assert await page.evaluate("document.activeElement.textContent") == "sales"
        await page.locator("#dictionary").click()
        (body,) = await texts(page, "#dialog-body")
        assert all(kpi["formula"] in body for kpi in kpis.values() if kpi["headline"])
        assert await page.locator('footer a[href="/docs"]').count() == 1
        assert (await served.get("/docs"))[0] == 200


async def test_details_go_with_the_stream_and_say_what_they_are_of(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/#window=15m") as page:
        await shown(page, 2)
        await page.locator(".name", has_text="sales").click()
        when = page.locator("#dialog .when")
        await expect(when).to_have_text(re.compile(r"^Last 15 min · \d s old$"))
        waits = page.locator("#dialog .now", has_text="no target").locator("strong")
        await expect(waits).to_have_text("1")
        for n in range(4):
            waiting(served.board, ("sales", "voice"), f"more-{n}", served.board.now - 1_000)
        await expect(waits).to_have_text("5")
        served.trust = Status(age_s=42, max_age_s=10)
        await expect(when).to_have_text(re.compile(r"^Last 15 min · stale · 4\d s old$"))
        struck = "n => getComputedStyle(n).textDecorationLine"
        assert await waits.evaluate(struck) == "line-through"
        assert await page.locator("#dialog .live").first.evaluate(struck) == "line-through"
        served.trust = FRESH
        await expect(when).to_have_text(re.compile(r"^Last 15 min · \d s old$"))
        assert await waits.evaluate(struck) == "none"


async def test_details_have_the_formula_of_the_policy_and_the_values_beside(
    browser: Browser, served: Served
) -> None:
    served.targets = Targets.of({"queues": {"sales": {"policy": "answered_only"}}})
    put(served.board, ("sales", "voice"), busy_cell())
    asked: list[str] = []
    async with opened(browser, served.url) as page:
        page.on("request", lambda request: asked.append(request.url))
        await shown(page, 2)
        await page.locator(".name", has_text="sales").click()
        body = page.locator("#dialog-body")
        await expect(body).to_contain_text("answered in target / answered")
        now = (await served.get("/v1/now?queue=sales&window=30m"))[2]["rows"][0]
        transfer = now["windows"]["30m"]["transfer"]["value"]
        await expect(body).to_contain_text(f"Transfer rate {transfer * 100:.1f} %")
        csat = now["windows"]["30m"]["csat"]["value"]
        assert csat is not None
        (text,) = await texts(page, "#dialog-body")
        assert re.search(r"See also [^.]*\d[^.]*, Transfer rate", text)
        assert len([url for url in asked if "/v1/now" in url]) == 1
        (url,) = [url for url in asked if "/v1/now" in url]
        assert "queue=sales&channel=voice&window=30m&kpi=" in url
        assert "kpi=service_level&" not in url


async def test_the_dictionary_is_for_people(browser: Browser, served: Served) -> None:
    async with opened(browser, served.url) as page:
        await shown(page, 2)
        assert await page.locator('a[href^="/v1/"]').count() == 0
        assert (await texts(page, "footer a")) == ["People", "Plan", "API"]
        (legend,) = await texts(page, ".legend")
        assert "too low, too high" in legend
        assert "closed" in legend
        await page.get_by_role("button", name="Dictionary").click()
        await expect(page.locator("#dialog-name")).to_have_text("What the numbers mean")
        (body,) = await texts(page, "#dialog-body")
        kpis = (await served.get("/v1/kpis"))[2]
        assert all(" ".join(kpi["doc"].split()) in body for kpi in kpis)
        await page.keyboard.press("Escape")
        for opener in (page.locator("#help-open"), page.locator(f"{TILES} .name").first):
            await opener.click()
            await page.locator("#dialog").get_by_role("button", name="Dictionary").click()
            await expect(page.locator("#dialog-name")).to_have_text("What the numbers mean")
            await page.keyboard.press("Escape")


async def test_today_stands_beside_a_week_ago_until_the_same_time(browser: Browser) -> None:
    day, quarter = 86_400_000, 900_000
    midnight = NOON - day // 2
    today = [structs.replace(row, offered=10) for row in stretch(midnight, NOON, "sales", "voice")]
    before = [
        structs.replace(row, offered=7)
        for row in stretch(midnight - 7 * day, NOON - 6 * day, "sales", "voice")
    ]
    served = Served(busy_board(), Kept([*today, *before, *stretch(midnight, NOON - quarter, "care", "chat")]))
    async with ticking(served), opened(browser, "about:blank", timezone_id="UTC") as page:
        await page.clock.set_fixed_time("2025-12-31T12:03:00Z")
        await page.goto(f"{served.url}/#details=sales&details=voice")
        week = page.locator("#dialog .week")
        await expect(week.locator(".lead")).to_have_text("Since midnight until 12:00, beside a week ago:")
        rows = await texts(page, "#dialog .week tbody tr")
        assert rows[0].startswith("Today 480 ")
        assert rows[1].startswith("A week ago 336 ")
        await page.keyboard.press("Escape")
        await page.locator(".name", has_text="care").click()  # a row is missing today, and all a week ago
        await expect(page.locator("#dialog .now").first).to_be_visible()
        await expect(week).to_have_text("Today beside a week ago: not known.")


async def test_where_nobody_waits_no_number_beside_another_says_zero(
    browser: Browser, served: Served
) -> None:
    for contact in ("c0", "c1"):
        served.board.put_visits("t.0", contact, [])
    async with opened(browser, served.url) as page:
        await page.locator(".name", has_text="sales").click()
        await expect(page.locator("#dialog-body")).to_contain_text("Abandoned 0 %, Longest wait –")  # noqa: RUF001 - a dash


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "de"])
async def test_no_word_of_the_help_is_cut_off(
    browser: Browser, served: Served, language: str, width: int
) -> None:
    async with opened(browser, f"{served.url}/#lang={language}", width=width) as page:
        await shown(page, 2)
        await page.keyboard.press("?")
        await expect(page.locator("#dialog .marks")).to_be_visible()
        assert await page.locator("#dialog-body").evaluate("n => n.scrollWidth - n.clientWidth") == 0


class OfLedger:
    """KPIs of the ledger that are always the same."""

    def latest(self) -> LatestNumbers:
        resolved = {"first_contacts": 200, "resolved": 150}
        families = {
            name: FamilySums(
                FAMILIES[name].sums,
                [
                    (
                        SumsKey("sales", "voice", None, None),
                        tuple(counted.get(one, 0) for one in FAMILIES[name].sums),
                    )
                ],
            )
            for name, counted in (
                ("journeys", resolved),
                ("resolved_cases", {"timed": 2, "first_ms": 14_400_000}),
            )
        }
        window = WindowSums(NOON - 604_800_000, NOON, families, [(NOON - 604_800_000, NOON - 500_000_000)])
        return LatestNumbers(LedgerNumbers(NOON, NOON, {"7d": window}), False)

    async def ask(
        self, window: LedgerWindow, group: str, families: Collection[str], targets: Targets
    ) -> LedgerNumbers:
        raise NotImplementedError(window, group, families, targets)

    async def history(self, query: HistoryQuery, targets: Targets) -> KpiHistory:
        raise NotImplementedError(query, targets)


class OfCalls:
    """Explains KPIs of the ledger by four customers' calls, of whom one calls again."""

    def __init__(self, folder: Path) -> None:
        begun = NOON - 3 * DAY - T0
        places = {"queue": "sales", "channel": "voice"}
        told = [one for n in range(4) for one in call(begun + n, f"first-{n}", f"u{n}", **places)]
        lines = lines_of([*told, *call(begun + DAY, "again", "u0", **places)])
        _, self._coverage, self._paths = written(lines, folder, alike=True)

    async def why(self, query: WhyQuery | LedgerWhyQuery, targets: Targets) -> Why:
        assert isinstance(query, LedgerWhyQuery)
        queries = LedgerQueries([self._coverage], self._paths, TABLES)
        ledger = OpenedLedger(queries, [self._coverage], [], {})
        return await explain_ledger(ledger, query, targets, NOON)


async def test_what_needs_more_than_today_opens_into_what_makes_it(browser: Browser, tmp_path: Path) -> None:
    """By a click, and at an address, as dashboards have it."""
    contacts = ContactSource(kpis=OfLedger(), whys=OfCalls(tmp_path))
    screen = Screen(contact_url="https://platform.example/{contact_id}")
    served = Served(busy_board(), Kept([]), contacts=contacts, screen=screen)
    asked = ("first_contact_resolution", "", "", "28d", "", "by_repeat", "yes")
    async with ticking(served):
        async with opened(browser, f"{served.url}/#details=sales&details=voice") as page:
            body = page.locator("#dialog-body")
            await body.get_by_role("button", name="75.0 %").click()
            await expect(body.locator(".now")).to_have_text("75.0 % = 3 / 4")
            await expect(body).to_contain_text("first contacts that were enough3")
            await expect(body).to_contain_text("handled within the repeat window before it1")
            await expect(body.locator("tbody tr")).to_have_count(5)
            first = body.locator("tbody tr", has_text="first-0")
            assert await first.locator("a").get_attribute("href") == "https://platform.example/first-0"
            await expect(first).to_contain_text("first-0 · u0")
            await expect(first).to_contain_text("0 / 1")
            await expect(page).to_have_url(
                re.compile("why=first_contact_resolution&why=sales&why=voice&why=7d$")
            )
        address = "&".join(f"why={one}" for one in asked)
        async with opened(browser, f"{served.url}/#{address}") as page:
            body = page.locator("#dialog-body")
            await expect(body.locator(".now")).to_contain_text(" = 0 / 0")
            await expect(body).to_contain_text("What is told in time may still change it4")


async def test_details_have_what_needs_more_than_today(browser: Browser) -> None:
    served = Served(busy_board(), Kept([]), contacts=ContactSource(kpis=OfLedger()))
    async with ticking(served), opened(browser, f"{served.url}/#details=sales&details=voice") as page:
        body = page.locator("#dialog-body")
        await expect(body).to_contain_text("First contact resolution, 7 days75.0 % · 200 · partly unknown")
        await expect(body).to_contain_text("Time to resolve, 7 days2:00 h · 2 · partly unknown")
