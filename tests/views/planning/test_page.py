"""``/plan`` in a real browser: it says what the interface says, to everybody, and when there is nothing to say."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from stream_app.model.targets import Targets
from stream_app.views.status import Status
from tests.commands.plans import SETTINGS, TODAY, World, mailbox, served
from tests.services.browser import opened, texts, violations
from tests.services.process import until
from tests.views.examples import FRESH

pytestmark = pytest.mark.asyncio(loop_scope="session")

DASH = "–"  # noqa: RUF001 - no data, and no minus
SALES_ADDRESS = "/plan#queue=sales&channel=voice"


async def there(page: Page) -> None:
    await expect(page.locator("#contacts .chart svg")).to_be_visible(timeout=30_000)


def decimal(value: float | None) -> str:
    """One decimal, as a browser rounds: what is exactly between goes up."""
    return DASH if value is None else str(Decimal(value).quantize(Decimal("0.1"), ROUND_HALF_UP))


def plain(value: float | None) -> str:
    return DASH if value is None else f"{value:g}"


def gap(value: float | None) -> str:
    if value is None:
        return DASH
    sign = "+" if value > 0 else "−" if value < 0 else ""  # noqa: RUF001 - a real minus
    return f"{'▼ ' if value < 0 else ''}{sign}{abs(value):g}"


async def said(world: World, day: str = "", days: int = 1, tz: str = "") -> list[list[str]]:
    """The day's table by the interface, in a person's words, by arithmetic of our own."""
    zone = f"&tz={tz}" if tz else ""
    _, _, staffing = await world.served.get(
        f"/v1/staffing?queue=sales{zone}" + (f"&date={day}" if day else "")
    )
    _, _, forecast = await world.served.get(f"/v1/forecast?queue=sales&days={days}{zone}")
    by_start = {row["start"]: row for row in forecast["rows"]}
    nothing: dict[str, Any] = {}
    table = []
    for row in staffing["rows"]:
        thought = by_start.get(row["start"], nothing)

        def within(percent: int, thought: dict[str, Any] = thought) -> str:
            low, high = thought.get(f"low_{percent}"), thought.get(f"high_{percent}")
            return DASH if low is None else f"{low} to {high}"

        table.append(
            [
                row["start"][11:16],
                decimal(thought.get("offered")),
                within(80),
                within(95),
                plain(thought.get("actual")),
                decimal(thought.get("reforecast")),
                plain(row["required"]),
                plain(row["staffed"]),
                gap(row["gap"]),
            ]
        )
    return table


async def shown(page: Page) -> list[list[str]]:
    """What stands in the table, without the columns that are rounded for people."""
    rows: list[list[str]] = await page.locator("#numbers tbody tr").evaluate_all(
        "all => all.map(line => [...line.cells].map(cell => cell.textContent))"
    )
    return [[*row[:6], *row[7:10]] for row in rows]


async def test_the_table_says_what_the_interface_says(browser: Browser, world: World) -> None:
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        expected = await said(world)

        async def is_shown() -> bool:
            return bool(await shown(page) == expected)

        await until(is_shown, 30, "the table says what the interface says")
        heads = await texts(page, "#numbers thead th")
        assert [heads[n] for n in (0, 1, 4, 5, 7, 8, 9)] == [
            "Time", "Forecast", "Actual", "Reforecast", "Required", "Scheduled", "Gap"
        ]  # fmt: skip
        await expect(page.locator("#subject")).to_have_text(
            "sales · voice, Tuesday 10 March 2026 (Europe/Berlin)"
        )
        assert await page.locator("#numbers td.few").count() > 5


async def test_who_gives_up_stands_beside_the_service_level(browser: Browser, world: World) -> None:
    _, _, staffing = await world.served.get("/v1/staffing?queue=sales")
    given_up = [row["abandonment"] for row in staffing["rows"]]
    assert any(given_up)
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        heads = await texts(page, "#numbers thead th")
        assert heads[10:] == ["Service level", "Abandoned", "Occupancy", "Binds"]
        cells = await texts(page, "#numbers tbody td:nth-child(12)")
        assert len(cells) == len(given_up)
        for cell, value in zip(cells, given_up, strict=True):
            if value is None:
                assert cell == DASH
            else:
                assert float(cell.removesuffix("%").strip()) == pytest.approx(100 * value, abs=0.06)


async def test_another_day_and_another_zone_stand_in_the_address(browser: Browser, world: World) -> None:
    tomorrow = str(TODAY + timedelta(days=1))
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        await page.locator("#after").click()
        await expect(page.locator("#date")).to_have_value(tomorrow)
        await expect(page.locator("#subject")).to_contain_text("11 March")
        assert await page.evaluate("location.hash") == f"#queue=sales&channel=voice&date={tomorrow}"
        expected = await said(world, tomorrow, days=2)
        assert await shown(page) == expected
        assert {row[4] for row in expected} == {DASH}  # nothing has come yet
        await page.locator("#tz").fill("America/New_York")
        await page.locator("#tz").press("Enter")
        await expect(page.locator("#subject")).to_contain_text("(America/New_York)")
        assert await shown(page) == await said(world, tomorrow, days=2, tz="America/New_York")
        await page.reload()
        await there(page)
        await expect(page.locator("#subject")).to_contain_text("11 March 2026 (America/New_York)")
        await page.locator("#today").click()
        await expect(page.locator("#subject")).to_contain_text("10 March 2026 (America/New_York)")
        assert await page.evaluate("location.hash") == "#queue=sales&channel=voice&tz=America%2FNew_York"


async def test_a_day_that_is_over_shows_what_came(browser: Browser, world: World) -> None:
    yesterday = str(TODAY - timedelta(days=1))
    async with opened(browser, f"{world.served.url}{SALES_ADDRESS}&date={yesterday}") as page:
        await there(page)
        _, _, staffing = await world.served.get(f"/v1/staffing?queue=sales&date={yesterday}")
        rows = await shown(page)
        assert [row[4] for row in rows] == [f"{row['offered']:g}" for row in staffing["rows"]]
        assert {row[1] for row in rows} == {DASH}


async def test_the_charts_are_drawn_from_the_same_numbers(browser: Browser, world: World) -> None:
    """The dots of what came stand where their numbers say, gaps have a hatched box each, and a mark that is no colour."""
    _, _, forecast = await world.served.get("/v1/forecast?queue=sales&days=1")
    _, _, staffing = await world.served.get("/v1/staffing?queue=sales")
    came = [row["actual"] for row in forecast["rows"] if row["actual"] is not None]
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        dots = await page.locator("#contacts .dot").evaluate_all("all => all.map(n => +n.getAttribute('cy'))")
        labels = await page.locator("#contacts svg text[text-anchor=end]").evaluate_all(
            "all => all.map(n => [+n.textContent, +n.getAttribute('y') - 4])"
        )
        (low, bottom), _, (high, top) = labels
        assert low == 0
        assert [round(low + (bottom - y) / (bottom - top) * (high - low), 3) for y in dots] == came
        short = [row for row in staffing["rows"] if (row["gap"] or 0) < 0]
        assert await page.locator("#people .lacking").count() == len(short) > 5
        marks = await texts(page, "#people .legend .gap")
        assert marks == ["▼ understaffed"]
        assert 1 <= await page.locator("#people text.few").count() <= len(short)


async def test_charts_that_have_no_room_are_drawn_without_complaint(browser: Browser, world: World) -> None:
    """While a problem is shown, the charts are hidden; ``opened`` fails if the browser refuses a width below 0."""
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        assert await page.locator("#people .lacking").count()
        await page.evaluate("document.querySelector('#people').style.display = 'none'")
        await expect(page.locator("#people svg")).to_have_attribute("viewBox", re.compile(r"0 0 \d\d \d+"))
        assert await page.locator("#people .lacking").evaluate_all(
            "all => all.length > 0 && all.every(box => box.getAttribute('width') > 0)"
        )


async def test_a_time_can_be_pointed_at_and_reached_by_keys(browser: Browser, world: World) -> None:
    _, _, forecast = await world.served.get("/v1/forecast?queue=sales&days=1")
    _, _, staffing = await world.served.get("/v1/staffing?queue=sales")
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        chart = page.locator("#contacts .chart")
        await chart.focus()
        await page.keyboard.press("Home")
        for _ in range(40):
            await page.keyboard.press("ArrowRight")
        row, line = forecast["rows"][40], staffing["rows"][40]
        await expect(page.locator("#contacts .readout")).to_have_text(
            f"10:00: forecast {decimal(row['offered'])} · 80 % {row['low_80']} to {row['high_80']} · "
            f"95 % {row['low_95']} to {row['high_95']} · actual {row['actual']}"
        )
        await expect(page.locator("#people .readout")).to_contain_text(
            f"10:00: required {line['required']} · scheduled {line['staffed']:g} · "
        )
        await expect(page.locator("#numbers tr.at th")).to_have_text("10:00")
        await page.keyboard.press("End")
        await expect(page.locator("#numbers tr.at th")).to_have_text("23:45")
        box = await page.locator("#people .chart").bounding_box()
        assert box
        await page.mouse.move(box["x"] + 34 + (box["width"] - 42) * 70.5 / 96, box["y"] + 40)
        await expect(page.locator("#people .readout")).to_contain_text("17:30: required")
        await expect(page.locator("#people .readout")).to_contain_text("short")


async def test_what_it_rests_on_says_how_little_the_back_test_is(browser: Browser, world: World) -> None:
    _, _, forecast = await world.served.get("/v1/forecast?queue=sales&days=1")
    test = forecast["backtest"]
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        await expect(page.locator("#basis")).to_contain_text(
            f"; from {test['origins']} origins, up to {test['weeks']} weeks ahead, {test['intervals']:,} intervals"
        )


async def test_a_queue_that_is_too_young_says_how_many_days_are_needed(
    browser: Browser, world: World
) -> None:
    async with opened(browser, f"{world.served.url}/plan", refused=True) as page:  # care is the first by name
        await expect(page.locator("#problem")).to_have_text(
            "No forecast yet: 26 more days of history needed (10 days so far)."
        )
        assert await page.evaluate("location.hash") == "#queue=care&channel=chat"
        await page.locator("#place").select_option(label="sales · voice")
        await there(page)
        await expect(page.locator("#problem")).to_be_hidden()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "queue=sales&channel=voice&tz=Europe/Berln",
            "unknown tz 'Europe/Berln'; did you mean 'Europe/Berlin'?",
        ),
        ("queue=saels&channel=voice", "unknown queue 'saels'; did you mean 'sales'?"),
        (
            "queue=sales&channel=voice&date=2031-01-01",
            "expected a date from 2026-02-10 to 2026-04-20, got 2031-01-01",
        ),
    ],
)
async def test_what_can_not_be_answered_is_said(
    browser: Browser, world: World, address: str, words: str
) -> None:
    async with opened(browser, f"{world.served.url}/plan#{address}", refused=True) as page:
        await expect(page.locator("#problem")).to_contain_text(words)


async def test_what_is_wrong_in_the_address_is_corrected_and_said(browser: Browser, world: World) -> None:
    async with opened(browser, f"{world.served.url}{SALES_ADDRESS}&date=soon&colour=red&theme=dark") as page:
        await there(page)
        await expect(page.locator("#notice")).to_have_text(
            "The address had unknown values, now corrected: colour, date=soon."
        )
        assert await page.evaluate("location.hash") == "#queue=sales&channel=voice&theme=dark"


async def test_stale_numbers_look_stale_and_recover(browser: Browser, world: World) -> None:
    async with opened(browser, world.served.url + SALES_ADDRESS, bypass_csp=True) as page:
        await there(page)
        await expect(page.locator("#alarm")).to_be_hidden()
        world.served.trust = Status(age_s=42, max_age_s=10)
        try:
            await expect(page.locator("#alarm")).to_contain_text("the numbers stopped at")
            await expect(page.locator("body")).to_have_class("plan stale")
            assert "⚠" in await page.title()
            assert await violations(page) == []
        finally:
            world.served.trust = FRESH
        await expect(page.locator("#alarm")).to_be_hidden()
        await expect(page.locator("body")).to_have_class("plan")


async def test_new_settings_show_by_themselves(browser: Browser, world: World) -> None:
    """The page asks again when somebody looks at it again."""
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        before = await shown(page)
        world.targets = Targets.of(
            {"defaults": {"zone": "Europe/Berlin", "answer_target_s": 3, "short_abandon_s": 2}}
        )
        try:
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            await expect(page.locator("#basis")).to_contain_text("in 3 s")
            after = await shown(page)
        finally:
            world.targets = SETTINGS
        assert [row[1] for row in after] == [row[1] for row in before]
        assert [row[6] for row in after] != [row[6] for row in before]


async def test_the_day_is_totalled_and_says_what_binds(browser: Browser, world: World) -> None:
    _, _, staffing = await world.served.get("/v1/staffing?queue=sales")
    rows = staffing["rows"]
    hours = sum(row["required"] for row in rows) / 4
    short = -sum(row["gap"] for row in rows if row["gap"] < 0) / 4
    top = max(rows, key=lambda row: row["required"])
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        await expect(page.locator("#total")).to_have_text(
            f"Day: {decimal(hours)} agent hours required · peak {top['required']} at {top['start'][11:16]} · "
            f"{decimal(sum(row['staffed'] for row in rows) / 4)} scheduled · {decimal(short)} hours short."
        )
        binds = await texts(page, "#numbers tbody td:last-child")
        assert binds == [DASH if row["binds"] is None else row["binds"].replace("_", " ") for row in rows]
        assert {"service level", "abandonment"} & set(binds)


async def test_it_says_which_share_of_the_handle_time_is_estimated(browser: Browser, world: World) -> None:
    said_ = (
        "50.0 % of the handle time is estimated from replies: "
        "where mail waits for hours before anyone starts on it, that may be "
        "67.0 % too high, and so may the agents required."
    )
    async with (
        served(mailbox(0.5)) as post,
        opened(browser, f"{post.served.url}/plan#queue=post&channel=email") as page,
    ):
        await there(page)
        await expect(page.locator("#doubts")).to_have_text(said_)
        await expect(page.locator("#week .caveat")).to_contain_text(said_)
        assert await violations(page) == []
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        await expect(page.locator("#total")).to_contain_text("agent hours required")
        await expect(page.locator("#doubts")).to_be_hidden()


async def test_the_week_and_its_gaps_lead_to_their_days(browser: Browser, world: World) -> None:
    _, _, outlook = await world.served.get("/v1/plan?queue=sales&channel=voice")
    [own] = outlook["queues"]
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        await expect(page.locator("#week tbody tr")).to_have_count(len(own["days"]) + 1)  # asked for last
        cells = await page.locator("#week tbody tr").evaluate_all(
            "all => all.map(line => [...line.cells].map(cell => cell.textContent))"
        )
        *days, total = cells
        assert [row[1] for row in days] == [f"{round(day['offered']):,}" for day in own["days"]]
        assert [row[2] for row in days] == [decimal(day["hours"]) for day in own["days"]]
        week = sum(day["hours"] for day in own["days"])
        assert total[0] == f"7 days · {decimal(week / 40)} FTE"
        assert total[2] == decimal(week)
        assert total[5] == DASH  # the schedule covers today only
        await expect(page.locator("#week .caveat")).to_contain_text("gaps elsewhere are unknown")
        ahead = [gap for gap in own["gaps"] if gap["end"] > outlook["at"]]
        assert await page.locator("#gaps tbody tr").count() == len(ahead) > 0
        first = ahead[0]
        await expect(page.locator("#gaps tbody tr").first).to_contain_text(
            f"▼ {first['short']:g} at {first['worst_at'][11:16]}"
        )
        await page.locator("#week tbody a").nth(1).click()
        await expect(page.locator("#subject")).to_contain_text("11 March")
        assert "date=2026-03-11" in await page.evaluate("location.hash")


async def test_the_gaps_of_all_queues_are_in_the_address(browser: Browser, world: World) -> None:
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        await page.locator("#every").check()
        await expect(page.locator("#gaps .caveat")).to_contain_text("No plan for care · chat: ")
        assert "gaps=all" in await page.evaluate("location.hash")
        await page.reload()
        await expect(page.locator("#gaps .caveat")).to_contain_text("No plan for care · chat: ")
        await expect(page.locator("#every")).to_be_checked()


async def test_a_closed_hour_is_said_to_be_closed(browser: Browser, world: World) -> None:
    office = {"office": {"hours": {"mon-fri": ["10:00-18:00"]}}}
    defaults = {"zone": "Europe/Berlin", "calendar": "office", "shrinkage": 0.1}
    world.targets = Targets.of({"defaults": defaults, "calendars": office})
    try:
        async with opened(browser, world.served.url + SALES_ADDRESS) as page:
            await there(page)
            rows = await page.locator("#numbers tbody tr").evaluate_all(
                "all => all.map(line => [...line.cells].map(cell => cell.textContent))"
            )
            closed = [row for row in rows if row[-1] == "closed"]
            assert {row[0] for row in closed} == {
                f"{h:02}:{m:02}" for h in (*range(10), *range(18, 24)) for m in (0, 15, 30, 45)
            }
            assert {row[7] for row in closed} == {"0"}
            await expect(page.locator("#basis")).to_contain_text("shrinkage 10")
            await expect(page.locator("#week .caveat")).to_contain_text(
                "contacts are outside business hours: nobody is planned for them."
            )
    finally:
        world.targets = SETTINGS


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
async def test_axe_finds_nothing(browser: Browser, world: World, theme: str, width: int) -> None:
    for address in (f"{SALES_ADDRESS}&theme={theme}", f"/plan#queue=care&channel=chat&theme={theme}"):
        async with opened(
            browser, world.served.url + address, width=width, bypass_csp=True, refused=True
        ) as page:
            await expect(page.locator("#basis, #problem").locator("visible=true")).to_have_count(1)
            assert await violations(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_it_can_be_used_with_keys_alone(browser: Browser, world: World) -> None:
    async with opened(browser, world.served.url + SALES_ADDRESS) as page:
        await there(page)
        met: list[str] = []
        for _ in range(60):
            await page.keyboard.press("Tab")
            found = await page.evaluate(
                """() => {
                  const node = document.activeElement, box = node.getBoundingClientRect();
                  return {id: node.id || node.className || node.textContent, body: node === document.body,
                    ring: getComputedStyle(node).outlineStyle, height: box.height, inline: node.matches("footer a")};
                }"""
            )
            if found["body"]:
                break
            met.append(found["id"])
            assert found["ring"] == "solid", found
            assert found["inline"] or found["height"] >= 24, found
        own = [
            "skip",
            "place",
            "before",
            "date",
            "after",
            "today",
            "tz",
            "theme",
            "button",
            "chart",
            "scroll",
        ]
        assert [name for name in dict.fromkeys(met) if name in own] == own
        assert met.count("chart") == 2


async def test_there_is_a_way_from_the_wallboard_and_back(browser: Browser, world: World) -> None:
    async with opened(browser, world.served.url, refused=True) as page:
        await page.get_by_role("link", name="Plan").click()
        await expect(page).to_have_url(f"{world.served.url}/plan#queue=care&channel=chat")
        await page.get_by_role("banner").get_by_role("link", name="Wallboard").click()
        await expect(page).to_have_url(f"{world.served.url}/")
