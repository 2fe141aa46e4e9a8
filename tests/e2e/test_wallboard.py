"""The wallboard at the end of the whole road, in a real browser and with the settings that users get."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.services.browser import chromium, opened
from tests.services.process import until

from .pipeline import Pipeline, answered, day, event, gone, now_ms, queued
from .serve import Serve

MOVES_WITHIN_S = 1.0
STALE_WITHIN_S = 5.0
EVENTS = 12


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


def told(row: dict[str, Any]) -> dict[str, str]:
    """A row of ``/v1/now`` in a person's words, by arithmetic of our own: KPI → what must stand in its tile."""
    today = row["windows"]["today"]

    def per_cent(name: str) -> str:
        value = today[name]["value"]
        return "–" if value is None else f"{100 * value:.{0 if value in (0, 1) else 1}f} %"  # noqa: RUF001 - a dash

    def duration(seconds: float | None, *, whole: bool = False) -> str:
        if seconds is None:
            return "–"  # noqa: RUF001 - a dash
        if whole and seconds < 100:
            return f"{int(seconds)} s"
        if seconds < 9.95:
            return f"{seconds:.1f} s"
        s = int(seconds + 0.5)
        return f"{s} s" if s < 100 else f"{s // 60}:{s % 60:02} min"

    levels = row["levels"]

    def waits(many: str, oldest: str) -> dict[str, str]:
        wait = levels[oldest] if levels[many] else None
        return {many: f"{levels[many]:.0f}", oldest: duration(wait, whole=True)}

    common = {
        "service_level": per_cent("service_level"),
        "abandonment": per_cent("abandonment"),
        "first_response": duration(today["first_response"]["value"]),
        "handle_time": duration(today["handle_time"]["value"]),
    }
    if levels["awaiting_reply"] is None:
        return common | waits("backlog", "oldest_waiting")
    counts = {name: f"{levels[name]:.0f}" for name in ("open_conversations", "with_bot")}
    return common | waits("awaiting_reply", "oldest_awaiting_reply") | counts


async def seen(page: Page) -> dict[str, dict[str, str]]:
    """What stands on the page: queue → KPI → value."""
    found: dict[str, dict[str, str]] = await page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#queues .tile")].map(tile => [
          tile.querySelector(".name").textContent,
          Object.fromEntries([...tile.querySelectorAll(".figure")].map(f => [
            f.dataset.kpi, f.querySelector(".value").textContent.trim()]))]))"""
    )
    return found


async def says_what_is_true(page: Page, serve: Serve) -> None:
    async def same() -> bool:
        rows = await serve.rows()
        return bool(rows) and await seen(page) == {queue: told(row) for queue, row in rows.items()}

    await until(same, 10, "the page shows what /v1/now says")


async def moves(pipeline: Pipeline, page: Page, first: int) -> list[float]:
    """Let contacts come one by one; gives how many seconds each took from its event to the page."""
    value = page.locator('.tile:has(.name:text-is("waits")) [data-kpi=backlog] .value')
    took = []
    for n in range(first, first + EVENTS):
        sent = time.time()
        await pipeline.produce([queued("waits", f"waits-{n}", now_ms())])
        await expect(value).to_have_text(str(n + 1))
        # When it moved is the page's to say: asking takes time as well.
        took.append(await page.evaluate("window.movedAt / 1000") - sent)
    return took


@pytest.mark.long
@pytest.mark.timeout(180)
async def test_it_is_true_live_and_honest_through_everything(
    pipeline: Pipeline, redis_url: str, browser: Browser
) -> None:
    pipeline.serve = Serve.as_installed(redis_url)
    with pipeline.running():
        await pipeline.trusted()
        async with opened(browser, f"{pipeline.serve.url}/#window=today&order=name", away=True) as page:
            await expect(page.locator("#nothing")).to_have_text("No contacts yet.")

            start = now_ms() - 300_000
            contacts = [
                *day("billing", start),
                *answered("sales", start, 3.2),
                *answered("sales", start, 42.0),
            ]
            await pipeline.produce([*contacts, *gone("sales", start, 31.0, "contact.abandoned")])
            await pipeline.until_over({"billing": 100, "sales": 3})
            await says_what_is_true(page, pipeline.serve)
            await expect(page.locator("#ring .count")).to_have_text("10")
            await expect(page.locator("#short-hidden")).to_have_text("4 short abandons hidden.")
            await expect(page.locator("#ring tbody tr").first).to_contain_text("min ago")

            await page.evaluate(
                """() => { new MutationObserver(list => {
                  if (list.some(m => m.target.parentElement?.closest("[data-kpi=backlog] .value") || m.target.matches?.(
                    "[data-kpi=backlog] .value span"))) window.movedAt = performance.timeOrigin + performance.now();
                }).observe(document.getElementById("queues"), {childList: true, characterData: true, subtree: true});
                new MutationObserver(() => { if (document.body.classList.contains("stale"))
                  window.staleAt ??= performance.timeOrigin + performance.now();
                }).observe(document.body, {attributeFilter: ["class"]}); }"""
            )
            took = await moves(pipeline, page, 0)
            worry = event(now_ms(), "sentiment.scored", "waits-1", score=-0.8, predicted_csat=1.4)
            await pipeline.produce([worry])
            await expect(page.locator("#risk td.contact")).to_have_text("waits-1")
            await says_what_is_true(page, pipeline.serve)

            killed = time.time()
            pipeline.worker.close()
            await expect(page.locator("body")).to_have_class("stale")
            stale = await page.evaluate("window.staleAt / 1000") - killed
            await expect(page.locator("#alarm")).to_contain_text("the numbers stopped at")
            await expect(page.locator("#queues .tile .old").first).to_contain_text("stale")
            pipeline.worker.start()
            await expect(page.locator("body")).not_to_have_class("stale")
            took += await moves(pipeline, page, EVENTS)

            pipeline.serve.kill()
            await expect(page.locator("#alarm")).to_contain_text("No connection")
            await pipeline.produce([queued("later", "later-1", now_ms())])
            pipeline.serve.start()
            await expect(page.locator("body")).not_to_have_class("stale")
            await expect(page.locator(".name", has_text="later")).to_be_visible()
            took += await moves(pipeline, page, 2 * EVENTS)
            await says_what_is_true(page, pipeline.serve)
            assert (
                await page.evaluate("performance.getEntriesByType('navigation').length") == 1
            )  # never reloaded
    print(f"moved within {max(took):.2f} s, stale {stale:.1f} s after the worker was killed")  # noqa: T201 - figures
    assert 0 < min(took) <= max(took) < MOVES_WITHIN_S
    assert 0 < stale < STALE_WITHIN_S
