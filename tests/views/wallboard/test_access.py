"""Everybody can use it: WCAG 2.2 AA, keys alone, a screen reader, a phone."""

from itertools import product

import pytest
from playwright.async_api import Browser, Page, expect

from stream_app.model.events import LONGEST_NAME
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.targets import Targets
from stream_app.views.status import Status
from tests.services.browser import opened, texts, violations
from tests.views.examples import put, waiting
from tests.views.serving import Served

from .screen import TILES, busy_board, busy_cell, give_up, looked_over, many, shown, ticking, worry

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def calm(page: Page) -> None:
    """Animations would be measured half-way."""
    await page.wait_for_function("() => document.getAnimations().every(a => a.playState === 'finished')")


COVERING = {
    ("light", "desk", False, 3),
    ("dark", "desk", True, 30),
    ("light", "tv", True, 3),
    ("dark", "tv", False, 30),
    ("light", "table", False, 30),
    ("dark", "table", True, 3),
}
"""Every two of them together: view and theme, fresh or stale, tiles or dense rows. The other cases are long runs."""


def rest_is_long(*case: object) -> object:
    return pytest.param(*case, marks=() if case in COVERING else pytest.mark.chaos)


@pytest.mark.parametrize(
    ("theme", "view", "stale", "queues"),
    [
        rest_is_long(*case)
        for case in product(("light", "dark"), ("desk", "tv", "table"), (False, True), (3, 30))
    ],
)
async def test_axe_finds_nothing(browser: Browser, theme: str, view: str, stale: bool, queues: int) -> None:
    board = many(queues)
    give_up(board, "gone", 60, 30, "billing-00")
    worry(board, "risk", 1.2, 60, "billing-00")
    async with ticking(Served(board)) as served:
        address = f"{served.url}/#view={view}&theme={theme}&paused=yes&lists=on"
        async with opened(browser, address, width=1920, height=1080, bypass_csp=True) as page:
            if view == "table":
                await expect(page.locator("#table .row")).to_have_count(queues)
            else:
                await shown(page, queues)
            await expect(page.locator("#ring td.contact")).to_have_text("gone")
            if stale:
                served.trust = Status(age_s=42, max_age_s=10)
                await expect(page.locator("#alarm")).to_be_visible()
            await calm(page)
            assert await violations(page) == []
            if view == "tv" and not stale:
                for panel in ("risk", "ring"):
                    await page.keyboard.press("ArrowRight")
                    await expect(page.locator(f"#{panel}")).to_be_visible()
                    await calm(page)
                    assert await violations(page) == []


OPENERS = ("#help-open", "#choose", "#dictionary", f"{TILES} .name", "#ring .rest")


@pytest.mark.parametrize(
    ("theme", "opener"),
    [
        *(("light" if n % 2 else "dark", opener) for n, opener in enumerate(OPENERS)),
        *(
            pytest.param("dark" if n % 2 else "light", opener, marks=pytest.mark.chaos)
            for n, opener in enumerate(OPENERS)
        ),
    ],
)
async def test_axe_finds_nothing_in_dialogs_nor_on_a_phone(
    browser: Browser, served: Served, theme: str, opener: str
) -> None:
    for n in range(12):
        give_up(served.board, f"gone-{n}", 60 + n, 30)
    address = f"{served.url}/#theme={theme}"
    async with opened(browser, address, width=360, height=740, bypass_csp=True) as page:
        await shown(page, 2)
        await page.locator("#fold").click()
        await page.locator(opener).first.click()
        await expect(page.locator("#dialog")).to_be_visible()
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        assert await violations(page) == []


