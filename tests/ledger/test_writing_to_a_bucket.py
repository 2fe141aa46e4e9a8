"""The road to a bucket fails in every way that roads do: each row is there once all the same."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from redis.asyncio import Redis

from stream_app.ledger.bucket import BucketFiles
from stream_app.ledger.storage import LedgerUnavailableError
from stream_app.store import keys
from stream_app.store.outbox import Outboxes
from tests.services.s3 import BUCKET, Fault, S3Proxy, S3Server, options

from .desk import MINUTE, P0, Clock, Commits, identities, newest, reply_row, visit_row, writer

FAULTS = st.tuples(
    st.sampled_from(Fault), st.sampled_from(("manifests", "visits", "replies")), st.integers(1, 8)
)


@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=st.lists(st.lists(FAULTS, max_size=3), min_size=1, max_size=4))
async def test_cuts_refusals_and_lost_replies_leave_no_row_twice_and_none_out(
    *,
    rounds: list[list[tuple[Fault, str, int]]],
    s3: S3Server,
    road: S3Proxy,
    redis_client: Redis,
    outboxes: Outboxes,
    tmp_path: Path,
) -> None:
    await redis_client.flushdb()
    prefix = uuid4().hex
    bucket, clock = BucketFiles(BUCKET, prefix, options(road.port), retry_s=0.5), Clock()
    commits, one = Commits(redis_client), writer(outboxes, bucket, clock)
    for faults in rounds:
        for fault, path, times in faults:
            road.fail(fault, times, path=f"/{path}/")
        await commits.commit([visit_row(commits.position), reply_row(commits.position, 1)])
        clock.now += MINUTE
        with suppress(LedgerUnavailableError):
            await one.round()
    road.heal()
    clock.now += MINUTE
    for _ in range(2):
        await one.round()
    direct = BucketFiles(BUCKET, prefix, options(s3.port))
    assert await identities(direct, tmp_path) == sorted(commits.counted.items())
    assert await redis_client.xlen(keys.outbox(P0)) == 0
    held = await newest(direct)
    assert (held.cuts, held.holes, held.end) == ((), (), commits.out)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.BUSY_AFTER])
async def test_a_manifest_that_was_added_though_nobody_said_so_is_known_as_our_own(
    fault: Fault, road: S3Proxy, redis_client: Redis, outboxes: Outboxes, tmp_path: Path
) -> None:
    bucket = BucketFiles(BUCKET, uuid4().hex, options(road.port))
    commits = Commits(redis_client)
    await commits.visits()
    road.fail(fault, path="/manifests/")
    one = writer(outboxes, bucket, Clock())
    try:
        assert await one.round() == 3
    except LedgerUnavailableError:  # the library does not repeat what may have been done
        assert fault == Fault.LOST
        assert await one.round() == 0
    assert road.counts[fault] == 1
    assert (await newest(bucket)).number == 1
    assert await redis_client.xlen(keys.outbox(P0)) == 0
    assert await identities(bucket, tmp_path) == sorted(commits.counted.items())
