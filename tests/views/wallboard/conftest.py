"""The wallboard in one browser for all its tests, which therefore share an event loop; each has a page of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.background import background_errors
from tests.services.browser import chromium
from tests.views.intervals.kept import Kept
from tests.views.serving import Served

from .screen import busy_board, ticking


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def served() -> AsyncIterator[Served]:
    async with ticking(Served(busy_board(), Kept())) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def _no_background_errors() -> AsyncIterator[None]:
    """As for every test, in the loop of these."""
    with background_errors(asyncio.get_running_loop()) as errors:
        yield
    if errors:
        pytest.fail("nobody looked at:\n" + "\n".join(errors), pytrace=False)
