"""Fixtures for every test: real servers, and checks that nothing goes wrong unseen.

A missing server fails the test that needs it. `KAFKA_BOOTSTRAP_SERVERS` and `REDIS_URL` name servers to
use instead of our own; `HYPOTHESIS_PROFILE` chooses `quick`, `default` or `thorough`.
`--quick` runs what needs no server, browser or other program and is not slow, with few examples.
"""

import asyncio
import faulthandler
import gc
import os
import random
import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
import redis.asyncio
from hypothesis import HealthCheck, settings
from pytest_asyncio import is_async_test
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.background import background_errors
from tests.order import longest_first
from tests.services.kafka import Cluster, KafkaBroker
from tests.services.redis import VERSIONS, RedisServer

# Of an external Redis we take one database, never the first, and only if it is empty.
EXTERNAL_REDIS_DATABASE = 15
# pytest-timeout interrupts Python code; what is stuck below it, or between tests, is ended this much later.
STUCK_AFTER_S = 120.0

for _name, _examples in {"quick": 10, "default": 40, "thorough": 5_000}.items():
    # No deadlines: on a shared machine they test the neighbours.
    settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "default")

HERE = Path(__file__).parent
_SERVERS = {"kafka", "redis_server_of", "browser", "s3"}
"""Fixtures that start one."""
_PROGRAMS = {"commands", "demo", "deploy", "e2e", "recipes", "alerts"}
"""Folders whose tests run programs: ours, promtool, the planner's process."""
_LENGTHY = {"demo", "e2e", "recipes"}
"""Folders whose tests take seconds each."""

_stderr = pytest.StashKey[int]()


# --- the run as a whole ---


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what is slow or starts another process")


@pytest.hookimpl(trylast=True)  # of what `-m` leaves
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--quick"):
        left_out = [
            item
            for item in items
            if _SERVERS & {*getattr(item, "fixturenames", ())}
            or _PROGRAMS & {*item.path.relative_to(HERE).parts}
            or item.get_closest_marker("slow")
        ]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in {*left_out}]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = longest_first(items, _rank, workers)


def _rank(item: pytest.Item) -> int:
    """Return in which order workers take it: what takes half a minute, what takes seconds, the rest."""
    if item.get_closest_marker("long"):
        return 0
    return 1 if _LENGTHY & {*item.path.relative_to(HERE).parts} else 2


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of collections: every asynchronous test ends with one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _start_nothing(pytestconfig: pytest.Config) -> None:
    """Of the fixtures above and below all quick tests are free; others start programs themselves."""
    if pytestconfig.getoption("--quick"):
        subprocess.Popen.__init__ = _leave_out  # type: ignore[method-assign]
        BaseProcess.start = _leave_out  # type: ignore[method-assign]


def _leave_out(*_: Any, **__: Any) -> None:
    """Take the place of what starts another process, for tests that do so themselves."""
    pytest.skip("starts another process: `make test` runs it")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--quick"):
        settings.load_profile("quick")
    # Chosen here, so that it can be told: `pytest --hypothesis-seed=N` runs the same examples again.
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(random.SystemRandom().getrandbits(32))
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        config.stash[_stderr] = os.dup(2)


def pytest_unconfigure(config: pytest.Config) -> None:
    faulthandler.cancel_dump_traceback_later()
    os.close(config.stash[_stderr])


def pytest_report_header(config: pytest.Config) -> str:
    return f"hypothesis seed: {config.getoption('--hypothesis-seed')}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(pytest_report_header(config))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Dump all threads and end the run when a test, and then pytest-timeout, is stuck."""
    marker = item.get_closest_marker("timeout")
    given = (marker.args[0] if marker.args else marker.kwargs.get("timeout")) if marker else None
    limit = float(item.config.getini("timeout") if given is None else given)
    if limit:
        faulthandler.dump_traceback_later(limit + STUCK_AFTER_S, exit=True, file=item.config.stash[_stderr])
    try:
        return (yield)
    finally:
        # The next test arms it anew; what comes between and at the end has this long.
        faulthandler.dump_traceback_later(STUCK_AFTER_S, exit=True, file=item.config.stash[_stderr])


