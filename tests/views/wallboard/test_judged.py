"""Where a number goes: the functions that the page is made with, one by one. What it is judged to be is the server's."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.services.browser import opened
from tests.views.serving import Served

from .screen import busy_board, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

LAST = 24
RATIO = {"unit": "ratio", "better": "higher", "tolerance": 0.1, "tolerance_relative": False, "level": False}
LOWER = RATIO | {"better": "lower", "tolerance": 0.05}
TIME = {"unit": "seconds", "better": "lower", "tolerance": 0.5, "tolerance_relative": True, "level": False}
WAITING = {"unit": "contacts", "better": "lower", "tolerance": 0, "tolerance_relative": True, "level": True}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with ticking(Served(busy_board())) as served, opened(browser, served.url) as page:
        yield page


async def called(page: Page, module: str, function: str, *arguments: Any) -> Any:
    call = f"import('/static/{module}.js').then(m => m.{function}(...{json.dumps(arguments)}))"
    return await page.evaluate(call)


def line(*latest: float | None, flat: float, samples: int = 20) -> dict[str, Any]:
    """A line that was flat, and then went otherwise in its latest steps."""
    values = [flat] * (LAST + 1 - len(latest)) + list(latest)
    return {"values": values, "samples": [samples] * len(values)}


@pytest.mark.parametrize(
    ("kpi", "line", "now", "target", "word"),
    [
        # Of who waits the present counts, against an hour ago: what was between is over.
        (WAITING, line(4, 30, 30, 20, 9, flat=4), (0, 0), None, "fewer"),
        (WAITING, line(0, 8, 9, 9, flat=0), (0, 0), None, "steady"),
        (WAITING, line(4, 4, 4, 4, flat=4), (9, 0), None, "more"),
        (WAITING, line(0, flat=0), (1, 0), None, "steady"),
        (WAITING, line(40, flat=40), (44, 0), None, "steady"),
        # Of the others the last 30 minutes: a dip before them is what it is better than.
        (RATIO, line(0.7, 0.6, 0.7, 1.0, 1.0, 1.0, flat=1.0), (1.0, 40), 0.8, "better"),
        (RATIO, line(0.5, flat=0.9), (0.9, 40), 0.8, "steady"),  # a quarter that has begun is no trend
        (RATIO, line(flat=0.9), (0.926, 400), 0.8, "better"),
        (RATIO, line(flat=0.9), (0.924, 400), 0.8, "steady"),
        (RATIO, line(flat=0.9), (0.8, 9), 0.8, "steady"),  # too few
        (RATIO, line(flat=0.9, samples=2), (0.5, 40), 0.8, "steady"),
        (RATIO, line(flat=0.9), (0.84, 15), 0.8, "steady"),  # one contact more or less
        (LOWER, line(flat=0.05), (0.07, 100), 0.05, "worse"),
        (TIME, line(flat=20.0), (18, 100), 20, "steady"),
        (TIME, line(flat=20.0), (17, 100), 20, "better"),
        (TIME | {"tolerance": None}, line(flat=100.0), (126, 100), None, "worse"),
        (RATIO, line(flat=0.9), (None, 0), 0.8, None),
    ],
)
async def test_where_it_goes(
    page: Page,
    kpi: dict[str, Any],
    *,
    line: dict[str, Any],
    now: tuple[float | None, int],
    target: float | None,
    word: str | None,
) -> None:
    for gone in (0, 0.5):
        end = dict(zip(("value", "samples"), now, strict=True))
        found = await called(page, "trend", "direction", kpi, line, end, target, gone)
        assert (found and found[1]) == word
        if word and word != "steady":
            assert found[2].startswith(f"{word}, compared with ")


async def test_nothing_jumps_when_a_quarter_of_an_hour_begins(page: Page) -> None:
    """Just before and just after, the same is said to have been before."""
    values = [float(n % 7) * 10 for n in range(LAST + 2)]
    for kpi in (WAITING, TIME):
        end = {"value": 500.0, "samples": 50}
        old, new = ({"values": some, "samples": [20] * (LAST + 1)} for some in (values[:-1], values[1:]))
        before = await called(page, "trend", "direction", kpi, old, end, 20, 1)
        after = await called(page, "trend", "direction", kpi, new, end, 20, 0)
        assert before == after


@pytest.mark.parametrize(
    ("window", "half", "steps", "word", "than"),
    [
        # Its own line would say "worse"; the number is of five minutes, and these are better than the half hour.
        ("5m", 0.5, (0.2,) * 6, "better", "the last 30 minutes: 50.0 % → 90.0 %"),
        ("5m", 0.9, (0.2,) * 6, "steady", "the last 30 minutes: 90.0 % → 90.0 %"),
        (
            "15m",
            0.9,
            (0.5, 0.5, 0.5, 0.5, 0.5),
            "better",
            "the hour before the last 15 minutes: 50.0 % → 90.0 %",
        ),
        (
            "1h",
            0.9,
            (0.5, 0.5, 0.5, 0.5, 0.9, 0.9, 0.9, 0.9),
            "better",
            "the hour before the last hour: 50.0 % → 90.0 %",
        ),
        ("today", 0.5, (0.2,) * 6, None, ""),  # nothing precedes it
    ],
)
async def test_the_arrow_is_that_of_the_window(
    page: Page, *, window: str, half: float, steps: tuple[float, ...], word: str | None, than: str
) -> None:
    now, last = ({"value": value, "samples": 40} for value in (0.9, half))
    found = await called(
        page, "trend", "direction", RATIO, line(*steps, 0.0, flat=0.5), now, 0.8, 0, window, last
    )
    assert (found and found[1]) == word
    if found:
        assert found[2].endswith(f"compared with {than}")


async def test_a_number_reads_the_same_in_every_language(page: Page) -> None:
    """Digits and separators are the language's, minutes and hours everybody's."""
    kpi = {"unit": "ratio"}
    assert await called(page, "numbers", "written", kpi, 0.8888) == "88.9 %"
    assert await page.evaluate("import('/static/words.js').then(w => w.speak('de'))")
    assert await called(page, "numbers", "written", kpi, 0.8888) == "88,9 %"
    assert await called(page, "words", "t", "contacts", {"n": 12345}) == "12.345 Kontakte"
    assert await called(page, "words", "t", "contacts", {"n": 1}) == "1 Kontakt"
    assert await page.evaluate("import('/static/words.js').then(w => w.speak('en'))")
