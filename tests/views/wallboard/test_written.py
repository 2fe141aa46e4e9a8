"""Tiles of channels in which people write: who is owed a reply, by the promised clock, and what a bot has; calls as ever."""

from itertools import count

import pytest
from playwright.async_api import Browser, Page, expect

from stream_app.model.fold.cells import NUMBERS
from stream_app.model.fold.visit import WRITTEN, Visit, VisitState
from stream_app.model.live.board import Board
from stream_app.model.targets import Targets
from tests.services.browser import opened, texts
from tests.views.examples import NOON, put
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import busy_cell, figures, looked_over, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAIL, CHAT, CALLS = ("mail", "email"), ("help", "chat"), ("sales", "voice")
MIN, HOUR = 60_000, 3_600_000
YESTERDAY_1730 = NOON - 18 * HOUR - 30 * MIN
OFFICE = Targets.of(
    {
        "queues": {"mail": {"calendar": "office"}},
        "calendars": {"office": {"hours": {"mon-fri": ["09:00-18:00"]}}},
    }
)
_ids = count()


def open_visit(board: Board, queue: tuple[str, str], state: VisitState, since: int, owed: int = 0) -> None:
    """An open visit; ``owed`` is since when the customer waits for a message."""
    visit = Visit(*queue, state, since, since, 20_000, 5_000, b"12345678", seen=WRITTEN, clock=owed)
    board.put_visits("t.0", f"w{next(_ids)}", [visit])


def written_board() -> Board:
    """Mails of yesterday evening, chats that a bot and people have, and calls; the same numbers in each of them."""
    board = Board(NOON)
    for queue in (MAIL, CHAT, CALLS):
        put(
            board, queue, busy_cell() | {NUMBERS["closed_unanswered"]: 3, NUMBERS["response_open_ms"]: 36_000}
        )
    open_visit(board, MAIL, VisitState.WAITING, YESTERDAY_1730, YESTERDAY_1730)
    open_visit(board, MAIL, VisitState.TALKING, NOON - 5 * HOUR, NOON - 1 * HOUR)
    open_visit(board, MAIL, VisitState.HELD, NOON - 5 * HOUR)
    for ago in (1, 2, 3):
        open_visit(board, CHAT, VisitState.WITH_BOT, NOON - ago * 20 * MIN, NOON - ago * 1_000)
    open_visit(board, CHAT, VisitState.TALKING, NOON - 30 * MIN, NOON - 400_000)
    open_visit(board, CHAT, VisitState.TALKING, NOON - 30 * MIN)
    waits = Visit(*CALLS, VisitState.WAITING, NOON - 12_000, NOON - 12_000, 20_000, 5_000, b"12345678")
    board.put_visits("t.0", "call", [waits])
    return board


def served() -> Served:
    out = Served(written_board(), Kept())
    out.targets = OFFICE
    return out


async def tile(page: Page, queue: str) -> list[str]:
    """The figures of a tile that are seen."""
    return [text for text in await figures(page, queue) if text]


async def test_a_mail_queue_shows_what_is_owed_by_business_hours(browser: Browser) -> None:
    """Half an hour of yesterday and three of today, on the wall eighteen and a half."""
    async with ticking(served()) as running, opened(browser, running.url) as page:
        await shown(page, 3)
        assert await tile(page, "mail") == [
            "Service level 88.9 % on target: target ≥ 80 % 18 contacts",
            "Awaiting reply 2 no target 1 past target",
            "Oldest awaiting reply 3:30 h on target: target ≤ 4 h business hours",
            "First response (business hours) 2.0 s on target: target ≤ 1 h",
            "Open 3 no target",
            "With a bot 0 no target",
        ]


async def test_a_chat_queue_shows_what_a_bot_has_and_whom_people_owe(browser: Browser) -> None:
    async with ticking(served()) as running, opened(browser, running.url) as page:
        await shown(page, 3)
        assert await tile(page, "help") == [
            "Service level 88.9 % on target: target ≥ 80 % 18 contacts",
            "Awaiting reply 1 no target",
            "Oldest awaiting reply 6:40 min off target: target ≤ 5 min",
            "First response 10 s on target: target ≤ 60 s",
            "Open 2 no target",
            "With a bot 3 no target",
        ]
        badge = page.locator("#queues .tile", has_text="help").locator(".overall")
        await expect(badge).to_have_text("Oldest awaiting reply")


