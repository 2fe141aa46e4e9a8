"""A crisis, minute by minute: colour and order are those of the rule in docs/wallboard.md, on the API and on the page."""

from __future__ import annotations

from itertools import permutations

import pytest
from playwright.async_api import Browser, Page

from stream_app.model.live.board import Board
from stream_app.model.live.judging import Judgement, judged
from stream_app.model.live.rows import QueueRow
from stream_app.model.live.snapshot import Snapshots
from stream_app.model.targets import Targets
from tests.services.browser import opened
from tests.services.process import until
from tests.views.examples import NOON
from tests.views.serving import Served

from .rule import CHANNELS, MIN, MINUTES, Expected, Queue, comes_before, fill, story
from .screen import TILES, names, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOKED_AT = (5, 13, 20, 27, 34, 41, 49)


def assert_agree(found: dict[str, Judgement], rule: dict[str, Expected], where: tuple[int, str]) -> None:
    assert {queue: one.state for queue, one in found.items()} == {q: e.state for q, e in rule.items()}, where
    assert {q: list(f.reasons) for q, f in found.items()} == {q: e.reasons for q, e in rule.items()}, where
    for one, other in permutations(rule, 2):
        if (before := comes_before(rule[one], rule[other])) is not None:
            assert (found[one].urgency > found[other].urgency) == before, (where, one, other)


async def assert_shows(page: Page, rows: dict[str, QueueRow]) -> None:
    found = {queue: judged(row, "30m") for queue, row in rows.items()}
    order = sorted(found, key=lambda queue: (-found[queue].urgency, queue))
    states = [found[queue].state for queue in order]

    async def shown_states() -> list[str]:
        found: list[str] = await page.locator(TILES).evaluate_all("all => all.map(n => n.dataset.state)")
        return found

    async def same() -> bool:
        return (await names(page), await shown_states()) == (order, states)

    await until(same, 15, f"{order} and {states} on the page")


async def test_colour_and_order_are_those_of_the_rule(browser: Browser) -> None:
    contacts, board = story(), Board(NOON - MIN)
    snapshots, targets = Snapshots(board), Targets()
    met: set[tuple[str, str]] = set()
    fill(board, contacts, NOON)
    async with ticking(Served(board)) as served, opened(browser, served.url, width=1600, height=1200) as page:
        await shown(page, len(CHANNELS))
        for minute in range(MINUTES):
            now = NOON + minute * MIN
            fill(board, contacts, now)
            rows = {row.queue: row for row in snapshots.take(targets).rows}
            for window, minutes in (("30m", 30), ("5m", 5)):
                rule = {queue: Queue(contacts, queue, now).expected(minutes) for queue in CHANNELS}
                assert_agree({q: judged(row, window) for q, row in rows.items()}, rule, (minute, window))
                met |= {(queue, one.state) for queue, one in rule.items()}
            if minute in LOOKED_AT:
                await assert_shows(page, rows)
    # The story is one: otherwise there was nothing to agree on.
    assert {
        ("billing", "off"),
        ("billing", "recovering"),
        ("billing", "met"),
        ("tiny", "few"),
        ("mail", "off"),
    } <= met
