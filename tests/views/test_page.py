"""The live page in a real browser."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from stream_app.model.board import Board
from stream_app.views.status import Status
from tests.services.browser import Browser, Page
from tests.services.process import free_port, until
from tests.views.examples import FRESH, busy_board, busy_cell, put, waiting
from tests.views.serving import Served

EVIL = '<img src=x onerror="document.title=1">&amp;'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served(busy_board())
    await served.start()
    ticking = asyncio.create_task(tick(served))
    yield served
    ticking.cancel()
    await served.runner.cleanup()


async def tick(served: Served) -> None:
    while True:
        await asyncio.sleep(0.25)
        served.publish()


async def text(page: Page, selector: str) -> list[str]:
    found: list[str] = await page.evaluate(
        f"[...document.querySelectorAll({selector!r})].map(n => n.innerText.replace(/\\s+/g, ' ').trim())"
    )
    return found


async def names(page: Page) -> list[str]:
    return await text(page, "#queues .card:not([hidden]) h2")


async def figures(page: Page, queue: str) -> list[str]:
    cards = await names(page)
    return await text(page, f"#queues .card:nth-child({cards.index(queue) + 1}) .figure")


async def test_it_shows_the_six_numbers_against_their_targets(browser: Browser, served: Served) -> None:
    async with browser.page(f"{served.url}/") as page:
        await until(lambda: has(page, "sales"))
        shown = await figures(page, "sales")
        assert shown == [
            "Service level 88.9 % on target: target ≥ 80 % of 9",
            "Abandonment rate 0 % on target: target ≤ 5 % of 9",
            "First response 10 s on target: target ≤ 20 s 90 % in 3:55 min of 9",
            "Backlog 1 no target",
            "Oldest waiting 12 s on target: target ≤ 2 min",
            "Handle time 5:00 min on target: target ≤ 6 min 90 % in 3:55 min of 9",
        ]
        assert (await text(page, "#age"))[0].startswith("Live")
        assert await text(page, "#alarm") == [""]
        assert (await text(page, "#everyone .summary"))[0].startswith("2 queues")
        put(served.board, ("sales", "voice"), busy_cell() | {3: 0})
        await until(lambda: missed(page))
        assert page.errors == []


async def has(page: Page, queue: str) -> bool:
    return queue in await names(page)


async def missed(page: Page) -> bool:
    return "missed" in (await figures(page, "sales"))[0]


async def test_names_are_text_whatever_they_hold(browser: Browser) -> None:
    served = Served(busy_board([(EVIL, "voice")]))
    await served.start()
    async with browser.page(f"{served.url}/") as page:
        await until(lambda: has(page, EVIL))
        assert await page.evaluate("document.querySelectorAll('img').length") == 0
        assert page.errors == []
    await served.runner.cleanup()


async def test_nobody_can_miss_that_the_connection_is_lost_and_it_comes_back_by_itself(
    browser: Browser,
) -> None:
    port, board = free_port(), busy_board()
    served = Served(board)
    await served.start(port)
    ticking = asyncio.create_task(tick(served))
    async with browser.page(f"{served.url}/") as page:
        await until(lambda: has(page, "sales"))
        ticking.cancel()
        await served.runner.cleanup()
        await until(lambda: alarmed(page, "Connection lost"))
        assert "stale" in await page.evaluate("document.body.className")
        assert (await page.evaluate("document.title")).startswith("⚠")
        assert "No connection" in (await text(page, "#age"))[0]
        put(board, ("new", "voice"), busy_cell())
        served = Served(board)
        await served.start(port)
        ticking = asyncio.create_task(tick(served))
        await until(lambda: has(page, "new"), timeout_s=15)
        await until(lambda: alarmed(page, ""))
        assert "stale" not in await page.evaluate("document.body.className")
    ticking.cancel()
    await served.runner.cleanup()


async def alarmed(page: Page, words: str) -> bool:
    (said,) = await text(page, "#alarm")
    return words in said and bool(words) == bool(said)


async def test_stale_data_is_said_to_be_stale(browser: Browser, served: Served) -> None:
    async with browser.page(f"{served.url}/") as page:
        await until(lambda: has(page, "sales"))
        served.trust = Status(age_s=42, max_age_s=10)
        await until(lambda: alarmed(page, "older than 10 s"))
        served.trust = Status(age_s=1, max_age_s=10, reasons=("Redis is away: refused",))
        await until(lambda: alarmed(page, "Redis is away"))
        served.trust = FRESH
        await until(lambda: alarmed(page, ""))


async def test_worst_first_or_by_name_and_a_filter_and_the_address_remembers(
    browser: Browser, served: Served
) -> None:
    for queue in ("alpha", "zulu"):
        put(served.board, (queue, "voice"), busy_cell() | ({3: 0} if queue == "zulu" else {}))
    async with browser.page(f"{served.url}/#order=name&window=5m") as page:
        await until(lambda: has(page, "zulu"))
        assert await names(page) == ["alpha", "care", "sales", "zulu"]
        assert await page.evaluate("document.querySelector('input[name=window]:checked').value") == "5m"
        await page.evaluate(
            "const o = document.getElementById('order'); o.value = 'worst'; o.dispatchEvent(new Event('change'))"
        )
        await until(lambda: first_is(page, "zulu"))
        await page.evaluate(
            "const f = document.getElementById('filter'); f.value = 'CHAT'; f.dispatchEvent(new Event('input'))"
        )
        await until(lambda: only(page, "care"))
        assert await page.evaluate("location.hash") == "#window=5m&order=worst&filter=CHAT"


async def first_is(page: Page, queue: str) -> bool:
    return (await names(page))[0] == queue


async def only(page: Page, queue: str) -> bool:
    return await names(page) == [queue]


async def test_it_can_be_used_with_keys_alone(browser: Browser, served: Served) -> None:
    async with browser.page(f"{served.url}/") as page:
        await until(lambda: has(page, "sales"))
        met = []
        for _ in range(4):
            await page.press("Tab", 9)
            focused = "document.activeElement"
            met.append(await page.evaluate(f"{focused}.id || {focused}.name || {focused}.className"))
        assert met == ["skip", "window", "order", "filter"]
        unnamed = "[...document.querySelectorAll('input, select')].filter(n => !n.labels.length).length"
        assert await page.evaluate(unnamed) == 0


@pytest.mark.parametrize("width", [320, 390, 768, 1920])
async def test_it_fits_every_screen(browser: Browser, width: int) -> None:
    board: Board = busy_board(
        [("a-queue-with-a-name-as-long-as-some-people-like-them-to-be-in-life", "voice")]
    )
    waiting(board, ("sales", "chat"), "old", board.now - 40 * 3_600_000)
    served = Served(board)
    await served.start()
    async with browser.page(f"{served.url}/", width=width) as page:
        await until(lambda: has(page, "sales"))
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        spilled = (
            "[...document.querySelectorAll('.figure > *, .head > *')].filter(n => "
            "n.getBoundingClientRect().right > n.closest('.card').getBoundingClientRect().right + 1).length"
        )
        assert await page.evaluate(spilled) == 0
    await served.runner.cleanup()


async def test_the_description_is_shown_without_complaint(browser: Browser, served: Served) -> None:
    async with browser.page(f"{served.url}/docs") as page:
        await until(lambda: page.evaluate("document.querySelectorAll('section').length > 10"))
        assert page.errors == []
