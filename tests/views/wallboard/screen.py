"""Boards to look at, and how they are looked at."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

from playwright.async_api import Page, expect

from stream_app.model.fold.cells import NUMBERS, Cell, pack_cell
from stream_app.model.fold.visit import Visit, VisitState
from stream_app.model.live.board import Board
from tests.services.browser import texts
from tests.views import examples
from tests.views.examples import NOON, put, waiting
from tests.views.serving import Served

NAMES = ("billing", "sales", "claims", "technical", "customer-care", "complaints", "warranty-north")
CHANNELS = ("voice", "chat", "email")
TILES = "#queues .tile:not([hidden])"


@asynccontextmanager
async def ticking(served: Served, port: int = 0) -> AsyncIterator[Served]:
    """Serve, and publish as ``serve`` does."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.25)
            served.publish()

    await served.start(port)
    task = asyncio.create_task(tick())
    try:
        yield served
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await served.runner.cleanup()


def busy_cell() -> Cell:
    """Enough contacts to be judged."""
    return {number: 2 * n for number, n in examples.busy_cell().items()}


def busy_board(queues: Sequence[tuple[str, str]] = (("sales", "voice"), ("care", "chat"))) -> Board:
    """Queues with enough contacts to be judged, and one waiting in each."""
    board = Board(NOON)
    for n, queue in enumerate(queues):
        put(board, queue, busy_cell())
        waiting(board, queue, f"c{n}", NOON - 12_000)
    return board


def many(count: int, *, calm: bool = False) -> Board:
    """So many queue-channels, in all states, with long and short waits, and a day behind them; or all of them on target."""
    board, rng = Board(NOON), Random(7)
    for n in range(count):
        queue = (f"{NAMES[n % len(NAMES)]}-{n:02}", CHANNELS[n % 3])
        cell = busy_cell() | ({3: 2 * rng.randrange(9)} if n % 4 == 0 and not calm else {})
        put(board, queue, cell)
        for quarter in range(1, 9):
            worse = examples.busy_cell() | {NUMBERS["talk_ms"]: rng.choice((900_000, 8_000_000))}
            board.put_cells("t.0", 900_000, NOON - 900_000 * quarter, [(queue, pack_cell(worse))])
        for contact in range(0 if calm else rng.choice((0, 0, 1, 3, 123))):
            waiting(board, queue, f"c{n}-{contact}", NOON - rng.choice((3_000, 59_000, 770_000, 4_000_000)))
    return board


def give_up(board: Board, contact: str, ago_s: float, wait_s: float, queue: str = "sales") -> None:
    at, wait = NOON - round(ago_s * 1000), round(wait_s * 1000)
    visit = Visit(queue, "voice", VisitState.ABANDONED, at - wait, at, 20_000, 5_000, b"12345678", wait=wait)
    board.put_visits("t.0", contact, [visit])


def worry(board: Board, contact: str, predicted: float, since_s: float, queue: str = "sales") -> None:
    at = NOON - round(since_s * 1000)
    visit = Visit(queue, "voice", VisitState.TALKING, at, at, 20_000, 5_000, b"12345678", agent="g")
    visit.predicted = round(predicted * 1000)
    board.put_visits("t.0", contact, [visit])


async def shown(page: Page, count: int | None = None) -> None:
    """Wait until tiles are there."""
    if count is None:
        await expect(page.locator(TILES).first).to_be_visible()
    else:
        await expect(page.locator(TILES)).to_have_count(count)


async def names(page: Page) -> list[str]:
    return await texts(page, f"{TILES} h2")


async def figures(page: Page, queue: str) -> list[str]:
    """What stands in a queue's tile, without where it goes."""
    found: list[str] = await page.locator(
        f'#queues .tile:has(.name:text-is("{queue}")) .figure'
    ).evaluate_all(
        "all => all.map(n => [...n.children].filter(c => c.checkVisibility() && !c.matches('.trend'))"
        ".map(c => c.innerText).join(' '))"
    )
    # What is for ears only stands on a line of its own.
    return [" ".join(text.split()).replace(" : ", ": ") for text in found]


# Every piece of text that eyes see, with the box of its letters: what a font reserves above and below is left out.
PIECES = """root => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), out = [];
  while (walker.nextNode()) {
    const node = walker.currentNode, range = document.createRange();
    range.selectNodeContents(node);
    if (!node.textContent.trim() || !node.parentElement.checkVisibility()) continue;
    let up = node.parentElement; // for ears only: clipped away
    while (up && getComputedStyle(up).clipPath === "none") up = up.parentElement;
    if (up) continue;
    for (const {left, right, top, bottom, height} of range.getClientRects()) out.push({ // one for each line of it
      text: node.textContent.trim(), left, right, top: top + height * .16, bottom: bottom - height * .16,
      font: parseFloat(getComputedStyle(node.parentElement).fontSize),
      place: node.parentElement.closest(".figure")?.dataset.place ?? "", value: node.parentElement.matches(".value > span"),
    });
  }
  return out;
}"""
Piece = dict[str, Any]


def crowded(pieces: list[Piece], inside: Piece) -> list[str]:
    """What stands outside its box, or over another piece."""
    spilled = [
        f"{p['text']!r} spills"
        for p in pieces
        if p["left"] < inside["left"] - 1
        or p["right"] > inside["right"] + 1
        or p["top"] < inside["top"] - 1
        or p["bottom"] > inside["bottom"] + 1
    ]
    return spilled + [
        f"{a['text']!r} over {b['text']!r}"
        for n, a in enumerate(pieces)
        for b in pieces[n + 1 :]
        if min(a["right"], b["right"]) - max(a["left"], b["left"]) > 1
        and min(a["bottom"], b["bottom"]) - max(a["top"], b["top"]) > 1
    ]


async def looked_over(page: Page) -> tuple[list[str], list[Piece], list[str]]:
    """The tiles in view: their names, all their pieces of text, and what is wrong with their places."""
    found: list[tuple[Piece, list[Piece]]] = await page.evaluate(
        f"""() => [...document.querySelectorAll("{TILES}")].map(tile => {{
          const {{left, right, top, bottom}} = tile.getBoundingClientRect();
          return [{{left, right, top, bottom}}, ({PIECES})(tile)];
        }})"""
    )
    size = page.viewport_size
    assert size
    screen = {"left": 0, "right": size["width"], "top": 0, "bottom": size["height"]}
    wrong = [line for box, pieces in found for line in crowded(pieces, box)]
    boxes = [{**box, "text": str(n)} for n, (box, _) in enumerate(found)]
    return await names(page), [p for _, pieces in found for p in pieces], wrong + crowded(boxes, screen)
