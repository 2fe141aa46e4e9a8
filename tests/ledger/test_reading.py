"""What is read: no more files than needed, from a bucket as from a folder, nobody who was forgotten, and within limits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from stream_app.ledger.auditing import audit
from stream_app.ledger.bucket import BucketFiles
from stream_app.ledger.cached_files import CachedFiles
from stream_app.ledger.columns import TABLES
from stream_app.ledger.contacts import LedgerContacts
from stream_app.ledger.covering import Coverage, UnknownTime, merged
from stream_app.ledger.exploding import Exploder
from stream_app.ledger.forgetting import Forgetter
from stream_app.ledger.libraries import LedgerMissingError
from stream_app.ledger.local_files import LocalFiles
from stream_app.ledger.manifest import RowsFile
from stream_app.ledger.opening import open_contacts
from stream_app.ledger.querying import FailedQueryError, TooLargeQueryError, TooSlowQueryError
from stream_app.ledger.reading import AHEAD, LedgerReader, ReadRange
from stream_app.ledger.storage import LedgerUnavailableError
from stream_app.model.contacts import ContactQuery, ContactsAwayError, ContactsMissingError
from stream_app.settings import load
from stream_app.store.moments import Moments
from tests.services.s3 import BUCKET, Fault, S3Proxy, S3Server, options

from .centre import Centre
from .test_finding_contacts import EVER

ALL = ReadRange((*TABLES,), 0, EVER["end"])


@pytest.fixture
async def centre(redis_url: str, storage: LocalFiles) -> AsyncIterator[Centre]:
    made = Centre(redis_url, storage, contacts=150)
    await made.claim()
    for desk in made.desks:
        for _ in range(4):
            await desk.count(200)
            await desk.write()
        await desk.count(50)
    yield made
    await made.close()


def everything(_: list[Coverage]) -> ReadRange:
    return ALL


# --- a bucket ---


async def test_a_bucket_is_read_like_a_folder_and_each_file_once(
    redis_url: str, s3: S3Server, road: S3Proxy, tmp_path: Path
) -> None:
    centre = Centre(redis_url, BucketFiles(BUCKET, tmp_path.name, options(s3.port)), contacts=150)
    await centre.claim()
    for desk in centre.desks:
        await desk.count(600)
        await desk.write()
        await desk.count(50)
    bucket = BucketFiles(BUCKET, tmp_path.name, options(road.port), retry_s=5)
    cache = CachedFiles(bucket)
    reader = LedgerReader(bucket, Moments(redis_url), {"": 4_000}, cache)
    assert [one.differences for one in await audit(reader, await centre.moments.names())] == [[], []]
    first, size = road.counts["requests"], cache.size
    assert size > 10_000
    contacts = LedgerContacts(reader)
    page = await contacts.find(ContactQuery(**EVER))
    assert page.total > 100
    assert road.counts["requests"] - first <= 4, "listings, and no file"
    assert cache.size == size

    road.fail(Fault.CUT, 2, method="GET")
    assert (await contacts.find(ContactQuery(**EVER))).total == page.total, "what fails is tried again"
    road.fail(Fault.BUSY, 1_000, method="GET")
    with pytest.raises(ContactsAwayError):
        await contacts.find(ContactQuery(**EVER))
    road.heal()
    await reader.close()
    await centre.close()


class Slow(LocalFiles):
    """Files that are copied, as those of a bucket are."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fetched: list[str] = []

    def here(self, name: str) -> None:
        del name

    async def fetch(self, name: str, folder: Path) -> Path:
        self.fetched.append(name)
        await asyncio.sleep(0)
        copy = folder / name.replace("/", "_")
        copy.write_bytes((await super().fetch(name, folder)).read_bytes())
        return copy


def described(name: str, size: int) -> RowsFile:
    return RowsFile(name, "visits", "2026-11-22", "t", 0, 1, 1, size, 0, 1)


