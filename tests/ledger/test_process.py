"""``stream-app ledger``, the process: killed wherever it can be, doubled, stopped, on a full disk, without its bucket."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from urllib.request import urlopen

import pytest
from redis.asyncio import Redis

from stream_app.ledger.bucket import BucketFiles
from stream_app.ledger.local_files import LocalFiles
from stream_app.store import keys
from tests.e2e.worker import LedgerProcess
from tests.services.process import HOST, free_port, until
from tests.services.proxy import FaultProxy
from tests.services.s3 import BUCKET, KEYS, S3Server, options

from .desk import P0, PLACES, Commits, identities, newest


@pytest.fixture
async def start(tmp_path: Path, redis_url: str) -> AsyncIterator[Callable[..., LedgerProcess]]:
    """Starts processes; all have ended after the test."""
    started: list[LedgerProcess] = []

    def make(ledger: object, before: Sequence[str] = (), **environment: str) -> LedgerProcess:
        one = LedgerProcess(tmp_path / f"{len(started)}.log", redis_url, ledger, before, **environment)
        started.append(one)
        one.start()
        return one

    yield make
    for one in started:
        one.close()


@asynccontextmanager
async def counting(commits: Commits) -> AsyncIterator[None]:
    """Commit all the time."""

    enough = asyncio.Event()  # Redis's client may swallow a cancellation

    async def go_on() -> None:
        while not enough.is_set():
            await commits.visits()
            commits.time += 1_000
            await asyncio.sleep(0.01)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        enough.set()
        await task


def _any_ended(processes: Sequence[LedgerProcess]) -> bool:
    return not all(one.running for one in processes)


async def empty(client: Redis) -> bool:
    """Whether all that was counted was taken out of the outbox."""
    return not await client.xlen(keys.outbox(P0))


@pytest.mark.long
async def test_killed_wherever_it_can_be_it_leaves_no_row_twice_and_none_out(
    tmp_path: Path, redis_client: Redis, start: Callable[..., LedgerProcess]
) -> None:
    """Two of them at all times, each killed at every place of a step."""
    commits, random = Commits(redis_client), Random(18)
    storage = LocalFiles(tmp_path / "ledger")
    places = [*PLACES, *PLACES]
    random.shuffle(places)

    def begin(place: str) -> LedgerProcess:
        return start(tmp_path / "ledger", STREAM_APP_FAILPOINTS=f"{place}:exit:n={random.randint(1, 2)}")

    async with counting(commits):
        running = [begin(places.pop()), begin(places.pop())]
        killed: list[LedgerProcess] = []
        while running:
            await until(partial(_any_ended, running), 60, "one is killed")
            await redis_client.delete(keys.writer(P0))  # or the other one would wait until the lease ends
            ended = [one for one in running if not one.running]
            killed += ended
            running = [one for one in running if one.running] + [begin(places.pop()) for _ in ended if places]
    assert [one.exit_code for one in killed] == [-signal.SIGKILL] * 8
    last = start(tmp_path / "ledger")
    await until(lambda: empty(redis_client), 60)
    assert last.stop() == 0
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())
    held = await newest(storage)
    assert (held.cuts, held.holes, held.end) == ((), (), commits.out)


async def test_sigterm_ends_it_and_another_one_takes_over_at_once(
    tmp_path: Path, redis_client: Redis, start: Callable[..., LedgerProcess]
) -> None:
    commits, port = Commits(redis_client), free_port()
    await commits.visits()
    first = start(tmp_path / "ledger", STREAM_APP_METRICS_PORT=str(port))
    await until(lambda: empty(redis_client), 20)

    def metrics() -> str:
        with urlopen(f"http://{HOST}:{port}/metrics") as reply:
            return str(reply.read().decode())

    await until(lambda: 'stream_app_ledger_lag_entries{partition="calls.0"} 0.0' in metrics(), 10)
    shown = metrics()
    for name, value in {"files": 1, "holes": 0, "outbox_bytes": 0, "lag_seconds": 0}.items():
        assert f'stream_app_ledger_{name}{{partition="calls.0"}} {value:.1f}' in shown
    assert "stream_app_ledger_rows_total 3.0" in shown

    second = start(tmp_path / "ledger")
    await commits.visits()
    await until(lambda: empty(redis_client), 20)
    assert first.stop() == 0
    await commits.visits()
    await until(lambda: empty(redis_client), 20, "well before the lease would have ended")
    assert second.stop() == 0
    assert await identities(LocalFiles(tmp_path / "ledger"), tmp_path) == sorted(commits.counted.items())


async def test_a_full_disk_stops_nothing_but_the_ledger(
    tmp_path: Path, redis_client: Redis, start: Callable[..., LedgerProcess]
) -> None:
    """A process that may write no more bytes into a file than a manifest needs: the system refuses the rest."""
    commits = Commits(redis_client)
    await commits.visits(2_000)

    limited = start(tmp_path / "ledger", ("prlimit", "--fsize=8192", "--"))
    await until(lambda: limited.count("ulimit -f"), 30, "it says what is wrong")
    assert limited.running
    assert limited.stop() == 0
    assert await redis_client.xlen(keys.outbox(P0)) == 1
    storage = LocalFiles(tmp_path / "ledger")
    assert (await newest(storage)).number == 0
    assert start(tmp_path / "ledger").running
    await until(lambda: empty(redis_client), 20)
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())


async def test_a_bucket_that_comes_and_goes(
    tmp_path: Path, redis_client: Redis, s3: S3Server, start: Callable[..., LedgerProcess]
) -> None:
    commits = Commits(redis_client)
    prefix = f"process/{tmp_path.name}"
    async with FaultProxy(s3.port) as proxy:
        proxy.refuse()
        one = start(
            f"s3://{BUCKET}/{prefix}",
            AWS_ENDPOINT_URL=f"http://{HOST}:{proxy.port}",
            AWS_REGION="us-east-1",
            AWS_ACCESS_KEY_ID=KEYS["access_key_id"],
            AWS_SECRET_ACCESS_KEY=KEYS["secret_access_key"],
        )
        async with counting(commits):
            await until(lambda: one.count("ledger_not_written"), 30, "it says that it can't reach the bucket")
            await proxy.heal()
            storage = BucketFiles(BUCKET, prefix, options(s3.port))
            for fault in (
                proxy.reset,
                lambda: proxy.cut_after(3_000),
                lambda: proxy.drop_replies(3, matching=b"PUT"),
            ):
                number = (await newest(storage)).number
                fault()

                async def further(number: int = number) -> bool:
                    return (await newest(storage)).number > number

                await until(further, 60)
        await until(lambda: empty(redis_client), 60)
        assert one.stop() == 0
    assert await identities(storage, tmp_path) == sorted(commits.counted.items())
    assert KEYS["secret_access_key"] not in one.log.read_text()


@pytest.mark.parametrize(
    ("ledger", "days", "said"),
    [
        ("", "400", "STREAM_APP_LEDGER is not set"),
        ("ftp://somewhere", "400", "expected a folder or an address such as s3://bucket/prefix"),
        ("ledger", "400,visit=3", "unknown table 'visit'; use one of visits, replies"),
    ],
)
async def test_with_wrong_settings_it_does_not_start(
    ledger: str, days: str, said: str, start: Callable[..., LedgerProcess]
) -> None:
    one = start(ledger, STREAM_APP_LEDGER_DAYS=days)
    assert await asyncio.to_thread(one.wait) == 78
    assert one.count(said) == 1