# --- errors that nobody looks at ---


@pytest.fixture
async def _no_background_errors() -> AsyncIterator[None]:
    with background_errors(asyncio.get_running_loop()) as errors:
        yield
    if errors:
        pytest.fail("nobody looked at:\n" + "\n".join(errors), pytrace=False)


@pytest.fixture(autouse=True)
def _watch_event_loop(request: pytest.FixtureRequest) -> None:
    """Fail an asynchronous test when a background task raised and nobody looked."""
    if is_async_test(request.node):
        request.getfixturevalue("_no_background_errors")


# --- Kafka ---


@pytest.fixture(scope="session")
def kafka() -> Iterator[Cluster]:
    """Kafka for all tests, which therefore use topics and groups of their own and don't break it."""
    if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield Cluster(given)
        return
    with KafkaBroker() as broker:
        yield broker.cluster


class MakeTopic(Protocol):
    """Creates a topic of a name that nobody else has, and returns the name; deleted after the test.

    It keeps its records for ever unless `config` says otherwise: the stamps of most tests are of the past, and the broker
    would delete them by these before anyone has read them.
    """

    def __call__(self, *, partitions: int = 4, config: Mapping[str, str] | None = None) -> Awaitable[str]: ...


@pytest.fixture
async def make_topic(kafka: Cluster) -> AsyncIterator[MakeTopic]:
    names: list[str] = []

    async def make(*, partitions: int = 4, config: Mapping[str, str] | None = None) -> str:
        name = f"test-{uuid.uuid4().hex[:12]}"
        await kafka.create_topic(name, partitions, {"retention.ms": "-1", **(config or {})})
        names.append(name)
        return name

    yield make
    remaining = await kafka.topics()
    for name in names:
        if name in remaining:  # the test may have deleted it
            await kafka.delete_topic(name)


@pytest.fixture
async def topic(make_topic: MakeTopic) -> str:
    """A new topic of four partitions."""
    return await make_topic()


# --- Redis ---


@pytest.fixture(scope="session")
def redis_server_of() -> Iterator[Callable[[str], RedisServer]]:
    """Our servers by version, each started when it is first asked for."""
    with ExitStack() as running:

        @cache
        def server_of(version: str) -> RedisServer:
            return running.enter_context(RedisServer(version, aof=False))

        yield server_of


@pytest.fixture(scope="session")
def external_redis_url() -> str | None:
    """The database of the external Redis that is ours, if one was given."""
    given = os.environ.get("REDIS_URL")
    if not given:
        return None
    with redis.Redis.from_url(given) as client:
        named = client.connection_pool.connection_kwargs.get("db")
    if not named:
        parts = urlsplit(given)
        query = "&".join(filter(None, [parts.query, f"db={EXTERNAL_REDIS_DATABASE}"]))
        given = urlunsplit(parts._replace(query=query))
    with redis.Redis.from_url(given) as client:
        if client.dbsize():
            pytest.fail("the database of REDIS_URL is not empty, and the tests delete all that is in it")
    return given


@pytest.fixture
def redis_url(
    request: pytest.FixtureRequest,
    redis_server_of: Callable[[str], RedisServer],
    external_redis_url: str | None,
) -> Iterator[str]:
    """An empty Redis database. `@every_redis` runs a test on each version; without, it is the newest.

    `REDIS_URL` takes the place of the newest.
    """
    version = getattr(request, "param", VERSIONS[-1])
    external = external_redis_url if version == VERSIONS[-1] else None
    url = external or redis_server_of(version).url
    with redis.Redis.from_url(url) as client:
        if not external:
            client.script_flush()
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
async def redis_client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of `redis_url` that never tries a command twice."""
    async with redis.asyncio.Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0)) as client:
        yield client
