"""A click on a number opens it into the contacts that make it, where these may be seen."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from stream_app.model.targets import Targets
from stream_app.views.contacts.api import Admission, ContactSource
from stream_app.views.screen import Screen
from tests.ledger.asked import AskedWhys, board_of, ledger_of
from tests.model.streams import T0, line
from tests.services.browser import opened, violations
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import TILES, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINK = "https://platform.example/contacts/{contact_id}"
CALLS = [  # contact, waits, is answered
    *((f"quick-{n}", 10, True) for n in range(60)),
    *((f"slow-{n}", 45, True) for n in range(3)),
    ("short", 3, False),
    ("gone", 30, False),
]


def served_with(shown: Admission = "auto", unknown: tuple[tuple[int, int], ...] = ()) -> Served:
    told = [
        (at, contact, kind)
        for contact, wait, is_answered in CALLS
        for at, kind in (
            (0, "contact.queued"),
            (wait, "contact.answered" if is_answered else "contact.abandoned"),
        )
    ]
    lines = [
        line(
            n,
            T0 + at * 1000,
            T0 + at * 1000,
            id=f"e{n}",
            type=kind,
            contact_id=contact,
            queue="sales",
            channel="voice",
        )
        for n, (at, contact, kind) in enumerate(sorted(told, key=lambda one: one[0]))
    ]
    kept, ledger = ledger_of(lines, Targets())
    board = board_of(kept, T0 + 100_000)
    source = ContactSource(None, shown, whys=AskedWhys(ledger, unknown))
    return Served(board, Kept(), screen=Screen(contact_url=LINK), contacts=source)


@pytest_asyncio.fixture(loop_scope="session")
async def explained() -> AsyncIterator[Served]:
    async with ticking(served_with(unknown=((T0 - 3_600_000, T0 - 1_800_000),))) as running:
        yield running


NUMBER = f"{TILES} .figure[data-kpi=service_level] .why"


@pytest.mark.parametrize("by", ["click", "Enter"])
async def test_a_number_opens_into_its_contacts(browser: Browser, explained: Served, by: str) -> None:
    async with opened(browser, explained.url, bypass_csp=True) as page:
        await shown(page, 1)
        number = page.locator(NUMBER)
        await expect(number).to_have_text("93.8 %")
        if by == "click":
            await number.click()
        else:
            await number.focus()
            await page.keyboard.press("Enter")
        body = page.locator("#dialog-body")
        await expect(page.locator("#dialog-name")).to_have_text("sales · voice · Service level")
        await expect(body.locator(".now")).to_have_text("93.8 % = 60 / 64")
        await expect(body).to_contain_text("answered_in_target / (decided - abandoned_short)")
        await expect(body).to_contain_text("answered within the answer target60")
        await expect(body).to_contain_text("contacts with a known outcome")
        await expect(body).to_contain_text(
            "A contact that is abandoned within the short-abandon threshold does not count1 contact"
        )
        await expect(body.locator(".note")).to_have_text(
            re.compile(r"^Not known for .*\d.*: contacts were counted then")
        )
        lines = body.locator("tbody tr")
        await expect(lines).to_have_count(50)
        await expect(lines.filter(has_text="slow-1")).to_contain_text("0 / 1")
        link = lines.locator("a", has_text="slow-1")
        assert await link.get_attribute("href") == LINK.format(contact_id="slow-1")
        assert await violations(page) == []
        await body.get_by_role("button", name="More").click()
        await expect(lines).to_have_count(65)
        await expect(lines.filter(has_text="short")).to_contain_text("0 / 0")
        await page.keyboard.press("Escape")
        await expect(page.locator("#dialog")).to_be_hidden()
        assert await page.evaluate("document.activeElement.className") == "why"
        assert await violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_in_an_explanation_on_a_phone(
    browser: Browser, explained: Served, theme: str
) -> None:
    address = f"{explained.url}/#theme={theme}"
    async with opened(browser, address, width=360, height=740, bypass_csp=True) as page:
        await shown(page, 1)
        await page.locator(NUMBER).click()
        await expect(page.locator("#dialog tbody tr")).to_have_count(50)
        assert await violations(page) == []


async def test_an_explanation_has_an_address(browser: Browser, explained: Served) -> None:
    """Grafana leads there, with a range instead of a window."""
    asked = "why=answered&why=sales&why=voice&why=2025-11-22T08:30:00Z&why=2025-11-22T08:31:00Z"
    async with opened(browser, f"{explained.url}/#{asked}") as page:
        await expect(page.locator("#dialog .now")).to_have_text("63")
        await expect(page.locator("#dialog tbody tr")).to_have_count(50)
        await page.keyboard.press("Escape")
        await expect(page.locator("#dialog")).to_be_hidden()
        await expect(page).not_to_have_url(re.compile("why"))


async def test_what_follows_from_others_leads_to_these(browser: Browser, explained: Served) -> None:
    address = f"{explained.url}/#why=time_to_clear&why=sales&why=voice"
    async with opened(browser, address) as page:
        await page.locator("#dialog").get_by_role("button", name="queue time").click()
        await expect(page.locator("#dialog-name")).to_contain_text("queue_time")
        await expect(page.locator("#dialog tbody tr")).to_have_count(50)


async def test_details_lead_to_explanations(browser: Browser, explained: Served) -> None:
    async with opened(browser, f"{explained.url}/#view=table") as page:
        await page.locator("#table .row").click()
        await page.locator("#dialog .now .why").first.click()
        await expect(page.locator("#dialog tbody tr")).to_have_count(50)


async def test_where_contacts_may_not_be_seen_a_number_is_no_link(browser: Browser) -> None:
    async with ticking(served_with("off")) as served, opened(browser, served.url) as page:
        async with page.expect_response("**/v1/kpis"):
            await page.reload()
        await shown(page, 1)
        await expect(page.locator(f"{TILES} .figure[data-kpi=service_level] .value")).to_have_text("93.8 %")
        assert await page.locator(".why").count() == 0
