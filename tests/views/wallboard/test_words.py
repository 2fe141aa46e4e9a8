"""Every word of the page is in a catalogue, the catalogues agree, and longer words than English ones have room."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.services.browser import opened
from tests.views.examples import NOON, waiting
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import TILES, busy_board, give_up, looked_over, many, shown, ticking, worry

pytestmark = pytest.mark.asyncio(loop_scope="session")

STATIC = files("stream_app.views") / "static"
MINE = [  # plan….js have words of their own
    file.name
    for file in STATIC.iterdir()
    if file.name.endswith((".js", ".html")) and not file.name.startswith(("plan", "words-"))
]
ACCENTED = str.maketrans("aeiouAEIOU", "àéîöûÀÉÎÖÛ")
DATA = {"sales", "care", "voice", "chat", "gone", "risk", "g", "s", "min", "h"}
# What is left of each piece of text when all that a catalogue holds, which is in brackets, is taken out.
LEFT = """data => {
  const strip = text => {
    let depth = 0, out = "";
    for (const letter of text) {
      if (letter === "⟦") depth += 1;
      if (!depth) out += letter;
      if (letter === "⟧") depth -= 1;
    }
    return out;
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, isText = node.nodeType === 3, element = isText ? node.parentElement : node;
    if (element.closest("[lang], kbd, script, style, noscript, template, #table-of-data") && !element.matches("html")) continue;
    const texts = isText ? [node.textContent]
      : ["aria-label", "title", "placeholder"].map(name => node.getAttribute(name) ?? "");
    for (const text of texts) {
      const words = strip(text).match(/[\\p{L}][\\p{L}-]*/gu) ?? [];
      if (words.some(word => !data.includes(word))) found.push(text);
    }
  }
  return found;
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def catalogues(browser: Browser) -> AsyncIterator[dict[str, dict[str, str]]]:
    async with ticking(Served(busy_board())) as served, opened(browser, f"{served.url}/docs") as page:
        load = "name => import(`/static/words-${name}.js`).then(m => m.default)"
        yield {name: await page.evaluate(load, name) for name in ("en", "de")}


def braces(text: str) -> set[str]:
    return set(re.findall(r"\{\w+\}", text))


async def test_the_catalogues_say_the_same_things(catalogues: dict[str, dict[str, str]]) -> None:
    english, german = catalogues["en"], catalogues["de"]
    assert english.keys() == german.keys()
    assert [key for key in english if braces(english[key]) != braces(german[key])] == []
    assert not [key for texts in catalogues.values() for key, text in texts.items() if not text.strip()]
    same = [key for key in english if english[key] == german[key] and re.search("[a-z]{3}", english[key])]
    assert set(same) <= {
        "details",
        "filter.title",
        "filter.is",
        "filter.group",
        "fresh.live",
        "col.agent",
        "pause",
        "in_time",
        "in_p90",
    }


async def test_every_word_is_used_and_every_use_has_a_word(catalogues: dict[str, dict[str, str]]) -> None:
    text = "\n".join((STATIC / name).read_text(encoding="utf-8") for name in MINE)
    known = {key.removesuffix(".one").removesuffix(".other") for key in catalogues["en"]}
    named = set(re.findall(r"""\bt\("([^"]+)"|data-word(?:-[a-z-]+)?="([^"]+)\"""", text))
    used = {first or second for first, second in named}
    assert used - known == set()
    # Keys that are put together: their beginning or their end is in the code.
    patterns = [
        re.compile(re.escape(pattern).replace("HOLE", r"[\w.]+"))
        for pattern in (
            re.sub(r"\$\{[^}]*\}", "HOLE", one) for one in re.findall(r"`([\w.]*\$\{[^`]*)`", text)
        )
        if re.fullmatch(r"[\w.]+", pattern)
    ]
    literals = set(re.findall(r'"([\w.]+)"', text))
    spare = {
        key for key in known - used - literals if not any(pattern.fullmatch(key) for pattern in patterns)
    }
    assert spare == set()


def pseudo(text: str) -> str:
    """Return a text as a language with longer words would have it, recognisable as ours."""
    parts = re.split(r"(\{\w+\})", text)
    said = "".join(part if part.startswith("{") else part.translate(ACCENTED) for part in parts)
    return f"⟦{said}{'~' * (len(text) // 4)}⟧"


async def spoken(page: Page, english: dict[str, str]) -> None:
    """Let the page take another language for German."""
    body = f"export default {json.dumps({key: pseudo(text) for key, text in english.items()})};"

    async def answer(route: Route) -> None:
        await route.fulfill(body=body, content_type="text/javascript; charset=utf-8")

    await page.route("**/static/words-de.js", answer)


@pytest.mark.parametrize("view", ["desk", "table", "tv"])
async def test_no_word_is_outside_the_catalogue(
    browser: Browser, served: Served, catalogues: dict[str, dict[str, str]], view: str
) -> None:
    for n in range(10):
        give_up(served.board, "gone", 60 + n, 3 if n else 30)
    worry(served.board, "risk", 1.2, 60)
    async with opened(browser, "about:blank", width=1920, height=1080) as page:
        await spoken(page, catalogues["en"])
        await page.goto(f"{served.url}/#lang=de&view={view}&lists=on&filter=a&paused=yes")
        await expect(page.locator("#table .row" if view == "table" else TILES)).to_have_count(2)
        await expect(page.locator("h1")).to_have_text(pseudo(catalogues["en"]["title"]))
        left: Any = await page.evaluate(LEFT, sorted(DATA | {"a"}))
        assert left == []
        for opener in ("#help-open", "#choose", "#dictionary", f"{TILES} .name", "#table .row"):
            if not await page.locator(opener).first.is_visible():
                continue
            await page.locator(opener).first.click()
            await expect(page.locator("#dialog")).to_be_visible()
            assert await page.evaluate(LEFT, sorted(DATA | {"a"})) == [], opener
            await page.keyboard.press("Escape")
            await expect(page.locator("#dialog")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1280, 1920])
