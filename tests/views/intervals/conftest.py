"""Interval rows that are served."""

from collections.abc import AsyncIterator

import pytest

from tests.views.examples import busy_board
from tests.views.serving import Served

from .kept import MONDAY, Kept, stretch


@pytest.fixture
def kept() -> Kept:
    """Two days of two queues, one of them by two channels."""
    places = (("billing", "voice"), ("sales", "chat"), ("sales", "voice"))
    end = MONDAY + 2 * 86_400_000
    return Kept([row for n, place in enumerate(places) for row in stretch(MONDAY, end, *place, n)])


@pytest.fixture
async def rows(kept: Kept) -> AsyncIterator[Served]:
    """Served."""
    served = Served(busy_board(), kept)
    await served.start()
    yield served
    await served.runner.cleanup()
