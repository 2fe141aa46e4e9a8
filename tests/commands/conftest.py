"""What tests of planning share."""

import asyncio
from collections.abc import Iterator

import pytest

from .plans import SharedProcess


@pytest.fixture(scope="session")
def planning_process() -> Iterator[SharedProcess]:
    """One for all tests but those of the process itself."""
    process = SharedProcess()
    yield process
    with asyncio.Runner() as runner:
        runner.run(process.end())