async def test_a_voice_tile_is_as_it_was(browser: Browser) -> None:
    async with ticking(served()) as running, opened(browser, running.url) as page:
        await shown(page, 3)
        assert await tile(page, "sales") == [
            "Service level 88.9 % on target: target ≥ 80 % 18 contacts",
            "Waiting 1 no target",
            "Longest wait 12 s on target: target ≤ 2 min",
            "Abandoned 0 % on target: target ≤ 5 %",
            "Speed of answer 10 s on target: target ≤ 20 s",
            "AHT 5:00 min on target: target ≤ 6 min",
        ]


async def test_where_nobody_is_owed_a_reply_there_is_no_oldest(browser: Browser) -> None:
    board = Board(NOON)
    put(board, MAIL, busy_cell())
    async with ticking(Served(board)) as running, opened(browser, running.url) as page:
        await shown(page, 1)
        found = await tile(page, "mail")
        assert found[1] == "Awaiting reply 0 no target"
        assert found[2].startswith("Oldest awaiting reply – ")  # noqa: RUF001 - a dash


async def test_the_details_have_what_was_closed_without_a_reply_and_the_waits(browser: Browser) -> None:
    async with ticking(served()) as running, opened(browser, running.url) as page:
        await shown(page, 3)
        await page.locator(".name", has_text="mail").click()
        body = page.locator("#dialog-body")
        await expect(body).to_contain_text("waits count in business hours")
        await expect(
            body.locator("div", has=page.get_by_text("Closed without a reply today"))
        ).to_contain_text("3")
        await expect(body.locator("div", has=page.get_by_text("Pending", exact=True)).first).to_contain_text(
            "1"
        )
        heads = await texts(page, "#dialog-body h3")
        assert heads[:3] == ["Service level", "Awaiting reply", "Oldest awaiting reply"]
        assert {"Waiting", "Longest wait", "Abandoned", "AHT"} <= {*heads}
        await page.keyboard.press("Escape")
        await page.locator(".name", has_text="sales").click()
        await expect(body).not_to_contain_text("Closed without a reply")


async def heads_and_rows(page: Page) -> dict[str, dict[str, str]]:
    """Queue → head of a column → what is in it."""
    heads = await texts(page, "#table thead button")
    found: dict[str, dict[str, str]] = {}
    for line in await page.locator("#table tbody tr:not(.sums)").all():
        cells = [" ".join(text.split()) for text in await line.locator("th, td").all_inner_texts()]
        found[cells[0]] = dict(zip(heads, cells, strict=True))
    return found


async def test_a_table_of_calls_mails_and_chats_has_columns_for_all_of_them(browser: Browser) -> None:
    async with (
        ticking(served()) as running,
        opened(browser, f"{running.url}/#view=table", width=1920) as page,
    ):
        await expect(page.locator("#table .row")).to_have_count(3)
        rows = await heads_and_rows(page)
        assert {(rows[queue]["Waiting"], rows[queue]["Longest wait"]) for queue in rows} == {
            ("2", "3:30 h"),
            ("1", "6:40 min"),
            ("1", "12 s"),
        }
        assert {queue: row["Time to answer"] for queue, row in rows.items()} == {
            "mail": "2.0 s",
            "help": "10 s",
            "sales": "10 s",
        }
        assert {queue: row["State"] for queue, row in rows.items()} == {
            "mail": "on target",
            "help": "Oldest awaiting reply",
            "sales": "on target",
        }
        assert not {"First response", "Speed of answer"} & rows["mail"].keys()
        sums = await texts(page, "#table .sums td")
        assert sums[1] == "4"
        assert sums[3] == "3:30 h"
        await page.evaluate("location.hash = '#view=table&channel=email&channel=chat'")
        await expect(page.locator("#table .row")).to_have_count(2)
        heads = await texts(page, "#table thead button")
        assert {"Awaiting reply", "Oldest", "First response"} <= {*heads}
        await page.evaluate("location.hash = '#view=table&channel=voice'")
        await expect(page.locator("#table .row")).to_have_count(1)
        assert {"Waiting", "Longest wait", "Speed of answer"} <= {*await texts(page, "#table thead button")}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(("view", "width"), [("desk", 390), ("desk", 1280), ("tv", 1920)])
async def test_its_words_have_room(browser: Browser, language: str, view: str, width: int) -> None:
    async with (
        ticking(served()) as running,
        opened(
            browser,
            f"{running.url}/#lang={language}&view={view}",
            width=width,
            height=1080 if view == "tv" else 4000,
        ) as page,
    ):
        await shown(page, 3)
        assert (await looked_over(page))[2] == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
