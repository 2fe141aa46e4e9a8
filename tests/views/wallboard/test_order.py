"""What comes first, who is closed, what all of them come to, and where the numbers go."""

import re

import pytest
from playwright.async_api import Browser, expect

from stream_app.model.fold.cells import NUMBERS, pack_cell
from stream_app.model.live.board import Board
from stream_app.model.targets import Targets
from tests.services.browser import opened, texts
from tests.views.examples import NOON, put, waiting
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import TILES, busy_board, busy_cell, figures, names, shown, ticking

pytestmark = pytest.mark.asyncio(loop_scope="session")

MET, RESPONSE, TALK = NUMBERS["answered_in_target"], NUMBERS["response_ms"], NUMBERS["talk_ms"]


async def test_the_worst_is_the_first_and_its_badge_says_what_is_off(browser: Browser) -> None:
    """Who waits now comes before what the window missed; how long calls take moves nothing. The rule is the server's."""
    board = Board(NOON)
    queues = {
        "app": {TALK: 18 * 1_200_000},  # handle time far off
        "care": {MET: 14},  # 78 %: near
        "desk": {MET: 10},  # 56 %
        "exit": {MET: 4},  # 22 %
        "fine": {},
    }
    for queue, cell in queues.items():
        put(board, (queue, "voice"), busy_cell() | cell)
    put(board, ("tiny", "voice"), {number: n // 9 for number, n in busy_cell().items()} | {MET: 0})
    for contact in range(30):
        waiting(board, ("home", "voice"), f"home-{contact}", NOON - 360_000)
    waiting(board, ("one", "voice"), "one", NOON - 130_000)
    async with ticking(Served(board)) as served, opened(browser, served.url) as page:
        await shown(page, 8)
        assert await names(page) == ["home", "one", "exit", "desk", "care", "app", "fine", "tiny"]
        assert await texts(page, f"{TILES} .overall") == [
            "Longest wait +1",
            "Longest wait",
            "Service level",
            "Service level",
            "Service level",
            "on target",
            "on target",
            "few contacts",
        ]
        states = await page.locator(TILES).evaluate_all("all => all.map(n => n.dataset.state)")
        assert states == ["off"] * 4 + ["near", "met", "met", "few"]
        app = page.locator(TILES, has_text="app")
        await expect(app.locator("[data-kpi=handle_time]")).to_have_attribute("data-state", "near")
        await expect(page.locator("#summary")).to_have_text(
            "8 queues: 4 off target, 1 near target, 1 with few contacts"
        )
        rows = (await served.get("/v1/now"))[2]["rows"]
        ranked = sorted(rows, key=lambda row: (-row["judged"]["30m"]["urgency"], row["queue"]))
        assert [row["queue"] for row in ranked] == await names(page)
        assert "missed" not in (await page.locator("body").inner_text())


async def test_who_is_closed_is_not_judged_and_who_is_held_in_it_is_not_last(browser: Browser) -> None:
    served = Served(busy_board([("ajar", "voice"), ("held", "voice"), ("shut", "voice")]), Kept())
    for queue in ("held", "shut"):
        put(served.board, (queue, "voice"), busy_cell() | {MET: 0, TALK: 9 * 9_000_000})
    served.board.put_visits("t.0", "c2", [])
    served.targets = Targets.of(
        {
            "calendars": {"early": {"hours": {"mon-sun": ["01:00-02:00"]}}},
            "queues": {"shut": {"calendar": "early"}, "held": {"calendar": "early"}},
        }
    )
    async with ticking(served), opened(browser, served.url) as page:
        await shown(page, 3)
        assert await names(page) == ["held", "ajar", "shut"]
        assert await texts(page, f"{TILES} .overall") == ["closed · 1 waiting", "on target", "closed"]
        await expect(page.locator(TILES).first).to_have_attribute("data-state", "closed_waiting")
        await expect(page.locator("#summary")).to_have_text("3 queues: 0 off target, 0 near target, 2 closed")
        assert (await figures(page, "shut"))[0].endswith("0 % target ≥ 80 % 18 contacts")
        assert await page.locator(f"{TILES} .figure[data-state=off]").count() == 0
        await page.locator(".name", has_text="shut").click()
        await expect(page.locator("#dialog .lead").first).to_contain_text("closed now")
        assert await page.locator("#dialog [data-state=off]").count() == 0


async def test_a_queue_that_is_over_it_says_since_when(browser: Browser) -> None:
    """Half an hour is off target, but nobody waits too long and those of the last minutes were answered in time."""
    board = busy_board([("sales", "voice")])
    for resolution, start in ((10_000, NOON - 600_000), (60_000, NOON - 600_000), (900_000, NOON - 900_000)):
        board.put_cells("t.0", resolution, start, [(("sales", "voice"), pack_cell(busy_cell() | {MET: 0}))])
    for n in range(3):
        waiting(board, ("sales", "voice"), f"w{n}", NOON - 60_000)
    async with ticking(Served(board)) as served, opened(browser, served.url, timezone_id="UTC") as page:
        badge = page.locator(f"{TILES} .overall")
        await expect(badge).to_have_text("Service level")
        assert (await served.get("/v1/now"))[2]["rows"][0]["late"] == 3
        for n in range(3):
            board.put_visits("t.0", f"w{n}", [])
        await expect(badge).to_have_text(re.compile("recovering since .*12:00"))
        await expect(page.locator(TILES)).to_have_attribute("data-state", "recovering")
        await expect(page.locator("#summary")).to_contain_text("0 off target, 0 near target, 1 recovering")


async def test_means_over_several_channels_are_left_out(browser: Browser, served: Served) -> None:
    async with opened(browser, served.url) as page:
        await shown(page, 2)
        seen = page.locator("#everyone .figure:visible dt")
        assert await seen.all_inner_texts() == ["Service level", "Waiting", "Longest wait", "Abandoned"]
        await page.locator("#filter").fill("voice")
        await expect(seen).to_have_count(6)
        assert (await seen.all_inner_texts())[-2:] == ["Speed of answer", "AHT"]


async def test_a_policy_is_on_a_tile_only_where_it_is_another_one(browser: Browser) -> None:
    served = Served(busy_board([(name, "voice") for name in ("a", "b", "odd")]))
    served.targets = Targets.of({"queues": {"odd": {"policy": "answered_only"}}})
    async with ticking(served), opened(browser, f"{served.url}/#order=name") as page:
        await shown(page, 3)
        assert await texts(page, f"{TILES} .policy") == ["", "", "Service level: answered only"]


async def test_every_tile_says_where_it_goes_and_its_line_agrees(browser: Browser) -> None:
    """It was better an hour ago, and only the present is worse: the line ends there, and the word says so."""
    board = Board(NOON)
    cell = {number: 2 * n for number, n in busy_cell().items()}
    put(board, ("sales", "voice"), cell | {MET: 8, TALK: 2 * 900_000})
    waiting(board, ("sales", "voice"), "one", NOON - 12_000)
    for n in range(1, 8):
        before = cell | {MET: 36, NUMBERS["offered"]: 0}
        board.put_cells("t.0", 900_000, NOON - n * 900_000, [(("sales", "voice"), pack_cell(before))])
    async with ticking(Served(board)) as served, opened(browser, f"{served.url}/#window=30m") as page:
        figure = page.locator(f"{TILES} [data-kpi=service_level]")
        way = figure.locator(".way")
        await expect(way).to_have_text("↘ worse")
        words = "worse, compared with the hour before the last 30 minutes: 100 % → 22.2 %"
        assert await way.get_attribute("title") == words
        path = await figure.locator("path").get_attribute("d") or ""
        assert path.count("L") == 7
        heights = [float(height) for height in re.findall(r" ([\d.]+)", path)]
        assert heights[:-1] == [2.0] * 7
        assert heights[-1] == 22.0
        goal = await figure.locator("line").get_attribute("y1")
        assert goal == f"{22 - (0.8 - 2 / 9) / (7 / 9) * 20:.1f}"
        for kpi in ("abandonment", "handle_time", "first_response"):  # a word for eyes as well
            going = page.locator(f"{TILES} [data-kpi={kpi}] .going")
            await expect(going).to_have_text(re.compile("better|worse|steady"))
            assert await going.evaluate("n => getComputedStyle(n).clipPath") == "none"


async def test_a_line_does_not_make_a_crash_of_little(browser: Browser) -> None:
    board = Board(NOON)
    cell = {number: 10 * n for number, n in busy_cell().items()}
    put(board, ("sales", "voice"), cell | {MET: 166})
    for n in range(1, 8):
        board.put_cells(
            "t.0", 900_000, NOON - n * 900_000, [(("sales", "voice"), pack_cell(cell | {MET: 180}))]
        )
    async with ticking(Served(board)) as served, opened(browser, served.url) as page:
        figure = page.locator(f"{TILES} [data-kpi=service_level]")
        await expect(figure.locator(".way")).to_have_text("↘ worse")
        path = await figure.locator("path").get_attribute("d") or ""
        heights = [float(height) for height in re.findall(r" ([\d.]+)", path)]
        assert max(heights) - min(heights) < 6  # of 24: from 100 to 92 %
        assert await figure.locator("line").get_attribute("hidden") is None
