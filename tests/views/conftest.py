"""Views that are served."""

from collections.abc import AsyncIterator

import pytest

from tests.views.examples import busy_board
from tests.views.serving import Served


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served(busy_board())
    await served.start()
    yield served
    await served.runner.cleanup()
