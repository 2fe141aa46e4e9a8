"""What ``serve`` shows of a mirror: one moment, however long somebody looks."""

import asyncio
import resource
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from stream_app.model.live.rows import everywhere
from stream_app.model.pieces import whole
from stream_app.model.ports import FILE, Partition
from stream_app.model.windows import WINDOWS
from stream_app.processes import serve as serving
from stream_app.processes.serve import Mirror, limits
from stream_app.settings import load
from stream_app.store.health import PartitionHealth
from stream_app.store.reader import Reader
from stream_app.views.door import Limits
from tests.services.process import until
from tests.views.examples import busy_board


@pytest.fixture
async def mirror() -> Mirror:
    reader = Reader("redis://127.0.0.1:1")  # which nobody follows
    reader.board = busy_board()
    return Mirror(reader, 4.0)


async def test_time_stands_still_while_somebody_looks(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, watch = mirror.now(), mirror._reader.clock
    monkeypatch.setattr(watch, "now", lambda: clock + 5_000)
    async with mirror.still:
        looking = mirror.snapshot(WINDOWS, everywhere)
        next(looking)
        monkeypatch.setattr(watch, "now", lambda: clock + 9_000)
        assert mirror.now() == clock + 5_000, "somebody else asks what time it is"
        assert whole(looking).at == clock + 5_000
    assert mirror.now() == clock + 9_000


async def test_partitions_are_those_of_the_topic(mirror: Mirror) -> None:
    """Files that were counted beside it are none of them; nor is a topic whose contacts were moved."""
    health = mirror._reader.health
    for partition in (Partition("events", 0), Partition("events", 1), Partition(f"{FILE}monday.ndjson", 0)):
        health[str(partition)] = PartitionHealth()
    health[str(Partition("former", 0))] = PartitionHealth(retired=True)
    assert mirror.status().partitions == 2


async def test_the_version_of_the_targets_is_told(mirror: Mirror) -> None:
    assert mirror.status().targets_version == 0
    mirror._reader.targets_version = 3
    assert mirror.status().targets_version == 3


async def test_it_publishes_at_most_half_of_the_time() -> None:
    """What takes long to make must leave time to those who ask."""
    reader, loop = Reader("redis://127.0.0.1:1"), asyncio.get_running_loop()
    spans: list[tuple[float, float]] = []

    async def publish() -> None:
        begun = loop.time()
        await asyncio.sleep(2 / serving.RATE)
        spans.append((begun, loop.time()))
        reader.changed.set()

    reader.changed.set()
    task = asyncio.create_task(serving.refresh(reader, publish))
    await until(lambda: len(spans) == 3)
    task.cancel()
    await asyncio.wait([task])
    for (begun, ended), (again, _) in pairwise(spans):
        assert again - ended > 0.9 * (ended - begun)


def test_descriptors_are_taken_as_far_as_they_go(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [(400, 1_000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: given[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: given.append(wanted))
    monkeypatch.setenv("STREAM_APP_MAX_CONNECTIONS", "500")
    monkeypatch.setenv("STREAM_APP_MAX_STREAMS_PER_ADDRESS", "7")
    assert limits(load()) == Limits(connections=500, streams_of_one=7)
    assert given[1:] == [(600, 1_000)]
    given.append((350, 350))
    with capture_logs() as logs:
        assert limits(load()) == Limits(connections=250, streams_of_one=7)
    assert [(log["event"], log["connections"]) for log in logs] == [("few_descriptors", 250)]


def test_what_is_served_by_default_is_what_the_views_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert limits(load({})) == Limits()
