"""The planning page in one browser for all its tests, over a centre whose plans are known by the interface."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest_asyncio

from stream_app.workforce.schedules import Shift
from tests.commands.plans import CARE, SALES, TODAY, World, centre, ms, served
from tests.views.wallboard.conftest import _no_background_errors, browser

__all__ = ["_no_background_errors", "browser", "world"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world() -> AsyncIterator[World]:
    """Too many people in the morning, and too few in the evening; a second queue is ten days old."""
    async with served(centre(SALES), centre(CARE, begin=TODAY - timedelta(days=10))) as running:
        running.schedules.apply(
            Shift(*SALES, ms(TODAY, 8) / 1000, ms(TODAY, 16) / 1000, 13),
            Shift(*SALES, ms(TODAY, 9.25) / 1000, ms(TODAY, 20) / 1000, 6),
        )

        async def tick() -> None:
            while True:
                await asyncio.sleep(0.25)
                running.served.publish()

        task = asyncio.create_task(tick())
        try:
            yield running
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