async def test_copies_are_bounded_but_for_those_that_are_read_now(tmp_path: Path) -> None:
    files = [described(f"f{n}", 100) for n in range(6)]
    for file in files:
        (tmp_path / file.name).write_bytes(bytes(100))
    storage = Slow(tmp_path)
    cache = CachedFiles(storage, 250)
    async with cache.opened(files) as paths:
        assert [path.stat().st_size for path in paths.values()] == [100] * 6
    assert cache.size == 200
    async with cache.opened(files[4:]), cache.opened(files[4:]):
        assert len(storage.fetched) == 6, "the last ones are still there"
        cache.keep({"f4"})
        assert cache.size == 200, "nobody's file is taken away"
    cache.keep({"f4"})
    assert (cache.size, [path.name for path in paths.values() if path.exists()]) == (100, ["f4"])

    async def together() -> None:
        async with cache.opened(files[:2]):
            pass

    await asyncio.gather(together(), together(), together())
    assert len(storage.fetched) == 8, "those who want the same file wait for one copy"
    with capture_logs() as logs:
        for _ in range(2):
            async with cache.opened(files[:2]):
                pass
        assert not logs, "these fit"
    cache.close()
    assert not any(path.exists() for path in paths.values())


async def test_it_is_told_once_if_copies_do_not_fit(tmp_path: Path) -> None:
    files = [described(f"f{n}", 100) for n in range(6)]
    for file in files:
        (tmp_path / file.name).write_bytes(bytes(100))
    cache = CachedFiles(Slow(tmp_path), 250)
    with capture_logs() as logs:
        for some in (files[:2], files, files):
            async with cache.opened(some) as paths:
                assert len(paths) == len(some)
    assert [(one["event"], one["bytes"], one["limit"]) for one in logs] == [
        ("ledger_cache_too_small", 600, 250)
    ]
    cache.close()
    assert not any(path.exists() for path in paths.values())


async def test_a_file_that_can_not_be_fetched_fails_all_that_want_it_and_no_more(tmp_path: Path) -> None:
    class Broken(Slow):
        async def fetch(self, name: str, folder: Path) -> Path:
            if name == "gone":
                raise LedgerUnavailableError("gone")
            return await super().fetch(name, folder)

    (tmp_path / "there").write_bytes(bytes(100))
    cache = CachedFiles(Broken(tmp_path), 0)
    with pytest.raises(LedgerUnavailableError):
        async with cache.opened([described("there", 100), described("gone", 1)]):
            pass
    async with cache.opened([described("there", 100)]) as paths:
        assert paths["there"].exists()
    assert cache.size == 0
    cache.close()


# --- which files ---


async def test_only_files_that_may_have_such_rows_are_read(centre: Centre) -> None:
    async with centre.reader.opened(everything) as ledger:
        files = [file for one in ledger.coverages for file in one.files if file.table == "visits"]
        visits = await ledger.queries.rows(
            "SELECT epoch_ms(started_at), epoch_ms(handled_at) FROM visits WHERE state = 'over'", most=10_000
        )
    times = sorted(started for started, _ in visits)
    begin, end = times[len(times) // 3], times[len(times) // 2]
    for started in (True, False):
        wanted = ReadRange(("visits",), begin, end, started=started)
        chosen = [file for file in files if wanted.has(file)]
        async with centre.reader.opened(lambda _, wanted=wanted: wanted) as ledger:  # type: ignore[misc]
            ((n,),) = await ledger.queries.rows(
                "SELECT count(*) FROM visits WHERE state = 'over' AND epoch_ms(started_at) BETWEEN ? AND ?",
                [begin, end - 1],
                most=1,
            )
        assert n == sum(begin <= at < end for at in times)
        assert chosen
    before = ReadRange(("visits",), 0, min(times), started=True)
    assert not any(before.has(file) for file in files)
    assert not any(ReadRange(("replies",), 0, EVER["end"]).has(file) for file in files)
    assert not any(
        ReadRange(("visits",), max(times) + 3 * 86_400_000, EVER["end"]).has(file) for file in files
    )


# --- people who were forgotten ---


async def test_nobody_finds_who_was_forgotten_and_all_are_counted(centre: Centre) -> None:
    before = await centre.contacts.find(ContactQuery(limit=10_000, **EVER))
    some = [
        next(one for one in before.contacts if one.open is open_ and one.customer) for open_ in (True, False)
    ]
    customers = {one.customer or "" for one in some}
    partitions = [desk.partition for desk in centre.desks]
    await Forgetter(centre.storage, TABLES, centre.clock).forget(
        {"customer": customers, "contact_id": set(), "case": set()}, partitions
    )
    after = await centre.contacts.find(ContactQuery(limit=10_000, **EVER))
    assert after.total == before.total
    assert not {one.customer for one in after.contacts} & customers
    assert (await centre.contacts.find(ContactQuery(customers=frozenset(customers), **EVER))).total == 0
    assert sum(one.contact_id is None for one in after.contacts) >= 2
    assert [one.differences for one in await centre.audit()] == [[], []]


# --- limits ---


async def test_a_query_that_takes_too_long_or_too_much_is_ended_and_others_are_answered(
    centre: Centre,
) -> None:
    async with centre.reader.opened(everything) as ledger:
        forever = "SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range % 7 = b.range % 5"
        with pytest.raises(TooSlowQueryError, match=r"within 0\.2 s"):
            await ledger.queries.rows(forever, most=1, timeout_s=0.2)
        given_up = asyncio.create_task(ledger.queries.rows(forever, most=1))
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        with pytest.raises(TooLargeQueryError, match="256MB"):
            await ledger.queries.rows("SELECT list(range || 'x') FROM range(200000000)", most=1)
        assert await ledger.queries.rows("SELECT 1", most=1) == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO 'canary.csv'",
        "ATTACH 'canary.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SELECT * FROM glob('/*')",
    ],
)
async def test_there_is_no_way_out_of_the_ledgers_files(centre: Centre, sql: str) -> None:
    """Nobody can write SQL but we; were it otherwise, this is what it could reach."""
    async with centre.reader.opened(everything) as ledger:
        with pytest.raises((FailedQueryError, LedgerUnavailableError)) as refused:
            await ledger.queries.rows(sql, most=1)
    assert re.search(r"(?i)permission|disabled|locked|cannot|not allowed", str(refused.value.__cause__))