@pytest.mark.parametrize(
    ("theme", "view", "queues"), [("light", "desk", 3), ("dark", "tv", 3), ("light", "tv", 30)]
)
async def test_who_is_closed_is_said_in_a_word_that_can_be_read(
    browser: Browser, theme: str, view: str, queues: int
) -> None:
    served = Served(many(queues))
    served.targets = Targets.of(
        {
            "calendars": {"early": {"hours": {"mon-sun": ["01:00-02:00"]}}},
            "defaults": {"calendar": "early"},
        }
    )
    address = f"#view={view}&theme={theme}&paused=yes&wrong=1"
    async with (
        ticking(served),
        opened(browser, f"{served.url}/{address}", width=1920, height=1080, bypass_csp=True) as page,
    ):
        await shown(page, queues)
        await expect(page.locator("#notice")).to_be_visible()
        await calm(page)
        assert await violations(page) == []
        assert (await looked_over(page))[2] == []
        assert {text.partition("·")[0].strip() for text in await texts(page, f"{TILES} .overall")} == {
            "closed"
        }


@pytest.mark.parametrize("view", ["desk", "tv"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
async def test_it_can_be_used_with_keys_alone_and_what_has_the_focus_is_seen(
    browser: Browser, view: str, width: int, height: int
) -> None:
    """Every control is reached in the order of the page, stands in view with a ring around it, and is large enough."""
    board = many(9)
    async with ticking(Served(board)) as served:
        served.trust = Status(age_s=42, max_age_s=10)  # with the alarm there is less room
        address = f"{served.url}/#view={view}&paused=yes"
        async with opened(browser, address, width=width, height=height) as page:
            await shown(page)
            await expect(page.locator("#alarm")).to_be_visible()
            if view == "desk" and width < 640:
                await page.evaluate("document.getElementById('fold').click()")  # keys begin at the top
            met: list[str] = []
            for _ in range(60):
                await page.keyboard.press("Tab")
                found = await page.evaluate(
                    """() => {
                      const node = document.activeElement, radio = node.type === "radio";
                      const box = (radio ? node.parentElement : node).getBoundingClientRect();
                      const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                      return {
                        id: node.id || node.name || node.className || node.textContent, width: box.width, height: box.height,
                        ring: getComputedStyle(radio ? node.parentElement : node).outlineStyle, body: node === document.body,
                        seen: node === at || node.contains(at) || (radio && node.parentElement.contains(at)),
                        inline: node.matches("p > a, footer a"),
                      };
                    }"""
                )
                if found["body"] or (met and found["id"] == "skip"):
                    break
                met.append(found["id"])
                assert found["seen"], f"{found['id']} is obscured"
                assert found["ring"] == "solid", f"{found['id']} has no ring"
                assert found["inline"] or min(found["width"], found["height"]) >= 24, found
            assert met[0] == "skip"
            tiles = await page.locator(TILES).count()
            assert met.count("name") == tiles
            own = (
                ["window", "order", "filter", "choose", "rows", "sound"]
                if view == "desk"
                else ["back", "pause", "next"]
            )
            assert [name for name in met if name in own] == own
            assert {"view", "theme", "help-open"} <= set(met)


async def test_everything_has_a_name_for_those_who_listen(browser: Browser, served: Served) -> None:
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        for name in ("Find", "Queue or channel"):
            assert await page.get_by_label(name).count() <= 1
        await expect(page.get_by_role("list", name="Queues").get_by_role("listitem")).to_have_count(2)
        await expect(page.get_by_role("searchbox", name="Queue or channel")).to_be_visible()
        await expect(page.get_by_role("group", name="Window")).to_be_visible()
        await expect(page.get_by_role("heading", name="sales")).to_be_visible()
        hidden = await page.locator("svg:not([aria-hidden=true])").count()
        assert hidden == 0


async def test_live_regions_are_polite_and_say_little(browser: Browser, served: Served) -> None:
    """Numbers that change are not read out; that they can't be relied on is, once, and that they can again."""
    async with opened(browser, f"{served.url}/") as page:
        await shown(page, 2)
        live = "[...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')].map(n => [n.id, n.role])"
        assert await page.evaluate(live) == [["said", "status"], ["taken-said", "status"]]
        await page.evaluate(
            "window.said = []; new MutationObserver(() => said.push(document.getElementById('said').textContent))"
            ".observe(document.getElementById('said'), {childList: true, characterData: true, subtree: true})"
        )
        for n in range(12):
            waiting(served.board, ("sales", "voice"), f"w{n}", served.board.now - 1_000 * n)
            await expect(page.locator(f"{TILES} [data-kpi=backlog] .value").last).to_have_text(str(n + 2))
        served.trust = Status(age_s=42, max_age_s=10)
        await expect(page.locator("#alarm")).to_be_visible()
        served.trust = Status(age_s=0.4, max_age_s=10)
        await expect(page.locator("#alarm")).to_be_hidden()
        said = await page.evaluate("window.said")
        assert said[-2].startswith("Don’t rely on this page: the numbers stopped at ")  # noqa: RUF001 - typography
        assert said[-1] == "The numbers are live again."
        assert len(said) <= 3


async def resized(page: Page, width: int, height: int) -> None:
    """As if somebody dragged the window; it is drawn anew."""
    await page.set_viewport_size({"width": width, "height": height})
    await page.wait_for_function("width => innerWidth === width", arg=width)
    await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def test_no_text_at_a_desk_stands_over_another(browser: Browser) -> None:
    """The screen is as high as a screen can't be, so that all tiles are in view."""
    async with (
        ticking(Served(many(14))) as served,
        opened(browser, served.url, width=320, height=9_000) as page,
    ):
        await shown(page, 14)
        await expect(page.locator(f"{TILES} [data-kpi=handle_time] .way").first).not_to_have_text("")
        await expect(page.locator(f"{TILES} [data-kpi=backlog] .way").first).not_to_have_text("")
        for width in (320, 390, 768, 1024, 1280, 1440, 1920):
            await resized(page, width, 9_000)
            assert (await looked_over(page))[2] == [], width


@pytest.mark.parametrize("view", ["desk", "tv"])
async def test_it_fits_every_screen(browser: Browser, view: str) -> None:
    longest = "q" * LONGEST_NAME
    board = busy_board(
        [("a-queue-with-a-name-as-long-as-some-people-like-them-to-be-in-life", "voice"), (longest, "voice")]
    )
    give_up(board, "another", 60, 30, longest)
    waiting(board, ("sales", "chat"), "old", board.now - 40 * 3_600_000)
    give_up(board, "a-contact-id-as-long-as-some-platforms-have-them-0123456789", 60, 30)
    async with ticking(Served(board)) as served, opened(browser, f"{served.url}/#view={view}") as page:
        await shown(page)
        for width in (320, 360, 390, 768, 1920):
            await resized(page, width, 900)
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            spilled = (
                "[...document.querySelectorAll('.figure > *, .head > *, td')].filter(n => n.checkVisibility() && "
                "n.getBoundingClientRect().right > n.closest('.tile, .panel').getBoundingClientRect().right + 1).length"
            )
            assert await page.evaluate(spilled) == 0, width


async def test_on_a_phone_the_controls_are_behind_one_button(browser: Browser, served: Served) -> None:
    async with opened(browser, served.url, width=390, height=844) as page:
        await shown(page, 2)
        fold = page.get_by_role("button", name="Filter & view")
        await expect(fold).to_have_attribute("aria-expanded", "false")
        await expect(page.locator("#filter")).to_be_hidden()
        assert await page.evaluate("document.getElementById('top').offsetHeight") < 0.12 * 844
        await fold.click()
        await expect(fold).to_have_attribute("aria-expanded", "true")
        for control in ("#filter", "#choose", "#view", "#theme", "#help-open"):
            await expect(page.locator(control)).to_be_visible()
        await fold.click()
        await expect(page.locator("#filter")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 360, 390])
async def test_no_target_breaks_inside(browser: Browser, width: int) -> None:
    board = busy_board([("email", "email"), ("sales", "chat")])
    for queue in (("email", "email"), ("sales", "chat")):
        put(board, queue, busy_cell() | {NUMBERS["talk_ms"]: 90_000_000, NUMBERS["response_ms"]: 900_000_000})
    async with ticking(Served(board)) as served, opened(browser, served.url, width=width) as page:
        await shown(page, 2)
        lines = await page.locator(f"{TILES} .aim").evaluate_all(
            "all => all.filter(n => n.checkVisibility()).map(n => n.getClientRects().length)"
        )
        assert set(lines) == {1}
        assert (await page.evaluate("document.documentElement.scrollWidth")) <= width
