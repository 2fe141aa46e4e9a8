"""What tests of the ledger share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stream_app.ledger.local_files import LocalFiles
from stream_app.store.outbox import Outboxes
from tests.services.s3 import S3Proxy, S3Server


@pytest.fixture
async def outboxes(redis_url: str) -> AsyncIterator[Outboxes]:
    made = Outboxes(redis_url)
    yield made
    await made.close()


@pytest.fixture
def storage(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path / "ledger")


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


@pytest.fixture
async def road(s3: S3Server) -> AsyncIterator[S3Proxy]:
    async with S3Proxy(s3.port) as proxy:
        yield proxy
