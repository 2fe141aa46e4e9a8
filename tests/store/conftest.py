"""Stores for the contract: in memory, and on each real Redis."""

from collections.abc import AsyncIterator, Callable

import pytest

from stream_app.store.redis import RedisStore
from tests.services.redis import VERSIONS, RedisServer

from .backends import Backend, Memory, Real
from .office import Office, opened


def _real(server_of: Callable[[str], RedisServer], version: str) -> Real:
    backend = Real(server_of(version).url)
    backend.client.flushall()
    return backend


@pytest.fixture(params=["memory", *VERSIONS])
async def backend(
    request: pytest.FixtureRequest, redis_server_of: Callable[[str], RedisServer]
) -> AsyncIterator[Backend]:
    """Every store in turn, empty."""
    chosen = Memory() if request.param == "memory" else _real(redis_server_of, request.param)
    yield chosen
    await chosen.close()


@pytest.fixture(params=VERSIONS)
async def real(
    request: pytest.FixtureRequest, redis_server_of: Callable[[str], RedisServer]
) -> AsyncIterator[Real]:
    """Every Redis in turn, empty."""
    chosen = _real(redis_server_of, request.param)
    yield chosen
    await chosen.close()


@pytest.fixture
async def office(real: Real) -> AsyncIterator[Office]:
    async with opened(real) as office:
        yield office


@pytest.fixture
async def store(redis_url: str) -> AsyncIterator[RedisStore]:
    """A store on the Redis of the other tests."""
    store = RedisStore(redis_url)
    yield store
    await store.close()