async def test_longer_words_have_room(
    browser: Browser, catalogues: dict[str, dict[str, str]], width: int
) -> None:
    async with (
        ticking(Served(many(9))) as served,
        opened(browser, "about:blank", width=width, height=6_000) as page,
    ):
        await spoken(page, catalogues["en"])
        await page.goto(f"{served.url}/#lang=de")
        await shown(page, 9)
        assert (await looked_over(page))[2] == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("view", "queues"), [("desk", 9), ("tv", 12), ("tv", 50)])
async def test_german_has_room(browser: Browser, view: str, queues: int) -> None:
    height = 1080 if view == "tv" else 6_000
    async with (
        ticking(Served(many(queues), Kept())) as served,
        opened(browser, f"{served.url}/#view={view}&lang=de", width=1920, height=height) as page,
    ):
        await shown(page, queues)
        await expect(page.locator("h1")).to_have_text("Contactcenter live")
        assert await page.evaluate("document.documentElement.lang") == "de"
        assert (await looked_over(page))[2] == []


async def test_the_browser_s_language_is_taken_and_another_can_be_chosen(
    browser: Browser, served: Served
) -> None:
    async with opened(browser, served.url, locale="de-AT") as page:
        await shown(page, 2)
        await expect(page.locator("h1")).to_have_text("Contactcenter live")
        await expect(page.locator(f"{TILES} [data-kpi=service_level] .value").first).to_have_text("88,9 %")
        await page.locator("#lang").select_option("en")
        await expect(page.locator("h1")).to_have_text("Live contact centre")
        await expect(page.locator(f"{TILES} [data-kpi=service_level] .value").first).to_have_text("88.9 %")
        assert await page.evaluate("location.hash") == "#lang=en"
    async with opened(browser, served.url, locale="fr-FR") as page:
        await expect(page.locator("h1")).to_have_text("Live contact centre")


@pytest.mark.parametrize("language", ["en", "de"])
async def test_the_controls_are_one_row_at_a_desk(browser: Browser, served: Served, language: str) -> None:
    async with opened(browser, f"{served.url}/#lang={language}&queue=sales", width=1280, height=800) as page:
        await shown(page, 1)
        tops = await page.locator(".bar > :is(#controls, #display)").evaluate_all(
            "all => all.map(n => n.getBoundingClientRect().top)"
        )
        assert tops[0] == tops[1]


async def test_the_table_is_within_the_page_in_german(browser: Browser) -> None:
    board = busy_board([("webshop", "messaging"), ("billing", "voice")])
    waiting(board, ("billing", "voice"), "long", NOON - 1_200_000)
    async with (
        ticking(Served(board)) as served,
        opened(browser, f"{served.url}/#lang=de&view=table", width=1280) as page,
    ):
        await expect(page.locator("#table .row")).to_have_count(2)
        wide = await page.locator("#table").evaluate("n => [n.offsetWidth, n.parentElement.clientWidth]")
        assert wide[0] <= wide[1], wide
