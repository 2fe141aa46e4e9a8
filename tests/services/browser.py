"""A real browser: the machine's Chromium, driven by Playwright."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.services.process import ServiceError

NAMES = ("chromium", "chromium-browser", "google-chrome")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
UNREACHED = "Failed to load resource: net::ERR_"
"""What Chromium itself says of a server that is away; no page can keep it from that."""
SHOWN_WITHIN_MS = 30_000
"""A bound for what never comes; how fast it comes is measured elsewhere, and a busy machine is slow."""
REFUSED = "Failed to load resource: the server responded with a status of"
"""The same of an answer that is a problem."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """One browser without a window."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise ServiceError(
            f"browser: none of {', '.join(NAMES)} here; scripts/setup installs what the tests need"
        )
    async with async_playwright() as playwright:
        expect.set_options(timeout=SHOWN_WITHIN_MS)
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser,
    url: str,
    *,
    width: int = 1280,
    height: int = 900,
    away: bool = False,
    refused: bool = False,
    **context: Any,
) -> AsyncIterator[Page]:
    """A page in a context of its own, which must leave no complaint in its console.

    Args:
        browser: whose.
        url: what to open.
        width: of the screen.
        height: of the screen.
        away: the server goes away meanwhile, and the browser may say so.
        refused: the server answers with problems, and the browser may say so.
        context: further options of the context, such as ``color_scheme``.
    """
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        expected = (away and message.text.startswith(UNREACHED)) or (refused and REFUSED in message.text)
        if message.type in {"error", "warning"} and not expected:
            complaints.append(message.text)

    own = await browser.new_context(viewport={"width": width, "height": height}, **context)
    page = await own.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(url)
    yield page
    await own.close()
    assert complaints == [], complaints


async def texts(page: Page, selector: str) -> list[str]:
    """What is to be read in all that match, spaces made one."""
    return [" ".join(text.split()) for text in await page.locator(selector).all_inner_texts()]


@cache
def _axe() -> str:
    (script,) = Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")
    return script.read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA and good practice; the page's context must bypass its policy."""
    await page.evaluate(_axe())
    run = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"  # of others one node is enough
    found = await page.evaluate(run, list(RULES))
    assert found["passes"]
    return [
        f"{one['id']}: {one['help']}: {node['html']}" for one in found["violations"] for node in one["nodes"]
    ]