async def test_without_the_library_there_is_one_line(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise LedgerMissingError(f"the ledger needs {name}: pip install")

    monkeypatch.setattr("stream_app.ledger.contacts.library", missing)
    with pytest.raises(ContactsMissingError, match="the ledger needs duckdb: pip install"):
        await centre.contacts.find(ContactQuery(**EVER))


async def test_serve_begins_without_the_library_of_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says in each answer what is missing."""

    def missing(name: str) -> Any:
        raise LedgerMissingError(f"the ledger needs {name}: pip install")

    monkeypatch.setattr("stream_app.ledger.bucket.library", missing)
    config = tmp_path / "config.toml"
    config.write_text('ledger = "s3://bucket/prefix"')
    found = open_contacts(load({"STREAM_APP_CONFIG": str(config)}))
    assert found
    with pytest.raises(ContactsMissingError, match="the ledger needs obstore: pip install"):
        await found.find(ContactQuery(**EVER))
    await found.close()


async def test_a_file_that_is_gone_or_damaged_is_said_and_is_not_nothing(
    centre: Centre, storage: LocalFiles
) -> None:
    async with centre.reader.opened(everything) as ledger:
        name = next(file.name for one in ledger.coverages for file in one.files if file.table == "visits")
    path = await storage.fetch(name, Path())
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b""):
        path.write_bytes(damaged)
        with pytest.raises(ContactsAwayError, match="its files can't be read"):
            await centre.contacts.find(ContactQuery(**EVER))
    path.unlink()
    with pytest.raises(ContactsAwayError, match="are all of them there"):
        await centre.contacts.find(ContactQuery(**EVER))


def test_stretches_are_few_and_in_order() -> None:
    some = [
        UnknownTime(50, 60),
        UnknownTime(0, 10),
        UnknownTime(5, 20),
        UnknownTime(20, 30),
        UnknownTime(55, None),
    ]
    assert merged(some) == [UnknownTime(0, 30), UnknownTime(50, None)]
    assert UnknownTime(5, None).within(0, 9) == UnknownTime(5, 9)
    assert UnknownTime(5, 9).within(9, 20) is None


async def test_nothing_in_a_row_happened_long_after_it_was_written(
    redis_url: str, storage: LocalFiles
) -> None:
    """But for clocks that are ahead, as far as these count: so the day of a file says which times it may have."""
    centre = Centre(redis_url, storage, partitions=2, contacts=200)
    await centre.claim()
    seen = 0
    for desk in centre.desks:
        while await desk.count(40):
            moment = await centre.moments.read(desk.partition)
            entry = moment.entries[-1]
            for table, rows in Exploder(desk.partition)(entry).items():
                times = [one.name for one in TABLES[table].columns if one.kind == "moment"]
                times = [
                    name for name in times if name != "due_at"
                ]  # when a course is to be done has not happened
                for row in rows:
                    happened = [row[name] for name in times if row.get(name) is not None]
                    assert max(happened) <= entry.time + AHEAD
                    seen += max(happened) > entry.time - 60_000
    assert seen > 100
    await centre.close()
