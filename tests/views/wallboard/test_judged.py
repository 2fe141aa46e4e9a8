"""What a number is judged to be, and where it goes: the functions that the page is made with, one by one."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.services.browser import opened
from tests.views.examples import busy_board
from tests.views.serving import Served

from .screen import ticking

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


@pytest.mark.parametrize(
    ("kpi", "value", "target", "state"),
    [
        (RATIO, 0.8, 0.8, "met"),
        (RATIO, 0.79996, 0.8, "met"),  # 0.0000 past it
        (RATIO, 0.7, 0.8, "near"),  # in floating point that is more than 0.1 past it
        (RATIO, 0.69996, 0.8, "near"),
        (RATIO, 0.6999, 0.8, "missed"),
        (RATIO, 0.35, 0.45, "near"),
        (LOWER, 0.1, 0.05, "near"),
        (LOWER, 0.1001, 0.05, "missed"),
        (TIME, 30, 20, "near"),
        (TIME, 30.0008, 20, "near"),
        (TIME, 30.002, 20, "missed"),
        (TIME, 0, 0, "met"),
        (TIME, 1, 0, "missed"),
        (WAITING, 5, 5, "met"),
        (WAITING, 6, 5, "missed"),
        (RATIO | {"tolerance": None}, 0.79, 0.8, "missed"),
    ],
)
async def test_the_edge_of_the_tolerance_is_that_of_the_alert(
    page: Page, kpi: dict[str, Any], value: float, target: float, state: str
) -> None:
    """The rules round to 0.0001 how far it is past the target, and more than is tolerated misses."""
    assert (await called(page, "numbers", "judge", kpi, value, target))[0] == state


async def test_who_is_closed_is_not_judged(page: Page) -> None:
    found = await called(page, "numbers", "judge", RATIO, 0.1, 0.8, 0.05, False)
    assert found == ["none", "≥ 80 %", "target ", ""]


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
            assert found[2].startswith(f"{word.title()} than ")


async def test_nothing_jumps_when_a_quarter_of_an_hour_begins(page: Page) -> None:
    """Just before and just after, the same is said to have been before."""
    values = [float(n % 7) * 10 for n in range(LAST + 2)]
    for kpi in (WAITING, TIME):
        end = {"value": 500.0, "samples": 50}
        old, new = ({"values": some, "samples": [20] * (LAST + 1)} for some in (values[:-1], values[1:]))
        before = await called(page, "trend", "direction", kpi, old, end, 20, 1)
        after = await called(page, "trend", "direction", kpi, new, end, 20, 0)
        assert before == after
