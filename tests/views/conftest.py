"""Views that are served."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from stream_app.views.door import Limits
from tests.views.examples import busy_board
from tests.views.serving import Served

Limited = Callable[[Limits], Awaitable[Served]]
"""Serves views under these limits."""


@pytest.fixture
async def limited() -> AsyncIterator[Limited]:
    all_served: list[Served] = []

    async def serve(limits: Limits) -> Served:
        served = Served(busy_board(), limits=limits)
        await served.start()
        all_served.append(served)
        return served

    yield serve
    for served in all_served:
        await served.runner.cleanup()


@pytest.fixture
async def served(limited: Limited) -> Served:
    return await limited(Limits())
